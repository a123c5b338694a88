"""Default numbers of runs and pairs, and the weight of history in an answer.

`tests/test_defaults.py` checks the pages that state the numbers of runs.
"""

#: Runs behind a forecast, and behind all that is read from one.
FORECAST_RUNS = 16_000
#: Runs that ``foedus.run`` and ``foedus run`` make.
RUNS = 1_000
#: Pairs of runs behind a counterfactual, and behind the share of chance.
PAIRS = 400
#: Runs held in memory at once while a store is read.
BLOCK = 1_000
#: Weight of history in the pool of simulation and history; the rest is the simulation's. With so
#: few past crises nothing finer than equal weights is defensible: the page of the back-test shows
#: the best weight leave-one-out, and what one half loses against it.
HISTORY_WEIGHT = 0.5
