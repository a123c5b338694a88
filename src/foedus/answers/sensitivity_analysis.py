"""Global sensitivity: which uncertain inputs the answers depend on, before and after the evidence.

The runs of a forecast suffice (:mod:`foedus.answers.sensitivity_indices`), since every run draws
all inputs at once. *Before* uses their prior weights, *after* their weights given the evidence.
The weights enter the estimate itself; nothing is resampled. The known decisions that were replayed
are imposed on all runs, before the evidence too.

Before the evidence the inputs are independent, so the shares of single inputs add up. Where inputs
interact, all together explain more than this sum. The rest is *chance*, which is measured by pairs
of runs with the same inputs and other chance (:func:`chance_share`). After the evidence the inputs
are correlated and their shares overlap, so neither the sum nor the rest is given.

A design of its own (:mod:`foedus.answers.saltelli`) gives total-order indices as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.answers import sensitivity_indices as indices
from foedus.answers.questions import named
from foedus.answers.saltelli import RunInputs, answers_at, designed
from foedus.answers.sensitivity_indices import Answers, Index
from foedus.answers.sensitivity_results import (
    By,
    Design,
    Effect,
    End,
    NoAnswer,
    NoEffects,
    Sensitivities,
    Sensitivity,
    Share,
    TooFewEffective,
    View,
)
from foedus.answers.uncertain_inputs import Input, Inputs, inputs_of
from foedus.case.asof import AsOf
from foedus.case.asof import as_of as known_by
from foedus.case.models import Case, Question
from foedus.case.question_kinds import kind_of
from foedus.case.vocabulary import QUANTITIES
from foedus.defaults import FORECAST_RUNS, PAIRS
from foedus.errors import InputError
from foedus.weighing.quantities import Frame
from foedus.weighing.verdict import REFUSE_BELOW, Failure
from foedus.weighing.weighed import Making, Weighed, weigh
from foedus.weighing.weights import normalise
from foedus.weighted_statistics import mean_and_error, median

if TYPE_CHECKING:
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Most runs that indices are computed from; of more, every second, third, ... is used.
MOST = 32_000
#: An end of an input: this share of the weight, at its lowest and at its highest.
END = 0.2
#: Fewest effective runs of an option for its answer to be shown.
_FEWEST_OF_OPTION = 5.0
#: Share of the weight that may be left out.
_LEFT_OUT = 1e-3


def sensitivity(
    case: Case,
    *,
    as_of: AsOf | None = None,
    question: str | None = None,
    ensemble: Ensemble | None = None,
    design: Design = "given",
    by: By = "mechanism",
    pairs: int = PAIRS,
    weighed: Weighed | None = None,
    **making: Unpack[Making],
) -> Sensitivities:
    """Return which uncertain inputs the answers to a case's questions depend on.

    Parameters
    ----------
    case : Case
    as_of : datetime.date, datetime.datetime or str, optional
        What was public by then is known; the case's own date if absent.
    question : str, optional
        Only this one; all if absent.
    ensemble : Ensemble, optional
        Runs made before, of the same case and with the same known decisions.
    design : {"given", "sobol"}
        From the runs of the forecast; or from a Saltelli design, before the evidence only, which
        gives total-order indices too.
    by : {"mechanism", "input"}
        With ``design="sobol"``: an index for each mechanism, or for every input.
    pairs : int
        Pairs of runs for the share of chance; 0 makes none.
    weighed : Weighed, optional
        From :func:`foedus.weigh`; then date, ensemble and making are not used.
    **making : Making
        ``runs``, ``seed``, ``workers``, ``batch``, ``out``, ``cluster``, ``progress``, as of
        :func:`foedus.run`; not used with ``ensemble``. With ``design="sobol"``, ``runs`` is the
        most that are made, on this machine; they are not kept.

    Returns
    -------
    Sensitivities

    Raises
    ------
    InputError
        If the date lies outside the case, the question is unknown, or the runs are too few.
    """
    only = {} if question is None else {"questions": (named(case.questions, question),)}
    workers, progress = making.get("workers"), making.get("progress")
    if design == "sobol":
        if making.get("cluster") is not None:
            raise InputError("cluster: a Sobol design is run on this machine only")
        known = known_by(case, case.as_of if as_of is None else as_of)
        return designed(
            known.model_copy(update=only),
            runs=making.get("runs", FORECAST_RUNS),
            seed=making.get("seed", 1),
            by=by,
            workers=workers,
            progress=progress,
        )
    if weighed is None:
        weighed = weigh(case, as_of=as_of, ensemble=ensemble, **making)
    known, ensemble = weighed.case.model_copy(update=only), weighed.store
    every = -(-ensemble.complete_runs // MOST) or 1
    inputs = inputs_of(ensemble, every=every)
    found = sensitivities(known, weighed, inputs, seed=ensemble.plan.seed, every=every)
    chances, warnings = {}, found.warnings
    if pairs:
        if progress:
            progress.note(f"{pairs} runs are made again with other chance")
        try:
            chances = chance_shares(known, weighed, pairs=pairs, workers=workers)
        except InputError as error:
            warnings = (*warnings, Failure(problem=str(error)))
    questions = tuple(
        replace(q, before=replace(q.before, chance=chances.get(q.id))) if q.before.effects else q
        for q in found.questions
    )
    return replace(found, questions=questions, warnings=warnings, provenance=weighed.provenance)


def sensitivities(
    case: Case, made: Weighed, inputs: Inputs, *, seed: int = 1, every: int = 1
) -> Sensitivities:
    """Return the sensitivities from weighed runs and their inputs.

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    made : Weighed
    inputs : Inputs
        Of every n-th run, n being ``every``.
    seed : int
        Of the resamples and the dummy inputs.
    every : int

    Raises
    ------
    InputError
        If the runs are too few even before the evidence.
    """
    before = normalise(made.log_prior[::every])
    after = made.weights.weight[::every]
    draws = {name: values[::every] for name, values in made.draws.items()}
    if (size := _effective(before)) < REFUSE_BELOW:
        raise InputError(
            f"sensitivities need {REFUSE_BELOW:g} effective runs before the evidence "
            f"(found {size:.0f}): run more"
        )
    reason: NoAnswer | TooFewEffective | None = None
    if made.refused:
        reason = NoAnswer(verdict=made.weights.verdict)
    elif _effective(after) < REFUSE_BELOW:
        reason = TooFewEffective(fewest=REFUSE_BELOW)
    prior = _views(case, draws, inputs, before, made.frame, seed, independent=True)
    posterior: dict[str, View] = {}
    if reason is None:
        posterior = _views(case, draws, inputs, after, made.frame, seed, independent=False)
    questions = []
    for q in case.questions:
        none = View(reason=_failure(made, q) or reason)
        questions.append(
            Sensitivity(
                id=q.id,
                text=q.text,
                kind=q.kind,
                unit=q.unit or QUANTITIES[q.ask.quantity].unit,
                before=prior.get(q.id, none),
                after=posterior.get(q.id, none),
            )
        )
    return Sensitivities(
        case_id=case.id,
        title=case.title,
        as_of=case.as_of,
        end=case.end,
        design="given",
        verdict=made.weights.verdict,
        runs=before.size,
        effective_before=_effective(before),
        effective_after=_effective(after),
        inputs=inputs.about,
        fixed=inputs.fixed,
        questions=tuple(questions),
        warnings=made.warnings,
    )


def _failure(made: Weighed, question: Question) -> Failure | None:
    problem = made.unreadable.get(question.id)
    return None if problem is None else Failure(problem=problem)


def _effective(weight: FloatArray) -> float:
    square = float(weight @ weight)
    return 1.0 / square if square > 0 else 0.0


def _views(
    case: Case,
    draws: dict[str, FloatArray],
    inputs: Inputs,
    weight: FloatArray,
    frame: Frame,
    seed: int,
    *,
    independent: bool,
) -> dict[str, View]:
    """Return the view of each question that can be read off the runs, by one set of weights."""
    rows = counting(weight)
    weight = weight[rows] / weight[rows].sum()
    inputs = inputs.some(rows)
    readable = [q for q in case.questions if q.id in draws]
    values = {q.id: draws[q.id][rows] for q in readable}
    constant = [q.id for q in readable if np.all(values[q.id] == values[q.id][0])]
    out = {name: View(reason=NoEffects.CONSTANT) for name in constant}
    open_ = [q for q in readable if q.id not in constant]
    if not open_:
        return out
    answers = Answers.of(np.array([values[q.id] for q in open_]), weight)
    count = indices.classes(answers.effective)
    weights = indices.resampled(weight, seed=seed)
    parts = [_part(i, s, weight, count) for i, s in zip(inputs.about, inputs.scores, strict=True)]
    raw = np.array([indices.raw_shares(part, answers, weights) for part in parts])
    noise = indices.noise(answers, count=count, inputs=len(parts), seed=seed + 1)
    fifths = round(1.0 / END)
    ends = [_part(i, s, weight, fifths) for i, s in zip(inputs.about, inputs.scores, strict=True)]
    for n, question in enumerate(open_):
        found = [indices.index(raw[k, :, n]) for k in range(len(parts))]
        effects = [
            _effect(
                about,
                found[k],
                float(noise[n]),
                _ends(about, inputs.values[k], ends[k], values[question.id], weight, question,
                      frame),
            )
            for k, about in enumerate(inputs.about)
        ]  # fmt: skip
        ranked = sorted(effects, key=lambda e: (-e.share, e.input.name))
        alone = _share(indices.index(raw[:, :, n].sum(axis=0))) if independent else None
        excess = float(np.median([i.raw - i.share for i in found]))
        out[question.id] = View(
            effects=tuple(ranked), noise=max(float(noise[n]) - excess, 0.0), alone=alone
        )
    return out


def counting(weight: FloatArray) -> IntArray:
    """Return the fewest runs that carry all but a thousandth of the weight, in their order."""
    order = np.argsort(-weight, kind="stable")
    enough = int(np.searchsorted(np.cumsum(weight[order]), (1.0 - _LEFT_OUT) * weight.sum())) + 1
    return np.sort(order[:enough])


def _part(about: Input, score: FloatArray, weight: FloatArray, count: int) -> IntArray:
    return score.astype(np.int64) if about.options else indices.cut(score, weight, count)


def _effect(about: Input, index: Index, noise: float, ends: tuple[End, ...]) -> Effect:
    return Effect(
        input=about,
        share=index.share,
        low=index.share - index.error,
        high=index.share + index.error,
        told=index.raw > noise,
        ends=ends,
    )


def _share(index: Index) -> Share:
    return Share(index.share, index.share - index.error, index.share + index.error)


def _ends(
    about: Input,
    value: FloatArray,
    part: IntArray,
    y: FloatArray,
    weight: FloatArray,
    question: Question,
    frame: Frame,
) -> tuple[End, ...]:
    """Return the answers at the two ends of an input."""
    if not about.options:
        rows = [np.flatnonzero((part == c) & (weight > 0)) for c in (0, part.max())]
        ats = [median(value[r], weight[r]) if about.kind != "chance" else None for r in rows]
        return tuple(
            _end(at, y[r], weight[r], question, frame) for at, r in zip(ats, rows, strict=True)
        )
    found = []
    for number, option in enumerate(about.options):
        r = np.flatnonzero((part == number) & (weight > 0))
        if r.size and _effective(weight[r] / weight[r].sum()) >= _FEWEST_OF_OPTION:
            end = _end(option, y[r], weight[r], question, frame)
            bounded = kind_of(question.kind).bounded(y[r], frame.horizon)
            found.append((mean_and_error(bounded, weight[r] / weight[r].sum())[0], end))
    found.sort(key=lambda f: f[0])
    return (found[0][1], found[-1][1]) if len(found) > 1 else ()


def _end(
    at: float | str | None, y: FloatArray, weight: FloatArray, question: Question, frame: Frame
) -> End:
    weight = weight / weight.sum()
    kind = kind_of(question.kind)
    return End(at, kind.probability(y, weight), kind.median(y, weight, frame))


def chance_shares(
    case: Case,
    made: Weighed,
    *,
    pairs: int = PAIRS,
    workers: int | None = None,
) -> dict[str, Share]:
    """Return the share of each answer's variance that no input explains, before the evidence.

    Some runs that were drawn from the prior are made again with the same inputs, and with new
    chance except for what is drawn once a run. Half the mean square difference within such pairs,
    over the variance, is the share of chance.

    Parameters
    ----------
    case : Case
        As filtered by the as-of date.
    made : Weighed
    pairs : int
    workers : int, optional

    Raises
    ------
    InputError
        If the runs were made by another version of the world, so that they cannot be paired.
    """
    from foedus.ensemble import design
    from foedus.ensemble.plan import code_hash
    from foedus.world import engine

    ensemble = made.store
    plan = ensemble.plan
    if plan.versions.get("code") != code_hash():
        raise InputError(
            "the share of chance is not given: the runs were made by another version of foedus"
        )
    rows = from_prior(ensemble)[:pairs]
    runs = np.flatnonzero(ensemble.complete)[rows].astype(np.int64)
    luck = engine.luck(ensemble.case)
    names = design.dimensions(engine.registry(ensemble.case))
    drawn = design.draw(
        ensemble.case, engine.registry(ensemble.case), seed=plan.seed, runs=runs,
        stages=plan.stages, luck=luck,
    )  # fmt: skip
    all_names, u = design.coordinates(names, luck, seed=plan.seed, runs=runs, stages=plan.stages)
    kept = {where: u[all_names.index(design.luck_name(where))] for where in luck}
    points = RunInputs(
        seed=_other(plan.seed),
        runs=runs,
        hypothesis=drawn.hypothesis,
        values=drawn.values,
        luck=kept,
    )
    questions = [q for q in case.questions if q.id in made.draws]
    again = answers_at(case, points, questions, guidance=made.guidance, workers=workers)
    out = {}
    for question, other in zip(questions, again, strict=True):
        share = chance_share(made.draws[question.id][rows], other, seed=plan.seed)
        if share is not None:
            out[question.id] = share
    return out


def chance_share(one: FloatArray, other: FloatArray, *, seed: int = 1) -> Share | None:
    """Return the share of the variance within pairs of runs, shape (pair,); None if all alike."""
    within, whole, largest = indices.twins(one, other)
    if not whole > 0.0:
        return None
    if not within.any():  # no pair of n differs: with 95% confidence fewer than one in n / 3 do
        return Share(0.0, 0.0, min(3.0 / one.size * largest / whole, 1.0))
    weights = indices.resampled(np.full(one.size, 1.0 / one.size), seed=seed)
    raw = weights @ within / whole
    error = indices.SIGMAS * float(raw[1:].std(ddof=1))
    return Share(float(raw[0]), float(raw[0]) - error, float(raw[0]) + error)


def from_prior(ensemble: Ensemble) -> IntArray:
    """Return which of the complete runs were drawn from the prior, also in later stages."""
    from foedus.ensemble.proposal import leaning

    runs = np.flatnonzero(ensemble.complete).astype(np.int64)
    stages = ensemble.plan.stages
    if not stages:
        return np.arange(runs.size)
    drawn = ~leaning(ensemble.plan.seed, runs) | (runs < stages[0].first_run)
    return np.flatnonzero(drawn)


def _other(seed: int) -> int:
    """Return a seed whose chance is independent of that of another."""
    return (seed + 0x9E3779B97F4A7C15) % 2**64
