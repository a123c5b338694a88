"""The stores in a folder: their contents, how they were made, and whether they are intact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foedus.ensemble.ensemble import open_ensemble
from foedus.ensemble.runner import RESULTS
from foedus.errors import StoreError


@dataclass(frozen=True)
class RunInfo:
    """Summary of one store.

    Attributes
    ----------
    path : pathlib.Path
    case, case_hash, title : str
    as_of : str or None
    seed, runs, complete : int
        Seed, planned runs and finished runs.
    failed : int
        Batches whose simulation raised an exception.
    version, created : str
    size : int
        Bytes on disk.
    command : str
        Reproduces the runs.
    versions : mapping of str to str
        Versions of everything that decides the numbers, see :func:`foedus.ensemble.plan.versions`.
    batch : int
        Runs per batch.
    digest : str
        Identifies everything that decides the numbers.
    """

    path: Path
    case: str
    case_hash: str
    title: str
    as_of: str | None
    seed: int
    runs: int
    complete: int
    failed: int
    version: str
    created: str
    size: int
    command: str
    versions: Mapping[str, str] = field(default_factory=dict)
    batch: int = 0
    digest: str = ""


def show(path: str | Path) -> RunInfo:
    """Return the summary of a store.

    Raises
    ------
    StoreError
        If there is none, or its metadata are damaged.
    """
    ensemble = open_ensemble(path)
    plan = ensemble.plan
    return RunInfo(
        path=ensemble.path,
        case=plan.case_id,
        case_hash=plan.case_hash,
        title=str(ensemble.attributes.get("title", "")),
        as_of=plan.as_of,
        seed=plan.seed,
        runs=plan.runs,
        complete=ensemble.complete_runs,
        failed=len(ensemble.failures),
        version=plan.versions["foedus"],
        created=str(ensemble.attributes.get("created", "")),
        size=sum(f.stat().st_size for f in ensemble.path.rglob("*") if f.is_file()),
        command=plan.command(ensemble.path),
        versions=dict(plan.versions),
        batch=plan.batch,
        digest=plan.digest,
    )


def list_runs(folder: str | Path = RESULTS) -> list[RunInfo]:
    """Return the ensembles in a folder, newest first; other files are ignored."""
    found = []
    for path in Path(folder).glob("*/zarr.json"):
        if path.parent.name.startswith("."):
            continue  # a store that is being created
        try:
            found.append(show(path.parent))
        except StoreError:
            continue
    return sorted(found, key=lambda info: (info.created, info.path.name), reverse=True)


def verify(path: str | Path) -> int:
    """Check a store against its checksums; return the number of complete, sound runs.

    Raises
    ------
    StoreError
        Naming the damaged batches and how to make them again.
    """
    return open_ensemble(path).verify()
