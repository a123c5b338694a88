"""What to look for next, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from foedus.case.vocabulary import QUANTITIES
from foedus.report import content
from foedus.report.answer_words import NEVER
from foedus.report.number_format import day, number, percent, points
from foedus.report.verdict_words import reason
from foedus.report.watch import listed, says

if TYPE_CHECKING:
    from foedus.answers.forecasts import Forecast
    from foedus.answers.watch_list import Reading, Watch, Worth

#: Signs of each list that a brief shows.
MOST = 8


def watch_of(found: Watch, titles: Mapping[str, str] | None = None) -> content.WatchTable:
    """Return a watch list in words.

    Parameters
    ----------
    found : Watch
    titles : mapping of str to str, optional
        What to call the classes of the answer, such as hypotheses; their ids if absent.
    """
    titles = titles or {}
    return content.WatchTable(
        about=found.text,
        now=_now(found, titles),
        signs=tuple(
            content.WatchRow(
                what=thing(w),
                when=day(w.day),
                worth=min(1.0, max(0.0, w.bits / found.entropy)),
                said=f"{number(round(w.bits, 3))} ± {number(round(w.error, 3))} "
                f"of {number(round(found.entropy, 2))} bits",
                readings=tuple(
                    (f"{says(w, r)} (chance {percent(r.chance)})", after(found, r, titles))
                    for r in w.readings
                ),
            )
            for w in listed(found.best(), MOST)
        ),
    )


def titles_of(forecast: Forecast) -> dict[str, str]:
    """Return what to call each hypothesis."""
    return {h.id: h.title for h in forecast.hypotheses}


def thing(w: Worth) -> str:
    """Return what a report would be about."""
    meaning = QUANTITIES[w.quantity].meaning
    text = meaning[:1].upper() + meaning[1:] + (f", {w.where}" if w.where else "")
    return text + (" (what is asked itself)" if w.asked_itself else "")


def after(found: Watch, r: Reading, titles: Mapping[str, str] | None = None) -> str:
    """Return what a reading would make of the answer."""
    if found.kind == "binary":
        return f"yes {percent(r.after[-1])} {points(r.error[-1])}"
    if found.kind in ("number", "date"):
        return f"median {_middle(r.median)}"
    best = max(range(len(r.after)), key=lambda c: r.after[c] - found.now[c])
    name = (titles or {}).get(found.classes[best], found.classes[best])
    return f"“{name}” {percent(r.after[best])} {points(r.error[best])}"


def _now(found: Watch, titles: Mapping[str, str]) -> str:
    if found.verdict.refused:
        return f"no answer now: {reason(found.verdict)}"
    if found.kind == "binary":
        return f"now: yes {percent(found.now[-1])} {points(found.error[-1])}"
    if found.kind in ("number", "date"):
        return f"now: median {_middle(found.median)}"
    best = max(range(len(found.now)), key=lambda c: found.now[c])
    name = titles.get(found.classes[best], found.classes[best])
    return f"now most likely: “{name}” {percent(found.now[best])} {points(found.error[best])}"


def _middle(value: float | dt.date | None) -> str:
    if value is None:
        return NEVER
    return day(value) if isinstance(value, dt.date) else number(value)
