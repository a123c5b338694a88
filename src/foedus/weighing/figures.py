"""Numbers in messages, without an exponent and without more figures than anybody reads."""

from __future__ import annotations

import math


def figures(x: float) -> str:
    """Return a number to four figures, whole numbers as they are, thousands set apart.

    Examples
    --------
    >>> figures(4e9), figures(982.033), figures(12345.67), figures(0.012345)
    ('4,000,000,000', '982', '12,350', '0.01235')
    """
    if not math.isfinite(x) or x == round(x):
        return f"{x:,.0f}"
    digits = 3 - math.floor(math.log10(abs(x)))
    if digits <= 0:
        return f"{round(x, digits):,.0f}"
    return f"{x:,.{digits}f}".rstrip("0").rstrip(".")
