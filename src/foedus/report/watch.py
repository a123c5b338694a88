"""The watch list as text on a terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from foedus.answers.watch_list import NEVER
from foedus.case.vocabulary import QUANTITIES
from foedus.report.number_format import day, number, percent, points, worth
from foedus.report.tables import console, print_verdict, table

if TYPE_CHECKING:
    from foedus.answers.watch_list import Reading, Watch, Worth

#: Classes of the answer that are named after a reading: those that it changes most.
_NAMED = 2
#: Things that are named where none tells more than chance.
_NEAREST = 3
#: A reading is so in clearly more or fewer runs than it is reported in from this difference on.
_CLEARLY = 0.1


def print_watch(found: Watch, *, top: int = 8) -> None:
    """Print what to look for next, and what each reading would do to the answer.

    Parameters
    ----------
    found : Watch
    top : int
        Things that are listed.
    """
    to = console()
    to.print(f"{found.title}: what to look for after {day(found.as_of)}", style="bold")
    runs = found.provenance.get("complete_runs")
    to.print(worth(found.effective, runs))
    print_verdict(to, found.verdict, refused="No list", thin="A weak list")
    if not found.verdict.refused:
        _print_list(found, top)
    for warning in found.warnings:
        to.print(f"Mind: {warning}")


def _print_list(found: Watch, top: int) -> None:
    to = console()
    to.print()
    to.print(f"{found.text} {_now(found)}")
    if found.settled_by:
        to.print(f"It is settled already by the fact {found.settled_by}.")
    if found.entropy <= 0.0:
        to.print("All runs agree on it: nothing that is looked for can tell more.")
        return
    to.print(
        f"{_bits(found.entropy)} bits of it are not known; one report rated {found.rating} would "
        "tell on average:"
    )
    best = found.best()
    if best:
        to.print()
        head = ("What to look for", "On", "Bits", "If it says", "Chance", "Then")
        rows = [row for w in listed(best, top) for row in _rows(found, w)]
        to.print(table("", head, rows))
    things = {w.thing for w in found.worths}
    rest = len(things) - len(best)
    if any(_differs(r) for w in listed(best, top) for r in w.readings):
        to.print()
        to.print(
            "So in: the share of the runs in which it is so, where reports of it are clearly more "
            "or less frequent. Reports err by a factor, and now and then outright, so a few may be "
            "reported where there are none."
        )
    to.print()
    if not best:
        to.print(f"Nothing: {_none_of(rest)} more than chance would.")
        _print_largest(found)
    elif rest:
        more = f"{len(best) - top} more tell something; " if len(best) > top else ""
        to.print(f"{more}{rest} other things tell no more than chance would.")


def _none_of(things: int) -> str:
    return "the one thing looked at tells no" if things == 1 else f"none of {things} things tells"


def _print_largest(found: Watch) -> None:
    """Print what came nearest to telling something, where nothing does."""
    to = console()
    nearest = found.largest()[:_NEAREST]
    if not nearest:
        return
    rows = [(*_what(w), "not beyond chance") for w in nearest]
    to.print()
    to.print(table("The largest of them", ("What to look for", "On", "Bits", ""), rows))
    to.print()
    to.print(
        "The largest of many chance values looks better than it is, so how many runs would tell "
        "it from chance cannot be said."
    )


def _differs(r: Reading) -> bool:
    return abs(r.chance - r.in_runs) >= _CLEARLY


def listed(best: Sequence[Worth], top: int) -> list[Worth]:
    """Return the most telling report of each quantity first, then more, ``top`` in all, by bits."""
    quantities: set[str] = set()
    first: list[Worth] = []
    more: list[Worth] = []
    for w in best:
        (more if w.quantity in quantities else first).append(w)
        quantities.add(w.quantity)
    return sorted([*first, *more][:top], key=lambda w: -w.bits)


def _now(found: Watch) -> str:
    if found.kind == "binary":
        return f"Now {percent(found.now[1])} {points(found.error[1])}."
    if found.kind == "date" and found.classes[-1] == NEVER:
        chance = f"{percent(1.0 - found.now[-1])} {points(found.error[-1])} that it happens"
        return f"Now {chance}, median {_median(found, found.median)}."
    if found.kind in ("number", "date"):
        return f"Now a median of {_median(found, found.median)}."
    ranked = sorted(zip(found.now, found.error, found.classes, strict=True), reverse=True)
    return f"Now {', '.join(f'{c} {percent(p)} {points(e)}' for p, e, c in ranked)}."


def _what(w: Worth) -> tuple[str, str, str]:
    """Return the cells of a report: what it is about, its day, and its bits."""
    what = QUANTITIES[w.quantity].meaning + (f", {w.where}" if w.where else "")
    if w.asked_itself:
        what += " (asked itself)"
    return what, day(w.day), f"{_bits(w.bits)} ± {_bits(w.error)}"


def _rows(found: Watch, w: Worth) -> list[tuple[str, ...]]:
    out: list[tuple[str, ...]] = []
    for n, r in enumerate(w.readings):
        first = _what(w) if n == 0 else ("", "", "")
        chance = percent(r.chance) + (f", so in {percent(r.in_runs)}" if _differs(r) else "")
        out.append((*first, says(w, r), chance, _then(found, r)))
    return out


def says(w: Worth, r: Reading) -> str:
    """Return a reading in words."""
    if r.happened is not None:
        return "it has happened" if r.happened else "not yet"
    low, high = _amount(w, r.low), _amount(w, r.high)
    if r.low is None or r.low <= 0.0:
        return f"at most {high}" if r.high else "none"
    if r.high is None:
        return f"{low} or more"
    return low if r.low == r.high else f"{low} to {high}"


def _amount(w: Worth, x: float | None) -> str:
    if x is None:
        return ""
    return f"{100 * x:.0f}%" if w.unit == "share" else number(x)


def _then(found: Watch, r: Reading) -> str:
    if found.kind == "binary":
        return f"{percent(r.after[1])} {points(r.error[1])}"
    if found.kind in ("number", "date"):
        return f"median {_median(found, r.median)}"
    order = sorted(range(len(r.after)), key=lambda c: -abs(r.after[c] - found.now[c]))[:_NAMED]
    return ", ".join(
        f"{found.classes[c]} {percent(r.after[c])} {points(r.error[c])}" for c in order
    )


def _median(found: Watch, value: float | dt.date | None) -> str:
    if isinstance(value, dt.date):
        return day(value)
    if found.kind == "date" or value is None:
        return NEVER
    return number(value)


def _bits(x: float) -> str:
    return f"{x:.2f}" if x >= 0.095 else f"{x:.3f}"
