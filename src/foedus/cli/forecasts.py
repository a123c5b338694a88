"""Commands that run a case and forecast from the runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from foedus.cli.app import app, example
from foedus.cli.options import (
    MAKING,
    PAGES,
    PAPERS,
    AsOfDays,
    AsOfOption,
    Batch,
    Brief,
    CaseName,
    Cluster,
    Json,
    Making,
    Out,
    Pdf,
    Runs,
    Seed,
    Workers,
    case_to_run,
    refuse_brief,
    refuse_brief_of_days,
    refuse_file,
    refuse_undeclared,
    tell,
)
from foedus.defaults import PAIRS, RUNS

if TYPE_CHECKING:
    from foedus.answers.dossier import Wanted
    from foedus.answers.forecasts import Forecast
    from foedus.answers.timelines import Timeline
    from foedus.scoring.lead_time import History


@app.command(
    help_epilogue=example(
        "foedus run kazakhstan-2022 --as-of 2022-01-07 --out kz.zarr",
        "foedus run kazakhstan-2022 --as-of 2022-01-07 --out kz.zarr --resume",
        "foedus run kazakhstan-2022 --runs 1000000 --cluster tcp://10.0.0.5:8786",
    )
)
def run(
    case: CaseName,
    /,
    *,
    runs: Runs = RUNS,
    seed: Seed = 1,
    workers: Workers = None,
    batch: Batch = None,
    out: Out = None,
    cluster: Cluster = None,
    as_of: Annotated[
        str | None,
        Parameter(help="Replay the decisions known by then; if absent, nothing is replayed."),
    ] = None,
    resume: Annotated[
        bool,
        Parameter(negative="", help="Finish an existing store, after checking and repairing it."),
    ] = False,
) -> int:
    """Draw the priors, simulate, and keep the runs in a store on disk."""
    from foedus import ensemble, load_case
    from foedus.ensemble.progress import for_stream

    what = load_case(case)
    refuse_undeclared(what)
    refuse_file(out)
    made = ensemble.run(
        what,
        as_of=as_of,
        runs=runs,
        seed=seed,
        workers=workers,
        batch=batch,
        out=out,
        cluster=cluster,
        resume=resume,
        progress=for_stream(sys.stderr),
    )
    print(f"{made.complete_runs:,} of {made.plan.runs:,} runs, seed {seed}: {made.path}")
    return 0


@app.command(
    help_epilogue=example(
        "foedus forecast kazakhstan-2022 --as-of 2022-01-07 --runs 20000",
        "foedus forecast kazakhstan-2022 --as-of 2022-01-03..2022-01-12 --runs 4000",
        "foedus forecast my-case.yaml --json > forecast.json",
    )
)
def forecast(
    case: CaseName,
    /,
    *,
    as_of: AsOfDays = None,
    making: Making = MAKING,
    brief: Brief = None,
    pdf: Pdf = None,
    json: Json = False,
) -> int:
    """Answer the questions of a case from what was known, and write the brief.

    Runs already on disk are reused. For a range of days, write the answers by day as a table, a
    picture and a CSV file.
    """
    from foedus.case.asof import is_span
    from foedus.report.forecast_view import forecast_document

    if as_of is not None and is_span(as_of):
        refuse_brief_of_days(brief, pdf)
        return _by_day(case, as_of, json, False, making)
    result, paths = _forecast(case, as_of, making, brief, pdf)
    status = tell(result, json, forecast_document)
    if not json:
        print()
    for path in paths:
        print(f"Brief: {path}", file=sys.stderr if json else sys.stdout)
    return status


@app.command(
    help_epilogue=example(
        "foedus report kazakhstan-2022 --as-of 2022-01-07 --pdf brief.pdf",
        "foedus report my-case.yaml --question landed --pairs 0",
    )
)
def report(
    case: CaseName,
    /,
    *,
    as_of: AsOfOption = None,
    making: Making = MAKING,
    brief: Brief = None,
    pdf: Pdf = None,
    explain: Annotated[
        bool, Parameter(help="Add the weighing of the explanations, and counterfactuals.")
    ] = True,
    pairs: Annotated[
        int,
        Parameter(
            validator=Number(gte=0, lte=1_000_000),
            help="Pairs of runs for each counterfactual; 0 for none.",
        ),
    ] = PAIRS,
    watch: Annotated[bool, Parameter(help="Add the watch list: what to look for next.")] = True,
    question: Annotated[
        str | None,
        Parameter(help="Id of the question of the watch list; the most open one if absent."),
    ] = None,
) -> int:
    """Write the full brief of a case, and print only its path.

    It adds explanations, counterfactuals and the watch list to the forecast. Runs already on disk
    are reused.
    """
    from foedus.answers.dossier import Wanted

    wanted = Wanted(explain, pairs, watch, question)
    _, paths = _forecast(case, as_of, making, brief, pdf, wanted)
    for path in paths:
        print(path)
    return 0


@app.command(
    help_epilogue=example(
        "foedus score kazakhstan-2022 --as-of 2022-01-07",
        "foedus score kazakhstan-2022 --as-of 2022-01-03..2022-01-12 --runs 4000",
        "foedus score kazakhstan-2022 --as-of 2022-01-05 --json",
    )
)
def score(
    case: CaseName,
    /,
    *,
    as_of: AsOfDays = None,
    making: Making = MAKING,
    json: Json = False,
) -> int:
    """Score the forecast of a case against its outcomes and the baselines.

    For a range of days, give the answers by day with the outcomes, and the scores by lead time.
    """
    import foedus
    from foedus.case.asof import is_span
    from foedus.errors import InputError
    from foedus.report.forecast_view import scores_document

    if as_of is not None and is_span(as_of):
        return _by_day(case, as_of, json, True, making)
    what = case_to_run(case, making, as_of)
    if not what.outcomes:
        raise InputError(f"case {what.id} has no outcomes, so it cannot be scored yet")
    scores = foedus.score(
        what,
        as_of=as_of,
        **making.options(),
    )
    return tell(scores, json, scores_document)


@app.command(
    help_epilogue=example(
        "foedus backtest",
        "foedus backtest --runs 60 --row KAZ2022 --row BHR2011",
        "foedus backtest --rolling --csv backtest.csv --json",
    )
)
def backtest(
    *,
    runs: Annotated[
        int, Parameter(validator=Number(gte=10, lte=100_000), help="Runs of each row and date.")
    ] = 200,
    seed: Seed = 1,
    workers: Workers = None,
    rolling: Annotated[
        bool,
        Parameter(
            negative="", help="Each row sees only what was known before it began, not later rows."
        ),
    ] = False,
    row: Annotated[
        tuple[str, ...], Parameter(help="Id of a casebook row; all usable ones if absent.")
    ] = (),
    folder: Annotated[
        Path, Parameter(help="Where finished rows are kept, so that it can go on after a stop.")
    ] = Path("results/backtest"),
    csv: Annotated[Path | None, Parameter(help="Write every forecast to this file.")] = None,
    json: Json = False,
) -> int:
    """Forecast every crisis of the casebook as if it had not ended, and score the forecasts.

    The same generic questions are asked of each, as of its trigger, its request and its decision.
    The simulation stands beside the casebook's models, the base rate and the pool. The last line
    is JSON.
    """
    import foedus
    from foedus.ensemble.progress import for_stream
    from foedus.errors import InputError
    from foedus.report.backtest_view import backtest_document
    from foedus.report.terminal import print_json_line

    if csv is not None and (csv.is_dir() or not csv.resolve().parent.is_dir()):
        raise InputError(f"--csv {csv}: a file in a folder that exists")
    found = foedus.backtest(
        runs=runs,
        seed=seed,
        workers=workers,
        rolling=rolling,
        only=row,
        folder=folder,
        progress=for_stream(),
    )
    if csv is not None:
        found.forecasts.to_csv(csv, index=False)
    status = tell(found, json, backtest_document)
    if not json:
        print_json_line(found.to_dict())
    return status


def _by_day(name: str, span: str, json: bool, scored: bool, making: Making) -> int:
    """Make, print and write the forecasts of a range of days."""
    from foedus import load_case
    from foedus.answers.timelines import timeline
    from foedus.case.asof import days_of, parse_span
    from foedus.ensemble.runner import RESULTS
    from foedus.errors import InputError
    from foedus.report.timeline_view import (
        history_document,
        timeline_document,
        timeline_svg,
        write_csv,
    )
    from foedus.scoring.lead_time import history

    first, last = parse_span(span)
    what = load_case(name)
    days_of(what, first, last)
    refuse_undeclared(what)
    out = making.out
    refuse_file(out)
    if out is not None and (out / "zarr.json").is_file():
        raise InputError(
            f"--out {out}: a store; for a range of days give a folder for several stores"
        )
    given = making.options()
    stem = (out or RESULTS) / f"{what.id}_{first}..{last}_seed{making.seed}"
    result: History | Timeline
    outcomes = None
    if scored:
        result = history(what, first, last, **given)
        made = result.timeline
        outcomes = {q.id: q.outcome for q in result.scores[-1].questions}
    else:
        result = made = timeline(what, first, last, **given)
    table = write_csv(made, stem.with_name(f"{stem.name}.csv"))
    picture = stem.with_name(f"{stem.name}.svg")
    picture.write_text(timeline_svg(made, outcomes), encoding="utf-8")
    status = tell(result, json, history_document if scored else timeline_document)
    to = sys.stderr if json else sys.stdout
    print(f"\nTable: {table}\nPicture: {picture}", file=to)
    return status


def _forecast(
    case: str,
    as_of: str | None,
    making: Making,
    brief: Path | None,
    pdf: Path | None,
    wanted: Wanted | None = None,
) -> tuple[Forecast, list[Path]]:
    """Make or reuse the runs, forecast, write the briefs; return the forecast and their paths."""
    from foedus.answers.dossier import Wanted, dossier
    from foedus.report.answer_words import known_by
    from foedus.report.brief import brief as write_brief

    what, out = case_to_run(case, making, as_of), making.out
    if brief is None and out is not None:
        name = out.stem if out.suffix == ".zarr" else out.name
        brief = out.with_name(f"{name}.html")
    refuse_brief("--brief", brief, PAGES)
    refuse_brief("--pdf", pdf, PAPERS)
    made = dossier(what, wanted or Wanted(), as_of=as_of, **making.options())
    if brief is None:
        known = known_by(made.forecast).replace(":", "")
        brief = Path("results") / f"{what.id}_{known}_seed{making.seed}.html"
    paths = [
        write_brief(made.forecast, what, path, explanations=made.explanations, watch=made.watch)
        for path in (brief, pdf)
        if path is not None
    ]
    return made.forecast, paths
