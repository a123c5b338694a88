"""Streets: Epstein's civil-violence model on a torus per city (doi 10.1073/pnas.092080199)."""

from foedus.world.lattice.model import StreetState, StreetTicks, advance, create, simulate
from foedus.world.lattice.model_two import TwoGroupOptions, simulate_two
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
from foedus.world.lattice.outbursts import Outbursts, find_outbursts, tail_fit
from foedus.world.lattice.paper import PaperRun, PaperRunTwo, paper_run, paper_run_two
from foedus.world.lattice.warming import warm

__all__ = [
    "READINGS",
    "Activation",
    "JailClock",
    "JailTerm",
    "JailedCell",
    "Movement",
    "Neighbourhood",
    "Order",
    "Outbursts",
    "PaperRun",
    "PaperRunTwo",
    "Placement",
    "Rounding",
    "SelfCount",
    "StreetOptions",
    "StreetState",
    "StreetTicks",
    "TwoGroupOptions",
    "advance",
    "create",
    "find_outbursts",
    "paper_run",
    "paper_run_two",
    "reading",
    "simulate",
    "simulate_two",
    "tail_fit",
    "warm",
]
