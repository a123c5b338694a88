"""Default numbers of runs and pairs. `tests/test_defaults.py` checks the pages that state them."""

#: Runs behind a forecast, and behind all that is read from one.
FORECAST_RUNS = 16_000
#: Runs that ``foedus.run`` and ``foedus run`` make.
RUNS = 1_000
#: Pairs of runs behind a counterfactual, and behind the share of chance.
PAIRS = 400
#: Runs held in memory at once while a store is read.
BLOCK = 1_000
