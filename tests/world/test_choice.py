"""Logit choice against published and closed-form equilibria."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.world.choice import logistic, logit

from ..oracles.bargaining import deterrence, symmetric_equilibrium


@pytest.mark.parametrize(
    ("precision", "resist", "challenge"),
    [
        (0.5, 0.43782, 0.51554),
        (1.0, 0.37754, 0.56093),
        (2.0, 0.26894, 0.71590),
        (10.0, 0.00669, 0.99995),
    ],
)
def test_deterrence(precision, resist, challenge):
    found = deterrence(precision)
    assert found.resist == pytest.approx(resist, abs=1e-5)
    assert found.challenge == pytest.approx(challenge, abs=1e-5)


@pytest.mark.parametrize(
    ("precision", "concession"),
    [(0, 0.5), (0.5, 0.45464), (1, 0.42885), (2, 0.40054), (5, 0.36908), (20, 0.34409)],
)
def test_chicken(precision, concession):
    found = symmetric_equilibrium([[3, 1], [5, 0]], precision)
    assert found == pytest.approx(concession, abs=1e-5)


def test_logit_is_a_coin_at_precision_0_and_a_best_response_in_the_limit():
    utilities = np.array([[1.0, 2.0, 0.5]])
    assert logit(utilities, 0.0) == pytest.approx(np.full((1, 3), 1 / 3))
    assert logit(utilities, 500.0) == pytest.approx(np.array([[0.0, 1.0, 0.0]]))


def test_logit_of_two_is_logistic_and_ignores_a_common_shift():
    rng = np.random.default_rng(1)
    u = rng.normal(size=(50, 2))
    lam = rng.uniform(0, 4, size=50)
    two = logit(u, lam)
    assert two.sum(axis=1) == pytest.approx(np.ones(50))
    assert two[:, 0] == pytest.approx(logistic(lam * (u[:, 0] - u[:, 1])))
    assert logit(u + 700.0, lam) == pytest.approx(two)
