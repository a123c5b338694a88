"""Mechanism 7, alliance: from the request to a vote, and from the vote to troops.

**When.** From the day of the request, the body decides on each day with chance ``decision_rate``.
The rate is constant within a run; its spread over runs gives the long tail seen in the casebook.

**The lead** accepts with log-odds

    lead_intercept + interest·I + street·S + treaty·(b - ½)·[aggression test]
                   + signal·message - other_war·[lead in another war]

where

- I is the lead's interest (mechanism 10; 0 if off);
- S is the street challenge, the highest unrest intensity so far. Authoritarian organisations show
  solidarity against street challenges, not against coups or interstate attack (Debre 2021, doi
  10.1007/s11558-021-09428-y);
- b is the allies' belief in an external attack (mechanism 4; ½ if off);
- the message is what acting tells an outside observer
  (:func:`foedus.world.mechanisms.outside.news`).

**The vote.** One Gaussian factor Z is common to all members. The lead's latent reluctance is ``√ρ Z
+ √(1-ρ) e``, and it accepts below its threshold. A member votes against above the threshold of
``against``, votes for below that of ``(1 - against) × yes``, and abstains in between. A lead that
accepts votes for, and so does the requester. The decision rule then counts the votes
(:mod:`foedus.world.voting`). Given Z, members are independent, so the chance of passing follows
exactly by enumeration over members. Each day has three outcomes:

    decision  rate × P(lead accepts | Z) × P(pass | Z),   refusal  rate less that,   neither.

Votes are then drawn member by member from their exact law given the outcome (no vote is held where
the lead declines). A known decision or refusal is therefore replayed without approximation, and the
run is charged the chance above. No body decides twice: a known decision rules out an earlier
refusal, and the reverse, and the run is charged for that too.

**Troops.** Sending troops is a second decision. A member other than lead and requester that did not
vote against contributes with log-odds

    intercept + street·S + power_shift·[…] + coalition·[…] + pledge·(1 - relabel)·[pledge]
              + lead_committed·[the lead has committed],

from ``ratification_days`` after the decision. A willing member commits on each day with chance
``readiness``; the daily hazard is such that the total probability is the logistic of these
log-odds. A lead that accepted always contributes. A public pledge not to send troops is an audience
cost, which re-labelling the mission discounts (Fearon 1997, doi 10.1177/0022002797041001004). A
contributor announces ``scale`` times a share of its pool (the lead: of the alliance's announced
pool), at most its pool, and sends a Beta-distributed share of what it announced. ``scale`` is the
size of the mission against what the pools would suggest; the casebook's sizes set it.

Off: no request is answered. It is switched off automatically where nothing can be requested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.case.priors import Beta, LogNormal, Normal
from foedus.randomness import Random
from foedus.world.choice import logistic
from foedus.world.guidance import Guidance
from foedus.world.mechanism import Luck, Mechanism, Parameter, Parameters, Variable
from foedus.world.mechanisms import outside
from foedus.world.setting import Setting
from foedus.world.state import State
from foedus.world.voting import RULES, Tail, conditional_support, given_factor, tail

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

#: Concentration of one member's share around the run's mean share.
SHARE_SPREAD = 6.0
REALISED_SPREAD = 20.0

_CASEBOOK = "elicited; the casebook's models replace it where a case names its trigger"
_TEMPO = "elicited: bodies that decide at all mostly do so within days, some after weeks"
_HONOURED = (
    "Berkemeier & Fuhrmann 2018, doi 10.1177/2053168018779697: 6 of 43 defence pacts and 12 of 54 "
    "alliances honoured after 1945; widened"
)
_DEBRE = "sign of Debre 2021, doi 10.1007/s11558-021-09428-y; size elicited"
_LEEDS = (
    "Leeds & Anac 2005, doi 10.1080/03050620500294135: signs; coefficients from interstate wars, "
    "means halved, widened"
)
_PLEDGE = "audience costs, Fearon 1997, doi 10.1177/0022002797041001004; size elicited"
_TIED = "correlation through the lead; elicited"
_SIZES = (
    "elicited: came, of announced, about .6 in the Gambia 2017, .25 in Lesotho 2017, 1 in Bahrain "
    "2011 and the Solomon Islands 2003"
)


def _normal(name: str, mean: float, sd: float, origin: str, source: str, meaning: str) -> Parameter:
    prior = Normal.model_validate(
        {"dist": "normal", "mean": mean, "sd": sd, "origin": origin, "source": source}
    )
    return Parameter(f"alliance.{name}", prior, "log-odds", meaning)


def _share(
    name: str,
    mean: float,
    n: float,
    origin: str,
    source: str,
    meaning: str,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Parameter:
    prior = Beta.model_validate(
        {"dist": "beta", "mean": mean, "n": n, "origin": origin, "source": source}
    )
    return Parameter(f"alliance.{name}", prior, "share", meaning, *bounds)


PARAMETERS: tuple[Parameter, ...] = (
    _share(
        "decision_rate",
        0.5,
        1.5,
        "elicited",
        _TEMPO,
        "Daily chance that the body decides on a request.",
    ),
    _normal(
        "lead_intercept",
        -1.5,
        1.0,
        "elicited",
        _CASEBOOK,
        "Lead's log-odds of accepting without interest or street challenge.",
    ),
    _normal(
        "interest",
        1.5,
        0.75,
        "elicited",
        "model sheet; sign of Findley & Teo 2006, doi 10.1111/j.1468-2508.2006.00473.x",
        "Effect of the lead's own interest on its answer.",
    ),
    _normal("street", 1.0, 0.75, "literature", _DEBRE, "Effect of the street challenge."),
    _normal(
        "treaty",
        1.0,
        0.75,
        "elicited",
        "elicited",
        "Effect of the allies' belief in an external attack under an aggression test.",
    ),
    _normal(
        "signal",
        0.0,
        0.5,
        "elicited",
        "elicited; no effect by default",
        "Effect of the message that acting sends to an outside observer.",
    ),
    _normal(
        "other_war",
        0.0,
        0.5,
        "elicited",
        "elicited; no sign assumed",
        "Reluctance of a lead that is fighting another war.",
    ),
    _share(
        "rho",
        0.5,
        4.0,
        "elicited",
        _TIED,
        "Share rho of the common factor in a member's reluctance.",
        (0.0, 0.98),
    ),
    _share(
        "against",
        0.05,
        20.0,
        "elicited",
        "elicited; abstention was added to the CSTO's consensus in December 2010",
        "Chance that a member votes against.",
        (0.0, 0.999),
    ),
    _share(
        "yes",
        0.74,
        8.0,
        "elicited",
        "elicited",
        "Chance that a member that does not vote against votes for, rather than abstaining.",
        (0.001, 0.999),
    ),
    _normal(
        "intercept",
        -1.5,
        1.0,
        "literature",
        _HONOURED,
        "Log-odds that a member sends troops, all covariates at 0.",
    ),
    _normal("power_shift", -0.75, 0.75, "literature", _LEEDS, "Effect of a power shift."),
    _normal("coalition", -0.75, 0.75, "literature", _LEEDS, "Effect of a changed coalition."),
    _normal("pledge", -1.0, 0.75, "elicited", _PLEDGE, "Effect of a pledge not to send."),
    _share(
        "relabel",
        0.4,
        5.0,
        "elicited",
        _PLEDGE,
        "Share of the pledge's effect removed by re-labelling the mission.",
    ),
    _normal(
        "lead_committed", 1.5, 0.75, "elicited", _TIED, "Effect of the lead's commitment of troops."
    ),
    _share(
        "readiness",
        0.5,
        6.0,
        "elicited",
        "elicited",
        "Daily chance that a willing member commits.",
        (0.01, 1.0),
    ),
    _share(
        "lead_share",
        0.7,
        8.0,
        "elicited",
        "elicited",
        "Share of the alliance's announced pool that the lead announces.",
    ),
    _share(
        "member_share",
        0.4,
        6.0,
        "elicited",
        "elicited",
        "Share of its pool that any other member announces.",
    ),
    Parameter(
        "alliance.scale",
        LogNormal(
            dist="lognormal",
            median=1.0,
            sd_log=0.2,
            origin="elicited",
            source="elicited; the casebook's sizes replace it where a case names its trigger",
        ),
        "1",
        "Size of the mission relative to the usual shares of the pools.",
        0.0,
        1000.0,
    ),
    _share(
        "realised",
        0.75,
        6.0,
        "elicited",
        _SIZES,
        "Mean share of announced troops that are sent.",
        (0.01, 0.99),
    ),
)


@dataclass
class Challenge:
    """The street challenge: the highest unrest intensity so far, shape (run,)."""

    highest: FloatArray


def start(setting: Setting, p: Parameters, state: State, random: Random) -> None:
    """Begin without a street challenge."""
    state.remember(Challenge(np.zeros(random.runs.size)))


def step(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Let the body decide on a request, and let members commit after a decision."""
    challenge = state.of(Challenge)
    challenge.highest = np.maximum(challenge.highest, state.unrest)
    _decide(setting, p, state, day, random, guidance)
    _contribute(setting, p, state, day, random, guidance)


def lead_log_odds(setting: Setting, p: Parameters, state: State) -> FloatArray:
    """Return the lead's log-odds of accepting a request today, shape (run,)."""
    believed = logistic(state.log_odds_abroad) - 0.5
    odds: FloatArray = (
        p["alliance.lead_intercept"]
        + p["alliance.interest"] * state.interest
        + p["alliance.street"] * state.of(Challenge).highest
        + p["alliance.treaty"] * believed * float(setting.aggression_test)
        + p["alliance.signal"] * outside.news(p)
        - p["alliance.other_war"] * float(setting.lead_other_war)
    )
    return odds


def contribution_log_odds(setting: Setting, p: Parameters, state: State, member: int) -> FloatArray:
    """Return a member's log-odds of sending troops, shape (run,)."""
    pledge = p["alliance.pledge"] * (1.0 - p["alliance.relabel"])
    odds: FloatArray = (
        p["alliance.intercept"]
        + p["alliance.street"] * state.of(Challenge).highest
        + p["alliance.power_shift"] * setting.power_shift[member]
        + p["alliance.coalition"] * setting.coalition_changed[member]
        + pledge * setting.pledge[member]
        + p["alliance.lead_committed"] * state.commits[:, setting.lead]
    )
    return odds


def _factor(random: Random) -> FloatArray:
    return random.normal("alliance.factor")


def _ballot(setting: Setting, p: Parameters, factor: FloatArray) -> tuple[Tail, FloatArray]:
    """Return the members' chances of support when the lead accepts, and how the rest split.

    Returns
    -------
    Tail
        Support by member, given the factor, and the chance that the motion passes.
    ndarray, shape (run,)
        P(for | for or abstaining) under consensus with abstention; P(against | against or
        abstaining) under other rules.
    """
    rule = RULES[setting.rule]
    members = len(setting.members)
    rho = p["alliance.rho"]
    stay = 1.0 - p["alliance.against"]
    not_against = given_factor(stay, rho, factor)
    in_favour = given_factor(stay * p["alliance.yes"], rho, factor)
    support = np.empty((factor.size, members))
    sure = {setting.lead, setting.requester}
    for member in range(members):
        others = not_against if rule.aside_supports else in_favour
        support[:, member] = 1.0 if member in sure else others
    if rule.aside_supports:
        split = in_favour / np.maximum(not_against, 1e-300)
    else:
        split = (1.0 - not_against) / np.maximum(1.0 - in_favour, 1e-300)
    return tail(support, rule.quota(members)), np.clip(split, 0.0, 1.0)


def answer_chance(setting: Setting, p: Parameters, lead: FloatArray) -> FloatArray:
    """Return P(the body decides to send troops | it decides), given P(the lead accepts).

    The common factor is integrated out by Gauss-Hermite quadrature.

    Parameters
    ----------
    setting : Setting
    p : mapping of str to ndarray, shape (1,)
        ``rho``, ``against`` and ``yes``.
    lead : ndarray, shape (n,)
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    one = {name: np.full(nodes.size, value[0]) for name, value in p.items()}
    ballot, _ = _ballot(setting, one, nodes)
    accepts = given_factor(lead[:, None], p["alliance.rho"], nodes)
    return np.asarray((accepts * ballot.chance) @ (weights / weights.sum()))


def chances(
    setting: Setting, p: Parameters, state: State, factor: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return P(lead accepts) and P(vote passes) given the factor, each shape (run,)."""
    accepts = given_factor(logistic(lead_log_odds(setting, p, state)), p["alliance.rho"], factor)
    ballot, _ = _ballot(setting, p, factor)
    return accepts, np.clip(ballot.chance, 0.0, 1.0)


def _decide(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Draw or replay the body's decision or refusal."""
    done = state.happened("decision") | state.happened("refusal")
    open_ = state.happened("request") & state.in_office & ~done
    known = (guidance.days.get(("decision", "")), guidance.days.get(("refusal", "")))
    if not open_.any() and day not in known:
        return
    rate = p["alliance.decision_rate"]
    factor = _factor(random)
    accepts, carries = chances(setting, p, state, factor)
    agree = accepts * carries
    u = random.uniform("alliance.decision", tick=day)
    yes = guidance.excluding("refusal", "decision").decide(
        state, "decision", rate * agree, u, open_, day
    )
    yes = yes & ~done
    state.mark("decision", yes, day)
    # Conditional on no decision today, so that the day of the answer is the same for both answers.
    rest = rate * (1.0 - agree) / np.maximum(1.0 - rate * agree, 1e-12)
    first = rate * agree
    v = np.where(
        u < first, u / np.maximum(first, 1e-300), (u - first) / np.maximum(1.0 - first, 1e-12)
    )
    no = guidance.excluding("decision", "refusal").decide(
        state, "refusal", rest, v, open_ & ~yes, day
    )
    no = no & ~done & ~yes
    state.mark("refusal", no, day)
    if (yes | no).any():
        _record_votes(setting, p, state, random, yes, no, accepts, carries)


def _record_votes(
    setting: Setting,
    p: Parameters,
    state: State,
    random: Random,
    yes: BoolArray,
    no: BoolArray,
    accepts: FloatArray,
    carries: FloatArray,
) -> None:
    """Draw the lead's answer and the votes from their law given the outcome."""
    failed = accepts * (1.0 - carries) / np.maximum(1.0 - accepts * carries, 1e-12)
    taken = yes | (no & (random.uniform("alliance.lead") < failed))
    ballot, split = _ballot(setting, p, _factor(random))
    members = range(len(setting.members))
    u = np.stack([random.uniform("alliance.vote", place=m) for m in members], axis=1)
    supports = conditional_support(ballot, u, yes)
    aside_supports = RULES[setting.rule].aside_supports
    for member in members:
        v = random.uniform("alliance.aside", place=member)
        if member in (setting.lead, setting.requester):
            vote = np.ones(v.size, dtype=np.int8)
        elif aside_supports:
            vote = np.where(supports[:, member], np.where(v < split, 1, 0), -1).astype(np.int8)
        else:
            vote = np.where(supports[:, member], 1, np.where(v < split, -1, 0)).astype(np.int8)
        state.votes[:, member] = np.where(taken, vote, state.votes[:, member])
    state.lead_accepts[:] = state.lead_accepts | taken


def _contribute(
    setting: Setting, p: Parameters, state: State, day: int, random: Random, guidance: Guidance
) -> None:
    """Let members commit troops, the lead first."""
    decided = state.events["decision"].astype(np.int64)
    others = [m for m in range(len(setting.members)) if m not in (setting.lead, setting.requester)]
    order = others if setting.lead == setting.requester else [setting.lead, *others]
    for member in order:
        wait = int(np.ceil(setting.ratification_days[member]))
        age = day - decided - wait
        open_ = (decided >= 0) & (age >= 0) & state.in_office & ~state.commits[:, member]
        open_ = open_ & (state.votes[:, member] != -1)
        name = setting.members[member]
        if not open_.any() and guidance.days.get(("contribution", name)) != day:
            continue
        if member == setting.lead:
            chance = np.ones(random.runs.size)
        else:
            total = logistic(contribution_log_odds(setting, p, state, member))
            chance = commitment_hazard(total, p["alliance.readiness"], np.maximum(age, 0))
        u = random.uniform("alliance.contribution", place=member, tick=day)
        now = guidance.decide(state, "contribution", chance, u, open_, day, name)
        now = now & ~state.commits[:, member]
        state.commits[:, member] |= now
        state.contribution_day[now, member] = day
        if now.any():
            _announce(setting, p, state, random, member, now)


def commitment_hazard(total: FloatArray, readiness: FloatArray, age: IntArray) -> FloatArray:
    """Return the chance of committing today, given no commitment so far.

    Parameters
    ----------
    total : ndarray, shape (run,)
        Probability of ever committing.
    readiness : ndarray, shape (run,)
        Daily chance that a willing member commits.
    age : ndarray of int, shape (run,)
        Days since it could first commit.
    """
    waiting = np.power(1.0 - readiness, age)
    left = 1.0 - total * (1.0 - waiting)
    return total * waiting * readiness / np.maximum(left, 1e-12)


def _announce(
    setting: Setting, p: Parameters, state: State, random: Random, member: int, now: BoolArray
) -> None:
    """Draw what a member announces and what it will send, in the runs where it commits today."""
    pool = float(setting.pool[member])
    leads = member == setting.lead
    base = float(setting.announced_pool) if leads and setting.announced_pool > 0 else pool
    share = p["alliance.lead_share" if leads else "alliance.member_share"]
    here = random.subset(now)
    part = _beta(share[now], SHARE_SPREAD, here.uniform("alliance.announced", place=member))
    announced = np.rint(np.minimum(p["alliance.scale"][now] * base * part, pool))
    u = here.uniform("alliance.realised", place=member)
    state.announced[now, member] = announced
    state.sent[now, member] = np.rint(
        announced * _beta(p["alliance.realised"][now], REALISED_SPREAD, u)
    )


def _beta(mean: FloatArray, n: float, u: FloatArray) -> FloatArray:
    """Return beta quantiles at ``u`` for means by run and a concentration ``n``."""
    safe = np.clip(mean, 1e-3, 1.0 - 1e-3)
    return np.asarray(special.betaincinv(safe * n, (1.0 - safe) * n, u), dtype=np.float64)


MECHANISM = Mechanism(
    name="alliance",
    text=__doc__,
    parameters=PARAMETERS,
    borrows=tuple(p.name for p in outside.PARAMETERS),
    reads=("event.request", "in_office", "interest", "log_odds_abroad", "unrest"),
    writes=(
        "announced",
        "commits",
        "contribution_day",
        "event.decision",
        "event.refusal",
        "lead_accepts",
        "sent",
        "votes",
    ),
    draws=(
        "alliance.factor",
        "alliance.decision",
        "alliance.lead",
        "alliance.vote",
        "alliance.aside",
        "alliance.contribution",
        "alliance.announced",
        "alliance.realised",
    ),
    luck=(
        Luck("alliance.factor", "run", "The common factor in all members' votes."),
        Luck("alliance.announced", "member", "The share of its pool that {member} announces."),
    ),
    outputs=(
        Variable(
            "troops_announced",
            ("day", "member"),
            "float32",
            "people",
            "troops announced so far",
            lambda state: state.announced,
        ),
        Variable(
            "vote",
            ("member",),
            "int8",
            "1",
            "1 for, 0 abstaining, -1 against, 9 not asked",
            lambda state: state.votes,
        ),
        Variable("contribution_day", ("member",), "int16", "day", "day of commitment, -1 if never"),
    ),
    quantities=("decision", "refusal", "vote_for", "contribution", "troops_announced"),
    decisions=("decision", "refusal", "contribution"),
    memory=Challenge,
    start=start,
    step=step,
)
