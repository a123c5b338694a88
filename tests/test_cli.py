"""The contract of the command line: options, exit statuses, messages, JSON."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

import foedus
from foedus import cli
from foedus.case.vocabulary import MECHANISMS

FLAGSHIP = "kazakhstan-2022"


def commands(app: App = cli.app, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command, including groups, as its words."""
    for name in app:
        if not name.startswith("-"):
            yield (*prefix, name)
            yield from commands(app[name], (*prefix, name))


COMMANDS = [(), *commands()]


def small_case(path: Path) -> Path:
    foedus.new_case(path, title="A small case")
    text = path.read_text(encoding="utf-8")
    text = text.replace("lattice: 30 ", "lattice: 14 ").replace(
        "population: 250000", "population: 250000\n    lattice: 14"
    )
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh working folder with a small case in it."""
    monkeypatch.chdir(tmp_path)
    small_case(tmp_path / "small.yaml")
    return tmp_path


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of the small case as of its own date, made once."""
    folder = tmp_path_factory.mktemp("small")
    case = foedus.load_case(small_case(folder / "small.yaml"))
    foedus.forecast(case, as_of=case.as_of, runs=300, workers=1, out=folder / "a.zarr")
    return folder / "a.zarr"


@pytest.fixture
def with_runs(here: Path, shelf: Path) -> Path:
    """A fresh working folder with a small case in it, and its runs in ``a.zarr``."""
    shutil.copytree(shelf, here / "a.zarr")
    return here


def call(*words: str | Path) -> int:
    return cli.main([str(w) for w in words])


def run_small(out: str, *more: str) -> int:
    return call(
        "run", "small.yaml", "--runs", "6", "--workers", "1", "--batch", "3", "--out", out, *more
    )


# ----------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_ends_with_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words, "--help") == 0
    lines = capsys.readouterr().out.rstrip().splitlines()
    start = max(n for n, line in enumerate(lines) if line in ("Example:", "Examples:"))
    examples = [line.split() for line in lines[start + 1 :]]
    assert examples
    for example in examples:
        assert example[: 1 + len(words)] == ["foedus", *words]


def test_the_reference_page_lists_every_command() -> None:
    page = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
    text = page.read_text(encoding="utf-8")
    groups = {words[:-1] for words in COMMANDS}
    for words in COMMANDS:
        if words not in groups:
            assert f"| `foedus {' '.join(words)}" in text


JUDGING = (
    "forecast", "report", "score", "explain", "watch", "diagnose", "sensitivity", "discover",
)  # fmt: skip


@pytest.mark.parametrize("name", ["run", *JUDGING])
def test_runs_and_judgements_share_their_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call(name, "--help")
    text = capsys.readouterr().out
    for option in ("--runs", "--seed", "--workers", "--batch", "--out", "--cluster", "--as-of"):
        assert option in text


@pytest.mark.parametrize("name", ["check", "forecast", "score"])
def test_commands_for_programs_have_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    call(name, "--help")
    assert "--json" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--version") == 0
    assert capsys.readouterr().out.strip() == foedus.__version__


# ------------------------------------------------------------------------------------ bad input

BAD = [
    (["rnu"], "run"),
    (["run"], "CASE"),
    (["run", FLAGSHIP, "--rusn", "5"], "--runs"),
    (["run", FLAGSHIP, "--runs", "0"], ">= 1"),
    (["run", FLAGSHIP, "--runs", "-5"], ">= 1"),
    (["run", FLAGSHIP, "--runs", "many"], "int"),
    (["run", FLAGSHIP, "--workers", "0"], ">= 1"),
    (["run", FLAGSHIP, "--batch", "0"], ">= 1"),
    (["run", FLAGSHIP, "--seed", "-1"], ">= 0"),
    (["run", FLAGSHIP, "--as-of", "2022-13-01"], "2022-01-07"),
    (["run", FLAGSHIP, "--as-of", "2031-01-01"], "2022-01-02"),
    (["run", FLAGSHIP, "--out", "small.yaml"], "this is a file, but a store is a folder"),
    (["run", FLAGSHIP, "--resume", "--out", "nowhere.zarr"], "nowhere.zarr"),
    (["run", "kazakstan-2022"], "did you mean 'kazakhstan-2022'"),
    (["run", "nowhere.yaml"], "nowhere.yaml"),
    (["forecast", FLAGSHIP, "--runs", "0"], ">= 1"),
    (["forecast", FLAGSHIP, "--out", "small.yaml"], "this is a file, but a store is a folder"),
    (["forecast", FLAGSHIP, "--brief", "."], "this is a folder"),
    (["forecast", "small.yaml", "--brief", "small.yaml"], "ends in .html"),
    (["report", "small.yaml", "--brief", "small.yaml/b.html"], "small.yaml is not writable"),
    (["report", "small.yaml", "--pdf", "b.html"], "--pdf b.html: a file name that ends in .pdf"),
    (["forecast", "small.yaml", "--out", "a.html"], "this name belongs to its brief"),
    (["run", "small.yaml", "--out", "."], "the name of a new folder"),
    (["run", "small.yaml", "--out", "small.yaml/a.zarr"], "small.yaml/a.zarr"),
    (["forecast", FLAGSHIP, "--as-of", "2022-01-01"], "2022-01-02"),
    (["forecast", "../small"], "no such file"),
    (["check", ""], "the name of a case"),
    (["new", "none/a.yaml"], "none/a.yaml"),
    (["new", "a.yaml", "--title", "\x1b[31m"], "printable"),
    (["check", "\x1b[31m.yaml"], "\\x1b[31m.yaml"),
    (["casebook", "export", "none/a.csv"], "no such folder"),
    (["score", "small.yaml"], "no outcomes"),
    (["check", FLAGSHIP, "--as-of", "soon"], "2022-01-07"),
    (["new", "small.yaml"], "small.yaml"),
    (["runs", "show", "nowhere.zarr"], "nowhere.zarr"),
    (["runs", "diff", "nowhere.zarr", "small.yaml"], "nowhere.zarr"),
    (["runs", "verify", "small.yaml"], "small.yaml"),
    (["runs", "list", "nowhere"], "nowhere"),
    (["casebook", "show", "XYZ1900"], "XYZ1900"),
    (["casebook", "compare", "KAZ2022", "--n", "0"], ">= 1"),
    (["casebook", "compare", "KAZ2022", "--before", "then"], "--before"),
    (["casebook", "base-rate", "--year", "2022"], "--trigger"),
    (["casebook", "base-rate", FLAGSHIP, "--as-of", "then"], "2022-01-07"),
    (
        ["casebook", "base-rate", FLAGSHIP, "--as-of", "2022-01-05", "--before", "2022-01-05"],
        "not both",
    ),
    (["casebook", "base-rate", "KAZ2022", "--year", "2022"], "not both"),
    (["casebook", "base-rate", "KAZ2022", "--mission", "guard"], "not both"),
    (
        [
            "casebook",
            "base-rate",
            "--trigger",
            "coup_mutiny",
            "--organisation",
            "UK",
            "--year",
            "2022",
            "--mission",
            "x",
        ],
        "guard",
    ),
    (["casebook", "score", "nowhere.csv"], "nowhere.csv"),
]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("words", "said"), BAD, ids=[" ".join(b[0]) for b in BAD])
def test_bad_input_is_status_2_and_a_clear_message(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().iterdir())
    assert call(*words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("foedus: ")
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert sorted(Path().iterdir()) == before


def test_a_fault_of_ours_is_status_1_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("by us")

    monkeypatch.setattr("foedus.case.models.json_schema", broken)
    assert call("schema") == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: by us" in err
    assert "FOEDUS_DEBUG" in err
    assert "Traceback" not in err
    monkeypatch.setenv("FOEDUS_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        call("schema")


@pytest.mark.parametrize("command", ["schema", "--help", "casebook show KAZ2022", "runs list"])
def test_a_reader_that_leaves_is_no_error(command: str, here: Path) -> None:
    assert without_a_reader(command.split(), "stdout") == (0, b"")


def test_a_complaint_that_nobody_reads_keeps_its_status(here: Path) -> None:
    assert without_a_reader(["check", "nowhere"], "stderr") == (2, b"")


@pytest.mark.slow
def test_a_run_whose_progress_nobody_reads_goes_on(here: Path) -> None:
    words = ["run", "small.yaml", "--runs", "6", "--workers", "1", "--out", "a.zarr"]
    assert without_a_reader(words, "stderr")[0] == 0
    assert foedus.open_ensemble("a.zarr").complete_runs == 6


def without_a_reader(words: list[str], stream: str) -> tuple[int, bytes]:
    """Return the exit status when one output has no reader, and the other output's text."""
    reader, writer = os.pipe()
    os.close(reader)
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "foedus", *words]
    pipes: dict[str, Any] = {stream: writer, other: subprocess.PIPE}
    done = subprocess.run(command, check=False, env=buffered, **pipes)
    os.close(writer)
    return done.returncode, getattr(done, other)


# ------------------------------------------------------------------------------- check, new, schema


def test_check_prints_what_an_as_of_date_hides(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", FLAGSHIP, "--as-of", "2022-01-05") == 0
    assert "it hides" in capsys.readouterr().out


def test_check_json_is_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", FLAGSHIP, "--as-of", "2022-01-05", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["ok"] is True
    assert {"case", "title", "as_of", "counts", "hidden", "contradictions", "hash"} <= set(data)


def test_check_json_of_a_bad_case_lists_all_problems(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (here / "small.yaml").read_text(encoding="utf-8")
    text = text.replace("population: 800000", "population: -3").replace("rating: B2", "rating: Z9")
    (here / "bad.yaml").write_text(text, encoding="utf-8")
    assert call("check", "bad.yaml", "--json") == 2
    data = json.loads(capsys.readouterr().out)
    assert data["ok"] is False
    assert {p["field"] for p in data["problems"]} == {
        "places.capital.population",
        "facts.0.rating",
    }
    assert all(p["line"] for p in data["problems"])


def test_check_finds_what_only_later_stages_know(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (here / "small.yaml").read_text(encoding="utf-8")
    head = (
        "trigger_type: protest\n"
        "priors:\n"
        "  streets.kk: {dist: fixed, value: 2, source: elicited}\n"
        "  lethal.armed_share: {dist: fixed, value: 7, source: elicited}\n"
        "  streets.reading: {dist: choice, options: [raw, netlogo], source: elicited}\n"
        "  streets.k: {dist: choice, options: [small, large], source: elicited}\n"
    )
    (here / "bad.yaml").write_text(text + head, encoding="utf-8")
    start = text.count("\n") + 1
    assert call("check", "bad.yaml") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert f"bad.yaml:{start}:15: trigger_type: one of domestic_protest" in lines[0]
    assert "did you mean 'streets.k'? (found 'streets.kk')" in lines[1]
    assert "a prior whose median is between 0 and 1 (found 7)" in lines[2]
    assert "give each a weight (found raw, netlogo)" in lines[3]
    assert "none, because it is a number" in lines[4]
    assert call("run", "bad.yaml", "--runs", "5") == 2
    assert capsys.readouterr().err.splitlines() == lines
    assert call("check", "bad.yaml", "--json") == 2
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 5


def test_new_makes_a_case_that_is_fine(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("new", "mine.yaml", "--title", "My case") == 0
    assert capsys.readouterr().out.strip() == "mine.yaml"
    assert call("check", "mine.yaml") == 0
    assert "My case" in capsys.readouterr().out


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("schema") == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


# ----------------------------------------------------------------------------------- run, runs


@pytest.mark.usefixtures("here")
def test_run_resume_list_show_diff_verify(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_small("stores/a.zarr") == 0
    assert "6 of 6 runs" in capsys.readouterr().out
    assert run_small("stores/a.zarr", "--resume") == 0
    assert run_small("stores/b.zarr", "--seed", "1") == 0
    assert run_small("stores/c.zarr", "--seed", "2") == 0
    capsys.readouterr()
    assert call("runs", "diff", "stores/a.zarr", "stores/b.zarr") == 0
    assert "equal" in capsys.readouterr().out
    assert call("runs", "diff", "stores/a.zarr", "stores/c.zarr") == 1
    assert "different" in capsys.readouterr().out
    assert call("runs", "verify", "stores/a.zarr") == 0
    assert call("runs", "show", "stores/a.zarr") == 0
    assert "foedus run small.yaml" in capsys.readouterr().out
    assert call("runs", "list", "stores") == 0
    assert capsys.readouterr().out.count(".zarr") == 3


@pytest.mark.usefixtures("here")
def test_verify_of_a_damaged_store_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_small("a.zarr") == 0
    chunk = next(Path("a.zarr/crowd").glob("c.0*"))
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
    capsys.readouterr()
    assert call("runs", "verify", "a.zarr") == 1
    assert "damaged" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_another_plan_in_the_same_store_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_small("a.zarr") == 0
    capsys.readouterr()
    assert run_small("a.zarr", "--seed", "2") == 2
    assert "another" in capsys.readouterr().err


def test_an_interrupted_forecast_goes_on_by_the_same_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise foedus.Interrupted("stopped after 5 runs, safe in x.", again="foedus run other")

    monkeypatch.setattr("foedus.weighing.weighed.make_runs", stopped)
    assert call("forecast", FLAGSHIP, "--runs", "9") == 130
    said = capsys.readouterr().err.strip()
    again = "foedus forecast kazakhstan-2022 --runs 9"
    assert said == f"foedus: stopped after 5 runs, safe in x. To continue: {again}"


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_ctrl_c_leaves_a_valid_store_and_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["run", "small.yaml", "--runs", "100000", "--workers", "1", "--batch", "20"]
    command = [sys.executable, "-m", "foedus", *words, "--out", "a.zarr"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 120
        while not list(Path().glob("a.zarr/checksum/c.*")) and time.monotonic() < end:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in err
    assert "Traceback" not in err
    assert call("runs", "verify", "a.zarr") == 0
    assert "of 100,000 runs" in capsys.readouterr().out


# ------------------------------------------------------------------------- forecast, report, score


def keys(name: str) -> set[str]:
    """Return the keys that the reference page documents for a command, from its headings."""
    page = Path(__file__).parents[1] / "docs" / "reference" / "json.md"
    part = page.read_text(encoding="utf-8").split(f"## `foedus {name} --json`")[1].split("\n## ")[0]
    table = part.split("\n\n|", 1)[1].split("\n\n")[0]
    return {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}


SMALL = ["--runs", "300", "--workers", "1", "--out", "a.zarr"]


@pytest.mark.usefixtures("with_runs")
def test_forecast_json_has_the_documented_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("forecast", "small.yaml", *SMALL, "--json") == 0
    captured = capsys.readouterr()
    data: dict[str, Any] = json.loads(captured.out)
    assert set(data) == keys("forecast")
    assert data["as_of"] == "2024-03-05"
    assert [a["id"] for a in data["answers"]] == ["landed", "arrests-end"]
    assert "Brief: a.html" in captured.err
    assert Path("a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.usefixtures("with_runs")
def test_forecast_prints_a_table_and_the_path_of_the_brief(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("forecast", "small.yaml", *SMALL, "--brief", "deep/b.html") == 0
    out = capsys.readouterr().out
    assert "Do allied troops land by 20 March?" in out
    assert "Brief: deep/b.html" in out
    first = Path("deep/b.html").read_bytes()
    plain = ("--no-explain", "--no-watch")
    assert call("report", "small.yaml", *SMALL, *plain, "--brief", "again.html") == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == "again.html"
    assert Path("again.html").read_bytes() == first


@pytest.mark.usefixtures("with_runs")
def test_report_writes_the_full_brief_as_page_and_pdf(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("report", "small.yaml", *SMALL, "--pairs", "4", "--pdf", "a.pdf") == 0
    assert capsys.readouterr().out.split() == ["a.html", "a.pdf"]
    page = Path("a.html").read_text(encoding="utf-8")
    for heading in ("What if one decision had been different?", "What to look for next"):
        assert heading in page
    assert Path("a.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.usefixtures("here")
def test_a_question_to_watch_must_be_one_of_the_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("report", "small.yaml", *SMALL, "--question", "none-such") == 2
    assert "question: one of landed, arrests-end (found 'none-such')" in capsys.readouterr().err
    assert not Path("a.zarr").exists()


@pytest.mark.usefixtures("with_runs")
def test_score_json_has_the_documented_keys(capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("small.yaml").read_text(encoding="utf-8")
    text = text.replace("# outcomes:\n#   -", "outcomes:\n  -")
    Path("small.yaml").write_text(text, encoding="utf-8")
    assert call("score", "small.yaml", *SMALL, "--json") == 0
    assert set(json.loads(capsys.readouterr().out)) == keys("score")
    assert call("score", "small.yaml", *SMALL) == 0
    assert "landed" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_a_time_of_day_reaches_table_brief_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("forecast", "small.yaml", *SMALL, "--as-of", "2024-03-05T09:00") == 0
    assert "as of 5 Mar 2024, 09:00" in capsys.readouterr().out
    page = Path("a.html").read_text(encoding="utf-8")
    assert "forecast as of 5 Mar 2024, 09:00" in page
    assert "--as-of 2024-03-05T09:00 " in page
    assert "own summary was written for 5 Mar 2024" in page


@pytest.mark.usefixtures("here")
def test_nothing_is_put_into_a_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_small("a.zarr") == 0
    before = sorted(Path("a.zarr").iterdir())
    assert run_small("a.zarr/b.zarr") == 2
    assert "a.zarr is a store" in capsys.readouterr().err
    assert call("report", "small.yaml", "--out", "b.zarr", "--brief", "a.zarr/b.html") == 2
    assert sorted(Path("a.zarr").iterdir()) == before


@pytest.mark.usefixtures("here")
def test_stores_whose_names_have_points_have_briefs_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("report", "small.yaml", "--runs", "5", "--workers", "1", "--out", "v1.2") == 0
    assert capsys.readouterr().out.strip() == "v1.2.html"


BARE: dict[str, dict[str, Any]] = {
    "no facts": {"facts": []},
    "no hypotheses": {"hypotheses": []},
    "no questions": {"questions": []},
    "no patrons": {"patrons": []},
    "everything off": {"mechanisms": dict.fromkeys(MECHANISMS, False)},
}


@pytest.mark.parametrize("what", BARE)
def test_a_bare_case_is_forecast_and_briefed(
    what: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = foedus.load_case("small.yaml").model_dump(mode="json", exclude_none=True)
    for name, value in BARE[what].items():
        (data["alliance"] if name in data["alliance"] else data)[name] = value
    (here / "bare.yaml").write_text(json.dumps(data), encoding="utf-8")
    words = ["bare.yaml", "--runs", "60", "--workers", "1", "--out", "bare.zarr"]
    assert call("forecast", *words) == 0
    assert "Traceback" not in capsys.readouterr().err
    assert call("forecast", *words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["case"] == "small"


def test_text_that_looks_like_markup_stays_text(
    with_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    title = "[red]Title[/red] <script>alert(1)</script> {{ 7 * 7 }}"
    text = (with_runs / "small.yaml").read_text(encoding="utf-8")
    text = text.replace("'A small case'", f"'{title}'")
    text = text.replace("text: Do allied troops", "text: '[bold]<b>Do</b> allied troops")
    text = text.replace("by 20 March?", "by 20 March?'")
    (with_runs / "small.yaml").write_text(text, encoding="utf-8")
    assert call("forecast", "small.yaml", *SMALL) == 0
    out = capsys.readouterr().out
    assert title in out
    assert "[bold]<b>Do</b> allied" in out
    page = Path("a.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>Do" not in page
    assert "[red]Title[/red] &lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page


# ------------------------------------------------------------------------------------ casebook


def test_casebook_lists_and_exports(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("casebook", "list", "--organisation", "CSTO", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["cases"]
    assert "KAZ2022" in [c["id"] for c in listed]
    assert call("casebook", "export", here / "c.csv") == 0
    assert (here / "c.csv").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ["show", "KAZ2022"],
        ["compare", "KAZ2022"],
        ["base-rate", "KAZ2022"],
        ["base-rate", "--trigger", "domestic_protest", "--organisation", "CSTO", "--year", "2022"],
    ],
    ids=" ".join,
)
def test_casebook_commands_speak_to_people_and_programs(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("casebook", *words) == 0
    assert "Kazakhstan" in capsys.readouterr().out or "--trigger" in words
    assert call("casebook", *words, "--json") == 0
    assert json.loads(capsys.readouterr().out)


def test_warm_compiles(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("warm") == 0
    assert "ready after" in capsys.readouterr().out


def test_python_dash_m_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "foedus", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    assert done.stdout.strip() == foedus.__version__


@pytest.mark.usefixtures("here")
def test_the_outside_view_of_a_case_file_leaves_its_own_row_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("casebook", "base-rate", FLAGSHIP, "--as-of", "2022-01-05", "--json") == 0
    text = capsys.readouterr().out
    assert json.loads(text)
    assert "known before 2022-01-05, without KAZ 2022" in text
    assert "KAZ2022" not in text
    assert call("casebook", "base-rate", FLAGSHIP, "--as-of", "2022-01-07") == 0
    assert "formal request" in capsys.readouterr().out
