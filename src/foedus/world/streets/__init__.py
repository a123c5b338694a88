"""Streets: Epstein's civil-violence model on a torus per city (doi 10.1073/pnas.092080199)."""

from foedus.world.streets.model import StreetState, StreetTicks, advance, create, simulate
from foedus.world.streets.model_two import TwoGroupOptions, simulate_two
from foedus.world.streets.options import (
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
from foedus.world.streets.outbursts import Outbursts, find_outbursts, tail_fit
from foedus.world.streets.paper import PaperRun, PaperRunTwo, paper_run, paper_run_two
from foedus.world.streets.warming import warm

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
