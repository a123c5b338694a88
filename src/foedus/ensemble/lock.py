"""One writer at a time: a lock beside the store, freed by the system when its holder dies."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from foedus.errors import StoreError

if os.name == "nt":  # pragma: no cover - not tested on this system
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def lock_path(store: Path) -> Path:
    """Return the lock file of a store; it is a sibling, so that it can precede the store."""
    return store.with_name(f".{store.name}.lock")


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the store's lock.

    Raises
    ------
    StoreError
        If another process holds it, or the folder cannot be written.
    """
    path = lock_path(store)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _acquire(path)
    except OSError as error:
        raise StoreError(f"{store}: cannot write: {error.strerror or error}") from error
    if handle is None:
        raise StoreError(
            f"{store}: in use by {_holder(path)}. Wait until it is done, or give another --out"
        )
    try:
        with contextlib.suppress(OSError):  # a full disk: the lock holds without its note
            note = {"pid": os.getpid(), "host": platform.node()}
            os.ftruncate(handle, 0)
            os.write(handle, json.dumps(note).encode())
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is still ours
        os.close(handle)


def _acquire(path: Path) -> int | None:
    """Return an open, locked file; None where another process has it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _try_lock(handle):
            os.close(handle)
            return None
        # The last holder may have removed the file after we opened it: then ours is no lock.
        try:
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)


def _holder(path: Path) -> str:
    try:
        note = json.loads(path.read_text())
        return f"process {int(note['pid'])} on {str(note['host'])[:80]}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
