# Warehouse14. Every target makes what it needs.

PYTHON ?= python3
PORT ?= 6543
INI ?= development.ini
ARCHITECTURE ?= arm64
SETTINGS ?=

VENV := .venv
BIN := $(VENV)/bin
CLIENTS := .tools/clients
MORE_CLIENTS := .tools/clients-more
LOCALSTACK := .tools/localstack
SWIFT := .tools/swift
NODE := .tools/node
NPM := .tools/npm
DYNAMODB := .tools/dynamodb-local
# Files of tests are spread over processes; each file runs in one, in order.
PYTEST := $(BIN)/pytest --dist=loadfile --numprocesses
PROCESSES ?= 2
# What "make test" leaves out waits for servers half of the time.
MORE_PROCESSES ?= 3
INSTALL := requirements/install

.DEFAULT_GOAL := help
.PHONY: help serve test test-all screenshots permissions function check lint types imports lock bench clean

help:  ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(VENV)/.runtime  ## Serve development.ini on 127.0.0.1:6543 (PORT=NNNN for another port)
	@$(BIN)/warehouse14 --ini $(INI) init --quiet --listen 127.0.0.1:$(PORT)
	@exec $(BIN)/warehouse14 --ini $(INI) serve --listen 127.0.0.1:$(PORT)

# What "make test" runs: quick, and with nothing that PyPI does not have.
QUICK := not debian and not registry and not npm and not thorough
# The tree on which it passed whole.
PASSED := .tools/passed

test: $(VENV)/.test $(CLIENTS)/.made $(LOCALSTACK)/.made  ## Run the tests that need PyPI alone
	@rm -f $(PASSED)
	$(PYTEST) $(PROCESSES) -m "$(QUICK)" $(PYTEST_ARGS)
	@if [ -z "$(PYTEST_ARGS)" ]; then tests/tree > $(PASSED); fi
	@echo "make test did not run: the tests in a browser, against nginx and MariaDB and on a small disk (Debian), those with Swift, poetry, pdm and well-known files from PyPI, those with an identity provider and DynamoDB Local from npm, the walks over all pages as each kind of person, the other pairs of engines, providers that are broken, several indexes in one process, output that nobody takes, stores that are silent, and the longer tests on other servers, of moved sites, of old sites that are taken over, of uploads straight to a store and of the code and the roles of functions on AWS. make test-all runs them, too."

# On a tree on which "make test" has just passed it runs what that left out.
test-all: $(VENV)/.test $(CLIENTS)/.made $(LOCALSTACK)/.made $(SWIFT)/.made $(MORE_CLIENTS)/.made $(NPM)/.made $(DYNAMODB)/.made  ## Run all tests; installs packages from Debian, and DynamoDB Local under AWS's own licence
	tests/install-debian
	@if [ -s $(PASSED) ] && [ "$$(tests/tree)" = "$$(cat $(PASSED))" ]; then \
		echo "make test passed on this tree: what it left out is run."; \
		$(PYTEST) $(MORE_PROCESSES) -m "not ($(QUICK))" $(PYTEST_ARGS); \
	else \
		$(PYTEST) $(MORE_PROCESSES) $(PYTEST_ARGS); \
	fi

screenshots: $(VENV)/.test  ## Make docs/screenshots anew; needs what test-all installs
	SCREENSHOTS=docs/screenshots $(BIN)/pytest tests/browser/test_screenshots.py

permissions: $(VENV)/.test  ## Write docs/permissions.md anew
	PYTHONPATH=tests $(BIN)/python -m permissions.table docs/permissions.md

# For the release of Python that made the environment: a set has one order, so that the same sources make the same bytes.
function: $(VENV)/.runtime requirements/function.txt  ## Make build/function.zip for AWS Lambda (ARCHITECTURE=x86_64, SETTINGS=site.ini)
	@PYTHONHASHSEED=0 $(BIN)/python deploy/aws/make_function.py --architecture $(ARCHITECTURE) $(if $(SETTINGS),--settings $(SETTINGS)) build/function.zip

check: lint types imports  ## Lint, types and import rules

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

imports: $(VENV)/.test
	$(BIN)/lint-imports

bench: $(VENV)/.test $(LOCALSTACK)/.made $(DYNAMODB)/.made  ## Measure against the ceiling and the peers; writes benchmarks/results.md
	benchmarks/run

lock: $(VENV)/.test  ## Choose new versions for requirements/*.txt
	$(BIN)/uv pip compile $(UV_LOCK) setup.py --output-file requirements/runtime.txt
	$(BIN)/uv pip compile $(UV_LOCK) requirements/uv.in --output-file requirements/uv.txt
	$(BIN)/uv pip compile $(UV_LOCK) requirements/test.in --output-file requirements/test.txt
	$(BIN)/uv pip compile $(UV_LOCK) --extra aws --extra postgresql --extra metrics --constraint requirements/runtime.txt setup.py --output-file requirements/server.txt
	$(BIN)/uv pip compile $(UV_LOCK) --extra lambda --constraint requirements/runtime.txt setup.py --output-file requirements/function.txt
	$(BIN)/uv pip compile $(UV_LOCK) requirements/clients.in --output-file requirements/clients.txt
	$(BIN)/uv pip compile $(UV_LOCK) requirements/clients-more.in --output-file requirements/clients-more.txt
	$(BIN)/uv pip compile $(UV_LOCK) requirements/node.in --output-file requirements/node.txt
	$(BIN)/uv pip compile $(UV_LOCK) requirements/localstack.in --output-file requirements/localstack.txt
	$(BIN)/uv pip compile $(UV_LOCK) requirements/swift.in --output-file requirements/swift.txt
	$(BIN)/uv pip compile $(UV_LOCK) benchmarks/peers-pypiserver.in --output-file benchmarks/peers-pypiserver.txt
	$(BIN)/uv pip compile $(UV_LOCK) benchmarks/peers-devpi.in --output-file benchmarks/peers-devpi.txt

UV_LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --constraint requirements/constraints.in

clean:  ## Remove the environments and caches; var/ stays
	rm -rf $(VENV) .tools build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/bin/uv: $(VENV)/bin/python requirements/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/uv.txt
	@touch $@

$(VENV)/.runtime: $(VENV)/bin/uv setup.py requirements/runtime.txt
	@echo "Installing Warehouse14 into $(VENV) ..."
	@$(INSTALL) $(VENV) -r requirements/runtime.txt
	@$(INSTALL) $(VENV) --no-deps -e .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.test: $(VENV)/.runtime requirements/test.txt
	@echo "Installing what the tests need into $(VENV) ..."
	@$(INSTALL) $(VENV) -r requirements/test.txt
	@touch $@

# "clients" are those that every run of the tests drives, "clients-more" and "node" are what test-all has on top. A
# lock names all that is needed; pip does not see that "hishel==1.2.1" is the "hishel[httpx]" that pdm asks for.
.tools/%/.made: requirements/%.txt $(VENV)/bin/uv
	@echo "Installing what the tests drive into $(@D) ..."
	@$(PYTHON) -m venv $(@D)
	@$(INSTALL) $(@D) --no-deps -r $<
	@touch $@

# Nothing that is installed runs scripts of its own.
$(NPM)/.made $(DYNAMODB)/.made: .tools/%/.made: tests/%/package.json tests/%/package-lock.json tests/%/.npmrc $(NODE)/.made
	@echo "Installing what the tests run of npm into $(@D) ... $(NOTICE)"
	@mkdir -p $(@D)
	@cp tests/$*/package.json tests/$*/package-lock.json tests/$*/.npmrc $(@D)
	@cd $(@D) && $(CURDIR)/$(NODE)/bin/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(DYNAMODB)/.made: NOTICE = This is DynamoDB Local, under AWS's own licence and no free one: whoever uses it needs an AWS account in good standing, and may not pass it on. Its LICENSE.txt lies beside it; make test runs without it.
