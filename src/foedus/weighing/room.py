"""Room for a number by run and by report: in memory while it is small, on disk when it is not."""

from __future__ import annotations

import os
import tempfile

import numpy as np
from numpy.typing import NDArray

from foedus.errors import StoreError

#: Bytes of a table that is kept in memory.
IN_MEMORY = 64 * 2**20


def room(rows: int, runs: int) -> NDArray[np.float64]:
    """Return an array of zeros, shape (rows, runs).

    A large one is a temporary file, which the system writes and reads as it has memory to spare;
    it has no name any more and is gone with the array. Where it is put is said by the environment
    variable ``TMPDIR``.

    Raises
    ------
    StoreError
        If the disk has no room for it.
    """
    size = 8 * rows * runs
    if size <= IN_MEMORY:
        return np.zeros((rows, runs))
    try:
        with tempfile.TemporaryFile(prefix="foedus-") as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would kill us at a write
                os.posix_fallocate(file.fileno(), 0, size)
            mapped = np.memmap(file, dtype=np.float64, mode="r+", shape=(rows, runs))
            return np.asarray(mapped)
    except OSError as error:
        raise StoreError(
            f"weighing {runs:,} runs needs {size / 1e9:.1f} GB in {tempfile.gettempdir()}: "
            f"{error.strerror or error}. Name another folder with TMPDIR"
        ) from error
