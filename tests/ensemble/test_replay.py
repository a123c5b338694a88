"""A run is filmed without being changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foedus.case import load_case
from foedus.ensemble import design
from foedus.ensemble.replay import film
from foedus.world import engine

CASE = Path(__file__).parents[1] / "app" / "small.yaml"
SEED = 3


@pytest.fixture(scope="module")
def case():
    return load_case(CASE)


@pytest.mark.parametrize("run", [0, 5])
def test_the_filmed_run_is_the_run(case, run):
    runs = np.array([run], dtype=np.int64)
    draws = design.draw(case, engine.registry(case), seed=SEED, runs=runs)
    plain = engine.simulate(
        case, seed=SEED, runs=runs, values=draws.values, hypothesis=draws.hypothesis
    )
    seen = film(case, seed=SEED, run=run, values=draws.values, hypothesis=int(draws.hypothesis[0]))
    for name, array in plain.items():
        np.testing.assert_array_equal(seen.outputs[name], array, err_msg=name)

    ticks = case.horizon * case.ticks_per_day
    for city, place in case.places.items():
        frames = seen.frames[city]
        assert frames.shape == (ticks, place.lattice, place.lattice)
        assert frames.dtype == np.uint8
        assert frames.max() <= 4


def test_the_picture_counts_what_the_kernel_counts(case):
    """Under readings where each agent has its own cell; elsewhere one agent can hide another."""
    runs = np.arange(12, dtype=np.int64)
    draws = design.draw(case, engine.registry(case), seed=SEED, runs=runs)
    exact = 0
    for run in runs[draws.values["streets.reading"] == 2].tolist():
        one = {name: v[run : run + 1] for name, v in draws.values.items()}
        seen = film(case, seed=SEED, run=run, values=one, hypothesis=int(draws.hypothesis[run]))
        frames = seen.frames["north"]
        active = (frames == 2).sum(axis=(1, 2)).reshape(case.horizon, -1).max(axis=1)
        crowd = seen.outputs["crowd"][0, :, 0].astype(np.float64)
        people = one["streets.mobilisable"][0] * case.places["north"].population
        agents = (frames[0] == 1).sum() + (frames[0] == 2).sum() + (frames[0] == 4).sum()
        np.testing.assert_allclose(crowd, active * people / agents, rtol=1e-5)
        exact += int(active.max() > 0)
    assert exact >= 2


def test_streets_that_are_off_give_no_film(case):
    off = case.model_copy(update={"mechanisms": {"streets": False}})
    runs = np.array([0], dtype=np.int64)
    draws = design.draw(off, engine.registry(off), seed=SEED, runs=runs)
    seen = film(off, seed=SEED, run=0, values=draws.values, hypothesis=0)
    assert seen.frames == {}
