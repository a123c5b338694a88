"""Scenario discovery: the conditions under which an outcome happens, in one sentence.

The runs are halved. On the first half the inputs that matter are screened, a box is peeled (or a
tree grown), restrictions that may do nothing are dropped, and the most informative box is chosen
(:mod:`foedus.answers.prim`). Its coverage, density and mass are measured on the second half, which
had no part in the search; if that half does not confirm the box, nothing was found. The stability
of a restriction is how often it returns when the first half is resampled.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.answers import prim
from foedus.answers import sensitivity_indices as indices
from foedus.answers.prim import Box, Quality
from foedus.answers.questions import named
from foedus.answers.sensitivity_analysis import MOST, counting
from foedus.answers.sensitivity_indices import Answers
from foedus.answers.uncertain_inputs import INPUT, Input, Inputs, inputs_of
from foedus.case.asof import AsOf
from foedus.case.models import Case, Question
from foedus.case.question_kinds import kind_of
from foedus.case.vocabulary import QUANTITIES
from foedus.errors import InputError
from foedus.plain_values import Plain, finite, four_figures
from foedus.weighing.quantities import Frame
from foedus.weighing.verdict import REFUSE_BELOW
from foedus.weighing.weighed import Making, Weighed, weigh
from foedus.weighing.weights import effective_size, normalise

if TYPE_CHECKING:
    import xarray as xr

    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
Method = Literal["prim", "tree"]

#: Version of the keys of :meth:`Discovery.to_dict`.
FORMAT = 1
#: Inputs that boxes may restrict: the most important on the first half.
SCREENED = 20
#: Resamples of the first half for the stability of restrictions.
RESAMPLES = 50
#: Fewest effective runs with the outcome, and without it.
FEWEST_OF_EACH = 10.0
#: Reasons of a refusal that are quoted.
_ADVICE = 2
#: Standard errors by which the density must exceed that outside, on the second half: one in a
#: hundred boxes of pure noise does.
SURE = 2.33


@dataclass(frozen=True, kw_only=True)
class Condition(Plain):
    """What the box requires of one input.

    Attributes
    ----------
    input : Input
    low, high : float or None
        In the input's unit; both ends are in. None where that side is open.
    options : tuple of str
        Options that are allowed; empty for a number.
    holds : float
        Share of the runs that meet this condition.
    quasi_p : float
        Probability of a box as dense if this condition did nothing; on the second half.
    stability : float
        Share of the resamples in which this input is restricted on the same side.
    ranks : tuple of float
        Quantiles of the ends among the runs.
    """

    input: Input = field(metadata=INPUT)
    low: float | None
    high: float | None
    options: tuple[str, ...]
    holds: float
    quasi_p: float
    stability: float
    ranks: tuple[float, float]


@dataclass(frozen=True)
class Step:
    """One box of the trajectory, measured on both halves.

    Attributes
    ----------
    number : int
    box : Box
        By number of the input among those screened.
    sought, held : Quality
        On the half used for the search, and on the other.
    """

    number: int
    box: Box
    sought: Quality
    held: Quality

    def to_dict(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return plain values for JSON; ``names`` are those of the inputs, which a step numbers."""
        return {
            "step": self.number,
            "restricted": [names[k] for k in self.box.restrictions],
            **{
                f"{name}{end}": finite(getattr(q, name))
                for end, q in (("_sought", self.sought), ("", self.held))
                for name in ("mass", "density", "coverage")
            },
        }


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """The conditions under which an outcome happens.

    Attributes
    ----------
    case_id, title : str
    as_of : datetime.date
    question, text, kind : str
    outcome : str
        The outcome in words.
    method : {"prim", "tree"}
    evidence : bool
        Whether the runs are weighed by the evidence.
    found : bool
        Whether the second half confirms it.
    conditions : tuple of Condition
        Empty where nothing was found.
    held : Quality
        Of the box, on the second half.
    coverage_error, mass_error : float
        Standard errors there.
    base : float
        Share of all runs in which the outcome happens.
    outside : float
        Density outside of the box, on the second half.
    runs : int
    effective : float
    inputs : tuple of Input
        Those screened.
    trajectory : tuple of Step
    chosen : int
        The step that the box comes from.
    provenance : dict
    """

    case_id: str
    title: str
    as_of: dt.date
    question: str
    text: str
    kind: str
    outcome: str
    method: Method
    evidence: bool
    found: bool
    conditions: tuple[Condition, ...]
    held: Quality
    coverage_error: float
    mass_error: float
    base: float
    outside: float
    runs: int
    effective: float
    inputs: tuple[Input, ...]
    trajectory: tuple[Step, ...]
    chosen: int
    provenance: dict[str, Any] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        from foedus.report.discovery_view import discovery_document

        return discovery_document(self)._repr_html_()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the box is a group of keys, None if nothing was found."""
        box = None
        if self.found:
            box = {
                "density": finite(self.held.density),
                "density_error": finite(self.held.density_error),
                "coverage": finite(self.held.coverage),
                "coverage_error": finite(self.coverage_error),
                "mass": finite(self.held.mass),
                "mass_error": finite(self.mass_error),
                "outside": finite(self.outside),
            }
        names = tuple(i.name for i in self.inputs)
        return {
            "format": FORMAT,
            "case": self.case_id,
            "title": self.title,
            "as_of": self.as_of.isoformat(),
            "question": self.question,
            "text": self.text,
            "kind": self.kind,
            "outcome": self.outcome,
            "method": self.method,
            "evidence": self.evidence,
            "found": self.found,
            "conditions": [c.to_dict() for c in self.conditions],
            "box": box,
            "base": finite(self.base),
            "runs": self.runs,
            "effective": finite(self.effective),
            "screened": list(names),
            "trajectory": [s.to_dict(names) for s in self.trajectory],
            "chosen": self.chosen,
            "provenance": dict(self.provenance),
        }

    def to_xarray(self) -> xr.Dataset:
        """Return the trajectory: quality by step, and the limits by step and input.

        Returns
        -------
        xarray.Dataset
            Dimensions step and input; ``low`` and ``high`` are infinite where nothing is
            restricted, and number the lowest and highest option where the input has options.
        """
        import xarray as xr

        shape = len(self.trajectory), len(self.inputs)
        low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
        for row, step in enumerate(self.trajectory):
            for k, r in step.box.restrictions.items():
                ends = (r.low, r.high) if r.options is None else (min(r.options), max(r.options))
                low[row, k], high[row, k] = ends
        columns = {
            f"{name}{end}": ("step", np.array([getattr(getattr(s, half), name)
                                               for s in self.trajectory]))
            for half, end in (("sought", "_sought"), ("held", ""))
            for name in ("mass", "density", "coverage")
        }  # fmt: skip
        return xr.Dataset(
            {**columns, "low": (("step", "input"), low), "high": (("step", "input"), high)},
            coords={"step": np.arange(shape[0]), "input": [i.name for i in self.inputs]},
            attrs={"question": self.question, "outcome": self.outcome, "chosen": self.chosen},
        )


@dataclass(frozen=True)
class Target:
    """The outcome that is looked for in the answers of a question.

    Attributes
    ----------
    at_least, at_most : float or None
        Of a number.
    by : datetime.date or None
        Of a date; None: within the days simulated.
    happens : bool or None
        Look for the outcome, or for its not happening; None: for the rarer of the two.
    """

    at_least: float | None = None
    at_most: float | None = None
    by: dt.date | None = None
    happens: bool | None = None

    def check(self, question: Question) -> None:
        """Refuse a threshold that does not fit the question, or that nothing can meet.

        Raises
        ------
        InputError
        """
        low, high = self.at_least, self.at_most
        kind, found = kind_of(question.kind), f"({question.id} is {question.kind})"
        if not kind.takes_limits and (low is not None or high is not None):
            raise InputError(f"at-least, at-most: for questions for a number {found}")
        if not kind.takes_date and self.by is not None:
            raise InputError(f"by: for questions for a date {found}")
        if low is not None and high is not None and low > high:
            raise InputError(
                f"at-least, at-most: the first not above the second (found {four_figures(low)} and "
                f"{four_figures(high)})"
            )

    def meets(self, y: FloatArray, question: Question, frame: Frame) -> BoolArray:
        """Return in which runs the outcome happens, shape (run,).

        Raises
        ------
        InputError
            If the threshold does not fit the question.
        """
        self.check(question)
        kind = kind_of(question.kind)
        if kind.takes_limits and self.at_least is None and self.at_most is None:
            middle = float(np.median(y))
            raise InputError(
                f"question {question.id} is for a number: say at least or at most how much is "
                f"looked for (the middle run has {four_figures(middle)})"
            )
        last_day = math.inf if self.by is None else frame.day(self.by)
        return kind.happens(y, self.at_least, self.at_most, last_day)

    def words(self, question: Question, happens: bool) -> str:
        """Return the outcome in words."""
        kind = kind_of(question.kind)
        if kind.takes_date:
            when = "within the days simulated" if self.by is None else f"by {self.by}"
            return f"it happens {when}" if happens else f"it does not happen {when}"
        if not kind.takes_limits:
            return "yes" if happens else "no"
        unit = question.unit or QUANTITIES[question.ask.quantity].unit
        low, high = self.at_least, self.at_most
        if low is not None and high is not None:
            text = f"{four_figures(low)} to {four_figures(high)} {unit}"
            return text if happens else f"not {text}"
        if low is not None:
            return f"{'at least' if happens else 'less than'} {four_figures(low)} {unit}"
        return f"{'at most' if happens else 'more than'} {four_figures(high or 0.0)} {unit}"


def discover(
    case: Case,
    *,
    question: str,
    as_of: AsOf | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    by: dt.date | None = None,
    happens: bool | None = None,
    before: bool = False,
    method: Method = "prim",
    chance: bool = False,
    ensemble: Ensemble | None = None,
    weighed: Weighed | None = None,
    **making: Unpack[Making],
) -> Discovery:
    """Say under which conditions an outcome happens.

    Parameters
    ----------
    case : Case
    question : str
        Its id.
    as_of : datetime.date, datetime.datetime or str, optional
        What was public by then is known; the case's own date if absent.
    at_least, at_most : float, optional
        What is looked for in the answers of a question for a number.
    by : datetime.date, optional
        Of one for a date; within the days simulated if absent.
    happens : bool, optional
        Look for the outcome, or for its not happening; the rarer of the two if absent.
    before : bool
        Leave the runs unweighed by the evidence.
    method : {"prim", "tree"}
        Peel a box, or grow a classification tree.
    chance : bool
        Allow conditions on the chance that is drawn once a run.
    ensemble : Ensemble, optional
        Runs made before, of the same case and with the same known decisions.
    weighed : Weighed, optional
        From :func:`foedus.weigh`; then date, ensemble and making are not used.
    **making : Making
        ``runs``, ``seed``, ``workers``, ``batch``, ``out``, ``cluster``, ``progress``, as of
        :func:`foedus.run`; not used with ``ensemble``.

    Returns
    -------
    Discovery

    Raises
    ------
    InputError
        If the question is unknown or the threshold does not fit it, all runs give the same
        outcome, or too few effective runs are there.
    """
    one = named(case.questions, question)
    target = Target(at_least, at_most, by, happens)
    target.check(one)
    if weighed is None:
        weighed = weigh(case, as_of=as_of, ensemble=ensemble, **making)
    known, ensemble = weighed.case, weighed.store
    if one.id in weighed.unreadable:
        raise InputError(weighed.unreadable[one.id])
    if weighed.refused and not before:
        enough = float(effective_size(weighed.log_prior)) >= REFUSE_BELOW
        reasons = weighed.weights.verdict.reasons
        hint = ("--before looks at the runs before the evidence.",) if enough else ()
        raise InputError(f"nothing to look at: {' '.join((*map(str, reasons[:_ADVICE]), *hint))}")
    every = -(-ensemble.complete_runs // MOST) or 1
    weight = (normalise(weighed.log_prior) if before else weighed.weights.weight)[::every]
    found = discovered(
        one,
        (weighed.prior_draws if before else weighed.draws)[one.id][::every],
        inputs_of(ensemble, every=every),
        weight,
        weighed.frame,
        target=target,
        method=method,
        chance=chance,
        seed=ensemble.plan.seed,
    )
    return replace(
        found,
        case_id=known.id,
        title=known.title,
        as_of=known.as_of,
        evidence=not before,
        provenance=weighed.provenance,
    )


def discovered(
    question: Question,
    answers: FloatArray,
    inputs: Inputs,
    weight: FloatArray,
    frame: Frame,
    *,
    target: Target | None = None,
    method: Method = "prim",
    chance: bool = False,
    seed: int = 1,
) -> Discovery:
    """Return the conditions from answers, inputs and weights.

    Parameters
    ----------
    question : Question
    answers : ndarray, shape (run,)
        As from :func:`foedus.weighing.quantities.evaluate`.
    inputs : Inputs
    weight : ndarray, shape (run,)
    frame : Frame
    target, method, chance, seed
        As in :func:`discover`.
    """
    target = target or Target()
    rows = counting(weight)
    weight = weight[rows] / weight[rows].sum()
    y = target.meets(answers[rows], question, frame).astype(np.float64)
    inputs = inputs.some(rows)
    happens = target.happens if target.happens is not None else float(weight @ y) <= 0.5
    y = y if happens else 1.0 - y
    outcome = target.words(question, happens)
    _refuse_few(weight, y, question, outcome)
    seek = _half(weight, seed)
    allowed = [k for k, i in enumerate(inputs.about) if chance or i.kind != "chance"]
    kept = _screened(inputs, allowed, y[seek], weight[seek], seek)
    about = tuple(inputs.about[k] for k in kept)
    x, options = inputs.values[kept], tuple(len(i.options) for i in about)
    sides = [(x[:, half], y[half], weight[half]) for half in (seek, ~seek)]
    (x1, y1, w1), (x2, y2, w2) = sides
    boxes = _boxes(method, x1, options, y1, w1)
    box, at = prim.chosen(boxes, x1, y1, w1)
    steps = tuple(
        Step(n, b, *(prim.quality(b.holds(x), y, w) for x, y, w in sides))
        for n, b in enumerate(boxes)
    )
    inside = box.holds(x2)
    held, rest = prim.quality(inside, y2, w2), prim.quality(~inside, y2, w2)
    found = bool(box.restrictions) and _borne_out(held, rest)
    again = _again(method, x1, options, y1, w1, seed) if found else []
    mine = w2 / w2.sum()
    conditions = [
        _condition(k, box, about[k], (x2, y2, mine), again)
        for k in (box.restrictions if found else ())
    ]
    return Discovery(
        case_id="",
        title="",
        as_of=frame.start,
        question=question.id,
        text=question.text,
        kind=question.kind,
        outcome=outcome,
        method=method,
        evidence=True,
        found=found,
        conditions=tuple(sorted(conditions, key=lambda c: (-c.stability, c.holds))),
        held=held,
        coverage_error=_error(inside[y2 > 0.5], mine[y2 > 0.5]),
        mass_error=_error(inside, mine),
        base=float(weight @ y),
        outside=rest.density,
        runs=weight.size,
        effective=1.0 / float(weight @ weight),
        inputs=about,
        trajectory=steps,
        chosen=at,
    )


def _refuse_few(weight: FloatArray, y: FloatArray, question: Question, outcome: str) -> None:
    """Refuse runs that are too few to be halved."""
    base = float(weight @ y)
    effective = 1.0 / float(weight @ weight)
    if effective < REFUSE_BELOW:
        raise InputError(
            f"discovery needs {REFUSE_BELOW:g} effective runs (found {effective:.0f}): run more"
            + (
                ", or look at the runs before the evidence (--before)"
                if weight.size >= REFUSE_BELOW
                else ""
            )
        )
    if np.all(y == y[0]):
        share = "all" if y[0] else "no"
        raise InputError(
            f"question {question.id}: in {share} runs the answer is “{outcome}”: there is nothing "
            "that it depends on. Ask for another threshold, or as of an earlier date"
        )
    rarer = min(base, 1.0 - base) * effective
    if rarer < FEWEST_OF_EACH:
        raise InputError(
            f"question {question.id}: “{outcome}” in {base:.1%} of the runs, so only {rarer:.0f} "
            f"effective runs tell it apart, {FEWEST_OF_EACH:g} are needed: run more, ask for "
            "another threshold, or look at the runs before the evidence (--before)"
        )


def _half(weight: FloatArray, seed: int) -> BoolArray:
    """Return the runs of the first half: of every two of similar weight, one at random."""
    order = np.argsort(-weight, kind="stable")
    first = np.random.default_rng(seed).random(-(-weight.size // 2)) < 0.5
    out = np.empty(weight.size, dtype=bool)
    out[order[0::2]] = first
    out[order[1::2]] = ~first[: weight.size // 2]
    return out


def _screened(
    inputs: Inputs, allowed: list[int], y: FloatArray, weight: FloatArray, seek: BoolArray
) -> list[int]:
    """Return the most important inputs on the first half, in their order."""
    answers = Answers.of(y, weight)
    count = indices.classes(answers.effective)
    raw = {}
    for k in allowed:
        score = inputs.scores[k][seek]
        part = (
            score.astype(np.int64)
            if inputs.about[k].options
            else indices.cut(score, answers.weight, count)
        )
        raw[k] = float(indices.raw_shares(part, answers, answers.weight[None])[0, 0])
    return sorted(sorted(allowed, key=lambda k: (-raw[k], k))[:SCREENED])


def _boxes(
    method: Method, x: FloatArray, options: tuple[int, ...], y: FloatArray, weight: FloatArray
) -> list[Box]:
    make = prim.peel if method == "prim" else prim.tree_boxes
    return make(x, options, y, weight)


def _borne_out(held: Quality, rest: Quality) -> bool:
    """Return whether on the second half the outcome is more frequent in the box than outside."""
    if min(held.effective, rest.effective) < 2.0:
        return False
    # Agresti and Caffo's two extra runs a side keep the error above 0
    sides = [(q.density * q.effective + 1.0, q.effective + 2.0) for q in (held, rest)]
    (p, n), (r, m) = ((k / n, n) for k, n in sides)
    return p - r > SURE * math.sqrt(p * (1.0 - p) / n + r * (1.0 - r) / m)


def _again(
    method: Method,
    x: FloatArray,
    options: tuple[int, ...],
    y: FloatArray,
    weight: FloatArray,
    seed: int,
) -> list[Box]:
    """Return the boxes that resamples of the first half would have given."""
    drawn = indices.resampled(weight / weight.sum(), seed=seed, resamples=RESAMPLES)[1:]
    return [prim.chosen(_boxes(method, x, options, y, w), x, y, w)[0] for w in drawn]


def _condition(
    number: int,
    box: Box,
    about: Input,
    half: tuple[FloatArray, FloatArray, FloatArray],
    again: list[Box],
) -> Condition:
    x, y, weight = half
    r = box.restrictions[number]
    same = [
        other
        for b in again
        if (other := b.restrictions.get(number)) is not None and _alike(r, other)
    ]
    below = float(weight[x[number] < r.low].sum())
    upto = float(weight[x[number] <= r.high].sum())
    return Condition(
        input=about,
        low=r.low if math.isfinite(r.low) else None,
        high=r.high if math.isfinite(r.high) else None,
        options=() if r.options is None else tuple(about.options[o] for o in sorted(r.options)),
        holds=float(weight[r.holds(x[number])].sum()),
        quasi_p=prim.quasi_p(box, number, x, y, weight),
        stability=len(same) / max(len(again), 1),
        ranks=(below, upto) if r.options is None else (0.0, 1.0),
    )


def _alike(a: prim.Restriction, b: prim.Restriction) -> bool:
    """Return whether two restrictions of an input are on the same sides."""
    if a.options is not None and b.options is not None:
        return bool(a.options & b.options)
    return a.sides <= b.sides


def _error(inside: BoolArray, weight: FloatArray) -> float:
    """Return the standard error of the weighted share of runs inside."""
    if not weight.sum() > 0:
        return math.nan
    w = weight / weight.sum()
    share = float(w[inside].sum())
    return math.sqrt(float(w**2 @ (inside - share) ** 2))
