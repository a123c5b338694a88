"""Check a case file whole: its fields, the casebook's words, the parameters that it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from foedus.case import check_report
from foedus.case.asof import AsOf
from foedus.case.check_report import CheckReport
from foedus.case.load import load_case
from foedus.case.models import Case
from foedus.casebook.case_words import new_words, unknown_baselines
from foedus.errors import InputError
from foedus.world.engine import registry
from foedus.world.priors import in_order, undeclared


def refuse_unknown(case: Case) -> None:
    """Refuse names in a case file that neither a mechanism nor the casebook knows.

    Raises
    ------
    InputError
        All problems at once, in the order of the file.
    """
    problems = [*undeclared(case, registry(case)), *unknown_baselines(case)]
    if problems:
        raise InputError(in_order(problems))


def check(case_or_path: Case | str | Path, date: AsOf | None = None) -> CheckReport:
    """Check a case and report what an as-of date hides.

    Parameters
    ----------
    case_or_path : Case, str or pathlib.Path
    date : datetime.date, datetime.datetime or str, optional
        By default the case's own ``as_of``.

    Returns
    -------
    CheckReport
        Prints as a report; ``to_dict()`` gives plain data.

    Raises
    ------
    InputError
        With all problems, if the file or the date is invalid, or if the file names a parameter
        that no mechanism declares or a word that the casebook does not know.
    """
    case = case_or_path if isinstance(case_or_path, Case) else load_case(case_or_path)
    report = check_report.check(case, date)
    refuse_unknown(case)
    return replace(report, warnings=(*report.warnings, *new_words(case)))
