"""The case file: what is known, read into typed and checked objects."""

from foedus.case.asof import CaseHash, Hidden, as_of, case_hash, hidden
from foedus.case.check_report import CheckReport, check
from foedus.case.load import load_case, load_text, shipped
from foedus.case.models import Case, json_schema
from foedus.case.template import new_case
from foedus.case.values import Value

__all__ = [
    "Case",
    "CaseHash",
    "CheckReport",
    "Hidden",
    "Value",
    "as_of",
    "case_hash",
    "check",
    "hidden",
    "json_schema",
    "load_case",
    "load_text",
    "new_case",
    "shipped",
]
