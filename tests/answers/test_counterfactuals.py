"""Pairs of runs: a change without effect makes no difference."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.answers.counterfactuals import (
    OUTCOMES,
    Counterfactual,
    contrasts,
    counterfactuals,
    resample,
)
from foedus.answers.forecasts import forecast
from foedus.case.asof import as_of
from foedus.ensemble.runner import run
from foedus.ensemble.work import Task, simulate
from foedus.errors import StoreError
from foedus.weighing.weights import normalise
from foedus.world.guidance import Guidance


@pytest.fixture(scope="module")
def case(crisis):
    return as_of(crisis, "2001-03-05")


@pytest.fixture(scope="module")
def ensemble(crisis, tmp_path_factory):
    return run(
        crisis, runs=60, seed=7, workers=1, as_of="2001-03-05",
        out=tmp_path_factory.mktemp("pairs") / "a.zarr",
    )  # fmt: skip


@pytest.fixture(scope="module")
def weight(ensemble):
    return normalise(np.maximum(ensemble.dataset["log_guidance"].to_numpy(), -6.0))


def test_what_can_be_otherwise(case):
    found = {c.name: c for c in counterfactuals(case, Guidance.of(case))}
    assert list(found) == ["no-backing", "no-fire-order", "other-stays-out", "refused"]
    alone = found["no-backing"].guidance
    assert alone.days == {("request", ""): 2, ("fire_order", ""): 3}
    assert alone.not_by == {("decision", ""): 5, ("refusal", ""): 5}
    calm = found["no-fire-order"].guidance
    assert ("fire_order", "") not in calm.days
    assert calm.not_by[("fire_order", "")] == 5
    assert found["other-stays-out"].guidance.not_by == {("contribution", "other"): 5}
    assert found["refused"].guidance.days[("refusal", "")] == 3
    assert ("decision", "") not in found["refused"].guidance.days


def test_each_imposes_what_it_says(case, ensemble):
    text, runs = ensemble.attributes["case"], np.arange(60)
    made = {
        c.name: simulate(Task("", ensemble.plan, text, c.guidance, "foedus.world.engine"), runs)
        for c in counterfactuals(case, Guidance.of(case))
    }
    for name in ("no-backing", "refused"):
        assert np.all(made[name]["event_request"] == 2)
        assert np.all(made[name]["event_decision"] == -1)
        assert not made[name]["troops_present"].any()
    assert np.all(made["no-backing"]["event_refusal"] == -1)
    assert np.all(made["refused"]["event_refusal"] == 3)
    assert np.all(made["no-fire-order"]["event_fire_order"] == -1)
    assert np.all(made["no-fire-order"]["event_decision"] == 3)
    other = [m.actor for m in case.alliance.members].index("other")
    stays = made["other-stays-out"]
    assert np.all(stays["contribution_day"][:, other] == -1)
    assert not stays["troops_present"][:, :, other].any()
    assert np.all(stays["event_decision"] == 3)


def test_a_case_without_a_request_cannot_have_it_refused(case):
    names = {c.name for c in counterfactuals(case, Guidance())}
    assert names == {"no-backing", "no-fire-order"}


def test_what_changes_nothing_differs_in_nothing(case, ensemble, weight):
    guidance = Guidance.of(case)
    same = Counterfactual("same", "Nothing is otherwise", guidance)
    (found,) = contrasts(case, ensemble, weight, guidance, which=(same,), pairs=50)
    assert found.changed == 0
    for d in found.differences:
        assert d.mean == d.error == 0.0
        assert set(d.quantiles) == {0.0}
        assert d.factual == d.counterfactual


def test_the_differences(case, ensemble, weight):
    guidance = Guidance.of(case)
    found = {c.name: c for c in contrasts(case, ensemble, weight, guidance, pairs=50)}
    again = {c.name: c for c in contrasts(case, ensemble, weight, guidance, pairs=50)}
    assert found == again
    calm = found["no-fire-order"]
    deaths = next(d for d in calm.differences if d.key == "deaths_total")
    assert deaths.mean < 0 < deaths.error
    assert deaths.mean == pytest.approx(deaths.counterfactual - deaths.factual)
    assert list(deaths.quantiles) == sorted(deaths.quantiles)
    assert [d.key for d in calm.differences] == list(OUTCOMES)


def test_commanders_are_compared_after_the_day_that_differs(case, ensemble, weight):
    guidance = Guidance.of(case)
    since = {c.name: c.since(guidance) for c in counterfactuals(case, guidance)}
    # The request is known for day 2, order and decision for day 3, the pledge for day 3 or 4.
    assert since["no-backing"] == since["refused"] == since["no-fire-order"] == 4
    assert Counterfactual("same", "", guidance).since(guidance) == 0
    (alone, *_) = contrasts(case, ensemble, weight, guidance, pairs=50)
    assert alone.since == case.date(4)
    hold = next(d for d in alone.differences if d.key == "loyal_share_lowest")
    assert hold.mean < 0.0  # without help fewer commanders hold
    assert f"from {alone.since} on" in hold.title


def test_what_comes_out_the_same_in_every_run_is_told_once(case, ensemble, weight):
    guidance = Guidance.of(case)
    found = {c.name: c for c in contrasts(case, ensemble, weight, guidance, pairs=50)}
    assert "refused" not in found  # in the model a refusal affects only the outside observer
    (same,) = found["no-backing"].also
    assert same.startswith("The request is refused on 2001-03-04")
    assert same in found["no-backing"].title
    assert found["no-fire-order"].also == ()


def test_few_different_runs_have_no_error(case, ensemble, weight):
    found = contrasts(case, ensemble, weight, Guidance.of(case), pairs=2)
    assert all(np.isnan(d.error) for c in found for d in c.differences)


def test_runs_of_other_code_are_refused(case, ensemble, weight):
    other = Guidance({("shutdown", ""): 1}, {}, ())
    with pytest.raises(StoreError, match="come out otherwise"):
        contrasts(case, ensemble, weight, other, pairs=50)


def test_systematic_resampling():
    weight = normalise(np.random.default_rng(2).normal(size=300))
    count = resample(weight, 1000, seed=1)
    assert count.sum() == 1000
    assert np.all(np.abs(count - 1000 * weight) < 1.0 + 1e-9)
    assert np.array_equal(count, resample(weight, 1000, seed=1))
    assert resample(np.array([0.0, 1.0, 0.0]), 5, seed=3).tolist() == [0, 5, 0]


def test_stored_runs_made_again_are_the_same_bits(case, crisis, ensemble):
    text = ensemble.attributes["case"]
    task = Task("", ensemble.plan, text, Guidance.of(case), "foedus.world.engine")
    rows = np.array([1, 7, 8, 40])
    for name, array in simulate(task, rows).items():
        stored = ensemble.dataset[name].to_numpy()
        if name != "run":
            stored = stored[rows]
            assert np.array_equal(stored, array, equal_nan=array.dtype.kind == "f"), name
    assert forecast(crisis, as_of="2001-03-05", ensemble=ensemble).replayed["facts"]
