"""What to look for next: the value of one more report, before it comes.

The value of a report is the information, in bits, that it is expected to give about the answer to a
question, or about which hypothesis is true: their mutual information over the weighted runs, with
the report scattered about each run's truth as its rating says
(:mod:`foedus.answers.future_reports`, :mod:`foedus.answers.mutual_information`). What is already
known, what all runs agree on and what is unrelated to the question has no value.

A report may share errors with earlier ones: a source whose crowds are too large today has them too
large tomorrow. So its scale is widened by ``1/√share``, where the share is what a forecast would
give it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from foedus.answers.future_reports import Instrument, instruments
from foedus.answers.mutual_information import Information, entropy, information
from foedus.answers.questions import named, settled_by
from foedus.case.asof import AsOf
from foedus.case.models import Case
from foedus.case.question_kinds import QuestionKind, Shape, kind_of
from foedus.case.vocabulary import QUANTITIES
from foedus.errors import InputError
from foedus.plain_values import Plain
from foedus.weighing.observation_model import CREDIBILITY, RELIABILITY
from foedus.weighing.quantities import Frame, blocks, variables
from foedus.weighing.verdict import Caution, Verdict
from foedus.weighing.weighed import Making, Weighed, weigh
from foedus.weighing.weights import carrying
from foedus.weighted_statistics import mean_and_error, quantile

if TYPE_CHECKING:
    import xarray as xr

    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Version of the keys of :meth:`Watch.to_dict`.
FORMAT = 1
#: Days after the as-of date, and the rating of a report.
DAYS = 7
RATING = "B2"
#: Most runs that are used: those that carry the weight, thinned evenly.
MOST_RUNS = 50_000
#: Classes that the answer to "how many" or "when" is cut into.
CLASSES = 4
#: False discovery rate among the reports that are called informative.
FALSE = 0.05
#: The class of a date beyond the days simulated, or outside the question's window.
NEVER = "not in the window"
#: Levels that nobody counts; used only if named.
LATENT: frozenset[str] = frozenset(("legitimacy", "belief_home", "belief_abroad", "outside_belief"))


@dataclass(frozen=True, kw_only=True)
class Reading(Plain):
    """A possible reading of a report, and what would follow.

    Attributes
    ----------
    low, high : float or None
        Bounds of the reported number; None: no bound. None for events.
    happened : bool or None
        Of an event: whether the report says that it has happened by the day.
    chance : float
        Probability of this reading.
    after, error : tuple of float
        Probability of each class of the answer given this reading, with Monte-Carlo errors.
    median : float, datetime.date or None
        Of the answer to "how many" or "when", given this reading; a date that is None: never.
    in_runs : float
        Probability that it is true in the runs; reports of it may be more or less frequent.
    """

    low: float | None
    high: float | None
    happened: bool | None
    chance: float
    after: tuple[float, ...]
    error: tuple[float, ...]
    median: float | dt.date | None = None
    in_runs: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class Worth(Plain):
    """The value of one report.

    Attributes
    ----------
    quantity : str
        A word of the vocabulary.
    place, member : str or None
    where : str or None
        Name of the place or member.
    day : datetime.date
        The day that it is about, and on which it is published.
    unit : str
    bits, error : float
        Expected information, with Monte-Carlo error; below 0 by chance only.
    excess : float
        Bias correction of the plain estimate.
    told : bool
        It is more than chance; 5% of such reports are expected to be false discoveries.
    share : float
        Share of a full report that it counts, given the earlier ones.
    asked_itself : bool
        It is about the quantity, place and member of the question.
    readings : tuple of Reading
        Empty unless ``told``.
    """

    quantity: str
    place: str | None
    member: str | None
    where: str | None
    day: dt.date
    unit: str
    bits: float
    error: float
    excess: float
    told: bool
    share: float
    asked_itself: bool
    readings: tuple[Reading, ...] = ()

    @property
    def thing(self) -> tuple[str, str | None, str | None]:
        """Its subject without the day."""
        return self.quantity, self.place, self.member


#: What a watch list is about if it is about no question.
HYPOTHESES = "hypotheses"


@dataclass(frozen=True, kw_only=True)
class Watch(Plain):
    """What to look for next, the most informative first.

    Attributes
    ----------
    case_id, title : str
    as_of : datetime.date
    verdict : Verdict
        As in a forecast; where refused there is no list.
    effective : float
        Effective number of runs.
    about : str
        ``hypotheses``, or the id of a question.
    text, kind : str
        What is asked; ``hypotheses``, or the kind of the question.
    classes : tuple of str
        Possible answers: ids of hypotheses, yes and no, or ranges of about equal probability.
    now, error : tuple of float
        Probability of each class now.
    median : float, datetime.date or None
    entropy : float
        Of the classes, in bits: the most that any report could tell.
    settled_by : str or None
        The known fact that already settles the question.
    rating : str
        Of the reports looked for.
    worths : tuple of Worth
    warnings : tuple of Caution
    provenance : dict
    """

    case_id: str = field(metadata={"json": "case"})
    title: str
    as_of: dt.date
    verdict: Verdict
    effective: float = field(metadata={"then": {"advice": attrgetter("verdict.reasons")}})
    about: str
    text: str
    kind: str
    classes: tuple[str, ...]
    now: tuple[float, ...]
    error: tuple[float, ...]
    median: float | dt.date | None
    entropy: float
    settled_by: str | None
    rating: str
    worths: tuple[Worth, ...] = field(default=(), metadata={"json": "reports"})
    warnings: tuple[Caution, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    json_format = FORMAT

    def _repr_html_(self) -> str:
        from foedus.report.watch_view import watch_document

        return watch_document(self)._repr_html_()

    @property
    def shape(self) -> Shape:
        """What the answer looks like."""
        return Shape.CLASSES if self.kind == HYPOTHESES else kind_of(self.kind).shape

    def best(self) -> tuple[Worth, ...]:
        """Return the most informative day of each subject that is informative, the best first."""
        return _one_each(w for w in self.worths if w.told)

    def largest(self) -> tuple[Worth, ...]:
        """Return the most informative day of each subject, whether or not beyond chance."""
        return _one_each(w for w in sorted(self.worths, key=lambda w: -w.bits) if w.bits > 0.0)


def _one_each(worths: Iterable[Worth]) -> tuple[Worth, ...]:
    """Return the first of each subject."""
    seen: dict[tuple[str, str | None, str | None], Worth] = {}
    for w in worths:
        seen.setdefault(w.thing, w)
    return tuple(seen.values())


def watch(
    case: Case,
    *,
    question: str | None = None,
    as_of: AsOf | None = None,
    rating: str = RATING,
    days: int = DAYS,
    quantities: Sequence[str] | None = None,
    ensemble: Ensemble | None = None,
    weighed: Weighed | None = None,
    **making: Unpack[Making],
) -> Watch:
    """Rank the reports that could come next by their expected information.

    Parameters
    ----------
    case : Case
    question : str, optional
        Id of the question that they should inform; if absent, which hypothesis is true.
    as_of : datetime.date, datetime.datetime or str, optional
        What was public by then is known; the case's own date if absent.
    rating : str
        Admiralty rating of the reports looked for.
    days : int
        Days after the as-of date.
    quantities : sequence of str, optional
        Words of the vocabulary; if absent, all that could be counted.
    ensemble : Ensemble, optional
        Runs made before, of the same case and with the same known decisions.
    weighed : Weighed, optional
        From :func:`foedus.weigh`; then date, ensemble and making are not used.
    **making : Making
        ``runs``, ``seed``, ``workers``, ``batch``, ``out``, ``cluster``, ``progress``, as of
        :func:`foedus.run`; not used with ``ensemble``.

    Returns
    -------
    Watch

    Raises
    ------
    InputError
        If the question, rating or a quantity is unknown, there is nothing to ask about, no
        simulated day follows the as-of date, or the ensemble replayed other decisions.
    """
    if weighed is None:
        weighed = weigh(
            case,
            as_of=as_of,
            ensemble=ensemble,
            check=lambda known: check(known, question, rating, days, quantities),
            **making,
        )
    return watch_runs(weighed, question=question, rating=rating, days=days, quantities=quantities)


def check(
    case: Case, question: str | None, rating: str, days: int, quantities: Sequence[str] | None
) -> None:
    """Refuse an impossible request before any run is made.

    Raises
    ------
    InputError
    """
    if len(rating) != 2 or rating[0] not in RELIABILITY or rating[1] not in CREDIBILITY:
        raise InputError(f"rating: A to F and 1 to 6, such as B2 (found {rating!r})")
    ids = [q.id for q in case.questions]
    if question is not None:
        named(case.questions, question)
    if question is None and len(case.hypotheses) < 2:
        raise InputError(
            f"case {case.id} has no two hypotheses to tell apart; name a question: "
            f"{', '.join(ids) or 'it has none either'}"
        )
    if days < 1:
        raise InputError(f"days: at least 1 (found {days})")
    for name in quantities or ():
        if name not in QUANTITIES:
            raise InputError(f"quantity: one of {', '.join(QUANTITIES)} (found {name!r})")
    if case.day(case.as_of) + 1 >= case.horizon:
        raise InputError(
            f"no simulated day follows {case.as_of}; the case ends on {case.end}: "
            "choose an earlier as-of date"
        )


def watch_runs(
    w: Weighed,
    *,
    question: str | None = None,
    rating: str = RATING,
    days: int = DAYS,
    quantities: Sequence[str] | None = None,
) -> Watch:
    """Rank the reports that could come next, from the weighed runs of a case.

    Parameters
    ----------
    w : Weighed
    question, rating, days, quantities
        As for :func:`watch`.
    """
    case, dataset = w.case, w.dataset
    check(case, question, rating, days, quantities)
    if question is not None and question in w.unreadable:
        raise InputError(f"question {question}: {w.unreadable[question]}")
    rows = carrying(w.weights.weight, MOST_RUNS)
    asked = _asked(case, w, question, rows)
    first = case.day(case.as_of) + 1
    span = range(first, min(first + days, case.horizon))
    wanted = [n for n in QUANTITIES if n not in LATENT] if quantities is None else quantities
    worths: list[Worth] = []
    if not w.refused and asked.open:
        worths = _ranked(
            asked,
            w.frame,
            {i: a.name for i, a in case.actors.items()}
            | {i: p.name for i, p in case.places.items()},
            [
                (instrument, truth)
                for name in wanted
                for instrument, truth in _truths(
                    dataset,
                    w.frame,
                    instruments(case, name, span, rating, w.reports),
                    rows,
                    w.block,
                )
            ],
        )
    settled = next((settled_by(case, q) for q in case.questions if q.id == question), None)
    blank = (float("nan"),) * len(asked.classes)
    return Watch(
        case_id=case.id,
        title=case.title,
        as_of=case.as_of,
        verdict=w.weights.verdict,
        effective=w.weights.ess,
        about=HYPOTHESES if question is None else question,
        text=asked.text,
        kind=asked.kind,
        classes=asked.classes,
        now=blank if w.refused else asked.now,
        error=blank if w.refused else asked.error,
        median=None if w.refused else asked.median(asked.weight, w.frame),
        entropy=float("nan") if w.refused else entropy(np.array(asked.now)) if asked.open else 0.0,
        settled_by=settled,
        rating=rating,
        worths=tuple(worths),
        warnings=w.warnings,
        provenance=w.provenance,
    )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is asked of the runs that carry the weight.

    ``weight``, ``target`` (number of the class) and ``values`` (the answer itself; None for
    hypotheses) have the shape (run,).
    """

    text: str
    kind: str
    classes: tuple[str, ...]
    weight: FloatArray
    target: IntArray
    values: FloatArray | None
    now: tuple[float, ...]
    error: tuple[float, ...]
    about: tuple[str | None, str | None, str | None]

    @property
    def open(self) -> bool:
        """Whether the runs disagree."""
        return sum(p > 0.0 for p in self.now) > 1

    def chances(self, weight: FloatArray) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the probability of each class by some weights, and its error."""
        pairs = [
            mean_and_error((self.target == c).astype(np.float64), weight)
            for c in range(len(self.classes))
        ]
        return tuple(min(p, 1.0) for p, _ in pairs), tuple(e for _, e in pairs)

    def median(self, weight: FloatArray, frame: Frame) -> float | dt.date | None:
        """Return the median answer to "how many" or "when" by some weights."""
        if self.values is None:
            return None
        return kind_of(self.kind).median(self.values, weight, frame)


def _asked(case: Case, w: Weighed, question: str | None, rows: IntArray) -> _Asked:
    weight = w.weights.weight[rows]
    weight = weight / (weight.sum() or 1.0)
    values: FloatArray | None = None
    about: tuple[str | None, str | None, str | None] = (None, None, None)
    if question is None:
        text, kind = "Which hypothesis holds?", HYPOTHESES
        classes: tuple[str, ...] = tuple(h.id for h in case.hypotheses)
        target = w.hypothesis[rows]
    else:
        q = named(case.questions, question)
        text, kind = q.text, q.kind
        about = (q.ask.quantity, q.ask.place, q.ask.member)
        values = w.draws[question][rows]
        asked = kind_of(kind)
        if asked.options:
            classes, target = asked.options, values.astype(np.int64)
        else:
            classes, target = _cut(values, weight, asked, w.frame)
    draft = _Asked(
        text=text,
        kind=kind,
        classes=classes,
        weight=weight,
        target=target,
        values=values,
        now=(),
        error=(),
        about=about,
    )
    now, error = draft.chances(weight)
    return replace(draft, now=now, error=error)


def _cut(
    values: FloatArray, weight: FloatArray, kind: QuestionKind, frame: Frame
) -> tuple[tuple[str, ...], IntArray]:
    """Return ranges of about equal probability, in words, and the range of each run."""
    cuts = quantile(values, weight, np.arange(1, CLASSES) / CLASSES)
    ends = np.isfinite(values) & (weight > 0)
    never = bool((weight[~np.isfinite(values)] > 0).any())
    if never and ends.any():
        cuts = np.append(cuts, values[ends].max())
    cuts = np.unique(cuts[np.isfinite(cuts)])
    if not never:
        cuts = cuts[cuts < values[ends].max(initial=-np.inf)]

    target = np.searchsorted(cuts, values, side="left").astype(np.int64)
    if not cuts.size:
        return ("any",), target
    edges = [kind.draw_text(x, frame) for x in cuts]
    names = [f"up to {edges[0]}"]
    names += [f"after {a}, up to {b}" for a, b in pairwise(edges)]
    return (*names, NEVER if never else f"after {edges[-1]}"), target


def _truths(
    dataset: xr.Dataset,
    frame: Frame,
    wanted: list[Instrument],
    rows: IntArray,
    block: int,
) -> Iterator[tuple[Instrument, FloatArray]]:
    """Yield each instrument of one quantity with its value in the runs, shape (run,)."""
    names = sorted({n for i in wanted for n in variables(i.quantity, i.member)})
    parts: list[list[FloatArray]] = [[] for _ in wanted]
    for runs in blocks(dataset.isel(run=rows), names, size=block):
        for part, instrument in zip(parts, wanted, strict=True):
            part.append(instrument.truth(runs, frame))
    for part, instrument in zip(parts, wanted, strict=True):
        yield instrument, np.concatenate(part)


def _ranked(
    asked: _Asked,
    frame: Frame,
    names: dict[str, str],
    reports: list[tuple[Instrument, FloatArray]],
) -> list[Worth]:
    """Return the value of each report, the largest first; ``names`` are those of ids."""
    found = [_measured(asked, instrument, truth) for instrument, truth in reports]
    told = stats.false_discovery_control([f.p_value for f in found], method="by") <= FALSE
    worths = []
    for (instrument, truth), info, tells in zip(reports, found, told, strict=True):
        tells = bool(tells) and info.bits > 0.0
        worths.append(
            Worth(
                quantity=instrument.quantity,
                place=instrument.place,
                member=instrument.member,
                where=names.get(instrument.place or instrument.member or ""),
                day=frame.date(instrument.day),
                unit=QUANTITIES[instrument.quantity].unit,
                bits=info.bits,
                error=info.error,
                excess=info.excess,
                told=tells,
                share=instrument.share,
                asked_itself=(instrument.quantity, instrument.place, instrument.member)
                == asked.about,
                readings=_readings(asked, frame, instrument, truth) if tells else (),
            )
        )
    return sorted(worths, key=lambda w: (not w.told, -w.bits))


def _usable(asked: _Asked, truth: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights and values; runs whose value is not a number have no weight."""
    broken = np.isnan(truth)
    if not broken.any():
        return asked.weight, truth
    weight = np.where(broken, 0.0, asked.weight)
    return weight / (weight.sum() or 1.0), np.where(broken, 0.0, truth)


def _measured(asked: _Asked, instrument: Instrument, truth: FloatArray) -> Information:
    weight, truth = _usable(asked, truth)
    cell, levels = instrument.cells(truth)
    mass = np.bincount(cell, weight, levels.size).astype(np.float64)
    edges = instrument.edges(levels, mass)
    return information(asked.target, cell, instrument.channel(levels, edges), weight)


def _readings(
    asked: _Asked, frame: Frame, instrument: Instrument, truth: FloatArray
) -> tuple[Reading, ...]:
    """Return a few readings, and what would follow from each."""
    weight, truth = _usable(asked, truth)
    cell, levels = instrument.cells(truth)
    mass = np.bincount(cell, weight, levels.size).astype(np.float64)
    edges = instrument.edges(levels, mass)
    bounds = instrument.thirds(edges, mass @ instrument.channel(levels, edges))
    out = []
    for n, (low, high) in enumerate(bounds):
        likely = instrument.model.below(high, levels) - instrument.model.below(low, levels)
        chance = float(mass @ likely)
        if chance <= 0.0:
            continue
        after = weight * likely[cell] / chance
        p, error = asked.chances(after)
        event = instrument.is_event
        least, most = (None, None) if event else instrument.bounds(low, high)
        out.append(
            Reading(
                low=least,
                high=most,
                happened=n == 0 if event else None,
                chance=chance,
                after=p,
                error=error,
                median=asked.median(after, frame),
                in_runs=min(float(weight[instrument.within(truth, low, high)].sum()), 1.0),
            )
        )
    return tuple(out)
