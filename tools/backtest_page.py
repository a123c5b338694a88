"""Write the page of the whole-path back-test, good or bad: docs/benchmarks/backtest.md.

    python tools/backtest_page.py                 # finished rows are not made again
    python tools/backtest_page.py --what "the priors of arrival are by trigger"
    python tools/backtest_page.py --runs 30 --folder /tmp/backtest --page /tmp/backtest.md

Each time the page is written, its primary metric is added to docs/benchmarks/backtest-history.csv,
and the discrepancy that forecasts use is written to src/foedus/answers/discrepancy.json; with
--page both stand beside that page.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
from pathlib import Path

import foedus
from foedus.ensemble.progress import for_stream
from foedus.report.backtest_view import (
    AMOUNT_COLUMNS,
    CALIBRATION_COLUMNS,
    NAMES,
    QUESTION_COLUMNS,
    SCORE_COLUMNS,
    amount_rows,
    calibration_rows,
    question_rows,
    score_rows,
)
from foedus.report.timeline_view import reliability_svg
from foedus.scoring.backtest_amounts import AMOUNTS
from foedus.scoring.casebook_backtest import QUESTIONS, BackTest
from foedus.scoring.discrepancy import by_year
from foedus.scoring.skeleton_cases import STAGES

DISCREPANCY = Path(__file__).parents[1] / "src" / "foedus" / "answers" / "discrepancy.json"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "backtest.md"

TEXT = """# The back-test

**{headline}**

Written by `make backtest` (`python tools/backtest_page.py --runs {runs}`) on {today}.
`foedus backtest --runs {runs}` prints the same figures.

Every usable row of the [casebook](../casebook/track_record.md) becomes a skeleton case by one
rule (`foedus.scoring.skeleton_cases`), is simulated, weighed by the steps known by then, and
asked the same questions. Nothing that is coded from how a crisis ended reaches its skeleton. The
priors, the casebook's models and the base rate leave out the row and all rows of the same
requester and year. *Pooled* is the mean of the log-odds of simulation and casebook, and the
casebook alone where the simulated world has no such thing (limited help; deaths other than in
street protest). Where no run says anything of a question, the simulation is taken to say 50%.

## The primary metric

Mean Brier score over the generic questions as of the trigger and of the request. Lower is better;
0.25 is a coin. *Better than base rate* is with its standard error, cases resampled whole ({rows}
crises, {forecasts:,} forecasts). *Log score* is minus the log of the probability of what came.
*Pairs in order* is how often, of two crises of which one had the event, that one was given the
higher probability (0.5 is no skill). Beside the *miscalibration* stands what chance gives a
calibrated forecaster with so few crises.

{primary}

With priors and rates from what was known before each crisis began only (rolling origin): a row
informs the rate of a question from the day on which its outcome was known.

{rolling}

## The headline

The pool has one weight for all questions: {weight}.

The headline is the pool, widened by its [discrepancy](../explanation/pooling.md); above, by the
one that all other crises show. A forecast of a new case uses these standard deviations of the
log-odds, from all crises and with rolling origin (`foedus.answers.discrepancy`):

{discrepancy}

## Calibration

How often came what was given a probability, as of the trigger and the request:

{calibration}

The simulation's curve; a calibrated forecaster stays within the band:

![What the simulation said against what came](backtest.svg)

## Amounts

Mean CRPS in crises in which help landed (lower is better). *Pooled* is the mixture of simulation
and casebook.

{amounts}

{scales}

## By question

{questions}

{asked}

## Its history

Each line is one back-test. `--what` says what had changed.

{history}
"""


#: What stands for the tables of the rolling origin where it was not made.
SKIPPED = "*Not made this time (`--skip-rolling`).*"


def markdown(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [columns, ("---", *["---:"] * (len(columns) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def headline(found: BackTest) -> str:
    """Return the result in a sentence, good or bad."""
    scores, gains = found.primary(), found.differences()
    said = []
    for name in ("simulation", "casebook", "pooled", "headline"):
        mean, error = gains[name]
        clear = "no clear difference from" if abs(mean) < 2 * error else ""
        words = clear or ("better than" if mean > 0 else "worse than")
        said.append(f"{NAMES[name]} {scores[name]:.3f} ({words} the base rate)")
    return f"Mean Brier score: {', '.join(said)}; base rate {scores['base_rate']:.3f}."


def record(found: BackTest, file: Path, what: str) -> list[tuple[str, ...]]:
    """Add the primary metric, and what has changed, to the history; return all of it."""
    columns = ["date", "version", "runs", *NAMES, "what"]
    lines = []
    if file.exists():
        with file.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream, restval=""))
    new = {
        "date": f"{dt.date.today()}",
        "version": foedus.__version__,
        "runs": str(found.runs),
        **{name: f"{score:.4f}" for name, score in found.primary().items()},
        "what": what,
    }
    if not lines or {name: lines[-1].get(name) for name in new} != new:
        lines.append(new)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    return [tuple(line.get(name) or "" for name in columns) for line in lines]


def write_discrepancy(sds: dict[str, dict[str, dict[str, float]]], runs: int, file: Path) -> None:
    """Write the discrepancy by year for :mod:`foedus.answers.discrepancy`."""
    made = f"python tools/backtest_page.py --runs {runs}"
    lines = ",\n".join(f"  {json.dumps(year)}: {json.dumps(by)}" for year, by in sds.items())
    text = f'{{"command": {json.dumps(made)}, "before": {{\n{lines}\n}}}}\n'
    file.write_text(text, encoding="utf-8")


def main() -> None:
    """Run the back-test and write its page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=Path("results/backtest"))
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--what", default="", help="what has changed since the back-test before")
    parser.add_argument(
        "--skip-rolling", action="store_true", help="leave-one-out only: half the time"
    )
    given = parser.parse_args()

    def backtest(*, rolling: bool) -> BackTest:
        return foedus.backtest(
            runs=given.runs,
            workers=given.workers,
            folder=given.folder,
            rolling=rolling,
            progress=for_stream(),
        )

    found = backtest(rolling=False)
    rolling = None if given.skip_rolling else backtest(rolling=True)
    curve = found.reliability("simulation")
    given.page.with_suffix(".svg").write_text(reliability_svg(curve), encoding="utf-8")
    parts = [
        f"As of the {stage}:\n\n{markdown(QUESTION_COLUMNS, question_rows(found, stage))}"
        for stage in STAGES
    ]
    history = record(found, given.page.with_name("backtest-history.csv"), given.what)
    print(found.pool_weight())
    widened, table = SKIPPED, SKIPPED
    if rolling is not None:
        sds = by_year(rolling.forecasts)
        own = given.page == PAGE
        file = DISCREPANCY if own else given.page.with_name(DISCREPANCY.name)
        write_discrepancy(sds, given.runs, file)
        latest = sds[max(sds, key=int)]
        families = list(latest["pooled"])
        widened = markdown(
            ("answer of", *(f.replace("_", " ") for f in families)),
            [
                (source, *(f"{found_sd[f]:.2f}" for f in families))
                for source, found_sd in latest.items()
            ],
        )
        table = markdown(SCORE_COLUMNS, score_rows(rolling))
    text = TEXT.format(
        weight=found.pool_weight(),
        discrepancy=widened,
        headline=headline(found),
        runs=given.runs,
        today=dt.date.today(),
        rows=found.forecasts["row"].nunique(),
        forecasts=len(found.forecasts),
        primary=markdown(SCORE_COLUMNS, score_rows(found)),
        rolling=table,
        calibration=markdown(CALIBRATION_COLUMNS, calibration_rows(found)),
        amounts=markdown(AMOUNT_COLUMNS, amount_rows(found)),
        scales=markdown(("amount", "scale"), [(a.id, a.text) for a in AMOUNTS]),
        questions="\n\n".join(parts),
        asked=markdown(("question", "in words"), [(q.id, q.text) for q in QUESTIONS]),
        history=markdown(("date", "version", "runs", *NAMES.values(), "what changed"), history),
    )
    given.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
