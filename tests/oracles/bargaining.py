"""Textbook games of threat and bargaining.

Logit equilibria (McKelvey and Palfrey 1995, doi 10.1006/game.1995.1023), two-type and
semi-separating signals, the bargaining model of Fearon 1995 (doi 10.1017/S0020818300033324), and
audience costs (after Fearon 1997, doi 10.1177/0022002797041001004).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from foedus.world.choice import logistic


class Deterrence(NamedTuple):
    """Probabilities in the two-step deterrence game."""

    challenge: float
    resist: float


def deterrence(
    precision: float,
    *,
    concede: tuple[float, float] = (1.0, 0.0),
    war: tuple[float, float] = (-1.0, -0.5),
    status_quo: float = 0.0,
) -> Deterrence:
    """Return the agent logit equilibrium: challenge or not, then resist or concede.

    Parameters
    ----------
    precision : float
        λ of both players.
    concede, war : (challenger, defender)
        Payoffs if the defender concedes, or resists.
    status_quo : float
        The challenger's payoff without a challenge.
    """
    resist = float(logistic(precision * (war[1] - concede[1])))
    value = (1.0 - resist) * concede[0] + resist * war[0]
    return Deterrence(float(logistic(precision * (value - status_quo))), resist)


def symmetric_equilibrium(payoff: ArrayLike, precision: float) -> float:
    """Return the symmetric logit equilibrium of a symmetric 2 × 2 game.

    Parameters
    ----------
    payoff : array_like, shape (2, 2)
        Row player's payoff; ``payoff[i, j]`` when it plays i and the other plays j.
    precision : float
        λ of both players.

    Returns
    -------
    float
        Probability of the first action. Unique in games of chicken, where the best reply to an
        action is the other one; elsewhere one of the fixed points.
    """
    (aa, ab), (ba, bb) = np.asarray(payoff, dtype=np.float64)

    def excess(q: float) -> float:
        gain = q * (aa - ba) + (1.0 - q) * (ab - bb)
        return q - float(logistic(precision * gain))

    return float(optimize.brentq(excess, 0.0, 1.0, xtol=1e-13))


def two_type(prior: float, resolved: float, unresolved: float) -> tuple[float, float]:
    """Return the posterior of "resolved" after an act and after no act.

    Parameters
    ----------
    prior : float
        Prior probability of the resolved type.
    resolved, unresolved : float
        Probability that each type acts.
    """

    def posterior(h: float, low: float) -> float:
        return prior * h / (prior * h + (1.0 - prior) * low)

    return posterior(resolved, unresolved), posterior(1.0 - resolved, 1.0 - unresolved)


class Bluff(NamedTuple):
    """Semi-separating equilibrium."""

    bluff: float
    signal: float
    posterior: float


def semi_separating(prior: float, threshold: float) -> Bluff:
    """Return how often the unresolved type bluffs if that leaves the opponent indifferent.

    Parameters
    ----------
    prior : float
        Prior probability of the resolved type, which always signals; below ``threshold``.
    threshold : float
        Posterior at which the opponent is indifferent.
    """
    if not 0.0 < prior < threshold <= 1.0:
        raise ValueError(f"need 0 < prior < threshold <= 1, got {prior} and {threshold}")
    bluff = prior * (1.0 - threshold) / ((1.0 - prior) * threshold)
    return Bluff(bluff, prior / threshold, threshold)


class Bargain(NamedTuple):
    """Fearon's (1995) take-it-or-leave-it demand under uncertainty."""

    demand: float
    war: float
    payoff: float


def fearon_1995(p: float, cost: float, highest: float) -> Bargain:
    """Return A's optimal demand, the risk of war and A's payoff (interior solution).

    Parameters
    ----------
    p : float
        A's expected share from war, before costs.
    cost : float
        A's cost of war.
    highest : float
        B's cost is uniform on [0, ``highest``].
    """
    if not 0.0 <= cost <= highest:
        raise ValueError(f"need 0 <= cost <= highest, got {cost} and {highest}")
    demand = p + (highest - cost) / 2.0
    return Bargain(
        demand, (1.0 - cost / highest) / 2.0, p + (highest - cost) ** 2 / (4.0 * highest)
    )


def challenger_cutoff(resist: float, lose: float, cost: float) -> float:
    """Return the value of the prize above which a challenger persists (after Fearon 1997).

    ``v ≥ q c / (1 - q p)``: the defender resists with probability q, and then the challenger loses
    with probability p at cost c.
    """
    return resist * cost / (1.0 - resist * lose)


def defender_cutoff(win: float, cost: float, audience: float = 0.0) -> float:
    """Return the value above which a defender resists: ``(c - m)/p``; m = 0 is sunk cost."""
    return max((cost - audience) / win, 0.0)


def keeps_pledge(value: float, audience: float, relabel: float = 0.0) -> bool:
    """Return whether a pledge not to send troops holds: value of sending ≤ audience cost.

    Re-labelling the mission ("peacekeepers", "not to fight") does not change the type but discounts
    the audience cost by the share ``relabel``.
    """
    return value <= audience * (1.0 - relabel)
