# `make demo` and `make test` set everything up by themselves; they need Python 3.11+ with pip.
# The environment is .venv, from lock files with hashes; a stamp beside it makes second calls quick.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CORE   := $(VENV)/.stamp-core
DEV    := $(VENV)/.stamp-dev
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode

SHRINK := $(BIN)/python tools/pictures.py

# Where uv cannot link from its cache to here it copies; that is no reason for a warning.
export UV_LINK_MODE ?= copy

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow chromium docs lock bench bench-streets replication backtest bench-casebook bench-scaling bench-calibration bench-startup scorecard ratings

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "make %-15s %s\n", $$1, $$2}'

demo: $(CORE)  ## forecast Kazakhstan as of 2022-01-07 and write the brief
	@$(BIN)/foedus forecast kazakhstan-2022 --as-of 2022-01-07

test: $(DEV)  ## lint, strict types, tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy >$(VENV)/mypy.txt 2>&1 & types=$$!; \
	    $(BIN)/pytest -m "not slow" -n auto --dist loadfile; tests=$$?; \
	    wait $$types; types=$$?; cat $(VENV)/mypy.txt; exit $$((tests + types))

test-slow: $(DEV)  ## the statistical and long tests, or a part of them: SLICE=3/7
	@$(BIN)/pytest -m slow $(if $(SLICE),--slice $(SLICE))

chromium:  ## install Debian's Chromium, which the tests of the page need (as root)
	@if [ "$$(id -u)" != 0 ]; then echo "This needs root: sudo make chromium"; exit 1; fi
	@apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium

docs: $(DEV)  ## build the site into docs/_build/html; a warning is an error
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo docs/_build/html/index.html

bench: $(DEV)  ## time the ensemble
	@$(BIN)/python benchmarks/ensemble.py

bench-streets: $(DEV)  ## time the street kernel
	@$(BIN)/python benchmarks/streets.py
	@$(SHRINK)

replication: $(DEV)  ## compare the street model with the paper's claims
	@$(BIN)/python benchmarks/streets_replication.py
	@$(SHRINK)

backtest: $(DEV)  ## forecast every crisis of the casebook through the whole path, and score it
	@$(BIN)/python tools/backtest_page.py
	@$(SHRINK)

bench-casebook: $(DEV)  ## back-test the casebook's models
	@$(BIN)/python benchmarks/casebook.py
	@$(SHRINK)

bench-scaling: $(DEV)  ## measure scaling and storage of ensembles, and what 10^8 runs would cost
	@$(BIN)/python benchmarks/scaling.py

bench-startup: $(DEV)  ## time import foedus and foedus --help
	@$(BIN)/python benchmarks/startup.py

N ?= 500

bench-calibration: $(DEV)  ## test the calibration of forecasts on N synthetic crises
	@$(BIN)/python benchmarks/calibration.py --crises $(N)
	@$(SHRINK)

scorecard: $(DEV)  ## forecast all shipped cases day by day, and write the pages of their scores
	@$(BIN)/python tools/scorecard.py
	@$(SHRINK)

ratings: $(DEV)  ## print how far two coders agree on the ratings of the shipped cases' facts
	@$(BIN)/python tools/rating_agreement.py

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header

lock: $(BIN)/uv  ## resolve pyproject.toml again and rewrite the lock files
	@$(COMPILE) pyproject.toml -o requirements/core.txt
	@$(COMPILE) pyproject.toml --extra bayes --extra cluster --extra export --extra notebook --group dev \
	    -c requirements/core.txt -o requirements/dev.txt

UV_INSTALL := install --quiet --require-hashes -r requirements/uv.txt

# The virtual environment, and uv in it. Some systems ship venv without ensurepip: use their pip.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("foedus needs Python 3.11 \
	or newer, this is " + sys.version.split()[0] + "; name another: make PYTHON=python3.12")'
	@echo "Setting up $(VENV)"
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
	    $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip $(UV_INSTALL); \
	else \
	    $(PYTHON) -m venv --without-pip $(VENV) \
	    && $(PYTHON) -m pip --python $(BIN)/python $(UV_INSTALL); \
	fi

$(CORE): requirements/core.txt pyproject.toml | $(BIN)/uv
	@echo "Installing foedus from requirements/core.txt"
	@$(INSTALL) --require-hashes -r requirements/core.txt
	@$(INSTALL) --no-deps -e .
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(BIN)/uv
	@echo "Installing foedus and its tools from requirements/dev.txt"
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@$(INSTALL) --no-deps -e .
	@touch $@ $(CORE)
