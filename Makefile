# One command per chore; each sets up what it needs.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

up: ## set up, and run worker, scheduler and web pages on an embedded database
	$(PYTHON) -m venv .venv && $(BIN)/pip install -q -e . && $(BIN)/taskmanager up

test: ## set up, and run all tests on the databases that are found
	$(PYTHON) -m venv .venv && $(BIN)/pip install -q -e '.[dev]' && $(BIN)/python -m pytest

test-sqlite: ## the tests on SQLite only (after `make test` has set up)
	$(BIN)/python -m pytest --engines=sqlite

lint: ## style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: ## types, on Linux, Windows and macOS
	$(BIN)/mypy
	$(BIN)/mypy -p taskmanager -p webui --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/mypy -p taskmanager -p webui --platform darwin --cache-dir .mypy_cache/darwin

arch: ## the rooms and their directions
	$(BIN)/lint-imports

coverage: ## tests with coverage
	$(BIN)/python -m pytest --cov --cov-report=term

bench: ## all figures for one database: make bench URL=mysql://user:password@host/empty_database
	$(BIN)/python -m benchmarks $(URL)

audit: ## known vulnerabilities of what requirements.lock pins; asks PyPI, so it needs the network
	$(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip install -q 'pip-audit>=2.9,<3'
	.venv-audit/bin/pip-audit --strict --disable-pip --no-deps --progress-spinner off $(AUDIT) -r requirements.lock

clean: ## remove what can be made again
	rm -rf .venv .venv-audit .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build *.egg-info

.PHONY: help up test test-sqlite lint types arch coverage bench audit clean
