"""The server side of the editor of cases: what is checked, changed, saved and refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from foedus.app.editor import view
from foedus.app.library import LARGEST
from foedus.app.server import create_app
from foedus.app.settings import Settings
from foedus.case import load_case, load_text
from foedus.case.load import shipped_text
from foedus.case.template import starter
from foedus.errors import InputError

CHANGES = {"X-Foedus": "1"}
HOME = "http://127.0.0.1:8000"
STARTER = starter("my-case.yaml")


class _Jobs:
    """No job is started here."""

    def close(self) -> None:
        pass


class _Client:
    """Sends requests to the server without a socket, also from several threads."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**CHANGES, **more.pop("headers", {})}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)


@pytest.fixture
def cases(tmp_path):
    folder = tmp_path / "cases"
    folder.mkdir()
    return folder


@pytest.fixture
def client(tmp_path, cases):
    settings = Settings(cases=cases, results=tmp_path / "results", port=8000)
    jobs: Any = _Jobs()
    return _Client(create_app(settings, jobs))


def save(client, **body):
    body = {"text": STARTER, "name": "my-case.yaml", "etag": None, "overwrite": False, **body}
    return client.post("/api/editor/save", json=body)


def etag(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_starter_case_has_no_mistakes(client):
    found = client.get("/api/editor/open").json()
    assert found["problems"] == []
    assert found["editable"]
    assert found["name"] == ""
    assert found["data"]["places"]["port"]["population"] == 250000


def test_a_word_that_the_casebook_does_not_know_is_a_mistake(client):
    text = STARTER.replace("as_of:", "requester_iso3: KYR\nas_of:", 1)
    line = text.splitlines().index("requester_iso3: KYR") + 1
    found = client.post("/api/editor/check", json={"text": text, "name": "my-case.yaml"}).json()
    assert [(p["field"], p["line"]) for p in found["problems"]] == [("requester_iso3", line)]


def test_a_shipped_case_opens_as_a_copy(client):
    found = client.get("/api/editor/open", params={"case": "kazakhstan-2022"}).json()
    assert (found["name"], found["etag"]) == ("", None)
    assert found["text"] == shipped_text("kazakhstan-2022")


@pytest.mark.parametrize(
    ("old", "new", "field", "line"),
    [
        ("title: 'A new case'", "title: 5", "title", 7),  # another type
        ("summary:", "sumary:", "sumary", 8),  # no such field
        ("summary: Say", "# Say", "summary", 5),  # a field is missing
        ("population: 800000", "population: -8", "places.capital.population", 30),  # a bound
        ("rule: consensus_with_abstention", "rule: luck", "alliance.rule", 48),  # not a legal word
        ("rating: B2", "rating: G9", "facts.0.rating", 93),  # a pattern
        ("value: about 3000", "value: lots", "facts.0.value", 91),  # a value
        ("known_from: 2024-03-02", "known_from: soon", "facts.0.known_from", 88),  # a date
        ("mean: 0.3", "mean: 3", "triggers.0.loss.mean", 67),  # a prior
        ("place: port\n    value", "place: fort\n    value", "facts.0.place", 90),  # a reference
        ("kind: binary", "kind: date", "questions.0.ask.statistic", 116),  # the sense of a question
        ("  port:", "  capital:", "places.capital", 32),  # the same key twice
    ],
)  # fmt: skip
def test_each_kind_of_mistake_comes_with_its_field_and_line(client, old, new, field, line):
    assert old in STARTER
    text = STARTER.replace(old, new, 1)
    found = client.post("/api/editor/check", json={"text": text, "name": "x.yaml"}).json()
    at = {(p["field"], p["line"]) for p in found["problems"]}
    assert (field, line) in at
    with pytest.raises(InputError) as caught:
        load_text(text, "x.yaml")
    assert [vars(p) for p in caught.value.problems] == found["problems"]
    assert save(client, text=text).status_code == 422


@pytest.mark.parametrize(
    "text", ["", "[", "a: b: c", "- 1", "a: !!python/object:os.system x", "a: &x 1\nb: *x", "\x07"]
)
def test_what_is_no_case_at_all_gets_its_mistakes_too(client, text):
    found = client.post("/api/editor/check", json={"text": text, "name": "x.yaml"}).json()
    assert found["problems"]
    assert found["data"] is None or not found["editable"] or found["data"]


def test_numbers_that_json_cannot_hold_become_texts():
    found = view("foedus: .inf\nid: .nan\nhorizon: 99999999999999999999\n", "x.yaml")
    assert found["data"] == {"foedus": "inf", "id": "nan", "horizon": "99999999999999999999"}
    json.dumps(found, allow_nan=False)


def test_an_edit_keeps_the_notes_of_the_author(client):
    edits = [
        {"op": "set", "path": ["facts", 0, "rating"], "value": "C3"},
        {"op": "append", "path": ["facts"], "value": {"id": "new"}},
        {"op": "rename", "path": ["places", "port"], "value": "harbour"},
    ]
    body: dict[str, Any] = {"text": STARTER, "name": "x.yaml", "edits": edits}
    found = client.post("/api/editor/edit", json=body).json()
    assert found["data"]["facts"][0]["rating"] == "C3"
    assert {"facts.2.about", "triggers.0.place"} <= {p["field"] for p in found["problems"]}
    kept = [line for line in STARTER.splitlines() if "#" in line]
    assert [line for line in found["text"].splitlines() if "#" in line] == kept


@pytest.mark.parametrize(
    "edit",
    [
        5,
        {"op": "eval", "path": ["a"]},
        {"op": "set", "path": [], "value": 1},
        {"op": "set", "path": ["a", -1], "value": 1},
        {"op": "set", "path": ["a", True], "value": 1},
        {"op": "set", "path": "title", "value": 1},
        {"op": "set", "path": ["x"] * 21, "value": 1},
        {"op": "set", "path": ["title"], "value": [[[[[[[[1]]]]]]]]},
        {"op": "rename", "path": ["title"], "value": 3},
        {"op": "set", "path": ["title", "x"], "value": 3},
        {"op": "set", "path": ["title"], "value": "\x1b[2J"},
    ],
)
def test_odd_edits_are_refused(client, edit):
    body: dict[str, Any] = {"text": STARTER, "name": "x.yaml", "edits": [edit]}
    assert client.post("/api/editor/edit", json=body).status_code == 422


def test_a_saved_case_is_the_text_and_loads(client, cases):
    response = save(client)
    assert response.status_code == 200
    path = cases / "my-case.yaml"
    assert path.read_text(encoding="utf-8") == STARTER
    assert response.json() == {"name": "my-case.yaml", "etag": etag(path)}
    assert load_case(path).id == "my-case"
    assert [p.name for p in cases.iterdir()] == ["my-case.yaml"]
    assert "my-case.yaml" in [c["key"] for c in client.get("/api/cases").json()["cases"]]


def test_nothing_is_replaced_unasked_or_unseen(client, cases):
    path = cases / "my-case.yaml"
    path.write_text("somebody's", encoding="utf-8")
    response = save(client)
    assert (response.status_code, response.json()["reason"]) == (409, "exists")
    response = save(client, overwrite=True, etag="0" * 64)
    assert (response.status_code, response.json()["reason"]) == (409, "changed")
    response = save(client, overwrite=True)
    assert (response.status_code, response.json()["reason"]) == (409, "changed")
    assert path.read_text(encoding="utf-8") == "somebody's"
    seen = etag(path)
    assert save(client, overwrite=True, etag=seen).status_code == 200
    assert path.read_text(encoding="utf-8") == STARTER
    assert save(client, overwrite=True, etag=seen).status_code == 409


def test_a_file_that_went_away_is_not_made_again_unasked(client, cases):
    assert save(client, overwrite=True, etag="0" * 64).json()["reason"] == "changed"
    assert list(cases.iterdir()) == []


def test_of_many_who_save_one_name_one_wins(client, cases):
    codes: list[int] = []
    texts = [STARTER.replace("A new case", f"Case {i}") for i in range(8)]
    threads = [
        threading.Thread(target=lambda t=t: codes.append(save(client, text=t).status_code))
        for t in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] + [409] * 7
    assert (cases / "my-case.yaml").read_text(encoding="utf-8") in texts
    assert len(list(cases.iterdir())) == 1


@pytest.mark.parametrize(
    "name",
    ["../out.yaml", "/tmp/out.yaml", "a/b.yaml", "a\\b.yaml", "..yaml", ".hidden.yaml", "a.yaml/",
     "", "a..yaml", "con\x00.yaml", "a.sh", "a.yaml\n", "C:a.yaml", "x" * 200 + ".yaml", "~/a.yaml",
     "kazakhstan-2022.yaml", "%2e%2e%2fa.yaml", 5, None]
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(client, cases, tmp_path, name):
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    assert save(client, name=name).status_code == 422
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before
    if isinstance(name, str) and name != "kazakhstan-2022.yaml":
        assert client.get("/api/editor/open", params={"case": name}).status_code in (200, 422)
        if name:
            assert client.get("/api/editor/open", params={"case": name}).status_code == 422


def test_a_link_is_neither_read_nor_written_through(client, cases, tmp_path):
    target = tmp_path / "secret.yaml"
    target.write_text(STARTER, encoding="utf-8")
    (cases / "link.yaml").symlink_to(target)
    assert client.get("/api/editor/open", params={"case": "link.yaml"}).status_code == 422
    response = save(client, name="link.yaml", overwrite=True, etag=etag(target))
    assert response.status_code == 422
    assert target.read_text(encoding="utf-8") == STARTER
    (cases / "dangling.yaml").symlink_to(tmp_path / "nowhere.yaml")
    assert save(client, name="dangling.yaml").status_code == 422
    assert not (tmp_path / "nowhere.yaml").exists()


def test_what_is_no_file_is_not_written(client, cases):
    (cases / "folder.yaml").mkdir()
    os.mkfifo(cases / "pipe.yaml")
    for name in ("folder.yaml", "pipe.yaml"):
        assert save(client, name=name, overwrite=True, etag="0").status_code == 422
        assert client.get("/api/editor/open", params={"case": name}).status_code == 422


def test_a_folder_that_cannot_be_written_says_so(client, cases):
    cases.rmdir()
    cases.write_text("a file", encoding="utf-8")
    response = save(client)
    assert response.status_code == 422
    assert "Traceback" not in response.text


def test_an_unfinished_save_leaves_the_old_file(client, cases, monkeypatch):
    save(client)
    path = cases / "my-case.yaml"

    def broken(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    text = STARTER.replace("A new case", "Another")
    response = save(client, text=text, overwrite=True, etag=etag(path))
    assert response.status_code == 422
    assert "No space left" in response.json()["error"]
    assert path.read_text(encoding="utf-8") == STARTER
    assert [p.name for p in cases.iterdir()] == ["my-case.yaml"]


def test_too_much_is_refused(client, cases):
    text = STARTER + "# " + "x" * LARGEST
    for path in ("check", "edit", "save"):
        body = {"text": text, "name": "a.yaml", "edits": []}
        assert client.post(f"/api/editor/{path}", json=body).status_code in (413, 422)
    assert list(cases.iterdir()) == []


@pytest.mark.parametrize("path", ["check", "edit", "save"])
def test_only_pages_of_ours_may_change_anything(client, cases, path):
    body: dict[str, Any] = {"text": STARTER, "name": "my-case.yaml", "edits": [], "etag": None}
    where = f"/api/editor/{path}"
    other = {"Origin": "http://evil.example"}
    assert client.post(where, json=body, headers=other).status_code == 403
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert client.post(where, json=body, headers=cross).status_code == 403
    assert client.post(where, json=body, headers={"Host": "evil.example:8000"}).status_code == 421
    assert client.post(where, json=body, headers={"X-Foedus": ""}).status_code == 403
    plain = {"Content-Type": "text/plain"}
    assert client.post(where, content=json.dumps(body), headers=plain).status_code == 415
    assert client.get(where).status_code in (404, 405)
    assert list(cases.iterdir()) == []


def test_a_text_that_looks_like_a_program_stays_a_text(client, cases):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    edits = [{"op": "set", "path": ["title"], "value": evil}]
    found = client.post(
        "/api/editor/edit", json={"text": STARTER, "name": "x", "edits": edits}
    ).json()
    assert found["data"]["title"] == evil
    response = save(client, text=found["text"], name="evil.yaml")
    assert response.headers["content-type"] == "application/json"
    assert load_case(cases / "evil.yaml").title == evil
