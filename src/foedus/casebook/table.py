"""Coded cases as a table, one row a case: written as CSV or Parquet, read from CSV and checked."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from foedus.case.problems import Positions, explain
from foedus.case.times import PartialDate
from foedus.casebook.coded_case import CodedCase, Fields, Source
from foedus.errors import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the exported table.
COLUMNS = (
    "id",
    "title",
    "year",
    "requester",
    "requester_iso3",
    "requester_cow",
    "org_or_patron",
    "organisation",
    "lead_power",
    "lead_iso3",
    "lead_cow",
    *Fields.model_fields,
    "answer",
    "troops_deployed",
    "days_request_to_decision",
    "days_request_to_arrival",
    "months_to_withdrawal",
    "contiguous_lead",
    "capability_class",
    "case_confidence",
    "field_confidence",
    "unsourced_fields",
    "sourced",
    "set_aside",
    "contested",
    "sources",
    "notes",
)
FLAGS = (
    "formal_request",
    "at_least_100_dead_60d",
    "at_least_1000_dead_60d",
    "requester_in_power_90d",
    "lead_base_or_forces_there",
    "lead_other_war_or_crisis",
    "rival_great_power_opposed",
    "troops_deployed",
    "contiguous_lead",
    "sourced",
)
_COUNTS = (
    "requester_cow",
    "lead_cow",
    "mandate_announced_days",
    "troops_peak_30d",
    "intervener_deaths_90d",
    "cow_contiguity_code",
    "n_members_refused_or_abstained",
    "days_request_to_decision",
    "days_request_to_arrival",
)
#: Columns that may be missing: text, and fields that older tables lack.
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
    "still_there_on",
    "mission_kind",
    "mandate_announced_days",
    "at_least_100_dead_60d",
    "at_least_1000_dead_60d",
)
#: Columns that an export adds; they are not read.
_COMPUTED = ("organisation", "answer", "sourced", "set_aside", "contested")
#: Columns that prediction and scoring need.
REQUIRED = tuple(c for c in COLUMNS if c not in (*OPTIONAL, *_COMPUTED))
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
    case : CodedCase
    line : int
        Line in the file, counted from 1.
    """

    case: CodedCase
    line: int


def read_table(path: str | Path) -> tuple[list[Row], list[Problem]]:
    """Return the good rows of a CSV file, and what is wrong with the others.

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


def _case(row: Mapping[str, str]) -> tuple[CodedCase | None, list[tuple[str, str, str]]]:
    """Return the case of a row, or None, and (column, found, expected) for each fault."""
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
    data = _data(row)
    try:
        case = CodedCase.model_validate(data)
    except ValidationError as error:
        for problem in explain(error, CodedCase, data, Positions()):
            column = _column(problem.field)
            wrong.append((column, row.get(column, "") or "nothing", problem.expected))
        return None, wrong
    return (None if wrong else case), wrong


def _column(field: str) -> str:
    """Return the column from which a field of a case is read."""
    column = field.removeprefix("fields.").removesuffix(".value").removesuffix(".confidence")
    return _COLUMN.get(column, column)


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


def frame(cases: Sequence[CodedCase]) -> pd.DataFrame:
    """Return a table with one row a case; see `Casebook.frame`."""
    import pandas as pd

    out = pd.DataFrame([_row(c) for c in cases], columns=list(COLUMNS))
    return out.astype(dict.fromkeys(_COUNTS, "Int64"))


def long_frame(cases: Sequence[CodedCase], sources: Mapping[str, Source]) -> pd.DataFrame:
    """Return a table with one row a coded field; see `Casebook.long_frame`."""
    import pandas as pd

    rows = [
        {
            "id": case.id,
            "field": name,
            "value": _shown(coded.value),
            "confidence": coded.confidence,
            "sources": " ".join(coded.sources),
            "addresses": " ".join(sources[s].address for s in coded.sources if s in sources),
        }
        for case in cases
        for name, coded in case.fields.items()
    ]
    return pd.DataFrame(
        rows, columns=["id", "field", "value", "confidence", "sources", "addresses"]
    )


def export(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table as CSV or Parquet, by the suffix of ``path``; see `Casebook.export`."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        flags = {name: frame[name].map({True: "y", False: "n"}) for name in FLAGS if name in frame}
        frame.assign(**flags).to_csv(path, index=False, lineterminator="\n")
    elif suffix == ".parquet":
        try:
            import pyarrow  # type: ignore[import-untyped]  # noqa: F401
        except ImportError:
            raise InputError(
                "Parquet needs the package pyarrow, which is not installed;"
                " export to a .csv file instead"
            ) from None
        frame.to_parquet(path, index=False)
    else:
        raise InputError(f"export: a file ending in .csv or .parquet (found {path.name!r})")
    return path


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return "y" if value else "n"
    return str(value)


def _row(case: CodedCase) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": case.id,
        "title": case.title,
        "year": case.year,
        "requester": case.requester.name,
        "requester_iso3": case.requester.iso3,
        "requester_cow": case.requester.cow,
        "org_or_patron": case.helper,
        "organisation": case.organisation,
        "lead_power": case.lead.name if case.lead else None,
        "lead_iso3": case.lead.iso3 if case.lead else None,
        "lead_cow": case.lead.cow if case.lead else None,
    }
    for name in Fields.model_fields:
        value = case.value(name)
        row[name] = str(value) if isinstance(value, PartialDate) else value
    return row | {
        "answer": case.answer,
        "troops_deployed": case.outcome in ("granted_troops", "imposed"),
        "days_request_to_decision": case.days_to_decision,
        "days_request_to_arrival": case.days_to_arrival,
        "months_to_withdrawal": case.months_to_withdrawal,
        "contiguous_lead": case.contiguous,
        "capability_class": case.capability_class,
        "case_confidence": case.confidence,
        "field_confidence": ";".join(f"{n}={c.confidence}" for n, c in case.fields.items()),
        "unsourced_fields": " ".join(n for n, c in case.fields.items() if not c.sources),
        "sourced": case.sourced,
        "set_aside": case.set_aside,
        "contested": " ".join(d.field for d in case.contested) or None,
        "sources": " ".join(case.sources),
        "notes": case.notes,
    }
