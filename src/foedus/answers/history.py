"""History's own answer: what the casebook's models say of a question, without any run.

The models' outlook of a case (:func:`foedus.world.priors.casebook_outlook`, which leaves the case
and all later crises out) is drawn as sample histories: when the government asks, how it is
answered, when help lands, how many soldiers, how long they stay, when the leader falls. They are
conditional on what is known: the day of a step that a well rated fact reports is fixed, and what no
fact reports has not happened yet. A question is read from them as from runs.

History speaks of the request, the answer, the landing, the soldiers, the departure and the
leader's fall, of the mission as a whole. Of anything else it says nothing.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.answers.outside_view import known_day
from foedus.case.models import Case, Question, Statistic
from foedus.case.question_kinds import TROOPS
from foedus.case.times import DAYS_PER_MONTH, parse_when
from foedus.case.vocabulary import WELL_RATED
from foedus.casebook.coded_case import ANSWERS
from foedus.weighing.quantities import Block, Frame, evaluate, series
from foedus.world.priors import casebook_outlook, casebook_waits

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Sample histories behind an answer, and those drawn from which they are the first that agree with
#: what is known. If fewer than :data:`LEAST` agree, history says nothing.
SAMPLES, DRAWN, LEAST = 4_000, 40_000, 200
#: Days after the request, or after the trigger where nobody asks, for which the models say whether
#: the government is in power. The hazard is taken to be constant.
IN_POWER_DAYS = 90
#: Steps of a crisis of which history speaks.
STEPS = (
    "request",
    "decision",
    "refusal",
    "first_arrival",
    "withdrawal_start",
    "withdrawal_end",
    "leader_leaves",
)
#: Steps that show that troops were granted.
_GRANTED = ("decision", "first_arrival", "withdrawal_start", "withdrawal_end")


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Sample histories of a case.

    Attributes
    ----------
    frame : Frame
    days : dict of str to ndarray, shape (sample,)
        Day number of each of :data:`STEPS`; infinity for never.
    soldiers : ndarray, shape (sample,)
        Peak of the first 30 days, taken to be there from the landing to the departure; 0 where no
        troops come.
    sized : bool
        A fact reports how many troops were announced or came, so the models' number is outdated.
    """

    frame: Frame
    days: dict[str, FloatArray]
    soldiers: FloatArray
    sized: bool

    def draws(self, question: Question) -> FloatArray | None:
        """Return the answer of each sample, as of a run; None where history does not speak."""
        if not self.speaks(question.ask):
            return None
        block = {
            f"event_{step}": np.where(np.isfinite(day), day, -1.0)
            for step, day in self.days.items()
        }
        return evaluate(block, self.frame, question.ask, kind=question.kind, read=self._series)

    def speaks(self, ask: Statistic) -> bool:
        """Tell whether history speaks to what a question asks."""
        if ask.member is not None or ask.place is not None:
            return False
        if ask.quantity not in TROOPS:
            return ask.quantity in STEPS
        # The models know the peak, not its course: whether any troops are there, or the most.
        return is_presence(ask) or (not self.sized and ask.statistic in ("max", "happens"))

    def _series(
        self,
        block: Block,
        frame: Frame,
        quantity: str,
        *,
        place: str | None = None,
        member: str | None = None,
    ) -> FloatArray:
        if quantity not in TROOPS:
            return series(block, frame, quantity, place=place, member=member)
        first = self.days["decision" if quantity == "troops_announced" else "first_arrival"]
        day = np.arange(frame.horizon)
        there = (day >= first[:, None]) & (day < self.days["withdrawal_end"][:, None])
        return np.asarray(there * self.soldiers[:, None], dtype=np.float64)


def is_presence(ask: Statistic) -> bool:
    """Tell whether a question on troops asks whether any are there."""
    some = ask.at_least is not None and ask.at_least <= 1.0 and ask.at_most is None
    none = ask.at_most is not None and ask.at_most < 1.0 and ask.at_least is None
    return (some or none) and ask.statistic != "mean"


def histories(case: Case, *, as_of: str | None = None) -> Histories | None:
    """Return sample histories of a case, given what is known.

    Parameters
    ----------
    case : Case
        As filtered by :func:`foedus.case.asof.as_of`.
    as_of : str, optional
        The date with its time of day; the end of the case's as-of date if absent.

    Returns
    -------
    Histories or None
        None where the case names no trigger type or no organisation, or where hardly any sample
        agrees with what is known. The same case and date give the same samples.
    """
    if case.trigger_type is None or case.organisation is None:
        return None
    whole_day = as_of is None or parse_when(as_of) == case.as_of
    now = case.day(case.as_of) + int(whole_day)
    days, soldiers, agree = _drawn(case, now)
    kept = np.flatnonzero(agree)[:SAMPLES]
    if kept.size < LEAST:
        return None
    return Histories(
        frame=Frame.of(case),
        days={step: day[kept] for step, day in days.items()},
        soldiers=soldiers[kept],
        sized=any(f.quantity in TROOPS and f.value is not None for f in case.facts),
    )


def _drawn(case: Case, now: int) -> tuple[dict[str, FloatArray], FloatArray, BoolArray]:
    """Draw histories; tell which agree with what is known before a day, with silence too."""
    outlook = casebook_outlook(case)
    to_request, to_answer = casebook_waits(case)
    random = np.random.default_rng(zlib.crc32(case.id.encode()))
    known = {step: known_day(case, step, ratings=WELL_RATED) for step in STEPS}
    granted = [day for step in _GRANTED if (day := known[step]) is not None]
    refused = known["refusal"]
    answered = [*granted, *([] if refused is None else [refused])]

    def of(draws: FloatArray) -> FloatArray:
        return np.asarray(draws[random.integers(len(draws), size=DRAWN)])

    def fixed(step: str, day: FloatArray) -> FloatArray:
        fact = known[step]
        return day if fact is None else np.full(DRAWN, float(fact))

    trigger = min(case.day(t.date) for t in case.triggers) if case.triggers else 0
    # One posterior draw for whether the government asks and how it is answered.
    draw = random.integers(outlook.request.draws.size, size=DRAWN)
    asks = random.random(DRAWN) < outlook.request.draws[draw]
    asks |= known["request"] is not None or bool(answered)
    wait = of(to_request) if len(to_request) else np.zeros((DRAWN, 2))
    wait = np.floor(wait[:, 0] + (wait[:, 1] - wait[:, 0] + 1.0) * random.random(DRAWN))
    request = fixed("request", np.minimum(trigger + wait, min(answered, default=np.inf)))
    chance = np.cumsum([outlook.answer_if_asked[name].draws[draw] for name in ANSWERS], axis=0)
    said = (random.random(DRAWN) >= chance[:-1]).sum(axis=0)
    answer = np.array(ANSWERS)[said]
    if granted or refused is not None:
        answer[:] = "troops" if granted else "refused"
    answer = np.where(asks, answer, "none")
    request = np.where(asks, request, np.inf)

    troops = answer == "troops"
    reply = request + (of(to_answer) if len(to_answer) else 0.0)
    arrival = fixed("first_arrival", np.floor(request + of(outlook.arrival_days)))
    decision = fixed("decision", np.minimum(reply, arrival))
    end = fixed("withdrawal_end", np.floor(arrival + of(outlook.months) * DAYS_PER_MONTH))
    days = {
        "request": request,
        "decision": np.where(troops, decision, np.inf),
        "refusal": np.where(answer == "refused", fixed("refusal", reply), np.inf),
        "first_arrival": np.where(troops, arrival, np.inf),
        "withdrawal_start": np.where(troops, fixed("withdrawal_start", end), np.inf),
        "withdrawal_end": np.where(troops, end, np.inf),
    }
    if refused is not None:
        days["refusal"] = np.full(DRAWN, float(refused))
    stays = np.select(
        [answer == name for name in ANSWERS],
        [of(outlook.in_power_by_answer[name].draws) for name in ANSWERS],
    )
    with np.errstate(divide="ignore"):
        lasts = IN_POWER_DAYS * np.log(1.0 - random.random(DRAWN)) / np.log(stays)
    since = np.where(asks, request, trigger)
    days["leader_leaves"] = fixed("leader_leaves", np.floor(since + lasts))

    agree = np.ones(DRAWN, dtype=np.bool_)
    for step in STEPS:
        if known[step] is None and known_day(case, step) is None:
            agree &= days[step] >= now
    for earlier, later in (
        ("request", "decision"),
        ("request", "first_arrival"),
        ("decision", "first_arrival"),
        ("first_arrival", "withdrawal_start"),
        ("withdrawal_start", "withdrawal_end"),
    ):
        agree &= ~np.isfinite(days[later]) | (days[earlier] <= days[later])
    return days, np.where(troops, of(outlook.soldiers), 0.0), agree
