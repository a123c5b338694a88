"""How a forecast depends on its facts: predictive checks, effects of facts, trust in sources.

**Predictive checks.** The predictive distribution of a report is each run's truth, scattered as the
report's rating says. The place of the report in it (its probability integral transform) is given
under the prior, under all other evidence (leave-one-out), and under all evidence. The place of a
range is a range. Its tail is the two-sided probability of a report as far out,
``2 min(P(reading ≥ low), P(reading ≤ high))``, at most 1.

**Effects of facts.** Each fact is left out in turn. For yes or no, the shift is that of the
probability; for "how many" and "when", that of the probability of lying beyond the median without
the fact. So all shifts are in percentage points and have an error, which is that of a difference
between two estimates from the same runs.

**Trust in sources.** The posterior probability that a report is outright wrong, summed by source,
beside that of the ratings.

**Contradictions.** Facts whose values cannot both be true, as :func:`foedus.check` finds them, with
the one that the runs disbelieve; and facts that the runs make unlikely together. With L the
likelihoods of two facts over the prior runs, the lift is ``mean(L_a L_b) / (mean(L_a) mean(L_b))``,
below 1 if they are less likely together than apart.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import combinations
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.answers.bayes_factors import FEWEST_EFFECTIVE
from foedus.answers.explanations import DECISIONS, SURE
from foedus.answers.questions import settled_by
from foedus.case.asof import AsOf
from foedus.case.contradictions import contradictions as excluding
from foedus.case.models import Case, Fact, Question
from foedus.case.question_kinds import kind_of
from foedus.plain_values import Plain, Worded
from foedus.weighing.evidence import UNMET, Evidence, Report
from foedus.weighing.known_totals import count_of
from foedus.weighing.silence import SILENCE
from foedus.weighing.verdict import Caution, Verdict
from foedus.weighing.weighed import Making, Weighed, large_table, weigh
from foedus.weighing.weights import effective_size, normalise, without
from foedus.weighted_statistics import mean_and_error

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]

#: Version of the keys of :meth:`Diagnostics.to_dict`.
FORMAT = 2
#: A report with a smaller tail, given other evidence, does not fit the model.
FAR = 0.02
#: Shifts of a probability within this are rounding.
ROUNDING = 1e-9
#: A report or source is doubted if it is this many times likelier to be wrong than rated.
DOUBT = 1.5
#: Lift below which two facts contradict each other.
APART = 0.5


@dataclass(frozen=True, kw_only=True)
class Place(Plain):
    """Where a report lies in its predictive distribution.

    Attributes
    ----------
    below, above : float
        Probability of a reading below and above the report.
    error : float
        Monte-Carlo error of ``pit``.
    tail : float
        Two-sided probability of a report as far out.
    effective : float
        Effective runs behind it.
    """

    below: float
    above: float
    error: float
    tail: float
    effective: float

    json_also = ("pit", "told")

    @property
    def pit(self) -> float:
        """The middle of the place, 0 to 1; below one half, the report is lower than expected."""
        return self.below + 0.5 * (1.0 - self.below - self.above)

    @property
    def told(self) -> bool:
        """Whether there are enough runs to tell."""
        return self.effective >= FEWEST_EFFECTIVE


@dataclass(frozen=True, kw_only=True)
class Check(Plain):
    """A weighed fact against the runs.

    Attributes
    ----------
    fact, text, source, rating : str
    reported : str or None
    prior, others, all : Place
        Under the prior, under all other evidence, under all evidence.
    disbelief, disbelief_error : float
        Probability that it is outright wrong, given all evidence; the error is NaN if runs are too
        few.
    rated_wrong : float
        The same by its rating alone.
    ess_without : float
        Effective runs without it.
    closest : float
        Log-likelihood of the best run less that of full agreement.
    """

    fact: str
    text: str
    source: str
    rating: str
    reported: str | None
    disbelief: float
    disbelief_error: float
    rated_wrong: float
    ess_without: float
    closest: float
    prior: Place
    others: Place
    all: Place

    json_also = ("conflict",)

    @property
    def told(self) -> bool:
        """Whether there are enough runs to say how likely it is wrong."""
        return self.all.told

    @property
    def conflict(self) -> str | None:
        """How it conflicts with the model; None if it fits.

        ``unmet``: no run comes near it. ``far``: it is far out, given other evidence.
        ``disbelieved``: it is more likely wrong than not, and clearly more than rated. A report
        that is often outright wrong is hardly ever far out, because a wrong report may say
        anything.
        """
        if self.closest < UNMET:
            return "unmet"
        place = self.others if self.others.told else self.prior
        if place.told and place.tail < FAR:
            return "far"
        sure = self.disbelief - SURE * self.disbelief_error
        return "disbelieved" if self.told and sure > max(0.5, DOUBT * self.rated_wrong) else None


@dataclass(frozen=True, kw_only=True)
class Shift(Plain):
    """The effect of a fact on the answer to a question.

    Attributes
    ----------
    fact : str
        ``known-decisions`` for all replayed decisions together, ``silence`` for what none reports.
    question, kind : str
    without, with_it : float, datetime.date or None
        Probability, or median, without and with the fact; a date that is None: never.
    shift, error : float
        Of the probability that it is true, larger than the median without the fact (a number), or
        at or before it (a date; where that is never: that it happens).
    told : bool
        The shift exceeds three standard errors, and enough runs remain.
    """

    fact: str
    question: str
    kind: str
    without: float | dt.date | None
    with_it: float | dt.date | None
    shift: float
    error: float
    told: bool


class Belief(Worded, Enum):
    """Whether the runs believe a source."""

    BELIEVED = auto()
    #: More than its rating says.
    DOUBTED = auto()
    DISBELIEVED = auto()
    #: Too few runs tell.
    UNKNOWN = auto()


@dataclass(frozen=True, kw_only=True)
class Believed(Plain):
    """How far the runs believe a source.

    Attributes
    ----------
    source, name : str
    facts : int
        Weighed facts that it gave.
    wrong, error : float
        Expected number of them that are outright wrong, given all evidence.
    rated_wrong : float
        The same by the ratings alone.
    pit : float
        Mean place of its reports given other evidence; below one half it tends to report less
        than expected, above it more.
    worst : str
        The fact that is disbelieved most.
    told : bool
        There are enough runs to say.
    """

    source: str
    name: str
    facts: int
    wrong: float
    error: float
    rated_wrong: float
    pit: float
    worst: str
    told: bool = field(default=True, metadata={"then": {"words": attrgetter("belief")}})

    @property
    def belief(self) -> Belief:
        """What the runs think of the source."""
        if not self.told:
            return Belief.UNKNOWN
        if self.wrong > 0.5 * self.facts:
            return Belief.DISBELIEVED
        if self.wrong - SURE * self.error > DOUBT * self.rated_wrong:
            return Belief.DOUBTED
        return Belief.BELIEVED


@dataclass(frozen=True, kw_only=True)
class Contradiction(Plain):
    """Two facts that cannot both be true, or that the runs make unlikely together.

    Attributes
    ----------
    a, b : str
    lift : float
        Probability of both over the product of each, before other evidence; NaN where one is
        replayed.
    error : float
        Of its natural log.
    sided_with : str or None
        The fact that the runs believe, given all evidence; None if they do not choose.
    kind : {"same_day", "falls", "event", "implied", "part", "unlikely"}
        As in :class:`foedus.case.contradictions.Contradiction`, or unlikely together by the runs
        alone.
    text : str
        In words, where their values cannot both be true.
    disbelief_a, disbelief_b : float
        Probability that each is outright wrong, given all evidence; NaN for a replayed decision,
        which all runs follow, and if runs are too few.
    """

    a: str
    b: str
    lift: float
    error: float
    sided_with: str | None
    kind: str = "unlikely"
    text: str = ""
    disbelief_a: float = math.nan
    disbelief_b: float = math.nan


def _questions(found: Diagnostics) -> list[dict[str, str | None]]:
    """Return the questions for JSON, with the facts that settle them."""
    return [
        {"id": name, "text": text, "kind": kind, "settled_by": found.settled.get(name)}
        for name, text, kind in found.questions
    ]


@dataclass(frozen=True, kw_only=True)
class Diagnostics(Plain):
    """How a forecast depends on its facts.

    Attributes
    ----------
    case_id, title : str
    as_of : datetime.date
    verdict : Verdict
        As in a forecast; where refused there are no shifts.
    runs : int
    effective, pareto_k : float
    effective_prior : float
        Effective runs before the evidence.
    questions : tuple of (str, str, str)
        Id, text and kind.
    checks : tuple of Check
        One a weighed fact, in the order of the case.
    shifts : tuple of Shift
        One a fact and question.
    sources : tuple of Believed
        The most disbelieved first.
    contradictions : tuple of Contradiction
        Those of values first, then the least likely.
    replayed : dict
        As in a forecast.
    warnings : tuple of Caution
    provenance : dict
    settled : dict of str to str
        By question, the known fact that already settles it.
    """

    case_id: str = field(metadata={"json": "case"})
    title: str
    as_of: dt.date
    verdict: Verdict
    runs: int
    effective: float
    pareto_k: float
    effective_prior: float = field(metadata={"then": {"advice": attrgetter("verdict.reasons")}})
    questions: tuple[tuple[str, str, str], ...] = field(
        metadata={"json": None, "then": {"questions": _questions}}
    )
    checks: tuple[Check, ...]
    shifts: tuple[Shift, ...]
    sources: tuple[Believed, ...]
    contradictions: tuple[Contradiction, ...]
    replayed: dict[str, Any]
    warnings: tuple[Caution, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict, metadata={"json": None})

    json_format = FORMAT

    def _repr_html_(self) -> str:
        from foedus.report.diagnostics_view import diagnostics_document

        return diagnostics_document(self)._repr_html_()

    @property
    def conflicts(self) -> tuple[Check, ...]:
        """The facts that conflict with the model, the worst first."""
        found = [c for c in self.checks if c.conflict]
        return tuple(sorted(found, key=lambda c: (min(c.closest, UNMET), c.others.tail)))

    def moved(self, question: str) -> tuple[Shift, ...]:
        """Return the facts that move a question beyond noise, the largest shift first."""
        told = [s for s in self.shifts if s.question == question and s.told]
        return tuple(sorted(told, key=lambda s: -abs(s.shift)))


def diagnose(
    case: Case,
    *,
    as_of: AsOf | None = None,
    ensemble: Ensemble | None = None,
    weighed: Weighed | None = None,
    **making: Unpack[Making],
) -> Diagnostics:
    """Return how the forecast of a case depends on its facts.

    Parameters
    ----------
    case : Case
    as_of : datetime.date, datetime.datetime or str, optional
        What was public by then is known; the case's own date if absent.
    ensemble : Ensemble, optional
        Runs made before, of the same case and with the same known decisions.
    weighed : Weighed, optional
        From :func:`foedus.weigh`; then date, ensemble and making are not used.
    **making : Making
        ``runs``, ``seed``, ``workers``, ``batch``, ``out``, ``cluster``, ``progress``, as of
        :func:`foedus.run`; not used with ``ensemble``.

    Returns
    -------
    Diagnostics

    Raises
    ------
    InputError
        If the date lies outside the case, or the ensemble replayed other decisions.
    """
    if weighed is None:
        weighed = weigh(case, as_of=as_of, ensemble=ensemble, **making)
    return diagnose_runs(weighed)


def diagnose_runs(w: Weighed) -> Diagnostics:
    """Return how a forecast depends on its facts, from the weighed runs of a case."""
    case, asked = w.case, w.asked
    table = {e.id: e for e in w.evidence}
    prior = normalise(w.log_prior)
    checks = tuple(
        _check(report, table[report.fact.id], w, n, prior) for n, report in enumerate(w.reports)
    )
    settled = {q.id: fact for q in asked if (fact := settled_by(case, q)) is not None}
    return Diagnostics(
        case_id=case.id,
        title=case.title,
        as_of=case.as_of,
        verdict=w.weights.verdict,
        runs=w.weights.runs,
        effective=w.weights.ess,
        pareto_k=w.weights.pareto_k,
        effective_prior=float(effective_size(w.log_prior)),
        questions=tuple((q.id, q.text, q.kind) for q in asked),
        checks=checks,
        shifts=() if w.refused else _shifts(asked, w),
        sources=_sources(checks, w, table),
        contradictions=_contradictions(case, w, prior, checks),
        replayed=w.replayed,
        warnings=w.warnings,
        provenance=w.provenance,
        settled=settled,
    )


def _check(report: Report, told: Evidence, w: Weighed, n: int, prior: FloatArray) -> Check:
    assert report.model is not None
    truth = np.where(np.isnan(w.likelihood.truth[n]), 0.0, w.likelihood.truth[n])
    below = report.model.below(report.model.low, truth)
    above = 1.0 - report.model.below(report.model.high, truth)
    if not report.model.positive:  # "not by then" is any later day, and never
        below, above = report.model.below(report.model.high, truth), np.zeros_like(truth)
    rest = normalise(without(w.weights.log_weight, w.likelihood.contribution[n]))
    doubt, error = mean_and_error(w.likelihood.disbelief[n], w.weights.weight)
    everything = _place(below, above, w.weights.weight)
    return Check(
        fact=told.id,
        text=told.text,
        source=told.source,
        rating=told.rating,
        reported=told.reported,
        disbelief=doubt,
        disbelief_error=error if everything.told else math.nan,
        rated_wrong=report.model.error,
        ess_without=math.nan if told.ess_without is None else told.ess_without,
        closest=math.nan if told.closest is None else told.closest,
        prior=_place(below, above, prior),
        others=_place(below, above, rest),
        all=everything,
    )


def _place(below: FloatArray, above: FloatArray, weight: FloatArray) -> Place:
    _, error = mean_and_error(0.5 * (1.0 + below - above), weight)
    low, high = (float(np.clip(weight @ x, 0.0, 1.0)) for x in (below, above))
    squares = float(weight @ weight)
    tail = min(1.0, 2.0 * min(1.0 - low, 1.0 - high))
    return Place(
        below=low,
        above=high,
        error=error,
        tail=tail,
        effective=1.0 / squares if squares > 0 else 0.0,
    )


def _shifts(asked: tuple[Question, ...], w: Weighed) -> tuple[Shift, ...]:
    rows = [(r.fact.id, w.likelihood.contribution[n]) for n, r in enumerate(w.reports)]
    if np.ptp(w.log_guidance) > 0:
        rows.append((DECISIONS, w.log_guidance))
    if np.ptp(w.log_silence) > 0:
        rows.append((SILENCE, w.log_silence))
    out = []
    alone = {r.fact.id: r.fact for r in w.reports}
    for fact, row in rows:
        left = without(w.weights.log_weight, row)
        rest, enough = normalise(left), float(effective_size(left)) >= FEWEST_EFFECTIVE
        for q in asked:
            draws = w.draws[q.id]
            if fact in alone and _only_report(alone[fact], q, w):
                draws = w.draws_before[q.id]
            out.append(_shift(fact, q, w, rest, draws, enough))
    return tuple(out)


def _only_report(fact: Fact, q: Question, w: Weighed) -> bool:
    """Return whether the known total behind an answer rests on this one fact."""
    bears = [c for c in w.totals.counts if w.totals.bear_on(q.ask.quantity, q.ask.place)]
    mine = [r for r in w.reports if count_of(r.fact.quantity, r.fact.place) is not None]
    return bool(bears) and [r.fact.id for r in mine] == [fact.id]


def _shift(
    fact: str, q: Question, w: Weighed, rest: FloatArray, draws_rest: FloatArray, enough: bool
) -> Shift:
    """Return what leaving a fact out does, given the weights and the draws without it.

    Where several reports are about one count, the draws keep the total that all of them together
    give.
    """
    kind, draws, weight = kind_of(q.kind), w.draws[q.id], w.weights.weight
    both = np.concatenate([draws, draws_rest]), np.concatenate([np.zeros_like(rest), rest])
    true, true_rest = np.split(np.asarray(kind.split(*both)), 2)
    p, before = float(weight @ true), float(rest @ true_rest)
    influence = weight * (true - p) - rest * (true_rest - before)
    error = math.sqrt(float(influence @ influence))
    told = enough and abs(p - before) > max(SURE * error, ROUNDING)
    return Shift(
        fact=fact,
        question=q.id,
        kind=q.kind,
        without=kind.central(draws_rest, rest, w.frame),
        with_it=kind.central(draws, weight, w.frame),
        shift=p - before,
        error=error,
        told=told,
    )


def _sources(
    checks: tuple[Check, ...], w: Weighed, table: dict[str, Evidence]
) -> tuple[Believed, ...]:
    out = []
    told = w.weights.ess >= FEWEST_EFFECTIVE
    for source in dict.fromkeys(c.source for c in checks):
        rows = [n for n, c in enumerate(checks) if c.source == source]
        mine = [checks[n] for n in rows]
        wrong, error = mean_and_error(
            np.asarray(sum(w.likelihood.disbelief[n] for n in rows)), w.weights.weight
        )
        worst = max(mine, key=lambda c: c.disbelief)
        out.append(
            Believed(
                source=source,
                name=table[worst.fact].source_name,
                facts=len(mine),
                wrong=wrong,
                error=error if told else math.nan,
                rated_wrong=sum(c.rated_wrong for c in mine),
                pit=sum(c.others.pit for c in mine) / len(mine),
                worst=worst.fact,
                told=told,
            )
        )
    return tuple(sorted(out, key=lambda s: -s.wrong / s.facts))


def _doubt(check: Check | None) -> float:
    return check.disbelief if check is not None and check.told else math.nan


def _contradictions(
    case: Case, w: Weighed, prior: FloatArray, checks: tuple[Check, ...]
) -> tuple[Contradiction, ...]:
    """Return the pairs of facts that exclude each other, or are less likely together."""
    number = {c.fact: n for n, c in enumerate(checks)}
    replayed = {e.id for e in w.evidence if e.use == "replayed"}
    pairs = {frozenset(c.facts): c for c in excluding(case)}
    likely = large_table(len(w.reports), prior.size)
    for n, report in enumerate(w.reports):
        assert report.model is not None
        broken = np.isnan(w.likelihood.truth[n])
        log = report.model.log_likelihood(np.where(broken, 0.0, w.likelihood.truth[n]))
        log[broken] = -np.inf
        top = log.max(initial=-np.inf)
        ratio = np.exp(log - top) if np.isfinite(top) else np.zeros_like(log)
        mean = float(prior @ ratio)
        likely[n] = ratio / mean if mean > 0 else 1.0
    out = []
    for a, b in combinations(range(len(likely)), 2):
        one, other = checks[a], checks[b]
        named = pairs.pop(frozenset((one.fact, other.fact)), None)
        both = likely[a] * likely[b]
        lift = float(prior @ both)
        if not lift > 0.0 or (named is None and lift >= APART):
            continue
        influence = prior * (both / lift - likely[a] - likely[b] + 1.0)
        error = math.sqrt(float(influence @ influence))
        if named is None and -math.log(lift) <= SURE * error:
            continue
        gap = one.disbelief - other.disbelief
        sided = (other if gap > 0 else one).fact if one.told and abs(gap) > 0.5 else None
        out.append(
            Contradiction(
                a=one.fact,
                b=other.fact,
                lift=lift,
                error=error,
                sided_with=sided,
                kind="unlikely" if named is None else named.kind,
                text="" if named is None else str(named),
                disbelief_a=_doubt(one),
                disbelief_b=_doubt(other),
            )
        )
    for left in pairs.values():  # one of the two is replayed, so all runs follow it
        if all(f in number or f in replayed for f in left.facts):
            mine = [checks[number[f]] if f in number else None for f in left.facts]
            first, second = left.facts
            out.append(
                Contradiction(
                    a=first,
                    b=second,
                    lift=math.nan,
                    error=math.nan,
                    sided_with=None,
                    kind=left.kind,
                    text=str(left),
                    disbelief_a=_doubt(mine[0]),
                    disbelief_b=_doubt(mine[1]),
                )
            )
    return tuple(sorted(out, key=lambda c: (c.kind == "unlikely", math.isnan(c.lift), c.lift)))
