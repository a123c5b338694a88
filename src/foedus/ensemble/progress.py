"""Progress reports of a run."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as _Bar


class Progress(Protocol):
    """The interface to which :func:`foedus.ensemble.runner.run` reports; it must not raise."""

    def start(self, total: int, done: int) -> None:
        """Begin; ``done`` of ``total`` runs already exist."""

    def advance(self, runs: int) -> None:
        """Report runs that were written to the disk."""

    def note(self, text: str) -> None:
        """Show a message to the user."""

    def stop(self) -> None:
        """End, after success or failure."""


class Silent:
    """Report nothing."""

    def start(self, total: int, done: int) -> None:
        """Do nothing."""

    def advance(self, runs: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


class Lines:
    """Plain lines for logs and pipes: one every few seconds, with rate and time left."""

    def __init__(self, stream: TextIO, *, every: float = 5.0) -> None:
        self._stream = stream
        self._every = every
        self._total = self._done = self._fresh = 0
        self._began = self._told = 0.0

    def start(self, total: int, done: int) -> None:
        """Print the number of runs to make."""
        self._total, self._done, self._fresh = total, done, 0
        self._began = self._told = time.monotonic()
        before = f", {done:,} of them done before" if done else ""
        self.note(f"{total:,} runs{before}")

    def advance(self, runs: int) -> None:
        """Count runs, and print progress from time to time."""
        self._done += runs
        self._fresh += runs
        now = time.monotonic()
        if now - self._told >= self._every or self._done >= self._total:
            self._told = now
            rate = self._fresh / max(now - self._began, 1e-9)
            left = (self._total - self._done) / max(rate, 1e-9)
            self.note(
                f"{self._done:,} of {self._total:,} runs, {rate:,.0f} runs/s, {_clock(left)} left"
            )

    def note(self, text: str) -> None:
        """Print a line; ignore a closed stream."""
        with contextlib.suppress(BrokenPipeError):
            print(text, file=self._stream, flush=True)

    def stop(self) -> None:
        """Do nothing."""


class Bar:
    """A progress bar with rate and time left, for a terminal."""

    def __init__(self) -> None:
        self._bar: _Bar | None = None
        self._fresh = 0
        self._began = 0.0

    def start(self, total: int, done: int) -> None:
        """Show the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("running"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:,.0f} runs/s"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.add_task("runs", total=total, completed=done, rate=0.0)
        self._began = time.monotonic()
        self._bar.start()

    def advance(self, runs: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._fresh += runs
            rate = self._fresh / max(time.monotonic() - self._began, 1e-9)
            self._bar.update(self._bar.task_ids[0], advance=runs, rate=rate)

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def stop(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()


def for_stream(stream: TextIO | None = None) -> Progress:
    """Return a bar for a terminal, and plain lines for anything else."""
    stream = sys.stderr if stream is None else stream
    return Bar() if stream.isatty() else Lines(stream)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
