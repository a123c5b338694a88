"""The cases that the page shows: those shipped, and those in the user's folder.

In addresses, a key names a case: the name of a shipped case (``kazakhstan-2022``), or the name of a
file in the folder (``my-case.yaml``). Nothing else is read: no names with folders, no links that
lead outside, no files larger than a case may be.
"""

from __future__ import annotations

import functools
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from foedus.case import Case, load_text, shipped
from foedus.case.load import shipped_text
from foedus.errors import InputError

#: Names of case files: no folder, no hidden file, no characters that a shell or a page could trip
#: over.
_FILE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}\.ya?ml$")

#: Largest size of a case file in bytes.
LARGEST = 1_000_000
#: Largest number of cases listed from the folder.
MOST = 500


@dataclass(frozen=True)
class Entry:
    """A case in the list: its key, its title, and the problem if it cannot be read."""

    key: str
    title: str
    summary: str
    shipped: bool
    problem: str | None = None


class Library:
    """The shipped cases and those of one folder.

    Parameters
    ----------
    folder : pathlib.Path
        Need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Return the path of a user's case file, which need not exist.

        Raises
        ------
        InputError
            If the key is not the plain name of a case file, or leads out of the folder.
        """
        if not _FILE.fullmatch(key) or ".." in key:
            raise InputError(
                f"a case file's name: letters, digits, space, . _ - and .yaml at its end "
                f"(found {key[:120]!r})"
            )
        path = self.folder / key
        if path.is_symlink():
            raise InputError(f"{key}: a link; give the file itself")
        if path.exists() and path.resolve().parent != self.folder.resolve():
            raise InputError(f"{key}: outside the folder of cases")
        return path

    def text(self, key: str) -> str:
        """Return the text of a case.

        Raises
        ------
        InputError
            If there is no such case, or it cannot be read.
        """
        if key in shipped():
            return shipped_text(key)
        path = self.path(key)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            with open(os.open(path, flags), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise InputError(f"{key}: not a file")
                data = file.read(LARGEST + 1)
        except FileNotFoundError:
            raise InputError(f"{key}: no such case") from None
        except OSError as error:
            raise InputError(f"{key}: {error.strerror or 'cannot be read'}") from None
        if len(data) > LARGEST:
            raise InputError(f"{key}: a case of at most {LARGEST:,} bytes")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{key}: not UTF-8 text") from None

    def load(self, key: str) -> Case:
        """Return a case, checked.

        Raises
        ------
        InputError
        """
        return _checked(self.text(key), self.name(key))

    def name(self, key: str) -> str:
        """Return the name of a case's file in messages."""
        return f"{key}.yaml" if key in shipped() else key

    def keys(self) -> list[str]:
        """Return the keys of all cases: shipped ones first, then those of the folder by name."""
        try:
            found = sorted(
                e.name for e in os.scandir(self.folder) if e.is_file(follow_symlinks=False)
            )
        except OSError:
            found = []
        own = [name for name in found if _FILE.fullmatch(name) and ".." not in name]
        return [*shipped(), *own[:MOST]]

    def entries(self) -> list[Entry]:
        """Return all cases with their titles; an unreadable one carries its problem."""
        out = []
        for key in self.keys():
            ours = key in shipped()
            try:
                case = self.load(key)
            except InputError as error:
                out.append(Entry(key, key, "", ours, str(error)))
            else:
                out.append(Entry(key, case.title, case.summary, ours))
        return out


@functools.lru_cache(maxsize=128)
def _checked(text: str, name: str) -> Case:
    return load_text(text, name)
