"""How far answers of a kind err beyond what they say, as the back-test over the casebook found.

Each family of questions has a standard deviation on the scale of log-odds, for each source of the
headline. They are estimated by :mod:`foedus.scoring.discrepancy`, kept in ``discrepancy.json`` and
written by ``python tools/backtest_page.py``. A case uses what crises of the years before it show.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from foedus.answers.history import is_presence
from foedus.case.models import Statistic

#: Family of each quantity.
_FAMILY = {
    "request": "asked",
    "decision": "answer",
    "refusal": "answer",
    "contribution": "answer",
    "vote_for": "answer",
    "first_arrival": "arrival",
    "troops_announced": "size",
    "troops_present": "size",
    "withdrawal_start": "stay",
    "withdrawal_end": "stay",
    "leader_leaves": "in_power",
    "deaths_protesters": "dead",
    "deaths_security": "dead",
    "deaths_total": "dead",
}
#: Families of questions with a discrepancy of their own.
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(_FAMILY.values()))
#: What the others have: the typical discrepancy of all families.
OTHER = "other"


def family(ask: Statistic) -> str:
    """Return the family of what a question asks."""
    if ask.quantity == "troops_present" and ask.statistic == "at" and is_presence(ask):
        return "stay"
    return _FAMILY.get(ask.quantity, OTHER)


def discrepancy(ask: Statistic, source: str, year: int) -> float:
    """Return the standard deviation of the log-odds of an answer; 0 for none.

    Parameters
    ----------
    ask : Statistic
    source : {"pooled", "simulation", "history"}
    year : int
        In which the case starts: only earlier crises count.
    """
    return of_year(_table(), year).get(source, {}).get(family(ask), 0.0)


def of_year(
    table: Mapping[str, Mapping[str, Mapping[str, float]]], year: int
) -> Mapping[str, Mapping[str, float]]:
    """Return what was found from the crises before a year; empty where there were none."""
    known = [int(y) for y in table if int(y) <= year]
    return table[str(max(known))] if known else {}


@functools.cache
def _table() -> Mapping[str, Any]:
    text = resources.files("foedus.answers").joinpath("discrepancy.json").read_text("utf-8")
    found: Mapping[str, Any] = json.loads(text)["before"]
    return found
