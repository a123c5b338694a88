"""Where each name of the package is defined; it is imported from there on first use."""

from .catalogue import RunInfo as RunInfo
from .catalogue import list_runs as list_runs
from .catalogue import show as show
from .catalogue import verify as verify
from .compare import Difference as Difference
from .compare import diff as diff
from .ensemble import Ensemble as Ensemble
from .ensemble import open_ensemble as open_ensemble
from .plan import Plan as Plan
from .runner import RunError as RunError
from .runner import run as run
