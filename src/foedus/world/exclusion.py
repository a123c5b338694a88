"""Two decisions of which at most one can happen: knowing one says something of the other."""

from __future__ import annotations

from dataclasses import replace

from foedus.world.guidance import Guidance


def excluding(guidance: Guidance, known: str, other: str) -> Guidance:
    """Return the guidance in which ``other`` has not happened up to the day of ``known``.

    A run in which ``other`` comes first could not meet the known decision any more, so it is
    kept from happening and the run is charged the probability of that, as for any replayed
    decision: the weights are the same in expectation and far less uneven.

    Parameters
    ----------
    guidance : Guidance
    known, other : str
        Events of which at most one happens in a run. Without knowledge of ``known``, or with
        knowledge of ``other``, the guidance is returned as it is.
    """
    day = guidance.days.get((known, ""))
    if day is None or (other, "") in guidance.days:
        return guidance
    until = max(day, guidance.not_by.get((other, ""), -1))
    return replace(guidance, not_by={**guidance.not_by, (other, ""): until})
