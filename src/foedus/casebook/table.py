"""Reading a wide CSV of cases (one row a case) into checked cases."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from foedus.casebook.schema import Case, Fields
from foedus.errors import InputError, Problem

#: Columns without which nothing can be predicted or scored.
REQUIRED = (
    "id",
    "year",
    "date_trigger",
    "date_request",
    "date_decision",
    "date_first_arrival",
    "date_withdrawal_end",
    "requester_iso3",
    "org_or_patron",
    "lead_iso3",
    "trigger_type",
    "formal_request",
    "outcome_class",
    "troops_deployed",
    "days_request_to_decision",
    "days_request_to_arrival",
    "troops_peak_30d",
    "months_to_withdrawal",
    "intervener_deaths_90d",
    "requester_in_power_90d",
    "contiguous_lead",
    "cow_contiguity_code",
    "lead_base_or_forces_there",
    "lead_other_war_or_crisis",
    "cinc_ratio_lead_to_requester",
    "capability_class",
    "n_members_refused_or_abstained",
    "rival_great_power_opposed",
    "case_confidence",
)
#: Columns that carry text only; they may be missing.
OPTIONAL = (
    "title",
    "requester",
    "requester_cow",
    "lead_power",
    "lead_cow",
    "legal_basis",
    "trigger_detail",
    "official_framing",
    "decision_rule",
    "field_confidence",
    "sources",
    "unsourced_fields",
    "notes",
)
_WHOLE = ("days_request_to_decision", "days_request_to_arrival")
_COLUMN = {
    "helper": "org_or_patron",
    "requester.iso3": "requester_iso3",
    "confidence": "case_confidence",
}


@dataclass(frozen=True)
class Row:
    """A checked row.

    Attributes
    ----------
    case : Case
    line : int
        Line in the file, counted from 1.
    """

    case: Case
    line: int


def read_table(path: str | Path) -> tuple[list[Row], list[Problem]]:
    """Return the good rows of a CSV and what is wrong with the others.

    Raises
    ------
    InputError
        If the file is missing, empty, not text, or lacks a column.
    """
    path = Path(path)
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: a CSV file that can be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError([Problem(name, None, None, "", "other bytes", "UTF-8 text")]) from None
    if not text.strip():
        expected = "a header and at least one row"
        raise InputError([Problem(name, None, None, "", "an empty file", expected)])
    reader = csv.reader(text.splitlines(keepends=True))
    header = [h.strip() for h in next(reader)]
    missing = [c for c in REQUIRED if c not in header]
    double = sorted({h for h in header if header.count(h) > 1})
    problems = [Problem(name, 1, None, c, "no such column", "a column") for c in missing]
    problems += [
        Problem(name, 1, header.index(c) + 1, c, "the column twice", "each column once")
        for c in double
    ]
    if problems:
        raise InputError(problems)
    rows: list[Row] = []
    seen: dict[str, int] = {}
    line = reader.line_num
    for cells in reader:
        start, line = line + 1, reader.line_num
        if not any(c.strip() for c in cells):
            continue
        if len(cells) != len(header):
            expected = f"{len(header)} cells, as in the header"
            problems.append(Problem(name, start, None, "", f"{len(cells)} cells", expected))
            continue
        row = {h: c.strip() for h, c in zip(header, cells, strict=True)}
        case, wrong = _case(row)
        for column, found, expected in wrong:
            position = header.index(column) + 1 if column in header else None
            problems.append(Problem(name, start, position, column, found, expected))
        if case is None:
            continue
        if case.id in seen:
            expected = f"an id of its own; line {seen[case.id]} has it too"
            position = header.index("id") + 1
            problems.append(Problem(name, start, position, "id", case.id, expected))
            continue
        seen[case.id] = start
        rows.append(Row(case, start))
    if not rows and not problems:
        expected = "at least one row"
        raise InputError([Problem(name, 2, None, "", "a header only", expected)])
    return rows, problems


def _case(row: Mapping[str, str]) -> tuple[Case | None, list[tuple[str, str, str]]]:
    """Return the case of a row, or None and (column, found, expected) for each fault."""
    wrong: list[tuple[str, str, str]] = []
    for column in _WHOLE:
        if row[column] and not row[column].lstrip("-").isdigit():
            wrong.append((column, row[column], "a whole number of days"))
    if row["months_to_withdrawal"]:
        try:
            good = float(row["months_to_withdrawal"]) >= 0
        except ValueError:
            good = False
        if not good:
            found = row["months_to_withdrawal"]
            wrong.append(("months_to_withdrawal", found, "a number, zero or more"))
    for column in ("troops_deployed", "contiguous_lead"):
        if row[column] not in ("y", "n", ""):
            wrong.append((column, row[column], "y or n, or empty"))
    try:
        case = Case.model_validate(_data(row))
    except ValidationError as error:
        for e in error.errors():
            place = ".".join(str(p) for p in e["loc"])
            message = str(e["msg"]).removeprefix("Value error, ")
            if e["type"] == "missing":
                message = "a value"
            if place:
                wrong.append(_fault(place, row, message))
            else:
                for part in message.split("; "):
                    path, _, right = part.partition(": ")
                    wrong.append(_fault(path, row, right))
        return None, wrong
    return (None if wrong else case), wrong


def _fault(place: str, row: Mapping[str, str], message: str) -> tuple[str, str, str]:
    column = place.removeprefix("fields.").removesuffix(".value")
    column = column.removesuffix(".confidence") if column.endswith(".confidence") else column
    column = _COLUMN.get(column, column)
    return column, row.get(column, "") or "nothing", message


def _data(row: Mapping[str, str]) -> dict[str, Any]:
    grades = dict(
        pair.split("=", 1) for pair in row.get("field_confidence", "").split(";") if "=" in pair
    )
    overall = row["case_confidence"]
    fields = {
        name: {"value": row[name], "confidence": grades.get(name, overall).strip()}
        for name in Fields.model_fields
        if row.get(name)
    }
    iso3 = row["requester_iso3"]
    data: dict[str, Any] = {
        "id": row["id"],
        "title": row.get("title") or row["id"],
        "year": row["year"],
        "requester": {"name": row.get("requester") or iso3 or "?", "iso3": iso3},
        "helper": row["org_or_patron"] or "?",
        "confidence": overall,
        "fields": fields,
    }
    if row["lead_iso3"]:
        data["lead"] = {"name": row.get("lead_power") or row["lead_iso3"], "iso3": row["lead_iso3"]}
    return data
