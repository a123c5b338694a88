"""foedus: will the alliance come, how soon, with what, and what happens in the streets.

The verbs of the command line are functions here, and return xarray or small typed objects::

    import foedus

    case = foedus.load_case("kazakhstan-2022")
    forecast = foedus.forecast(case, as_of="2022-01-07", runs=2000)

Names are imported when first used, so that ``import foedus`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foedus.answers.diagnostics import diagnose as diagnose
    from foedus.answers.discovery import discover as discover
    from foedus.answers.explanations import explain as explain
    from foedus.answers.forecasts import forecast as forecast
    from foedus.answers.sensitivity_analysis import sensitivity as sensitivity
    from foedus.answers.timelines import timeline as timeline
    from foedus.answers.watch_list import watch as watch
    from foedus.case import Case as Case
    from foedus.case import load_case as load_case
    from foedus.case.asof import as_of as as_of
    from foedus.case.check_report import check as check
    from foedus.case.template import new_case as new_case
    from foedus.casebook import Casebook as Casebook
    from foedus.casebook import load_casebook as load_casebook
    from foedus.ensemble import Ensemble as Ensemble
    from foedus.ensemble import diff as diff
    from foedus.ensemble import open_ensemble as open_ensemble
    from foedus.ensemble import run as run
    from foedus.errors import FoedusError as FoedusError
    from foedus.errors import InputError as InputError
    from foedus.errors import Interrupted as Interrupted
    from foedus.errors import StoreError as StoreError
    from foedus.report.brief import brief as brief
    from foedus.scoring.scores import Scores as Scores
    from foedus.scoring.scores import score as score
    from foedus.weighing.results import Forecast as Forecast
    from foedus.weighing.weighed import Weighed as Weighed
    from foedus.weighing.weighed import weigh as weigh

    __version__: str

_HOME = {
    "Case": "foedus.case",
    "Casebook": "foedus.casebook",
    "Ensemble": "foedus.ensemble",
    "Forecast": "foedus.weighing.results",
    "FoedusError": "foedus.errors",
    "InputError": "foedus.errors",
    "Interrupted": "foedus.errors",
    "Scores": "foedus.scoring.scores",
    "StoreError": "foedus.errors",
    "Weighed": "foedus.weighing.weighed",
    "as_of": "foedus.case.asof",
    "brief": "foedus.report.brief",
    "check": "foedus.case.check_report",
    "diagnose": "foedus.answers.diagnostics",
    "diff": "foedus.ensemble",
    "discover": "foedus.answers.discovery",
    "explain": "foedus.answers.explanations",
    "forecast": "foedus.answers.forecasts",
    "load_case": "foedus.case",
    "load_casebook": "foedus.casebook",
    "new_case": "foedus.case.template",
    "open_ensemble": "foedus.ensemble",
    "run": "foedus.ensemble",
    "score": "foedus.scoring.scores",
    "sensitivity": "foedus.answers.sensitivity_analysis",
    "timeline": "foedus.answers.timelines",
    "watch": "foedus.answers.watch_list",
    "weigh": "foedus.weighing.weighed",
}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - all of them are texts


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("foedus")
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'foedus' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
