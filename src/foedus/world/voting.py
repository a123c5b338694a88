"""Votes for, against or abstaining, decided by a rule, and baselines over positions.

A member votes for (1), abstains (0) or votes against (-1). Every rule is a threshold rule with
vetoes: the *supporters* must include the named members and number at least the quota. Under
consensus with abstention (the CSTO since December 2010), support is not voting against; under all
other rules it is voting for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Rule:
    """A decision rule.

    Attributes
    ----------
    quota : callable
        Number of supporters needed, as a function of the number of members (at most all).
    vetoes : tuple of {"lead", "requester"}
        Members without whose support nothing passes.
    aside_supports : bool
        Whether abstaining counts as support.
    """

    quota: Callable[[int], int]
    vetoes: tuple[Literal["lead", "requester"], ...] = ()
    aside_supports: bool = False


def _two_thirds(n: int) -> int:
    return -(-2 * n // 3)


#: The rules that a case may name. Shares are of all members, so absence counts as a no. "Four of
#: six" means two thirds in a body of any size.
RULES: dict[str, Rule] = {
    "consensus_with_abstention": Rule(lambda n: n, aside_supports=True),
    "unanimity": Rule(lambda n: n),
    "two_thirds": Rule(_two_thirds),
    "simple_majority": Rule(lambda n: n // 2 + 1),
    "lead_only": Rule(lambda n: 1, ("lead",)),
    "lead_and_requester_plus_one": Rule(lambda n: min(3, n), ("lead", "requester")),
    "lead_veto_four_of_six": Rule(_two_thirds, ("lead",)),
}


def passes(votes: NDArray[np.int8], rule: str, lead: int, requester: int) -> BoolArray:
    """Return whether each row of votes passes.

    Parameters
    ----------
    votes : ndarray of int8, shape (..., member)
        1 for, 0 abstaining, -1 against; 9 (not asked) supports nothing.
    rule : str
        A name in :data:`RULES`.
    lead, requester : int
        Positions on the member axis.

    Returns
    -------
    ndarray of bool, shape (...)
    """
    law = RULES[rule]
    support = (votes == 1) | ((votes == 0) & law.aside_supports)
    carried = support.sum(axis=-1) >= law.quota(votes.shape[-1])
    for name in law.vetoes:
        carried &= support[..., lead if name == "lead" else requester]
    return np.asarray(carried, dtype=np.bool_)


class Tail(NamedTuple):
    """``table[j][k]``: chance of at least k supporters among members from j on, shape (run,)."""

    support: FloatArray
    table: list[list[FloatArray]]

    @property
    def chance(self) -> FloatArray:
        """Chance of reaching the full quota, shape (run,)."""
        return self.table[0][-1]


def tail(support: FloatArray, need: int) -> Tail:
    """Return the chances of at least ``need`` supporters among independent members.

    Parameters
    ----------
    support : ndarray, shape (run, member)
        Probability that each member supports.
    need : int
        Supporters needed, at least 0.

    Notes
    -----
    Recursion over members (Poisson binomial), at a cost of members × need rather than 2**members.
    Elementwise over runs.
    """
    runs, members = support.shape
    below = [np.ones(runs), *(np.zeros(runs) for _ in range(need))]
    table = [below]
    for j in range(members - 1, -1, -1):
        s = support[:, j]
        row = [np.ones(runs)]
        for k in range(1, need + 1):
            row.append(s * table[0][k - 1] + (1.0 - s) * table[0][k])
        table.insert(0, row)
    return Tail(support, table)


def conditional_support(chances: Tail, u: FloatArray, carried: BoolArray) -> BoolArray:
    """Return who supports, given that the quota is, or is not, reached.

    Members are taken in order; each is drawn from its exact conditional law given those before.

    Parameters
    ----------
    chances : Tail
    u : ndarray, shape (run, member)
        Uniform draws.
    carried : ndarray of bool, shape (run,)
        Whether the quota is reached.

    Returns
    -------
    ndarray of bool, shape (run, member)
        Where the condition is impossible, the unconditional draw.
    """
    support, table = chances
    runs, members = support.shape
    row = np.arange(runs)
    left = np.full(runs, len(table[0]) - 1)
    out = np.zeros((runs, members), dtype=np.bool_)
    for j in range(members):
        s = support[:, j]
        now = np.stack(table[j])[left, row]
        then = np.stack(table[j + 1])[np.maximum(left - 1, 0), row]
        top = np.where(carried, then, 1.0 - then)
        bottom = np.where(carried, now, 1.0 - now)
        possible = bottom > 0.0
        q = np.where(possible, s * top / np.where(possible, bottom, 1.0), s)
        out[:, j] = u[:, j] < q
        left = np.maximum(left - out[:, j], 0)
    return out


def given_factor(chance: ArrayLike, rho: ArrayLike, factor: ArrayLike) -> FloatArray:
    """Return P(Y ≤ Φ⁻¹(chance) | Z) for Y = √ρ Z + √(1-ρ) e, elementwise.

    Parameters
    ----------
    chance : array_like
        Marginal probability.
    rho : array_like
        Share of the common factor, 0 ≤ ρ < 1.
    factor : array_like
        Z, standard normal; a high value makes every member less willing.
    """
    r = np.asarray(rho, dtype=np.float64)
    y = special.ndtri(np.asarray(chance, dtype=np.float64)) - np.sqrt(r) * np.asarray(factor)
    return np.asarray(special.ndtr(y / np.sqrt(1.0 - r)), dtype=np.float64)


def weighted_mean(position: ArrayLike, capability: ArrayLike, salience: ArrayLike) -> float:
    """Return the mean of positions weighted by capability × salience, a baseline forecast."""
    weight = np.asarray(capability, dtype=np.float64) * np.asarray(salience, dtype=np.float64)
    return float((weight * np.asarray(position, dtype=np.float64)).sum() / weight.sum())


def weighted_median(position: ArrayLike, capability: ArrayLike, salience: ArrayLike) -> float:
    """Return the median of positions weighted by capability × salience, the lower one at a tie."""
    where = np.asarray(position, dtype=np.float64)
    weight = np.asarray(capability, dtype=np.float64) * np.asarray(salience, dtype=np.float64)
    order = np.argsort(where, kind="stable")
    held = np.cumsum(weight[order])
    return float(where[order][np.searchsorted(held, held[-1] / 2.0)])
