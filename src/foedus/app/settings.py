"""Settings of `foedus serve`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Where the page looks, and how much it may do.

    Attributes
    ----------
    cases : pathlib.Path
        Folder of the user's own case files; nothing outside it is read or written as a case.
    results : pathlib.Path
        Folder of the stores of runs; the page keeps its own results in ``.app`` in it.
    host : str
    port : int
    token : str or None
        Asked of every visitor, where others than this machine can reach the page.
    queue : int
        Most jobs that wait.
    largest_body : int
        Bytes of a request, at most.
    steps : tuple of int
        Runs of a forecast: a first answer soon, and better ones after it.
    """

    cases: Path = Path("cases")
    results: Path = Path("results")
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    queue: int = 32
    largest_body: int = 1_000_000
    steps: tuple[int, ...] = (500, 2000, 8000, 16_000)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the page."""
        return is_loopback(self.host)

    @property
    def kept(self) -> Path:
        """Folder of what the page has computed."""
        return self.results / ".app"


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
