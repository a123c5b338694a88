"""Settings of `foedus serve`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from foedus.defaults import FORECAST_RUNS


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Folders, address and limits of the page.

    Attributes
    ----------
    cases : pathlib.Path
        Folder of the user's own case files; nothing outside it is read or written as a case.
    results : pathlib.Path
        Folder of the stores of runs; the page keeps its own results in its subfolder ``.app``.
    host : str
    port : int
    token : str or None
        Required of every visitor if other machines can reach the page.
    queue : int
        Largest number of waiting jobs.
    largest_body : int
        Largest size of a request in bytes.
    steps : tuple of int
        Numbers of runs of a forecast: a first answer soon, and better ones after it.
    """

    cases: Path = Path("cases")
    results: Path = Path("results")
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    queue: int = 32
    largest_body: int = 1_000_000
    steps: tuple[int, ...] = (500, 2000, 8000, FORECAST_RUNS)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the page."""
        return is_loopback(self.host)

    @property
    def kept(self) -> Path:
        """Folder of the results that the page has computed."""
        return self.results / ".app"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
