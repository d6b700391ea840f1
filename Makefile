# The verbs of the workshop. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help install check quick test demo docs lock bench clean

help: ## List the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(READY) ## Make .venv with opsctl and the tools, byte-compiled

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q opsctl
	@touch $@

check: install ## Lint, types, floors, shape, docs: all that needs no server
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --config pyproject.toml
	$(BIN)/python scripts/shape
	$(BIN)/python scripts/docs --check

quick: install ## The part of check that is done in a second
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/shape --quiet

test: install ## Run the tests; what needs a missing server skips by name
	$(BIN)/python -m pytest

demo: install ## A project from nothing: init, config, doctor, in a temporary folder
	@scripts/demo $(BIN)/opsctl

docs: install ## Write the generated pages again
	$(BIN)/python scripts/docs

bench: install ## Measure start-up against click, and the kit against its peers
	$(BIN)/python scripts/bench/startup
	$(BIN)/python scripts/bench/redis

lock: ## Resolve the dependencies again; releases younger than a week wait
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --all-extras --group dev \
	  --exclude-newer "$$(date -u -d '7 days ago' +%F)" pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --constraint requirements.lock \
	  --exclude-newer "$$(date -u -d '7 days ago' +%F)" pyproject.toml -o requirements.runtime.lock

clean: ## Remove what the tools left
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
