"""Reading the casebook: one YAML file a case, checked; bad files do not spoil the rest."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from foedus.casebook.organisations import organisations, read_data
from foedus.casebook.schema import JUDGEMENT, TRIGGERS, Case, Fields
from foedus.errors import InputError, Problem


@dataclass(frozen=True)
class Source:
    """Where a coding comes from."""

    id: str
    what: str
    date: str
    address: str


@dataclass(frozen=True)
class Casebook:
    """Cases with their sources, in order of time.

    Attributes
    ----------
    cases : tuple of Case
    sources : dict
        Source by id.
    problems : tuple of Problem
        What was wrong with the files that were left out.
    """

    cases: tuple[Case, ...]
    sources: dict[str, Source]
    problems: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, case_id: str) -> Case:
        for case in self.cases:
            if case.id == case_id:
                return case
        raise InputError(f"no case {case_id!r} in the casebook; `foedus casebook list` shows all")

    def filter(
        self,
        *,
        organisation: str | None = None,
        trigger: str | None = None,
        years: tuple[int | None, int | None] | None = None,
        usable: bool = False,
    ) -> Casebook:
        """Return the cases of a slice.

        Parameters
        ----------
        organisation : str, optional
            Group code or any name that leads to one.
        trigger : str, optional
            One of the trigger types.
        years : tuple, optional
            First and last year, both included; None leaves a side open.
        usable : bool
            Keep only cases that enter rates and fits.

        Raises
        ------
        InputError
            If the organisation or the trigger is unknown.
        """
        group = None if organisation is None else organisation_group(organisation)
        if trigger is not None and trigger not in TRIGGERS:
            raise InputError(f"trigger: one of {', '.join(TRIGGERS)} (found {trigger!r})")
        first, last = years or (None, None)
        if first is not None and last is not None and first > last:
            raise InputError(f"years: first year not after the last (found {first} to {last})")
        return replace(
            self,
            cases=tuple(
                c
                for c in self.cases
                if (group is None or c.organisation == group)
                and (trigger is None or c.trigger == trigger)
                and (first is None or c.year >= first)
                and (last is None or c.year <= last)
                and (c.usable or not usable)
            ),
        )

    def frame(self) -> pd.DataFrame:
        """Return one row a case: coded values, computed columns, counts of sources.

        Unknown is missing (None or NaN); dates are text, as exact as known.
        """
        frame = pd.DataFrame([_row(c) for c in self.cases], columns=list(COLUMNS))
        return frame.astype(dict.fromkeys(_COUNTS, "Int64"))

    def long_frame(self) -> pd.DataFrame:
        """Return one row a coded field: id, field, value, confidence, sources, addresses."""
        rows = [
            {
                "id": case.id,
                "field": name,
                "value": _shown(coded.value),
                "confidence": coded.confidence,
                "sources": " ".join(coded.sources),
                "addresses": " ".join(
                    self.sources[s].address for s in coded.sources if s in self.sources
                ),
            }
            for case in self.cases
            for name, coded in case.fields.items()
        ]
        return pd.DataFrame(
            rows, columns=["id", "field", "value", "confidence", "sources", "addresses"]
        )

    def export(self, path: str | Path, *, long: bool = False) -> Path:
        """Write the table to ``path``, as CSV or Parquet by its suffix.

        A CSV has y and n for flags and whole numbers for counts, and can be scored with
        `foedus.casebook.commands.score_file`.

        Raises
        ------
        InputError
            If the suffix is neither, or Parquet is asked for and pyarrow is not installed.
        """
        path = Path(path)
        frame = self.long_frame() if long else self.frame()
        suffix = path.suffix.lower()
        if suffix == ".csv":
            for name in () if long else FLAGS:
                frame[name] = frame[name].map({True: "y", False: "n"})
            frame.to_csv(path, index=False, lineterminator="\n")
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


def organisation_group(name: str) -> str:
    """Return the group of a helper's name.

    Raises
    ------
    InputError
        If neither the name nor a part of it is known.
    """
    group = organisations().find(name)
    if group is None:
        groups = ", ".join(organisations().groups)
        raise InputError(f"organisation: one of {groups}, or a name of one (found {name!r})")
    return group


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
    "troops_peak_30d",
    "intervener_deaths_90d",
    "cow_contiguity_code",
    "n_members_refused_or_abstained",
    "days_request_to_decision",
    "days_request_to_arrival",
)


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return "y" if value else "n"
    return str(value)


def _row(case: Case) -> dict[str, Any]:
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
        row[name] = str(value) if name.startswith("date_") and value is not None else value
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


def load_casebook(folder: str | Path | None = None, *, strict: bool = False) -> Casebook:
    """Return the shipped casebook, with the cases of a folder of one's own added.

    Parameters
    ----------
    folder : path, optional
        A folder of ``*.yaml`` cases, one a file, and an optional ``sources.yaml``. They are
        checked like the shipped ones.
    strict : bool
        Raise on the first bad file instead of leaving it out.

    Returns
    -------
    Casebook
        Bad files are left out and listed in ``problems``.

    Raises
    ------
    InputError
        If the folder does not exist, or with ``strict`` if any file is bad.
    """
    shipped = _shipped()
    if folder is None:
        return shipped
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"casebook folder: a folder that exists (found {folder})")
    problems: list[Problem] = []
    sources = dict(shipped.sources)
    own = folder / "sources.yaml"
    if own.exists():
        text = own.read_text(encoding="utf-8")
        data = _parse(text, own.name, problems)
        for key, entry in _read_sources(data, text, own.name, problems).items():
            if key in sources and sources[key] != entry:
                problems.append(
                    _problem(own.name, text, (key,), key, "a source id that is not taken")
                )
            else:
                sources[key] = entry
    files = [
        (path.name, path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.yaml"))
        if path.name != "sources.yaml"
    ]
    cases = _read_cases(files, sources, shipped.cases, problems)
    if strict and problems:
        raise InputError(problems)
    return _ordered([*shipped.cases, *cases], sources, problems)


@functools.cache
def _shipped() -> Casebook:
    problems: list[Problem] = []
    sources = _read_sources(read_data("sources.yaml"), "", "sources.yaml", problems)
    files = [
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in resources.files(__package__).joinpath("cases").iterdir()
        if entry.name.endswith(".yaml")
    ]
    cases = _read_cases(sorted(files), sources, (), problems)
    return _ordered(cases, sources, problems)


def _ordered(
    cases: Sequence[Case], sources: dict[str, Source], problems: Iterable[Problem]
) -> Casebook:
    ordered = sorted(cases, key=lambda c: (c.year, c.start(), c.id))
    return Casebook(tuple(ordered), sources, tuple(problems))


def _parse(text: str, name: str, problems: list[Problem]) -> Any:
    try:
        data = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        problems.append(Problem(name, line, column, "", str(error.problem), "valid YAML"))
        return None
    if not isinstance(data, dict):
        problems.append(Problem(name, None, None, "", "an empty file", "a mapping of fields"))
        return None
    return data


def _read_sources(data: Any, text: str, name: str, problems: list[Problem]) -> dict[str, Source]:
    sources = {}
    for key, entry in (data or {}).items():
        if isinstance(entry, dict) and {"what", "date", "address"} <= set(entry):
            sources[str(key)] = Source(
                str(key), str(entry["what"]), str(entry["date"]), str(entry["address"])
            )
        else:
            problems.append(
                _problem(name, text, (key,), entry, "a source with what, date and address")
            )
    return sources


def _read_cases(
    files: Iterable[tuple[str, str]],
    sources: dict[str, Source],
    others: Iterable[Case],
    problems: list[Problem],
) -> list[Case]:
    taken = {c.id for c in others}
    same = {(c.key, c.helper, c.start()) for c in others}
    cases = []
    for name, text in files:
        data = _parse(text, name, problems)
        if data is None:
            continue
        try:
            case = Case.model_validate(data)
        except ValidationError as error:
            problems += [p for e in error.errors() for p in _from_pydantic(name, text, data, e)]
            continue
        found = _unresolved(case, sources)
        problems += [_problem(name, text, place, key, right) for place, key, right in found]
        if case.id in taken or (case.key, case.helper, case.start()) in same:
            problems.append(
                _problem(name, text, ("id",), case.id, "a case that is not in the casebook yet")
            )
            continue
        if not found:
            taken.add(case.id)
            same.add((case.key, case.helper, case.start()))
            cases.append(case)
    return cases


def _unresolved(
    case: Case, sources: dict[str, Source]
) -> list[tuple[tuple[str | int, ...], str, str]]:
    right = "a source id of sources.yaml"
    wrong: list[tuple[tuple[str | int, ...], str, str]] = [
        (("sources", i), s, right) for i, s in enumerate(case.sources) if s not in sources
    ]
    for name, coded in case.fields.items():
        wrong += [
            (("fields", name, "sources", i), s, right)
            for i, s in enumerate(coded.sources)
            if s != JUDGEMENT and s not in sources
        ]
    return wrong


def _from_pydantic(name: str, text: str, data: Any, error: Any) -> list[Problem]:
    expected = str(error["msg"]).removeprefix("Value error, ")
    place = tuple(error["loc"])
    found = error["input"]
    if error["type"] == "missing":
        expected, found = "a value; the field is required", ""
    elif error["type"] == "extra_forbidden":
        expected = "a field of the codebook"
    elif not place:
        # Checks across fields name the field first: "fields.date_request: a date not before ...".
        problems = []
        for part in expected.split("; "):
            path, _, right = part.partition(": ")
            keys = tuple(path.split("."))
            problems.append(_problem(name, text, keys, _dig(data, keys), right))
        return problems
    return [_problem(name, text, place, found, expected)]


def _dig(data: Any, keys: tuple[str, ...]) -> object:
    for key in keys:
        data = data.get(key, "") if isinstance(data, dict) else ""
    return data.get("value", "") if isinstance(data, dict) else data


def _problem(name: str, text: str, place: tuple[Any, ...], found: object, expected: str) -> Problem:
    """Return a problem with line and column, looked up in a second, slower reading."""
    line = column = None
    try:
        node: Any = YAML(typ="rt").load(text) if text else None
        for key in place:
            position: Any = getattr(node, "lc", None)
            if isinstance(node, dict) and key in node:
                row, col = position.key(key)
            elif isinstance(node, list) and isinstance(key, int):
                row, col = position.item(key)
            else:
                break
            line, column = row + 1, col + 1
            node = node[key]
    except (MarkedYAMLError, KeyError, IndexError, AttributeError, TypeError):
        pass
    shown = "" if found == "" else str(found)
    if len(shown) > 60:
        shown = shown[:57] + "..."
    return Problem(name, line, column, ".".join(str(p) for p in place), shown, expected)
