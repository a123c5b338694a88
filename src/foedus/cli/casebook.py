"""Commands on the coded cases: foedus casebook ..."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Parameter

from foedus.cli.app import casebook_app, example
from foedus.cli.options import (
    AsOfOption,
    Before,
    CaseId,
    FirstYear,
    Json,
    LastYear,
    Nearest,
    Organisation,
    OwnCases,
    Trigger,
    date,
)

if TYPE_CHECKING:
    from foedus.casebook.outlook import OutsideView

_Command = TypeVar("_Command", bound=Callable[..., int])


def _casebook(name: str, line: str) -> Callable[[_Command], _Command]:
    def register(command: _Command) -> _Command:
        casebook_app.command(command, name=name, help_epilogue=example(line))
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
    from foedus.casebook import load_casebook
    from foedus.report import casebook_view as report

    book = load_casebook(folder).filter(
        organisation=organisation, trigger=trigger, years=(first_year, last_year)
    )
    return _show(report.case_list_data(book) if json else report.case_list(book))


@_casebook("show", "foedus casebook show KAZ2022")
def casebook_show(case: CaseId, /, *, folder: OwnCases = None, json: Json = False) -> int:
    """Show a coded case in full, with its sources."""
    from foedus.casebook import load_casebook
    from foedus.report import casebook_view as report

    book = load_casebook(folder)
    sheet = report.case_sheet_data if json else report.case_sheet
    return _show(sheet(book[case], book))


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
    """List the past cases most like a coded one, as known before it began."""
    from foedus.casebook import load_casebook
    from foedus.casebook.similarity import nearest_to_coded
    from foedus.report import casebook_view as report

    book = load_casebook(folder)
    nearest_cases = nearest_to_coded(book, case, n=n, before=date("--before", before))
    compared = report.comparison_data if json else report.comparison
    return _show(compared(f"{case}, {book[case].title}", nearest_cases))


@_casebook("export", "foedus casebook export casebook.csv")
def casebook_export(
    path: Annotated[Path, Parameter(help="A .csv or .parquet file to write.")],
    /,
    *,
    long: Annotated[bool, Parameter(negative="", help="Write one row per coded field.")] = False,
    organisation: Organisation = None,
    trigger: Trigger = None,
    first_year: FirstYear = None,
    last_year: LastYear = None,
    folder: OwnCases = None,
) -> int:
    """Write the coded cases as a table."""
    from foedus.casebook import load_casebook
    from foedus.errors import InputError

    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder")
    book = load_casebook(folder).filter(
        organisation=organisation, trigger=trigger, years=(first_year, last_year)
    )
    print(book.export(path, long=long))
    return 0


@_casebook("base-rate", "foedus casebook base-rate kazakhstan-2022 --as-of 2022-01-05")
def casebook_base_rate(
    case: Annotated[
        str | None,
        Parameter(
            help="A case (shipped name or path) or the id of a coded case; or give features."
        ),
    ] = None,
    /,
    *,
    as_of: AsOfOption = None,
    trigger: Trigger = None,
    organisation: Organisation = None,
    year: Annotated[int | None, Parameter(help="Year of the crisis.")] = None,
    asked: Annotated[
        bool | None, Parameter(help="Whether the government has asked; unknown if absent.")
    ] = None,
    mission: Annotated[
        str | None,
        Parameter(
            help="What the force is sent to do, once announced: guard, fight, police, occupation."
        ),
    ] = None,
    n: Nearest = 5,
    before: Before = None,
    folder: OwnCases = None,
    json: Json = False,
) -> int:
    """Give the outside view of a crisis: base rates, models, nearest cases."""
    from foedus.casebook.outlook import outside_view
    from foedus.errors import InputError
    from foedus.report import casebook_view as report

    given = {"trigger": trigger, "organisation": organisation, "year": year}
    missing = [f"--{name}" for name, value in given.items() if value is None]
    if case is not None and (mission is not None or len(missing) < len(given)):
        raise InputError("give a case or features of your own, not both")
    if case is None and missing:
        raise InputError(f"give a case, or also {', '.join(missing)}")
    if as_of is not None and before is not None:
        raise InputError("give --as-of or --before, not both: they mean the same here")
    if case is not None and not case.isupper():
        view = _outside_of(case, as_of or before, n, folder)
    else:
        own = {**given, "formal_request": asked, "mission_kind": mission}
        what = case if case is not None else own
        view = outside_view(what, before=date("--before", before or as_of), n=n, folder=folder)
    return _show(report.outside_data(view) if json else report.outside(view))


def _outside_of(name: str, date: str | None, n: int, folder: Path | None) -> OutsideView:
    """Return the outside view of a case file as of a date."""
    from foedus.case import as_of as known_by
    from foedus.case import load_case
    from foedus.casebook import load_casebook
    from foedus.casebook.outlook import outside_view
    from foedus.casebook.similarity import case_features
    from foedus.errors import InputError

    case = load_case(name)
    known = known_by(case, case.as_of if date is None else date)
    features = case_features(known)
    if not {"trigger", "organisation"} <= set(features):
        raise InputError(
            f"{name}: to compare it, the casebook needs the case's trigger_type and organisation"
        )
    exclude = load_casebook(folder).own_row(case)
    return outside_view(
        features, title=case.title, before=known.as_of, exclude=exclude, n=n, folder=folder
    )


@_casebook("score", "foedus casebook score my-cases.csv")
def casebook_score(
    path: Annotated[Path, Parameter(help="A CSV file of coded cases, as written by export.")],
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
    """Predict the cases in a file, and score the predictions."""
    from foedus.casebook.scores import score_file
    from foedus.report import casebook_view as report

    scored = score_file(path, as_of=as_of, skip_bad=skip_bad)
    return _show(report.score_report_data(scored) if json else report.score_report(scored))


def _show(result: str | dict[str, Any]) -> int:
    from foedus.report.terminal import print_json

    if isinstance(result, str):
        print(result)
    else:
        print_json(result)
    return 0
