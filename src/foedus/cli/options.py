"""Options shared by several commands, and early checks of their values."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from foedus.defaults import FORECAST_RUNS

if TYPE_CHECKING:
    import datetime as dt

    from foedus.case import Case
    from foedus.report.document import Document

#: File name endings of a brief.
PAGES = (".html", ".htm")
PAPERS = (".pdf",)

CaseName = Annotated[str, Parameter(help="A shipped case or the path of a case file.")]
AsOfOption = Annotated[
    str | None,
    Parameter(
        help="Use only what was known by this date (2022-01-07); the case's own date if absent."
    ),
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
        help="Processes; one per core if absent. Does not change the result.",
    ),
]
Batch = Annotated[
    int | None,
    Parameter(
        validator=Number(gte=1, lte=2**20),
        help="Runs held in memory at once. Does not change the result.",
    ),
]
Out = Annotated[
    Path | None, Parameter(help="Folder for the store of the runs; in results/ if absent.")
]
Cluster = Annotated[
    str | None,
    Parameter(
        help="Compute on a Dask cluster: its scheduler's address (tcp://10.0.0.5:8786), its "
        "scheduler file (.json), or local. Changes no result."
    ),
]
Brief = Annotated[
    Path | None, Parameter(help="HTML file to write; next to --out or in results/ if absent.")
]
Pdf = Annotated[Path | None, Parameter(help="PDF file to write as well, with the same content.")]
Store = Annotated[Path, Parameter(help="A store of runs.")]
CaseId = Annotated[str, Parameter(help="Id of a coded case, such as KAZ2022.")]
Organisation = Annotated[str | None, Parameter(help="Organisation or helper, such as CSTO.")]
Trigger = Annotated[str | None, Parameter(help="Kind of trigger, such as domestic_protest.")]
FirstYear = Annotated[int | None, Parameter(help="Earliest year.")]
LastYear = Annotated[int | None, Parameter(help="Latest year.")]
OwnCases = Annotated[
    Path | None, Parameter(help="Folder of your own coded cases, which are added.")
]
Before = Annotated[str | None, Parameter(help="Use only what was known before this date.")]
Nearest = Annotated[int, Parameter(validator=Number(gte=1, lte=1000), help="Number of cases.")]
Json = Annotated[
    bool,
    Parameter(name="--json", negative="", help="Print JSON instead of a table."),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Making:
    """How the runs of a forecast are made: options of every command that needs runs."""

    runs: Runs = FORECAST_RUNS
    seed: Seed = 1
    workers: Workers = None
    batch: Batch = None
    out: Out = None
    cluster: Cluster = None

    def options(self) -> dict[str, Any]:
        """Return the options of :class:`foedus.weighing.weighed.Making`, with progress reports."""
        from foedus.ensemble.progress import for_stream

        return {**asdict(self), "progress": for_stream(sys.stderr)}


MAKING = Making()


def date(option: str, text: str | None) -> dt.date | None:
    """Return the date given to an option."""
    import datetime as dt

    from foedus.errors import InputError

    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option}: a date such as 2022-01-07 (found {text!r})") from None


def refuse_undeclared(case: Case) -> None:
    """Refuse names in a case file that nothing declares; tell of those that are new."""
    from foedus.casebook.case_words import new_words
    from foedus.world.check import refuse_unknown

    refuse_unknown(case)
    for words in new_words(case):
        print(f"Mind: {words}", file=sys.stderr)


def case_to_run(name: str, making: Making, as_of: str | None) -> Case:
    """Return a case, after checks that would otherwise fail only once its runs are made.

    What few runs will agree with is told before they are made.
    """
    from foedus import as_of as known_by
    from foedus import load_case
    from foedus.case.contradictions import steps_without_fact

    case = load_case(name)
    refuse_undeclared(case)
    for words in steps_without_fact(known_by(case, case.as_of if as_of is None else as_of)):
        print(f"Mind: {words}", file=sys.stderr)
    refuse_file(making.out)
    return case


def refuse_file(out: Path | None) -> None:
    """Refuse a path at which no store can be written."""
    from foedus.errors import InputError

    if out is None:
        return
    if not out.name:
        raise InputError(f"--out {out}: the name of a new folder")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: this is a file, but a store is a folder; give another name")
    if out.suffix in PAGES:
        raise InputError(f"--out {out}: a store is a folder; this name belongs to its brief")
    _refuse_inside("--out", out)


def refuse_brief_of_days(brief: Path | None, pdf: Path | None) -> None:
    """Refuse a brief for a range of days."""
    from foedus.errors import InputError

    if brief is not None or pdf is not None:
        raise InputError("--brief, --pdf: for one day only; give --as-of a single date")


def refuse_brief(option: str, brief: Path | None, endings: tuple[str, ...]) -> None:
    """Refuse a path that would overwrite a store or cannot be written."""
    from foedus.errors import InputError

    if brief is None:
        return
    if brief.is_dir():
        raise InputError(f"{option} {brief}: this is a folder; give the name of a file")
    if brief.suffix not in endings:
        raise InputError(f"{option} {brief}: a file name that ends in {endings[0]}")
    _refuse_inside(option, brief)
    folder = next(p for p in brief.absolute().parents if p.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InputError(f"{option} {brief}: {folder} is not writable")


def refuse_picture(chart: Path | None) -> None:
    """Refuse a chart that could not be written once all the runs are made."""
    from foedus.errors import InputError

    if chart is None:
        return
    if chart.suffix != ".svg":
        raise InputError(f"--chart {chart}: a file name that ends in .svg")
    _refuse_inside("--chart", chart)
    folder = chart.absolute().parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InputError(f"--chart {chart}: {folder} is not writable")


def _refuse_inside(option: str, path: Path) -> None:
    from foedus.errors import InputError

    for folder in path.absolute().parents:
        if (folder / "zarr.json").is_file():
            raise InputError(f"{option} {path}: {folder.name} is a store; write elsewhere")


def tell(found: Any, json: bool, view: Callable[[Any], Document]) -> int:
    """Print a result, as JSON or as text; return the exit status."""
    from foedus.report.terminal import print_document, print_json

    if json:
        print_json(found.to_dict())
    else:
        print_document(view(found))
    return 0
