# What a developer runs. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The tests that read REDIS_ENABLED, or would ask a server that is not there.
TOUCH_REDIS := tests/unit/kit tests/unit/probe tests/unit/health_rules tests/unit/cli tests/unit/doctor tests/unit/settings \
  tests/contract/kit tests/contract/redis/test_client.py tests/integration/kit tests/integration/probe \
  tests/scenarios/test_cache_commands.py tests/scenarios/test_limits.py \
  tests/scenarios/test_redis_commands.py tests/scenarios/test_redis_faults.py \
  tests/architecture/test_kit_imports.py

# What is run again on the testbed's other engine: .ci/run says which is which.
OTHER_DOCKER := tests/contract/docker tests/integration/testbed tests/scenarios/sandbox/test_runs.py

.DEFAULT_GOAL := help
.PHONY: help install check quick test test-without-redis test-docker demo docs unasync lock bench bench-migrate clean
.PHONY: up-prod up-dev up-local down migrate debug-pubsub

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

install: $(READY) ## Make .venv with opsctl and the tools, byte-compiled

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q opsctl
	@touch $@

check: install ## Lint, types, layers, shape, words, pages, our own rules (needs docker compose)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --config pyproject.toml
	$(BIN)/python scripts/shape
	$(BIN)/python scripts/words
	$(BIN)/python scripts/docs --check
	$(BIN)/python scripts/unasync --check
	$(BIN)/opsctl check

quick: install ## The part of check that takes a second
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/shape --quiet

test: install ## Run the tests; what needs a missing server skips by name
	$(BIN)/python -m pytest

test-without-redis: install ## Test kit, probes and commands again with REDIS_ENABLED=false and no server
	REDIS_ENABLED=false OPSCTL_REQUIRE= OPSCTL_TEST_REDIS_SERVER=none $(BIN)/python -m pytest $(TOUCH_REDIS)

test-docker: install ## Test again what needs Docker most, on another engine
	OPSCTL_REQUIRE=docker,root $(BIN)/python -m pytest $(OTHER_DOCKER)

demo: install ## Create a project in a temporary folder: init, config, doctor
	@scripts/demo $(BIN)/opsctl

docs: install ## Generate the pages that are made from the code
	$(BIN)/python scripts/docs

unasync: install ## Generate the sync form of the kit from the async one
	$(BIN)/python scripts/unasync

up-prod: install ## Deploy production, verify it, clean up; ARGS=-n shows the plan
	$(BIN)/opsctl up -e prod $(ARGS)

up-dev: install ## Deploy the development stack, without a clean-up
	$(BIN)/opsctl up -e dev $(ARGS)

up-local: install ## Deploy on this machine, with databases in local volumes
	$(BIN)/opsctl up -e local $(ARGS)

down: install ## Stop an environment, keep volumes: make down ENV=dev
	$(BIN)/opsctl down -e $(or $(ENV),dev) $(ARGS)

migrate: install ## Apply migrations/*.sql: make migrate ENV=dev
	$(BIN)/opsctl migrate -e $(or $(ENV),dev) $(ARGS)

debug-pubsub: install ## Show who subscribes to which channel; exit 3 if nobody does
	$(BIN)/opsctl debug pubsub -e $(or $(ENV),dev) $(ARGS)

bench: install ## Measure beside the peers; each figure is a ratio from one run
	$(BIN)/python scripts/bench/startup
	$(BIN)/python scripts/bench/deploy
	$(BIN)/python scripts/bench/migrate --quick
	$(BIN)/python scripts/bench/sandbox
	$(BIN)/python scripts/bench/with-peers

bench-migrate: install ## Measure migrations beside dbmate and psql: 1 to 5,000 files, 15 minutes
	$(BIN)/python scripts/bench/migrate
	$(BIN)/python scripts/bench/migrate --large

lock: ## Resolve the dependencies; releases younger than a week wait
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --all-extras --group dev \
	  --exclude-newer "$$(date -u -d '7 days ago' +%F)" pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --constraint requirements.lock \
	  --exclude-newer "$$(date -u -d '7 days ago' +%F)" pyproject.toml -o requirements.runtime.lock

clean: ## Remove .venv and what the tools left behind
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
