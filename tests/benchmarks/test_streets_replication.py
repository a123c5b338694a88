"""Verdicts on published claims, and the tension index before outbursts (Epstein 2002, figure 8)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from foedus.streets import create, reading
from foedus_streets import find_outbursts, paper_run


def test_a_number_agrees_within_fifteen_percent(claims):
    for ours, agrees in ((85.1, True), (114.9, True), (84.9, False), (115.1, False)):
        assert claims.near("n", ours, 100).agrees is agrees
    assert not claims.near("n", math.nan, 100).agrees


def test_always_and_never_leave_one_run_of_ten(claims):
    assert [claims.always("a", share).agrees for share in (1.0, 0.9, 0.89)] == [True, True, False]
    assert [claims.never("a", share).agrees for share in (0.0, 0.1, 0.11)] == [True, True, False]


def test_a_verdict_counts_every_quantity(claims):
    good, bad = claims.near("mean", 60, 60), claims.near("SD", 41, 55)
    assert claims.verdict(good) == "holds"
    assert claims.verdict(bad) == "fails"
    assert claims.verdict(bad, bad) == "fails"
    assert claims.verdict(good, bad, claims.near("mode", 3, 9)) == "1 of 3; not: SD, mode"
    with pytest.raises(ValueError, match="quantities"):
        claims.verdict()


def test_tension_of_the_quiet(tension):
    """G B / R by hand: active citizens, the jailed and cops do not count."""
    state = create(reading("paper", width=15, height=15), seed=1, runs=[0, 1])
    quiet, active, jailed = np.uint64(0), np.uint64(1 << 32), np.uint64(3 << 32)
    people = state.hardship.shape[1]
    kinds = np.array([[quiet] * 40 + [active] * 30 + [jailed] * (people - 70), [active] * people])
    state.records[:, :people] = (state.records[:, :people] & np.uint64(2**32 - 1)) | kinds
    G = 0.2 * state.hardship[0, :40].astype(float).mean()
    R = state.risk_aversion[0, :40].astype(float).mean()
    got = tension.tension(state, 0.8)
    assert got[0] == pytest.approx(G * 40 / R, rel=1e-6)
    assert np.isnan(got[1])


def test_rises_on_a_series_made_by_hand(tension):
    """Two outbursts follow another: tension has risen before both, and is high before one."""
    actives = np.array([[0, 60, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0]])
    index = np.array([[4.0, 1, 1, 2, 9, 1, 1, 2, 2, 1, 3, 3]])
    found = find_outbursts(actives)
    # Calm: 4 1 2 9 1 2 2 3 3, mean 3.
    got = tension.rises(actives, index, found)
    assert got.risen == 1.0
    assert got.above == 0.5
    rows = tension.around(index, found, np.array([-1, 0, 3]))
    np.testing.assert_array_equal(rows, [[4, 1, 9], [9, 1, 2], [2, 1, np.nan]])


@pytest.mark.parametrize("name", ["netlogo", "citizens_first"])
def test_tension_rises_before_outbursts(tension, name):
    """Figure 8, seeded: up by a fifth of its mean before, down to about half of it after."""
    options = paper_run(2, name=name, citizen_density=0.7).options
    actives, index = tension.series(options, seed=8, runs=10, ticks=300)
    found = find_outbursts(actives)
    assert len(found) > 50
    got = tension.rises(actives, index, found)
    assert got.risen > 0.95
    assert got.above > 0.7
    assert got.peak > 1.15
    assert got.trough < 0.65
