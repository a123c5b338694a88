"""The lattice study: the results of Epstein (2002, doi 10.1073/pnas.092080199), reproduced.

It covers the runs of the paper's Table 2, outbursts and the waiting times between them, and Model
II, violence between two groups. Forecasts do not use this package. It builds on
:mod:`foedus.streets`.

>>> from foedus.streets import simulate
>>> from foedus_streets import find_outbursts, paper_run
>>> run = paper_run(2)
>>> found = find_outbursts(simulate(run.options, seed=1, runs=4, ticks=200).actives)
"""

from foedus_streets.outbursts import Outbursts, find_outbursts, tail_fit
from foedus_streets.paper import PaperRun, PaperRunTwo, paper_run, paper_run_two
from foedus_streets.two_groups import TwoGroupOptions, simulate_two

__all__ = [
    "Outbursts",
    "PaperRun",
    "PaperRunTwo",
    "TwoGroupOptions",
    "find_outbursts",
    "paper_run",
    "paper_run_two",
    "simulate_two",
    "tail_fit",
]
