"""What a brief says, as plain values: everything computed, nothing left to the template."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

from foedus.weighing.verdict import Level


@dataclass(frozen=True)
class AnswerRow:
    """The answer to one question.

    Attributes
    ----------
    text, kind, unit : str
        The question as the case asks it; its kind; the unit of a number.
    probability : float or None
        Of a binary question, or that a date question's event happens at all.
    error : float or None
        Monte-Carlo standard error of ``probability``.
    low, middle, high : str
        The 5%, 50% and 95% quantiles in words (numbers and dates); empty for a binary question.
    base_rate : float or None
        Outside view of the same event, as a probability.
    base_text : str
        The outside view in words, and where it comes from.
    base_short : str
        The outside view in a few words, for a table.
    before : str
        What the runs say before the evidence is weighed, in words.
    note : str
        Why there is no answer, or which fact settles the question already.
    """

    text: str
    kind: Literal["binary", "number", "date"]
    unit: str = ""
    probability: float | None = None
    error: float | None = None
    low: str = ""
    middle: str = ""
    high: str = ""
    base_rate: float | None = None
    base_text: str = ""
    before: str = ""
    note: str = ""
    base_short: str = ""


@dataclass(frozen=True)
class Mark:
    """A reported number, as a fan chart shows it.

    ``low`` and ``high`` may be infinite: "at least 13" is ``(13, inf)``. ``part`` says that the
    report is about one place or member, and so a part of what the chart shows.
    """

    date: dt.date
    low: float
    high: float
    point: float | None
    label: str
    part: bool = False


@dataclass(frozen=True)
class FanChart:
    """Quantiles by day of one quantity, and the facts known about it.

    Attributes
    ----------
    key, title, unit : str
    dates : tuple of date
        One a simulated day.
    q05, q25, q50, q75, q95 : tuple of float
        Weighted quantiles over the runs, one a day.
    marks : tuple of Mark
    """

    key: str
    title: str
    unit: str
    dates: tuple[dt.date, ...]
    q05: tuple[float, ...]
    q25: tuple[float, ...]
    q50: tuple[float, ...]
    q75: tuple[float, ...]
    q95: tuple[float, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class ExplanationRow:
    """A competing explanation with its weight before and after the evidence.

    Attributes
    ----------
    title, says, put_forward_by : str
    prior, posterior, error : float
        Before and after the evidence, with the Monte-Carlo error of the latter.
    casebook, both : str
        The weight from the casebook alone and from both, in words; empty if nobody weighed them.
    said : str
        What the evidence is worth, and what moves it most; empty if nobody asked.
    """

    title: str
    says: str
    put_forward_by: str
    prior: float
    posterior: float
    error: float
    casebook: str = ""
    both: str = ""
    said: str = ""


@dataclass(frozen=True)
class DifferenceRow:
    """What another decision does to one outcome, in words.

    Attributes
    ----------
    title : str
        With its unit.
    factual, otherwise, difference, half, most : str
        Both means, the mean difference with its error, and the 50% and 90% ranges over pairs.
    """

    title: str
    factual: str
    otherwise: str
    difference: str
    half: str
    most: str


@dataclass(frozen=True)
class ContrastTable:
    """One decision otherwise: pairs of runs that differ in it and in nothing else."""

    text: str
    pairs: int
    distinct: int
    changed: int
    differences: tuple[DifferenceRow, ...]


@dataclass(frozen=True)
class WatchRow:
    """Something to look for.

    Attributes
    ----------
    what, when : str
    worth : float
        Share of what is open about the answer that the reading is expected to settle, 0 to 1.
    said : str
        The worth in words, with its error.
    readings : tuple of (reading, answer)
        What each reading would make of the answer.
    """

    what: str
    when: str
    worth: float
    said: str
    readings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class WatchTable:
    """The signs that would tell most about one matter, the most telling first."""

    about: str
    now: str
    signs: tuple[WatchRow, ...]


@dataclass(frozen=True)
class NearestCaseRow:
    """A historical case, what it shares with this one, and what came of it."""

    title: str
    same: str
    different: str
    happened: str


@dataclass(frozen=True)
class EvidenceRow:
    """A known fact: who says so, how good, what the runs say of it, and how it was used.

    ``counts`` tells whether it bears on the runs, or is there for people only.
    """

    about: str
    known_from: str
    text: str
    reported: str
    source: str
    address: str
    rating: str
    runs_say: str
    use: str
    counts: bool = True


@dataclass(frozen=True)
class Brief:
    """Everything that the page shows.

    Attributes
    ----------
    verdict : Level
        Whether enough runs agree with the evidence to answer.
    headline : str
        The same in a sentence; empty where all is well.
    advice : tuple of str
        What to do about a low effective sample, and other warnings.
    numbers : tuple of (label, value)
        Diagnostics, in words.
    provenance : tuple of (label, value)
    known_by : str
        The as-of date in words, where it has a time of day; otherwise ``as_of`` says it.
    apart : tuple of str
        How far apart the explanations are, and what the casebook says of them.
    contrasts : tuple of ContrastTable
    watch : tuple of WatchTable
    method : tuple of str
        How the numbers came about, a paragraph each.
    """

    title: str
    summary: str
    as_of: dt.date
    start: dt.date
    end: dt.date
    runs: int
    effective: float
    verdict: Level
    headline: str
    answers: tuple[AnswerRow, ...]
    fans: tuple[FanChart, ...] = ()
    explanations: tuple[ExplanationRow, ...] = ()
    alike: tuple[NearestCaseRow, ...] = ()
    evidence: tuple[EvidenceRow, ...] = ()
    advice: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    provenance: tuple[tuple[str, str], ...] = field(default=())
    known_by: str = ""
    apart: tuple[str, ...] = ()
    contrasts: tuple[ContrastTable, ...] = ()
    watch: tuple[WatchTable, ...] = ()
    method: tuple[str, ...] = ()
