"""Verdicts on published claims: every quantity of a claim against ours, with a stated tolerance.

A number agrees if it is within 15 percent of the printed one, or inside the printed range: figures
can be read off a page to 3 percent, and between runs of 2,000 ticks the mean size of an outburst
varies by 9 percent. "Always" means in at least nine runs of ten, "never" in at most one of ten.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Largest relative distance from a printed number that still agrees.
NEAR = 0.15
#: Least share of runs for "always", and largest share for "never".
ALWAYS, NEVER = 0.9, 0.1


@dataclass(frozen=True)
class Quantity:
    """One quantity of a claim: its name, our value, and the values that agree with the claim."""

    name: str
    ours: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        """Whether our value is one of them; NaN does not agree."""
        return self.low <= self.ours <= self.high


def near(name: str, ours: float, printed: float) -> Quantity:
    """Return a quantity that is printed as a number."""
    return Quantity(name, ours, printed * (1 - NEAR), printed * (1 + NEAR))


def always(name: str, share: float) -> Quantity:
    """Return the share of runs in which something happens that should."""
    return Quantity(name, share, ALWAYS, 1.0)


def never(name: str, share: float) -> Quantity:
    """Return the share of runs in which something happens that should not."""
    return Quantity(name, share, 0.0, NEVER)


def verdict(*quantities: Quantity) -> str:
    """Return ``holds``, ``fails``, or how many quantities agree and which do not."""
    if not quantities:
        raise ValueError("quantities must be one at least, not none")
    bad = [q.name for q in quantities if not q.agrees]
    if not bad:
        return "holds"
    if len(bad) == len(quantities):
        return "fails"
    good = len(quantities) - len(bad)
    return f"{good} of {len(quantities)}; not: {', '.join(bad)}"
