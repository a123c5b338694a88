"""Explanations: which ones the evidence and the casebook favour, with counterfactuals.

**From the evidence.** The posterior of each hypothesis and its Bayes factor against the others
together (:mod:`foedus.answers.bayes_factors`). A fact moves a hypothesis by the change of its log
factor when the fact is left out. The replayed decisions have one joint probability and are left out
together.

**From the casebook alone.** History does not record motives, but the priors of a hypothesis imply
how likely such a government is to ask, and then to get troops. Some runs are simulated with nothing
known; among those with unrest, p_h is the share of the runs of a hypothesis with that answer. With
c the casebook's probability, the casebook counts as one case like this one:

    log-fit of h = Σ  c log p_h + (1 - c) log(1 - p_h)    over the two answers,

the expected log-probability under h of what history leads one to expect. It is a rule, not a
likelihood, and deliberately worth no more than one case, since the priors of the hypotheses come
partly from the casebook. The interval includes the uncertainty of c and of p_h (Jeffreys).

**From both.** The sum of the log-fits.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import combinations
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.answers import bayes_factors as factors
from foedus.answers.bayes_factors import (
    Fit,
    Grade,
    Standing,
    Strength,
    Witness,
    factor,
    fit,
    standings,
    strength_of,
)
from foedus.answers.counterfactuals import Contrast, contrasts
from foedus.case.asof import AsOf
from foedus.case.models import Case
from foedus.case.times import local_day
from foedus.casebook.similarity import case_features
from foedus.defaults import PAIRS
from foedus.plain_values import Plain, Worded, finite
from foedus.weighing.observation_model import observation
from foedus.weighing.silence import SILENCE
from foedus.weighing.verdict import Caution, Verdict
from foedus.weighing.weighed import Making, Weighed, weigh
from foedus.weighing.weights import normalise, without

if TYPE_CHECKING:
    from foedus.casebook.outlook import Chance
    from foedus.ensemble.ensemble import Ensemble

FloatArray = NDArray[np.float64]

#: Version of the keys of :meth:`Explanations.to_dict`.
FORMAT = 2
#: A fact is named only if it moves a hypothesis by this many standard errors, as facts are many.
SURE = 3.0
#: Facts kept for each hypothesis.
KEPT = 3
#: Identifier of all replayed decisions together.
DECISIONS = "known-decisions"
#: Runs simulated with nothing known for each hypothesis.
FREE_RUNS = 60

_DRAWS = 2000
_SEED = 20220105


@dataclass(frozen=True, kw_only=True)
class Moved(Plain):
    """The effect of a fact on a hypothesis.

    Attributes
    ----------
    fact, text : str
        ``known-decisions`` for all replayed decisions together, ``silence`` for what none reports.
    shift, error : float
        Change of the log Bayes factor due to the fact; positive: for the hypothesis.
    told : bool
        The shift is more than :data:`SURE` standard errors.
    """

    fact: str
    text: str
    shift: float
    error: float
    told: bool


@dataclass(frozen=True, kw_only=True)
class Hypothesis(Plain):
    """A hypothesis by the evidence, by the casebook and by both.

    Attributes
    ----------
    id, title, says, put_forward_by : str
    prior : float
    runs : int
    effective : float
        Effective number of its runs after the evidence.
    evidence, casebook, both : Standing
    moved_by : tuple of Moved
        The facts that move it most, the largest first.
    """

    id: str
    title: str
    says: str
    put_forward_by: str
    prior: float
    runs: int
    effective: float
    evidence: Standing
    casebook: Standing
    both: Standing
    moved_by: tuple[Moved, ...]


@dataclass(frozen=True, kw_only=True)
class Apart:
    """How far apart two hypotheses are.

    Attributes
    ----------
    a, b : str
    log_factor, error : float
        Natural log of the Bayes factor of a against b, from the evidence.
    strength : Strength
        What it says of a.
    question : str or None
        The question on which their forecasts differ most.
    distance : float
        Largest difference of their cumulative probabilities there, 0 to 1.
    noise : float
        The distance that chance alone exceeds in one of twenty tables like this one.
    """

    a: str
    b: str
    log_factor: float
    error: float
    strength: Strength
    question: str | None
    distance: float
    noise: float

    @property
    def told(self) -> bool:
        """Whether the forecasts differ by more than chance."""
        return self.distance > self.noise

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: the Bayes factor instead of its logarithm."""
        middle, low, high = factors.interval(self.log_factor, self.error)
        return {
            "a": self.a,
            "b": self.b,
            "bayes_factor": finite(middle),
            "bayes_factor_low": finite(low),
            "bayes_factor_high": finite(high),
            "words": str(self.strength),
            "question": self.question,
            "distance": finite(self.distance),
            "noise": finite(self.noise),
            "told": self.told,
        }


@dataclass(frozen=True, kw_only=True)
class Redated(Plain):
    """What an event of which only an interval of days is known says if its day were known.

    Attributes
    ----------
    fact, text : str
    first, last : datetime.date
        The interval.
    at_first, at_last : tuple of float
        Probability of each hypothesis by the evidence, in their order, if the event was on the
        first day, and if it was on the last.
    told : bool
        Whether the same hypothesis leads in both; otherwise the evidence does not tell.
    """

    fact: str
    text: str
    first: dt.date
    last: dt.date
    at_first: tuple[float, ...]
    at_last: tuple[float, ...]
    told: bool


@dataclass(frozen=True, kw_only=True)
class CasebookView(Worded):
    """What the casebook expected before the crisis began: the probability of each answer."""

    request: Chance
    troops_if_asked: Chance


class NoCasebookView(Worded, Enum):
    """Why the casebook does not tell explanations apart."""

    NOT_ASKED = auto()
    #: There are no two hypotheses.
    NO_RIVALS = auto()
    #: The case names no trigger and organisation.
    NO_FEATURES = auto()


@dataclass(frozen=True, kw_only=True)
class NoBelievedRuns(Worded):
    """Counterfactuals start from believed runs, and the verdict leaves none."""

    verdict: Verdict


class NoCounterfactuals(Worded, Enum):
    """Why there are no counterfactuals though runs are believed."""

    #: No pairs of runs were asked for.
    NOT_ASKED = auto()
    #: No other decision would have changed any run.
    NO_EFFECT = auto()


@dataclass(frozen=True, kw_only=True)
class Explanations(Plain):
    """The competing explanations of a case as of a date, and its counterfactuals.

    Attributes
    ----------
    case_id, title : str
    as_of : datetime.date
    verdict : Verdict
        As in a forecast; where refused the evidence says nothing.
    effective : float
        Effective number of runs.
    hypotheses : tuple of Hypothesis
    apart : tuple of Apart
    casebook : CasebookView or NoCasebookView
    redated : tuple of Redated
        One for each event of which only an interval of days is known; empty if refused.
    counterfactuals : tuple of Contrast
    left_out : NoBelievedRuns, NoCounterfactuals or None
        Why there are no counterfactuals.
    warnings : tuple of Caution
    provenance : dict
        What made the ensemble.
    """

    case_id: str = field(metadata={"json": "case"})
    title: str
    as_of: dt.date
    verdict: Verdict
    effective: float = field(metadata={"then": {"advice": attrgetter("verdict.reasons")}})
    hypotheses: tuple[Hypothesis, ...]
    apart: tuple[Apart, ...]
    casebook: CasebookView | NoCasebookView
    redated: tuple[Redated, ...] = ()
    counterfactuals: tuple[Contrast, ...] = ()
    left_out: NoBelievedRuns | NoCounterfactuals | None = None
    warnings: tuple[Caution, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    json_format = FORMAT

    def _repr_html_(self) -> str:
        from foedus.report.explanation_view import explanations_document

        return explanations_document(self)._repr_html_()


def explain(
    case: Case,
    *,
    as_of: AsOf | None = None,
    ensemble: Ensemble | None = None,
    pairs: int = PAIRS,
    weighed: Weighed | None = None,
    **making: Unpack[Making],
) -> Explanations:
    """Weigh the hypotheses of a case, and make its counterfactuals.

    Parameters
    ----------
    case : Case
    as_of : datetime.date, datetime.datetime or str, optional
        What was public by then is known; the case's own date if absent.
    ensemble : Ensemble, optional
        Runs made before, of the same case and with the same known decisions.
    pairs : int
        Pairs of runs of each counterfactual; 0 makes none.
    weighed : Weighed, optional
        From :func:`foedus.weigh`; then date, ensemble and making are not used.
    **making : Making
        ``runs``, ``seed``, ``workers``, ``batch``, ``out``, ``cluster``, ``progress``, as of
        :func:`foedus.run`; not used with ``ensemble``.

    Returns
    -------
    Explanations

    Raises
    ------
    InputError
        If the date lies outside the case, or the ensemble replayed other decisions.
    StoreError
        If stored runs cannot be made again by this version of foedus.
    """
    if weighed is None:
        weighed = weigh(case, as_of=as_of, ensemble=ensemble, **making)
    known, weights = weighed.case, weighed.weights
    history, view = _history(known, weighed.store)
    made = weigh_hypotheses(weighed, history=history, casebook=view)
    if not pairs:
        return replace(made, left_out=NoCounterfactuals.NOT_ASKED)
    if weighed.refused:
        return replace(made, left_out=NoBelievedRuns(verdict=weights.verdict))
    progress = making.get("progress")
    note: Callable[[str], None] = progress.note if progress else lambda line: None
    found = contrasts(
        known, weighed.store, weights.weight, weighed.guidance, pairs=pairs, note=note
    )
    none = None if found else NoCounterfactuals.NO_EFFECT
    return replace(made, counterfactuals=found, left_out=none)


def weigh_hypotheses(
    weighed: Weighed,
    *,
    history: Fit | None = None,
    casebook: CasebookView | NoCasebookView = NoCasebookView.NOT_ASKED,
) -> Explanations:
    """Weigh the hypotheses of a case by its weighed runs.

    Parameters
    ----------
    weighed : Weighed
    history : Fit, optional
        How well each hypothesis agrees with the casebook.
    casebook : CasebookView or NoCasebookView
        What it expected.
    """
    case, weights = weighed.case, weighed.weights
    count = len(case.hypotheses)
    prior = np.array([h.weight for h in case.hypotheses])
    prior = prior / prior.sum() if count else prior
    numbers, before, refused = weighed.hypothesis, weighed.log_importance, weighed.refused
    log_likelihood = weighed.log_guidance + weighed.log_likelihood + weighed.log_silence
    found = fit(before, log_likelihood, numbers, count)
    silent = Fit(
        np.zeros(count), np.zeros((count, 0)), np.full(count, np.inf), np.zeros((count, 0))
    )
    past = silent if history is None else history
    evidence = standings(found, prior)
    by_casebook = standings(past, prior, witness=Witness.CASEBOOK)
    both = standings(found + past, prior)
    if refused:
        none = Strength(grade=Grade.TOO_FEW if weights.verdict.too_few else Grade.UNMET)
        evidence = both = (
            Standing(
                posterior=math.nan,
                error=math.nan,
                log_factor=math.nan,
                log_factor_error=math.nan,
                strength=none,
            ),
        ) * count
    moved = _moved(weighed, found, prior, log_likelihood)
    views = tuple(
        Hypothesis(
            id=h.id,
            title=h.title,
            says=h.says,
            put_forward_by=h.put_forward_by,
            prior=float(prior[n]),
            runs=int((numbers == n).sum()),
            effective=float(found.effective[n]),
            evidence=evidence[n],
            casebook=by_casebook[n],
            both=both[n],
            moved_by=() if refused else moved[n],
        )
        for n, h in enumerate(case.hypotheses)
    )
    return Explanations(
        case_id=case.id,
        title=case.title,
        as_of=case.as_of,
        verdict=weights.verdict,
        effective=weights.ess,
        hypotheses=views,
        apart=() if refused else _apart(weighed, found, before + log_likelihood),
        casebook=casebook,
        redated=() if refused or count < 2 else _redated(weighed),
        warnings=weighed.warnings,
        provenance=weighed.provenance,
    )


def _redated(weighed: Weighed) -> tuple[Redated, ...]:
    """Return how the weights of the hypotheses move with the day of each undated event."""
    case, numbers = weighed.case, weighed.hypothesis
    out = []
    for n, report in enumerate(weighed.reports):
        fact = report.fact
        if fact.since is None:
            continue
        rest = without(weighed.weights.log_weight, weighed.likelihood.contribution[n])
        days = (fact.since, local_day(fact.about, case.timezone_offset))
        found = []
        for date in days:
            dated = fact.model_copy(update={"since": None, "about": date})
            model = observation(
                dated, day=case.day(date), horizon=case.horizon, offset=case.timezone_offset
            )
            truth = weighed.likelihood.truth[n]
            weight = normalise(rest + report.share * model.log_likelihood(truth))
            found.append(
                tuple(float(weight[numbers == h].sum()) for h in range(len(case.hypotheses)))
            )
        leads = [int(np.argmax(p)) for p in found]
        out.append(
            Redated(
                fact=fact.id,
                text=fact.text,
                first=days[0],
                last=days[1],
                at_first=found[0],
                at_last=found[1],
                told=leads[0] == leads[1],
            )
        )
    return tuple(out)


def _moved(
    weighed: Weighed, found: Fit, prior: FloatArray, log_likelihood: FloatArray
) -> list[tuple[Moved, ...]]:
    """Return the facts that move each hypothesis most."""
    log_prior, numbers = weighed.log_importance, weighed.hypothesis
    facts = [(r.fact.id, r.fact.text) for r in weighed.reports]
    rows = list(weighed.likelihood.contribution)
    if np.ptp(weighed.log_guidance) > 0:
        rows.append(weighed.log_guidance)
        facts = [*facts, (DECISIONS, "The known decisions that were replayed, together")]
    if np.ptp(weighed.log_silence) > 0:
        rows.append(weighed.log_silence)
        facts = [*facts, (SILENCE, "What no fact reports")]
    shifts: list[list[Moved]] = [[] for _ in prior]
    whole = [factor(found, prior, h) for h in range(prior.size)]
    for (name, text), row in zip(facts, rows, strict=True):
        rest = fit(log_prior, without(log_likelihood, row[None])[0], numbers, prior.size)
        for h, all_of_it in enumerate(whole):
            change = all_of_it - factor(rest, prior, h)
            told = math.isfinite(change.log) and abs(change.log) > SURE * change.error
            told = told and change.effective >= factors.FEWEST_EFFECTIVE
            shifts[h].append(
                Moved(fact=name, text=text, shift=change.log, error=change.error, told=told)
            )
    return [
        tuple(sorted((m for m in list_ if math.isfinite(m.shift)), key=lambda m: -abs(m.shift)))[
            :KEPT
        ]
        for list_ in shifts
    ]


def _apart(weighed: Weighed, found: Fit, log_weight: FloatArray) -> tuple[Apart, ...]:
    """Return how far apart each pair of hypotheses is, in evidence and in forecasts."""
    case, numbers, draws = weighed.case, weighed.hypothesis, weighed.draws
    pairs = list(combinations(range(len(case.hypotheses)), 2))
    prior = np.array([h.weight for h in case.hypotheses])
    weight = [normalise(np.where(numbers == h, log_weight, -np.inf)) for h in range(prior.size)]
    tests = max(len(pairs) * len(draws), 1)
    out = []
    for a, b in pairs:
        it = factor(found, prior / prior.sum(), a, against=b)
        few = it.effective < factors.FEWEST_EFFECTIVE
        distances = {q: distance(v, weight[a], weight[b]) for q, v in draws.items()}
        question = max(distances, key=lambda q: distances[q], default=None)
        size = np.maximum(found.effective[[a, b]], 1e-9)
        noise = math.sqrt(0.5 * math.log(2.0 * tests / 0.05) * float((1.0 / size).sum()))
        out.append(
            Apart(
                a=case.hypotheses[a].id,
                b=case.hypotheses[b].id,
                log_factor=it.log,
                error=it.error,
                strength=Strength(grade=Grade.TOO_FEW) if few else strength_of(it.log, it.error),
                question=question,
                distance=0.0 if question is None else distances[question],
                noise=min(noise, 1.0),
            )
        )
    return tuple(out)


def distance(values: FloatArray, a: FloatArray, b: FloatArray) -> float:
    """Return the largest difference of two weighted cumulative distributions, 0 to 1.

    Parameters
    ----------
    values : ndarray, shape (run,)
        May hold infinities.
    a, b : ndarray, shape (run,)
        Weights, each summing to 1.
    """
    order = np.argsort(values, kind="stable")
    gap = np.cumsum(a[order] - b[order])
    last = np.append(values[order][1:] != values[order][:-1], True)
    return float(np.clip(np.abs(gap[last]).max(initial=0.0), 0.0, 1.0))


def _history(case: Case, ensemble: Ensemble) -> tuple[Fit | None, CasebookView | NoCasebookView]:
    """Return how well each hypothesis agrees with the casebook, and what the casebook expects."""
    given = case_features(case)
    if len(case.hypotheses) < 2:
        return None, NoCasebookView.NO_RIVALS
    if "trigger" not in given or "organisation" not in given:
        return None, NoCasebookView.NO_FEATURES
    from foedus.casebook import load_casebook
    from foedus.casebook.design import Features
    from foedus.casebook.outlook import predict

    given.pop("formal_request", None)
    exclude = load_casebook().own_row(case)
    outlook = predict(Features(**given), before=case.start, exclude=exclude)
    asks, troops = outlook.request, outlook.answer_if_asked["troops"]
    view = CasebookView(request=asks, troops_if_asked=troops)
    return agreement((asks.draws, troops.draws), _free(ensemble)), view


def _free(ensemble: Ensemble) -> NDArray[np.int64]:
    """Count yes and no by answer (request, decision if asked) and hypothesis with nothing known.

    Shape (answer, hypothesis, 2). Only runs with unrest somewhere count.
    """
    from foedus.ensemble.work import Task, simulate
    from foedus.weighing.quantities import UNREST_CROWD
    from foedus.world.guidance import Guidance

    plan = replace(ensemble.plan, proposals={"stages": []})
    task = replace(Task.of(ensemble, Guidance()), plan=plan)
    count = len(ensemble.case.hypotheses)
    made = simulate(task, np.arange(FREE_RUNS * count, dtype=np.int64))
    unrest = (made["crowd"] > UNREST_CROWD).any(axis=(1, 2))
    asked = unrest & (made["event_request"] >= 0)
    decided = asked & (made["event_decision"] >= 0)
    table = np.zeros((2, count, 2), dtype=np.int64)
    for h in range(count):
        mine = made["hypothesis"] == h
        for row, (yes, among) in enumerate(((asked, unrest), (decided, asked))):
            table[row, h] = (mine & yes).sum(), (mine & among & ~yes).sum()
    return table


def agreement(expected: tuple[FloatArray, ...], table: NDArray[np.int64]) -> Fit:
    """Return the log-fit of each hypothesis to history; see the docstring of the module.

    Parameters
    ----------
    expected : tuple of ndarray, shape (draw,)
        Draws of the casebook's chance of each answer.
    table : ndarray of int, shape (answer, hypothesis, 2)
        Runs of each hypothesis with the answer yes and no.
    """
    rng = np.random.default_rng(_SEED)
    count = table.shape[1]
    logs, middle = np.zeros((count, _DRAWS)), np.zeros(count)
    for chances, rows in zip(expected, table, strict=True):
        c = rng.choice(chances, _DRAWS)
        for h, (yes, no) in enumerate(rows):
            p = np.clip(rng.beta(yes + 0.5, no + 0.5, _DRAWS), 1e-6, 1.0 - 1e-6)
            logs[h] += c * np.log(p) + (1.0 - c) * np.log1p(-p)
            at = (yes + 0.5) / (yes + no + 1.0)
            middle[h] += chances.mean() * np.log(at) + (1.0 - chances.mean()) * np.log1p(-at)
    spread = logs - logs.mean(axis=1, keepdims=True)
    return Fit(middle, np.zeros((count, 0)), np.full(count, np.inf), spread)
