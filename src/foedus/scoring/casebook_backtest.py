"""The whole-path back-test: every usable row of the casebook, forecast as if it had not ended.

For each row and each of three dates (:data:`~foedus.scoring.skeleton_cases.STAGES`) a skeleton case
is simulated and weighed by what the row codes as known by then. The same generic questions are
asked of all. The simulation is compared with the casebook's own models, with the base rate and with
the pool of simulation and casebook. None of them sees the row itself, nor another row of the same
requester and year.

The primary metric is the mean Brier score over the generic yes-or-no questions as of the trigger
and of the request: the mean over rows of each question, then the mean over questions.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.times import DAYS_PER_MONTH, PartialDate
from foedus.casebook.coded_case import CodedCase, known_before
from foedus.casebook.design import Features
from foedus.casebook.load import load_casebook
from foedus.casebook.outlook import Outlook, predict
from foedus.casebook.rates import size_known, survival_known
from foedus.ensemble.prior_matching import event_day, peak_after
from foedus.errors import InputError
from foedus.scoring.backtest_amounts import FORECASTERS as AMOUNT_FORECASTERS
from foedus.scoring.backtest_amounts import amounts_table, simulated_amounts
from foedus.scoring.discrepancy import PoolWeight, leave_one_out, pool_weight
from foedus.scoring.reliability import Reliability, reliability
from foedus.scoring.skeleton_cases import STAGES, Stage, as_of_date, skeleton
from foedus.scoring_rules import FLOOR, logit_pool, smoothed_share

if TYPE_CHECKING:
    import pandas as pd

    from foedus.ensemble.progress import Progress
    from foedus.weighing.weighed import Weighed

FloatArray = NDArray[np.float64]

#: *Headline* is the pool, widened by the discrepancy that all other crises show.
FORECASTERS = ("headline", "pooled", "simulation", "casebook", "base_rate", "half")
#: The stages before the decision, whose questions enter the primary metric.
PRIMARY: tuple[Stage, ...] = ("trigger", "request")
#: Days after the request within which the call is answered.
ANSWERED = 60
#: Days after the request within which help may land.
LANDED = (3, 7, 30, 60)
#: Soldiers in the first 30 days.
SOLDIERS = (500, 1000, 5000)
#: Days after the landing within which all may have left.
GONE = (30, 90, 180)
#: Least numbers of dead that are asked about, and days from the trigger in which they are counted.
DEAD, DEAD_DAYS = (100, 1000), 60
#: Cases that the share over all triggers counts for in the share of one trigger; elicited.
SHRINK = 2.0
#: Draws of cases for the standard errors.
DRAWS = 2000


@dataclass(frozen=True, kw_only=True)
class Steps:
    """When the steps of a crisis happened, in days; a row is a run, or a sample of the casebook.

    Attributes
    ----------
    asked : ndarray, shape (run,)
        Days from the as-of date (negative before it) to the request; inf if never.
    troops, limited, refused : ndarray of bool, shape (run,)
        The answer within :data:`ANSWERED` days of the request; none of them is silence.
    landed : ndarray, shape (run,)
        Days from request to first arrival; inf if never.
    soldiers : ndarray, shape (run,)
        Peak of the first 30 days after the arrival; 0 where none came.
    stay : ndarray, shape (run,)
        Days from first arrival to the last departure; inf if later than simulated.
    dead : ndarray, shape (run,)
        People who died within :data:`DEAD_DAYS` days of the trigger.
    in_power : ndarray of bool, shape (run,)
        90 days after the request, or after the trigger where nobody asked.
    weight : ndarray, shape (run,)
        Sums to 1.
    """

    asked: FloatArray
    troops: NDArray[np.bool_]
    limited: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    landed: FloatArray
    soldiers: FloatArray
    stay: FloatArray
    dead: FloatArray
    in_power: NDArray[np.bool_]
    weight: FloatArray

    def share(self, happened: NDArray[np.bool_], given: NDArray[np.bool_] | None = None) -> float:
        """Return the weighted share of the runs, of those ``given``; NaN where there is none."""
        weight = self.weight if given is None else self.weight * given
        total = float(weight.sum())
        return float((weight * happened).sum()) / total if total > 0 else math.nan


@dataclass(frozen=True, kw_only=True)
class Generic:
    """A generic yes-or-no question.

    Attributes
    ----------
    id, text : str
    stages : tuple of str
        Stages at which it is open.
    forecast : callable
        The probability, from the steps of many runs.
    outcome : callable
        What came, from a coded row; None where the row does not tell or the condition failed.
    known : callable
        The day from which that was known.
    lands_within : int or None
        Days after the request, where the question is whether help lands by then.
    expressed : callable
        Whether the simulated world has what the question asks in a crisis of the row's trigger;
        where it has not, the pool is the casebook alone.
    """

    id: str
    text: str
    stages: tuple[Stage, ...]
    forecast: Callable[[Steps], float]
    outcome: Callable[[CodedCase], bool | None]
    known: Callable[[CodedCase], dt.date]
    lands_within: int | None = None
    expressed: Callable[[CodedCase], bool] = lambda row: True


def _within(low: float, high: float, limit: float) -> bool | None:
    """Tell whether a number known to lie in [low, high] is at most ``limit``; None if it may."""
    if high <= limit:
        return True
    return False if low > limit else None


def _gap(first: PartialDate | None, second: PartialDate | None) -> tuple[float, float] | None:
    """Return the least and the most days between two dates."""
    if first is None or second is None:
        return None
    low = (second.earliest() - first.latest()).days
    return float(max(0, low)), float(max(0, (second.latest() - first.earliest()).days))


def _asked(row: CodedCase) -> bool | None:
    if row.value("formal_request") is False:
        return False
    gap = _gap(row.date("date_trigger"), row.date("date_request"))
    return None if gap is None else _within(*gap, 30)


def _answer(name: str) -> Callable[[CodedCase], bool | None]:
    def outcome(row: CodedCase) -> bool | None:
        if row.answer is None:
            return None
        decision = row.date("date_decision") or row.date("date_first_arrival")
        gap = _gap(row.date("date_request"), decision)
        in_time = True if gap is None else _within(*gap, ANSWERED)
        if in_time is None:
            return None
        return (row.answer if in_time else "none") == name

    return outcome


def _granted(row: CodedCase) -> bool:
    return row.answer in ("troops", "limited")


def _days_after(field: str, days: int) -> Callable[[CodedCase], dt.date]:
    """Return the last day of a window that a date opens; where it is not coded, of the answer."""

    def known(row: CodedCase) -> dt.date:
        date = row.date(field)
        return row.known() if date is None else date.latest() + dt.timedelta(days=days)

    return known


def _landing_known(row: CodedCase) -> dt.date:
    arrival = row.date("date_first_arrival")
    return row.known() if arrival is None else max(row.known(), arrival.latest())


def _landed(days: int) -> Callable[[CodedCase], bool | None]:
    def outcome(row: CodedCase) -> bool | None:
        if row.answer is None:
            return None
        if not _granted(row):
            return False
        gap = _gap(row.date("date_request"), row.date("date_first_arrival"))
        return None if gap is None else _within(*gap, days)

    return outcome


def _soldiers(count: int) -> Callable[[CodedCase], bool | None]:
    def outcome(row: CodedCase) -> bool | None:
        if row.answer != "troops":
            return None if row.answer is None else False
        peak = row.value("troops_peak_30d")
        return None if peak is None else bool(peak >= count)

    return outcome


def _gone(days: int) -> Callable[[CodedCase], bool | None]:
    def outcome(row: CodedCase) -> bool | None:
        if not _granted(row):
            return None
        arrival, still = row.date("date_first_arrival"), row.date("still_there_on")
        gap = _gap(arrival, row.date("date_withdrawal_end"))
        if gap is not None:
            return _within(*gap, days)
        seen = _gap(arrival, still)
        return False if seen is not None and seen[0] > days else None

    return outcome


def _dead(count: int) -> Callable[[CodedCase], bool | None]:
    def outcome(row: CodedCase) -> bool | None:
        value: bool | None = row.value(f"at_least_{count}_dead_60d")
        return value

    return outcome


def _in_power(row: CodedCase) -> bool | None:
    value: bool | None = row.value("requester_in_power_90d")
    return value


def _says_landed(days: int) -> Callable[[Steps], float]:
    return lambda steps: steps.share(steps.landed < days + 1)


def _says_soldiers(count: int) -> Callable[[Steps], float]:
    return lambda steps: steps.share(steps.soldiers >= count)


def _says_dead(count: int) -> Callable[[Steps], float]:
    return lambda steps: steps.share(steps.dead >= count)


def _says_gone(days: int) -> Callable[[Steps], float]:
    return lambda steps: steps.share(steps.stay <= days, np.isfinite(steps.landed))


_ASKED = Generic(
    id="asked",
    text="Does the government ask within 30 days of the trigger?",
    stages=("trigger",),
    forecast=lambda s: s.share(s.asked <= 30),
    outcome=_asked,
    known=_days_after("date_trigger", 30),
)
_DEAD = {
    count: Generic(
        id=f"dead-{count}",
        text=f"Do {count:,} people or more die within {DEAD_DAYS} days of the trigger?",
        stages=PRIMARY,
        forecast=_says_dead(count),
        outcome=_dead(count),
        known=_days_after("date_trigger", DEAD_DAYS),
        # Nobody dies in the simulated world but in the streets.
        expressed=lambda row: row.trigger == "domestic_protest",
    )
    for count in DEAD
}
QUESTIONS: tuple[Generic, ...] = (
    _ASKED,
    Generic(
        id="troops",
        text="Is the answer troops, within 60 days of the request?",
        stages=PRIMARY,
        forecast=lambda s: s.share(s.troops),
        outcome=_answer("troops"),
        known=CodedCase.known,
    ),
    Generic(
        id="limited",
        text="Is the answer limited help?",
        stages=PRIMARY,
        forecast=lambda s: s.share(s.limited),
        outcome=_answer("limited"),
        known=CodedCase.known,
        expressed=lambda row: False,
    ),
    Generic(
        id="refused",
        text="Is the answer a refusal?",
        stages=PRIMARY,
        forecast=lambda s: s.share(s.refused),
        outcome=_answer("refused"),
        known=CodedCase.known,
    ),
    Generic(
        id="none",
        text="Is there no answer, or no request?",
        stages=PRIMARY,
        forecast=lambda s: s.share(~(s.troops | s.limited | s.refused)),
        outcome=_answer("none"),
        known=CodedCase.known,
    ),
    *(
        Generic(
            id=f"landed-{days}",
            text=f"Does the first unit land within {days} days of the request?",
            stages=STAGES,
            forecast=_says_landed(days),
            outcome=_landed(days),
            known=_landing_known,
            lands_within=days,
        )
        for days in LANDED
    ),
    *(
        Generic(
            id=f"soldiers-{count}",
            text=f"Are there {count:,} soldiers or more in the first 30 days?",
            stages=STAGES,
            forecast=_says_soldiers(count),
            outcome=_soldiers(count),
            known=size_known,
        )
        for count in SOLDIERS
    ),
    *(
        Generic(
            id=f"gone-{days}",
            text=f"If help lands: has the last unit left within {days} days?",
            stages=STAGES,
            forecast=_says_gone(days),
            outcome=_gone(days),
            known=_days_after("date_first_arrival", days),
        )
        for days in GONE
    ),
    Generic(
        id="in-power",
        text="Is the government in power after 90 days?",
        stages=STAGES,
        forecast=lambda s: s.share(s.in_power),
        outcome=_in_power,
        known=survival_known,
    ),
    *_DEAD.values(),
)


def open_questions(row: CodedCase, stage: Stage) -> tuple[Generic, ...]:
    """Return the questions that are open for a row at a stage: not yet settled, nor past."""
    date = as_of_date(row, stage)
    if date is None:
        return ()
    asked = row.date("date_request")
    arrival = row.date("date_first_arrival")
    there = arrival is not None and arrival.earliest() <= date
    trigger = as_of_date(row, "trigger")
    counted = trigger is not None and (date - trigger).days >= DEAD_DAYS
    out = []
    for question in QUESTIONS:
        if stage not in question.stages:
            continue
        if question.lands_within is not None and stage == "decision":
            past = asked is None or (date - asked.latest()).days >= question.lands_within
            if past or there:
                continue
        if question in _DEAD.values() and counted:
            continue
        out.append(question)
    return tuple(out)


def steps_of_runs(weighed: Weighed, date: dt.date) -> Steps:
    """Read the steps of a skeleton's runs, with the weights of what was known."""
    from foedus.weighing.quantities import series, variables

    data = weighed.dataset
    now = weighed.frame.day(date)
    last = weighed.frame.horizon - 1

    asked, decided, refused, arrived, left = (
        event_day(data, event)
        for event in ("request", "decision", "refusal", "first_arrival", "withdrawal_end")
    )
    with np.errstate(invalid="ignore"):
        answered = decided - asked <= ANSWERED
        troops = answered & np.isfinite(arrived)
        refusal = (refused - asked <= ANSWERED) & ~troops
        landed = np.where(np.isfinite(asked), arrived - asked, np.inf)
        stay = np.where(np.isfinite(arrived), left - arrived, np.inf)
    from_day = np.where(np.isfinite(asked), asked, 0.0)
    office = np.minimum(from_day + 90, last).astype(np.intp)
    in_office = data["in_office"].to_numpy()
    block = {name: data[name].to_numpy() for name in variables("deaths_total")}
    dead = series(block, weighed.frame, "deaths_total")
    return Steps(
        asked=asked - now,
        troops=troops,
        limited=np.zeros_like(troops),
        refused=refusal,
        landed=landed,
        soldiers=peak_after(data, arrived),
        stay=stay,
        dead=dead[:, min(DEAD_DAYS, last)],
        in_power=np.take_along_axis(in_office, office[:, None], axis=1)[:, 0].astype(np.bool_),
        weight=weighed.weights.weight,
    )


def steps_of_history(
    outlook: Outlook,
    *,
    asked_within_30: float,
    dead: Mapping[int, float],
    elapsed: float = 0.0,
    granted: bool | None = None,
) -> dict[str, float]:
    """Return what the casebook's models say of each generic question.

    Parameters
    ----------
    outlook : Outlook
        With ``features.formal_request`` true where the request is known.
    asked_within_30 : float
        Share of the requests after such a trigger that came within 30 days.
    dead : mapping
        Number of :data:`DEAD` → share of the crises with such a trigger in which so many died.
    elapsed : float
        Days since the request in which nothing has landed.
    granted : bool, optional
        The answer, where it is known.
    """
    known = outlook.features.formal_request is True
    ask = 1.0 if known else outlook.request.mean
    answer: dict[str, float] = {a: c.mean for a, c in outlook.answer_if_asked.items()}
    if granted is not None:
        total = answer["troops"] + answer["limited"]
        answer = {
            "troops": answer["troops"] / total if granted else 0.0,
            "limited": answer["limited"] / total if granted else 0.0,
            "refused": 0.0 if granted else 1.0,
            "none": 0.0,
        }
    come = ask * (answer["troops"] + answer["limited"])
    days, soldiers = outlook.arrival_days, outlook.soldiers
    late = days[days >= elapsed]
    stay = outlook.months * DAYS_PER_MONTH
    overall = {name: ask * p for name, p in answer.items()}
    overall["none"] += 1.0 - ask
    survival: dict[str, float] = {a: c.mean for a, c in outlook.in_power_by_answer.items()}
    said: dict[str, float] = {
        "asked": ask * asked_within_30,
        **overall,
        "in-power": sum(overall[name] * survival[name] for name in overall),
    }
    for n in LANDED:
        said[f"landed-{n}"] = come * (float((late < n + 1).mean()) if late.size else 0.0)
    for n in SOLDIERS:
        said[f"soldiers-{n}"] = overall["troops"] * float((soldiers >= n).mean())
    for n in GONE:
        said[f"gone-{n}"] = float((stay <= n).mean())
    for n in DEAD:
        said[f"dead-{n}"] = dead[n]
    return said


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One row, to be simulated at all its stages; plain data for a worker process."""

    row: str
    runs: int
    seed: int
    rolling: bool
    file: str


def _simulate(job: _Job) -> None:
    """Simulate a row at its stages and write what the runs say of its questions to a file.

    The prior is the same at all stages. The runs as of the trigger, where nothing is known, are
    therefore the pilot of them all.
    """
    from foedus.ensemble.prior_matching import PILOT, match
    from foedus.ensemble.runner import run
    from foedus.weighing.weighed import weigh
    from foedus.world.engine import registry
    from foedus.world.priors import casebook_priors

    row = load_casebook()[job.row]
    found, tilt = [], None
    for stage in STAGES:
        case, date = skeleton(row, stage), as_of_date(row, stage)
        if case is None or date is None:
            continue
        if not job.rolling:
            priors = casebook_priors(case, registry(case), later_rows=True)
            case = case.model_copy(update={"priors": priors})
        with tempfile.TemporaryDirectory(prefix="foedus-backtest-") as folder:
            out = Path(folder) / "runs.zarr"
            if stage == "trigger":
                size = max(job.runs, PILOT)
                pilot = run(case, as_of=case.as_of, runs=size, seed=job.seed, workers=1, out=out)
                tilt = match(case, later_rows=not job.rolling, pilot=pilot)
                weighed = weigh(case, ensemble=pilot, tilt=tilt)
            else:
                weighed = weigh(case, tilt=tilt, runs=job.runs, seed=job.seed, workers=1, out=out)
            steps = steps_of_runs(weighed, date)
        said = {q.id: q.forecast(steps) for q in open_questions(row, stage)}
        found.append(
            {
                "row": job.row,
                "stage": stage,
                "effective": float(weighed.weights.ess),
                "simulation": {name: None if math.isnan(p) else p for name, p in said.items()},
                "amounts": simulated_amounts(steps),
            }
        )
    target = Path(job.file)
    partial = target.with_suffix(f".{os.getpid()}.part")
    partial.write_text(json.dumps(found), encoding="utf-8")
    partial.replace(target)


def simulate(
    rows: Sequence[CodedCase],
    folder: Path,
    *,
    runs: int,
    seed: int = 1,
    workers: int | None = None,
    rolling: bool = False,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Simulate rows at all their stages; what a folder holds already is not made again.

    Parameters
    ----------
    rows : sequence of CodedCase
    folder : path
        One small file for each row.
    runs, seed, workers
        As of :func:`foedus.run`; as of the trigger at least those of a pilot
        (:mod:`foedus.ensemble.prior_matching`) are made.
    rolling : bool
        Priors from what was known before each case began, instead of from all other rows.
    progress : Progress, optional
        Counts rows.

    Returns
    -------
    list of dict
        ``row``, ``stage``, ``effective``, ``simulation`` (probability by question) and
        ``amounts`` (quantiles by amount).
    """
    from foedus.ensemble.plan import package_hash
    from foedus.ensemble.pool import spread
    from foedus.ensemble.progress import Silent

    # Whatever a forecast depends on: the code, and all rows, which give the priors.
    coded = "".join(row.model_dump_json() for row in load_casebook())
    content = json.dumps([package_hash(), coded, runs, seed, rolling])
    place = folder / hashlib.sha256(content.encode()).hexdigest()[:12]
    place.mkdir(parents=True, exist_ok=True)
    jobs = [
        _Job(
            row=row.id,
            runs=runs,
            seed=seed,
            rolling=rolling,
            file=str(place / f"{row.id}.json"),
        )
        for row in rows
    ]
    missing = [job for job in jobs if not Path(job.file).exists()]
    processes = workers or os.cpu_count() or 1
    tell = progress or Silent()
    tell.start(len(jobs), len(jobs) - len(missing))
    try:
        spread(_simulate, missing, processes, lambda _: tell.advance(1))
    finally:
        tell.stop()
    texts = [Path(job.file).read_text(encoding="utf-8") for job in jobs]
    return [one for text in texts for one in json.loads(text)]


def table(
    found: Iterable[Mapping[str, Any]], rows: Sequence[CodedCase], *, rolling: bool = False
) -> pd.DataFrame:
    """Return one line a forecast: what each forecaster said, and what came.

    Returns
    -------
    DataFrame
        Columns ``row``, ``cluster`` (requester and year), ``stage``, ``question``, ``outcome``,
        ``effective`` and a probability a forecaster, see :data:`FORECASTERS`. Where the runs say
        nothing of a question the simulation is taken to say 50%.
    """
    import pandas as pd

    by_id = {row.id: row for row in rows}
    lines = []
    for one in found:
        row, stage = by_id[one["row"]], one["stage"]
        others = [c for c in rows if c.key != row.key]
        before = row.start() if rolling else None
        history = _history(row, stage, others, before=before)
        for question in open_questions(row, stage):
            outcome = question.outcome(row)
            if outcome is None:
                continue
            simulated = one["simulation"].get(question.id)
            simulated = 0.5 if simulated is None else simulated
            said = history[question.id]
            coded = _past(
                question, [c for c in others if as_of_date(c, stage) is not None], before=before
            )
            lines.append(
                {
                    "row": row.id,
                    "cluster": f"{row.key[0]} {row.key[1]}",
                    "stage": stage,
                    "question": question.id,
                    "outcome": outcome,
                    "effective": one["effective"],
                    "simulation": simulated,
                    "casebook": said,
                    "base_rate": smoothed_share(coded),
                    "pooled": logit_pool(simulated, said) if question.expressed(row) else said,
                    "half": 0.5,
                }
            )
    out = pd.DataFrame(lines)
    return out.assign(headline=leave_one_out(out, "pooled")) if lines else out


def _past(question: Generic, rows: Sequence[CodedCase], *, before: dt.date | None) -> list[bool]:
    """Return what came in other rows, as far as it was known before a day."""
    return [
        came
        for row in rows
        if known_before(question.known(row), before) and (came := question.outcome(row)) is not None
    ]


def _history(
    row: CodedCase, stage: Stage, others: Sequence[CodedCase], *, before: dt.date | None
) -> dict[str, float]:
    """Return what the casebook's models say of a row, without it."""
    outlook, elapsed = _outlook(row, stage, before=before)
    askers = [c for c in others if c.value("formal_request") is not False]
    granted = None
    if stage == "decision":
        granted = row.outcome in ("granted_troops", "granted_limited", "pledged_not_deployed")
    return steps_of_history(
        outlook,
        asked_within_30=_by_trigger(_ASKED, row, askers, before=before),
        dead={n: _by_trigger(_DEAD[n], row, others, before=before) for n in DEAD},
        elapsed=elapsed,
        granted=granted,
    )


def _outlook(row: CodedCase, stage: Stage, *, before: dt.date | None) -> tuple[Outlook, float]:
    """Return the models' outlook of a row without it, and the days since its request."""
    date = as_of_date(row, stage)
    asked = row.date("date_request")
    known = asked is not None and date is not None and asked.latest() <= date
    features = replace(Features.of(row), formal_request=True if known else None)
    if stage == "decision":
        features = replace(features, mission_kind=row.value("mission_kind"))
    else:
        # A power opposes help that is being discussed: not coded as of these dates.
        features = replace(features, rival=None)
    outlook = predict(features, before=before, exclude=row.key)
    elapsed = 0.0
    if stage == "decision" and asked is not None and date is not None:
        elapsed = float(max(0, (date - asked.latest()).days))
    return outlook, elapsed


def _by_trigger(
    question: Generic, row: CodedCase, others: Sequence[CodedCase], *, before: dt.date | None
) -> float:
    """Return how often a question of which no model speaks was a yes after the row's trigger.

    The share is drawn towards that after all triggers as by :data:`SHRINK` crises.
    """
    same = [c for c in others if c.trigger == row.trigger]
    came = _past(question, same, before=before)
    overall = smoothed_share(_past(question, others, before=before))
    return (sum(came) + SHRINK * overall) / (len(came) + SHRINK)


@dataclass(frozen=True, kw_only=True)
class BackTest:
    """A back-test with its scores.

    Attributes
    ----------
    forecasts : DataFrame
        See :func:`table`.
    amounts : DataFrame
        See :func:`~foedus.scoring.backtest_amounts.amounts_table`.
    runs, seed : int
    rolling : bool
    """

    forecasts: pd.DataFrame
    amounts: pd.DataFrame
    runs: int
    seed: int
    rolling: bool

    def brier(self, stages: Sequence[Stage] = STAGES) -> pd.DataFrame:
        """Return the mean Brier score by stage and question, and the number of rows ``n``."""
        frame = self._squared(stages)
        grouped = frame.groupby(["stage", "question"], sort=False)
        out = grouped[list(FORECASTERS)].mean()
        out.insert(0, "n", grouped.size())
        return out

    def primary(self) -> dict[str, float]:
        """Return the primary metric of each forecaster."""
        means = self.brier(PRIMARY)[list(FORECASTERS)].mean()
        return {name: float(means[name]) for name in FORECASTERS}

    def differences(self) -> dict[str, tuple[float, float]]:
        """Return base rate minus forecaster in the primary metric, with its standard error.

        Positive is better than the base rate. The error is that over bootstrap samples of the
        cases, all forecasts of a requester and year together.
        """
        frame = self._squared(PRIMARY)
        cells = frame.groupby(["stage", "question"], sort=False).ngroup().to_numpy()
        clusters, of = np.unique(frame["cluster"].to_numpy(), return_inverse=True)
        gain = {
            name: (frame["base_rate"] - frame[name]).to_numpy()
            for name in FORECASTERS
            if name != "base_rate"
        }
        size = int(cells.max()) + 1
        random = np.random.default_rng(self.seed)
        counts = random.multinomial(clusters.size, np.full(clusters.size, 1 / clusters.size), DRAWS)
        in_cell = np.zeros((clusters.size, size))
        np.add.at(in_cell, (of, cells), 1.0)
        out = {}
        for name, values in gain.items():
            sums = np.zeros((clusters.size, size))
            np.add.at(sums, (of, cells), values)
            with np.errstate(invalid="ignore"):
                drawn = np.nanmean((counts @ sums) / (counts @ in_cell), axis=1)
            mean = float(np.mean(sums.sum(0) / in_cell.sum(0)))
            out[name] = (mean, float(drawn.std(ddof=1)))
        return out

    def log_score(self) -> dict[str, float]:
        """Return minus the mean log of the probability of what came: over rows, then questions."""
        frame = self._primary()
        came = frame["outcome"].to_numpy(bool)
        cells = [frame["stage"], frame["question"]]
        out = {}
        for name in FORECASTERS:
            p = np.clip(frame[name].to_numpy(np.float64), FLOOR, 1.0 - FLOOR)
            loss = -np.log(np.where(came, p, 1.0 - p))
            out[name] = float(frame.assign(loss=loss)["loss"].groupby(cells).mean().mean())
        return out

    def in_order(self) -> dict[str, float]:
        """Return how often, of two rows of which one came, that one had the higher probability.

        Both rows are of the same question and stage; one half is no skill. The base rate leaves the
        row out, so it is always a little lower for a row that came: its figure says nothing.
        """
        wins, pairs = dict.fromkeys(FORECASTERS, 0.0), 0
        for _, cell in self._primary().groupby(["stage", "question"], sort=False):
            came = cell["outcome"].to_numpy(bool)
            pairs += int(came.sum()) * int((~came).sum())
            for name in FORECASTERS:
                p = cell[name].to_numpy(np.float64)
                gap = p[came][:, None] - p[~came][None, :]
                wins[name] += float((gap > 0).sum() + 0.5 * (gap == 0).sum())
        return {name: wins[name] / pairs if pairs else math.nan for name in FORECASTERS}

    def pool_weight(self) -> PoolWeight:
        """Return the weight of history that is best for the primary metric."""
        return pool_weight(self._primary())

    def reliability(self, forecaster: str) -> Reliability:
        """Return the calibration of a forecaster over the primary questions, by crises."""
        frame = self._primary()
        said, came = frame[forecaster].to_numpy(np.float64), frame["outcome"].to_numpy(bool)
        return reliability(said, came, list(frame["cluster"]))

    def crps(self) -> pd.DataFrame:
        """Return the mean CRPS by stage and amount, and the number of rows ``n``.

        All forecasters are scored on the rows of which the runs speak.
        """
        spoken = self.amounts.dropna(subset=["simulation"])
        grouped = spoken.groupby(["stage", "amount"], sort=False)
        out = grouped[list(AMOUNT_FORECASTERS)].mean()
        out.insert(0, "n", grouped.size())
        return out

    def unlikely(self, forecaster: str, below: float = 0.1) -> tuple[int, float]:
        """Return how many primary forecasts were below a probability, and the share that came."""
        frame = self._primary()
        low = frame[frame[forecaster] < below]
        return len(low), float(low["outcome"].mean()) if len(low) else math.nan

    def _primary(self) -> pd.DataFrame:
        return self.forecasts[self.forecasts["stage"].isin(PRIMARY)]

    def _squared(self, stages: Sequence[Stage]) -> pd.DataFrame:
        frame = self.forecasts[self.forecasts["stage"].isin(stages)].copy()
        came = frame["outcome"].astype(float)
        for name in FORECASTERS:
            frame[name] = (frame[name] - came) ** 2
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values for JSON; ``primary`` comes first."""
        brier = self.brier().reset_index()
        return {
            "primary": {name: round(value, 4) for name, value in self.primary().items()},
            "better_than_base_rate": {
                name: {"mean": round(mean, 4), "error": round(error, 4)}
                for name, (mean, error) in self.differences().items()
            },
            "log_score": {name: round(v, 4) for name, v in self.log_score().items()},
            "pool_weight": {k: round(v, 4) for k, v in asdict(self.pool_weight()).items()},
            "in_order": {name: round(v, 4) for name, v in self.in_order().items()},
            "crps": [
                {
                    "stage": line["stage"],
                    "amount": line["amount"],
                    "n": int(line["n"]),
                    **{name: round(float(line[name]), 4) for name in AMOUNT_FORECASTERS},
                }
                for line in self.crps().reset_index().to_dict("records")
            ],
            "rows": int(self.forecasts["row"].nunique()),
            "forecasts": len(self.forecasts),
            "runs": self.runs,
            "seed": self.seed,
            "rolling": self.rolling,
            "questions": [
                {
                    "stage": line["stage"],
                    "question": line["question"],
                    "n": int(line["n"]),
                    **{name: round(float(line[name]), 4) for name in FORECASTERS},
                }
                for line in brier.to_dict("records")
            ],
        }


def backtest(
    *,
    runs: int = 200,
    seed: int = 1,
    workers: int | None = None,
    rolling: bool = False,
    only: Sequence[str] = (),
    folder: str | Path = "results/backtest",
    progress: Progress | None = None,
) -> BackTest:
    """Forecast every usable row of the casebook through the whole path, and score it.

    Parameters
    ----------
    runs : int
        Of each row and stage.
    seed : int
    workers : int, optional
        Processes; one for each processor if absent.
    rolling : bool
        Let each row see only what was known before it began, instead of all other rows.
    only : sequence of str
        Ids of the rows to forecast; all usable ones if empty.
    folder : path
        Where finished rows are kept, so that an interrupted back-test goes on where it stopped.
    progress : Progress, optional

    Raises
    ------
    InputError
        If a row is unknown or not usable.
    """
    usable = [row for row in load_casebook() if row.usable]
    ids = [row.id for row in usable]
    for name in only:
        if name not in ids:
            raise InputError(f"no usable row {name!r} in the casebook; see `foedus casebook list`")
    chosen = [row for row in usable if not only or row.id in only]
    found = simulate(
        chosen,
        Path(folder),
        runs=runs,
        seed=seed,
        workers=workers,
        rolling=rolling,
        progress=progress,
    )
    return BackTest(
        forecasts=table(found, usable, rolling=rolling),
        amounts=amounts_table(
            found,
            usable,
            lambda row, stage: _outlook(row, stage, before=row.start() if rolling else None),
            rolling=rolling,
        ),
        runs=runs,
        seed=seed,
        rolling=rolling,
    )
