"""Commands on case files and this machine: check, schema, new, serve, warm."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from foedus.cli.app import app, example
from foedus.cli.options import AsOfOption, CaseName, Json


@app.command(
    help_epilogue=example(
        "foedus check kazakhstan-2022 --as-of 2022-01-05",
        "foedus check my-case.yaml --json",
        "foedus check --upgrade old-case.yaml --write",
    )
)
def check(
    case: CaseName,
    /,
    *,
    as_of: AsOfOption = None,
    upgrade: Annotated[
        bool,
        Parameter(negative="", help="Show what brings an older file to the present format."),
    ] = False,
    write: Annotated[
        bool, Parameter(negative="", help="With --upgrade: write the file instead.")
    ] = False,
    json: Json = False,
) -> int:
    """Check a case file, and show what an as-of date hides."""
    from foedus import check as examine
    from foedus.errors import InputError
    from foedus.plain_values import to_plain
    from foedus.report.terminal import print_json

    if write and not upgrade:
        raise InputError("--write: only with --upgrade")
    if upgrade and as_of is not None:
        raise InputError("--as-of: not with --upgrade, which reads no facts")
    try:
        if upgrade:
            return _upgrade(case, write, json)
        report = examine(case, as_of)
    except InputError as error:
        if not json:
            raise
        problems = [to_plain(problem) for problem in error.problems]
        print_json({"ok": False, "message": str(error), "problems": problems})
        return 2
    if json:
        print_json(report.to_dict())
    else:
        print(report)
    return 0


def _upgrade(name: str, write: bool, json: bool) -> int:
    """Show or write a case file in the present format."""
    from foedus.case.load import shipped
    from foedus.case.upgrade import upgrade
    from foedus.errors import InputError
    from foedus.report.terminal import print_json

    if name in shipped():
        raise InputError(f"--upgrade: a file of your own; {name} comes with foedus")
    made = upgrade(name)
    written = write and made.after != made.before
    if written:
        made.write()
    if json:
        changes = {"from": made.old, "to": made.new, "diff": made.diff, "written": written}
        print_json({"ok": True, "file": made.file, **changes})
    elif made.after == made.before:
        print(f"{made.file}: up to date, format {made.new}")
    elif written:
        print(f"{made.file}: format {made.old} is now format {made.new}")
    else:
        print(made.diff, end="")
        print(f"Write it with: foedus check --upgrade {shlex.quote(made.file)} --write")
    return 0


@app.command(help_epilogue=example("foedus schema > case.schema.json"))
def schema() -> int:
    """Print the JSON Schema of case files, for editors."""
    from foedus.case.models import json_schema
    from foedus.report.terminal import print_json

    print_json(json_schema())
    return 0


@app.command(help_epilogue=example('foedus new my-case.yaml --title "A crisis of my own"'))
def new(
    path: Annotated[Path, Parameter(help="The file to write; it must not exist.")],
    /,
    *,
    title: Annotated[str, Parameter(help="Title of the case.")] = "A new case",
) -> int:
    """Write a starter case with comments, which passes foedus check."""
    from foedus.case.template import new_case

    print(new_case(path, title=title))
    return 0


@app.command(
    help_epilogue=example("foedus serve --open", "foedus serve --cases my-cases --port 8001")
)
def serve(
    *,
    port: Annotated[
        int, Parameter(validator=Number(gte=0, lte=65535), help="Port; 0 picks a free one.")
    ] = 8000,
    host: Annotated[
        str, Parameter(help="Address to listen on; the default is for this machine only.")
    ] = "127.0.0.1",
    cases: Annotated[
        Path, Parameter(help="Folder of your own cases, where new ones are saved.")
    ] = Path("cases"),
    results: Annotated[Path, Parameter(help="Folder of the runs.")] = Path("results"),
    open_: Annotated[
        bool, Parameter(name="--open", negative="", help="Open the page in the browser.")
    ] = False,
) -> int:
    """Show the page: forecasts, streets, what-if, explanations; by default on this machine only."""
    from foedus.app.run import serve as run_page

    return run_page(host=host, port=port, cases=cases, results=results, open_page=open_)


@app.command(help_epilogue=example("foedus warm"))
def warm() -> int:
    """Compile the kernels now, so that the first run need not wait for it."""
    import time

    from foedus import streets

    began = time.perf_counter()
    for name in streets.warm():
        print(name, file=sys.stderr)
    print(f"ready after {time.perf_counter() - began:.1f} s")
    return 0
