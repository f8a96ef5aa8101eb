# Broadstreet's commands. All that a machine needs beforehand is make and Python 3.11 or newer.
#
# The first run makes .venv from constraints.txt; later runs notice that it stands. PYTHON=… chooses another Python,
# DATA=… another data folder for the demo.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
DATA ?= data
VENV_PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check bench portal pins clean environment

help:
	@echo "make demo      a whole city on this machine: engines, 500 simulated devices, 30 days of history, the portal"
	@echo "make test      every linter and every test; about fifteen minutes on two cores"
	@echo "make check     the linters alone; under a minute"
	@echo "make bench     the benchmarks, each ending in a line of JSON; about five minutes"
	@echo "make portal    builds the web portal into the package"
	@echo "make pins      renews constraints.txt"
	@echo "make clean     removes what was built; your data folder stays"

environment:
	@test -n "$(PYTHON)" || { echo "Broadstreet needs Python 3.11 or newer, and found none."; exit 1; }
	@$(PYTHON) -m tools.environment

portal: environment
	@$(VENV_PYTHON) -m webapp.build

demo: portal
	@.venv/bin/broadstreet demo --data-dir $(DATA)

check: environment
	@$(VENV_PYTHON) -m tools.check

test: check portal
	@$(VENV_PYTHON) -m tools.suite

bench: environment
	@$(VENV_PYTHON) -m tools.bench

pins: environment
	@$(VENV_PYTHON) -m tools.pins

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov build dist
	rm -rf webapp/node_modules webapp/dist broadstreet/portal/static
	find . -name __pycache__ -type d -not -path './data/*' -exec rm -rf {} +
