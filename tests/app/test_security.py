"""Which requests are answered, and what can be reached."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import pytest

from foedus.app.jobs import Jobs
from foedus.app.library import LARGEST, Library
from foedus.app.security import POLICY
from foedus.app.server import STATIC, create_app
from foedus.app.settings import Settings
from foedus.errors import InputError

from .conftest import ADDRESS, OURS, PORT, Client

BODY = {"kind": "forecast", "case": "small.yaml"}


@pytest.mark.parametrize(
    "host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"]
)
def test_our_own_names_are_answered(client: Client, host: str) -> None:
    assert client.get("/api/cases", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
        f"localhost.:{PORT}",
        "127.0.0.1:8001",
        "127.0.0.1",
        f"user@127.0.0.1:{PORT}",
        f"10.0.0.5:{PORT}",
        "",
    ],
)
def test_a_name_that_was_made_to_point_here_gets_nothing(client: Client, host: str) -> None:
    for path in ("/", "/api/cases", "/static/main.js"):
        assert client.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8001"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_can_neither_read_nor_change(
    client: Client, headers: dict[str, str]
) -> None:
    assert client.get("/api/cases", headers=headers).status_code == 403
    assert client.post("/api/jobs", json=BODY, headers={**OURS, **headers}).status_code == 403
    answer = client.request(
        "OPTIONS", "/api/jobs", headers={**headers, "Access-Control-Request-Method": "POST"}
    )
    assert answer.status_code == 405
    assert not [h for h in answer.headers if h.startswith("access-control")]


def test_a_link_from_elsewhere_opens_the_page_and_nothing_else(client: Client) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=followed).status_code == 200
    assert client.get("/api/cases", headers=followed).status_code == 403


def test_a_change_needs_our_header_and_json(client: Client) -> None:
    text = '{"kind": "forecast"}'
    for headers, status in (
        ({"Content-Type": "application/json"}, 403),
        ({**OURS, "X-Foedus": "2"}, 403),
        ({**OURS, "Content-Type": "text/plain"}, 415),
        ({**OURS, "Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"X-Foedus": "1", "Content-Type": "multipart/form-data; boundary=x"}, 415),
        (OURS, 422),
    ):
        assert client.post("/api/jobs", content=text, headers=headers).status_code == status


def test_a_large_body_is_refused_before_it_is_held(client: Client, folders: Settings) -> None:
    most = folders.largest_body
    large = client.post("/api/jobs", content=b" " * (most + 1), headers=OURS)
    assert large.status_code == 413

    given = 0

    async def pieces():
        nonlocal given
        for _ in range(1000):
            given += 1
            yield b" " * 10_000

    assert client.post("/api/jobs", content=pieces(), headers=OURS).status_code == 413
    fits = client.post("/api/jobs", content=b" " * most, headers=OURS)
    assert fits.status_code == 422


@pytest.mark.parametrize("body", ["[1]", "nonsense", '{"a": NaN}', "", "[" * 5000, '"x"'])
def test_a_body_that_is_no_object_is_an_error_of_the_visitor(client: Client, body: str) -> None:
    answer = client.post("/api/jobs", content=body, headers=OURS)
    assert answer.status_code == 422
    assert "JSON object" in answer.json()["error"]


def test_every_answer_says_that_no_script_but_ours_may_run(client: Client) -> None:
    for path in ("/", "/static/main.js", "/api/cases", "/api/nothing", "/nothing"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in POLICY
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'none'" in POLICY


def test_the_page_itself_has_no_inline_script_style_or_foreign_address() -> None:
    text = (STATIC / "index.html").read_text(encoding="utf-8")
    assert "http" not in text
    assert "style=" not in text
    assert not re.search(r"\son\w+\s*=", text)
    assert text.count("<script") == 1
    assert '<script type="module" src="/static/main.js"></script>' in text
    for path in STATIC.glob("*.js"):
        code = path.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in code.replace("never innerHTML", ""), (path.name, word)
        assert "https://" not in code.replace("https:\\/\\/", ""), path.name


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static//etc/passwd",
        "/static/vendor/../../server.py",
        "/..%2f..%2fetc/passwd",
    ],
)
def test_no_file_beside_the_static_ones_is_served(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (400, 404)
    assert "import" not in answer.text


OUTSIDE = [
    "../secret.yaml",
    "..",
    "/etc/passwd",
    "sub/small.yaml",
    "..\\secret.yaml",
    "secret.yaml\0.yaml",
    ".hidden.yaml",
    "a..b.yaml",
    "small.txt",
    "<script>.yaml",
    "x" * 200 + ".yaml",
    "C:small.yaml",
    "",
]


@pytest.mark.parametrize("key", OUTSIDE)
def test_no_case_outside_the_folder_is_read(client: Client, folders: Settings, key: str) -> None:
    (folders.cases.parent / "secret.yaml").write_text("foedus: 1\ntitle: secret", encoding="utf-8")
    (folders.cases / "sub").mkdir()
    for path in ("/api/case", "/api/assumptions", "/api/best"):
        answer = client.get(path, params={"case": key})
        assert answer.status_code == 422, path
        assert "secret" not in answer.text.replace("secret.yaml", "")
    assert client.post("/api/jobs", json={**BODY, "case": key}, headers=OURS).status_code == 422


def test_links_out_of_the_folder_are_neither_listed_nor_read(folders: Settings) -> None:
    library = Library(folders.cases)
    outside = folders.cases.parent / "secret.yaml"
    outside.write_text((folders.cases / "small.yaml").read_text("utf-8"), encoding="utf-8")
    (folders.cases / "link.yaml").symlink_to(outside)
    (folders.cases / "inside.yaml").symlink_to(folders.cases / "small.yaml")
    os.mkfifo(folders.cases / "pipe.yaml")
    (folders.cases / "folder.yaml").mkdir()
    assert [k for k in library.keys() if k.endswith(".yaml")] == ["small.yaml"]  # noqa: SIM118
    for key in ("link.yaml", "inside.yaml", "pipe.yaml", "folder.yaml"):
        with pytest.raises(InputError):
            library.text(key)
    with pytest.raises(InputError, match="a link"):
        library.path("link.yaml")


def test_a_case_that_is_too_large_or_no_text_is_refused(folders: Settings) -> None:
    library = Library(folders.cases)
    (folders.cases / "large.yaml").write_bytes(b"#" * (LARGEST + 1))
    (folders.cases / "bytes.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="at most"):
        library.text("large.yaml")
    with pytest.raises(InputError, match="UTF-8"):
        library.text("bytes.yaml")
    entry = next(e for e in library.entries() if e.key == "large.yaml")
    assert entry.problem is not None


@pytest.mark.parametrize(
    "key", ["../x", "forecast-zz", "forecast-" + "0" * 31, "", "a/b", "%2e%2e"]
)
def test_no_file_but_a_result_is_given_as_one(client: Client, folders: Settings, key: str) -> None:
    folders.kept.mkdir(parents=True)
    (folders.kept / "x.bin").write_bytes(b"secret")
    (folders.results / "x.bin").write_bytes(b"secret")
    answer = client.get("/api/result", params={"key": key})
    assert answer.status_code == 404


def test_outcomes_are_not_told_unasked(client: Client) -> None:
    case = client.get("/api/case", params={"case": "small.yaml"}).json()
    assert case["outcomes"] == 3
    assert "2022-02-01" not in client.get("/api/case", params={"case": "small.yaml"}).text
    refused = client.post("/api/jobs", json={**BODY, "kind": "score"}, headers=OURS)
    assert refused.status_code == 422
    assert "reveal" in refused.json()["error"]


def test_where_others_can_reach_the_page_they_need_the_token(folders: Settings) -> None:
    settings = dataclasses.replace(folders, host="0.0.0.0", token="s3cret")
    queue = Jobs(settings.kept, settings.queue, lanes={})
    client = Client(create_app(settings, queue), f"http://10.0.0.5:{PORT}")
    assert client.get("/api/cases").status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/", headers={"Host": f"evil.example:{PORT}"}).status_code == 421
    answer = client.get("/?token=s3cret", follow_redirects=False)
    assert answer.status_code == 303
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert client.get("/api/cases").status_code == 200


def test_a_refusal_names_no_folder_of_this_machine(client: Client, tmp_path: Path) -> None:
    for key in ("../x.yaml", "none.yaml"):
        assert str(tmp_path) not in client.get("/api/case", params={"case": key}).text


def test_the_address_of_the_tests_is_the_pages_own() -> None:
    assert ADDRESS.endswith(str(PORT))
