"""Numbers, chances and dates in the words shared by tables and briefs."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata


def percent(p: float) -> str:
    """Return a probability as a whole percentage; never "0%" or "100%", which runs cannot show.

    Examples
    --------
    >>> percent(0.123), percent(0.001), percent(0.999)
    ('12%', '<1%', '>99%')
    """
    if math.isnan(p):
        return "unknown"
    if p < 0.01:
        return "<1%"
    if p > 0.99:
        return ">99%"
    return f"{100 * p:.0f}%"


def plus_minus(error: float) -> str:
    """Return a standard error of a probability in percentage points."""
    return "±\u00a0<1" if error < 0.005 else f"±\u00a0{100 * error:.0f}"


def number(x: float) -> str:
    """Return a number to three significant figures, with thousands separators.

    Examples
    --------
    >>> number(12345.6), number(0.1234), number(7.0)
    ('12,300', '0.123', '7')
    """
    if math.isnan(x):
        return "unknown"
    if math.isinf(x):
        return "never ends" if x > 0 else "none"
    if x == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(x)))
    rounded = round(x, digits)
    if digits <= 0 or rounded == int(rounded):
        return f"{int(rounded):,}"
    return f"{rounded:.{digits}f}".rstrip("0").rstrip(".")


def count(n: int, what: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> count(1, "run"), count(16000, "run")
    ('1 run', '16,000 runs')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def worth(effective: float, runs: int | None = None) -> str:
    """Return the number of runs, and their effective number after the evidence."""
    what = f"worth {number(effective)} after weighing the evidence."
    return f"The runs are {what}" if runs is None else f"{count(runs, 'run')}, {what}"


def because(what: str, reason: str) -> str:
    """Return a headline with its reason, if it has one.

    Examples
    --------
    >>> because("Weak answers", "few runs"), because("Weak answers", "")
    ('Weak answers: few runs.', 'Weak answers.')
    """
    return f"{what}: {reason}." if reason else f"{what}."


def with_unit(x: float, unit: str) -> str:
    """Return a number with its unit.

    Examples
    --------
    >>> with_unit(0.05, "1/site"), with_unit(3.0, "day"), with_unit(0.5, "1")
    ('0.05 per site', '3 day', '0.5')
    """
    if unit == "1":
        return number(x)
    return f"{number(x)} {unit.replace('1/', 'per ', 1) if unit.startswith('1/') else unit}"


def day(date: dt.date) -> str:
    """Return a date as ``7 Jan 2022`` in any locale."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def visible(text: str) -> str:
    """Return a text without characters that no font has, and without marks that reverse text."""
    return "".join(
        c
        for c in text
        if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _TURNING)
    )


#: Embeddings, overrides and isolates, with which one name could be made to look like another.
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

RELIABILITY = {
    "A": "completely reliable",
    "B": "usually reliable",
    "C": "fairly reliable",
    "D": "not usually reliable",
    "E": "unreliable",
    "F": "reliability unknown",
}
CREDIBILITY = {
    "1": "confirmed",
    "2": "probably true",
    "3": "possibly true",
    "4": "doubtful",
    "5": "improbable",
    "6": "truth unknown",
}


def rating(code: str) -> str:
    """Return an Admiralty rating in words: ``B2`` is "usually reliable, probably true"."""
    return f"{RELIABILITY[code[0]]}, {CREDIBILITY[code[1]]}"
