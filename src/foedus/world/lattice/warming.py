"""Compile the kernels of the streets before they are needed; a kernel takes some ten seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from foedus.world.lattice.model import _lattice, advance, create
from foedus.world.lattice.model_two import TwoGroupOptions, simulate_two
from foedus.world.lattice.options import READINGS, StreetOptions, reading

#: Sides of a small lattice and of a large one: the kernel is compiled for each of the two. A large
#: one needs several words of bits in a row; under the readings' vision of 7 it is 42 cells wide.
SMALL, LARGE = 15, 49


def variants(names: Iterable[str], sides: Iterable[int]) -> list[tuple[str, StreetOptions]]:
    """Return lattices that between them need every kernel of some readings, with a label each."""
    found: dict[tuple[str, ...], StreetOptions] = {}
    for side in sides:
        for name in names:
            options = reading(name, width=side, height=SMALL)
            plan = _lattice(options).plan
            choices = (
                "agents sharing cells" if plan.shares else "agents with a cell each",
                "acting first" if plan.act_first else "moving first",
                "large lattice" if plan.spread else "small lattice",
            )
            found.setdefault(choices, options)
    return [(", ".join(choices), options) for choices, options in found.items()]


def warm(
    names: Iterable[str] = tuple(READINGS),
    *,
    sides: Iterable[int] = (SMALL, LARGE),
    two_groups: bool = True,
) -> Iterator[str]:
    """Compile kernels of the streets, or load them; yield a name after each.

    By default all that any reading needs on any lattice, and Model II.

    Parameters
    ----------
    names : iterable of str
        Readings.
    sides : iterable of int
        Widths of lattices, at least 15: those above 41 have kernels of their own.
    two_groups : bool
        Whether Model II too.
    """
    for i, (label, options) in enumerate(variants(names, sides)):
        state = create(options, seed=0, runs=[0])
        if i == 0:
            yield "streets: placing"
        advance(state, options=options, seed=0, runs=[0], day=0, ticks=1)
        yield f"streets: moving, {label}"
    if two_groups:
        simulate_two(TwoGroupOptions(), seed=0, runs=1, ticks=1)
        yield "streets: two groups"
