"""The command line. Heavy imports are inside commands, so that help is immediate.

Exit status: 0 fine (``runs diff``: equal; ``runs verify``: sound), 1 a failure of ours (``runs
diff``: different; ``runs verify``: damaged), 2 bad input, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO, TypeVar

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

if TYPE_CHECKING:
    import datetime as dt

    from foedus.case import Case
    from foedus.judgement import Forecast
    from foedus.judgement.dossier import Wanted

_Command = TypeVar("_Command", bound=Callable[..., int])

#: How the file of a brief ends.
_PAGES = (".html", ".htm")
_PAPERS = (".pdf",)

CaseName = Annotated[str, Parameter(help="A shipped case or the path of a case file.")]
AsOf = Annotated[
    str | None,
    Parameter(help="Use only what was known by then (2022-01-07); the case's own date if absent."),
]
AsOfDays = Annotated[
    str | None,
    Parameter(
        help="Use only what was known by then (2022-01-07); the case's own date if absent. A range "
        "(2022-01-03..2022-01-12) gives the forecast of each day; --out is then a folder for "
        "several stores."
    ),
]
Runs = Annotated[int, Parameter(validator=Number(gte=1, lte=2**32), help="Number of runs.")]
Seed = Annotated[
    int, Parameter(validator=Number(gte=0, lt=2**64), help="Seed of all random numbers.")
]
Workers = Annotated[
    int | None,
    Parameter(
        validator=Number(gte=1, lte=1024),
        help="Processes; one a core if absent. Changes no result.",
    ),
]
Batch = Annotated[
    int | None,
    Parameter(
        validator=Number(gte=1, lte=2**20), help="Runs held in memory at once. Changes no result."
    ),
]
Out = Annotated[
    Path | None, Parameter(help="The store of the runs, a folder; in results/ if absent.")
]
Cluster = Annotated[
    str | None,
    Parameter(
        help="Compute on a Dask cluster: its scheduler's address (tcp://10.0.0.5:8786), its "
        "scheduler file (.json), or local. Changes no result."
    ),
]
Brief = Annotated[
    Path | None, Parameter(help="HTML file to write; by --out or in results/ if absent.")
]
Pdf = Annotated[Path | None, Parameter(help="PDF file to write as well, with the same content.")]
Store = Annotated[Path, Parameter(help="A store of runs.")]
CaseId = Annotated[str, Parameter(help="Id of a coded case, as KAZ2022.")]
Organisation = Annotated[str | None, Parameter(help="Organisation or helper, as CSTO.")]
Trigger = Annotated[str | None, Parameter(help="Kind of trigger, as domestic_protest.")]
FirstYear = Annotated[int | None, Parameter(help="Earliest year.")]
LastYear = Annotated[int | None, Parameter(help="Latest year.")]
OwnCases = Annotated[Path | None, Parameter(help="Folder of your own coded cases, added.")]
Before = Annotated[str | None, Parameter(help="Use only what was known before this date.")]
Nearest = Annotated[int, Parameter(validator=Number(gte=1, lte=1000), help="How many cases.")]
Json = Annotated[
    bool,
    Parameter(name="--json", negative="", help="Print JSON, for programs, instead of a table."),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Making:
    """How the runs of a forecast are made; options of every command that needs them."""

    runs: Runs = 16_000
    seed: Seed = 1
    workers: Workers = None
    batch: Batch = None
    out: Out = None
    cluster: Cluster = None

    def options(self) -> dict[str, Any]:
        """Return the options of :class:`foedus.judgement.making.Making`, with progress told."""
        from foedus.ensemble.progress import for_stream

        return {**asdict(self), "progress": for_stream(sys.stderr)}


_MAKING = Making()


def _example(*lines: str) -> str:
    return "\n".join(["Example:" if len(lines) == 1 else "Examples:", *(f"  {x}" for x in lines)])


app = App(
    name="foedus",
    help="Will the alliance come, how soon, with what, and what happens in the streets.",
    help_format="plaintext",
    help_epilogue=_example("foedus forecast kazakhstan-2022 --as-of 2022-01-07"),
    version=lambda: __import__("foedus").__version__,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
runs_app = App(
    name="runs",
    help="List, describe, compare, check, export and prune stores of runs.",
    help_epilogue=_example("foedus runs list"),
)
casebook_app = App(
    name="casebook",
    help="What history says: coded calls for help, base rates, exports.",
    help_epilogue=_example("foedus casebook base-rate KAZ2022"),
)
app.command(runs_app)
app.command(casebook_app)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; nothing but the message reaches the user."""
    from foedus import errors

    if os.environ.get("FOEDUS_DEBUG"):
        return _status(app(tokens, exit_on_error=False, print_error=False))
    try:
        status = _status(app(tokens, exit_on_error=False, print_error=False))
        sys.stdout.flush()  # a reader that has gone shows here, not when Python ends
        _flush(sys.stderr)
        return status
    except CycloptsError as error:
        return _complain(f"{error}\nfoedus --help lists the commands and their options.", 2)
    except (errors.InputError, errors.StoreError) as error:
        return _complain(str(error), 2)
    except errors.Interrupted as error:
        return _complain(_how_to_go_on(str(error), tokens), 130)
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    except BrokenPipeError:  # the reader of our output has gone, as in `foedus schema | head`
        _flush(sys.stdout)
        return 0
    except SystemExit as end:  # so rich says the same
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        return 0
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _complain(what, 1)
    except Exception as error:
        return _complain(
            f"{type(error).__name__}: {error}\n"
            "This is a fault of foedus, not of your input. FOEDUS_DEBUG=1 shows where.",
            1,
        )


def _how_to_go_on(message: str, tokens: Sequence[str] | None) -> str:
    """Return the message of an interruption; what was no plain run goes on by the same command."""
    words = list(sys.argv[1:] if tokens is None else tokens)
    if words[:1] == ["run"] and "--cluster" not in words:
        return message
    return f"{message.split(' To go on:')[0]} To go on: {shlex.join(['foedus', *words])}"


def _status(result: Any) -> int:
    return result if isinstance(result, int) else 0


def _complain(message: str, status: int) -> int:
    lines = [_visible(line) for line in message.split("\n")]
    with contextlib.suppress(BrokenPipeError):
        print("\n".join([f"foedus: {lines[0]}", *lines[1:]]), file=sys.stderr)
    _flush(sys.stderr)
    return status


def _visible(line: str) -> str:
    """Return a line with its control characters written out, so that none reaches a terminal."""
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "".join(repr(c)[1:-1] if unicodedata.category(c) in hidden else c for c in line)


def _flush(stream: TextIO) -> None:
    """Write out a stream; one whose reader has gone writes into nothing from now on."""
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@app.command(
    help_epilogue=_example(
        "foedus check kazakhstan-2022 --as-of 2022-01-05", "foedus check my-case.yaml --json"
    )
)
def check(case: CaseName, /, *, as_of: AsOf = None, json: Json = False) -> int:
    """Check a case file, and show what an as-of date hides."""
    from foedus import load_case
    from foedus.case.check import check as examine
    from foedus.errors import InputError
    from foedus.report import tables

    try:
        what = load_case(case)
        report = examine(what, as_of)
        _refuse_undeclared(what)
    except InputError as error:
        if not json:
            raise
        tables.print_json(tables.problems(error))
        return 2
    if json:
        tables.print_json(report.to_dict())
    else:
        print(report)
    return 0


@app.command(
    help_epilogue=_example(
        "foedus run kazakhstan-2022 --as-of 2022-01-07 --out kz.zarr",
        "foedus run kazakhstan-2022 --as-of 2022-01-07 --out kz.zarr --resume",
        "foedus run kazakhstan-2022 --runs 1000000 --cluster tcp://10.0.0.5:8786",
    )
)
def run(
    case: CaseName,
    /,
    *,
    runs: Runs = 1000,
    seed: Seed = 1,
    workers: Workers = None,
    batch: Batch = None,
    out: Out = None,
    cluster: Cluster = None,
    as_of: Annotated[
        str | None,
        Parameter(help="Replay the decisions known by then; without it nothing is replayed."),
    ] = None,
    resume: Annotated[
        bool,
        Parameter(negative="", help="The store must exist; it is checked, repaired and finished."),
    ] = False,
) -> int:
    """Draw the priors, simulate, and keep the runs in a store on disk."""
    from foedus import ensemble, load_case
    from foedus.ensemble.progress import for_stream
    from foedus.report import tables

    what = load_case(case)
    _refuse_undeclared(what)
    _refuse_file(out)
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
    tables.print_runs(made)
    return 0


@app.command(
    help_epilogue=_example(
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
    making: Making = _MAKING,
    brief: Brief = None,
    pdf: Pdf = None,
    json: Json = False,
) -> int:
    """Answer the questions of a case from what was known, and write the brief.

    Runs that are on disk already are not made again. For a range of days: the answers by day, as a
    table, a picture and a CSV file.
    """
    from foedus.case.span import is_span
    from foedus.report import tables

    if as_of is not None and is_span(as_of):
        _refuse_brief_of_days(brief, pdf)
        return _by_day(case, as_of, json, False, making)
    result, paths = _forecast(case, as_of, making, brief, pdf)
    if json:
        tables.print_json(result.to_dict())
        for path in paths:
            print(f"Brief: {path}", file=sys.stderr)
    else:
        tables.print_forecast(result, *paths)
    return 0


@app.command(
    help_epilogue=_example(
        "foedus report kazakhstan-2022 --as-of 2022-01-07 --pdf brief.pdf",
        "foedus report my-case.yaml --question landed --pairs 0",
    )
)
def report(
    case: CaseName,
    /,
    *,
    as_of: AsOf = None,
    making: Making = _MAKING,
    brief: Brief = None,
    pdf: Pdf = None,
    explain: Annotated[
        bool, Parameter(help="What the casebook says of the explanations, and counterfactuals.")
    ] = True,
    pairs: Annotated[
        int,
        Parameter(
            validator=Number(gte=0, lte=1_000_000),
            help="Pairs of runs for each counterfactual; 0 makes none.",
        ),
    ] = 400,
    watch: Annotated[bool, Parameter(help="What to look for next.")] = True,
    question: Annotated[
        str | None,
        Parameter(
            help="Id of the question that the watch list is about; absent: the most open one."
        ),
    ] = None,
) -> int:
    """Write the full brief of a case, and print nothing but its path.

    To the forecast it adds explanations, counterfactuals and the watch list. Runs that are on disk
    already are not made again.
    """
    from foedus.judgement.dossier import Wanted

    wanted = Wanted(explain, pairs, watch, question)
    _, paths = _forecast(case, as_of, making, brief, pdf, wanted)
    for path in paths:
        print(path)
    return 0


@app.command(
    help_epilogue=_example(
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
    making: Making = _MAKING,
    json: Json = False,
) -> int:
    """Score the forecast of a case against its outcomes and the baselines.

    For a range of days: the answers by day beside what came, and the scores by lead time.
    """
    from foedus import judgement
    from foedus.case.span import is_span
    from foedus.errors import InputError
    from foedus.report import tables

    if as_of is not None and is_span(as_of):
        return _by_day(case, as_of, json, True, making)
    what = _case_to_run(case, making)
    if not what.outcomes:
        raise InputError(f"case {what.id} has no outcomes, so it cannot be scored yet")
    scores = judgement.score(
        what,
        as_of=as_of,
        **making.options(),
    )
    if json:
        tables.print_json(scores.to_dict())
    else:
        tables.print_scores(scores)
    return 0


@app.command(
    help_epilogue=_example(
        "foedus explain kazakhstan-2022 --as-of 2022-01-07 --runs 20000",
        "foedus explain my-case.yaml --pairs 0 --json",
    )
)
def explain(
    case: CaseName,
    /,
    *,
    as_of: AsOf = None,
    making: Making = _MAKING,
    pairs: Annotated[
        int,
        Parameter(
            validator=Number(gte=0, lte=1_000_000),
            help="Pairs of runs for each counterfactual; 0 makes none.",
        ),
    ] = 400,
    json: Json = False,
) -> int:
    """Weigh the explanations of a case, and say what would have been otherwise.

    Runs that are on disk already are not made again.
    """
    from foedus.judgement.explain import explain as weigh
    from foedus.report import tables
    from foedus.report.explain import print_explanations

    what = _case_to_run(case, making)
    found = weigh(
        what,
        as_of=as_of,
        pairs=pairs,
        **making.options(),
    )
    if json:
        tables.print_json(found.to_dict())
    else:
        print_explanations(found)
    return 0


@app.command(
    help_epilogue=_example(
        "foedus watch kazakhstan-2022 --as-of 2022-01-07 --question troops-3000",
        "foedus watch my-case.yaml --rating C3 --days 3 --json",
    )
)
def watch(
    case: CaseName,
    /,
    *,
    question: Annotated[
        str | None,
        Parameter(help="Id of the question to tell of; which hypothesis holds if absent."),
    ] = None,
    as_of: AsOf = None,
    rating: Annotated[str, Parameter(help="Admiralty rating of the reports looked for.")] = "B2",
    days: Annotated[
        int, Parameter(validator=Number(gte=1, lte=3660), help="Days after the date to look at.")
    ] = 7,
    quantity: Annotated[
        list[str] | None,
        Parameter(help="Only this word of the vocabulary; may be given again.", negative=""),
    ] = None,
    top: Annotated[
        int, Parameter(validator=Number(gte=1, lte=10_000), help="Things in the table.")
    ] = 8,
    making: Making = _MAKING,
    json: Json = False,
) -> int:
    """Rank the reports that could come next by what they would tell.

    Runs that are on disk already are not made again.
    """
    from foedus.judgement.watch import watch as look
    from foedus.report import tables
    from foedus.report.watch import print_watch

    what = _case_to_run(case, making)
    found = look(
        what,
        question=question,
        as_of=as_of,
        rating=rating,
        days=days,
        quantities=quantity,
        **making.options(),
    )
    if json:
        tables.print_json(found.to_dict())
    else:
        print_watch(found, top=top)
    return 0


@app.command(
    help_epilogue=_example(
        "foedus sensitivity kazakhstan-2022 --as-of 2022-01-07",
        "foedus sensitivity kazakhstan-2022 --question all-deaths --chart deaths.svg",
        "foedus sensitivity my-case.yaml --design sobol --runs 4000 --json",
    )
)
def sensitivity(
    case: CaseName,
    /,
    *,
    as_of: AsOf = None,
    question: Annotated[
        str | None, Parameter(help="Id of a question, to see it in full; all if absent.")
    ] = None,
    design: Annotated[
        Literal["given", "sobol"],
        Parameter(
            help="From the runs of the forecast; or from runs of a Saltelli design, which gives "
            "total shares too, before the evidence only."
        ),
    ] = "given",
    by: Annotated[
        Literal["mechanism", "input"],
        Parameter(help="sobol: the inputs of a mechanism together, or each input."),
    ] = "mechanism",
    making: Making = _MAKING,
    pairs: Annotated[
        int,
        Parameter(
            validator=Number(gte=0, lte=1_000_000),
            help="Pairs of runs that tell the share of chance; 0 makes none.",
        ),
    ] = 400,
    top: Annotated[
        int, Parameter(validator=Number(gte=1), help="Inputs that are shown of one question.")
    ] = 10,
    chart: Annotated[
        Path | None, Parameter(help="SVG file to write, of one question: a tornado chart.")
    ] = None,
    after: Annotated[
        bool, Parameter(negative="", help="The chart: after the evidence instead of before.")
    ] = False,
    json: Json = False,
) -> int:
    """Say which uncertain inputs the answers hang on, and how much is chance.

    Runs that are on disk already are not made again.
    """
    from foedus.errors import InputError
    from foedus.judgement.sensitivity import sensitivity as measure
    from foedus.report import tables
    from foedus.report.effects import tornado_svg
    from foedus.report.sensitivity import print_sensitivities

    if chart is not None and question is None:
        raise InputError("--chart: of which question? Give --question too")
    _refuse_picture(chart)
    what = _case_to_run(case, making)
    found = measure(
        what,
        as_of=as_of,
        question=question,
        design=design,
        by=by,
        pairs=pairs,
        **making.options(),
    )
    if chart is not None and question is not None:
        chart.write_text(tornado_svg(found, question, after=after, most=top), encoding="utf-8")
    if json:
        tables.print_json(found.to_dict())
    else:
        print_sensitivities(found, most=top)
    return 0


@app.command(
    help_epilogue=_example(
        "foedus discover kazakhstan-2022 --question hundred-deaths --before",
        "foedus discover my-case.yaml --question deaths --at-least 500 --method tree",
        "foedus discover my-case.yaml --question landed --chart landed.svg --json",
    )
)
def discover(
    case: CaseName,
    /,
    *,
    question: Annotated[str, Parameter(help="Id of the question.")],
    as_of: AsOf = None,
    at_least: Annotated[
        float | None, Parameter(help="A number: look for answers of at least this.")
    ] = None,
    at_most: Annotated[
        float | None, Parameter(help="A number: look for answers of at most this.")
    ] = None,
    by: Annotated[
        str | None,
        Parameter(help="A date: look for answers up to it; within the days simulated if absent."),
    ] = None,
    happens: Annotated[
        bool | None,
        Parameter(
            negative="--fails",
            help="Look for the outcome, or for its not happening; the rarer of the two if absent.",
        ),
    ] = None,
    before: Annotated[
        bool, Parameter(negative="", help="Do not weigh the runs by the evidence.")
    ] = False,
    method: Annotated[
        Literal["prim", "tree"], Parameter(help="Peel a box, or grow a classification tree.")
    ] = "prim",
    chance: Annotated[
        bool, Parameter(negative="", help="Allow conditions on chance that is drawn once a run.")
    ] = False,
    making: Making = _MAKING,
    chart: Annotated[Path | None, Parameter(help="SVG file to write.")] = None,
    json: Json = False,
) -> int:
    """Say in one sentence under which conditions an outcome happens.

    Runs that are on disk already are not made again.
    """
    from foedus.judgement.discovery import discover as look
    from foedus.report import tables
    from foedus.report.discovery import print_discovery
    from foedus.report.effects import discovery_svg

    _refuse_picture(chart)
    what = _case_to_run(case, making)
    found = look(
        what,
        question=question,
        as_of=as_of,
        at_least=at_least,
        at_most=at_most,
        by=_date("--by", by),
        happens=happens,
        before=before,
        method=method,
        chance=chance,
        **making.options(),
    )
    if chart is not None:
        chart.write_text(discovery_svg(found), encoding="utf-8")
    if json:
        tables.print_json(found.to_dict())
    else:
        print_discovery(found)
    return 0


@app.command(
    help_epilogue=_example(
        "foedus diagnose kazakhstan-2022 --as-of 2022-01-07",
        "foedus diagnose my-case.yaml --json",
    )
)
def diagnose(
    case: CaseName,
    /,
    *,
    as_of: AsOf = None,
    making: Making = _MAKING,
    json: Json = False,
) -> int:
    """Show what a forecast hangs on: conflicts, what moved which answer, which source is believed.

    Runs that are on disk already are not made again.
    """
    from foedus.judgement.diagnostics import diagnose as examine
    from foedus.report import tables
    from foedus.report.diagnostics import print_diagnostics

    what = _case_to_run(case, making)
    found = examine(
        what,
        as_of=as_of,
        **making.options(),
    )
    if json:
        tables.print_json(found.to_dict())
    else:
        print_diagnostics(found)
    return 0


@app.command(help_epilogue=_example("foedus schema > case.schema.json"))
def schema() -> int:
    """Print the JSON Schema of case files, for editors."""
    from foedus.case.schema import json_schema
    from foedus.report import tables

    tables.print_json(json_schema())
    return 0


@app.command(help_epilogue=_example('foedus new my-case.yaml --title "A crisis of my own"'))
def new(
    path: Annotated[Path, Parameter(help="The file to write; it must not exist.")],
    /,
    *,
    title: Annotated[str, Parameter(help="Title of the case.")] = "A new case",
) -> int:
    """Write a starter case with notes, which passes foedus check."""
    from foedus.case.template import new_case

    print(new_case(path, title=title))
    return 0


@app.command(
    help_epilogue=_example("foedus serve --open", "foedus serve --cases my-cases --port 8001")
)
def serve(
    *,
    port: Annotated[
        int, Parameter(validator=Number(gte=0, lte=65535), help="Port; 0 takes a free one.")
    ] = 8000,
    host: Annotated[
        str, Parameter(help="Address to listen on. Others than this machine only if you say so.")
    ] = "127.0.0.1",
    cases: Annotated[
        Path, Parameter(help="Folder of your own cases; new ones are saved there.")
    ] = Path("cases"),
    results: Annotated[Path, Parameter(help="Folder of the runs.")] = Path("results"),
    open_: Annotated[
        bool, Parameter(name="--open", negative="", help="Open the page in the browser.")
    ] = False,
) -> int:
    """Show the page: forecasts, streets, what if and explanations, on this machine only."""
    from foedus.app.run import serve as run_page

    return run_page(host=host, port=port, cases=cases, results=results, open_page=open_)


@app.command(help_epilogue=_example("foedus warm"))
def warm() -> int:
    """Compile the kernels now, so that the first run need not."""
    import time

    from foedus import streets

    began = time.perf_counter()
    for name in streets.warm():
        print(name, file=sys.stderr)
    print(f"ready after {time.perf_counter() - began:.1f} s")
    return 0


@runs_app.command(name="list", help_epilogue=_example("foedus runs list results"))
def runs_list(
    folder: Annotated[Path, Parameter(help="Where to look.")] = Path("results"), /
) -> int:
    """List the stores in a folder, the newest first."""
    from foedus.ensemble import list_runs
    from foedus.errors import InputError
    from foedus.report import tables

    if folder != Path("results") and not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    tables.print_run_list(list_runs(folder), folder)
    return 0


@runs_app.command(name="show", help_epilogue=_example("foedus runs show kz.zarr"))
def runs_show(store: Store, /) -> int:
    """Show what a store holds, and the command that makes it again."""
    from foedus.ensemble import show
    from foedus.report import tables

    tables.print_run_info(show(store))
    return 0


@runs_app.command(name="diff", help_epilogue=_example("foedus runs diff kz-1.zarr kz-2.zarr"))
def runs_diff(a: Store, b: Store, /) -> int:
    """Compare two stores bit by bit: exit status 0 if equal, 1 if not, and where."""
    from foedus.ensemble import diff

    difference = diff(a, b)
    print(difference)
    return 0 if difference.equal else 1


@runs_app.command(name="verify", help_epilogue=_example("foedus runs verify kz.zarr"))
def runs_verify(store: Store, /) -> int:
    """Check a store against its checksums: exit status 0 if sound, 1 if damaged."""
    from foedus.ensemble import open_ensemble
    from foedus.errors import StoreError

    ensemble = open_ensemble(store)
    try:
        sound = ensemble.verify()
    except StoreError as error:
        print(error)
        return 1
    print(f"{sound:,} of {ensemble.plan.runs:,} runs are there, and all of them are sound")
    return 0


@runs_app.command(
    name="prune",
    help_epilogue=_example(
        "foedus runs prune --unfinished", "foedus runs prune --older-than 30 --delete"
    ),
)
def runs_prune(
    folder: Annotated[Path, Parameter(help="Where to look.")] = Path("results"),
    /,
    *,
    unfinished: Annotated[bool, Parameter(negative="", help="Stores with runs missing.")] = False,
    damaged: Annotated[
        bool, Parameter(negative="", help="Stores that are damaged; reads all their data.")
    ] = False,
    older_than: Annotated[
        int | None, Parameter(validator=Number(gte=0), help="Stores made so many days ago.")
    ] = None,
    delete: Annotated[
        bool, Parameter(negative="", help="Delete them; without it they are only listed.")
    ] = False,
) -> int:
    """List the stores that you describe, and delete them with --delete. One in use is kept."""
    from foedus.ensemble.prune import prune

    found = prune(
        folder, unfinished=unfinished, damaged=damaged, older_than=older_than, delete=delete
    )
    for unwanted in found:
        print(f"{unwanted.path}  {unwanted.size / 1e6:,.1f} MB  {unwanted.why}")
    total = f"{len(found)} stores, {sum(u.size for u in found) / 1e6:,.1f} MB"
    hint = "deleted" if delete else "nothing deleted; add --delete to delete them"
    print(f"{total}: {hint}" if found else "nothing to prune")
    return 0


@runs_app.command(
    name="export",
    help_epilogue=_example(
        "foedus runs export kz.zarr --to parquet",
        "foedus runs export kz.zarr --to hubverse --out 2022-01-07-foedus.csv",
    ),
)
def runs_export(
    store: Store,
    /,
    *,
    to: Annotated[
        Literal["netcdf", "parquet", "csv", "arviz", "hubverse"],
        Parameter(help="hubverse: the forecast that follows from the runs."),
    ],
    out: Annotated[
        Path | None, Parameter(help="What to write, beside the store if absent; must not exist.")
    ] = None,
    case: Annotated[
        str | None, Parameter(help="hubverse: the case, if the store's own name finds it not.")
    ] = None,
    as_of: Annotated[
        str | None, Parameter(help="hubverse: as of another date than that of the runs.")
    ] = None,
) -> int:
    """Write the runs of a store, or their forecast, in a format of other programs."""
    from foedus.ensemble import open_ensemble

    ensemble = open_ensemble(store)
    if to == "hubverse":
        from foedus import judgement, load_case
        from foedus.judgement import hubverse

        result = judgement.forecast(
            load_case(case or ensemble.plan.case_name),
            as_of=as_of or ensemble.plan.as_of,
            ensemble=ensemble,
        )
        path = out or store.with_name(f"{store.stem}-hubverse.csv")
        print(hubverse.write(result.to_dict(), path))
        return 0
    from foedus.ensemble.export import FORMATS
    from foedus.errors import InputError

    if case is not None or as_of is not None:
        raise InputError("--case, --as-of: only with --to hubverse")
    write, suffix = FORMATS[to]
    print(write(ensemble, out or store.with_name(f"{store.stem}{suffix}")))
    return 0


def _casebook(name: str, example: str) -> Callable[[_Command], _Command]:
    def register(command: _Command) -> _Command:
        casebook_app.command(command, name=name, help_epilogue=_example(example))
        return command

    return register


@_casebook("list", "foedus casebook list --organisation CSTO")
def casebook_list(
    *,
    organisation: Organisation = None,
    trigger: Trigger = None,
    first_year: FirstYear = None,
    last_year: LastYear = None,
    folder: OwnCases = None,
    json: Json = False,
) -> int:
    """List the coded cases."""
    from foedus.casebook.commands import list_cases

    return _show(
        list_cases(
            organisation=organisation,
            trigger=trigger,
            first_year=first_year,
            last_year=last_year,
            folder=folder,
        ),
        json,
    )


@_casebook("show", "foedus casebook show KAZ2022")
def casebook_show(case: CaseId, /, *, folder: OwnCases = None, json: Json = False) -> int:
    """Show a coded case in full, with its sources."""
    from foedus.casebook.commands import show_case

    return _show(show_case(case, folder=folder), json)


@_casebook("compare", "foedus casebook compare KAZ2022 --n 5")
def casebook_compare(
    case: CaseId,
    /,
    *,
    n: Nearest = 5,
    before: Before = None,
    folder: OwnCases = None,
    json: Json = False,
) -> int:
    """List the past cases most like a coded one, known before it began."""
    from foedus.casebook.commands import compare_cases

    return _show(compare_cases(case, n=n, before=_date("--before", before), folder=folder), json)


@_casebook("export", "foedus casebook export casebook.csv")
def casebook_export(
    path: Annotated[Path, Parameter(help="A .csv or .parquet file to write.")],
    /,
    *,
    long: Annotated[bool, Parameter(negative="", help="One row a coded field.")] = False,
    organisation: Organisation = None,
    trigger: Trigger = None,
    first_year: FirstYear = None,
    last_year: LastYear = None,
    folder: OwnCases = None,
) -> int:
    """Write the coded cases as a table."""
    from foedus.casebook.commands import export_cases
    from foedus.errors import InputError

    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder")
    written = export_cases(
        path,
        long=long,
        organisation=organisation,
        trigger=trigger,
        first_year=first_year,
        last_year=last_year,
        folder=folder,
    )
    print(written)
    return 0


@_casebook("base-rate", "foedus casebook base-rate kazakhstan-2022 --as-of 2022-01-05")
def casebook_base_rate(
    case: Annotated[
        str | None,
        Parameter(
            help="A case (shipped name or path), or the id of a coded one; or give features."
        ),
    ] = None,
    /,
    *,
    as_of: AsOf = None,
    trigger: Trigger = None,
    organisation: Organisation = None,
    year: Annotated[int | None, Parameter(help="Year of the crisis.")] = None,
    asked: Annotated[
        bool | None, Parameter(help="The government has asked, or has not; unknown if absent.")
    ] = None,
    n: Nearest = 5,
    before: Before = None,
    folder: OwnCases = None,
    json: Json = False,
) -> int:
    """Give the outside view of a crisis: base rates, models, nearest cases."""
    from foedus.casebook.commands import base_rate_report
    from foedus.errors import InputError

    given = {"trigger": trigger, "organisation": organisation, "year": year}
    missing = [f"--{name}" for name, value in given.items() if value is None]
    if case is not None and len(missing) < len(given):
        raise InputError("give a case or features of your own, not both")
    if case is None and missing:
        raise InputError(f"give a case, or also {', '.join(missing)}")
    if as_of is not None and before is not None:
        raise InputError("give --as-of or --before, not both: they mean the same here")
    if case is not None and not case.isupper():
        return _show(_outside_of(case, as_of or before, n, folder), json)
    before = before or as_of
    what = case if case is not None else {**given, "formal_request": asked}
    report = base_rate_report(what, before=_date("--before", before), n=n, folder=folder)
    return _show(report, json)


def _outside_of(name: str, date: str | None, n: int, folder: Path | None) -> Any:
    """Return the outside view of a case file as of a date."""
    from foedus.case import as_of as known_by
    from foedus.case import load_case
    from foedus.casebook.commands import base_rate_report
    from foedus.errors import InputError
    from foedus.judgement.alike import case_features, own_row

    case = load_case(name)
    known = known_by(case, case.as_of if date is None else date)
    features = case_features(known)
    if not {"trigger", "organisation"} <= set(features):
        raise InputError(
            f"{name}: the casebook needs the case's trigger_type and organisation to compare it"
        )
    return base_rate_report(
        features, title=case.title, before=known.as_of, exclude=own_row(case), n=n, folder=folder
    )


@_casebook("score", "foedus casebook score my-cases.csv")
def casebook_score(
    path: Annotated[Path, Parameter(help="A CSV of coded cases, as export writes it.")],
    /,
    *,
    as_of: Annotated[
        bool, Parameter(negative="", help="Use only what was known before each case.")
    ] = False,
    skip_bad: Annotated[
        bool, Parameter(negative="", help="Leave bad rows out and list them.")
    ] = False,
    json: Json = False,
) -> int:
    """Predict the cases of a file, and score the predictions."""
    from foedus.casebook.commands import score_file

    return _show(score_file(path, as_of=as_of, skip_bad=skip_bad), json)


def _show(result: Any, json: bool) -> int:
    from foedus.report import tables

    if json:
        tables.print_json(result.data())
    else:
        print(result.text())
    return 0


def _date(option: str, text: str | None) -> dt.date | None:
    import datetime as dt

    from foedus.errors import InputError

    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option}: a date such as 2022-01-07 (found {text!r})") from None


def _refuse_undeclared(case: Case) -> None:
    """Refuse what a case file names that no mechanism declares."""
    from foedus.world.engine import registry
    from foedus.world.parameters import refuse_undeclared

    refuse_undeclared(case, registry(case))


def _case_to_run(name: str, making: Making) -> Case:
    """Return a case; refuse what would go wrong only after its runs are made."""
    from foedus import load_case

    case = load_case(name)
    _refuse_undeclared(case)
    _refuse_file(making.out)
    return case


def _refuse_file(out: Path | None) -> None:
    from foedus.errors import InputError

    if out is None:
        return
    if not out.name:
        raise InputError(f"--out {out}: the name of a folder of its own")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: a file is there; a store is a folder, give another name")
    if out.suffix in _PAGES:
        raise InputError(f"--out {out}: a store is a folder; its brief will have that name")
    _refuse_inside("--out", out)


def _refuse_brief_of_days(brief: Path | None, pdf: Path | None) -> None:
    from foedus.errors import InputError

    if brief is not None or pdf is not None:
        raise InputError("--brief, --pdf: of one day only; give --as-of one date")


def _by_day(name: str, span: str, json: bool, scored: bool, making: Making) -> int:
    """Make, print and write the forecasts of a range of days."""
    from foedus import load_case
    from foedus.case.span import days_of, parse_span
    from foedus.ensemble.runner import RESULTS
    from foedus.errors import InputError
    from foedus.judgement.lead_time import history
    from foedus.judgement.timeline import timeline
    from foedus.report import tables
    from foedus.report import timeline as text
    from foedus.report.timeplots import timeline_svg

    first, last = parse_span(span)
    what = load_case(name)
    days_of(what, first, last)
    _refuse_undeclared(what)
    out = making.out
    _refuse_file(out)
    if out is not None and (out / "zarr.json").is_file():
        raise InputError(f"--out {out}: a store; for a range of days give a folder for several")
    given = making.options()
    stem = (out or RESULTS) / f"{what.id}_{first}..{last}_seed{making.seed}"
    outcomes = None
    if scored:
        found = history(what, first, last, **given)
        made, data = found.timeline, found.to_dict()
        outcomes = {q.id: q.outcome for q in found.scores[-1].questions}
    else:
        made = timeline(what, first, last, **given)
        data = made.to_dict()
    table = text.write_csv(made, stem.with_name(f"{stem.name}.csv"))
    picture = stem.with_name(f"{stem.name}.svg")
    picture.write_text(timeline_svg(made, outcomes), encoding="utf-8")
    if json:
        tables.print_json(data)
    elif scored:
        text.print_history(found)
    else:
        text.print_timeline(made)
    to = sys.stderr if json else sys.stdout
    print(f"\nTable: {table}\nPicture: {picture}", file=to)
    return 0


def _refuse_brief(option: str, brief: Path | None, endings: tuple[str, ...]) -> None:
    """Refuse what would destroy something, or could not be written after all the runs."""
    from foedus.errors import InputError

    if brief is None:
        return
    if brief.is_dir():
        raise InputError(f"{option} {brief}: a folder is there; give the name of a file")
    if brief.suffix not in endings:
        raise InputError(f"{option} {brief}: a file name that ends in {endings[0]}")
    _refuse_inside(option, brief)
    folder = next(p for p in brief.absolute().parents if p.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InputError(f"{option} {brief}: {folder} can't be written to")


def _refuse_picture(chart: Path | None) -> None:
    """Refuse a chart that could not be written after all the runs."""
    from foedus.errors import InputError

    if chart is None:
        return
    if chart.suffix != ".svg":
        raise InputError(f"--chart {chart}: a file name that ends in .svg")
    _refuse_inside("--chart", chart)
    folder = chart.absolute().parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InputError(f"--chart {chart}: {folder} can't be written to")


def _refuse_inside(option: str, path: Path) -> None:
    from foedus.errors import InputError

    for folder in path.absolute().parents:
        if (folder / "zarr.json").is_file():
            raise InputError(f"{option} {path}: {folder.name} is a store; nothing else goes there")


def _forecast(
    case: str,
    as_of: str | None,
    making: Making,
    brief: Path | None,
    pdf: Path | None,
    wanted: Wanted | None = None,
) -> tuple[Forecast, list[Path]]:
    """Make or reuse the runs, forecast, write the briefs; return the forecast and their paths."""
    from foedus.judgement.dossier import Wanted, dossier
    from foedus.report.forecast import brief as write_brief
    from foedus.report.forecast import known_by

    what, out = _case_to_run(case, making), making.out
    if brief is None and out is not None:
        name = out.stem if out.suffix == ".zarr" else out.name
        brief = out.with_name(f"{name}.html")
    _refuse_brief("--brief", brief, _PAGES)
    _refuse_brief("--pdf", pdf, _PAPERS)
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
