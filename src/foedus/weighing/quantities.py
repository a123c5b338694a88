"""Quantities of questions and facts, computed from the runs.

Everything here works on a *block*: a mapping from the names of `foedus.world.order.VARIABLES`
to arrays whose first axis is the run. A store larger than memory is read block by block.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case, Statistic
from foedus.case.question_kinds import kind_of
from foedus.case.vocabulary import QUANTITIES
from foedus.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

FloatArray = NDArray[np.float64]
Block = Mapping[str, NDArray[Any]]

#: A place with more people than this in the streets is in unrest.
UNREST_CROWD = 50.0

#: The parts of ``deaths_total``.
DEATHS = ("deaths_protesters", "deaths_security", "deaths_allied")


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The axes of a block.

    Attributes
    ----------
    start : datetime.date
        Day 0.
    horizon : int
        Days simulated.
    cities, members : tuple of str
        Identifiers, in the order of the axes.
    population : (city,)
        People; the weights of a national mean over cities.
    """

    start: dt.date
    horizon: int
    cities: tuple[str, ...]
    members: tuple[str, ...]
    population: FloatArray

    @classmethod
    def of(cls, case: Case) -> Frame:
        """Read the axes from a case."""
        return cls(
            start=case.start,
            horizon=case.horizon,
            cities=tuple(case.places),
            members=tuple(m.actor for m in case.alliance.members),
            population=np.array([p.population for p in case.places.values()], dtype=np.float64),
        )

    def city(self, place: str) -> int:
        """Return the position of a place on the city axis."""
        return _position(self.cities, place, "place")

    def member(self, member: str) -> int:
        """Return the position of a member on the member axis."""
        return _position(self.members, member, "member")

    def day(self, date: dt.date) -> int:
        """Return the day number of a date."""
        return (date - self.start).days

    def date(self, day: int) -> dt.date:
        """Return the date of a day number."""
        return self.start + dt.timedelta(days=day)

    def date_or_never(self, day: float) -> dt.date | None:
        """Return the date of a day number; None for infinity."""
        return self.date(int(day)) if np.isfinite(day) else None

    def window(self, first: dt.date | None, last: dt.date | None) -> tuple[int, int]:
        """Return the first and last day number of a window, clipped to the simulated days.

        Raises
        ------
        InputError
            If no simulated day lies in it.
        """
        low = 0 if first is None else max(0, self.day(first))
        high = self.horizon - 1 if last is None else min(self.horizon - 1, self.day(last))
        if low > high:
            raise InputError(
                f"a window must hold a simulated day, {self.start} to "
                f"{self.date(self.horizon - 1)} (found {first or 'start'} to {last or 'end'})"
            )
        return low, high


def _position(names: Sequence[str], name: str, what: str) -> int:
    try:
        return names.index(name)
    except ValueError:
        raise InputError(f"{what}: one of {', '.join(names)} (found {name!r})") from None


def variables(quantity: str, member: str | None = None) -> tuple[str, ...]:
    """Return the output variables that a quantity is computed from."""
    if quantity == "deaths_total":
        return DEATHS
    if quantity == "cities_in_unrest":
        return ("crowd",)
    if quantity == "mandate":
        return ("mandate", "event_decision")
    if quantity == "vote_for":
        return ("vote", "event_decision", "event_refusal")
    if quantity == "contribution":
        return ("contribution_day",)
    if quantity == "first_arrival":
        return ("event_first_arrival",) if member is None else ("arrival_day",)
    if _kind(quantity) == "event":
        return (f"event_{quantity}",)
    return (quantity,)


def _kind(quantity: str) -> str:
    try:
        return QUANTITIES[quantity].kind
    except KeyError:
        known = ", ".join(QUANTITIES)
        raise InputError(f"quantity: one of {known} (found {quantity!r})") from None


def event_day(
    block: Block, frame: Frame, quantity: str, *, member: str | None = None
) -> FloatArray:
    """Return the day on which an event happens in each run.

    Parameters
    ----------
    block : mapping of str to ndarray
        Variables named by :func:`variables`.
    frame : Frame
    quantity : str
        An event of the vocabulary.
    member : str, optional
        Whose event; if absent, the first of any member.

    Returns
    -------
    ndarray, shape (run,)
        Day number; infinity if it never happens. Votes are cast on the day of the alliance's
        decision or refusal.
    """
    if quantity == "vote_for":
        cast = np.minimum(_days(block["event_decision"]), _days(block["event_refusal"]))
        votes = block["vote"] == 1
        voted = votes.any(axis=1) if member is None else votes[:, frame.member(member)]
        return np.where(voted, cast, np.inf)
    if quantity == "contribution":
        days = _days(block["contribution_day"])
        return days.min(axis=1) if member is None else days[:, frame.member(member)]
    if quantity == "first_arrival" and member is not None:
        return np.floor(block["arrival_day"][:, frame.member(member)].astype(np.float64))
    if member is not None:
        raise InputError(f"{quantity} has no members (found member {member!r})")
    return _days(block[f"event_{quantity}"])


def _days(days: NDArray[Any]) -> FloatArray:
    return np.where(days < 0, np.inf, days.astype(np.float64))


def series(
    block: Block,
    frame: Frame,
    quantity: str,
    *,
    place: str | None = None,
    member: str | None = None,
) -> FloatArray:
    """Return a quantity by day: flows as totals since the start, events as 0 before and 1 after.

    Parameters
    ----------
    block : mapping of str to ndarray
    frame : Frame
    quantity : str
    place, member : str, optional
        One city, one member; if absent, the total, or for a share by city the mean weighted by
        population.

    Returns
    -------
    ndarray, shape (run, day)
    """
    kind = _kind(quantity)
    dims = QUANTITIES[quantity].dims
    if place is not None and dims != "city":
        raise InputError(f"{quantity} is not known by place (found place {place!r})")
    if member is not None and dims != "member":
        raise InputError(f"{quantity} is not known by member (found member {member!r})")
    if kind == "event":
        day = event_day(block, frame, quantity, member=member)
        return np.asarray(np.arange(frame.horizon) >= day[:, None], dtype=np.float64)
    if quantity == "deaths_total":
        parts = [series(block, frame, name) for name in DEATHS]
        return np.asarray(sum(parts[1:], parts[0]), dtype=np.float64)
    if quantity == "cities_in_unrest":
        return np.asarray((block["crowd"] > UNREST_CROWD).sum(axis=2), dtype=np.float64)
    if quantity == "mandate":
        decided = series(block, frame, "decision")
        return np.asarray(decided * block["mandate"].astype(np.float64)[:, None])
    values = block[quantity].astype(np.float64)
    if dims == "city":
        values = _over_cities(values, frame, place, share=kind == "level")
    elif dims == "member":
        values = values.sum(axis=2) if member is None else values[:, :, frame.member(member)]
    return np.cumsum(values, axis=1) if kind == "flow" else values


def _over_cities(values: FloatArray, frame: Frame, place: str | None, *, share: bool) -> FloatArray:
    if place is not None:
        return np.asarray(values[:, :, frame.city(place)])
    if share:
        return np.asarray(values @ (frame.population / frame.population.sum()))
    return np.asarray(values.sum(axis=2))


def evaluate(
    block: Block,
    frame: Frame,
    ask: Statistic,
    *,
    kind: str,
    read: Callable[..., FloatArray] = series,
) -> FloatArray:
    """Return the answer of each run to a question.

    Parameters
    ----------
    block : mapping of str to ndarray
        Variables named by :func:`variables`.
    frame : Frame
    ask : Statistic
        Its window selects days; a flow stays the total since the start of the case.
    kind : str
        Name of a :class:`foedus.case.question_kinds.QuestionKind`.
    read : callable
        :func:`series`, or :meth:`foedus.weighing.known_totals.KnownTotals.series`.

    Returns
    -------
    ndarray, shape (run,)
        Binary: 1 true, 0 false. Number: in the quantity's unit. Date: day number, infinity if it
        does not happen in the window.
    """
    asked = kind_of(kind)
    first, last = frame.window(ask.from_date, ask.by_date)
    if _kind(ask.quantity) == "event" and ask.statistic in ("happens", "first_day"):
        day = event_day(block, frame, ask.quantity, member=ask.member)
        return asked.from_day(np.where((day >= first) & (day <= last), day, np.inf))
    values = read(block, frame, ask.quantity, place=ask.place, member=ask.member)
    values = values[:, first : last + 1]
    if ask.statistic in ("happens", "first_day"):
        true = _meets(values, ask)
        return asked.from_day(np.where(true.any(axis=1), first + true.argmax(axis=1), np.inf))
    value = {"at": values[:, -1], "max": values.max(axis=1), "mean": values.mean(axis=1)}[
        ask.statistic
    ]
    return asked.from_value(np.asarray(value), _meets(value, ask))


def _meets(values: FloatArray, ask: Statistic) -> NDArray[np.bool_]:
    """Return where the thresholds are met, or without one where the value is above zero."""
    if ask.at_least is None and ask.at_most is None:
        return np.asarray(values > 0)
    low = -np.inf if ask.at_least is None else ask.at_least
    high = np.inf if ask.at_most is None else ask.at_most
    return np.asarray((values >= low) & (values <= high))


def blocks(dataset: xr.Dataset, names: Sequence[str], *, size: int) -> Iterator[dict[str, Any]]:
    """Yield blocks of ``size`` runs of a dataset, holding only the named variables.

    Raises
    ------
    InputError
        If the dataset lacks a variable.
    """
    missing = [n for n in names if n not in dataset]
    if missing:
        raise InputError(f"the ensemble lacks {', '.join(missing)}; run it again")
    lazy = dataset[list(names)]
    for begin in range(0, dataset.sizes["run"], size):
        part = lazy.isel(run=slice(begin, begin + size))
        yield {name: part[name].transpose("run", ...).to_numpy() for name in names}
