# make run    set up, start a server, deploy and invoke examples/hello, keep serving until Ctrl-C
# make test   set up and run the tests (ARGS="...": some)  make lint   ruff, mypy, import rules
# make test-all  and those that every change can do without
# make bench  measure                             make docs   regenerate the generated pages
# make lock   renew the lock files                make clean  remove what all of these made
# make screenshots  take the pictures in docs/console.md anew
#
# Everything is made in .venv/ and .ingle/. Stamps keep a second run from doing anything twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
HOME_DIR := .ingle
RUN_STAMP := $(VENV)/.ingle-run
DEV_STAMP := $(VENV)/.ingle-dev
SYSTEM_STAMP := $(HOME_DIR)/.system
RUNTIMES_STAMP := $(HOME_DIR)/.runtimes
CONSOLE_STAMP := $(HOME_DIR)/.console

export INGLE_DATA_DIR ?= $(CURDIR)/$(HOME_DIR)/data
export INGLE_RUNTIMES_DIR ?= $(CURDIR)/$(HOME_DIR)/runtimes

.PHONY: help run test test-all lint bench docs screenshots lock setup setup-dev clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

run: setup
	@exec $(BIN)/ingle try examples/hello

test: setup-dev
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@scripts/test.sh $(BIN)/python
endif

test-all: setup-dev
	@scripts/test.sh $(BIN)/python "thorough or not thorough"

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: setup-dev
	@exec $(BIN)/python -m benchmarks $(ARGS)

docs: setup-dev
	@$(BIN)/python scripts/generate_docs.py

screenshots: setup-dev
	@$(BIN)/python scripts/take_screenshots.py

lock: setup-dev
	@$(BIN)/python scripts/lock.py

setup: $(RUN_STAMP) $(SYSTEM_STAMP) $(RUNTIMES_STAMP) $(CONSOLE_STAMP)

setup-dev: $(DEV_STAMP) $(SYSTEM_STAMP) $(RUNTIMES_STAMP) $(CONSOLE_STAMP)

$(RUN_STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@scripts/setup.sh environment $(VENV)
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(RUN_STAMP)
	@scripts/setup.sh development $(VENV)
	@touch $@

$(SYSTEM_STAMP): scripts/setup.sh
	@mkdir -p $(HOME_DIR)
	@scripts/setup.sh system
	@touch $@

# Without a network functions run without the AWS SDK, without a JDK not in Java: no reason to stop, and tried again the
# next time.
JAVA_SOURCES := $(shell find src/ingle/runtimes/java -name '*.java')
$(RUNTIMES_STAMP): $(RUN_STAMP) $(wildcard src/ingle/worker/families/*_libraries.py) $(JAVA_SOURCES)
	@mkdir -p $(HOME_DIR)
	@if $(BIN)/ingle runtimes install; then touch $@; fi

# Without Node.js, and without a package index to get it from, the server runs without its console.
CONSOLE_SOURCES := $(shell find console -name node_modules -prune -o -name e2e -prune -o -type f -print)
$(CONSOLE_STAMP): $(RUN_STAMP) scripts/build_console.py $(CONSOLE_SOURCES)
	@mkdir -p $(HOME_DIR)
	@if $(BIN)/python scripts/build_console.py; then touch $@; fi

clean:
	@rm -rf $(VENV) $(HOME_DIR) console/node_modules src/ingle/console/built build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests examples benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +
