"""What history says: coded calls for help, base rates, fitted models and their track record.

One rule keeps hindsight out everywhere. ``before`` is a day; only what was known before it counts.
The outside view of a case file as of a date takes that date as ``before``: rows are dated to the
day, so what became known on the day itself is left out. ``exclude`` leaves out the case at hand.
"""

from foedus.casebook.coded_case import Coded, CodedCase, Contested, Source
from foedus.casebook.load import Casebook, load_casebook
from foedus.casebook.organisations import organisation_group
from foedus.casebook.rates import (
    BaseRate,
    Quantiles,
    base_rate,
    duration,
    jeffreys,
    request_rate,
    size,
    survival_rate,
    tempo,
)
from foedus.casebook.similarity import Likeness, nearest

__all__ = [
    "BaseRate",
    "Casebook",
    "Coded",
    "CodedCase",
    "Contested",
    "Likeness",
    "Quantiles",
    "Source",
    "base_rate",
    "duration",
    "jeffreys",
    "load_casebook",
    "nearest",
    "organisation_group",
    "request_rate",
    "size",
    "survival_rate",
    "tempo",
]
