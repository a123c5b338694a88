from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from foedus.case.priors import Prior

adapter = TypeAdapter(Prior)
U = np.array([0.01, 0.2, 0.5, 0.9])


@pytest.mark.parametrize(
    ("prior", "expected"),
    [
        ({"dist": "fixed", "value": 3}, np.full(4, 3.0)),
        ({"dist": "normal", "mean": 1, "sd": 2}, stats.norm(1, 2).ppf(U)),
        (
            {"dist": "normal", "mean": 1, "sd": 2, "low": 0, "high": 3},
            stats.truncnorm(-0.5, 1, 1, 2).ppf(U),
        ),
        ({"dist": "lognormal", "median": 2, "sd_log": 0.5}, stats.lognorm(0.5, scale=2).ppf(U)),
        ({"dist": "uniform", "low": 1, "high": 3}, 1 + 2 * U),
        ({"dist": "beta", "mean": 0.25, "n": 8}, stats.beta(2, 6).ppf(U)),
        (
            {"dist": "beta", "mean": 0.5, "n": 4, "low": 1, "high": 3},
            1 + 2 * stats.beta(2, 2).ppf(U),
        ),
        ({"dist": "gamma", "mean": 6, "shape": 3}, stats.gamma(3, scale=2).ppf(U)),
        ({"dist": "choice", "options": ["a", "b"]}, np.array([0.0, 0, 1, 1])),
        (
            {"dist": "choice", "options": ["a", "b", "c"], "weights": [1, 0, 3]},
            np.array([0.0, 0, 2, 2]),
        ),
    ],
)
def test_quantiles(prior, expected):
    np.testing.assert_allclose(adapter.validate_python(prior).quantile(U), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ({"dist": "uniform", "low": 3, "high": 1}, "low must be below high"),
        ({"dist": "normal", "mean": 0, "sd": 1, "low": 3, "high": 1}, "low must be below high"),
        ({"dist": "normal", "mean": 0, "sd": 0}, "greater than 0"),
        ({"dist": "normal", "mean": float("nan"), "sd": 1}, "finite"),
        ({"dist": "beta", "mean": 1, "n": 1}, "less than 1"),
        ({"dist": "choice", "options": []}, "at least 1"),
        ({"dist": "choice", "options": ["a"], "weights": [1, 2]}, "1 options need as many"),
        ({"dist": "choice", "options": ["a"], "weights": [0]}, "not all be zero"),
    ],
)
def test_bad_priors(prior, message):
    with pytest.raises(ValidationError, match=message):
        adapter.validate_python(prior)
