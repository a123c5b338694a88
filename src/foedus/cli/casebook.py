"""Commands about the coded cases: foedus casebook ..."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from foedus.cli.app import casebook_app, example
from foedus.cli.options import (
    AsOf,
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

    return _show(compare_cases(case, n=n, before=date("--before", before), folder=folder), json)


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
    report = base_rate_report(what, before=date("--before", before), n=n, folder=folder)
    return _show(report, json)


def _outside_of(name: str, date: str | None, n: int, folder: Path | None) -> Any:
    """Return the outside view of a case file as of a date."""
    from foedus.case import as_of as known_by
    from foedus.case import load_case
    from foedus.casebook.commands import base_rate_report
    from foedus.errors import InputError
    from foedus.weighing.nearest_cases import case_features, own_row

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
