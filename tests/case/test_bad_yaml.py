"""Problems of the text or the file itself, before it is a case."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foedus.case import check, load_case, load_text
from foedus.errors import InputError

BOMB = """\
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
"""

TEXTS = [
    ("", 1, "a mapping", "an empty file"),
    ("# only a note\n", 1, "a mapping", "an empty file"),
    ("- a\n- b\n", 1, "a mapping", "a list"),
    ("just words", 1, "a mapping", "'just words'"),
    ("a: [1, 2\nb: 3\n", 2, "reads as YAML", ""),
    ("a: b: c\n", 1, "reads as YAML", "mapping values"),
    ("a:\n\t- b\n", 2, "reads as YAML", ""),
    ("a: 'x\n", 2, "reads as YAML", ""),
    (BOMB, 1, "no anchors or aliases", "anchor &a"),
    ("a: *b\n", 1, "no anchors or aliases", "alias *b"),
    ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "without tags", "tag"),
    ("a: !!str 7\n", 1, "without tags", "tag"),
    ("a: !mine 7\n", 1, "without tags", "tag"),
    ("a: 1\n---\nb: 2\n", 2, "one case per file", "a second document"),
    ("? [a, b]\n: 1\n", 1, "keys that are plain words", "as a key"),
    ("a: " + "[" * 50 + "]" * 50, 1, "less nesting", "levels"),
    ("a: 1\nb: x\x00y\n", 2, "printable characters", ""),
    ('a: "\\ud800"\n', 1, "whole characters", "surrogate"),
    ('a: 1\nb: "\\e[31mred"\n', 2, "without control characters", "the control character U+001B"),
    ('"\\x9b31m": 1\n', 1, "without control characters", "the control character U+009B"),
    ("a: safe \u202e exe\n", 1, "without control characters", "the control character U+202E"),
    ("a: 1\na: 2\n", 2, "each key once; first on line 1", "twice"),
]


@pytest.mark.parametrize(("text", "line", "expected", "found"), TEXTS)
def test_bad_text(text, line, expected, found):
    with pytest.raises(InputError) as caught:
        load_text(text, "bad.yaml")
    problem = next(p for p in caught.value.problems if expected in p.expected)
    assert problem.file == "bad.yaml"
    assert problem.line == line
    assert found in problem.found


def error(path) -> str:
    with pytest.raises(InputError) as caught:
        load_case(path)
    (problem,) = caught.value.problems
    assert problem.file == str(path)
    return str(problem)


def test_a_file_of_50_megabytes_is_refused_at_once(tmp_path):
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    assert "at most 2,000,000 bytes (found 50,000,000 bytes)" in error(path)


def test_a_file_that_is_not_utf8_names_the_line(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("foedus: 1\ntitle: Müll\n".encode("latin-1"))
    assert f"{path}:2: a case file is UTF-8 text" in error(path)
    path.write_bytes("foedus: 1\n".encode("utf-16"))
    assert "UTF-8" in error(path)


def test_a_byte_order_mark_is_no_trouble(tmp_path, minimal):
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + minimal.encode())
    assert load_case(path).id == "small"


def test_files_that_can_not_be_read(tmp_path):
    assert "no such file" in error(tmp_path / "none.yaml")
    assert "a folder" in error(tmp_path)
    fifo = tmp_path / "pipe.yaml"
    os.mkfifo(fifo)
    assert "a special file" in error(fifo)


def test_an_unknown_name_lists_the_shipped_cases():
    message = error("kazakstan-2022")
    assert "did you mean 'kazakhstan-2022'" in message
    assert "no such case" in error("a\x00b")


def test_many_duplicates_end_somewhere():
    with pytest.raises(InputError) as caught:
        load_text("a: 1\n" * 500)
    assert len(caught.value.problems) == 100


def test_a_flood_of_problems_is_cut_and_counted():
    with pytest.raises(InputError) as caught:
        load_text("".join(f"key{i}: {i}\n" for i in range(1000)))
    assert len(caught.value.problems) == 201
    assert caught.value.problems[-1].found == "812 more problems"


def test_too_many_values_are_refused():
    with pytest.raises(InputError, match=r"a smaller file \(found over 50,000 values\)"):
        load_text("a: [" + "1," * 50_000 + "]")


FRAGMENTS = st.sampled_from(
    ["[", "]", "{", "}", ":", "- ", "\n", "  ", "'", '"', "#", "&a", "*a", "!t ", "|", ">", "%",
     "? ", "null", "true", "-1", "1e999", ".inf", "2022-02-30", "\t", "\x00", "é", "\ud7ff",
     "9" * 400, "<<", "---\n", "...\n", "@", "`", ",", "~", "0x1F", "0o17"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_text_raises_nothing_but_input_errors(minimal, data):
    text = minimal
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        width = data.draw(st.integers(0, 30))
        text = text[:at] + data.draw(FRAGMENTS) + text[at + width :]
    with contextlib.suppress(InputError):
        check(load_text(text))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_anywhere_raises_nothing_but_input_errors(minimal, data):
    """Swap the values of lines, so that every field meets values of every kind."""
    lines = minimal.splitlines()
    values = [line.split(": ", 1)[1] for line in lines if ": " in line]
    values += ["[]", "{}", "null", "1.5", "-3", "[1, {a: b}]", "'2022-01-05'", "0001-01-01",
               "9999-12-31", "9999-12-31T23:59+00:00", "0001-01-01T00:00+14:00", "9" * 300,
               "2022-01-03T10:00+00:00", "1.0e+300", "0x1F"]  # fmt: skip
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key, colon, _rest = lines[at].partition(": ")
        if colon:
            lines[at] = f"{key}: {data.draw(st.sampled_from(values))}"
    with contextlib.suppress(InputError):
        check(load_text("\n".join(lines)))


@given(st.text(max_size=300))
@settings(deadline=None)
def test_random_text_raises_nothing_but_input_errors(text):
    with pytest.raises(InputError):
        load_text(text)
