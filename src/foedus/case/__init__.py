"""What is known: the case file, read into typed and checked objects."""

from foedus.case.load import load_case, load_text, shipped
from foedus.case.models import Case
from foedus.case.quantity import Value

__all__ = ["Case", "Value", "load_case", "load_text", "shipped"]
