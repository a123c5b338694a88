"""The case format as a JSON Schema, so that editors complete and check."""

from __future__ import annotations

from typing import Any

from foedus.case.models import Case

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a case file.

    An editor that reads it completes fields and finds misspelt ones. References, order in time
    and contradictions in questions are beyond it; ``foedus check`` finds those.
    """
    schema = Case.model_json_schema()
    schema["title"] = "foedus case, format 1"
    return {"$schema": DIALECT, **schema}
