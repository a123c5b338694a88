import csv
import json
from pathlib import Path

import pytest

from foedus import cli
from foedus.answers import hubverse
from foedus.errors import InputError

FORECAST = {
    "format": 1,
    "case": "small",
    "as_of": "2022-01-04",
    "answers": [
        {"id": "comes", "kind": "binary", "answered": True, "probability": 0.25, "mean": None,
         "quantiles": {}},
        {"id": "troops", "kind": "number", "answered": True, "probability": None, "mean": 9.5,
         "quantiles": {"q05": 1.0, "q25": 2.0, "q50": 8.0, "q75": 11.0, "q95": 30.0}},
        {"id": "lands", "kind": "date", "answered": True, "probability": 0.6, "mean": None,
         "quantiles": {"q05": "2022-01-03", "q25": "2022-01-05", "q50": "2022-01-06",
                       "q75": None, "q95": None}},
        {"id": "falls", "kind": "binary", "answered": False, "probability": None, "mean": None,
         "quantiles": {}},
    ],
    "fans": [
        {"key": "crowd", "dates": ["2022-01-03", "2022-01-04", "2022-01-05"],
         **{k: [1.0, 2.0, None] for k in ("q05", "q25", "q50", "q75", "q95")}},
    ],
}  # fmt: skip


def test_rows():
    rows = hubverse.rows(FORECAST, model="team-model")
    assert all(tuple(row) == hubverse.COLUMNS for row in rows)
    assert all(row["model_id"] == "team-model" and row["location"] == "small" for row in rows)
    assert {row["origin_date"] for row in rows} == {"2022-01-04"}
    short = [(r["target"], r["output_type"], r["output_type_id"], r["value"]) for r in rows]
    assert short[:2] == [("comes", "pmf", "no", 0.75), ("comes", "pmf", "yes", 0.25)]
    assert ("troops", "mean", None, 9.5) in short
    assert ("troops", "quantile", 0.95, 30.0) in short
    assert ("lands", "pmf", "yes", 0.6) in short
    days = [(i, v) for t, o, i, v in short if t == "lands/days" and o == "quantile"]
    assert days == [(0.05, -1), (0.25, 1), (0.5, 2)]
    assert not any(t == "falls" for t, *_ in short)
    fan = [r for r in rows if r["target"] == "crowd"]
    assert {(r["horizon"], r["target_date"], r["value"]) for r in fan} == {(0, "2022-01-04", 2.0)}
    assert len(fan) == 5
    for row in rows:
        assert row["output_type"] in ("pmf", "mean", "quantile")


def test_every_task_has_one_value_by_output():
    rows = hubverse.rows(FORECAST)
    keys = {tuple(v for k, v in r.items() if k != "value") for r in rows}
    assert len(keys) == len(rows)


def test_file(tmp_path):
    path = hubverse.write(FORECAST, tmp_path / "hub" / "a.csv")
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert tuple(found[0]) == hubverse.COLUMNS
    assert len(found) == len(hubverse.rows(FORECAST))
    assert {r["output_type_id"] for r in found if r["output_type"] == "mean"} == {"NA"}
    with pytest.raises(InputError, match="is there already"):
        hubverse.write(FORECAST, path)


@pytest.mark.slow
def test_from_a_store_of_the_flagship(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["kazakhstan-2022", "--as-of", "2022-01-03", "--runs", "1000", "--out", "a.zarr"]
    assert cli.main(["forecast", *options, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert cli.main(["runs", "export", "a.zarr", "--to", "hubverse"]) == 0
    with Path("a-hubverse.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    wanted = hubverse.rows(said)
    assert [{k: "NA" if v is None else str(v) for k, v in r.items()} for r in wanted] == found
    assert found
