"""Known values for votes: power indices by enumeration, and consensus under a common factor.

Power indices: Shapley and Shubik 1954 (doi 10.2307/1951053), and Banzhaf 1965.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import integrate

from foedus.world.voting import given_factor, passes

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Largest number of players for enumeration.
MOST_PLAYERS = 20


def coalitions(n: int) -> BoolArray:
    """Return all coalitions of n players, shape (2**n, n)."""
    if not 1 <= n <= MOST_PLAYERS:
        raise ValueError(f"players: from 1 to {MOST_PLAYERS} can be enumerated, got {n}")
    codes = np.arange(1 << n, dtype=np.int64)
    return np.asarray((codes[:, None] >> np.arange(n)) & 1 == 1, dtype=np.bool_)


def weighted_game(weights: Sequence[int], quota: int) -> BoolArray:
    """Return which coalitions of a weighted game [quota; weights] win, shape (2**n,)."""
    held = np.asarray(weights, dtype=np.int64)
    total = np.zeros(1 << held.size, dtype=np.int64)
    for j, member in enumerate(coalitions(held.size).T):
        total += member * held[j]
    return total >= quota


def rule_game(rule: str, n: int, *, lead: int = 0, requester: int = 1) -> BoolArray:
    """Return which coalitions of supporters win under a named rule, shape (2**n,)."""
    votes = np.where(coalitions(n), 1, -1).astype(np.int8)
    return passes(votes, rule, lead, requester)


def _swings(winning: BoolArray) -> list[NDArray[np.int64]]:
    """Return, for each player, the number of swings by size of the winning coalition."""
    n = int(winning.size).bit_length() - 1
    members = coalitions(n)
    size = members.sum(axis=1)
    codes = np.arange(winning.size, dtype=np.int64)
    counts = []
    for j in range(n):
        swing = winning & members[:, j] & ~winning[codes & ~(1 << j)]
        counts.append(np.bincount(size[swing], minlength=n + 1))
    return counts


def shapley_shubik(winning: BoolArray) -> list[Fraction]:
    """Return the Shapley-Shubik index of each player, exactly.

    Parameters
    ----------
    winning : ndarray of bool, shape (2**n,)
        Winning coalitions by bit mask, as from :func:`weighted_game` or :func:`rule_game`.
    """
    n = int(winning.size).bit_length() - 1
    weight = [
        Fraction(math.factorial(s - 1) * math.factorial(n - s), math.factorial(n))
        if s
        else Fraction(0)
        for s in range(n + 1)
    ]
    return [
        sum((int(c) * w for c, w in zip(counts, weight, strict=True)), Fraction(0))
        for counts in _swings(winning)
    ]


def banzhaf_swings(winning: BoolArray) -> list[int]:
    """Return the Banzhaf swings of each player; divided by their sum, the normalised index."""
    return [int(counts.sum()) for counts in _swings(winning)]


def power_to_act(winning: BoolArray) -> Fraction:
    """Return Coleman's power of a body to act: the share of coalitions that win."""
    return Fraction(int(winning.sum()), winning.size)


def _over_factor(inside: Callable[[float], float]) -> float:
    value, _ = integrate.quad(
        lambda z: inside(z) * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi),
        -9.0,
        9.0,
        epsabs=1e-11,
        limit=200,
    )
    return float(value)


def consensus_probability(p: float, n: int, rho: float = 0.0) -> float:
    """Return the probability that n members all accept, under a one-factor Gaussian.

    Parameters
    ----------
    p : float
        Each member's probability of accepting.
    n : int
        Members.
    rho : float
        Correlation of the latent acceptances, 0 ≤ ρ < 1.
    """
    if not 0.0 <= rho < 1.0:
        raise ValueError(f"rho: from 0 to below 1, got {rho}")
    if rho == 0.0:
        return float(p**n)
    return _over_factor(lambda z: float(given_factor(p, rho, z)) ** n)


class Consensus(NamedTuple):
    """A three-valued vote: the chance that it passes, and the number for it if it does."""

    passes: float
    contributors: float


def three_valued_consensus(against: float, yes: float, n: int, rho: float = 0.0) -> Consensus:
    """Return the law of consensus with abstention among n equal members.

    Parameters
    ----------
    against, yes : float
        Each member's probability of voting against and of voting for; the rest abstain.
    n : int
    rho : float
        As in :func:`consensus_probability`.
    """
    carried = consensus_probability(1.0 - against, n, rho)
    if rho == 0.0:
        return Consensus(carried, n * yes / (1.0 - against))

    def both(z: float) -> float:
        stay = float(given_factor(1.0 - against, rho, z))
        return float(given_factor(yes, rho, z)) * stay ** (n - 1)

    return Consensus(carried, n * _over_factor(both) / carried)
