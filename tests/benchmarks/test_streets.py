"""The street benchmark, once and small: the keys that scripts read, and the page it writes."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def written(speed, tmp_path_factory):
    """Measure two small lattices briefly, with a history of an older format beside it."""
    plan = speed.Plan(
        compared=(speed.Side(15, 2, 3, 1), speed.Side(20, 2, 3, 1)), sizes=(15,), updates=1000,
        batches=(1, 4), readings=("mesa",), repeats=1, starts=1,
    )  # fmt: skip
    result = speed.measure(plan)
    folder = tmp_path_factory.mktemp("benchmark")
    old = dict.fromkeys(speed.summary(result), 1500000.0)
    (folder / "streets.jsonl").write_text(json.dumps({**old, "when": "2001-01-01"}) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "HISTORY", folder)
        patch.setattr(speed, "PAGES", folder)
        speed.write(result)
        bare = speed.page({**result, "caches": {}})
    return result, folder, bare


def test_the_last_line_has_its_keys(speed, written):
    got = speed.summary(written[0])
    assert list(got) == [
        "ratio_15", "ratio_20", "updates_per_second_15", "updates_per_second_20", "mesa_15",
        "mesa_20",
    ]  # fmt: skip
    assert all(value > 0 for value in got.values())
    assert [c.side for c in speed.Plan().compared] == [40, 200]


def test_the_history_keeps_each_run(speed, written):
    result, folder, _ = written
    lines = (folder / "streets.jsonl").read_text().splitlines()
    assert json.loads(lines[-1]) == json.loads(json.dumps({**speed.summary(result), **result}))
    real = speed.ROOT / "benchmarks" / "history" / "streets.jsonl"
    kept = [json.loads(line) for line in real.read_text(encoding="utf-8").splitlines()]
    want = {f"{a}_{b}" for a in ("ratio", "updates_per_second", "mesa") for b in (40, 200)}
    assert all(want < run.keys() for run in kept)


def test_the_page_says_what_was_measured(speed, written):
    result, folder, bare = written
    text = (folder / "streets.md").read_text()
    assert "| 2001-01-01 | not kept |" in text
    assert "| lowest to highest | |" in text
    assert f"{result['15']['scratch']:,.0f} bytes" in text
    assert f"{result['20']['mesa_bytes']:,.0f} bytes" in text
    assert "mesa-frames" in text
    assert "no limit is derived" in text
    assert "the system does not tell" in bare
    assert (folder / "streets.svg").stat().st_size > 1000


def test_scratch_is_for_the_runs_abreast(written):
    """Four interleaved runs need about four times the scratch of one lattice, plus their states."""
    result, _, _ = written
    assert result["15"]["scratch"] > 4 * 8 * result["15"]["state"] / 20
    assert result["20"]["mesa_bytes"] > result["20"]["state"]
