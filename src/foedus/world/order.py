"""The mechanisms in the order of a day, and what follows from their declarations.

A new mechanism is one line in :data:`ORDER`. :func:`extended` adds one temporarily, without a
change of the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from foedus.case.vocabulary import EVENTS
from foedus.errors import InputError
from foedus.world.mechanism import Luck, Mechanism, Variable
from foedus.world.mechanisms import (
    airlift,
    alliance,
    contagion,
    forces,
    information,
    leader,
    lethal,
    outside,
    streets,
    ties,
)

#: All mechanisms, in the order in which they start and in which they act on a day.
ORDER: list[Mechanism] = [
    ties.MECHANISM,
    information.MECHANISM,
    contagion.MECHANISM,
    streets.MECHANISM,
    lethal.MECHANISM,
    forces.MECHANISM,
    leader.MECHANISM,
    alliance.MECHANISM,
    airlift.MECHANISM,
    outside.MECHANISM,
]

#: The order of arrays in stores. Variables not listed here come after these.
_STORED = (
    *("crowd", "arrests", "jailed", "deaths_protesters", "deaths_security", "legitimacy"),
    *("deaths_allied", "loyal_share", "internet", "belief_home", "belief_abroad"),
    *("outside_belief", "in_office", "troops_announced", "troops_present"),
    *(
        "vote",
        "contribution_day",
        "arrival_day",
        "patron",
        "log_guidance",
        "log_thinning",
        "ruled_out",
    ),
    *(f"event_{event}" for event in EVENTS),
)

#: The order, among an ensemble's inputs, of the draws made once a run. Others come after these.
_DRAWN = (
    *("alliance.factor", "airlift.assembled", "forces.strength"),
    *("leader.patron", "leader.shutdown_days"),
    *("airlift.lag", "alliance.announced", "streets.legitimacy"),
)

#: Outputs that no single mechanism writes.
_SHARED = (
    Variable("log_guidance", (), "float64", "nat", "log-probability of replayed decisions"),
    Variable("log_thinning", (), "float64", "nat", "log importance weight of unreported events"),
    Variable("ruled_out", (), "int16", "bits", "replayed decisions that the run's rules exclude"),
)


def _event(name: str) -> Variable:
    return Variable(
        f"event_{name}", (), "int16", "day", f"day of {name}, -1 if never", lambda s: s.events[name]
    )


def _rank(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)


def _variables() -> dict[str, Variable]:
    own = [v for mechanism in ORDER for v in mechanism.outputs]
    all_ = [*own, *_SHARED, *(_event(name) for name in EVENTS)]
    return {v.name: v for v in sorted(all_, key=lambda v: _rank(v.name, _STORED))}


#: All output variables by name, in the order of a store.
VARIABLES: dict[str, Variable] = _variables()


def luck() -> list[Luck]:
    """Return the declared draws made once a run, in the order of an ensemble's inputs."""
    declared = [item for mechanism in ORDER for item in mechanism.luck]
    return sorted(declared, key=lambda item: _rank(item.purpose, _DRAWN))


def mechanism(name: str) -> Mechanism:
    """Return the mechanism with this name."""
    return next(m for m in ORDER if m.name == name)


@contextmanager
def extended(new: Mechanism, *, after: str) -> Iterator[None]:
    """Insert a mechanism after another one for the length of a ``with`` block.

    It is on in every run simulated in this process. Stores made meanwhile hold its outputs and
    belong to the extended model only.

    Parameters
    ----------
    new : Mechanism
    after : str
        Name of the mechanism that acts before it on each day.

    Raises
    ------
    InputError
        If its name, or the name of one of its outputs, is taken.
    """
    names = [m.name for m in ORDER]
    taken = {*names, *VARIABLES} & {new.name, *(v.name for v in new.outputs)}
    if taken:
        raise InputError(f"names of their own for a mechanism and its outputs (found {min(taken)})")
    ORDER.insert(names.index(after) + 1, new)
    VARIABLES.update((v.name, v) for v in new.outputs)
    try:
        yield
    finally:
        ORDER.remove(new)
        for variable in new.outputs:
            del VARIABLES[variable.name]
