"""foedus: will the alliance come, how soon and with what, and what happens in the streets.

The verbs of the command line are functions here, and return xarray or small typed objects::

    import foedus

    case = foedus.load_case("kazakhstan-2022")
    forecast = foedus.forecast(case, as_of="2022-01-07", runs=2000)

Names are imported on first use, so that ``import foedus`` is fast; ``__init__.pyi`` lists them.
"""

from __future__ import annotations

from typing import Any

import lazy_loader


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return globals().setdefault(name, version("foedus"))
    if name not in _names:
        raise AttributeError(f"module 'foedus' has no attribute {name!r}")
    return _load(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# Below __getattr__, because EAGER_IMPORT imports everything here and some modules need the version.
_load, _, _names = lazy_loader.attach_stub(__name__, __file__)

__all__ = ["__version__", *_names]  # noqa: PLE0604 - all of them are texts
