"""Whether the runs meet the evidence well enough to answer, and if not, why.

Here are the rules and the data; :mod:`foedus.report.verdict_words` has the words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foedus.case.vocabulary import WELL_RATED
from foedus.plain_values import Worded
from foedus.world.guidance import BITS

if TYPE_CHECKING:
    from foedus.weighing.evidence import Evidence

#: Below this effective sample size no question is answered. At 50 the standard error of a
#: probability of one half is .07 and fewer than three runs lie beyond the 5% quantile.
REFUSE_BELOW = 50.0
#: Below this one the answers carry a warning.
THIN_BELOW = 200.0
#: Above this Pareto shape the weights have no usable variance (Vehtari et al. 2024,
#: arXiv:1507.02646), and the answers carry a warning.
THIN_ABOVE_K = 0.7
#: Most facts of each kind that a refusal names.
MOST_NAMED = 3
#: An effective sample size short of a limit by this share of it is short by rounding only.
_ROUNDING = 1e-6


class Level(StrEnum):
    """Whether questions are answered, answered with a warning, or not answered."""

    OK = "ok"
    THIN = "thin"
    REFUSED = "refused"


def short(effective: float, limit: float) -> bool:
    """Return whether an effective sample size falls short of a limit by more than rounding."""
    return effective < limit * (1.0 - _ROUNDING)


@dataclass(frozen=True, kw_only=True)
class Reason(Worded):
    """Why a verdict is not ok, or what would help."""


@dataclass(frozen=True, kw_only=True)
class NothingUsable(Reason):
    """No run has a finite weight."""

    runs: int


@dataclass(frozen=True, kw_only=True)
class FewRuns(Reason):
    """The runs are worth too few runs of equal weight."""

    runs: int
    effective: float

    @property
    def level(self) -> Level:
        """The level of a verdict for this reason alone."""
        return Level.REFUSED if short(self.effective, REFUSE_BELOW) else Level.THIN


@dataclass(frozen=True, kw_only=True)
class HeavyTail(Reason):
    """A few runs dominate: the Pareto shape of the weights is ``k``."""

    k: float


@dataclass(frozen=True, kw_only=True)
class Disbelieved(Reason):
    """The runs disbelieve well rated facts; ``most``: more than half of them, by share."""

    facts: tuple[Evidence, ...]
    most: bool


@dataclass(frozen=True, kw_only=True)
class Unmet(Reason):
    """No run comes near a fact."""

    fact: Evidence


@dataclass(frozen=True, kw_only=True)
class Costly(Reason):
    """Without a fact the runs would be worth clearly more than ``effective`` runs."""

    fact: Evidence
    effective: float


@dataclass(frozen=True, kw_only=True)
class Together(Reason):
    """No fact alone costs much, but these do together: small costs, and imposed decisions."""

    facts: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class ImpossibleDecisions(Reason):
    """No run could have taken all known decisions by its own rules.

    Attributes
    ----------
    facts : tuple of Evidence
        The decisions that are ruled out.
    shares : tuple of float
        Share of the runs that rule out each.
    """

    facts: tuple[Evidence, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict(Worded):
    """Whether the runs meet the evidence well enough to answer, and why not.

    Attributes
    ----------
    level : Level
    reasons : tuple of Reason
        The most important first; none where the level is ok.
    """

    level: Level = Level.OK
    reasons: tuple[Reason, ...] = ()

    def __str__(self) -> str:
        """Return the level, which is what JSON holds."""
        return self.level.value

    def __eq__(self, other: object) -> bool:
        """Compare with another verdict; a comparison with a text would always be false."""
        if isinstance(other, str):
            raise TypeError(f"compare the level of a verdict: verdict.level == {str(other)!r}")
        if not isinstance(other, Verdict):
            return NotImplemented
        return (self.level, self.reasons) == (other.level, other.reasons)

    @property
    def ok(self) -> bool:
        """Whether the answers need no warning."""
        return self.level is Level.OK

    @property
    def refused(self) -> bool:
        """Whether nothing is answered."""
        return self.level is Level.REFUSED

    @property
    def too_few(self) -> bool:
        """Whether it is refused because too few runs, in effect, agree with the evidence."""
        return self.refused and any(
            isinstance(r, NothingUsable) or (isinstance(r, FewRuns) and r.level is Level.REFUSED)
            for r in self.reasons
        )

    def because(self, level: Level, *reasons: Reason) -> Verdict:
        """Return a verdict of another level, with more reasons before the present ones."""
        return replace(self, level=level, reasons=(*reasons, *self.reasons))

    def adding(self, *reasons: Reason) -> Verdict:
        """Return the verdict with more reasons at the end."""
        return replace(self, reasons=(*self.reasons, *reasons))


def of_weights(*, effective: float, k: float, runs: int) -> Verdict:
    """Return the verdict by the weights alone.

    Parameters
    ----------
    effective : float
        Effective sample size.
    k : float
        Shape of the Pareto tail of the weights; NaN if runs are too few.
    runs : int
        Runs that were weighed.
    """
    if effective <= 0:
        return Verdict(level=Level.REFUSED, reasons=(NothingUsable(runs=runs),))
    reasons: list[Reason] = []
    level = Level.OK
    if k > THIN_ABOVE_K:
        reasons, level = [HeavyTail(k=k)], Level.THIN
    if short(effective, THIN_BELOW):
        few = FewRuns(runs=runs, effective=effective)
        reasons, level = [few, *reasons], few.level
    return Verdict(level=level, reasons=tuple(reasons))


def doubt(verdict: Verdict, evidence: tuple[Evidence, ...]) -> Verdict:
    """Return a worse verdict if the runs disbelieve well rated reports.

    A report rated A or B and 1 or 2 that no run comes near, or that is more likely outright wrong
    than not given all evidence, is evidence against the model rather than the source. One makes the
    verdict thin; more than half of the well rated evidence (by share) makes it refused. Not counted
    is a report of a decision that is replayed from another report: doubt in it is right.
    """
    imposed = {(e.quantity, e.member) for e in evidence if e.use == "replayed"}
    good = [
        e
        for e in evidence
        if e.use == "weighed" and e.rating in WELL_RATED and (e.quantity, e.member) not in imposed
    ]
    doubted = tuple(e for e in good if (e.disbelief or 0.0) > 0.5 or e.unmet)
    if not doubted or verdict.refused:
        return verdict
    if _shares(doubted) > 0.5 * _shares(good):
        return verdict.because(Level.REFUSED, Disbelieved(facts=doubted, most=True))
    return replace(verdict, level=Level.THIN).adding(Disbelieved(facts=doubted, most=False))


def _shares(facts: Iterable[Evidence]) -> float:
    return sum(e.share for e in facts)


def name_conflicts(
    verdict: Verdict, evidence: tuple[Evidence, ...], *, effective: float
) -> Verdict:
    """Return the verdict with the facts that no run meets, and those that cost most.

    Where no fact alone costs much, many cost a little, or the decisions that are imposed on the
    runs are what few of them would have taken: then the costliest and these decisions are named.
    """
    far = [e for e in sorted(evidence, key=lambda e: e.closest or 0.0) if e.unmet]
    by_cost = sorted(evidence, key=lambda e: -(e.ess_without or 0.0))
    costly = [e for e in by_cost if (e.ess_without or 0.0) > 1.02 * effective]
    reasons: list[Reason] = [Unmet(fact=e) for e in far[:MOST_NAMED]]
    reasons += [Costly(fact=e, effective=effective) for e in costly[:MOST_NAMED]]
    if not reasons:
        some = [e for e in by_cost if (e.ess_without or 0.0) > effective][:MOST_NAMED]
        some += [e for e in evidence if e.use == "replayed"][:MOST_NAMED]
        reasons = [Together(facts=tuple(some))] if some else []
    return verdict.adding(*reasons)


def name_impossible(
    verdict: Verdict, evidence: tuple[Evidence, ...], ruled_out: NDArray[np.int16]
) -> Verdict:
    """Return the verdict refused, with the facts named, if no run can take all known decisions.

    Parameters
    ----------
    verdict : Verdict
    evidence : tuple of Evidence
        Among it what was replayed.
    ruled_out : ndarray of int16, shape (run,)
        A bit of :data:`foedus.world.guidance.BITS` for each decision that a run's rules rule out.
    """
    if not ruled_out.size or not ruled_out.all():
        return verdict
    share = {event: float((ruled_out & bit != 0).mean()) for event, bit in BITS.items()}
    never = {e for e, s in share.items() if s == 1.0} or {e for e, s in share.items() if s > 0.0}
    facts = tuple(e for e in evidence if e.use == "replayed" and e.quantity in never)
    return verdict.because(
        Level.REFUSED,
        ImpossibleDecisions(facts=facts, shares=tuple(share[str(e.quantity)] for e in facts)),
    )


@dataclass(frozen=True, kw_only=True)
class Caution(Worded):
    """What to keep in mind of an answer."""


@dataclass(frozen=True, kw_only=True)
class NoRuns(Caution):
    """No run was made under a hypothesis."""

    hypothesis: str


@dataclass(frozen=True, kw_only=True)
class UnlikelyDecisions(Caution):
    """By their own rules, this share of the runs would hardly have taken the known decisions.

    Attributes
    ----------
    excluded : float
    facts : tuple of str
        Identifiers of the facts that were imposed.
    """

    excluded: float
    facts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoOutsideView(Caution):
    """The casebook gives no base rate for a question; ``problem`` is its error message."""

    question: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class Failure(Caution):
    """An error message in the place of an answer."""

    problem: str


@dataclass(frozen=True, kw_only=True)
class Refusal(Worded):
    """No answer, because of the verdict."""

    verdict: Verdict
