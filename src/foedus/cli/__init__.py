"""The command line. Heavy imports are inside commands, so that help is immediate.

Exit status: 0 success (``runs diff``: equal; ``runs verify``: sound), 1 a failure of ours (``runs
diff``: different; ``runs verify``: damaged), 2 bad input, 130 stopped by Ctrl-C.
"""

from foedus.cli import casebook, cases, forecasts, reasons, runs
from foedus.cli.app import app, main

__all__ = ["app", "casebook", "cases", "forecasts", "main", "reasons", "runs"]
