"""The functions behind ``foedus casebook``."""

from __future__ import annotations

import csv
import datetime as dt
import json

import pytest

from foedus.casebook import load_casebook, nearest
from foedus.casebook.outlook import outside_view
from foedus.casebook.scores import score_file
from foedus.casebook.similarity import nearest_to_coded
from foedus.casebook.table import OPTIONAL, REQUIRED
from foedus.errors import InputError
from foedus.report import casebook_view as report

HEADER = [
    "id", "title", "year", "date_trigger", "date_request", "date_decision", "date_first_arrival",
    "date_withdrawal_end", "requester", "requester_iso3", "requester_cow", "org_or_patron",
    "lead_power", "lead_iso3", "lead_cow", "legal_basis", "trigger_type", "trigger_detail",
    "formal_request", "official_framing", "outcome_class", "troops_deployed",
    "days_request_to_decision", "days_request_to_arrival", "troops_peak_30d",
    "months_to_withdrawal", "intervener_deaths_90d", "requester_in_power_90d", "contiguous_lead",
    "cow_contiguity_code", "lead_base_or_forces_there", "lead_other_war_or_crisis",
    "cinc_ratio_lead_to_requester", "capability_class", "decision_rule",
    "n_members_refused_or_abstained", "rival_great_power_opposed", "case_confidence",
    "field_confidence", "sources", "unsourced_fields", "notes",
]  # fmt: skip
#: Fields that the first tables did not have.
NEWER = {
    "still_there_on",
    "mission_kind",
    "mandate_announced_days",
    "at_least_100_dead_60d",
    "at_least_1000_dead_60d",
}
ROW = {
    "id": "TON1999",
    "title": "Made up",
    "year": "1999",
    "date_trigger": "1999-05-01",
    "date_request": "1999-05-03",
    "date_decision": "1999-05-04",
    "date_first_arrival": "1999-05-06",
    "date_withdrawal_end": "1999-09",
    "requester": "Tonga",
    "requester_iso3": "TON",
    "org_or_patron": "Australia / NZ",
    "lead_power": "Australia",
    "lead_iso3": "AUS",
    "trigger_type": "coup_mutiny",
    "formal_request": "y",
    "outcome_class": "granted_troops",
    "troops_deployed": "y",
    "troops_peak_30d": "400",
    "requester_in_power_90d": "y",
    "contiguous_lead": "n",
    "cow_contiguity_code": "0",
    "lead_base_or_forces_there": "n",
    "rival_great_power_opposed": "n",
    "case_confidence": "M",
    "field_confidence": "date_trigger=H;troops_peak_30d=L",
    "notes": "a comma, and a\nsecond line",
}
KAZ = {
    **ROW,
    "id": "KAZ2022",
    "year": "2022",
    "date_trigger": "2022-01-02",
    "date_request": "2022-01-05",
    "date_decision": "2022-01-06",
    "date_first_arrival": "2022-01-06",
    "date_withdrawal_end": "2022-01-19",
    "requester_iso3": "KAZ",
    "org_or_patron": "CSTO",
    "lead_iso3": "RUS",
    "trigger_type": "domestic_protest",
    "troops_peak_30d": "2030",
}


def write(path, rows, header=HEADER):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_columns_are_those_of_the_tables():
    assert set(REQUIRED) | set(OPTIONAL) == set(HEADER) | NEWER
    assert set(OPTIONAL) >= NEWER, "tables of before must still be read"


def test_list():
    book = load_casebook()
    listed = book.filter(organisation="CSTO", trigger="domestic_protest", years=(2010, None))
    ids = [c.id for c in listed]
    assert ids == ["KGZ2010A", "KGZ2010B", "ARM2018", "BLR2020", "KGZ2020", "KAZ2022"]
    assert json.loads(json.dumps(report.case_list_data(listed)))["cases"][2]["used"] is True
    assert "unsourced" in report.case_list(book.filter(organisation="GCC"))
    assert len(report.case_list_data(book)["cases"]) == 80


def test_show_names_sources_and_contested():
    book = load_casebook()
    assert "contested formal_request" in report.case_sheet(book["POL1981"], book)
    data = json.loads(json.dumps(report.case_sheet_data(book["POL1981"], book)))
    assert data["fields"]["date_decision"]["addresses"][0].startswith("https://")
    with pytest.raises(InputError, match="no case"):
        book["NOPE"]


def test_every_case_can_be_shown():
    book = load_casebook()
    for case in book:
        assert case.id in report.case_sheet(case, book)
        json.dumps(report.case_sheet_data(case, book))


def test_compare():
    book = load_casebook()
    compared = nearest_to_coded(book, "KAZ2022", n=3)
    assert [x.case.id for x in compared][:2] == ["BLR2020", "KGZ2010B"]
    assert "what happened" in report.comparison("KAZ2022", compared)
    assert len(json.loads(json.dumps(report.comparison_data("KAZ2022", compared)))["nearest"]) == 3
    own = nearest(book, {"trigger": "coup_mutiny", "organisation": "ECOWAS"})
    assert own[0].distance == 0


def test_export(tmp_path):
    path = load_casebook().filter(organisation="NATO").export(tmp_path / "x.csv")
    with path.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 4


def test_base_rate_report_of_a_case():
    view = outside_view("KAZ2022", before=dt.date(2022, 1, 5))
    text = report.outside(view)
    assert "without KAZ 2022" in text
    assert "troops: domestic protest, csto, known before 2022-01-05" in text
    data = json.loads(json.dumps(report.outside_data(view)))
    assert data["as_of"] == "2022-01-05"
    assert all("KAZ2022" not in r["cases"] for r in data["rates"])
    assert all(x["year"] <= 2022 for x in data["nearest"])
    assert data["model"]["fits"]["call"]["tag"] == "before-2022"


def test_base_rate_report_of_features():
    view = outside_view(
        {"trigger": "domestic_protest", "organisation": "CSTO", "year": 2022},
        title="Kazakhstan",
        before=dt.date(2022, 1, 5),
        exclude=("KAZ", 2022),
    )
    assert report.outside(view).startswith("Outside view of Kazakhstan")
    assert "troops if asked" in report.outside(view)
    assert "if sent to guard (" in report.outside(view)
    kinds = report.outside_data(view)["model"]["mission_kind"]
    assert sum(kind["mean"] for kind in kinds.values()) == pytest.approx(1, abs=1e-3)
    sent = outside_view(
        {
            "trigger": "domestic_protest",
            "organisation": "CSTO",
            "year": 2022,
            "mission_kind": "guard",
        }
    )
    assert sent.outlook.mission_kind["guard"].mean == 1
    assert sent.outlook.short_mission.mean == sent.outlook.short_by_kind["guard"].mean
    with pytest.raises(InputError, match="features"):
        outside_view({"trigger": "insurgency", "weather": "rain"})


def test_score_file(tmp_path):
    found = score_file(write(tmp_path / "new.csv", [ROW, KAZ]))
    fresh, shipped = found.scored
    assert fresh.flags == ()
    assert shipped.flags == ("shipped case: predicted without it",)
    assert all(t.n == 1 for t in found.fresh_totals)
    text = report.score_report(found)
    assert "TON1999" in text
    assert "always refuse" in text
    data = json.loads(json.dumps(report.score_report_data(found)))
    row = data["rows"][0]
    assert row["log_score"]["model"].keys() == {"answer", "troops", "request", "in_power"}
    assert row["crps"].keys() == {"arrival", "size", "duration"}
    assert {t["forecast"] for t in data["totals"]} == {
        "model",
        "base rate",
        "organisation's rate",
        "always refuse",
    }


def test_shipped_row_is_predicted_without_itself(tmp_path):
    from foedus.casebook.design import Features
    from foedus.casebook.outlook import predict

    found = score_file(write(tmp_path / "kaz.csv", [KAZ]))
    expected = predict(Features.of(found.scored[0].case), exclude=("KAZ", 2022))
    assert found.scored[0].probabilities["model"]["troops"]["yes"] == pytest.approx(
        expected.answer["troops"].mean
    )


def test_outcome_of_a_row_does_not_change_its_prediction(tmp_path):
    other = {
        **ROW,
        "outcome_class": "refused",
        "date_first_arrival": "",
        "date_withdrawal_end": "",
        "troops_peak_30d": "0",
        "requester_in_power_90d": "n",
    }
    a = score_file(write(tmp_path / "a.csv", [ROW])).scored[0].outlook.summary()
    b = score_file(write(tmp_path / "b.csv", [other])).scored[0].outlook.summary()
    assert a == b


def test_as_of_scores_use_an_earlier_fit(tmp_path):
    (scored,) = score_file(write(tmp_path / "k.csv", [KAZ]), as_of=True).scored
    assert scored.outlook.provenance["call"][0] == "before-2022"


def test_imposed_help_is_flagged(tmp_path):
    row = {**ROW, "outcome_class": "imposed"}
    (scored,) = score_file(write(tmp_path / "i.csv", [row])).scored
    assert scored.flags == ("imposed: answer not scored",)
    assert "answer" not in scored.happened


@pytest.mark.parametrize(
    ("change", "column", "expected"),
    [
        ({"org_or_patron": "Galactic Federation"}, "org_or_patron", "a known organisation"),
        ({"org_or_patron": ""}, "org_or_patron", "a known organisation"),
        ({"date_decision": "1999-04-01"}, "date_decision", "not before date_trigger"),
        ({"date_withdrawal_end": "1999-04"}, "date_withdrawal_end", "not before date_first"),
        ({"date_request": "1999-02-30"}, "date_request", "exists"),
        ({"troops_peak_30d": "0.7"}, "troops_peak_30d", "a whole number"),
        ({"intervener_deaths_90d": "-1"}, "intervener_deaths_90d", "a whole number"),
        ({"days_request_to_arrival": "0.5"}, "days_request_to_arrival", "a whole number"),
        ({"trigger_type": "picnic"}, "trigger_type", "domestic_protest"),
        ({"trigger_type": ""}, "trigger_type", "required"),
        ({"outcome_class": "maybe"}, "outcome_class", "granted_troops"),
        ({"formal_request": "0.5"}, "formal_request", "y or n"),
        ({"requester_iso3": "TOG"}, "requester_iso3", "ISO 3166"),
        ({"year": "soon"}, "year", "a whole number"),
        ({"cinc_ratio_lead_to_requester": "-3"}, "cinc_ratio_lead_to_requester", "a finite number"),
        ({"case_confidence": "sure"}, "case_confidence", "one of H, M, L"),
    ],
)
def test_bad_rows_name_line_and_column(tmp_path, change, column, expected):
    path = write(tmp_path / "bad.csv", [KAZ, {**ROW, **change}])
    with pytest.raises(InputError) as caught:
        score_file(path)
    problem = next(p for p in caught.value.problems if p.field == column)
    # The first row's note holds a line break, so the second row starts at line 4.
    assert (problem.file, problem.line) == ("bad.csv", 4)
    assert problem.column == HEADER.index(column) + 1
    assert expected in problem.expected
    found = score_file(path, skip_bad=True)
    assert [s.case.id for s in found.scored] == ["KAZ2022"]
    assert "Left out" in report.score_report(found)


def test_bad_files(tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(InputError, match="an empty file"):
        score_file(empty)
    with pytest.raises(InputError, match="a header only"):
        score_file(write(tmp_path / "header.csv", []))
    lacking = [h for h in HEADER if h != "outcome_class"]
    with pytest.raises(InputError, match="outcome_class") as caught:
        score_file(write(tmp_path / "lacking.csv", [ROW], lacking))
    assert caught.value.problems[0].line == 1
    with pytest.raises(InputError, match="can be read"):
        score_file(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="id of its own"):
        score_file(write(tmp_path / "twice.csv", [ROW, ROW]))
    with pytest.raises(InputError, match="each column once"):
        score_file(write(tmp_path / "double.csv", [ROW], [*HEADER, "id"]))
    ragged = write(tmp_path / "ragged.csv", [ROW])
    ragged.write_text(ragged.read_text() + "a,b\n")
    with pytest.raises(InputError, match="42 cells"):
        score_file(ragged)
    (tmp_path / "latin.csv").write_bytes("id,title\nx,Côte\n".encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        score_file(tmp_path / "latin.csv")


def test_exported_table_can_be_scored(tmp_path):
    found = score_file(load_casebook().filter(organisation="CSTO").export(tmp_path / "x.csv"))
    assert len(found.scored) == 13
    assert all(s.flags for s in found.scored)
    assert found.fresh_totals == ()
    assert [s.case.answer for s in found.scored] == [
        c.answer for c in load_casebook().filter(organisation="CSTO")
    ]
