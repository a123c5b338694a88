"""Prior-predictive matching: the casebook's chances come out of the simulation as they went in."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.case import load_case
from foedus.case.load import shipped
from foedus.case.priors import Normal
from foedus.casebook import load_casebook
from foedus.ensemble import prior_matching
from foedus.ensemble.prior_matching import Target, Tilt, match, steps, targets, tilted
from foedus.ensemble.runner import run
from foedus.scoring.skeleton_cases import skeleton
from foedus.weighing.weighed import weigh
from foedus.world.engine import registry
from foedus.world.priors import casebook_priors

KAZAKHSTAN = load_case("kazakhstan-2022")
NO_HYPOTHESIS = np.full(4000, -1)


def target(step: str, chance: float, limit: float = 30.0) -> Target:
    return Target(family="asked", step=step, limit=limit, chance=chance)


def test_one_step_is_reweighted_to_its_chance_and_to_nothing_else():
    """With one indicator, the weights of least relative entropy are p/q and (1 - p)/(1 - q)."""
    random = np.random.default_rng(1)
    happened = (random.random((1, 4000)) < 0.3).astype(float)
    share = happened.mean()
    tilt = tilted((target("asked", 0.6),), np.ones((1, 4000)), happened, NO_HYPOTHESIS)
    odds = np.exp(tilt.slopes[0])
    assert odds == pytest.approx(0.6 / 0.4 / (share / (1 - share)), rel=0.01)
    assert tilt.before[0] == pytest.approx(share)
    assert tilt.after[0] == pytest.approx(0.6, abs=0.001)
    weight = np.where(happened[0] > 0, 0.6 / share, 0.4 / (1 - share)) / 4000
    assert tilt.effective == pytest.approx(1 / (weight**2).sum() / 4000, rel=0.01)


def test_a_chance_given_a_step_is_met_among_the_runs_that_show_it():
    random = np.random.default_rng(2)
    asked, troops = random.random(4000) < 0.5, random.random(4000) < 0.4
    shown = np.array([np.ones(4000), asked])
    happened = np.array([asked, asked & troops]).astype(float)
    wanted = (target("asked", 0.7), target("troops", 0.8))
    tilt = tilted(wanted, shown.astype(float), happened, NO_HYPOTHESIS)
    assert tilt.after == pytest.approx((0.7, 0.8), abs=0.002)


def test_hypotheses_keep_their_prior_and_what_no_run_shows_is_left():
    random = np.random.default_rng(3)
    hypothesis = np.repeat([0, 1], 2000)
    asked = random.random(4000) < np.where(hypothesis == 0, 0.2, 0.6)
    happened = np.array([asked, np.zeros(4000)]).astype(float)
    wanted = (target("asked", 0.6), target("gone", 0.5))
    tilt = tilted(wanted, np.array([np.ones(4000), np.zeros(4000)]), happened, hypothesis)
    weight = np.exp(tilt.slopes[0] * (happened[0] - 0.6))
    held = np.array([weight[hypothesis == h].mean() for h in (0, 1)])
    assert tilt.slopes[1] == 0.0
    assert np.isnan(tilt.after[1])
    # The slope alone moves the hypotheses; weighing gives each its prior again.
    scaled = weight / held[hypothesis]
    assert (scaled * asked).sum() / scaled.sum() == pytest.approx(0.6, abs=0.005)


def test_a_family_that_the_case_file_sets_and_steps_beyond_the_horizon_are_left_out():
    every = {t.name: t for t in targets(KAZAKHSTAN)}
    assert {"asked-3", "asked-30", "troops-17", "landed-3"} <= set(every)
    assert not any(t.step == "gone" and t.limit > 26 for t in every.values())
    own = Normal(dist="normal", mean=-3.0, sd=1.0)
    case = KAZAKHSTAN.model_copy(update={"priors": {"leader.request_base": own}})
    assert not any(t.family == "asked" for t in targets(case))
    off = KAZAKHSTAN.model_copy(update={"mechanisms": {"airlift": False}})
    assert targets(off) == ()
    assert match(KAZAKHSTAN.model_copy(update={"trigger_type": None})) is None


def test_no_fact_and_no_outcome_reaches_the_tilt(monkeypatch):
    seen = []
    monkeypatch.setattr(prior_matching, "_pilot", lambda text, *rest: seen.append((text, rest)))
    blank = KAZAKHSTAN.model_copy(update={"facts": (), "outcomes": ()})
    match(KAZAKHSTAN)
    match(blank)
    assert seen[0] == seen[1]


def test_a_tilt_is_kept_with_the_runs_and_weighs_them(tmp_path):
    wanted = targets(KAZAKHSTAN)
    ensemble = run(KAZAKHSTAN, runs=60, workers=1, out=tmp_path / "runs.zarr", as_of="2022-01-02")
    tilt = Tilt(
        targets=wanted, slopes=(0.5,) * len(wanted), before=(0.5,) * len(wanted),
        after=(0.4,) * len(wanted), effective=0.9,
    )  # fmt: skip
    found = weigh(KAZAKHSTAN, as_of="2022-01-02", ensemble=ensemble, tilt=tilt)
    shown, happened = steps(KAZAKHSTAN, ensemble.dataset, wanted)
    by_hand = 0.5 * (shown * (happened - np.array([[t.chance] for t in wanted]))).sum(axis=0)
    thinning = ensemble.dataset["log_thinning"].to_numpy()
    assert found.log_importance == pytest.approx(by_hand + thinning)
    assert prior_matching.of_ensemble(ensemble) == tilt
    again = weigh(KAZAKHSTAN, as_of="2022-01-02", ensemble=ensemble)
    assert again.log_importance.tolist() == found.log_importance.tolist()


def left_out(row):
    case = skeleton(row, "trigger")
    assert case is not None
    return case.model_copy(
        update={"priors": casebook_priors(case, registry(case), later_rows=True)}
    )


USABLE = [row for row in load_casebook() if row.usable]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.id, marks=() if row.id == "GMB2017" else pytest.mark.slow)
        for row in USABLE
    ],
)
def test_a_skeleton_keeps_the_casebooks_chances(row):
    agrees(match(left_out(row), later_rows=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_a_shipped_case_keeps_the_casebooks_chances(name):
    agrees(match(load_case(name)))


def agrees(tilt: Tilt | None) -> None:
    """Check that chances agree within .03; quantiles of size are matched as chances."""
    assert tilt is not None
    for wanted, found in zip(tilt.targets, tilt.after, strict=True):
        assert found == pytest.approx(wanted.chance, abs=0.03), wanted.name
    assert tilt.effective > 0.2
