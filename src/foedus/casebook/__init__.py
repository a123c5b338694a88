"""The record of past calls for help: coded cases, base rates, fitted models, their track record.

One rule keeps hindsight out (`foedus.casebook.coded_case.known_before`): with ``before``, only what
was known before that day counts. ``exclude`` leaves out the row of the case at hand.
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
