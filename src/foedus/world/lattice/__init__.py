"""Streets: Epstein's civil-violence model on a torus per city (doi 10.1073/pnas.092080199)."""

from foedus.world.lattice.model import StreetState, StreetTicks, advance, create, simulate, warm
from foedus.world.lattice.options import (
    READINGS,
    Activation,
    JailClock,
    JailedCell,
    JailTerm,
    Movement,
    Neighbourhood,
    Order,
    Placement,
    Rounding,
    SelfCount,
    StreetOptions,
    reading,
)

__all__ = [
    "READINGS",
    "Activation",
    "JailClock",
    "JailTerm",
    "JailedCell",
    "Movement",
    "Neighbourhood",
    "Order",
    "Placement",
    "Rounding",
    "SelfCount",
    "StreetOptions",
    "StreetState",
    "StreetTicks",
    "advance",
    "create",
    "reading",
    "simulate",
    "warm",
]
