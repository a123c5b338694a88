"""The parameters of the world: one declaration each, beside the mechanism that reads it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foedus.case.priors import Prior
from foedus.errors import InputError

if TYPE_CHECKING:
    from foedus.case.models import Case, Hypothesis

FloatArray = NDArray[np.float64]

#: Values of all parameters for a set of runs: name -> array of shape (run,).
Parameters = dict[str, FloatArray]


@dataclass(frozen=True)
class Parameter:
    """One uncertain number of one mechanism.

    Attributes
    ----------
    name : str
        ``mechanism.word``; the mechanism is the file that declares it.
    prior : Prior
        Default prior, with its origin and source.
    unit : str
        Unit, or "1" for a pure number.
    meaning : str
        What it does, in one sentence.
    low, high : float
        Values outside are refused in a case file and clipped in a draw.
    """

    name: str
    prior: Prior
    unit: str
    meaning: str
    low: float = -np.inf
    high: float = np.inf


def resolve(
    case: Case, registry: dict[str, Parameter], hypothesis: Hypothesis | None = None
) -> dict[str, Prior]:
    """Return the prior of each parameter: default, casebook, case, hypothesis; the last counts.

    Raises
    ------
    InputError
        If the case names a parameter that no mechanism declares.
    """
    from foedus.world.history import casebook_priors

    priors: dict[str, Prior] = {name: p.prior for name, p in registry.items()}
    priors |= casebook_priors(case, registry)
    problems = []
    layers: list[tuple[tuple[str | int, ...], dict[str, Prior]]] = [(("priors",), case.priors)]
    if hypothesis is not None:
        index = case.hypotheses.index(hypothesis)
        layers.append((("hypotheses", index, "priors"), hypothesis.priors))
    for path, layer in layers:
        for name, prior in layer.items():
            if name not in registry:
                close = difflib.get_close_matches(name, registry, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                problems.append(
                    case.problem((*path, name), repr(name), f"a declared parameter{hint}")
                )
                continue
            priors[name] = prior
    if problems:
        raise InputError(problems)
    return priors
