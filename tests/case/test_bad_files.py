"""Malformed case files: each problem names file, line, field, what was found and what is right."""

from __future__ import annotations

import pytest

from foedus.case import load_text
from foedus.errors import InputError

# Each row: what to replace in the minimal case, the replacement, the text whose line is named, the
# field, and a piece of the message.
BAD = [
    # -- shape and spelling of fields
    ("horizon: 20", "horizn: 20", "horizn", "horizn", "did you mean 'horizon'"),
    ("horizon: 20\n", "", "foedus: 1", "horizon", "'horizon' is missing"),
    ("    population: 100000\n", "", "north:", "places.north.population", "is missing"),
    ("population: 100000", "populatoin: 1", "populatoin", "places.north.populatoin", "population"),
    ("population: 100000", "population: -5", "-5", "places.north.population", "more than 0"),
    ("population: 100000", "population: 1.5", "1.5", "places.north.population", "whole number"),
    ("population: 100000", "population: true", "tion: true", "places.north.population", "whole"),
    ("population: 100000", 'population: "9"', '"9"', "places.north.population", "whole number"),
    ("lat: 50.0", "lat: 95", "lat: 95", "places.north.lat", "at most 90"),
    ("lat: 50.0", "lat: .nan", ".nan", "places.north.lat", "finite"),
    ("foedus: 1", "foedus: 2", "foedus: 2", "foedus", "one of 1"),
    ("id: small", "id: small case", "small case", "id", "short name"),
    ("title: A small case", "title: 7", "title: 7", "title", "text; put it in quotes"),
    ("rule: unanimity", "rule: unanimty", "unanimty", "alliance.rule", "did you mean 'unanimity'"),
    ("[leader]", "[leeder]", "leeder", "actors.chief.roles.0", "did you mean 'leader'"),
    ("  agency: {name: An agency}", "  - agency", "- agency", "sources", "a mapping"),
    ("rating: A1", "rating: G1", "rating: G1", "facts.1.rating", "Admiralty"),
    ("value: about 500", "value: heaps", "heaps", "facts.0.value", "at least 13"),
    ("value: about 500", "value: 20..10", "20..10", "facts.0.value", "10..20"),
    ("value: about 500", "value: [1]", "[1]", "facts.0.value", "a value is"),
    ("dist: uniform", "dist: unifrom", "unifrom", "triggers.0.loss", "did you mean 'uniform'"),
    ("dist: uniform, ", "", "loss:", "triggers.0.loss", "a prior with 'dist'"),
    ("low: 0.1", "low: 0.9", "low: 0.9", "triggers.0.loss", "low must be below high"),
    ("low: 0.1, ", "", "loss:", "triggers.0.loss.low", "is missing"),
    ("high: 0.4", "hihg: 0.4", "hihg", "triggers.0.loss.hihg", "did you mean 'high'"),
    ("mechanisms: {outside: false}", "mechanisms: {outside: off}", ": off", "mechanisms.outside",
     "true or false"),
    # -- dates
    ("start: 2022-01-02", "start: 2022-02-30", "02-30", "start", "a date such as"),
    ("start: 2022-01-02", "start: 2 January", "2 January", "start", "a date such as"),
    ("start: 2022-01-02", "start: 20220102", "20220102", "start", "a date such as"),
    ("about: 2022-01-03", "about: 2022-01-03T25:00", "T25", "facts.0.about", "date and time"),
    ("known_from: 2022-01-06", "known_from: 2022-01-04", "from: 2022-01-04\n",
     "facts.1.known_from", "not before the fact itself"),
    ("about: 2022-01-03", "about: 2021-12-31", "2021-12-31", "facts.0.about", "2022-01-02 to"),
    ("about: 2022-01-03", "about: 2023-01-03", "2023-01-03", "facts.0.about", "2022-01-21"),
    ("as_of: 2022-01-07", "as_of: 2022-03-01", "2022-03-01", "as_of", "a date of the case"),
    ("as_of: 2022-01-07", "as_of: 2022-01-07T25:00", "T25:00", "as_of", "date and time"),
    ("as_of: 2022-01-07", "as_of: 2022-01-01T23:00", "T23:00", "as_of", "a date of the case"),
    ("date: 2022-01-02", "date: 2022-06-02", "2022-06-02", "triggers.0.date", "a date of the case"),
    ("{date: 2022-01-10,", "{date: 2022-09-10,", "09-10", "calendar.0.date", "a date of the case"),
    ("known_from: 2021-12-28", "known_from: 2022-01-11", "01-11", "calendar.0.known_from",
     "on or before"),
    ("by_date: 2022-01-14", "by_date: 2022-02-14", "02-14", "questions.0.ask.by_date",
     "a date of the case"),
    ("by_date: 2022-01-14", "from_date: 2022-01-15, by_date: 2022-01-14", "from_date",
     "questions.0.ask.by_date", "not before from_date"),
    # -- what became known later
    ("pool: 100}", "pool: 100, updates: [{known_from: 2022-01-05, pol: 3}]}", "pol: 3",
     "alliance.members.1.updates.0.pol", "did you mean 'pool'"),
    ("pool: 100}", "pool: 100, updates: [{pool: 3}]}", "pool: 3}",
     "alliance.members.1.updates.0.known_from", "is missing"),
    ("pool: 100}", "pool: 100, updates: [{known_from: 2022-01-05}]}", "updates",
     "alliance.members.1.updates.0", "a field that changed: lat, lon, pool"),
    ("pool: 100}", "pool: 100, updates: [{known_from: 2022-01-01, pool: 3}]}", "updates",
     "alliance.members.1.updates.0.known_from", "a date of the case"),
    ("pool: 100}", "pool: 100, updates: [{known_from: 2022-01-05, pool: 3, source: agnecy}]}",
     "updates", "alliance.members.1.updates.0.source", "did you mean 'agency'"),
    ("  members:", "  updates: [{known_from: 2022-01-05, announced_pool: -1}]\n  members:", "-1}",
     "alliance.updates.0.announced_pool", "at least 0"),
    # -- references
    ("place: north\n    date", "place: nroth\n    date", "nroth", "triggers.0.place",
     "did you mean 'north'"),
    ("place: north\n    value", "place: west\n    value", "west", "facts.0.place",
     "one of the places: north, south"),
    ("source: agency\n    rating: B2", "source: agncy\n    rating: B2", "agncy", "facts.0.source",
     "did you mean 'agency'"),
    ("speaker: chief", "speaker: cheif", "cheif", "facts.1.speaker", "did you mean 'chief'"),
    ("actor: tiny,", "actor: tinny,", "tinny", "alliance.members.1.actor", "did you mean 'tiny'"),
    ("lead: big", "lead: chief", "lead: chief", "alliance.lead", "a member of the alliance"),
    ("requester: home", "requester: big", "requester", "alliance.requester", "other than the lead"),
    ("part_of: home", "part_of: chief", "part_of", "actors.chief.part_of", "part of itself"),
    ("{question: landed,", "{question: lnded,", "lnded", "outcomes.0.question", "did you mean"),
    ("statistic: happens, by", "member: mars, statistic: happens, by", "mars",
     "questions.0.ask.member", "a member of the alliance"),
    # -- words
    ("quantity: crowd", "quantity: crowds", "crowds", "facts.0.quantity", "did you mean 'crowd'"),
    ("quantity: request", "quantity: request\n    place: south", "place: south",
     "facts.1.place", "no place"),
    ("mechanisms: {outside: false}", "mechanisms: {outsid: false}", "outsid",
     "mechanisms.outsid", "did you mean 'outside'"),
    ("streets.vision", "street.vision", "street.vision", "priors.street.vision",
     "did you mean 'streets'"),
    # -- values and questions that make no sense
    ("    value: about 500\n", "", "- id: crowd-3", "facts.0.value", "because there is a quantity"),
    ("value: true\n    source", "value: 3\n    source", "value: 3", "facts.1.value", "true or"),
    ("value: about 500", "value: true", "value: true", "facts.0.value", "a number of people"),
    ("value: about 500", "value: -2", "value: -2", "facts.0.value", "zero or more"),
    (
        "quantity: crowd\n    place: north\n    value: about 500",
        "quantity: mandate\n    value: 0",
        "value: 0",
        "facts.0.value",
        "more than 0 days",
    ),
    ("kind: binary", "kind: number", "kind: number", "questions.0.kind", "binary"),
    ("statistic: first_day", "statistic: max", "statistic: max", "questions.2.ask.statistic",
     "happens or first_day"),
    ("kind: number", "kind: binary", "deaths_total", "questions.1.ask", "at_least or at_most"),
    ("value: 225", "value: true", "question: deaths", "outcomes.1.value", "a number"),
    ("value: null", "value: soon", "soon", "outcomes.2.value", "a date such as"),
    ("known_from: 2022-01-10, source", "known_from: 2022-01-07, source", "question: landed",
     "outcomes.0.known_from", "later than the case's as_of"),
    # -- the same thing twice
    ("id: request\n", "id: crowd-3\n", "id: crowd-3\n    about: 2022-01-05", "facts.1.id",
     "already exists"),
    ("id: deaths", "id: landed", "id: landed\n    text: How", "questions.1.id", "already exists"),
    ("horizon: 20", "horizon: 20\nhorizon: 21", "horizon: 21", "horizon", "each key once"),
    ("actor: tiny,", "actor: big,", "pool: 100", "alliance.members.1.actor", "already exists"),
]  # fmt: skip


def problems(text: str, name: str = "file.yaml"):
    with pytest.raises(InputError) as caught:
        load_text(text, name)
    return caught.value.problems


@pytest.mark.parametrize(("old", "new", "needle", "field", "message"), BAD)
def test_each_problem_is_pointed_out(minimal, old, new, needle, field, message):
    assert minimal.count(old) >= 1
    text = minimal.replace(old, new, 1)
    line = text[: text.index(needle)].count("\n") + 1
    found = problems(text)
    about = [p for p in found if p.field == field]
    assert about, [str(p) for p in found]
    problem = about[0]
    assert problem.file == "file.yaml"
    assert problem.line == line, str(problem)
    assert problem.column is not None
    assert problem.column >= 1
    assert message in problem.expected, str(problem)
    assert problem.found
    assert str(problem).startswith(f"file.yaml:{line}:{problem.column}: {field}:")


def test_the_minimal_case_is_fine(minimal):
    assert load_text(minimal).id == "small"


def test_all_problems_come_at_once_and_in_order(minimal):
    text = minimal.replace("horizon: 20", "horizn: 20").replace("lat: 50.0", "lat: 99")
    text = text.replace("quantity: crowd", "quantity: crwod").replace(
        "speaker: chief", "speaker: x"
    )
    found = problems(text)
    assert {p.field for p in found} >= {
        "horizn", "horizon", "places.north.lat", "facts.0.quantity", "facts.1.speaker",
    }  # fmt: skip
    assert [p.line for p in found] == sorted(p.line for p in found)


def test_one_problem_for_one_fault(minimal):
    for old, new in (("rating: A1", "rating: Z9"), ("value: about 500", "value: heaps")):
        assert len(problems(minimal.replace(old, new))) == 1


def test_an_unknown_field_without_a_near_one_lists_the_fields(minimal):
    (problem,) = problems(minimal.replace("    lat: 50.0", "    lat: 50.0\n    zzz: 1"))
    assert "the fields are name, lat, lon" in problem.expected


def test_longer_cycles_are_found_once(minimal):
    text = minimal.replace("roles: [government, member]}", "roles: [member], part_of: chief}")
    (problem,) = problems(text)
    assert problem.found == "home → chief → home"


def test_norway_is_a_text(minimal):
    case = load_text(minimal.replace("foedus: 1", "foedus: 1\nrequester_iso3: NO"))
    assert case.requester_iso3 == "NO"
    text = minimal.replace("tiny", "no").replace("name: Tiny", "name: NO")
    assert "no" in load_text(text).actors


def test_keys_must_be_words(minimal):
    found = problems(minimal.replace("  agency: {name", "  7: {name"))
    assert any("a key is a word" in p.expected for p in found)


def test_a_list_of_wrong_items_is_not_also_called_too_short(minimal):
    prior = "\npriors:\n  streets.reading: {dist: choice, options: [1, raw], source: elicited}\n"
    (problem,) = problems(minimal.replace("\npriors:\n", prior))
    assert problem.field == "priors.streets.reading.options.0"
    assert "in quotes" in problem.expected
