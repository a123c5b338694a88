"""A made-up case and ensembles whose arrays are given, without a simulation."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from foedus.case.models import Case
from foedus.case.vocabulary import PUBLIC_EVENTS
from foedus.world import engine
from foedus.world.order import VARIABLES
from foedus.world.setting import Setting

START = dt.date(2001, 3, 1)
BASE: dict[str, Any] = {
    "foedus": 1,
    "id": "toy",
    "title": "Two cities",
    "summary": "A made-up case for tests.",
    "start": "2001-03-01",
    "horizon": 10,
    "as_of": "2001-03-05",
    # Given arrays are weighed by their facts alone; `tests/weighing/test_silence.py` does the rest.
    "silence": dict.fromkeys(PUBLIC_EVENTS, False),
    "sources": {"desk": {"name": "The desk"}, "radio": {"name": "The radio"}},
    "places": {
        "north": {"name": "North", "lat": 50, "lon": 10, "population": 900_000, "lattice": 12},
        "south": {"name": "South", "lat": 48, "lon": 11, "population": 300_000, "lattice": 12},
    },
    "actors": {
        "home": {"name": "Home", "roles": ["government", "member"]},
        "big": {"name": "Big", "roles": ["lead", "member"]},
        "other": {"name": "Other", "roles": ["member"]},
    },
    "alliance": {
        "name": "League",
        "rule": "consensus_with_abstention",
        "lead": "big",
        "requester": "home",
        "announced_pool": 2000,
        "members": [
            {"actor": "home", "lat": 50, "lon": 10, "pool": 0},
            {
                "actor": "big", "lat": 55, "lon": 20, "pool": 4000,
                "capability": 3.0, "position": 0.9, "salience": 0.5,
            },
            {
                "actor": "other", "lat": 45, "lon": 20, "pool": 400,
                "capability": 1.0, "position": 0.1, "salience": 0.5,
            },
        ],
    },
    "triggers": [
        {
            "place": "north",
            "date": "2001-03-02",
            "loss": {"dist": "uniform", "low": 0.1, "high": 0.4},
            "text": "A price rises.",
        }
    ],
}  # fmt: skip


def make_case(**changes: Any) -> Case:
    return Case.model_validate({**BASE, **changes})


def make_fact(identifier: str, quantity: str | None, about: str, value: Any = None, **more: Any):
    fact = {
        "id": identifier,
        "quantity": quantity,
        "about": about,
        "known_from": more.pop("known_from", about.split("..")[-1]),
        "source": "desk",
        "rating": "A1",
        "text": "It is said.",
        **more,
    }
    return fact if value is None else {**fact, "value": value}


def make_question(identifier: str, kind: str, **ask: Any) -> dict[str, Any]:
    more: dict[str, Any] = {k: ask.pop(k) for k in ("baseline", "unit") if k in ask}
    return {"id": identifier, "text": f"{identifier}?", "kind": kind, "ask": ask, **more}


def make_block(case: Case, runs: int, **given: Any) -> dict[str, np.ndarray]:
    """Arrays of all variables: calm, except those given (broadcast to their shape)."""
    block = engine.allocate(Setting.of(case), runs)
    for name, array in block.items():
        if name.startswith("event_") or name in ("contribution_day", "patron"):
            array[...] = -1
        if name == "arrival_day":
            array[...] = np.inf
    for name, value in given.items():
        block[name][...] = value
    return block


def make_dataset(case: Case, block: dict[str, np.ndarray], hypothesis: Any = -1) -> xr.Dataset:
    runs = len(block["log_guidance"])
    data: dict[str, Any] = {
        name: (("run", *VARIABLES[name].dims), array) for name, array in block.items()
    }
    data["hypothesis"] = ("run", np.broadcast_to(np.asarray(hypothesis, np.int16), runs))
    return xr.Dataset(
        data,
        coords={
            "day": pd.date_range(case.start, periods=case.horizon),
            "city": list(case.places),
            "member": [m.actor for m in case.alliance.members],
        },
    )


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


class Toy:
    """The builders, in one fixture."""

    case = staticmethod(make_case)
    fact = staticmethod(make_fact)
    question = staticmethod(make_question)
    block = staticmethod(make_block)
    dataset = staticmethod(make_dataset)


@pytest.fixture
def toy() -> type[Toy]:
    return Toy


@pytest.fixture(scope="session")
def crisis() -> Case:
    """A tiny case with decisions, two explanations and a place in history, to be simulated."""
    known = [
        make_fact("asked", "request", "2001-03-03", True),
        make_fact("sends", "decision", "2001-03-04", True),
        make_fact("fires", "fire_order", "2001-03-04", True),
        make_fact("others", "contribution", "2001-03-04", True, member="other"),
        make_fact("crowds", "crowd", "2001-03-03", "thousands", rating="C3"),
    ]
    explanations = [
        {"id": "club", "title": "A club", "says": "So.", "put_forward_by": "Us"},
        {"id": "treaty", "title": "The treaty", "says": "So.", "put_forward_by": "Them"},
    ]
    return make_case(
        horizon=6,
        silence={},
        ticks_per_day=2,
        requester_iso3="KAZ",
        trigger_type="domestic_protest",
        organisation="CSTO",
        facts=known,
        hypotheses=explanations,
        questions=[make_question("falls", "binary", quantity="leader_leaves", statistic="happens")],
    )


@pytest.fixture(scope="module")
def unwidened() -> Iterator[None]:
    """Leave answers as the voices give them: no discrepancy, whatever the back-test found."""
    from foedus.answers import discrepancy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discrepancy, "_table", dict)
        yield
