"""Skeleton cases: a case file for a row of the casebook, written by one rule for all rows.

A skeleton holds what the row codes of the crisis (trigger, requester, helper, rule, border, base,
other war, dates), and nothing that is coded from how it ended. Whatever the casebook does not code
is the same in every skeleton: one city, its size, the shock, the pools of troops. These numbers
are elicited, once, and no outcome was looked at for them.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Literal, get_args

from foedus.case.load import load_text
from foedus.case.models import Case
from foedus.case.times import PartialDate
from foedus.casebook.coded_case import CodedCase
from foedus.casebook.organisations import organisations

#: Dates as of which a row is forecast: its trigger, its request, the decision on it.
Stage = Literal["trigger", "request", "decision"]
STAGES: tuple[Stage, ...] = get_args(Stage)

#: Days that a skeleton simulates after its as-of date: 30 to the request, 60 to the landing, 180 to
#: the withdrawal.
AFTER = 270
#: Most days between the start of a skeleton and its as-of date. A crisis that lasts longer before
#: the call starts this many days before it.
BEFORE = 60
#: Time of day of a step, which no row codes: what follows on the same day is still open.
NOON = "12:00"
#: One city; elicited.
POPULATION = 1_000_000
LATTICE = 20
#: The sudden loss of legitimacy, as in the starter case; elicited.
SHOCK = {"dist": "beta", "mean": 0.3, "n": 8, "origin": "elicited", "source": "elicited"}
#: Troops that the lead and each other member could send; elicited.
LEAD_POOL, MEMBER_POOL = 10_000, 500
#: Members of a body beside the requester and the lead; elicited.
OTHERS = 4
#: Admiralty rating of a coded date, by the coder's confidence.
RATINGS = {"H": "B1", "M": "B2", "L": "C3"}
#: Words of a coded decision rule, and the rule of the case file; consensus where none is coded.
_RULES = {
    "unanimity": "unanimity",
    "two thirds": "two_thirds",
    "majority": "simple_majority",
}


def as_of_date(row: CodedCase, stage: Stage) -> dt.date | None:
    """Return the date of a stage, or None where the row does not code it to the day.

    A trigger known to the month or the year counts from its first day.
    """
    if stage == "trigger":
        return (row.date("date_trigger") or PartialDate(row.year)).earliest()
    date = row.date(f"date_{stage}")
    return date.earliest() if date is not None and date.exact else None


def skeleton(row: CodedCase, stage: Stage) -> Case | None:
    """Return the skeleton case of a row as of a stage, or None where the stage is not dated.

    Parameters
    ----------
    row : CodedCase
    stage : {"trigger", "request", "decision"}
        Steps up to this one are facts of the case.

    Returns
    -------
    Case or None
        Without questions: the generic questions are read from the runs, see
        :mod:`foedus.scoring.casebook_backtest`.
    """
    date = as_of_date(row, stage)
    if date is None:
        return None
    trigger = as_of_date(row, "trigger")
    assert trigger is not None
    start = max(trigger, date - dt.timedelta(days=BEFORE))
    collective = row.organisation in organisations().collective
    others = [f"member_{n}" for n in range(1, OTHERS + 1)] if collective else []
    data: dict[str, Any] = {
        "foedus": 1,
        "id": f"skeleton-{row.id}",
        "title": f"Skeleton of {row.id}",
        "summary": f"A {row.trigger.replace('_', ' ')} in {row.requester.name}, {row.year}.",
        "start": start,
        "horizon": (date - start).days + AFTER,
        "as_of": f"{date}T{NOON}",
        "requester_iso3": row.requester.iso3,
        "trigger_type": row.trigger,
        "organisation": row.organisation,
        # No row codes these by date, so that a skeleton says nothing of them is no evidence.
        "silence": {"leader_leaves": False, "fire_order": False, "hundred_dead": False},
        "sources": {
            "casebook": {"name": "The casebook"},
            "elicited": {"name": "The same number in every skeleton"},
        },
        "places": {
            "capital": {
                "name": "The capital",
                "lat": 0.0,
                "lon": 0.0,
                "population": POPULATION,
                "lattice": LATTICE,
                "source": "elicited",
            }
        },
        "actors": {
            "requester": {"name": row.requester.name, "roles": ["government", "member"]},
            "lead": {"name": "The lead", "roles": ["member", "lead", "patron"]},
            **{name: {"name": f"Member {name[7:]}", "roles": ["member"]} for name in others},
        },
        "alliance": {
            "name": row.helper,
            "rule": _rule(row) if collective else "lead_only",
            "lead": "lead",
            "requester": "requester",
            "lead_in_other_war": bool(row.value("lead_other_war_or_crisis")),
            "lead_has_base": row.value("lead_base_or_forces_there"),
            "aggression_test": False,
            "members": [
                {"actor": "requester", "lat": 0.0, "lon": 0.0, "pool": 0},
                {
                    "actor": "lead",
                    "lat": 5.0,
                    "lon": 5.0,
                    "pool": LEAD_POOL,
                    "contiguous": bool(row.contiguous),
                    "capability": row.value("cinc_ratio_lead_to_requester") or 1.0,
                },
                *({"actor": n, "lat": 5.0, "lon": 5.0, "pool": MEMBER_POOL} for n in others),
            ],
            "patrons": [{"actor": "lead", "through_alliance": True, "dependence": 0.5}],
        },
        "triggers": [
            {"place": "capital", "date": start, "loss": SHOCK, "text": "What began the crisis."}
        ],
        "facts": _facts(row, stage, date, start),
    }
    # JSON is YAML too.
    return load_text(json.dumps(data, default=str), f"skeleton of {row.id}")


def _rule(row: CodedCase) -> str:
    coded = str(row.value("decision_rule") or "").lower()
    return next(
        (rule for word, rule in _RULES.items() if word in coded), "consensus_with_abstention"
    )


def _facts(row: CodedCase, stage: Stage, date: dt.date, start: dt.date) -> list[dict[str, Any]]:
    """Return the steps up to a stage that are dated to the day.

    Of steps on the same day the later ones are not known yet: many a request was made and granted
    within hours.
    """
    steps = {}
    if stage != "trigger":
        steps["request"] = "date_request"
    if stage == "decision":
        if row.outcome in ("granted_troops", "pledged_not_deployed"):
            steps |= {"decision": "date_decision", "first_arrival": "date_first_arrival"}
        elif row.outcome == "refused":
            steps["refusal"] = "date_decision"
    out = []
    for quantity, field in steps.items():
        coded = getattr(row.fields, field)
        if coded is None or not coded.value.exact or coded.value.latest() > date:
            continue
        day = max(coded.value.earliest(), start)
        out.append(
            {
                "id": quantity,
                "about": day,
                "known_from": f"{day}T{NOON}" if day == date else day,
                "quantity": quantity,
                "value": True,
                "source": "casebook",
                "rating": RATINGS[coded.confidence],
                "text": f"The {quantity.replace('_', ' ')}, as the casebook dates it.",
            }
        )
    return out
