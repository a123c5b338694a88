"""A change in the form changes the text in one place and nowhere else."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.case.load import load_text, shipped_text
from foedus.case.yamledit import Edit, apply
from foedus.case.yamlfile import parse
from foedus.errors import InputError

FLAGSHIP = shipped_text("kazakhstan-2022")
TEXT = """\
# Head.
title: A title      # said of the title
summary: >-
  Folded text
  of two lines.

# Before the list.
sources:
  # Of the first.
  one: {name: One, address: "https://example.org"}   # behind one
  two:
    name: Two
    published: 2022-01-05

# Before the facts.
facts:
  - id: a
    value: about 3
    text: First.   # behind text

  # Of the second.
  - id: b
    when: 2022-01-05T08:00
    rating: B2
  - {id: c, roles: [x, y]}

# Before the end.
empty: []
nothing:
end: 1
"""


def data(text):
    found, _, problems = parse(text, "t")
    assert problems == []
    return found


def changed_lines(before, after):
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0))
    return [f"{line[0]} {line[1:]}" for line in lines[2:] if line[0] in "+-"]


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (
            Edit("set", ("title",), "Other: title"),
            [
                "- title: A title      # said of the title",
                "+ title: 'Other: title'      # said of the title",
            ],
        ),
        (
            Edit("set", ("summary",), "Short."),
            ["- summary: >-", "-   Folded text", "-   of two lines.", "+ summary: Short."],
        ),
        (
            Edit("set", ("sources", "one", "name"), "A, b: c"),
            [
                '-   one: {name: One, address: "https://example.org"}   # behind one',
                "+   one: {name: 'A, b: c', address: \"https://example.org\"}   # behind one",
            ],
        ),
        (
            Edit("set", ("sources", "one", "published"), "2022-01-06"),
            [
                '-   one: {name: One, address: "https://example.org"}   # behind one',
                '+   one: {name: One, address: "https://example.org", published: 2022-01-06}'
                "   # behind one",
            ],
        ),
        (
            Edit("set", ("sources", "two", "address"), "https://example.org/2"),
            ["+     address: https://example.org/2"],
        ),
        (
            Edit("set", ("sources", "three"), {"name": "Three"}),
            ["+   three:", "+     name: Three"],
        ),
        (Edit("set", ("nothing",), 7), ["- nothing:", "+ nothing: 7"]),
        (Edit("set", ("facts", 0, "value"), 13), ["-     value: about 3", "+     value: 13"]),
        (
            Edit("set", ("facts", 0, "text"), "13"),
            ["-     text: First.   # behind text", "+     text: '13'   # behind text"],
        ),
        (
            Edit("append", ("facts",), {"id": "d", "tags": ["x"]}),
            ["+   - id: d", "+     tags: [x]"],
        ),
        (Edit("append", ("empty",), {"id": "d"}), ["- empty: []", "+ empty:", "+   - id: d"]),
        (
            Edit("append", ("facts", 2, "roles"), "z"),
            ["-   - {id: c, roles: [x, y]}", "+   - {id: c, roles: [x, y, z]}"],
        ),
        (
            Edit("remove", ("sources", "two")),
            ["-   two:", "-     name: Two", "-     published: 2022-01-05"],
        ),
        (
            Edit("remove", ("facts", 1)),
            ["-   - id: b", "-     when: 2022-01-05T08:00", "-     rating: B2"],
        ),
        (
            Edit("remove", ("facts", 1, "id")),
            ["-   - id: b", "-     when: 2022-01-05T08:00", "+   - when: 2022-01-05T08:00"],
        ),
        (
            Edit("remove", ("facts", 2, "id")),
            ["-   - {id: c, roles: [x, y]}", "+   - {roles: [x, y]}"],
        ),
        (
            Edit("set", ("facts", 2, "roles"), []),
            ["-   - {id: c, roles: [x, y]}", "+   - {id: c, roles: []}"],
        ),
        (Edit("rename", ("sources", "two"), "zwei"), ["-   two:", "+   zwei:"]),
        (Edit("remove", ("end",)), ["- end: 1"]),
    ],
)
def test_only_the_lines_of_the_change_differ(edit, lines):
    assert sorted(changed_lines(TEXT, apply(TEXT, [edit]))) == sorted(lines)


def test_a_long_text_is_folded_and_says_the_same():
    text = " ".join(f"word{i}" for i in range(60))
    after = apply(TEXT, [Edit("set", ("facts", 1, "text"), text)])
    assert data(after)["facts"][1]["text"] == text
    assert max(map(len, after.splitlines())) <= 100
    again = apply(after, [Edit("set", ("facts", 1, "text"), "Short.")])
    assert apply(TEXT, [Edit("set", ("facts", 1, "text"), "Short.")]) == again


def test_what_a_field_stands_in_is_made():
    after = apply(TEXT, [Edit("set", ("ties", "border_km"), 5), Edit("append", ("calendar",), {})])
    assert data(after)["ties"] == {"border_km": 5}
    assert data(after)["calendar"] == [{}]
    after = apply(
        after, [Edit("set", ("nothing", "a", "b"), "c"), Edit("append", ("nothing", "d"), 1)]
    )
    assert data(after)["nothing"] == {"a": {"b": "c"}, "d": [1]}


def test_removing_what_is_not_there_changes_nothing():
    assert apply(TEXT, [Edit("remove", ("sources", "none", "name"))]) == TEXT


def test_removing_everything_leaves_an_empty_list():
    after = apply(TEXT, [Edit("remove", ("facts", 0))] * 3)
    assert data(after)["facts"] == []
    assert "# Before the end." in after


@pytest.mark.parametrize(
    "edit",
    [
        Edit("set", ("title", "x"), 1),
        Edit("rename", ("nowhere",), "x"),
        Edit("set", ("facts", 9), 1),
        Edit("set", ("facts", "id"), 1),
        Edit("append", ("title",), 1),
        Edit("rename", ("sources", "one"), "two"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(edit):
    with pytest.raises(InputError):
        apply(TEXT, [edit])


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "a: &x 1\n", "a: !!python/name:os 1\n"])
def test_a_text_that_cannot_be_read_is_not_edited(text):
    with pytest.raises(InputError):
        apply(text, [Edit("set", ("a",), 1)])


def values(found, at=()):
    """Yield every value, and the path to it."""
    items = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in items:
        yield (*at, key), value
        if isinstance(value, dict | list):
            yield from values(value, (*at, key))


def test_every_scalar_of_the_flagship_can_be_set_on_its_own_line():
    parts = {name: data(FLAGSHIP)[name] for name in ("places", "actors", "alliance")}
    scalars = [path for path, value in values(parts) if not isinstance(value, dict | list)]
    for path in scalars[::20]:
        after = apply(FLAGSHIP, [Edit("set", path, "x: #y")])
        changed = changed_lines(FLAGSHIP, after)
        assert [line[0] for line in changed].count("+") == 1
        assert "x: #y" in next(line for line in changed if line[0] == "+")
        assert after.count("#") == FLAGSHIP.count("#") + 1, "no comment is lost"


def test_facts_of_the_flagship_come_and_go_and_leave_it_as_it_was():
    fact = {"id": "new-one", "about": "2022-01-05", "text": "Somebody says: this."}
    grown = apply(FLAGSHIP, [Edit("append", ("facts",), fact)])
    assert data(grown)["facts"][-1] == fact
    last = len(data(grown)["facts"]) - 1
    assert apply(grown, [Edit("remove", ("facts", last))]) == FLAGSHIP
    assert load_text(FLAGSHIP).id == "kazakhstan-2022"


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=120)
VALUES = st.one_of(WORDS, st.integers(-10, 10**6), st.booleans(), st.none(), st.floats(-5, 5))


@settings(max_examples=60, deadline=None)
@given(st.data(), VALUES, st.sampled_from(["set", "remove", "append"]))
def test_whatever_is_written_is_read_again(choose, value, op):
    path = choose.draw(st.sampled_from([path for path, _ in values(data(TEXT))]))
    if op == "append":
        path = choose.draw(st.sampled_from([("facts",), ("empty",), ("facts", 2, "roles")]))
    after = apply(TEXT, [Edit(op, path, value)])
    found = data(after)
    if op == "set":
        for part in path:
            found = found[part]
        assert found == value
        assert type(found) is type(value)
    elif op == "append":
        assert repr(found[path[0]] if len(path) == 1 else found["facts"][2]["roles"])[:-1].endswith(
            repr(value)
        )


@pytest.mark.parametrize(
    "value",
    ["NO", "null", "~", "1_000", "0x1f", "1e3", ".5", "2022-01-05", "- a", "? b", "a # b", "",
     "'", '"', "{", "[a", "a: b", "*x", "&x", "!x", "%x", "@x", "`x", "|", ">", " lead", "yes",
     "trail "]
)  # fmt: skip
@pytest.mark.parametrize("path", [("title",), ("sources", "one", "name"), ("facts", 1, "rating")])
def test_a_text_stays_a_text(value, path):
    found = data(apply(TEXT, [Edit("set", path, value)]))
    for part in path:
        found = found[part]
    assert found == value
    assert isinstance(found, str)
