# make demo   the whole family on this machine, nothing to sign up for
# make test   all checks and tests; with CI=true the slow matrices too
# Needs Python 3.11 or newer, git and make. Everything else goes into .venv.

SHELL := /bin/sh
ifndef PYTHON
PYTHON := $(shell for one in python3 python3.13 python3.12 python3.11 python; do \
	"$$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$one"; break; }; done)
endif
BIN := .venv/bin
# Some tests wait: four workers keep two cores busy. Those of CI are heavier.
WORKERS ?= $(if $(CI),auto,$(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) * 2 ))))
TESTS ?=
CODE := src tests $(wildcard benchmarks)

.DEFAULT_GOAL := help
.PHONY: help demo test tests check style types imports compiled quick soak format bench live lock wheel clean python

help:
	@sed -n '1,3s/^# //p' Makefile
	@echo "make check   the checks without the tests;  make quick   the tests without the slow ones"
	@echo "make soak    random steps on a whole family for an hour or so (RUNS=500)"
	@echo "make format  mend style;  make wheel   build into dist/;  make clean"
	@echo "make bench REPO=path [FOLDER=dir]   compare with git subtree and others on a clone of yours"
	@echo "make lock    raise what the jobs of ci install (on x86_64 Linux, with Python 3.13)"
	@echo "make live    one sync and one tag on the real Hub, in a namespace and with a token of yours"

python:
	@test -n "$(PYTHON)" || { \
		echo "error: Python 3.11 or newer was not found." >&2; \
		echo "next: install it, or name it: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $(PYTHON) is not Python 3.11 or newer." >&2; \
		echo "next: name another: make PYTHON=/path/to/python3.12" >&2; exit 2; }

# A stamp says for which pyproject.toml and entry point the packages were installed; the second time nothing is done.
.venv/run.stamp: pyproject.toml | python
	"$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev.stamp: pyproject.toml | python
	"$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch .venv/run.stamp $@

demo: .venv/run.stamp
	@$(BIN)/openllm-repos demo

check: style
	@$(MAKE) --no-print-directory -j 2 types imports

style: .venv/dev.stamp
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: .venv/dev.stamp
	$(BIN)/mypy $(CODE)

imports: .venv/dev.stamp
	$(BIN)/lint-imports

# Once, in place of once in each worker.
compiled: .venv/dev.stamp
	@$(BIN)/python -m pytest --collect-only --quiet --no-cov >/dev/null

# The slow matrices (every git call of a sync failed and killed, 200,000 commits, the wheel) and the rarer stories run
# where CI is set.
SELECTED := $(if $(CI),,-m "not slow")
# Hundreds of processes would each compile the whole tool anew.
unexport PYTHONDONTWRITEBYTECODE

# In memory, where it may hold programs and has room, what the tests do with thousands of repositories costs a seventh less.
ROOM = $(shell [ "$$(df -Pk /dev/shm 2>/dev/null | awk 'END {print int($$4 / 1000000)}')" -ge 6 ] && \
	one=$$(mktemp /dev/shm/tests-XXXXXX) && { printf '\043!/bin/sh\n' >"$$one"; chmod +x "$$one"; \
	"$$one" 2>/dev/null && echo PYTEST_DEBUG_TEMPROOT=/dev/shm; rm "$$one"; })

test: style
	@$(MAKE) --no-print-directory -j 2 types tests

tests: imports compiled
	$(ROOM) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(SELECTED) --cov --cov-report=term $(TESTS)

quick: .venv/dev.stamp
	$(ROOM) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(TESTS)

# Random steps of people and the tool on a whole family, 100 a run: continuous integration makes the same 20 runs each time.
RUNS ?= 500
soak: .venv/dev.stamp
	SOAK_RUNS=$(RUNS) $(BIN)/python -m pytest -n $(WORKERS) -s tests/property/test_family_stateful.py

format: .venv/dev.stamp
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

bench: .venv/dev.stamp
	@test -n "$(REPO)" || { echo "error: name a clone to measure on: make bench REPO=path" >&2; exit 2; }
	$(BIN)/python benchmarks/split.py "$(REPO)" $(FOLDER)

# One sync and one tag on the real Hub, in a Space that is deleted again; says what it needs.
live: .venv/dev.stamp
	@$(BIN)/python -m tests.live.hub

# What the jobs of `ci` install beside the tool, by hash: asks the package index, and leaves the diff to be read.
lock: python
	"$(PYTHON)" .ci/lock

wheel: .venv/dev.stamp
	$(BIN)/python -m build --outdir dist .

clean:
	rm -rf .venv dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
