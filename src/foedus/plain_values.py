"""Values as JSON can hold them, and numbers as people read them."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any


def finite(number: float | None) -> float | None:
    """Return a number as JSON can hold it: None for infinities and NaN."""
    return None if number is None or not math.isfinite(number) else float(number)


def plain(value: Any) -> Any:
    """Return dates as ISO text and numbers as JSON can hold them."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return finite(float(value))
