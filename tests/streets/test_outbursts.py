"""Outbursts: start and end, what is cut off, and the tail of the waiting times."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus_streets import find_outbursts, tail_fit


def test_begins_above_and_ends_below() -> None:
    found = find_outbursts([[50, 51, 50, 50, 49, 0, 60, 0], [0, 0, 70, 80, 0, 0, 0, 90]])
    assert found.run.tolist() == [0, 0, 1]
    assert found.start.tolist() == [1, 6, 2]
    assert found.end.tolist() == [4, 7, 4]
    assert found.size.tolist() == [151, 60, 150]
    assert found.peak.tolist() == [51, 60, 80]
    assert found.waits.tolist() == [2.0]
    assert np.isnan(found.wait[[0, 2]]).all()
    assert len(found) == 3


def test_none_and_bad_input() -> None:
    assert len(find_outbursts([0, 1, 50, 2])) == 0
    assert len(find_outbursts([60, 60, 60])) == 0
    with pytest.raises(ValueError, match="actives"):
        find_outbursts(np.zeros((2, 2, 2)))
    bad: list[Any] = [[1.0, np.nan], [], 5, "abc", None, [True, False], [[1], [1, 2]]]
    for actives in bad:
        with pytest.raises(ValueError, match="actives must"):
            find_outbursts(actives)
    worse: list[Any] = [math.nan, math.inf, "x", True, [50]]
    for threshold in worse:
        with pytest.raises(ValueError, match="threshold must"):
            find_outbursts([0, 60, 0], threshold=threshold)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([0, 49, 50, 51, 120]), min_size=1, max_size=30))
def test_against_a_loop(series: list[int]) -> None:
    expected, start = [], None
    for t, actives in enumerate(series):
        if start is None and actives > 50:
            start = t
        elif start is not None and actives < 50:
            expected.append((start, t, sum(series[start:t]), max(series[start:t])))
            start = None
    found = find_outbursts([series, series])
    columns = (found.start, found.end, found.size, found.peak)
    rows = list(zip(*[column.tolist() for column in columns], strict=True))
    assert rows == expected * 2
    gaps = [b[0] - a[1] for a, b in itertools.pairwise(expected)]
    assert found.waits.tolist() == gaps * 2


def test_tail_of_an_exponential() -> None:
    rng = np.random.default_rng(1)
    decay, r_squared = tail_fit(10 + rng.exponential(58.5, 20_000))
    assert decay == pytest.approx(1 / 58.5, rel=0.1)
    assert r_squared > 0.95
    with pytest.raises(ValueError, match="3 bins"):
        tail_fit([31.0] * 10)
    bad: list[tuple[str, Any]] = [
        ("width", 0), ("width", -1), ("width", math.nan), ("width", "x"), ("above", math.nan),
        ("above", None), ("waits", "x"), ("waits", [40, math.inf]), ("waits", [40, math.nan]),
        ("waits", [40, 1e18]), ("waits", [40, None]),
    ]  # fmt: skip
    for name, value in bad:
        with pytest.raises(ValueError, match=f"{name} must be"):
            tail_fit(**{"waits": np.arange(31.0, 100.0), name: value})
    far = tail_fit([*np.arange(31.0, 100.0), 1e15])
    assert far == tail_fit(np.arange(31.0, 100.0))
    flat = tail_fit(np.repeat([35.0, 45.0, 55.0], 9))
    assert flat[0] == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(flat[1])
