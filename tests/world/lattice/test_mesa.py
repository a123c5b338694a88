"""The ``mesa`` reading has the law of Mesa's bundled example: two samples, the same parameters."""

import pytest

from ...scripts import script

RUNS = 200


@pytest.mark.slow
def test_same_law_as_mesa() -> None:
    pytest.importorskip("mesa")
    parity = script("benchmarks/parity.py")
    theirs = parity.run_mesa(parity.PARAMETERS, runs=RUNS, ticks=parity.TICKS, seed=7000)
    ours = parity.run_ours(parity.PARAMETERS, runs=4000, ticks=parity.TICKS, seed=11)
    rows = parity.compare(ours, theirs)
    assert {row["quantity"] for row in rows} >= {
        "outbursts",
        "outburst size",
        "peak of actives",
        "mean jailed",
    }
    assert next(row["mesa"] for row in rows if row["quantity"] == "outbursts") > 1
    for row in rows:  # 13 quantities, two tests each: 1 in 1,000 together at this level
        assert row["ks"] > 1e-3 / 26, row
        assert row["welch"] > 1e-3 / 26, row


def test_comparison_finds_another_law() -> None:
    """The same tests distinguish a floored ratio from a rounded one."""
    parity = script("benchmarks/parity.py")
    ours = parity.run_ours(parity.PARAMETERS, runs=4000, ticks=parity.TICKS, seed=11)
    other = parity.run_ours(
        {**parity.PARAMETERS, "rounding": "floor"}, runs=RUNS, ticks=parity.TICKS, seed=12
    )
    assert min(row["ks"] for row in parity.compare(ours, other)) < 1e-6
    again = parity.run_ours(parity.PARAMETERS, runs=RUNS, ticks=parity.TICKS, seed=13)
    assert min(row["ks"] for row in parity.compare(ours, again)) > 1e-3 / 26
