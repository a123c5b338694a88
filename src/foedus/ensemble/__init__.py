"""Ensembles of runs of a case: draws, plan, batches, workers and the store on disk.

Names are imported on first use, to keep the import fast; ``__init__.pyi`` lists them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
