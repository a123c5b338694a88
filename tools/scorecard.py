"""Write the page of all shipped cases' scores, good or bad, and a page for each case.

    python tools/scorecard.py                # reuses the runs on disk
    python tools/scorecard.py --runs 200 --headline 200 --folder /tmp/page   # a quick trial

Each case that was chosen by hand is forecast on each of its first days, and each that was drawn by
lot on three dates; all of them also on their own as-of date, with more runs. The pages are
docs/benchmarks/cases.md and docs/benchmarks/cases/CASE.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foedus import load_case, score
from foedus.answers.timelines import Day, Timeline, collect
from foedus.case import Case, as_of, shipped
from foedus.ensemble.progress import for_stream
from foedus.report.number_format import day, number, percent
from foedus.report.timeline_view import (
    lead_rows,
    leads_svg,
    reliability_svg,
    short_day,
    timeline_svg,
    transform_svg,
)
from foedus.scoring.lead_time import History, by_lead, history, open_forecasts
from foedus.scoring.reliability import LEVEL, Reliability, Transform, calibration
from foedus.scoring.scores import Scores

FOLDER = Path(__file__).parents[1] / "docs" / "benchmarks"
#: Baselines on the page, as named in its tables.
BASELINES = {
    "casebook": "Casebook",
    "always_refuse": "Refusal",
    "weighted_mean": "Mean position",
    "weighted_median": "Median position",
}
#: Baselines in the headline, as named in its sentence.
HEADLINE = {
    "casebook": "the casebook's base rate",
    "always_refuse": '"nobody ever comes"',
    "weighted_mean": "the members' mean position",
}

#: When the cases drawn by lot are forecast: early, in the middle and late, as their files say.
DATES = {
    "armenia-2018": ("2018-04-14", "2018-04-18", "2018-04-22"),
    "armenia-2021": ("2021-05-12", "2021-05-19", "2021-07-02"),
    "belarus-2020": ("2020-08-11", "2020-08-16", "2020-08-27"),
    "burkina-faso-2022": ("2022-01-23", "2022-01-28", "2022-02-03"),
    "fiji-2006": ("2006-12-01", "2006-12-04", "2006-12-05"),
    "guinea-bissau-2012": ("2012-04-14", "2012-04-19", "2012-04-25"),
    "south-sudan-2013": ("2013-12-17", "2013-12-18", "2013-12-20"),
    "turkey-2012": ("2012-06-26", "2012-10-05", "2012-11-21"),
}

HEAD = """# All shipped cases, scored

{headline}

**This is no track record.** The authors knew how each of these crises ended when they wrote down
its facts, its questions and the members' positions. No parameter is fitted to an outcome, and only
scoring reads outcomes. Every shipped case is here, whatever its scores.

Lower is better in every score ([definitions](../explanation/scores.md)). Only *open* questions
count: no fact known on the day settles them, and their outcome was not yet public. A refused
forecast has no scores.

## At a glance

Each case as of its own date, with {runs:,} runs: `foedus score CASE --as-of DATE --runs {runs}`.
A baseline's column has three figures: its mean Brier score, that of the forecast on the same
yes-or-no questions, and on how many questions of any kind the forecast is better.
"""

MADE = """## How this page was made

`make scorecard` (`python tools/scorecard.py --runs {runs} --headline {headline} --days {days}`)
wrote it on {today}, in {minutes:.0f} minutes on {cores} cores (Python {python}, {machine}). Runs on
disk are reused, so a second time is quick.

```{{toctree}}
:hidden:

{pages}
```
"""

OVER_TIME = """## Over time

Each case that was chosen by hand on each of its first {days} days (at most up to its last fact) and
on its own date; each that was drawn by lot early, in the middle and late, on the three dates that
its file names. With {runs:,} runs, or up to four times as many where few agree with the evidence. A
question counts once for every day on which it is open.

![Mean Brier score by the days until the outcome was public](cases/leads.svg)

{table}
"""

BY_QUESTION = """## The questions that every drawn case asks

On all three dates, where open. The forecast's mean probability, how often it happened, and the
mean Brier scores of the forecast and of a constant that knew how often. [The page of the
cases](../explanation/cases.md) says how the questions are made; a yes to `in-power-90` is a loss of
power.

{table}
"""

CALIBRATION = """## Calibration

All open questions of the section above: {questions} yes-or-no questions of {cases} cases, in
{forecasts} forecasts. **These are few.** All forecasts of a question together weigh as much as one
question. The bands ({level:.0%}) are those of a calibrated forecaster with as many independent
questions. Questions of one case are not independent, so the bands are too narrow.

![Forecast probabilities against observed frequencies](cases/reliability.svg)

*The line is the isotonic (CORP) curve; the diamonds are the bins of the table; the ticks below
are the forecasts.*

{bins}

Mean Brier score {score:.3f} = miscalibration {mcb:.3f} (a calibrated forecaster would have
{expected:.3f} with so few questions) − discrimination {dsc:.3f} + uncertainty {unc:.3f}.
"""

NUMBERS = """### Numbers and dates

{questions} questions in {forecasts} forecasts.

![Where outcomes fell in the forecasts](cases/pit.svg)

*Share of outcomes in each fifth of the forecasts. In the low fifths the outcome was smaller, or
sooner, than forecast. Bars: the band of a calibrated forecaster.*

{coverage}
"""


@dataclass(frozen=True)
class Made:
    """The results of one case."""

    name: str
    case: Case
    histories: tuple[History, ...]
    headline: Scores
    days: list[Day]
    timeline: Timeline

    @property
    def scores(self) -> list[Scores]:
        """The scores of all days."""
        return [s for h in self.histories for s in h.scores]


def main() -> None:
    """Forecast and score each case, and write pages and pictures."""
    options = _options()
    began = time.monotonic()
    made = [_made(name, options) for name in options.cases]
    folder: Path = options.folder
    details = folder / "cases"
    details.mkdir(parents=True, exist_ok=True)
    scores = [s for m in made for s in m.scores]
    chances, numbers = calibration(scores)
    parts = [_glance(made, options, chances)]
    parts += _over_time(scores, options, details)
    parts += _by_question([m for m in made if m.name in DATES])
    parts += _calibration(chances, numbers, len(made), details)
    parts.append(_how(made, options, (time.monotonic() - began) / 60))
    for m in made:
        _write(details / f"{m.name}.md", _case(m, options, details))
    page = folder / "cases.md"
    _write(page, "\n".join(parts))
    print(page)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=4000, help="of each day's forecast")
    parser.add_argument("--headline", type=int, default=16_000, help="on the case's own date")
    parser.add_argument("--days", type=int, default=10, help="most days of a case")
    parser.add_argument("--cases", nargs="+", default=list(shipped()), help="all that are shipped")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the page goes")
    parser.add_argument("--workers", type=int, default=None)
    return parser.parse_args()


def _spans(case: Case, days: int) -> list[tuple[dt.date, dt.date]]:
    """Return the dates of a drawn case; of another its first days up to its last fact, and its own.

    Its own date is left out where it is among the others.
    """
    own = case.date(case.day(case.as_of))
    if case.id in DATES:
        dates = sorted({own, *map(dt.date.fromisoformat, DATES[case.id])})
        return [(date, date) for date in dates]
    told = max(case.day(f.known_from) for f in case.facts)
    last = case.date(min(days - 1, told, case.horizon - 1))
    spans = [(case.start, last)]
    return spans if own <= last else [*spans, (own, own)]


def _days(case: Case, histories: Sequence[History]) -> list[Day]:
    """Return all days; the news of a drawn case's date are the facts since the date before."""
    days = [d for h in histories for d in h.timeline.days]
    if case.id not in DATES:
        return days
    out: list[Day] = []
    seen: set[str] = set()
    for each in days:
        facts = as_of(case, each.date).facts
        out.append(replace(each, news=tuple(f for f in facts if f.id not in seen)))
        seen |= {f.id for f in facts}
    return out


def _made(name: str, options: argparse.Namespace) -> Made:
    case = load_case(name)
    given: dict[str, Any] = {"workers": options.workers, "progress": for_stream(sys.stderr)}
    print(f"{name}", file=sys.stderr)
    headline = score(case, as_of=case.as_of.isoformat(), runs=options.headline, **given)
    histories = tuple(
        history(case, *span, runs=options.runs, **given) for span in _spans(case, options.days)
    )
    days = _days(case, histories)
    timeline = histories[0].timeline
    if name in DATES:
        timeline = collect(case, days, runs=options.runs, seed=1)
    return Made(name, case, histories, headline, days, timeline)


def _glance(made: Sequence[Made], options: argparse.Namespace, chances: Reliability | None) -> str:
    head = HEAD.format(headline=_headline(made, chances), runs=options.headline)
    columns = ["Case", "As of", "Effective runs", "Open questions", "Brier", "Log"]
    rows = []
    for m in made:
        s = m.headline
        total = s.summary()
        mine = total["forecast"]
        verdict = "" if s.verdict.ok else f" ({s.verdict})"
        row = [f"[{m.case.title}](cases/{m.name}.md)", day(s.as_of)]
        row += [f"{number(s.effective)}{verdict}"]
        row += [str(total["questions"]), _three(mine["brier"]), _three(mine["log"])]
        rows.append(row + [_beside(total["baselines"][name]) for name in BASELINES])
    return f"{head}\n{_table([*columns, *BASELINES.values()], rows)}\n"


def _headline(made: Sequence[Made], chances: Reliability | None) -> str:
    """Return the result in three sentences."""
    said = []
    if chances is not None:
        said += [
            f"**Over {chances.questions} yes-or-no questions in {chances.forecasts} forecasts the"
            f" mean Brier score is {chances.score:.3f}; always saying one half would score 0.250.**"
        ]
    against = [m.headline.summary()["baselines"] for m in made]
    beaten = [
        f"{words} on {sum(b[name]['better'] for b in against)}"
        f" of {sum(b[name]['n'] for b in against)}"
        for name, words in HEADLINE.items()
    ]
    said.append(f"On each case's own date the forecast beats {', '.join(beaten)} questions.")
    if chances is not None:
        verdict = "not calibrated" if chances.outside else "consistent with calibration"
        said.append(
            f"It is {verdict}: {chances.outside} of the {chances.said.size} points of the curve"
            f" below lie outside the {LEVEL:.0%} band of a calibrated forecaster."
        )
    return "\n".join(said)


def _how(made: Sequence[Made], options: argparse.Namespace, minutes: float) -> str:
    return MADE.format(
        runs=options.runs,
        headline=options.headline,
        days=options.days,
        today=dt.datetime.now(tz=dt.UTC).date(),
        minutes=max(minutes, 1),
        cores=os.cpu_count(),
        python=platform.python_version(),
        machine=platform.machine(),
        pages="\n".join(f"cases/{m.name}" for m in made),
    )


def _beside(against: dict[str, Any]) -> str:
    if not against["n"]:
        return "–"
    pair = ""
    if against["baseline_brier"] is not None:
        pair = f"{against['baseline_brier']:.3f} / {against['forecast_brier']:.3f}, "
    return f"{pair}{against['better']}/{against['n']}"


def _over_time(scores: Sequence[Scores], options: argparse.Namespace, folder: Path) -> list[str]:
    leads = by_lead(scores)
    if not leads:
        return ["No question was open and answered, so there is nothing to score.\n"]
    _write(folder / "leads.svg", leads_svg(leads))
    table = _table(*lead_rows(leads))
    return [OVER_TIME.format(days=options.days, runs=options.runs, table=table)]


def _by_question(drawn: Sequence[Made]) -> list[str]:
    """Return the scores of the binary questions that all drawn cases ask."""
    if not drawn:
        return []
    asked = set.intersection(
        *({q.id for q in m.case.questions if q.kind == "binary"} for m in drawn)
    )
    found = [q for _, _, q in open_forecasts([s for m in drawn for s in m.scores])]
    rows = []
    for id_ in (q.id for q in drawn[0].case.questions if q.id in asked):
        pairs = [
            (q.score.forecast, float(q.outcome))
            for q in found
            if q.id == id_
            and q.score is not None
            and q.score.forecast is not None
            and isinstance(q.outcome, bool)
        ]
        if pairs:
            n = len(pairs)
            said, happened = (sum(column) / n for column in zip(*pairs, strict=True))
            score_ = sum((p - y) ** 2 for p, y in pairs) / n
            row = [f"`{id_}`", str(n), percent(said), _share(happened)]
            rows.append([*row, f"{score_:.3f}", f"{happened * (1 - happened):.3f}"])
    head = ["Question", "Forecasts", "Said", "Happened", "Brier", "Constant"]
    return [BY_QUESTION.format(table=_table(head, rows))] if rows else []


def _calibration(
    chances: Reliability | None, numbers: Transform | None, cases: int, folder: Path
) -> list[str]:
    out = []
    if chances is not None:
        _write(folder / "reliability.svg", reliability_svg(chances))
        out.append(_chances(chances, cases))
    if numbers is not None:
        _write(folder / "pit.svg", transform_svg(numbers))
        out.append(_numbers(numbers))
    return out


def _chances(found: Reliability, cases: int) -> str:
    rows = [
        [
            f"{percent(b.low)} to {percent(b.high)}",
            str(b.questions),
            str(b.forecasts),
            percent(b.said),
            _share(b.happened),
            f"{_share(b.band[0])} to {_share(b.band[1])}",
        ]
        for b in found.bins
    ]
    head = ["Said", "Questions", "Forecasts", "On average", "Happened", "If calibrated"]
    return CALIBRATION.format(
        questions=found.questions,
        forecasts=found.forecasts,
        cases=cases,
        level=LEVEL,
        bins=_table(head, rows),
        score=found.score,
        mcb=found.miscalibration,
        expected=found.miscalibration_expected,
        dsc=found.discrimination,
        unc=found.uncertainty,
    )


def _numbers(found: Transform) -> str:
    rows = [
        [f"{c.level:.0%}", _share(c.covered), f"{_share(c.band[0])} to {_share(c.band[1])}"]
        for c in found.coverage
    ]
    table = _table(["Central interval", "Outcomes in it", "If calibrated"], rows)
    return NUMBERS.format(questions=found.questions, forecasts=found.forecasts, coverage=table)


def _case(m: Made, options: argparse.Namespace, folder: Path) -> str:
    outcomes = {q.id: q.outcome for q in m.headline.questions}
    _write(folder / f"{m.name}.svg", timeline_svg(m.timeline, outcomes))
    if m.name in DATES:
        title, spans = "Date by date", [d.date.isoformat() for d in m.days]
    else:
        title, spans = "Day by day", [f"{m.timeline.first}..{m.timeline.last}"]
    commands = [f"`foedus score {m.name} --as-of {s} --runs {options.runs}`" for s in spans]
    parts = [
        f"# {m.case.title}: scores\n\n"
        "[All shipped cases](../cases.md) says what the scores are, and what they are worth.\n\n"
        f"## {title}\n\n"
        + "\\\n".join(commands)
        + f"\n\n![The probability of each question, day by day]({m.name}.svg)\n\n"
        "*Blue: the forecast, with twice its sampling error; hollow where a known fact settles the "
        "question; a cross where it refused. Dashed: the casebook's base rate. Orange: the "
        "outcome.*\n"
    ]
    rows = [
        [
            day(d.date),
            str(len(d.news)),
            f"{d.runs:,}",
            "new" if d.base == d.date else f"of {short_day(d.base)}",
            number(d.forecast.weights.ess),
            str(d.forecast.verdict),
        ]
        for d in m.days
    ]
    head = ["As of", "New facts", "Runs", "Made", "Effective", "Verdict"]
    parts.append(_table(head, rows) + "\n")
    leads = by_lead(m.scores)
    if leads:
        parts.append(f"## By lead time\n\n{_table(*lead_rows(leads))}\n")
    s = m.headline
    command = f"foedus score {m.name} --as-of {s.as_of} --runs {options.headline}"
    parts.append(f"## On its own date\n\n`{command}`\n\n```text\n{s.table()}\n```\n")
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _share(p: float) -> str:
    return f"{100 * p:.0f}%"


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
