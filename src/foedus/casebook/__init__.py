"""What history says: coded calls for help, base rates, fitted models and their track record."""

from foedus.casebook.load import Casebook, Source, load_casebook, organisation_group
from foedus.casebook.nearest import Likeness, nearest
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
from foedus.casebook.schema import Case, Coded, Contested

__all__ = [
    "BaseRate",
    "Case",
    "Casebook",
    "Coded",
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
