"""The page's computations, requested as the page requests them, on a small case."""

from __future__ import annotations

import concurrent.futures
import json
import re
import time
from typing import Any

import httpx
import numpy as np
import pytest

from foedus.app.cases import whole
from foedus.case import load_text

from .conftest import OURS, SMALL, follow, result

FIXED = {"dist": "fixed", "value": 1.0}
CASE = {"case": "small.yaml", "as_of": "2022-01-05", "runs": 120}


@pytest.fixture(scope="module")
def visitor(site):
    with httpx.Client(base_url=site[0], timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def bundle(visitor) -> dict[str, Any]:
    found: dict[str, Any] = result(visitor, {"kind": "forecast", **CASE}).json()
    return found


def test_a_forecast_has_all_that_the_tabs_show(bundle):
    assert set(bundle) == {"forecast", "marks", "words", "map", "votes", "picks", "before"}
    f = bundle["forecast"]
    assert f["as_of"] == "2022-01-05"
    assert f["sample"]["runs"] == 120
    assert {a["id"] for a in f["answers"]} == set(bundle["words"]) == {"comes", "dead", "answer"}
    assert {e["id"] for e in f["evidence"]} == {"crowd-3", "dead-4", "asked"}  # not the later one
    assert bundle["marks"]["crowd"][0]["low"] > 100
    assert bundle["picks"]
    assert {r["member"] for r in bundle["votes"]["rows"]} <= {"big", "tiny", "home"}


def test_the_same_again_is_there_at_once(visitor, bundle):
    job = visitor.post("/api/jobs", json={"kind": "forecast", **CASE}, headers=OURS).json()
    assert job["state"] == "done"
    assert job["id"] is None
    assert visitor.get("/api/result", params={"key": job["key"]}).json() == bundle


def test_an_earlier_date_knows_less(visitor, bundle):
    early = result(visitor, {"kind": "forecast", **CASE, "as_of": "2022-01-03"}).json()
    assert [e["id"] for e in early["forecast"]["evidence"]] == ["crowd-3"]


def test_a_film_is_one_blob_of_all_cities(visitor, bundle):
    run = bundle["picks"][0]["run"]
    answer = result(visitor, {"kind": "street", **CASE, "run": run})
    assert answer.headers["content-type"] == "application/octet-stream"
    blob = answer.content
    length = int.from_bytes(blob[:4], "little")
    header = json.loads(blob[4 : 4 + length])
    sides = [c["side"] for c in header["cities"]]
    assert sides == [16, 12]
    assert header["ticks"] == 8 * 4
    cells = np.frombuffer(blob[4 + length :], dtype=np.uint8)
    assert cells.size == header["ticks"] * sum(s * s for s in sides)
    assert cells.max() <= 4
    active = (cells.reshape(header["ticks"], -1)[:, : 16 * 16] == 2).sum(axis=1)
    crowd = header["cities"][0]["crowd"]
    assert [c > 0 for c in crowd] == [bool(a.any()) for a in active.reshape(8, 4)]


def test_a_change_is_answered_by_pairs_first_few_then_more(visitor, bundle):
    change = {"mechanisms": {"streets": False}}
    body = {"kind": "whatif", **CASE, "change": change, "pairs": 400}
    job = follow(visitor, body)
    assert job["version"] == 4  # 60, 240 and 400 pairs, and the last result once more, kept
    last = visitor.get("/api/result", params={"key": job["key"]}).json()
    assert last["pairs"] == 400
    crowd = next(d for d in last["outcomes"] if d["key"] == "crowd_days")
    assert crowd["counterfactual"] == 0.0


def test_a_long_what_if_can_be_stopped(visitor, bundle):
    body = {
        "kind": "whatif", **CASE, "runs": 2000, "pairs": 4000,
        "change": {"mechanisms": {"contagion": False}},
    }  # fmt: skip
    job = visitor.post("/api/jobs", json=body, headers=OURS).json()
    visitor.post("/api/jobs/stop", json={"id": job["id"]}, headers=OURS).raise_for_status()
    until = time.monotonic() + 20
    while job["state"] != "stopped":
        assert time.monotonic() < until, job
        job = visitor.get("/api/jobs", params={"id": job["id"]}).json()
        time.sleep(0.02)


def test_explanations_scores_tornado_and_watch_list(visitor, bundle):
    found = result(visitor, {"kind": "explain", **CASE}).json()
    assert [h["id"] for h in found["hypotheses"]] == ["club", "interest"]
    scores = result(visitor, {"kind": "score", **CASE, "reveal": True}).json()
    assert {q["id"] for q in scores["questions"]} == {"comes", "dead", "answer"}
    body = {"kind": "sensitivity", **CASE, "question": "comes", "pairs": 0}
    hangs = result(visitor, body).json()
    assert [q["id"] for q in hangs["questions"]] == ["comes"]
    effects = hangs["questions"][0]["before"]["effects"]
    assert {e["kind"] for e in effects} == {"parameter", "hypothesis", "chance"}
    listed = visitor.get("/api/assumptions", params={"case": "small.yaml"}).json()["parameters"]
    drawn = {p["name"] for p in listed if p["q05"] < p["q95"]}
    assert {e["input"] for e in effects if e["kind"] == "parameter"} == drawn
    watched = result(visitor, {"kind": "watch", **CASE, "question": "comes"}).json()
    assert watched["about"] == "comes"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "magic"}, "kind"),
        ({"kind": "forecast", "as_of": "2021-01-01"}, "date of case"),
        ({"kind": "forecast", "as_of": 7}, "as_of"),
        ({"kind": "forecast", "runs": 10**9}, "runs"),
        ({"kind": "forecast", "runs": True}, "runs"),
        ({"kind": "forecast", "seed": -1}, "seed"),
        ({"kind": "street", "run": 500}, "run"),
        ({"kind": "street"}, "run"),
        ({"kind": "whatif"}, "change"),
        ({"kind": "whatif", "change": {"mechanisms": {"magic": True}}}, "mechanisms"),
        ({"kind": "whatif", "change": {"mechanisms": {"streets": 1}}}, "mechanisms"),
        ({"kind": "whatif", "change": {"hypothesis": "none"}}, "hypothesis"),
        ({"kind": "whatif", "change": {"priors": {"streets.k": {"dist": "magic"}}}}, "priors"),
        ({"kind": "whatif", "change": {"priors": {"a.b": FIXED}}}, "declared"),
        ({"kind": "watch", "question": "none"}, "question"),
        ({"kind": "forecast", "case": "none.yaml"}, "no such case"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(visitor, body, words):
    answer = visitor.post("/api/jobs", json={"case": "small.yaml", **body}, headers=OURS)
    assert answer.status_code == 422
    assert words in answer.json()["error"]


def test_what_can_be_otherwise_is_listed(visitor):
    found = visitor.get("/api/assumptions", params={"case": "small.yaml"}).json()
    assert {m["name"] for m in found["mechanisms"]} >= {"streets", "alliance", "lethal"}
    assert all(m["says"][0].isupper() for m in found["mechanisms"])
    k = next(p for p in found["parameters"] if p["name"] == "streets.k")
    assert k["q05"] <= k["q50"] <= k["q95"]


def test_a_better_forecast_makes_way_for_what_a_visitor_waits_for(visitor, bundle):
    body = {"kind": "forecast", **CASE, "as_of": "2022-01-04", "runs": 20_000, "priority": 2}
    job = visitor.post("/api/jobs", json=body, headers=OURS).json()
    try:
        end = time.monotonic() + 60
        while visitor.get("/api/jobs", params={"id": job["id"]}).json()["state"] != "running":
            assert time.monotonic() < end
            time.sleep(0.02)
        assert follow(visitor, {"kind": "explain", **CASE, "pairs": 4})["state"] == "done"
        now = visitor.get("/api/jobs", params={"id": job["id"]}).json()
        assert now["state"] in ("queued", "running"), now
    finally:
        visitor.post("/api/jobs/stop", json={"id": job["id"]}, headers=OURS)


def test_where_a_forecast_refuses_the_runs_are_shown_before_the_evidence(visitor):
    told = result(visitor, {"kind": "forecast", **CASE, "runs": 50}).json()
    assert told["forecast"]["sample"]["verdict"] == "refused"
    before = told["before"]
    assert set(before) == {"fans", "votes", "map"}
    assert [f["key"] for f in before["fans"]] == [f["key"] for f in told["forecast"]["fans"]]
    assert all(v is not None for f in before["fans"] for v in f["q50"])
    assert len(before["votes"]["rows"]) == 3
    assert told["map"]["places"] == {}
    assert set(before["map"]["places"]) == {"north", "south"}
    dead = next(a for a in told["forecast"]["answers"] if a["id"] == "dead")
    deaths = next(f for f in before["fans"] if f["key"] == "deaths_total")
    assert (
        deaths["q50"][deaths["dates"].index("2022-01-09")]
        == dead["before_evidence"]["quantiles"]["q50"]
    )
    answered = result(visitor, {"kind": "forecast", **CASE, "runs": 480}).json()
    assert answered["forecast"]["sample"]["verdict"] != "refused"
    assert answered["before"] is None


def test_ten_visitors_at_once_do_not_block_each_other(site, visitor, bundle):
    """While a long job runs, ten visitors read existing results; nobody waits for it."""
    body = {"kind": "forecast", **CASE, "as_of": "2022-01-06", "runs": 4000}
    job = visitor.post("/api/jobs", json=body, headers=OURS).json()

    def visit(number: int) -> bool:
        with httpx.Client(base_url=site[0], timeout=60) as client:
            for path, params in (
                ("/", {}),
                ("/static/main.js", {}),
                ("/api/cases", {}),
                ("/api/case", {"case": "small.yaml"}),
                ("/api/best", {"case": "small.yaml", "as_of": "2022-01-05"}),
            ):
                client.get(path, params=params).raise_for_status()
            return bool(result(client, {"kind": "forecast", **CASE}).json() == bundle)

    try:
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            assert all(pool.map(visit, range(10)))
        now = visitor.get("/api/jobs", params={"id": job["id"]}).json()
        assert now["state"] in ("queued", "running"), f"the long job was over too soon: {now}"
    finally:
        visitor.post("/api/jobs/stop", json={"id": job["id"]}, headers=OURS)


@pytest.mark.parametrize(
    ("as_of", "shown"),
    [("2022-01-05", "05"), ("2022-01-05T16:30", "04"), ("2022-01-02T10:00", "02")],
)
def test_the_page_begins_on_the_last_day_that_was_over(as_of, shown):
    text = re.sub(r"as_of: \S+", f"as_of: {as_of}", SMALL.read_text(encoding="utf-8"))
    case = load_text(re.sub(r"(?s)\noutcomes:.*", "\n", text))
    assert whole("small.yaml", case)["as_of"] == f"2022-01-{shown}"
