"""One writer at a time: a lock beside the store, which the system releases if its holder dies."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from foedus.errors import StoreError


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
