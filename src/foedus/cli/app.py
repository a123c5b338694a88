"""The program, its groups of commands, and its exit status and errors."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from cyclopts import App, CycloptsError

if TYPE_CHECKING:
    from foedus.errors import Interrupted


def example(*lines: str) -> str:
    """Return the end of a help text: examples."""
    return "\n".join(["Example:" if len(lines) == 1 else "Examples:", *(f"  {x}" for x in lines)])


app = App(
    name="foedus",
    help="Will the alliance come, how soon and with what, and what happens in the streets?",
    help_format="plaintext",
    help_epilogue=example("foedus forecast kazakhstan-2022 --as-of 2022-01-07"),
    version=lambda: __import__("foedus").__version__,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
runs_app = App(
    name="runs",
    help="List, describe, compare, check, export and prune stores of runs.",
    help_epilogue=example("foedus runs list"),
)
casebook_app = App(
    name="casebook",
    help="Past cases: coded calls for help, base rates, exports.",
    help_epilogue=example("foedus casebook base-rate KAZ2022"),
)
app.command(runs_app)
app.command(casebook_app)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; the user sees errors only as messages."""
    from foedus import errors

    if os.environ.get("FOEDUS_DEBUG"):
        return _status(app(tokens, exit_on_error=False, print_error=False))
    try:
        status = _status(app(tokens, exit_on_error=False, print_error=False))
        sys.stdout.flush()  # a closed pipe is noticed here, not at exit
        _flush(sys.stderr)
        return status
    except CycloptsError as error:
        return _print_error(f"{error}\nfoedus --help lists the commands and their options.", 2)
    except (errors.InputError, errors.StoreError) as error:
        return _print_error(str(error), 2)
    except errors.Interrupted as error:
        return _print_error(_resume_message(error, tokens), 130)
    except KeyboardInterrupt:
        return _print_error("stopped", 130)
    except BrokenPipeError:  # the reader of our output has gone, as in `foedus schema | head`
        _flush(sys.stdout)
        return 0
    except SystemExit as end:  # so that rich agrees
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        return 0
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _print_error(what, 1)
    except Exception as error:
        return _print_error(
            f"{type(error).__name__}: {error}\n"
            "This is a fault in foedus, not in your input. FOEDUS_DEBUG=1 shows where.",
            1,
        )


def _resume_message(error: Interrupted, tokens: Sequence[str] | None) -> str:
    """Return the message of an interruption; all commands but a plain run resume by repetition."""
    words = list(sys.argv[1:] if tokens is None else tokens)
    if words[:1] == ["run"] and "--cluster" not in words:
        return str(error)
    return f"{error.stopped} To continue: {shlex.join(['foedus', *words])}"


def _status(result: Any) -> int:
    return result if isinstance(result, int) else 0


def _print_error(message: str, status: int) -> int:
    lines = [_visible(line) for line in message.split("\n")]
    with contextlib.suppress(BrokenPipeError):
        print("\n".join([f"foedus: {lines[0]}", *lines[1:]]), file=sys.stderr)
    _flush(sys.stderr)
    return status


def _visible(line: str) -> str:
    """Return a line with its control characters escaped, so that none reaches a terminal."""
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "".join(repr(c)[1:-1] if unicodedata.category(c) in hidden else c for c in line)


def _flush(stream: TextIO) -> None:
    """Flush a stream; if its reader has closed it, discard further output."""
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
