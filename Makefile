# The Python to use, where its environment lives and what is installed into it.
PYTHON ?= python3
VENV ?= .venv
REQUIREMENTS ?= requirements/dev.txt
# How long `make soak` takes.
MINUTES ?= 10
# How long clients read slowly in each scenario of `make slow-readers`.
SECONDS ?= 60
# How many requests `make isolation` sends to each kind of endpoint.
REQUESTS ?= 1000
# Where `make test-packages` runs what needs no other database: on SQLite, or on `postgres`.
DATABASE ?=

BIN := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)
export VIRTUAL_ENV := $(abspath $(VENV))
# Some environments switch it off, and every process of the tests would compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=

SOURCES := $(wildcard src tests example benchmarks typing_tests browser_tests scripts)

.DEFAULT_GOAL := help

.PHONY: help
help:  ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/run.stamp  ## Serve the example: API, docs page and admin
	PYTHON=$(abspath $(BIN))/python scripts/run

.PHONY: test
test: $(VENV)/dev.stamp  ## Run every test, on SQLite and on PostgreSQL
	env -u DATABASE_URL scripts/test
	AGAIN=1 python -m tests.postgres -- scripts/test

.PHONY: test-sqlite
test-sqlite: $(VENV)/dev.stamp  ## Run every test on SQLite
	env -u DATABASE_URL scripts/test

.PHONY: test-postgres
test-postgres: $(VENV)/dev.stamp  ## Run every test on PostgreSQL
	python -m tests.postgres -- scripts/test

.PHONY: coverage
coverage: $(VENV)/dev.stamp  ## Combine what runs with COVERAGE have recorded, and report what is missing
	coverage combine --quiet
	coverage report

.PHONY: test-load
test-load: $(VENV)/dev.stamp  ## Run the tests that send many requests at once to servers, on PostgreSQL
	LOAD=1 python -m tests.postgres -- scripts/test

# Which FastAPI: `upstream` is the newest, `upstream-oldest` the oldest that is supported.
UPSTREAM ?= upstream

.PHONY: test-upstream
test-upstream:  ## Run FastAPI's own tests, with its routes and with ours
	$(MAKE) upstream VENV=.venv-$(UPSTREAM) REQUIREMENTS=requirements/$(UPSTREAM).txt

.PHONY: upstream
upstream: $(VENV)/dev.stamp
	python scripts/test_upstream.py $(REQUIREMENTS)

# In an environment of its own: nothing else needs those packages.
.PHONY: test-packages
test-packages:  ## Run the tests of packages that people combine with Django
	$(MAKE) --no-print-directory run-test-packages VENV=$(VENV)-packages \
		REQUIREMENTS=requirements/packages.txt

.PHONY: run-test-packages
run-test-packages: $(VENV)/dev.stamp
	cd tests/packages && python -m pytest
	cd tests/packages && DATABASE=$(DATABASE) python -m apart

# In an environment of its own, too: some of these packages are not ready for the newest Django.
.PHONY: test-strangers
test-strangers:  ## Run the tests of schemas of all models of Wagtail, Oscar and others
	$(MAKE) --no-print-directory run-test-strangers VENV=$(VENV)-strangers \
		REQUIREMENTS=requirements/strangers.txt

.PHONY: run-test-strangers
run-test-strangers: $(VENV)/dev.stamp
	env -u DATABASE_URL scripts/test_strangers

.PHONY: test-django
test-django: $(VENV)/dev.stamp  ## Run Django's own tests of its ASGI handler on ours
	scripts/test_django

.PHONY: lint
lint: $(VENV)/dev.stamp  ## Check style and the direction of imports
	ruff check
	ruff format --check
	lint-imports
	shellcheck -x .ci/* $$(grep -rlE '^#!.*bash' scripts)
	scripts/check_no_cover

.PHONY: types
types: $(VENV)/dev.stamp  ## Check types
	DJANGO_SETTINGS_MODULE=tests.settings mypy
	DJANGO_SETTINGS_MODULE=goatfish.settings mypy example
	pyright
	scripts/docs_types

.PHONY: format
format: $(VENV)/dev.stamp  ## Format the code
	ruff check --fix
	ruff format

# In an environment of its own, as only the site needs it.
.PHONY: docs
docs:  ## Build the documentation site into build/site, with every link checked
	$(MAKE) --no-print-directory build-docs VENV=.venv-docs

.PHONY: build-docs
build-docs: $(VENV)/docs.stamp
	scripts/docs

.PHONY: contract
contract: $(VENV)/dev.stamp  ## Try the example over HTTP against its contract
	env -u DATABASE_URL scripts/contract
	env -u DATABASE_URL python -m tests.postgres -- scripts/contract
	env -u DATABASE_URL python -m tests.postgres -- \
		env CONTRACT_COVERAGE=1 pytest --quiet tests/test_contract.py

.PHONY: clients
clients: $(VENV)/dev.stamp $(VENV)-clients/stamp clients/typescript/node_modules/stamp  ## Make and try clients of the example, and of every kind of field (needs npm)
	env -u DATABASE_URL scripts/clients $(VENV)-clients

.PHONY: browser
browser: $(VENV)/dev.stamp docs  ## Try the example and the documentation site in a browser (needs chromium)
	pytest browser_tests

.PHONY: pictures
pictures: $(VENV)/dev.stamp  ## Take the documentation's pictures of the example anew (needs chromium)
	pytest browser_tests/test_pictures.py --pictures docs/images

# QUICK=1: fewer and shorter rounds, for a glance.
QUICK ?=
# AGAINST=HEAD~3, AGAINST=../checkout: compare this library with that state of it instead.
AGAINST ?=

.PHONY: bench
bench: $(VENV)/dev.stamp  ## Compare with other frameworks, or with AGAINST=revision, on PostgreSQL
	python -m benchmarks $(if $(QUICK),--quick) $(if $(AGAINST),--against '$(AGAINST)')

.PHONY: bench-routes
bench-routes: $(VENV)/dev.stamp  ## Compare the routes with plain FastAPI's
	scripts/bench $(if $(QUICK),--quick)

.PHONY: bench-instructions
bench-instructions: $(VENV)/dev.stamp  ## Count the instructions of hot functions (needs valgrind)
	python -m benchmarks.instructions

.PHONY: soak
soak: $(VENV)/dev.stamp  ## Break things under load for MINUTES=10, and check every answer
	python -m tests.soak --minutes $(MINUTES)

.PHONY: slow-readers
slow-readers: $(VENV)/dev.stamp  ## Have 200 clients read slowly for SECONDS=60, and see who else waits
	python -m tests.postgres -- python -m tests.slow_readers --seconds $(SECONDS)

# In an environment of its own: django-tenants is nothing that the other tests need.
# ONLY="rls-def schemas" takes some ways of keeping tenants apart; tests/isolation/matrix.py has all.
.PHONY: isolation
isolation:  ## Try whether a request ever sees another tenant's rows: REQUESTS=1000
	$(MAKE) --no-print-directory run-isolation VENV=$(VENV)-isolation \
		REQUIREMENTS=requirements/isolation.txt

.PHONY: run-isolation
run-isolation: $(VENV)/dev.stamp
	env -u DATABASE_URL python -m tests.postgres -- \
		python -m tests.isolation --requests $(REQUESTS) $(if $(ONLY),--only $(ONLY))

.PHONY: mutation
mutation: $(VENV)/dev.stamp  ## Try whether the tests notice faults: MODULE=routing.route SAMPLE=60 SEED=1
	uv pip install --quiet --require-hashes -r requirements/mutation.txt
	env -u DATABASE_URL nice python scripts/mutation.py $(MODULE) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

.PHONY: dist
dist: $(VENV)/dev.stamp  ## Build the wheel and the sdist into dist/, reproducibly; install the wheel and try it
	scripts/check_dist

.PHONY: template
template: $(VENV)/dev.stamp  ## Make a project as the README says, from the wheel, and try it
	python scripts/check_template.py

.PHONY: lock
lock: $(BIN)/uv  ## Pin the newest versions of everything
	scripts/lock

.PHONY: clean
clean:  ## Remove everything that was made
	rm -rf .venv* .cache build dist htmlcov .coverage* .hypothesis .*_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.13 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	touch $@

$(VENV)/run.stamp: $(BIN)/uv requirements/run.txt
	uv pip install --quiet --require-hashes -r requirements/run.txt
	touch $@

$(VENV)-clients/stamp: $(BIN)/uv requirements/clients.txt
	uv venv --quiet --clear $(VENV)-clients
	uv pip install --quiet --require-hashes --python $(VENV)-clients -r requirements/clients.txt
	touch $@

clients/typescript/node_modules/stamp: clients/typescript/package-lock.json
	cd clients/typescript && npm ci --no-audit --no-fund
	touch $@

$(VENV)/docs.stamp: $(BIN)/uv requirements/docs.txt
	uv pip install --quiet --require-hashes -r requirements/docs.txt
	touch $@

$(VENV)/dev.stamp: $(BIN)/uv $(REQUIREMENTS) pyproject.toml
	uv pip install --quiet --require-hashes -r $(REQUIREMENTS)
	uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
