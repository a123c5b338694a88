"""Signalling and bargaining against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.world.mechanisms import outside
from foedus.world.mechanisms.outside import (
    news,
    normal_type,
)

from ...oracles.bargaining import (
    challenger_cutoff,
    defender_cutoff,
    fearon_1995,
    keeps_pledge,
    semi_separating,
    two_type,
)
from .decision_settings import SETTING, median, play, requested


@pytest.mark.parametrize(
    ("inputs", "chance", "act", "none"),
    [
        ((0, 1, 1, 0), 0.15866, (1.52514, 0.19910), (-0.28760, 0.62969)),
        ((0, 1, 1, 1), 0.23975, (0.91635, 0.61847), (-0.28898, 0.77200)),
        ((0, 1, 0, 0), 0.50000, (0.79788, 0.36338), (-0.79788, 0.36338)),
        ((0.5, 1, 1.5, 0.25), 0.18555, (1.78909, 0.36951), (0.20632, 0.67881)),
    ],
)
def test_normal_type(inputs, chance, act, none):
    found = normal_type(*inputs)
    assert found.chance == pytest.approx(chance, abs=1e-5)
    assert (found.mean_act, found.var_act) == pytest.approx(act, abs=1e-5)
    assert (found.mean_not, found.var_not) == pytest.approx(none, abs=1e-5)


def test_normal_type_by_simulation_and_as_a_martingale():
    rng = np.random.default_rng(4)
    theta = rng.normal(0.5, 1.0, size=400_000)
    act = theta + rng.normal(0, 2.0, size=theta.size) > 1.0
    found = normal_type(0.5, 1.0, 1.0, 4.0)
    assert found.mean_act == pytest.approx(theta[act].mean(), abs=0.01)
    assert found.var_not == pytest.approx(theta[~act].var(), abs=0.01)
    prior = found.chance * found.mean_act + (1 - found.chance) * found.mean_not
    assert prior == pytest.approx(0.5)


def test_the_far_tail_is_finite():
    found = normal_type(0.0, 1.0, np.array([40.0, -40.0]), 0.0)
    assert all(np.isfinite(part).all() for part in found)
    assert (found.var_act >= 0).all()


def test_two_type():
    assert two_type(0.3, 0.9, 0.1) == pytest.approx((0.79412, 0.04545), abs=1e-5)
    assert two_type(0.3, 0.9, 0.3) == pytest.approx((0.56250, 0.05769), abs=1e-5)
    assert two_type(0.3, 0.6, 0.3) == pytest.approx((0.46154, 0.19672), abs=1e-5)


def test_semi_separating():
    assert semi_separating(0.3, 0.6) == pytest.approx((0.285714, 0.5, 0.6), abs=1e-6)
    with pytest.raises(ValueError, match="prior < threshold"):
        semi_separating(0.7, 0.6)


def test_fearon_1995():
    assert fearon_1995(0.5, 0.1, 0.4) == pytest.approx((0.65, 0.375, 0.55625))
    with pytest.raises(ValueError, match="cost"):
        fearon_1995(0.5, 0.5, 0.4)


@pytest.mark.parametrize(
    ("resist", "cutoff"), [(0, 0), (0.25, 0.08824), (0.5, 0.21429), (0.75, 0.40909), (1, 0.75)]
)
def test_fearon_1997_challenger(resist, cutoff):
    assert challenger_cutoff(resist, 0.6, 0.3) == pytest.approx(cutoff, abs=1e-5)


def test_audience_costs():
    assert defender_cutoff(0.6, 0.3) == pytest.approx(0.5)
    assert defender_cutoff(0.6, 0.3, audience=0.12) == pytest.approx(0.3)
    assert defender_cutoff(0.6, 0.3, audience=0.9) == 0.0
    assert keeps_pledge(0.5, 0.6)
    assert not keeps_pledge(0.5, 0.6, relabel=0.4)


def test_belief_moves_once_up_on_a_decision_and_down_on_a_refusal():
    p = median(400)
    state = requested(SETTING, p, days=10)
    act, none = state.happened("decision"), state.happened("refusal")
    assert act.any()
    assert none.any()
    expected = outside.of(p)
    assert np.array_equal(state.outside_mean[act], expected.mean_act[act])
    assert np.array_equal(state.outside_var[none], expected.var_not[none])
    still = ~act & ~none
    assert (state.outside_mean[still] == p["outside.mean"][still]).all()
    assert (state.outside_mean[act] > 0).all()
    assert (state.outside_mean[none] < 0).all()


def test_a_noisy_or_an_expected_act_tells_less():
    def told(**changes):
        return float(news(median(1, **changes))[0])

    assert told(outside__noise=0.5) > told(outside__noise=5) > told(outside__noise=500) > 0
    sure = normal_type(0, 1, -6.0, 1.0)
    surprising = normal_type(0, 1, 2.0, 1.0)
    assert abs(sure.mean_act) < 0.001 < abs(surprising.mean_act)


def test_off_nothing_is_believed():
    state = play(SETTING, median(50), runs=50, on=("ties", "leader", "alliance"))
    assert (state.outside_mean == 0).all()
    assert (state.outside_var == 0).all()
