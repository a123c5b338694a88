"""The street model alone, without a case: Epstein 2002, Model I (doi 10.1073/pnas.092080199).

>>> from foedus.streets import reading, simulate
>>> result = simulate(reading("mesa", legitimacy=0.7, max_jail_term=10), seed=1, runs=4, ticks=20)
"""

from foedus.world.lattice import *  # noqa: F403
from foedus.world.lattice import __all__ as __all__
