"""Where each public name of foedus is defined; the package imports it from there on first use."""

from .answers.diagnostics import diagnose as diagnose
from .answers.discovery import discover as discover
from .answers.explanations import explain as explain
from .answers.forecasts import Forecast as Forecast
from .answers.forecasts import forecast as forecast
from .answers.sensitivity_analysis import sensitivity as sensitivity
from .answers.timelines import timeline as timeline
from .answers.watch_list import watch as watch
from .case import Case as Case
from .case import load_case as load_case
from .case.asof import as_of as as_of
from .case.template import new_case as new_case
from .casebook import Casebook as Casebook
from .casebook import load_casebook as load_casebook
from .ensemble import Ensemble as Ensemble
from .ensemble import diff as diff
from .ensemble import open_ensemble as open_ensemble
from .ensemble import run as run
from .errors import FoedusError as FoedusError
from .errors import InputError as InputError
from .errors import Interrupted as Interrupted
from .errors import StoreError as StoreError
from .report.brief import brief as brief
from .scoring.casebook_backtest import backtest as backtest
from .scoring.scores import Scores as Scores
from .scoring.scores import score as score
from .weighing.weighed import Weighed as Weighed
from .weighing.weighed import weigh as weigh

__all__: list[str]
__version__: str
from .world.check import check as check
