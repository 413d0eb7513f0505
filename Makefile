# Everything that one does with a checkout. Each target sets up what it needs, from nothing:
#   make demo     see the gate at work
#   make test     run the tests
#   make help     what else there is
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,\
  $(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
VENV ?= .venv
PYTEST_ARGS ?=

# Where this is set, as in many containers, every module of the tests, and of each program that they
# start, is compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE

bin := $(VENV)/bin
pip := $(bin)/python -m pip install --quiet --disable-pip-version-check

# Stamps: what is installed, as of which pyproject.toml.
made := $(VENV)/.made
runs := $(VENV)/.runs
develops := $(VENV)/.develops
tools := .ci/tools/node_modules/.package-lock.json
linters := $(VENV)/.linters
slow := .ci/e2e/node_modules/.package-lock.json

.PHONY: help
help: ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

.PHONY: demo
demo: $(runs) ## gate three tasks on a simulated service; one of them blocks
	@$(bin)/precheck-gate demo; code=$$?; echo; \
	if [ $$code -eq 1 ]; then \
	  echo "The gate is closed: exit code 1, as it should be, for one task must not start."; \
	  echo "In a pipeline, the migration would not run. Try also: $(bin)/precheck-gate demo --pass"; \
	else \
	  echo "The demo ended with exit code $$code, not with 1." >&2; exit 1; \
	fi

.PHONY: test
test: $(develops) ## run the tests, on all cores (COVERAGE=1: and measure the coverage)
	$(bin)/python -m pytest --numprocesses auto --dist worksteal -m "not peer" $(if $(COVERAGE),--cov) $(PYTEST_ARGS)

.PHONY: peers
peers: $(develops) ## run the tests that need tools outside of Python, or a browser
	$(bin)/python -m pytest --numprocesses auto --dist loadgroup -m peer $(PYTEST_ARGS)

.PHONY: fuzz
fuzz: $(develops) ## judge N mangled answers of the service (N=200000 SEED=1)
	$(bin)/python -m tests.answer_fuzzing $(or $(N),200000) $(or $(SEED),1)

.PHONY: mutants
mutants: $(develops) ## test the tests: a sample of small changes to what decides (N=200 SEED=1; N=0 for all)
	$(bin)/python -m tests.mutation --sample $(or $(N),200) --seed $(or $(SEED),1)

.PHONY: lint
lint: $(develops) ## check style, imports and types
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/lint-imports --no-cache --no-logo
	$(bin)/mypy
	$(bin)/mypy integrations/github/action.py

.PHONY: format
format: $(develops) ## bring the code into the project's style
	$(bin)/ruff check --fix
	$(bin)/ruff format

.PHONY: bench
bench: $(develops) ## measure start-up and evaluation
	$(bin)/python benchmarks/startup.py
	$(bin)/python benchmarks/evaluate.py

.PHONY: pictures
pictures: $(develops) ## make the pictures of the documentation anew, from real runs (needs chromium)
	$(bin)/python docs/make_pictures.py

.PHONY: tools
tools: $(tools) $(linters) ## install the tools that check and run the CI examples (needs node)

.PHONY: e2e
e2e: $(develops) $(tools) $(linters) $(slow) ## run the tests that are too slow for every change (needs java)
	PRECHECK_GATE_E2E=1 PRECHECK_GATE_REQUIRE_PEERS=1 $(bin)/python -m pytest tests/peers/test_jenkins_lint.py $(PYTEST_ARGS)

.PHONY: lock
lock: $(develops) ## renew the locks of the GitHub action and of the tools
	$(pip) uv
	file=integrations/github/requirements.txt; \
	echo '# What the GitHub action and the container install beside the package itself, pinned by hash. Made by: make lock' > $$file.new; \
	$(bin)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate pyproject.toml integrations/github/build.in >> $$file.new; \
	mv $$file.new $$file
	for folder in .ci/tools .ci/e2e; do \
	  (cd $$folder && npm update --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved); done

.PHONY: clean
clean: ## remove all that was made
	rm -rf $(VENV) build dist .coverage .ci/tools/node_modules .ci/e2e/node_modules .gitlab-ci-local junit.xml report.json \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(made):
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed; none was found." >&2; exit 1; fi
	@$(PYTHON) -c 'import ensurepip' || \
	  { echo "This Python makes no virtual environments. On Debian: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(runs): pyproject.toml | $(made)
	$(pip) --editable .
	@touch $@

$(develops): pyproject.toml | $(made)
	$(pip) --editable '.[dev]'
	@touch $@ $(runs)

$(linters): .ci/tools/requirements.txt | $(develops)
	$(pip) --requirement .ci/tools/requirements.txt
	@touch $@

$(tools) $(slow): %/node_modules/.package-lock.json: %/package.json %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
