"""The declaration of a parameter, made in the file of the mechanism that reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Prior

FloatArray = NDArray[np.float64]

#: Values of all parameters for a set of runs: name to array of shape (run,).
Parameters = dict[str, FloatArray]


@dataclass(frozen=True)
class Parameter:
    """One uncertain number of one mechanism.

    Attributes
    ----------
    name : str
        ``mechanism.word``, after the mechanism that declares it.
    prior : Prior
        Default prior, with its origin and source.
    unit : str
        Unit, or "1" for a pure number.
    meaning : str
        What it does, in one sentence.
    low, high : float
        A prior whose median lies outside is refused; a draw outside is clipped.
    """

    name: str
    prior: Prior
    unit: str
    meaning: str
    low: float = -np.inf
    high: float = np.inf
