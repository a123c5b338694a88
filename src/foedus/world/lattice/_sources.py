"""A number for the text that the kernels are compiled from, for numba's cache.

Numba keeps compiled code by signature, and looks for changes only at the file of the function that
is compiled. What that function calls lies in other files and is compiled into it. So each kernel
has a last argument that nobody gives, with this number as its default: numba puts the value of
such a default into the signature, and changed text finds no code of before.
"""

from __future__ import annotations

import hashlib
import pkgutil

#: Where a kernel and all that it calls are written: package and file.
FILES = (
    ("foedus", "randomness.py"),
    ("foedus.world.lattice", "_bits.py"),
    ("foedus.world.lattice", "_lanes.py"),
    ("foedus.world.lattice", "_words.py"),
    ("foedus.world.lattice", "kernel.py"),
    ("foedus.world.lattice", "kernel_two.py"),
)


def digest() -> int:
    """Return the first 63 bits of the SHA-256 of all files."""
    found = hashlib.sha256()
    for package, file in FILES:
        found.update(pkgutil.get_data(package, file) or b"")
    return int.from_bytes(found.digest()[:8], "big") >> 1


SOURCES = digest()
