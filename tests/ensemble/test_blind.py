"""The promise of the program: no outcome and no later report reaches a run.

One list, `BLIND`, says which fields of a case the simulation may not see.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from foedus.case import case_hash, load_case
from foedus.case.asof import BASELINE, BLIND, seen_by_world
from foedus.case.models import Case, Source
from foedus.world import engine, guidance
from foedus.world.priors import resolve

CASE = load_case("kazakhstan-2022")

#: Another legal value of each field; every field of a case is in one of the two tables.
OTHER_BLIND = {
    "title": "Another title",
    "summary": "Another summary.",
    "sources": {"nobody": Source(name="Nobody", address=None, published=None)},
    "as_of": CASE.start,
    "facts": CASE.facts[:1],
    "openness": 0.9,
    "silence": {"request": False},
    "questions": CASE.questions[:1],
    "outcomes": CASE.outcomes[:1],
}
OTHER_SEEN = {
    "foedus": 2,
    "id": "another",
    "timezone_offset": CASE.timezone_offset + 1,
    "start": CASE.start - dt.timedelta(days=1),
    "horizon": CASE.horizon - 1,
    "ticks_per_day": CASE.ticks_per_day + 1,
    "casebook_id": "KGZ2010A",
    "requester_iso3": "KGZ",
    "trigger_type": "insurgency",
    "organisation": "NATO",
    "places": dict(list(CASE.places.items())[:1]),
    "actors": dict(list(CASE.actors.items())[:1]),
    "alliance": CASE.alliance.model_copy(update={"name": "Another"}),
    "ties": CASE.ties.model_copy(update={"border_km": 1.0}),
    "triggers": CASE.triggers[:0],
    "calendar": CASE.calendar[:0],
    "priors": next(h.priors for h in CASE.hypotheses if h.priors),
    "mechanisms": {"outside": not CASE.mechanisms.get("outside", True)},
    "hypotheses": CASE.hypotheses[:1],
}


class Watched(Case):
    """A case that refuses to be read where the simulation must be blind."""

    def __getattribute__(self, name):
        if name in BLIND:
            raise AssertionError(f"the simulation reads {name}")
        return super().__getattribute__(name)


def watched(case):
    seen = {name: getattr(case, name) for name in Case.model_fields if name not in BLIND}
    return Watched.model_construct(**seen)


def simulated(case):
    priors = resolve(case, engine.registry(case), None)
    return engine.simulate(
        case,
        seed=1,
        runs=np.arange(4, dtype=np.int64),
        values={name: prior.quantile(np.full(4, 0.5)) for name, prior in priors.items()},
        hypothesis=np.full(4, -1, dtype=np.int16),
    )


def test_the_tables_hold_every_field():
    assert set(OTHER_BLIND) == set(BLIND)
    assert set(OTHER_BLIND) | set(OTHER_SEEN) == set(Case.model_fields)


@pytest.mark.parametrize("name", BLIND)
def test_no_blind_field_is_sent_to_a_worker(name):
    other = CASE.model_copy(update={name: OTHER_BLIND[name]})
    assert getattr(other, name) != getattr(CASE, name)
    assert seen_by_world(other) == seen_by_world(CASE)
    assert case_hash(other).world == case_hash(CASE).world
    assert case_hash(other).all != case_hash(CASE).all


@pytest.mark.parametrize("name", sorted(BASELINE))
def test_no_value_for_baselines_is_sent_to_a_worker(name):
    members = tuple(m.model_copy(update={name: 0.123}) for m in CASE.alliance.members)
    other = CASE.model_copy(
        update={"alliance": CASE.alliance.model_copy(update={"members": members})}
    )
    assert seen_by_world(other) == seen_by_world(CASE)
    assert case_hash(other).world == case_hash(CASE).world
    assert case_hash(other).all != case_hash(CASE).all


@pytest.mark.parametrize("name", sorted(OTHER_SEEN))
def test_every_other_field_is_seen(name):
    other = CASE.model_copy(update={name: OTHER_SEEN[name]})
    assert seen_by_world(other) != seen_by_world(CASE)
    assert case_hash(other).world != case_hash(CASE).world


def test_a_run_reads_no_blind_field_and_the_blanked_case_gives_the_same_runs():
    blind, whole = watched(CASE), Case.model_validate_json(seen_by_world(CASE))
    with pytest.raises(AssertionError, match="reads facts"):
        guidance.Guidance.of(blind)  # the guard works: this reads facts before a run begins
    first, second, third = (simulated(case) for case in (blind, CASE, whole))
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)
        np.testing.assert_array_equal(array, third[name], err_msg=name)
