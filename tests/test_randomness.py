"""Philox against its authors' test vectors, addressing, and the laws of the inversions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from foedus.randomness import LARGE_MEAN, Random, keyed_words, philox4x32, purpose_id, small_poisson
from foedus.world.order import ORDER

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers_of_random123(counter, key, expected):
    words = philox4x32(*(np.uint64(x) for x in counter), *(np.uint64(x) for x in key))
    assert tuple(int(w) for w in words) == expected


def test_golden_stream():
    """A change here changes every number that foedus ever gave: raise STREAM_VERSION with it."""
    draws = Random(7, np.arange(3, dtype=np.int64)).uniform("a.b")
    np.testing.assert_array_equal(
        draws, [0.8255929481333318, 0.3179329097622182, 0.7365993196461506]
    )


def test_a_draw_depends_on_its_address_only():
    runs = np.arange(50, dtype=np.int64)
    whole = Random(3, runs)
    some = whole.subset(np.array([4, 40, 7]))
    np.testing.assert_array_equal(
        some.uniform("x.y", place=2, tick=9), whole.uniform("x.y", place=2, tick=9)[[4, 40, 7]]
    )


def test_every_part_of_the_address_matters():
    runs = np.arange(4, dtype=np.int64)
    base = Random(3, runs).uniform("x.y")
    others = [
        Random(4, runs).uniform("x.y"),
        Random(3 + 2**40, runs).uniform("x.y"),
        Random(3, runs).uniform("x.z"),
        Random(3, runs).uniform("x.y", place=1),
        Random(3, runs).uniform("x.y", tick=1),
        Random(3, runs).uniform("x.y", slot=1),
    ]
    assert all((base != other).all() for other in others)


def test_no_two_purposes_share_an_address():
    """Every purpose string in the source has its own 32-bit word."""
    import pathlib
    import re

    import foedus

    root = pathlib.Path(foedus.__file__).parent
    pattern = re.compile(r'\.(?:uniform|normal|poisson)\(\s*(?:[^"()]*,\s*)?"([a-z_.0-9]+)"')
    found: dict[str, set[str]] = {}
    for path in root.rglob("*.py"):
        for purpose in pattern.findall(path.read_text(encoding="utf-8")):
            found.setdefault(purpose, set()).add(path.name)
    assert {"streets.legitimacy", "leader.patron", "design.scramble"} <= set(found)
    assert len({purpose_id(name) for name in found}) == len(found)
    shared = {name: files for name, files in found.items() if len(files) > 1}
    assert not shared, "one purpose, one place in the code"
    prefixes = {name.split(".")[0] for name in found}
    assert prefixes <= {m.name for m in ORDER} | {"design", "reliability", "weighing"}


def test_laws_of_the_inversions():
    r = Random(1, np.arange(40_000, dtype=np.int64))
    assert stats.kstest(r.uniform("law.uniform"), "uniform").pvalue > 1e-3
    assert stats.kstest(r.normal("law.normal"), "norm").pvalue > 1e-3
    counts = r.poisson(np.full(40_000, 2.5), "law.poisson")
    observed = np.bincount(counts.astype(int), minlength=12)[:12]
    expected = stats.poisson.pmf(np.arange(12), 2.5) * 40_000
    assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-3


def test_poisson_is_monotone_in_its_mean():
    r = Random(1, np.arange(2_000, dtype=np.int64))
    low = r.poisson(np.full(2_000, 1.3), "law.poisson")
    high = r.poisson(np.full(2_000, 1.4), "law.poisson")
    assert (high >= low).all()
    assert (r.poisson(np.zeros(2_000), "law.poisson") == 0).all()


def test_words_are_64_bit():
    a, b = keyed_words(np.uint64(1), 2, 3, 4, 5, 6)
    assert 0 <= int(a) < 2**64
    assert 0 <= int(b) < 2**64
    assert a != b


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.3, 1.0, 7.7, 40.0, LARGE_MEAN, 64.1, 500.0, 1e5])
def test_poisson_is_scipys_inversion(mean):
    random = Random(7, np.arange(3000, dtype=np.int64))
    ours = random.poisson(np.full(3000, mean), "lethal.protesters", place=2, tick=5)
    u = random.uniform("lethal.protesters", place=2, tick=5)
    theirs = np.maximum(np.ceil(special.pdtrik(u, mean)), 0.0) if mean else np.zeros(3000)
    assert np.array_equal(ours, theirs)


def test_small_poisson_inverts_the_distribution_function():
    u = (np.arange(2000) + 0.5) / 2000
    for mean in (0.2, 3.0, 30.0):
        out = np.empty(2000)
        small_poisson(u, np.full(2000, mean), LARGE_MEAN, out)
        assert np.array_equal(out, stats.poisson.ppf(u, mean))


def test_poisson_is_monotone_on_both_sides_of_a_large_mean_and_bounded_in_the_tail():
    random = Random(7, np.arange(500, dtype=np.int64))
    previous = np.zeros(500)
    for mean in (0.1, 0.5, 2.0, 20.0, 63.0, 65.0, 200.0):
        now = random.poisson(np.full(500, mean), "x")
        assert np.all(now >= previous)
        previous = now
    out = np.empty(1)
    small_poisson(np.array([1.0]), np.array([5.0]), LARGE_MEAN, out)
    assert 20.0 < out[0] < 60.0
