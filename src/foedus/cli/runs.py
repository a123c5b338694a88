"""Commands on stores of runs: foedus runs ..."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from foedus.cli.app import example, runs_app
from foedus.cli.options import Store
from foedus.report.terminal import aligned

if TYPE_CHECKING:
    from foedus.ensemble.catalogue import RunInfo


@runs_app.command(name="list", help_epilogue=example("foedus runs list results"))
def runs_list(
    folder: Annotated[Path, Parameter(help="Folder to search.")] = Path("results"), /
) -> int:
    """List the stores in a folder, the newest first."""
    from foedus.ensemble import list_runs
    from foedus.errors import InputError

    if folder != Path("results") and not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    _print_list(list_runs(folder), folder)
    return 0


@runs_app.command(name="show", help_epilogue=example("foedus runs show kz.zarr"))
def runs_show(store: Store, /) -> int:
    """Show what a store holds, and the command that makes it again."""
    from foedus.ensemble import show

    _print_info(show(store))
    return 0


@runs_app.command(name="diff", help_epilogue=example("foedus runs diff kz-1.zarr kz-2.zarr"))
def runs_diff(a: Store, b: Store, /) -> int:
    """Compare two stores bit by bit; exit status 0 if equal, 1 if not, and show where."""
    from foedus.ensemble import diff

    difference = diff(a, b)
    print(difference)
    return 0 if difference.equal else 1


@runs_app.command(name="verify", help_epilogue=example("foedus runs verify kz.zarr"))
def runs_verify(store: Store, /) -> int:
    """Check a store against its checksums; exit status 0 if sound, 1 if damaged."""
    from foedus.ensemble import open_ensemble
    from foedus.errors import StoreError

    ensemble = open_ensemble(store)
    try:
        sound = ensemble.verify()
    except StoreError as error:
        print(error)
        return 1
    print(f"{sound:,} of {ensemble.plan.runs:,} runs are complete, and all of these are sound")
    return 0


@runs_app.command(
    name="prune",
    help_epilogue=example(
        "foedus runs prune --unfinished", "foedus runs prune --older-than 30 --delete"
    ),
)
def runs_prune(
    folder: Annotated[Path, Parameter(help="Folder to search.")] = Path("results"),
    /,
    *,
    unfinished: Annotated[bool, Parameter(negative="", help="Stores with missing runs.")] = False,
    damaged: Annotated[
        bool, Parameter(negative="", help="Damaged stores; reads all their data.")
    ] = False,
    older_than: Annotated[
        int | None,
        Parameter(validator=Number(gte=0), help="Stores made more than this number of days ago."),
    ] = None,
    delete: Annotated[
        bool, Parameter(negative="", help="Delete them instead of only listing them.")
    ] = False,
) -> int:
    """List the stores that match, and delete them with --delete; never one in use."""
    from foedus.ensemble.catalogue import prune

    found = prune(
        folder, unfinished=unfinished, damaged=damaged, older_than=older_than, delete=delete
    )
    for unwanted in found:
        print(f"{unwanted.path}  {unwanted.size / 1e6:,.1f} MB  {unwanted.reason}")
    total = f"{len(found)} stores, {sum(u.size for u in found) / 1e6:,.1f} MB"
    hint = "deleted" if delete else "nothing deleted; add --delete to delete them"
    print(f"{total}: {hint}" if found else "nothing to prune")
    return 0


@runs_app.command(
    name="export",
    help_epilogue=example(
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
        Path | None, Parameter(help="Output path; next to the store if absent; must not exist.")
    ] = None,
    case: Annotated[
        str | None, Parameter(help="hubverse: the case, if the name in the store does not find it.")
    ] = None,
    as_of: Annotated[
        str | None, Parameter(help="hubverse: an as-of date other than that of the runs.")
    ] = None,
) -> int:
    """Write the runs of a store, or their forecast, in another program's format."""
    from foedus.ensemble import open_ensemble

    ensemble = open_ensemble(store)
    if to == "hubverse":
        import foedus
        from foedus import load_case
        from foedus.answers import hubverse

        result = foedus.forecast(
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


def _print_list(found: list[RunInfo], folder: Path) -> None:
    """Print one line a store."""
    if not found:
        print(f"no stores in {folder}")
        return
    rows = [
        (
            str(i.path),
            i.case,
            i.as_of or "–",
            str(i.seed),
            f"{i.complete:,} of {i.runs:,}",
            f"{i.size / 1e6:,.1f} MB",
        )
        for i in found
    ]
    print(aligned(("store", "case", "as of", "seed", "runs", "size"), rows))


def _print_info(info: RunInfo) -> None:
    """Print what a store says of itself."""
    rows = {
        "store": str(info.path),
        "case": f"{info.title} ({info.case})",
        "case hash": info.case_hash,
        "as of": info.as_of or "nothing replayed",
        "seed": str(info.seed),
        "runs": f"{info.complete:,} of {info.runs:,} done",
        "failed batches": str(info.failed),
        "batch": f"{info.batch:,} runs",
        "digest": info.digest,
        "versions": ", ".join(f"{name} {number}" for name, number in info.versions.items()),
        "made": info.created,
        "size": f"{info.size / 1e6:,.1f} MB, {info.size / max(info.complete, 1):,.0f} bytes a run",
        "command": info.command,
    }
    for name, value in rows.items():
        print(f"{name:<15} {value}")
