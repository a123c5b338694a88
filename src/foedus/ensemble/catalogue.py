"""The stores in a folder: their contents, whether they are intact, and deleting unwanted ones."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foedus.ensemble import store
from foedus.ensemble.ensemble import open_ensemble
from foedus.ensemble.runner import RESULTS
from foedus.ensemble.store import locked
from foedus.errors import InputError, StoreError

#: Arrays that identify a store as ours when its plan cannot be read.
_OURS = ("checksum", "parameters", "log_guidance")


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True)
class Unwanted:
    """A store that is to be deleted, or was.

    Attributes
    ----------
    path : pathlib.Path
    reason : str
    size : int
        Bytes on disk.
    """

    path: Path
    reason: str
    size: int


def prune(
    folder: str | Path = RESULTS,
    *,
    unfinished: bool = False,
    damaged: bool = False,
    older_than: int | None = None,
    delete: bool = False,
) -> list[Unwanted]:
    """Find the stores in a folder that meet one of the conditions, and delete them if told to.

    Parameters
    ----------
    folder : str or pathlib.Path
    unfinished : bool
        Stores with missing runs, and what a killed process left of one.
    damaged : bool
        Stores whose plan cannot be read, or whose data do not match their checksums; this reads all
        data.
    older_than : int, optional
        Stores made more than this number of days ago.
    delete : bool
        If False, nothing is deleted.

    Raises
    ------
    InputError
        If no condition is given, or there is no such folder.
    StoreError
        If a store is in use or cannot be removed; those before it are deleted already.
    """
    folder = Path(folder)
    if not (unfinished or damaged or older_than is not None):
        raise InputError("prune: say what to delete: --unfinished, --damaged or --older-than DAYS")
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found = []
    for path in sorted(folder.iterdir()):
        reason = _reason(path, unfinished, damaged, older_than)
        if reason is not None:
            found.append(Unwanted(path, reason, _size(path)))
    if delete:
        for unwanted in found:
            _delete(unwanted.path)
    return found


def _reason(path: Path, unfinished: bool, damaged: bool, older_than: int | None) -> str | None:
    if path.is_symlink() or not path.is_dir():
        return None
    if path.name.startswith("."):
        draft = path.name.endswith(".partial") and (path / store.MARKS).is_dir()
        return "left by a process that was killed" if unfinished and draft else None
    if not (path / store.MARKS).is_dir():
        return None
    try:
        ensemble = open_ensemble(path)
        complete = ensemble.complete_runs
    except StoreError as error:
        ours = all((path / name).is_dir() for name in _OURS)
        return str(error).removeprefix(f"{path}: ") if damaged and ours else None
    if unfinished and complete < ensemble.plan.runs:
        return f"{complete:,} of {ensemble.plan.runs:,} runs are done"
    days = _age(str(ensemble.attributes.get("created", "")))
    if older_than is not None and days is not None and days > older_than:
        return f"made {days:.0f} days ago"
    if damaged and (wrong := ensemble.damaged()):
        return f"{len(wrong)} of {ensemble.plan.batches} batches are damaged"
    return None


def _age(created: str) -> float | None:
    try:
        made = dt.datetime.fromisoformat(created)
    except ValueError:
        return None
    if made.tzinfo is None:
        return None
    return (dt.datetime.now(dt.UTC) - made).total_seconds() / 86_400


def _size(path: Path) -> int:
    return sum(_sizes(path))


def _sizes(path: Path) -> Iterator[int]:
    for file in path.rglob("*"):
        if file.is_file():
            yield file.stat().st_size


def _delete(path: Path) -> None:
    """Move a store away in one step, then delete its data."""
    if path.name.startswith("."):
        shutil.rmtree(path)
        return
    with locked(path), store.writing(path):
        gone = path.with_name(f".{path.name}.{os.getpid()}.partial")
        path.rename(gone)
        shutil.rmtree(gone)
