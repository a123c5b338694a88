"""Synthetic crises: a truth from the prior of a case, and reports of it.

The reports follow the observation model as docs/explanation/evidence.md documents it: counts with
one true total, events within an interval of days, and silence about what nobody reports. Only its
tables are shared with :mod:`foedus.weighing`. Reading a run, scattering, rounding, wording and
dating a report are written here a second time, so that a fault in the package shows.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from foedus.case import news as unreported
from foedus.case.models import Case, Fact
from foedus.case.vocabulary import QUANTITIES, REPLAYABLE
from foedus.ensemble import design
from foedus.weighing import observation_model as documented
from foedus.world import engine
from foedus.world.guidance import Guidance

FloatArray = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
Random = np.random.Generator

STREETS = (
    "crowd", "arrests", "jailed", "deaths_protesters", "deaths_security", "deaths_total",
    "cities_in_unrest",
)  # fmt: skip
TROOPS = ("troops_announced", "troops_present")
LEVELS = (
    "legitimacy", "loyal_share", "internet", "belief_home", "belief_abroad", "outside_belief",
)  # fmt: skip
#: Events and, for some of them, the member whose event it is.
EVENTS = (
    ("concession", None), ("guard_change", None), ("shutdown", None), ("fire_order", None),
    ("request", None), ("decision", None), ("refusal", None), ("leader_leaves", None),
    ("contribution", "other"), ("vote_for", "other"), ("first_arrival", None),
    ("first_arrival", "big"),
)  # fmt: skip
BY_CITY = (
    "crowd", "arrests", "jailed", "deaths_protesters", "deaths_security", "legitimacy",
)  # fmt: skip
FLOWS = ("arrests", "deaths_protesters", "deaths_security", "deaths_total")
#: A count may be given as one of these classes, each from its number to the next less one.
CLASSES = (0, 1, 5, 20, 100, 500, 2000, 10_000, 50_000, 1_000_000, 10**14)
#: A count may be given as "at least" or "less than" this number; only if early reports of it are
#: not too low, since a bound is not corrected for that.
BOUNDS = {"crowd": 1000, "jailed": 100, "cities_in_unrest": 1, "troops_announced": 500}
#: First day of which a number can be reported.
FIRST_DAY = 2


@dataclass(frozen=True)
class Truth:
    """One run of the world, drawn from the prior: run 0 of its own seed.

    Attributes
    ----------
    seed : int
    draws : Draws
        Parameters and hypothesis, shape (1,).
    outputs : dict of str to ndarray, shape (1, ...)
    """

    seed: int
    draws: design.Draws
    outputs: Arrays


def draw_truth(case: Case, seed: int) -> Truth:
    """Draw a truth; point 0 of a scrambled design is uniform, and independent by seed."""
    runs = np.array([0], dtype=np.int64)
    draws = design.draw(case, engine.registry(case), seed=seed, runs=runs)
    return Truth(seed, draws, simulate(case, draws, seed))


def simulate(
    case: Case, draws: design.Draws, seed: int, guidance: Guidance | None = None
) -> Arrays:
    """Simulate a truth, or make it again with known decisions replayed."""
    return engine.simulate(
        case, seed=seed, runs=np.array([0], dtype=np.int64), values=draws.values,
        hypothesis=draws.hypothesis, guidance=guidance,
    )  # fmt: skip


def event(run: Arrays, case: Case, quantity: str, member: str | None = None) -> float:
    """Return the day of an event in a run, infinity for never."""
    members = [m.actor for m in case.alliance.members]
    if quantity == "contribution":
        days = run["contribution_day"][0]
        day = float(days[members.index(member)]) if member else min_day(days)
    elif quantity == "vote_for":
        body = max(int(run["event_decision"][0]), int(run["event_refusal"][0]))
        day = float(body) if run["vote"][0, members.index(str(member))] == 1 else -1.0
    elif quantity == "first_arrival" and member:
        day = math.floor(run["arrival_day"][0, members.index(member)]) if np.isfinite(
            run["arrival_day"][0, members.index(member)]
        ) else -1.0  # fmt: skip
    else:
        day = float(run[f"event_{quantity}"][0])
    return math.inf if day < 0 else day


def min_day(days: NDArray[Any]) -> float:
    """Return the earliest of some days, -1 if none."""
    known = days[days >= 0]
    return float(known.min()) if known.size else -1.0


def number(
    run: Arrays, case: Case, quantity: str, day: int, *, place: str | None = None,
    member: str | None = None, passed: float = 1.0,
) -> float:  # fmt: skip
    """Return a count or level of a run on a day of which the share ``passed`` is over."""
    cities = list(case.places)
    members = [m.actor for m in case.alliance.members]
    if quantity == "deaths_total":
        parts = ("deaths_protesters", "deaths_security")
        allied = flow(run["deaths_allied"][0], day, passed)
        return allied + sum(flow(run[k][0].sum(axis=1), day, passed) for k in parts)
    if quantity == "cities_in_unrest":
        return float(sum(c > 50 for c in run["crowd"][0, day]))
    column = run[quantity][0].astype(np.float64)
    if quantity in TROOPS:
        here = column[:, members.index(member)] if member else column.sum(axis=1)
    elif quantity in BY_CITY and place:
        here = column[:, cities.index(place)]
    elif quantity == "legitimacy":
        people = np.array([p.population for p in case.places.values()], dtype=float)
        here = (column * people).sum(axis=1) / people.sum()
    elif quantity in BY_CITY:
        here = column.sum(axis=1)
    else:
        here = column
    return flow(here, day, passed) if quantity in FLOWS else float(here[day])


def flow(by_day: NDArray[Any], day: int, passed: float) -> float:
    """Return the total up to a time of a day."""
    by_day = by_day.astype(np.float64)
    return float(by_day[:day].sum() + passed * by_day[day])


@dataclass(frozen=True)
class Scatter:
    """How one report scatters, as documented, written independently here.

    Attributes
    ----------
    bias, scale, error : float
        ``h(y) = h(x) + bias + scale t`` with chance ``1 - error``.
    """

    bias: float
    scale: float
    error: float


def scatter(quantity: str, rating: str, lag: float) -> Scatter:
    """Return the documented scatter of a report."""
    spread_a, wrong_a = documented.RELIABILITY[rating[0]]
    spread_b, wrong_b = documented.CREDIBILITY[rating[1]]
    kind = QUANTITIES[quantity].kind
    family = "index" if quantity == "outside_belief" else {"level": "share", "event": "day"}.get(
        kind, "count"
    )  # fmt: skip
    habit = documented.HABITS.get(quantity, documented.DEFAULT_HABITS[family])
    half = 0.5 if family == "share" else 1.0
    scale = math.sqrt(
        (half * spread_a) ** 2 + (half * spread_b) ** 2 + habit.spread**2 + habit.discrepancy**2
    )
    at_once = 1.0 - (1.0 - habit.reported) * math.exp(-lag / 10.0)
    bias = math.log(at_once) if family == "count" else 0.0
    return Scatter(bias, scale, wrong_a + wrong_b - wrong_a * wrong_b)


@dataclass(frozen=True)
class Common:
    """What the reports of one count share, as documented, written independently here.

    Attributes
    ----------
    shift : float
        How far log(1 + the true total) lies from the run's.
    error : float
        What all reports get wrong together.
    own : float
        Scale of what is left to this report.
    """

    shift: float
    error: float
    own: float


class Reporter:
    """Makes the facts of one synthetic crisis.

    The quantity, its place or member, its day and its rating are drawn without looking at the
    truth; only the value depends on it.

    Parameters
    ----------
    case : Case
        Without facts.
    run : dict of str to ndarray
        The truth.
    random : numpy.random.Generator
    """

    def __init__(self, case: Case, run: Arrays, random: Random) -> None:
        self.case, self.run, self.random = case, run, random
        self.known_day = case.day(case.as_of)
        self.facts: list[dict[str, Any]] = []
        #: Shift of each count of which a report is known, by quantity and place.
        self.shifts: dict[tuple[str, str | None], float] = {}

    def rating(self, *, weak: bool = False) -> str:
        """Return a rating; ``weak`` ones are never replayed."""
        letters = "CCDDEF" if weak else "AABBBCCCDDEF"
        return str(self.pick(tuple(letters))) + str(self.pick(tuple("1122233456")))

    def pick(self, options: tuple[Any, ...]) -> Any:
        """Return one of some options."""
        return options[int(self.random.integers(len(options)))]

    def add(self, **fact: Any) -> None:
        """Keep a fact."""
        number = len(self.facts)
        base = {"id": f"f{number}", "source": "wire", "text": "It is said."}
        self.facts.append(base | {k: v for k, v in fact.items() if v is not None})

    def case_with_facts(self) -> Case:
        """Return the crisis in the form of a case file, read through the case's own checks."""
        # Shuffled: nothing may depend on the order of the facts.
        order = self.random.permutation(len(self.facts))
        facts = tuple(Fact.model_validate(self.facts[i]) for i in order)
        return self.case.model_copy(update={"facts": facts})

    def number(self, quantity: str, t: float | None = None, **where: Any) -> None:
        """Report a count or level, some days late, possibly too late to be known.

        Parameters
        ----------
        quantity : str
        t : float, optional
            The honest report's deviation in scales; drawn if absent.
        where
            ``day``, ``place``, ``member``: drawn if absent.
        """
        random = self.random
        day = where.get("day")
        if day is None:
            day = int(random.integers(FIRST_DAY, self.known_day + 1))
        place, member = where.get("place"), where.get("member")
        if "place" not in where and quantity in BY_CITY:
            place = self.pick((None, *self.case.places))
        if "member" not in where and quantity in TROOPS:
            member = self.pick((None, "big", "other"))
        if quantity in FLOWS:
            self.count(quantity, place, (day,), float(random.standard_t(4)) if t is None else t)
            return
        lag = int(self.pick((0, 0, 0, 1, 1, 2, 3)))
        about, known, passed, late = self.times(quantity, day, lag)
        x = number(self.run, self.case, quantity, day, place=place, member=member, passed=passed)
        rating = self.rating()
        value, unit = self.value(quantity, x, scatter(quantity, rating, late), t)
        self.add(
            quantity=quantity, about=about, known_from=known, place=place, member=member,
            value=value, unit=unit, rating=rating,
        )  # fmt: skip

    def count(self, quantity: str, place: str | None, days: tuple[int, ...], t: float) -> None:
        """Report a count on some days; all reports see one true total.

        ``t`` is the deviation of the true total from the run's, in model discrepancies.
        """
        habit = documented.HABITS[quantity]
        drafts = []
        for day in days:
            lag = int(self.pick((0, 0, 0, 1, 1, 2, 3)))
            drafts.append((day, *self.times(quantity, day, lag), self.rating()))
        rest = [
            math.sqrt(scatter(quantity, rating, late).scale ** 2 - habit.discrepancy**2)
            for *_, late, rating in drafts
        ]
        known = [dt.date.fromisoformat(d[2][:10]) <= self.case.as_of for d in drafts]
        best = min((e for e, k in zip(rest, known, strict=True) if k), default=min(rest))
        shared = math.sqrt(documented.COMMON_REPORTING) * best
        shift, error = habit.discrepancy * t, shared * float(self.random.normal())
        if any(known):
            self.shifts[quantity, place] = shift
        for (day, about, when, passed, late, rating), e in zip(drafts, rest, strict=True):
            x = number(self.run, self.case, quantity, day, place=place, passed=passed)
            common = Common(shift, error, math.sqrt(max(e**2 - shared**2, 0.0)))
            value, unit = self.value(quantity, x, scatter(quantity, rating, late), None, common)
            self.add(
                quantity=quantity, about=about, known_from=when, place=place,
                value=value, unit=unit, rating=rating,
            )  # fmt: skip

    def times(self, quantity: str, day: int, lag: int) -> tuple[str, str, float, float]:
        """Return about, known_from, the share of the day that is over, and the lag in days."""
        date = self.case.date(day)
        if quantity not in FLOWS or self.random.uniform() < 0.5:
            return date.isoformat(), self.case.date(day + lag).isoformat(), 1.0, float(lag)
        hour = int(self.random.integers(6, 21))
        about = dt.datetime.combine(date, dt.time(hour))
        known = about + dt.timedelta(days=lag, hours=2)
        return about.isoformat(), known.isoformat(), hour / 24.0, lag + 2.0 / 24.0

    def value(
        self, quantity: str, x: float, how: Scatter, t: float | None, common: Common | None = None
    ) -> tuple[Any, str | None]:
        """Return the reported value of a number, and its unit if it is not the usual one."""
        random = self.random
        honest = random.uniform() >= how.error
        t = float(random.standard_t(4)) if t is None else t
        deviation = how.bias + how.scale * t
        if QUANTITIES[quantity].kind != "level":
            h = math.log1p(max(x, 0.0)) + deviation
            if common is not None:
                h = max(math.log1p(max(x, 0.0)) + common.shift + common.error, 0.0)
                h += how.bias + common.own * t
            if not honest:
                middle = 3.0 if quantity == "cities_in_unrest" else 100.0
                sd = 1.5 if quantity == "cities_in_unrest" else 3.0
                h = random.normal(math.log1p(middle), sd)
            return self.count_in_words(quantity, round(math.expm1(min(max(h, 0.0), 30.0)))), None
        if quantity == "outside_belief":
            return round(x + deviation if honest else random.normal(0.0, 3.0), 2), None
        hundredths = round(100.0 * (x + deviation if honest else random.uniform()))
        percent = random.uniform() < 0.3
        top = 100 if percent else 1
        if hundredths <= 0:
            return "at most 0", "percent" if percent else None
        if hundredths >= 100:
            return f"at least {top}", "percent" if percent else None
        return hundredths if percent else hundredths / 100.0, "percent" if percent else None

    def count_in_words(self, quantity: str, n: int) -> int | str:
        """Return a count as a number, a class or a bound; the choice does not depend on it."""
        form = self.random.uniform()
        if form < 0.25 and quantity in BOUNDS:
            bound = BOUNDS[quantity]
            return f"at least {bound}" if n >= bound else f"less than {bound}"
        if form < 0.5:
            i = int(np.searchsorted(CLASSES, n, side="right")) - 1
            return f"{CLASSES[i]}..{CLASSES[i + 1] - 1}"
        return n

    def event(self, quantity: str, member: str | None, *, weak: bool) -> None:
        """Report on the as-of day whether and when an event happened.

        A false report names any simulated day or none with equal chance. Only days up to the as-of
        date can be named; the rest read "it had not happened".
        """
        random, last = self.random, self.known_day
        rating = self.rating(weak=weak)
        how = scatter(quantity, rating, 0.0)
        if random.uniform() >= how.error:
            y = event(self.run, self.case, quantity, member) + how.scale * random.standard_t(4)
        else:
            y = float(random.integers(self.case.horizon + 1))
        happened = y < last + 0.5
        day = math.floor(y + 0.5) if happened else last
        about = self.case.date(max(day, -30)).isoformat()
        if random.uniform() < 0.3 and happened and day >= 0:
            # Told to within three days, whose last one is the as-of day or three, six, ... before.
            end = last - 3 * ((last - day) // 3)
            first = max(end - 2, 0)
            if first < end:
                about = f"{self.case.date(first).isoformat()}..{self.case.date(end).isoformat()}"
        self.add(
            quantity=quantity, member=member, rating=rating, value=happened,
            about=about,
            known_from=self.case.as_of.isoformat(),
        )  # fmt: skip

    def known_decision(self, quantity: str, member: str | None) -> None:
        """Report truly, rated A1 to B2, whether and when a decision was taken: it is replayed."""
        asked = self.known_day - int(self.random.integers(2))
        day = event(self.run, self.case, quantity, member)
        rating = self.pick(("A1", "A2", "B1", "B2"))
        self.add(
            quantity=quantity, member=member, rating=rating, value=day <= asked,
            about=self.case.date(int(day) if day <= asked else asked).isoformat(),
            known_from=self.case.date(asked).isoformat(),
        )  # fmt: skip


@dataclass(frozen=True)
class Crisis:
    """A case with facts, and the shift of each count of which a report is known."""

    case: Case
    shifts: dict[tuple[str, str | None], float]


def total(crisis: Crisis, run: Arrays, quantity: str, day: int, place: str | None = None) -> float:
    """Return the true total of a count: that of its reports, and what the run adds later."""
    case, shifts = crisis.case, crisis.shifts
    today = case.day(case.as_of)

    def known(name: str, where: str | None, until: int) -> tuple[float, bool]:
        x = number(run, case, name, until, place=where)
        own = None
        if (name, where) in shifts:
            own = math.expm1(max(math.log1p(x) + shifts[name, where], 0.0))
        parts: list[tuple[float, bool]] = []
        if name == "deaths_total":
            parts = [known(n, None, until) for n in ("deaths_protesters", "deaths_security")]
            parts.append((flow(run["deaths_allied"][0], until, 1.0), False))
        elif where is None:
            parts = [known(name, city, until) for city in case.places]
        if any(touched for _, touched in parts):
            own = max(own if own is not None else 0.0, sum(value for value, _ in parts))
        return (x, False) if own is None else (own, True)

    if day <= today:
        return known(quantity, place, day)[0]
    added = number(run, case, quantity, day, place=place)
    added -= number(run, case, quantity, today, place=place)
    return known(quantity, place, today)[0] + added


def unreported_chance(crisis: Crisis, run: Arrays) -> float:
    """Return the chance that what no known fact reports has gone unreported."""
    case = crisis.case
    last = case.day(case.as_of)
    facts = [f for f in case.facts if case.day(f.known_from) <= last and case.day(f.about) <= last]
    chance = 1.0
    for kind, news in unreported.NEWS.items():
        if not case.silence.get(kind, True):
            continue
        day = event(run, case, kind)
        if day > last:
            continue
        later = [f for f in facts if f.quantity in news.told_by]
        mine = [f for f in facts if f.quantity == kind]
        if any(f.value is None or f.value.high >= 1 for f in later + mine):
            continue
        online = run["internet"][0].astype(np.float64)
        pace = 4.0 ** (2.0 * case.openness - 1.0) * np.ones(last + 1)
        if news.inside:
            pace = pace * (unreported.CUT_OFF + (1 - unreported.CUT_OFF) * online[: last + 1])
        days = float(pace[int(day) :].sum() - 0.5 * pace[int(day)])
        tau = news.median / (2.0 ** (1.0 / unreported.SHAPE) - 1.0)
        silent = (1.0 + days / tau) ** -unreported.SHAPE
        denied = 1.0
        for fact in [f for f in mine if f.member is None and case.day(f.about) >= day]:
            how = scatter(kind, fact.rating, 0.0)
            honest = stats.t.sf((case.day(fact.about) + 0.5 - day) / how.scale, 4.0)
            denied *= (1.0 - how.error) * honest + 0.5 * how.error
        chance *= min(silent / denied, 1.0)
    return chance


def separate(case: Case, run: Arrays, random: Random, *, replayed: bool = False) -> Crisis:
    """Return a crisis whose reports share no error, so that each counts in full.

    There is one report about the streets, one about troops, four about levels and five about
    events, no two about the same quantity. With ``replayed`` there are two about levels, two about
    events, and two or three known decisions.
    """
    r = Reporter(case, run, random)
    r.number(r.pick(STREETS))
    r.number(r.pick(TROOPS))
    for i in random.permutation(len(LEVELS))[: 2 if replayed else 4]:
        r.number(LEVELS[i])
    known: set[str] = set()
    if replayed:
        # A landing on a known day has its hour drawn again, so that it is not the same run;
        # tests/world/mechanisms/test_airlift.py shows that its charge is exact.
        decisions = [e for e in EVENTS if e[0] in REPLAYABLE and e[0] != "first_arrival"]
        for i in random.permutation(len(decisions))[: int(random.integers(2, 4))]:
            r.known_decision(*decisions[i])
            known.add(decisions[i][0])
    told: set[str] = set()
    for i in random.permutation(len(EVENTS)):
        quantity, member = EVENTS[i]
        if quantity not in told | known and len(told) < (2 if replayed else 5):
            r.event(quantity, member, weak=replayed)
            told.add(quantity)
    return Crisis(r.case_with_facts(), r.shifts)


def crowded(case: Case, run: Arrays, random: Random) -> Crisis:
    """Return a crisis with many reports that share errors, with the documented correlations."""
    r = Reporter(case, run, random)
    subjects: list[tuple[str, int, str | None]] = []
    counts: list[tuple[str, str | None, tuple[int, ...]]] = []
    for quantity in ("crowd", "crowd", "arrests", "deaths_protesters", "deaths_security"):
        place = r.pick(tuple(case.places))
        days = random.choice(np.arange(FIRST_DAY, r.known_day + 1), size=3, replace=False)
        if quantity in FLOWS:
            counts.append((quantity, place, tuple(int(day) for day in days)))
        else:
            subjects += [(quantity, int(day), place) for day in days]
    counts.append(("deaths_total", None, (r.known_day,)))
    subjects += [("troops_announced", d, None) for d in (r.known_day - 1, r.known_day)]
    subjects += [("loyal_share", r.known_day, None)]
    every = subjects + [(quantity, 0, place) for quantity, place, _ in counts]
    drawn = deviations(every, random)
    for (quantity, day, place), t in zip(subjects, drawn[: len(subjects)], strict=True):
        r.number(quantity, float(t), day=day, place=place, member=None)
    for (quantity, place, when), t in zip(counts, drawn[len(subjects) :], strict=True):
        r.count(quantity, place, when, float(t))
    for i in random.permutation(len(EVENTS))[:4]:
        r.event(*EVENTS[i], weak=False)
    return Crisis(r.case_with_facts(), r.shifts)


def deviations(subjects: list[tuple[str, int, str | None]], random: Random) -> FloatArray:
    """Return honest deviations with the documented correlations of model and reporting errors.

    A Gaussian copula with Student's t margins. The rating's part of the scale is taken at its
    middle (B2), since the ratings are drawn later. The deviation of a count is that of its true
    total from the run's, so it is the model's alone.
    """
    n = len(subjects)
    matrix = np.eye(n)
    for i, (a, day_a, place_a) in enumerate(subjects):
        for j, (b, day_b, place_b) in enumerate(subjects):
            if i == j:
                continue
            near = math.exp(-abs(day_a - day_b) / 2.0)
            same, family = (a, place_a) == (b, place_b), a in STREETS and b in STREETS
            model = 0.7 + 0.3 * near if same else 0.7 if a == b else 0.35 if family else 0.0
            reporting = 0.8 * near if same else 0.0
            parts = []
            for quantity in (a, b):
                scale = scatter(quantity, "B2", 0.0).scale
                habit = documented.HABITS.get(quantity, documented.DEFAULT_HABITS["share"])
                part = 1.0 if quantity in FLOWS else habit.discrepancy / scale
                parts.append((part, math.sqrt(1.0 - part**2)))
            (m, e), (k, f) = parts
            matrix[i, j] = model * m * k + reporting * e * f
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    z = root @ random.normal(size=n) / np.sqrt((root**2).sum(axis=1))
    return np.asarray(stats.t.ppf(stats.norm.cdf(z), 4.0))
