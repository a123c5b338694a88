"""Base rates and quantiles of what history did, without hindsight.

Every function takes the same filters by keyword (`Filters`). ``before`` and ``exclude`` keep a case
from informing its own outside view. Only usable cases count: sourced and not set aside.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from foedus.case.times import DAYS_PER_MONTH
from foedus.casebook.coded_case import ANSWERS, CodedCase, Exclude, known_before
from foedus.casebook.load import Casebook
from foedus.casebook.organisations import organisation_group
from foedus.errors import InputError

#: Days after the first arrival on which the first-month strength is known.
_SIZE_DAYS = 30
_SURVIVAL_DAYS = 90


class Filters(TypedDict, total=False):
    """Which cases count; a filter that is left out, or None, lets all in.

    Attributes
    ----------
    trigger : str or None
        One of `foedus.casebook.coded_case.TRIGGERS`.
    organisation : str or None
        A group of helpers, or any name that leads to one.
    years : tuple or None
        First and last year, both included.
    before : datetime.date or None
        Only what was known before this day.
    exclude : str, (str, int) or None
        The row of the case at hand: its id, or the requester's ISO code and the year.
    """

    trigger: str | None
    organisation: str | None
    years: tuple[int | None, int | None] | None
    before: dt.date | None
    exclude: Exclude | None


@dataclass(frozen=True, kw_only=True)
class BaseRate:
    """A share with its Jeffreys interval.

    Attributes
    ----------
    successes, n : int
        Number of cases in which it happened, and of all cases in the slice.
    mean : float
        Posterior mean under the Jeffreys prior, ``(successes + 1/2) / (n + 1)``.
    low, high : float
        Ends of the central interval; ``low`` is 0 if it never happened, ``high`` 1 if always.
    level : float
        Mass of the interval.
    description : str
        The slice in words.
    cases : tuple of str
        Ids of the cases in the slice.
    """

    successes: int
    n: int
    mean: float
    low: float
    high: float
    level: float
    description: str
    cases: tuple[str, ...]

    @property
    def share(self) -> float | None:
        """Plain share, or None for an empty slice."""
        return self.successes / self.n if self.n else None

    @property
    def counts(self) -> str:
        """The slice in words, and in how many of its cases it happened."""
        return f"{self.description}: {self.successes} of {self.n}"

    def __str__(self) -> str:
        """Return the rate as a line of text."""
        return (
            f"{self.counts}, mean {self.mean:.2f}"
            f" ({self.level:.0%} interval {self.low:.2f} to {self.high:.2f})"
        )


@dataclass(frozen=True, kw_only=True)
class Quantiles:
    """Quantiles of a quantity over a slice.

    Attributes
    ----------
    levels, values : tuple of float
        Quantile levels and the quantiles (linear interpolation, but see `duration`); values are NaN
        for ``n`` = 0.
    n : int
        Cases with a known value.
    censored : int
        Cases that had begun but not ended, or whose end is unknown.
    unit : str
    description : str
    cases : tuple of str
    """

    levels: tuple[float, ...]
    values: tuple[float, ...]
    n: int
    censored: int
    unit: str
    description: str
    cases: tuple[str, ...]

    def __str__(self) -> str:
        """Return the quantiles as a line of text."""
        if not self.n:
            return f"{self.description}: no case"
        pairs = ", ".join(
            f"p{100 * p:g} {v:g}" for p, v in zip(self.levels, self.values, strict=True)
        )
        return f"{self.description}: {pairs} {self.unit} (n {self.n})"


def jeffreys(successes: int, n: int, *, level: float = 0.9) -> tuple[float, float, float]:
    """Return mean, low and high of a share under the Jeffreys prior Beta(1/2, 1/2).

    Parameters
    ----------
    successes, n : int
        Counts, ``0 <= successes <= n``.
    level : float
        Mass of the central interval.

    Returns
    -------
    mean, low, high : float
        As in Brown, Cai and DasGupta 2001 (doi 10.1214/ss/1009213286): ``low`` is 0 if there is
        no success and ``high`` is 1 if there are only successes, unless n is 0.
    """
    if not 0 <= successes <= n:
        raise InputError(f"successes: a count from 0 to n (found {successes} of {n})")
    if not 0 < level < 1:
        raise InputError(f"level: a number between 0 and 1 (found {level})")
    from scipy import stats  # takes most of a second to load

    beta = stats.beta(successes + 0.5, n - successes + 0.5)
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 and n else float(beta.ppf(tail))
    high = 1.0 if successes == n and n else float(beta.ppf(1 - tail))
    return (successes + 0.5) / (n + 1), low, high


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The cases that some `Filters` let in; ``formal_request`` is one filter more.

    Attributes
    ----------
    formal_request : bool or None
        True: the government asked. False: it did not. None: either, or unknown.
    """

    trigger: str | None = None
    organisation: str | None = None
    formal_request: bool | None = None
    years: tuple[int | None, int | None] | None = None
    before: dt.date | None = None
    exclude: Exclude | None = None

    def describe(self) -> str:
        """Return the slice in words."""
        parts = [
            "all triggers" if self.trigger is None else self.trigger.replace("_", " "),
            "all helpers" if self.organisation is None else organisation_group(self.organisation),
        ]
        if self.formal_request is not None:
            parts.append("formal request" if self.formal_request else "no formal request")
        if self.years is not None:
            first, last = ("" if y is None else str(y) for y in self.years)
            parts.append(f"{first} to {last}".strip())
        if self.before is not None:
            parts.append(f"known before {self.before}")
        if self.exclude is not None:
            parts.append(f"without {named(self.exclude)}")
        return ", ".join(parts)

    def select(
        self, casebook: Casebook, *, known: Callable[[CodedCase], dt.date | None]
    ) -> tuple[CodedCase, ...]:
        """Return the usable cases; ``known`` gives the day on which the answer became known."""
        if self.before is not None and not isinstance(self.before, dt.date):
            raise InputError(f"before: a date (found {self.before!r})")
        chosen = casebook.filter(
            organisation=self.organisation, trigger=self.trigger, years=self.years, usable=True
        )
        return tuple(
            c
            for c in chosen
            if not c.excluded(self.exclude)
            and (self.formal_request is None or c.value("formal_request") is self.formal_request)
            and known_before(known(c), self.before)
        )


def named(exclude: Exclude) -> str:
    """Return an ``exclude`` argument in words: ``KGZ2010B``, or ``KAZ 2022``."""
    return exclude if isinstance(exclude, str) else f"{exclude[0]} {exclude[1]}"


def base_rate(
    casebook: Casebook,
    *,
    formal_request: bool | None = True,
    answer: str = "troops",
    level: float = 0.9,
    **filters: Unpack[Filters],
) -> BaseRate:
    """Return how often the helper gave an answer; by default, how often it sent troops.

    Parameters
    ----------
    casebook : Casebook
    formal_request : bool or None
        True counts governments that asked, False those that did not, None all, unknown included.
    answer : {"troops", "limited", "refused", "none"}
    level : float
        Mass of the interval.
    **filters
        See `Filters`.

    Returns
    -------
    BaseRate

    Raises
    ------
    InputError
        If an organisation, trigger or answer is unknown.
    """
    if answer not in ANSWERS:
        raise InputError(f"answer: one of {', '.join(ANSWERS)} (found {answer!r})")
    wanted = Slice(formal_request=formal_request, **filters)
    cases = [c for c in wanted.select(casebook, known=CodedCase.known) if c.answer is not None]
    return _rate(
        [c.answer == answer for c in cases], cases, f"{answer}: {wanted.describe()}", level
    )


def request_rate(
    casebook: Casebook,
    *,
    level: float = 0.9,
    **filters: Unpack[Filters],
) -> BaseRate:
    """Return how often the government formally asked; parameters as in `base_rate`."""
    wanted = Slice(**filters)
    cases = [
        c
        for c in wanted.select(casebook, known=CodedCase.known)
        if c.value("formal_request") is not None
    ]
    asked = [c.value("formal_request") for c in cases]
    return _rate(asked, cases, f"request: {wanted.describe()}", level)


def survival_rate(
    casebook: Casebook,
    *,
    answer: str | None = None,
    level: float = 0.9,
    **filters: Unpack[Filters],
) -> BaseRate:
    """Return how often the requester was in power after 90 days, after any answer or a given one.

    This is not the effect of help: help goes to governments that can be saved. Parameters as in
    `base_rate`.
    """
    if answer is not None and answer not in ANSWERS:
        raise InputError(f"answer: one of {', '.join(ANSWERS)} (found {answer!r})")
    wanted = Slice(**filters)
    cases = [
        c
        for c in wanted.select(casebook, known=survival_known)
        if c.value("requester_in_power_90d") is not None and (answer is None or c.answer == answer)
    ]
    name = "in power after 90 days" + ("" if answer is None else f", answer {answer}")
    survived = [c.value("requester_in_power_90d") for c in cases]
    return _rate(survived, cases, f"{name}: {wanted.describe()}", level)


def _rate(
    happened: Sequence[bool], cases: Sequence[CodedCase], description: str, level: float
) -> BaseRate:
    successes, n = sum(happened), len(happened)
    mean, low, high = jeffreys(successes, n, level=level)
    return BaseRate(
        successes=successes,
        n=n,
        mean=mean,
        low=low,
        high=high,
        level=level,
        description=description,
        cases=tuple(c.id for c in cases),
    )


_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def tempo(
    casebook: Casebook,
    *,
    step: str = "arrival",
    levels: Sequence[float] = _LEVELS,
    **filters: Unpack[Filters],
) -> Quantiles:
    """Return days from request to first arrival, or to the decision, where help was granted.

    Parameters
    ----------
    casebook : Casebook
    step : {"arrival", "decision"}
        Where the count ends.
    levels : sequence of float
        Quantile levels.
    **filters
        See `Filters`.

    Returns
    -------
    Quantiles
        Granted cases without exact dates count as censored.
    """
    if step not in ("arrival", "decision"):
        raise InputError(f"step: arrival or decision (found {step!r})")

    def value(case: CodedCase) -> float | None:
        return case.days_to_arrival if step == "arrival" else case.days_to_decision

    wanted = Slice(**filters)
    cases = [c for c in wanted.select(casebook, known=CodedCase.known) if _granted(c)]
    return _quantiles(value, cases, "days", f"request to {step}: {wanted.describe()}", levels)


def size(
    casebook: Casebook,
    *,
    levels: Sequence[float] = _LEVELS,
    **filters: Unpack[Filters],
) -> Quantiles:
    """Return the peak number of soldiers in the first 30 days, where troops came.

    Parameters as in `tempo`.
    """

    def value(case: CodedCase) -> float | None:
        troops = case.value("troops_peak_30d")
        return float(troops) if troops else None

    wanted = Slice(**filters)
    cases = [c for c in wanted.select(casebook, known=size_known) if c.answer == "troops"]
    return _quantiles(value, cases, "soldiers", f"first-month peak: {wanted.describe()}", levels)


def duration(
    casebook: Casebook,
    *,
    levels: Sequence[float] = _LEVELS,
    **filters: Unpack[Filters],
) -> Quantiles:
    """Return months from first arrival to the end of the withdrawal where help was granted.

    Parameters as in `tempo`. A mission that had not ended by ``before``, or when it was last seen,
    counts as one that lasts longer (Kaplan and Meier 1958, doi 10.2307/2281868), and as censored.
    A quantile beyond the longest mission is given as that length.
    """
    from scipy import stats  # takes most of a second to load

    _check(levels)
    before = filters.get("before")
    wanted = Slice(**filters)
    cases = [c for c in wanted.select(casebook, known=CodedCase.known) if _granted(c)]
    found = {c.id: months_there(c, before) for c in cases}
    ended = {i: months for i, (months, still) in found.items() if months is not None and not still}
    seen = [(months, still) for months, still in found.values() if months is not None]
    values = np.full(len(levels), np.nan)
    if ended:
        months, still = (np.array(x) for x in zip(*seen, strict=True))
        curve = stats.ecdf(stats.CensoredData.right_censored(months, still.astype(bool))).cdf
        at = np.searchsorted(curve.probabilities, np.array(levels) - 1e-9)
        values = np.append(curve.quantiles, months.max())[at]
    return _as_quantiles(
        values,
        tuple(ended),
        len(cases),
        "months",
        f"arrival to withdrawal: {wanted.describe()}",
        levels,
    )


def months_there(case: CodedCase, before: dt.date | None) -> tuple[float | None, bool]:
    """Return months to withdrawal, and whether that is only a bound: still there when last seen.

    Nothing after ``before`` is used; None where the length is unknown.
    """
    start, end = case.date("date_first_arrival"), case.date("date_withdrawal_end")
    months, still = case.months_to_withdrawal, case.date("still_there_on")
    if start is None or (end is None and still is None):
        return None, False
    if end is not None and months is not None and known_before(end.latest(), before):
        return max(0.1, months), False
    seen = [d.earliest() for d in (end, still) if d is not None]
    if before is not None:
        seen.append(before)
    return max(0.1, (min(seen) - start.middle()).days / DAYS_PER_MONTH), True


def request_waits(casebook: Casebook, **filters: Unpack[Filters]) -> NDArray[np.float64]:
    """Return the days from trigger to request, shape (row, 2): the least and the most.

    Parameters
    ----------
    casebook : Casebook
    **filters
        See `Filters`.
    """
    out = []
    for case in Slice(**filters).select(casebook, known=CodedCase.known):
        trigger, asked = case.date("date_trigger"), case.date("date_request")
        if trigger is not None and asked is not None:
            low = (asked.earliest() - trigger.latest()).days
            out.append((max(0, low), max(0, (asked.latest() - trigger.earliest()).days)))
    return np.array(out, dtype=np.float64).reshape(-1, 2)


def answer_waits(casebook: Casebook, **filters: Unpack[Filters]) -> NDArray[np.float64]:
    """Return the days from request to decision, for or against, of exactly dated rows.

    Parameters
    ----------
    casebook : Casebook
    **filters
        See `Filters`.
    """
    cases = Slice(**filters).select(casebook, known=CodedCase.known)
    return np.array([c.days_to_decision for c in cases if c.days_to_decision is not None])


def _granted(case: CodedCase) -> bool:
    return case.answer in ("troops", "limited")


def size_known(case: CodedCase) -> dt.date:
    """Return the day from which the first-month strength of a case was known."""
    arrival = case.date("date_first_arrival")
    start = case.known() if arrival is None else arrival.latest()
    return start + dt.timedelta(days=_SIZE_DAYS)


def survival_known(case: CodedCase) -> dt.date:
    """Return the day from which it was known whether the requester had lasted 90 days."""
    start = case.date("date_request") or case.date("date_trigger")
    base = dt.date(case.year, 12, 31) if start is None else start.latest()
    return max(base + dt.timedelta(days=_SURVIVAL_DAYS), case.known())


def _quantiles(
    value: Callable[[CodedCase], float | None],
    cases: Sequence[CodedCase],
    unit: str,
    description: str,
    levels: Sequence[float],
) -> Quantiles:
    _check(levels)
    pairs = [(c.id, v) for c in cases if (v := value(c)) is not None]
    values = (
        np.quantile([v for _, v in pairs], list(levels)) if pairs else np.full(len(levels), np.nan)
    )
    return _as_quantiles(values, tuple(i for i, _ in pairs), len(cases), unit, description, levels)


def _check(levels: Sequence[float]) -> None:
    if any(not 0 <= p <= 1 for p in levels):
        raise InputError(f"levels: numbers from 0 to 1 (found {list(levels)})")


def _as_quantiles(
    values: NDArray[np.float64],
    known: tuple[str, ...],
    cases: int,
    unit: str,
    description: str,
    levels: Sequence[float],
) -> Quantiles:
    return Quantiles(
        levels=tuple(levels),
        values=tuple(float(v) for v in values),
        n=len(known),
        censored=cases - len(known),
        unit=unit,
        description=description,
        cases=known,
    )
