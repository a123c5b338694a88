"""What to look for next: the watch list as a document, and as the brief shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from foedus.answers.watch_list import NEVER
from foedus.case.question_kinds import Shape
from foedus.case.vocabulary import QUANTITIES
from foedus.report.document import (
    Bar,
    Cell,
    Column,
    Document,
    Paragraph,
    Part,
    Section,
    Table,
    cautions,
    section,
)
from foedus.report.number_format import day, number, percent, plus_minus, worth
from foedus.report.verdict_words import reason, verdict_parts

if TYPE_CHECKING:
    from foedus.answers.watch_list import Reading, Watch, Worth

#: Number of classes of the answer named after a reading: those that it changes most.
_NAMED = 2
#: Number of reports named if none is informative beyond chance.
_NEAREST = 3
#: Smallest difference shown between how often a reading is true and how often it is reported.
_CLEARLY = 0.1
#: Number of reports in the list of a brief.
_MOST = 8

_COLUMNS = (
    Column("What to look for"),
    Column("On", whole=True),
    Column("Bits", whole=True),
    Column("If it says", whole=True),
    Column("Chance"),
    Column("Then"),
)
_BRIEF_COLUMNS = (
    Column("Look for"),
    Column("On", 18, whole=True),
    Column("Worth", 43),
    Column("What a report would say", 62),
)
_SO_IN = (
    "So in: the share of the runs in which it is so, where reports of it are clearly more or less "
    "frequent. Reports err by a factor, and now and then outright, so a few may be reported where "
    "there are none."
)


def watch_document(found: Watch, *, top: int = 8) -> Document:
    """Return what to look for next, and the effect of each reading on the answer.

    Parameters
    ----------
    found : Watch
    top : int
        Number of reports listed.
    """
    runs = found.provenance.get("complete_runs")
    parts: list[Part] = [
        Paragraph(worth(found.effective, runs)),
        *verdict_parts(found.verdict, refused="No list", thin="A weak list"),
    ]
    if not found.verdict.refused:
        parts += _list(found, top)
    title = f"{found.title}: what to look for after {day(found.as_of)}"
    return Document(title, (*parts, *cautions(found.warnings)))


def _list(found: Watch, top: int) -> list[Part]:
    intro = [f"{found.text} {_now_sentence(found)}"]
    if found.settled_by:
        intro.append(f"It is settled already by the fact {found.settled_by}.")
    if found.entropy <= 0.0:
        intro.append("All runs agree on it: nothing that is looked for can tell more.")
        return list(section(intro))
    intro.append(
        f"{_bits(found.entropy)} bits of it are not known; one report rated {found.rating} would "
        "tell on average:"
    )
    best = found.best()
    shown = listed(best, top)
    parts: list[Part] = [*section(intro)]
    if best:
        parts.append(Table("", _COLUMNS, tuple(row for w in shown for row in _rows(found, w))))
    if any(_differs(r) for w in shown for r in w.readings):
        parts.append(Section((Paragraph(_SO_IN),)))
    rest = len({w.thing for w in found.worths}) - len(best)
    if not best:
        none = "the one thing looked at tells no" if rest == 1 else f"none of {rest} things tells"
        parts += section((f"Nothing: {none} more than chance would.",))
        parts += _largest(found)
    elif rest:
        more = f"{len(best) - top} more tell something; " if len(best) > top else ""
        parts += section((f"{more}{rest} other things tell no more than chance would.",))
    return parts


def _largest(found: Watch) -> tuple[Part, ...]:
    """Return the reports that came closest to being informative, if none is."""
    nearest = found.largest()[:_NEAREST]
    if not nearest:
        return ()
    rows = tuple((*_what(w), "not beyond chance") for w in nearest)
    return (
        Table("The largest of them", ("What to look for", "On", "Bits", ""), rows),
        Paragraph(
            "The largest of many chance values looks better than it is, so it is unknown how "
            "many runs it would take to set it apart from chance."
        ),
    )


def watch_part(found: Watch, titles: Mapping[str, str] | None = None) -> Part:
    """Return a watch list for the brief: the most informative reports, one per row.

    Parameters
    ----------
    found : Watch
    titles : mapping of str to str, optional
        Names of the classes of the answer, such as hypotheses; by default their ids.
    """
    now = _now(found, titles or {})
    rows = tuple(_report(found, w, titles or {}) for w in listed(found.best(), _MOST))
    if not rows:
        nothing = "No report of the coming days would tell more than chance."
        return Section((Paragraph(nothing),), found.text, beside=now)
    settles = "share of what is open that the report is expected to settle"
    return Table(found.text, _BRIEF_COLUMNS, rows, note=f"{now}; ", bars=(settles,))


def _report(found: Watch, w: Worth, titles: Mapping[str, str]) -> tuple[Cell | str, ...]:
    worth = (
        f"{number(round(w.bits, 3))} ± {number(round(w.error, 3))} "
        f"of {number(round(found.entropy, 2))} bits"
    )
    readings = (
        f"{_says(w, r)} (chance {percent(r.chance)}): {_after(found, r, titles)}"
        for r in w.readings
    )
    thing = _thing(w)
    return (
        thing[:1].upper() + thing[1:],
        day(w.day),
        Cell(worth, bar=Bar(share=min(1.0, max(0.0, w.bits / found.entropy)))),
        "\n".join(readings),
    )


def listed(best: Sequence[Worth], top: int) -> list[Worth]:
    """Return the most informative report of each quantity, then more, ``top`` in all, by bits."""
    quantities: set[str] = set()
    first: list[Worth] = []
    more: list[Worth] = []
    for w in best:
        (more if w.quantity in quantities else first).append(w)
        quantities.add(w.quantity)
    return sorted([*first, *more][:top], key=lambda w: -w.bits)


def _now_sentence(found: Watch) -> str:
    if found.shape is Shape.CHANCE:
        return f"Now {percent(found.now[1])} {plus_minus(found.error[1])}."
    if found.shape is Shape.CLASSES:
        ranked = sorted(zip(found.now, found.error, found.classes, strict=True), reverse=True)
        return f"Now {', '.join(f'{c} {percent(p)} {plus_minus(e)}' for p, e, c in ranked)}."
    if found.classes[-1] == NEVER:
        chance = f"{percent(1.0 - found.now[-1])} {plus_minus(found.error[-1])} that it happens"
        return f"Now {chance}, median {_median(found.median)}."
    return f"Now a median of {_median(found.median)}."


def _now(found: Watch, titles: Mapping[str, str]) -> str:
    if found.verdict.refused:
        return f"no answer now: {reason(found.verdict)}"
    if found.shape is Shape.CHANCE:
        return f"now: yes {percent(found.now[-1])} {plus_minus(found.error[-1])}"
    if found.shape is not Shape.CLASSES:
        return f"now: median {_median(found.median)}"
    best = max(range(len(found.now)), key=lambda c: found.now[c])
    name = titles.get(found.classes[best], found.classes[best])
    return f"now most likely: “{name}” {percent(found.now[best])} {plus_minus(found.error[best])}"


def _rows(found: Watch, w: Worth) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for n, r in enumerate(w.readings):
        first = _what(w) if n == 0 else ("", "", "")
        chance = percent(r.chance) + (f", so in {percent(r.in_runs)}" if _differs(r) else "")
        rows.append((*first, _says(w, r), chance, _then(found, r)))
    return rows


def _differs(r: Reading) -> bool:
    return abs(r.chance - r.in_runs) >= _CLEARLY


def _what(w: Worth) -> tuple[str, str, str]:
    """Return the cells of a report: its subject, its day, and its bits."""
    return _thing(w), day(w.day), f"{_bits(w.bits)} ± {_bits(w.error)}"


def _thing(w: Worth) -> str:
    """Return the subject of a report."""
    what = QUANTITIES[w.quantity].meaning + (f", {w.where}" if w.where else "")
    return what + (" (asked itself)" if w.asked_itself else "")


def _says(w: Worth, r: Reading) -> str:
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
    """Return what a reading would make of the answer."""
    if found.shape is Shape.CHANCE:
        return f"{percent(r.after[1])} {plus_minus(r.error[1])}"
    if found.shape is not Shape.CLASSES:
        return f"median {_median(r.median)}"
    order = sorted(range(len(r.after)), key=lambda c: -abs(r.after[c] - found.now[c]))[:_NAMED]
    return ", ".join(
        f"{found.classes[c]} {percent(r.after[c])} {plus_minus(r.error[c])}" for c in order
    )


def _after(found: Watch, r: Reading, titles: Mapping[str, str]) -> str:
    """Return what a reading would make of the answer; of hypotheses, the one it favours most."""
    if found.shape is Shape.CLASSES:
        best = max(range(len(r.after)), key=lambda c: r.after[c] - found.now[c])
        name = titles.get(found.classes[best], found.classes[best])
        return f"“{name}” {percent(r.after[best])} {plus_minus(r.error[best])}"
    return ("yes " if found.shape is Shape.CHANCE else "") + _then(found, r)


def _median(value: float | dt.date | None) -> str:
    if value is None:
        return NEVER
    return day(value) if isinstance(value, dt.date) else number(value)


def _bits(x: float) -> str:
    return f"{x:.2f}" if x >= 0.095 else f"{x:.3f}"
