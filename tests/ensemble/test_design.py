import numpy as np
import pytest
from scipy import stats

from foedus.case.models import Case
from foedus.case.priors import Fixed, Uniform
from foedus.ensemble.design import dimensions, draw, uniforms
from foedus.errors import InputError
from foedus.world.mechanism import Parameter

NAMES = tuple(f"a.p{i:02d}" for i in range(40))


def parameter(name, prior=None, **limits):
    return Parameter(name, prior or Uniform(dist="uniform", low=0, high=1), "1", "?", **limits)


REGISTRY = {n: parameter(n) for n in ("a.x", "b.y", "c.z", "trigger.0")}


def with_triggers(case, number):
    return case.model_copy(update={"triggers": case.triggers * number})


def test_points_are_even_in_every_dimension():
    u = uniforms(NAMES, seed=4, runs=np.arange(1024))
    for row in u:
        np.testing.assert_array_equal(np.bincount((row * 64).astype(int)), np.full(64, 16))
    assert u.min() > 0.0
    assert u.max() < 1.0
    assert np.unique(u).size == u.size


def test_neighbouring_dimensions_are_jointly_even():
    u = uniforms(NAMES[:2], seed=4, runs=np.arange(1024))
    cells = (u[0] * 16).astype(int) * 16 + (u[1] * 16).astype(int)
    assert np.bincount(cells, minlength=256).max() <= 8
    plain = np.random.default_rng(1).uniform(size=(2, 1024))
    assert stats.qmc.discrepancy(u.T) < stats.qmc.discrepancy(plain.T) / 10


def test_integrates_better_than_plain_sampling():
    def error(u):
        return abs(np.prod(1.0 + 0.5 * (u - 0.5), axis=0).mean() - 1.0)

    even = [error(uniforms(NAMES[:6], seed=s, runs=np.arange(2048))) for s in range(10)]
    rng = np.random.default_rng(2)
    plain = [error(rng.uniform(size=(6, 2048))) for _ in range(10)]
    assert np.mean(even) < np.mean(plain) / 5


def test_a_point_over_many_seeds_is_uniform():
    u = np.array([uniforms(("a", "b"), seed=s, runs=np.array([5]))[:, 0] for s in range(400)])
    for column in u.T:
        assert stats.kstest(column, "uniform").pvalue > 0.01


@pytest.mark.parametrize("cuts", [(1,), (7, 8, 100), (64, 128), (199,)])
def test_a_run_is_its_point_whatever_the_chunks(case, cuts):
    whole = draw(case, REGISTRY, seed=9, runs=np.arange(200))
    parts = [draw(case, REGISTRY, seed=9, runs=r) for r in np.split(np.arange(200), cuts)]
    for name, values in whole.values.items():
        assert values.tobytes() == np.concatenate([p.values[name] for p in parts]).tobytes()
    np.testing.assert_array_equal(whole.hypothesis, np.concatenate([p.hypothesis for p in parts]))


def test_any_runs_can_be_asked_for():
    runs = np.array([0, 3, 4, 17, 1000, 1001])
    whole = uniforms(NAMES, seed=1, runs=np.arange(1002))
    np.testing.assert_array_equal(uniforms(NAMES, seed=1, runs=runs), whole[:, runs])


@pytest.mark.parametrize("runs", [[-1, 0], [3, 2], [1, 1], [2**32]])
def test_run_numbers_out_of_order_or_range(runs):
    with pytest.raises(InputError, match="run numbers must increase"):
        uniforms(("a",), seed=1, runs=np.array(runs))


def test_dimensions_have_a_fixed_order():
    names = ["trigger.10", "b.y", "trigger.2", "a.x"]
    expected = ("hypothesis", "a.x", "b.y", "trigger.2", "trigger.10")
    assert dimensions({n: parameter(n) for n in names}) == expected


def test_golden_draws_do_not_move(case):
    drawn = draw(case, REGISTRY, seed=1, runs=np.array([0, 1, 2, 999]))
    np.testing.assert_array_equal(drawn.hypothesis, GOLDEN_HYPOTHESIS)
    np.testing.assert_allclose(drawn.values["b.y"], GOLDEN_Y, rtol=1e-15)


GOLDEN_HYPOTHESIS = [1, 1, 1, 1]
GOLDEN_Y = [0.40964161686133593, 0.9072360069258139, 0.08347874192986637, 0.46382596029434353]


def test_a_trigger_more_leaves_the_others(case):
    more = REGISTRY | {"trigger.1": parameter("trigger.1")}
    one = draw(case, REGISTRY, seed=2, runs=np.arange(50))
    two = draw(with_triggers(case, 2), more, seed=2, runs=np.arange(50))
    for name in REGISTRY:
        np.testing.assert_array_equal(one.values[name], two.values[name])


def test_fixing_a_parameter_leaves_the_others(case):
    fixed = case.model_copy(update={"priors": {"b.y": Fixed(dist="fixed", value=0.25)}})
    one = draw(case, REGISTRY, seed=2, runs=np.arange(50))
    two = draw(fixed, REGISTRY, seed=2, runs=np.arange(50))
    assert set(two.values["b.y"]) == {0.25}
    for name in ("a.x", "c.z", "trigger.0"):
        np.testing.assert_array_equal(one.values[name], two.values[name])


def test_hypotheses_by_weight_and_their_priors(case):
    two = case.hypotheses[1].model_copy(
        update={"priors": {"a.x": Uniform(dist="uniform", low=2, high=3)}}
    )
    changed = case.model_copy(update={"hypotheses": (case.hypotheses[0], two)})
    drawn = draw(changed, REGISTRY, seed=1, runs=np.arange(1024))
    assert abs(np.mean(drawn.hypothesis == 1) - 0.75) <= 1 / 1024
    np.testing.assert_array_equal(drawn.values["a.x"] > 1, drawn.hypothesis == 1)


def test_no_hypotheses(case):
    without = case.model_copy(update={"hypotheses": ()})
    assert set(draw(without, REGISTRY, seed=1, runs=np.arange(9)).hypothesis) == {-1}


def test_values_are_clipped_to_the_limits(case):
    registry = {"a.x": parameter("a.x", low=0.4, high=0.5)}
    values = draw(case, registry, seed=1, runs=np.arange(100)).values["a.x"]
    assert values.min() == 0.4
    assert values.max() == 0.5


def test_unknown_parameter_in_the_case(case):
    wrong: Case = case.model_copy(update={"priors": {"a.xx": Fixed(dist="fixed", value=1)}})
    with pytest.raises(InputError, match=r"did you mean 'a\.x'"):
        draw(wrong, REGISTRY, seed=1, runs=np.arange(2))
