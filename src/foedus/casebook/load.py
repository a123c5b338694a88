"""Read the casebook: one YAML file a case. A bad file is reported and does not affect the rest."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from foedus.case.models import Case
from foedus.case.problems import Path as Place
from foedus.case.problems import Positions, explain, nearest, show
from foedus.case.yamlfile import parse, read_text
from foedus.casebook import table
from foedus.casebook.coded_case import JUDGEMENT, TRIGGERS, CodedCase, Exclude, Source
from foedus.casebook.organisations import organisation_group
from foedus.errors import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Casebook:
    """Coded cases in order of time, with their sources.

    Attributes
    ----------
    cases : tuple of CodedCase
    sources : dict
        Source by id.
    problems : tuple of Problem
        Faults of the files that were left out.
    """

    cases: tuple[CodedCase, ...]
    sources: dict[str, Source]
    problems: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[CodedCase]:
        return iter(self.cases)

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, case_id: str) -> CodedCase:
        for case in self.cases:
            if case.id == case_id:
                return case
        near = nearest(case_id, [c.id for c in self.cases])
        raise InputError(
            f"no case {case_id!r} in the casebook; `foedus casebook list` shows all{near}"
        )

    def own_row(self, case: Case) -> Exclude | None:
        """Return what to exclude so that a case file never informs its own outside view.

        Its row (``casebook_id``), named by requester and year where no other row shares them.
        Without a ``casebook_id``, all rows of its requester in the year in which it starts.

        Raises
        ------
        InputError
            If the case names a row that is not there.
        """
        if case.casebook_id is None:
            return None if case.requester_iso3 is None else (case.requester_iso3, case.start.year)
        row = self[case.casebook_id]
        return row.key if sum(c.key == row.key for c in self.cases) == 1 else row.id

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
            Keep only the cases that enter rates and fits.

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
        """Return a table with one row a case: coded values and what is computed from them.

        Unknown values are missing (None or NaN). Dates are text, as exact as they are known.
        """
        return table.frame(self.cases)

    def long_frame(self) -> pd.DataFrame:
        """Return one row a coded field: id, field, value, confidence, sources, addresses."""
        return table.long_frame(self.cases, self.sources)

    def export(self, path: str | Path, *, long: bool = False) -> Path:
        """Write the table to ``path``, as CSV or Parquet by its suffix.

        A CSV has y and n for flags and whole numbers for counts. It can be scored with
        `foedus.casebook.scores.score_file`.

        Raises
        ------
        InputError
            If the suffix is neither, or if a Parquet file needs pyarrow and it is not installed.
        """
        return table.export(self.long_frame() if long else self.frame(), Path(path))


def load_casebook(folder: str | Path | None = None, *, strict: bool = False) -> Casebook:
    """Return the shipped casebook, with the cases of another folder added.

    Parameters
    ----------
    folder : path, optional
        A folder of ``*.yaml`` files, one a case, with an optional ``sources.yaml``. They are
        checked like the shipped ones.
    strict : bool
        Raise if any file is bad, instead of leaving it out.

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
        for key, entry in _read_sources(read_text(own, own.name), own.name, problems).items():
            if sources.setdefault(key, entry) != entry:
                expected = "a source id that is not taken"
                problems.append(Problem(own.name, None, None, key, key, expected))
    files = []
    for path in sorted(folder.glob("*.yaml")):
        if path != own:
            try:
                files.append((path.name, read_text(path, path.name)))
            except InputError as error:
                problems += error.problems
    cases = _read_cases(files, sources, shipped.cases, problems)
    if strict and problems:
        raise InputError(problems)
    return _ordered([*shipped.cases, *cases], sources, problems)


@functools.cache
def _shipped() -> Casebook:
    problems: list[Problem] = []
    package = resources.files(__package__)
    text = package.joinpath("sources.yaml").read_text(encoding="utf-8")
    sources = _read_sources(text, "sources.yaml", problems)
    files = [
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in package.joinpath("cases").iterdir()
        if entry.name.endswith(".yaml")
    ]
    cases = _read_cases(sorted(files), sources, (), problems)
    return _ordered(cases, sources, problems)


def _ordered(
    cases: Sequence[CodedCase], sources: dict[str, Source], problems: Iterable[Problem]
) -> Casebook:
    ordered = sorted(cases, key=lambda c: (c.year, c.start(), c.id))
    return Casebook(tuple(ordered), sources, tuple(problems))


def _read(text: str, name: str, problems: list[Problem]) -> tuple[dict[str, Any], Positions]:
    """Return a file's fields and their positions; a bad file gives none and adds its problems."""
    try:
        data, positions, found = parse(text, name)
    except InputError as error:
        problems += error.problems
        return {}, Positions(name)
    problems += found
    if isinstance(data, dict) and data:
        return data, positions
    found_instead = show(data) if data else "an empty file"
    problems.append(Problem(name, None, None, "", found_instead, "a mapping of fields"))
    return {}, positions


def _read_sources(text: str, name: str, problems: list[Problem]) -> dict[str, Source]:
    data, positions = _read(text, name, problems)
    sources = {}
    for key, entry in data.items():
        if isinstance(entry, dict) and {"what", "date", "address"} <= set(entry):
            values = {field: str(entry[field]) for field in ("what", "date", "address")}
            sources[key] = Source(id=key, **values)
        else:
            expected = "a source with what, date and address"
            problems.append(positions.problem((key,), show(entry), expected, key=True))
    return sources


def _read_cases(
    files: Iterable[tuple[str, str]],
    sources: dict[str, Source],
    others: Iterable[CodedCase],
    problems: list[Problem],
) -> list[CodedCase]:
    ids = {c.id for c in others}
    calls = {(c.key, c.helper, c.start()) for c in others}
    cases = []
    for name, text in files:
        data, positions = _read(text, name, problems)
        if not data:
            continue
        try:
            case = CodedCase.model_validate(data)
        except ValidationError as error:
            problems += explain(error, CodedCase, data, positions)
            continue
        call = (case.key, case.helper, case.start())
        wrong = [
            positions.problem(
                path, source, f"a source id of sources.yaml{nearest(source, sources)}"
            )
            for path, source in _named_sources(case)
            if source not in sources
        ]
        if case.id in ids or call in calls:
            expected = "a case that is not in the casebook yet"
            wrong.append(positions.problem(("id",), case.id, expected))
        problems += wrong
        if not wrong:
            ids.add(case.id)
            calls.add(call)
            cases.append(case)
    return cases


def _named_sources(case: CodedCase) -> Iterator[tuple[Place, str]]:
    """Yield each place where a case names a source, and the source."""
    for i, source in enumerate(case.sources):
        yield ("sources", i), source
    for name, coded in case.fields.items():
        for i, source in enumerate(coded.sources):
            if source != JUDGEMENT:
                yield ("fields", name, "sources", i), source
