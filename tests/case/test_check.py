from __future__ import annotations

import json
import re

import pytest

from foedus.case import as_of, case_hash, check, json_schema, load_case, load_text, new_case
from foedus.case.models import Case
from foedus.case.vocabulary import MECHANISMS, QUANTITIES
from foedus.errors import InputError


# ---- check
def test_report_of_the_minimal_case(minimal):
    report = check(load_text(minimal, "small.yaml"), "2022-01-05")
    data = report.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert list(data) == [
        "ok", "case", "title", "file", "as_of", "counts", "hidden", "contradictions",
        "warnings", "hash",
    ]  # fmt: skip
    assert data["file"] == "small.yaml"
    assert data["counts"]["facts"] == 2
    assert data["hidden"]["facts"] == [
        {"id": "request", "known_from": "2022-01-06", "text": "Help is asked for."}
    ]
    assert data["hidden"]["outcomes"] == 3
    assert "request, known from 2022-01-06: Help is asked for." in str(report)
    assert "As of 2022-01-05" in str(report)


def extra_fact(minimal: str, about: str, value: str, quantity: str = "crowd") -> str:
    fact = f"""\
  - id: other
    about: {about}
    known_from: 2022-01-06
    quantity: {quantity}
    place: north
    value: {value}
    source: agency
    rating: C3
    text: Another report.
priors:
"""
    return minimal.replace("priors:\n", fact).replace("quantity: crowd", f"quantity: {quantity}", 1)


@pytest.mark.parametrize(
    ("about", "value", "quantity", "kind"),
    [
        ("2022-01-03", "2000", "crowd", "same_day"),
        ("2022-01-03", "at least 450", "crowd", None),
        ("2022-01-04", "3", "crowd", None),
        ("2022-01-04", "3", "arrests", "falls"),
        ("2022-01-04", "3000", "arrests", None),
        ("2022-01-03T12:00", "100", "crowd", "same_day"),
    ],
)
def test_contradictions(minimal, about, value, quantity, kind):
    text = extra_fact(minimal, about, value, quantity)
    report = check(load_text(text))
    assert [c.kind for c in report.contradictions] == ([kind] if kind else [])
    lines = [n for n, row in enumerate(text.splitlines(), 1) if row.startswith("  - id: ")]
    for c in report.contradictions:
        assert c.lines == (lines[0], lines[2])
        assert f"  lines {lines[0]} and {lines[2]}: {quantity} in north" in str(report)
        assert c.facts == ("crowd-3", "other")
        assert c.values == ("about 500", value)
        assert f"{quantity} in north" in str(report)


def test_two_clock_times_of_a_day_do_not_contradict(minimal):
    text = extra_fact(minimal, "2022-01-03T18:00", "2000")
    text = text.replace("about: 2022-01-03\n", "about: 2022-01-03T09:00\n")
    assert check(load_text(text)).contradictions == ()


def test_undated_values_from_a_later_source_are_listed(minimal):
    text = minimal.replace("{name: An agency}", "{name: An agency, published: 2022-01-08}")
    text = text.replace("pool: 100}", "pool: 100, source: agency}")
    warnings = check(load_text(text)).warnings
    assert warnings == (
        "line 30, alliance.members.1: from agency, published on 2022-01-08, after the as-of date "
        "2022-01-07; if it was not known by then, date it with 'updates' or 'known_from'",
    )
    assert check(load_text(text), "2022-01-08").warnings == ()


def test_warnings(minimal):
    text = minimal.replace("date: 2022-01-02\n", "date: 2022-01-09\n")
    text = "\n".join(line for line in text.splitlines() if "question: deaths" not in line)
    text = text.replace("    quantity: crowd\n    place: north\n    value: about 500\n", "")
    warnings = check(load_text(text), "2022-01-05").warnings
    assert len(warnings) == 3
    assert "trigger in north on 2022-01-09" in warnings[0]
    assert re.fullmatch(r"line \d+, questions.1: no outcome of question deaths", warnings[1])
    assert "no fact with a quantity" in warnings[2]


def test_check_reads_names_and_refuses_bad_dates():
    assert check("kazakhstan-2022").to_dict()["ok"] is True
    with pytest.raises(InputError, match="2022-01-02 to 2022-02-05"):
        check("kazakhstan-2022", "2021-01-01")


# ---- hash
def test_the_world_does_not_see_facts_questions_or_outcomes(minimal):
    case = load_text(minimal)
    base = case_hash(case)
    other = case_hash(load_text(minimal.replace("value: about 500", "value: 9")))
    assert (other.world == base.world, other.all == base.all) == (True, False)
    for name in ("facts", "questions", "outcomes"):
        assert case_hash(case.model_copy(update={name: ()})).world == base.world
    assert case_hash(as_of(case, "2022-01-06")).world == base.world


def test_what_the_world_sees_changes_its_hash(minimal):
    base = case_hash(load_text(minimal)).world
    for old, new in (
        ("population: 100000", "population: 100001"),
        ("high: 0.4", "high: 0.5"),
        ("outside: false", "outside: true"),
        ("horizon: 20", "horizon: 21"),
        ("pool: 100}", "pool: 101}"),
    ):
        assert case_hash(load_text(minimal.replace(old, new))).world != base


def test_spelling_does_not_matter(minimal):
    other = "# a note\n" + minimal.replace("lat: 50.0", "lat: 5.0e1").replace(
        "about 500", "About 500"
    )
    assert case_hash(load_text(other)) == case_hash(load_text(minimal))


# ---- schema
def objects(node):
    if isinstance(node, dict):
        if "properties" in node:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def test_the_schema_is_plain_json_and_the_same_each_time():
    assert json.dumps(json_schema()) == json.dumps(json_schema())
    assert json_schema()["$schema"].startswith("https://json-schema.org/")


def test_every_object_refuses_unknown_fields():
    for node in objects(json_schema()):
        assert node["additionalProperties"] is False


def test_every_field_of_the_case_is_described():
    schema = json_schema()
    for name, model in {"Case": schema, **schema["$defs"]}.items():
        if name in {"Fixed", "Normal", "LogNormal", "Uniform", "Beta", "Gamma", "Choice"}:
            continue  # the parameters of a distribution are its textbook's
        for field, node in model.get("properties", {}).items():
            referred = schema["$defs"].get(node.get("$ref", "").rpartition("/")[2], {})
            assert node.get("description") or referred.get("description"), f"{name}.{field}"
    assert set(schema["required"]) <= set(schema["properties"]) == set(Case.model_fields)


def test_editors_can_complete_the_words():
    defs = json_schema()["$defs"]
    text = json.dumps(defs["Fact"]["properties"]["quantity"])
    assert all(f'"{name}"' in text for name in QUANTITIES)
    text = json.dumps(json_schema()["properties"]["mechanisms"])
    assert all(f'"{name}"' in text for name in MECHANISMS)


def fits(value, node, root) -> bool:
    """Check a value against the keywords that the schema uses; a small stand-in for a library."""
    if "$ref" in node:
        return fits(value, root["$defs"][node["$ref"].rpartition("/")[2]], root)
    branches = node.get("anyOf") or node.get("oneOf")
    if branches is not None:
        return any(fits(value, branch, root) for branch in branches)
    types = {
        "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
        "number": int | float, "null": type(None),
    }  # fmt: skip
    kind = node.get("type")
    if kind is not None and not isinstance(value, types[kind]):
        return False
    if isinstance(value, bool) and kind in ("integer", "number"):
        return False
    if "const" in node and value != node["const"]:
        return False
    if "enum" in node and value not in node["enum"]:
        return False
    if isinstance(value, dict):
        known, patterns = node.get("properties", {}), node.get("patternProperties", {})
        other = node.get("additionalProperties", True)
        for key, item in value.items():
            nodes = [known[key]] if key in known else []
            nodes += [n for pattern, n in patterns.items() if re.search(pattern, key)]
            if not nodes and other is False:
                return False
            if not nodes and isinstance(other, dict):
                nodes = [other]
            if not all(fits(item, n, root) for n in nodes):
                return False
        return set(node.get("required", [])) <= set(value)
    if isinstance(value, list):
        return all(fits(item, node.get("items", {}), root) for item in value)
    if isinstance(value, str):
        return re.search(node.get("pattern", ""), value) is not None
    if isinstance(value, int | float):
        return bool(node.get("minimum", value) <= value <= node.get("maximum", value))
    return True


def test_the_flagship_fits_the_schema_and_faults_do_not():
    schema = json_schema()
    data = json.loads(load_case("kazakhstan-2022").model_dump_json(exclude_none=True))
    assert fits(data, schema, schema)
    for path, wrong in (
        (("horizon",), "long"),
        (("facts", 0, "rating"), "G1"),
        (("facts", 8, "quantity"), "crowds"),
        (("facts", 5, "value"), "heaps"),
        (("places", "almaty", "height"), 3),
        (("mechanisms",), {"street": True}),
        (("triggers", 0, "loss"), {"dist": "beat", "mean": 0.1, "n": 2}),
    ):
        broken = json.loads(json.dumps(data))
        at = broken
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = wrong
        assert not fits(broken, schema, schema), path


def test_the_flagship_fits_the_schema_by_a_library():
    import jsonschema  # type: ignore[import-untyped]

    data = json.loads(load_case("kazakhstan-2022").model_dump_json(exclude_none=True))
    jsonschema.validate(data, json_schema())


# ---- new
def test_a_new_case_passes_the_check(tmp_path):
    path = new_case(tmp_path / "my-crisis.yaml", title="What's new: a 'test'")
    report = check(path)
    assert report.case == "my-crisis"
    assert report.title == "What's new: a 'test'"
    assert report.warnings == ()
    assert report.contradictions == ()
    assert load_case(path).places["port"].lattice == 20


@pytest.mark.parametrize(
    ("name", "expected"), [("2024.yaml", "case-2024"), ("Große Krise!.yml", "gro-e-krise")]
)
def test_ids_of_odd_file_names(tmp_path, name, expected):
    assert load_case(new_case(tmp_path / name)).id == expected


def test_nothing_is_overwritten_or_half_written(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("precious")
    with pytest.raises(InputError, match="does not overwrite files"):
        new_case(path)
    assert path.read_text() == "precious"
    for bad in (tmp_path / "none" / "x.yaml", tmp_path / "x.txt", tmp_path / "a\0.yaml"):
        with pytest.raises(InputError):
            new_case(bad)
    with pytest.raises(InputError, match="4,000 characters"):
        new_case(tmp_path / "long.yaml", title="x" * 5000)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.yaml"]
