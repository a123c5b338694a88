"""Scores of predicted cases, and of the baselines that a forecaster must beat.

The log score is minus the log of the probability of what happened. The Brier score is the squared
error, summed over the classes if there are more than two. The CRPS is on the log scale of the
quantity. Lower is better for all.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foedus.casebook.coded_case import ANSWERS, CodedCase, Exclude, known_before
from foedus.casebook.design import Features, Floats
from foedus.casebook.fits import Fits
from foedus.casebook.load import load_casebook
from foedus.casebook.outlook import Outlook, predict
from foedus.casebook.rates import size_known, survival_known
from foedus.casebook.table import read_table
from foedus.errors import InputError, Problem
from foedus.scoring_rules import brier, smoothed_share

Probabilities = dict[str, float]
FORECASTS = ("model", "base rate", "organisation's rate", "always refuse")
#: Probability that "always refuse" gives each other answer, so that its log score is finite.
_DOUBT = 0.02


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One predicted case and its scores.

    Attributes
    ----------
    case : CodedCase
    outlook : Outlook
    probabilities : dict
        Forecast → question → class → probability; see `FORECASTS`.
    happened : dict
        Question → what happened, for questions with a known outcome.
    crps : dict
        Quantity → forecast → CRPS.
    flags : tuple of str
    """

    case: CodedCase
    outlook: Outlook
    probabilities: dict[str, dict[str, Probabilities]]
    happened: dict[str, str]
    crps: dict[str, dict[str, float]]
    flags: tuple[str, ...]

    def log_score(self, forecast: str, question: str) -> float:
        """Return minus the log of the probability of what happened."""
        p = self.probabilities[forecast][question][self.happened[question]]
        return -math.log(max(p, 1e-6))

    def brier(self, forecast: str, question: str) -> float:
        """Return the Brier score; for two classes, that of one probability."""
        p = self.probabilities[forecast][question]
        truth = self.happened[question]
        if len(p) == 2:
            return brier(p["yes"], truth == "yes")
        return sum((v - (k == truth)) ** 2 for k, v in p.items())


def outcomes(case: CodedCase) -> dict[str, str]:
    """Return the known outcomes of a case by question."""
    found: dict[str, str] = {}
    if case.answer is not None:
        found["answer"] = case.answer
        found["troops"] = "yes" if case.answer == "troops" else "no"
    for question, field in (
        ("request", "formal_request"),
        ("in_power", "requester_in_power_90d"),
    ):
        value = case.value(field)
        if value is not None:
            found[question] = "yes" if value else "no"
    return found


def quantities(case: CodedCase) -> dict[str, float]:
    """Return the known quantities of a granted case, on the log scale on which they are scored."""
    found: dict[str, float] = {}
    if case.answer in ("troops", "limited"):
        if case.days_to_arrival is not None:
            # Days are whole; the models' day 0 is the first 24 hours.
            found["arrival"] = math.log(case.days_to_arrival + 0.5)
        if case.months_to_withdrawal is not None:
            found["duration"] = math.log(max(0.1, case.months_to_withdrawal))
    if case.answer == "troops" and case.value("troops_peak_30d"):
        found["size"] = math.log10(case.value("troops_peak_30d"))
    return found


def score_case(
    case: CodedCase,
    history: Sequence[CodedCase],
    *,
    before: dt.date | None = None,
    exclude: Exclude | None = None,
    fits: Fits | None = None,
    flags: tuple[str, ...] = (),
) -> Scored:
    """Predict a case as if its outcome were unknown; score the model and the baselines."""
    outlook = predict(Features.of(case), before=before, exclude=exclude, fits=fits)
    return score_outlook(case, outlook, history, before=before, exclude=exclude, flags=flags)


def score_outlook(
    case: CodedCase,
    outlook: Outlook,
    history: Sequence[CodedCase],
    *,
    before: dt.date | None = None,
    exclude: Exclude | None = None,
    flags: tuple[str, ...] = (),
) -> Scored:
    """Score a given outlook, and baselines from the history."""
    past = [c for c in history if c.usable and not c.excluded(exclude)]
    probabilities = _baselines(case, past, before)
    answer: Probabilities = {str(k): c.mean for k, c in outlook.answer.items()}
    probabilities["model"] = {
        "answer": answer,
        "troops": _yes(answer["troops"]),
        "request": _yes(outlook.request.mean),
        "in_power": _yes(outlook.in_power.mean),
    }
    samples = {
        "arrival": np.log(outlook.arrival_days),
        "size": np.log10(outlook.soldiers),
        "duration": np.log(outlook.months),
    }
    crps: dict[str, dict[str, float]] = {}
    for name, value in quantities(case).items():
        crps[name] = {"model": crps_sample(samples[name], value)}
        for label, cases in (
            ("base rate", past),
            ("organisation's rate", [c for c in past if c.organisation == case.organisation]),
        ):
            seen = _past_quantities(name, cases, before) or _past_quantities(name, past, before)
            if seen:
                crps[name][label] = crps_sample(np.array(seen), value)
    return Scored(
        case=case,
        outlook=outlook,
        probabilities=probabilities,
        happened=outcomes(case),
        crps=crps,
        flags=flags,
    )


def _yes(p: float) -> Probabilities:
    return {"yes": p, "no": 1 - p}


def _baselines(
    case: CodedCase, past: Sequence[CodedCase], before: dt.date | None
) -> dict[str, dict[str, Probabilities]]:
    """Return the baselines: smoothed shares over cases in which the request was the same."""

    def known(day: Callable[[CodedCase], dt.date | None]) -> list[CodedCase]:
        return [c for c in past if known_before(day(c), before)]

    answered, survived = known(CodedCase.known), known(survival_known)
    request = case.value("formal_request")
    out: dict[str, dict[str, Probabilities]] = {}
    for label, same in (
        ("base rate", lambda c: True),
        ("organisation's rate", lambda c: c.organisation == case.organisation),
    ):
        asked = [c for c in answered if same(c)]
        same_request = [c for c in asked if request is None or c.value("formal_request") is request]
        answer = _shares([c.answer for c in same_request if c.answer], ANSWERS)
        out[label] = {
            "answer": answer,
            "troops": _rate(c.answer == "troops" for c in same_request if c.answer),
            "request": _rate(v for c in asked if (v := c.value("formal_request")) is not None),
            "in_power": _rate(
                v
                for c in survived
                if same(c) and (v := c.value("requester_in_power_90d")) is not None
            ),
        }
    refuse: Probabilities = {
        str(a): (1 - 3 * _DOUBT if a == "refused" else _DOUBT) for a in ANSWERS
    }
    out["always refuse"] = {
        "answer": refuse,
        "troops": _yes(_DOUBT),
        "request": out["base rate"]["request"],
        "in_power": out["base rate"]["in_power"],
    }
    return out


def _shares(values: Iterable[str], classes: Sequence[str]) -> Probabilities:
    seen = list(values)
    total = len(seen) + 0.5 * len(classes)
    return {k: (seen.count(k) + 0.5) / total for k in classes}


def _rate(values: Iterable[bool]) -> Probabilities:
    return _yes(smoothed_share(list(values)))


def _past_quantities(name: str, cases: Sequence[CodedCase], before: dt.date | None) -> list[float]:
    found = []
    for c in cases:
        value = quantities(c).get(name)
        if value is None:
            continue
        if name == "duration":
            end = c.date("date_withdrawal_end")
            day = end.latest() if end is not None else None
        else:
            day = size_known(c) if name == "size" else c.known()
        if known_before(day, before):
            found.append(value)
    return found


def crps_sample(samples: Floats, value: float) -> float:
    """Return the CRPS of an empirical distribution (Gneiting and Raftery 2007, eq. 21).

    Parameters
    ----------
    samples : ndarray, shape (S,)
    value : float

    Notes
    -----
    doi 10.1198/016214506000001437. The mean absolute difference of two draws is computed from
    the sorted sample, in O(S log S).
    """
    x = np.sort(np.asarray(samples, dtype=float))
    n = x.size
    spread = 2 * float(np.sum((2 * np.arange(1, n + 1) - n - 1) * x)) / n**2
    return float(np.abs(x - value).mean()) - spread / 2


@dataclass(frozen=True, kw_only=True)
class Total:
    """Mean scores of a forecast on a question.

    Attributes
    ----------
    question, forecast, score : str
        Score is ``log``, ``brier`` or ``crps``.
    n : int
    mean : float
    better : float or None
        Mean score of the base rate minus that of this forecast: positive is better.
    error : float or None
        Standard error of that difference over the cases.
    """

    question: str
    forecast: str
    score: str
    n: int
    mean: float
    better: float | None
    error: float | None


def totals(scored: Sequence[Scored]) -> list[Total]:
    """Return the mean scores of every forecast on every question, compared with the base rate."""
    out = []
    for question in ("request", "answer", "troops", "in_power"):
        rows = [s for s in scored if question in s.happened]
        for score in ("log", "brier"):
            table = {
                f: np.array(
                    [
                        s.log_score(f, question) if score == "log" else s.brier(f, question)
                        for s in rows
                    ]
                )
                for f in FORECASTS
            }
            for f, values in table.items():
                repeats = f == "always refuse" and question in ("request", "in_power")
                if rows and not repeats:
                    out.append(_total(question, f, score, values, table["base rate"]))
    for quantity in ("arrival", "size", "duration"):
        rows = [s for s in scored if "base rate" in s.crps.get(quantity, {})]
        base = np.array([s.crps[quantity]["base rate"] for s in rows])
        for f in ("model", "base rate", "organisation's rate"):
            if rows:
                values = np.array([s.crps[quantity][f] for s in rows])
                out.append(_total(quantity, f, "crps", values, base))
    return out


def _total(question: str, forecast: str, score: str, values: Floats, base: Floats) -> Total:
    gain = base - values
    compared = forecast != "base rate"
    known = compared and values.size > 1
    return Total(
        question=question,
        forecast=forecast,
        score=score,
        n=values.size,
        mean=float(values.mean()),
        better=float(gain.mean()) if compared else None,
        error=float(gain.std(ddof=1) / math.sqrt(values.size)) if known else None,
    )


def calibration(
    scored: Sequence[Scored], question: str, *, edges: Sequence[float] = (0, 0.2, 0.4, 0.6, 0.8, 1)
) -> list[dict[str, Any]]:
    """Return predicted and observed shares of a yes-or-no question, by bin of probability."""
    pairs = [
        (s.probabilities["model"][question]["yes"], s.happened[question] == "yes")
        for s in scored
        if question in s.happened
    ]
    p = np.array([a for a, _ in pairs])
    hit = np.array([b for _, b in pairs])
    which = np.clip(np.digitize(p, edges[1:-1]), 0, len(edges) - 2)
    return [
        {
            "low": float(edges[k]),
            "high": float(edges[k + 1]),
            "n": int((which == k).sum()),
            "predicted": float(p[which == k].mean()),
            "observed": float(hit[which == k].mean()),
        }
        for k in range(len(edges) - 1)
        if (which == k).any()
    ]


@dataclass(frozen=True, kw_only=True)
class ScoreReport:
    """The rows of a file, predicted and scored.

    Attributes
    ----------
    file : str
    scored : tuple of Scored
        All good rows. Rows of imposed help have predictions but no score for the answer.
    totals : tuple of Total
        Over all rows.
    fresh_totals : tuple of Total
        Over rows that are not shipped cases.
    problems : tuple of Problem
        Bad rows that were left out (only with ``skip_bad``).
    """

    file: str
    scored: tuple[Scored, ...]
    totals: tuple[Total, ...]
    fresh_totals: tuple[Total, ...]
    problems: tuple[Problem, ...]


def score_file(path: str | Path, *, as_of: bool = False, skip_bad: bool = False) -> ScoreReport:
    """Predict every row of a CSV file from the shipped fits, and score the predictions.

    Parameters
    ----------
    path : path
        A CSV with the columns of `foedus.casebook.table.REQUIRED` (see the codebook).
    as_of : bool
        Use only what was known before each case's start, instead of all shipped cases.
    skip_bad : bool
        List bad rows instead of raising.

    Returns
    -------
    ScoreReport
        A row with the requester and year of a shipped case is predicted without that case and
        flagged. A row of imposed help is flagged too, and its answer is not scored.

    Raises
    ------
    InputError
        With the line and column of everything that is wrong.
    """
    rows, problems = read_table(path)
    if problems and (not skip_bad or not rows):
        raise InputError(problems)
    book = load_casebook()
    shipped = {c.key for c in book}
    scored = []
    for row in rows:
        case = row.case
        same = case.key in shipped
        flags = []
        if same:
            flags.append("shipped case: predicted without it")
        if case.answer is None:
            flags.append("imposed: answer not scored")
        scored.append(
            score_case(
                case,
                book.cases,
                before=case.start() if as_of else None,
                exclude=case.key,
                flags=tuple(flags),
            )
        )
    fresh = [s for s in scored if s.case.key not in shipped]
    return ScoreReport(
        file=Path(path).name,
        scored=tuple(scored),
        totals=tuple(totals(scored)),
        fresh_totals=tuple(totals(fresh)),
        problems=tuple(problems),
    )
