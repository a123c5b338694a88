"""The store on disk: one Zarr group, with one chunk of every array for each batch of runs.

A worker writes only the chunks of its own batch, each by a temporary file and a rename, and flushes
them to disk. Then it writes the batch's *mark*: the number of runs and the CRC-32 of their raw
data. Only the mark says that a batch is done, so a store is valid at every instant, whatever was
killed. The plan is in the group's attributes, and the whole empty group appears at once, by a
rename.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
import shutil
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from foedus.ensemble.plan import Plan
from foedus.errors import StoreError
from foedus.world.order import VARIABLES

Arrays = Mapping[str, NDArray[Any]]

#: Array of batch marks: finished runs in the upper half, CRC-32 of their data in the lower; 0 not
#: done.
MARKS = "checksum"

_PARTIAL = ".partial"


@dataclass(frozen=True)
class Column:
    """One array of the store whose leading dimension is ``run``."""

    name: str
    dims: tuple[str, ...]
    dtype: str
    unit: str
    meaning: str


def columns() -> tuple[Column, ...]:
    """Return all arrays that a batch writes, in the order of the checksum."""
    return (
        Column("run", (), "int64", "1", "global run number"),
        Column("hypothesis", (), "int16", "1", "hypothesis of the run, -1 if none"),
        Column(
            "parameters", ("parameter",), "float64", "see parameter_unit", "values of parameters"
        ),
        *(Column(v.name, v.dims, v.dtype, v.unit, v.meaning) for v in VARIABLES.values()),
    )


def sizes(plan: Plan) -> dict[str, int]:
    """Return the length of each dimension except the run."""
    return {
        "day": plan.horizon,
        "city": len(plan.cities),
        "member": len(plan.members),
        "parameter": len(plan.parameters),
    }


def chunk_file(path: Path, column: Column, batch: int) -> Path:
    """Return the file of a column's only chunk in a batch."""
    return path / column.name / ".".join(["c", str(batch), *("0" for _ in column.dims)])


def shape_of(column: Column, plan: Plan) -> tuple[int, ...]:
    """Return the shape of a column after the run axis."""
    return tuple(sizes(plan)[d] for d in column.dims)


# ------------------------------------------------------------------------------- create, extend


def create(path: Path, plan: Plan, *, title: str, case: str) -> None:
    """Make an empty store; it appears whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        Must not exist.
    plan : Plan
    title, case : str
        The case's title, and the case as the world sees it, as JSON.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        try:
            _lay_out(draft, plan, title, case)
            _sync_tree(draft)
            draft.rename(path)
            _sync(path.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _lay_out(draft: Path, plan: Plan, title: str, case: str) -> None:
    import zarr
    from zarr.codecs import Crc32cCodec, ZstdCodec

    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    about = {"title": title, "created": now, "plan": plan.to_json(), "case": case}
    group = zarr.create_group(draft, zarr_format=3, attributes=about)

    def array(
        name: str, shape: tuple[int, ...], chunk: int, dims: tuple[str, ...], **more: Any
    ) -> Any:
        return group.create_array(
            name,
            shape=shape,
            chunks=(chunk, *(max(n, 1) for n in shape[1:])),
            dimension_names=dims,
            chunk_key_encoding={"name": "default", "separator": "."},
            **more,
        )

    for column in columns():
        attributes: dict[str, Any] = {"units": column.unit, "long_name": column.meaning}
        if column.name == "hypothesis":
            attributes["flag_values"] = list(range(len(plan.hypotheses)))
            attributes["flag_meanings"] = " ".join(plan.hypotheses)
        array(
            column.name,
            (plan.runs, *shape_of(column, plan)),
            plan.batch,
            ("run", *column.dims),
            dtype=column.dtype,
            compressors=(ZstdCodec(level=1), Crc32cCodec()),
            attributes=attributes,
        )
    meaning = "finished runs times 2**32 plus CRC-32 of their data; 0 if not done"
    array(
        MARKS,
        (plan.batches,),
        1,
        ("batch",),
        dtype="uint64",
        compressors=(),
        fill_value=0,
        attributes={"units": "1", "long_name": meaning},
    )
    coordinates: dict[str, tuple[str, Any, dict[str, str]]] = {
        "day": ("day", np.arange(plan.horizon), {"units": f"days since {plan.start}"}),
        "city": ("city", plan.cities, {"long_name": "city"}),
        "member": ("member", plan.members, {"long_name": "member of the alliance"}),
        "parameter": ("parameter", plan.parameters, {"long_name": "parameter"}),
        "parameter_unit": ("parameter", plan.parameter_units, {"long_name": "unit of parameter"}),
    }
    for name, (dim, data, attrs) in coordinates.items():
        text = not isinstance(data, np.ndarray)
        whole = array(
            name, (len(data),), max(len(data), 1), (dim,), dtype=str if text else "int64",
            attributes=attrs,
        )  # fmt: skip
        whole[...] = np.array(data, dtype=object) if text else data


def extend(path: Path, plan: Plan) -> None:
    """Make room for more runs; the arrays grow first, the plan last."""
    with writing(path):
        group = open_group(path, "r+")
        for column in columns():
            group[column.name].resize((plan.runs, *shape_of(column, plan)))
        group[MARKS].resize((plan.batches,))
        write_attributes(path, {"plan": plan.to_json()})


def write_attributes(path: Path, changes: Mapping[str, Any]) -> None:
    """Change attributes of the group in one atomic step; None removes one."""
    with writing(path):
        group = open_group(path, "r+")
        merged = {**dict(group.attrs), **changes}
        # One document and one rename: a reader sees the old attributes or the new ones.
        group.attrs.put({k: v for k, v in merged.items() if v is not None})
        _sync(path / "zarr.json")


# ------------------------------------------------------------------------------------- batches


def checksum(arrays: Arrays) -> int:
    """Return the CRC-32 of the raw data of a batch, over all columns in their order."""
    crc = 0
    for column in columns():
        data = np.ascontiguousarray(arrays[column.name], dtype=column.dtype)
        crc = zlib.crc32(column.name.encode(), crc)
        crc = zlib.crc32(data.reshape(-1).view(np.uint8).data, crc)
    return crc


def write_batch(path: Path, plan: Plan, batch: int, arrays: Arrays) -> int:
    """Write one batch, flush it to disk, and mark it as done.

    Parameters
    ----------
    path : pathlib.Path
    plan : Plan
    batch : int
    arrays : mapping of str to ndarray
        All of :func:`columns` for the runs of the batch.

    Returns
    -------
    int
        The mark.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    first, end = plan.bounds(batch)
    with writing(path):
        try:
            _write_chunks(path, plan, batch, arrays)
        except OSError:
            raise
        except Exception:  # from the codecs, if a batch that is completed here has a damaged part
            clear_batch(path, batch)
            _write_chunks(path, plan, batch, arrays)
        mark = ((end - first) << 32) | checksum(arrays)
        _set_mark(path, batch, mark)
    return mark


def _write_chunks(path: Path, plan: Plan, batch: int, arrays: Arrays) -> None:
    first, end = plan.bounds(batch)
    for column in columns():
        _writable(path, column.name)[first:end] = arrays[column.name]
    _sync_all([chunk_file(path, column, batch) for column in columns()])
    _sync_all([path / column.name for column in columns()])


def clear_batch(path: Path, batch: int) -> None:
    """Remove a damaged batch: its mark first, then its chunks."""
    with writing(path):
        _set_mark(path, batch, 0)
        for column in columns():
            chunk_file(path, column, batch).unlink(missing_ok=True)


def read_batch(
    path: Path, stored: Stored, plan: Plan, batch: int, runs: int
) -> dict[str, NDArray[Any]]:
    """Read the first ``runs`` runs of a batch; errors of the codecs are not caught."""
    first = batch * plan.batch
    for column in columns():
        if not chunk_file(path, column, batch).exists():
            raise StoreError(f"the chunk of {column.name} is missing")
    return {c.name: np.asarray(stored[c.name][first : first + runs]) for c in columns()}


def read_marks(path: Path, plan: Plan) -> NDArray[np.uint64]:
    """Return the marks of all batches; a mark that cannot be read counts as not done.

    The marks are read as files, not through Zarr: there is one of eight bytes for each batch.

    Raises
    ------
    StoreError
        If the folder of the marks is missing.
    """
    marks = np.zeros(plan.batches, dtype=np.uint64)
    try:
        with os.scandir(path / MARKS) as entries:
            for entry in entries:
                number = entry.name.removeprefix("c.")
                if number.isascii() and number.isdigit() and int(number) < marks.size:
                    raw = Path(entry.path).read_bytes()
                    marks[int(number)] = int.from_bytes(raw, "little") if len(raw) == 8 else 0
    except OSError as error:
        raise StoreError(f"{path}: the marks cannot be read: {error}") from None
    return marks


def done_runs(marks: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the number of finished runs given by each mark."""
    return (marks >> np.uint64(32)).astype(np.int64)


def damage(path: Path, plan: Plan) -> Iterator[tuple[int, str | None]]:
    """Read every marked batch again; yield its number and its fault, or None."""
    stored = Stored(path)
    marks = read_marks(path, plan)
    for batch in np.flatnonzero(marks).tolist():
        runs, crc = int(marks[batch]) >> 32, int(marks[batch]) & 0xFFFFFFFF
        first, end = plan.bounds(batch)
        if runs > end - first:
            yield batch, f"its mark says {runs} runs, the plan {end - first}"
            continue
        try:
            found = checksum(read_batch(path, stored, plan, batch, runs))
        except Exception as error:  # codecs raise many kinds of errors on damaged bytes
            yield batch, f"a chunk cannot be read: {error}"
            continue
        yield batch, None if found == crc else f"checksum {found:08x}, expected {crc:08x}"


def _writable(path: Path, name: str) -> Any:
    """Open an array that also writes all-zero chunks, so that a missing chunk means damage."""
    import zarr

    with zarr.config.set({"array.write_empty_chunks": True}):
        return zarr.open_array(path / name, mode="r+", zarr_format=3)


def _set_mark(path: Path, batch: int, mark: int) -> None:
    _writable(path, MARKS)[batch] = np.uint64(mark)
    _sync(path / MARKS / f"c.{batch}")
    _sync(path / MARKS)


# ------------------------------------------------------------------------------------ one writer


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the store's lock, a file beside it that names its holder.

    Raises
    ------
    StoreError
        If another process holds it, or the folder cannot be written.
    """
    path = store.with_name(f".{store.name}.lock")
    lock = FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise StoreError(
            f"{store}: in use by {_holder(path)}. Wait until it is done, or give another --out"
        ) from None
    except OSError as error:
        raise StoreError(f"{store}: cannot write: {error.strerror or error}") from error
    try:
        with contextlib.suppress(OSError):  # on a full disk, the lock holds without its note
            path.write_text(json.dumps({"pid": os.getpid(), "host": platform.node()}))
        yield
    finally:
        path.unlink(missing_ok=True)  # while the lock is still ours
        lock.release()


def _holder(path: Path) -> str:
    try:
        note = json.loads(path.read_text())
        return f"process {int(note['pid'])} on {str(note['host'])[:80]}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


# --------------------------------------------------------------------------------------- files


def open_group(path: Path, mode: Any) -> Any:
    """Open the Zarr group.

    Raises
    ------
    StoreError
        If there is none, or its metadata cannot be read.
    """
    import zarr

    try:
        return zarr.open_group(path, mode=mode, zarr_format=3, use_consolidated=False)
    except FileNotFoundError:
        raise StoreError(f"{path}: no ensemble here") from None
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise StoreError(f"{path}: the store cannot be opened: {error}") from None


class Stored(dict[str, Any]):
    """The Zarr arrays of a store by name, each opened once, when it is first read.

    Raises
    ------
    StoreError
        If there is no store, or its metadata cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._group = open_group(path, "r")

    def __missing__(self, name: str) -> Any:
        self[name] = self._group[name]
        return self[name]


def read_plan(path: Path) -> tuple[Plan, dict[str, Any]]:
    """Return the plan and the other attributes of a store.

    Raises
    ------
    StoreError
        If the path holds no ensemble, or its plan is damaged.
    """
    if not (path / "zarr.json").is_file():
        what = "no ensemble here" if path.exists() else "no such store"
        raise StoreError(f"{path}: {what}")
    try:
        data = json.loads((path / "zarr.json").read_bytes())
        attributes = dict(data["attributes"])
        stored = attributes.pop("plan")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: not a foedus ensemble, or a damaged one ({error!r})") from None
    try:
        return Plan.from_json(stored), attributes
    except StoreError as error:
        raise StoreError(f"{path}: {error}") from None


def sweep(path: Path) -> None:
    """Remove what interrupted writers left behind; only for the holder of the lock."""
    for draft in path.parent.glob(f".{path.name}.*{_PARTIAL}"):
        shutil.rmtree(draft, ignore_errors=True)
    for file in path.glob(f"*/*{_PARTIAL}"):
        file.unlink(missing_ok=True)
    for file in path.glob(f"*{_PARTIAL}"):
        file.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a disk error into a :class:`StoreError` that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{path}: cannot write: {reason}. Finished runs are safe; "
            "once there is space and permission, give the same command again"
        ) from error


def _sync_tree(root: Path) -> None:
    for folder, _, files in os.walk(root):
        for name in files:
            _sync(Path(folder, name))
        _sync(Path(folder))


def _sync_all(paths: list[Path]) -> None:
    """Sync many files at once, which is several times faster."""
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(_sync, paths))


def _sync(path: Path) -> None:
    """Flush a file, or a folder's directory entries, to disk."""
    windows = os.name == "nt"
    if windows and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
