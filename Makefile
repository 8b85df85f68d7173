# One word per job; `make help` lists them. Everything runs from .venv, which `make dev` creates.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEBIAN := prometheus prometheus-alertmanager
DURATION ?= 3600
SEED ?= 1
WHEEL_VENV := build/wheel-venv
BENCH_VENV := build/bench-venv
PICTURES_VENV := build/pictures-venv
PROMETHEUS ?= http://127.0.0.1:9090
SPAN ?= 1800
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# promtool from this tree's own copy first, then whatever the machine has
export PATH := $(CURDIR)/$(VENV)/debian/usr/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help dev promtool demo demo-stack dash pictures stack test test-all fuzz worst identity fuzz-engine bench bench-collect bench-fleet bench-metrics bench-polls bench-rules bench-schedule fmt fmt-check lint types arch golden metrics-doc build test-wheel check lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ipsecmon needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Use: make PYTHON=python3.11 ..." >&2; exit 1; }
	@echo "creating $(VENV) (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

dev: $(STAMP) ## create .venv with everything needed to run, test and change ipsecmon

# promtool, amtool and their servers come with two Debian packages. They are unpacked below .venv rather than installed:
# that needs no rights and starts no service.
promtool:
	@{ command -v promtool && command -v amtool; } >/dev/null || { \
	  mkdir -p $(VENV)/debian && cd $(VENV)/debian && { \
	    { command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; } || { echo "apt-get and dpkg-deb are not here" >why; false; }; } && \
	    { apt-get download -qq $(DEBIAN) >why 2>&1 || { apt-get update -qq >why 2>&1 && apt-get download -qq $(DEBIAN) >why 2>&1; }; } && \
	    for package in $(DEBIAN); do dpkg-deb -x $${package}_*.deb . >why 2>&1 || exit 1; done; } || \
	{ echo "!! promtool and amtool are missing and could not be fetched: $$(tail -n 1 $(VENV)/debian/why)"; \
	  echo "!! the tests that need them will be SKIPPED; install the Debian packages $(DEBIAN) to run them"; } >&2

demo: $(STAMP) ## the tutorial's two sites, emulated, monitored: prints where to look
	@$(BIN)/ipsecmon demo

demo-stack: $(STAMP) promtool ## the demo with a real Prometheus and Alertmanager behind it, where they are installed
	@$(BIN)/ipsecmon demo --stack deploy

dash: $(STAMP) ## write the alert rules and the Grafana dashboards from their sources
	@$(BIN)/ipsecmon rules --output dashboards/rules/ipsecmon.yml
	@$(BIN)/python dashboards/build.py

# matplotlib stays out of the environment everything else runs from
$(PICTURES_VENV)/.installed: requirements-pictures.lock
	@rm -rf $(PICTURES_VENV) && $(BIN)/python -m venv $(PICTURES_VENV)
	@$(PICTURES_VENV)/bin/python -m pip install --quiet --require-hashes -r requirements-pictures.lock
	@touch $@

pictures: $(STAMP) $(PICTURES_VENV)/.installed ## draw the dashboards with the last SPAN=1800 seconds of the Prometheus at PROMETHEUS=http://127.0.0.1:9090
	@PYTHONPATH=collector $(PICTURES_VENV)/bin/python dashboards/pictures.py --prometheus $(PROMETHEUS) --range $(SPAN)

stack: $(STAMP) promtool ## faults in the emulated network, until their alerts reach a webhook behind a real Alertmanager
	@$(BIN)/python -m pytest -m stack

test: $(STAMP) promtool ## the fast suite, under five minutes
	@$(BIN)/python -m pytest -m "not slow and not stack"

test-all: $(STAMP) promtool ## everything, slow tests included
	@$(BIN)/python -m pytest

# make fuzz SECONDS=60 SEED=1
fuzz: $(STAMP) ## random bytes and damaged outputs through every parser for SECONDS (default 3600)
	@PYTHONPATH=tests $(BIN)/python -m fuzz --seconds $(or $(SECONDS),3600) $(if $(SEED),--seed $(SEED))

worst: $(STAMP) ## MEGABYTES (default 10) of each worst-case text through every parser: a table of seconds
	@PYTHONPATH=tests $(BIN)/python -m fuzz.worst_texts --megabytes $(or $(MEGABYTES),10)

identity: $(STAMP) ## every case of the TextFSM corpus on textfsm and on our engine
	@PYTHONPATH=tests $(BIN)/python -m textfsm_identity.identity

fuzz-engine: $(STAMP) ## engines that live on, fed changed texts for DURATION=3600 seconds
	@PYTHONPATH=tests $(BIN)/python -m textfsm_identity.fuzz --seconds $(DURATION) --seed $(SEED)

# genieparser and the framework below it stay out of the environment everything else runs from
$(BENCH_VENV)/.installed: requirements-bench.lock
	@rm -rf $(BENCH_VENV) && $(BIN)/python -m venv $(BENCH_VENV)
	@echo "installing genieparser into $(BENCH_VENV) (some minutes the first time)"
	@$(BENCH_VENV)/bin/python -m pip install --quiet --require-hashes -r requirements-bench.lock
	@touch $@

bench: $(STAMP) $(BENCH_VENV)/.installed ## how fast engines read hubs of 1 to 4,000 tunnels (some minutes)
	@PYTHONPATH=tests $(BIN)/python -m bench.compare --genie-python $(BENCH_VENV)/bin/python

bench-metrics: $(STAMP) ## how fast metrics of hubs of 100 to 4,000 tunnels are rendered and scraped
	@PYTHONPATH=tests $(BIN)/python -m bench.exposition

bench-collect: $(STAMP) ## what a poll costs over each transport beside stock NAPALM, and what 1,000 open sessions weigh
	@PYTHONPATH=tests $(BIN)/python -m bench.collect

bench-polls: $(STAMP) ## what one poll of a hub of 100 to 4,000 tunnels costs, step by step, and what it keeps
	@PYTHONPATH=tests $(BIN)/python -m bench.polls

bench-schedule: $(STAMP) ## how late 10,000 devices are polled every minute, and what the scheduler costs
	@PYTHONPATH=tests $(BIN)/python -m bench.schedule

bench-rules: $(STAMP) promtool ## what each alert and recording rule costs a real Prometheus for a hub of 4,000 tunnels (five minutes)
	@PYTHONPATH=tests $(BIN)/python -m bench.rules

bench-fleet: $(STAMP) ## 200 devices, 40 of them dead in different ways: how late the others are polled; SSH=napalm|asyncssh: emulated routers
	@PYTHONPATH=tests $(BIN)/python -m bench.fleet $(if $(SSH),--ssh $(SSH))

fmt: $(STAMP) ## format the code and sort the imports
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --select I --fix --quiet .

fmt-check: $(STAMP)
	@$(BIN)/ruff format --check --quiet . || { echo "run: make fmt" >&2; exit 1; }

lint: $(STAMP) ## ruff and codespell
	@$(BIN)/ruff check .
	@git ls-files -z | xargs -0 $(BIN)/codespell

types: $(STAMP) ## mypy and pyright, both strict
	@$(BIN)/mypy
	@$(BIN)/pyright

arch: $(STAMP) ## imports flow one way
	@$(BIN)/lint-imports --no-logo

golden: $(STAMP) ## rewrite the golden files and show what changed
	@$(BIN)/python -m pytest -m "not slow and not stack" -k golden --update-golden || true
	@git diff --stat -- tests dashboards

metrics-doc: $(STAMP) ## write METRICS.md from the catalogue of metrics
	@$(BIN)/python -m ipsecmon.metrics.reference > METRICS.md.new && mv METRICS.md.new METRICS.md

# PYTHONPATH: with dashboards/ on it, its build.py would stand in the way of the module
build: $(STAMP) ## the sdist and the wheel, checked
	@rm -rf dist
	@PYTHONPATH= $(BIN)/python -m build --no-isolation --quiet --outdir dist . 2>&1 | { grep -v '^$$' || true; }
	@$(BIN)/check-wheel-contents dist/*.whl

$(WHEEL_VENV)/.installed: requirements.lock
	@rm -rf $(WHEEL_VENV) && $(BIN)/python -m venv $(WHEEL_VENV)
	@$(WHEEL_VENV)/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

test-wheel: build $(WHEEL_VENV)/.installed promtool ## the fast suite again, on the built wheel
	@$(WHEEL_VENV)/bin/python -m pip install --quiet --no-deps --force-reinstall dist/*.whl
	@$(WHEEL_VENV)/bin/python -m pip check
	@$(WHEEL_VENV)/bin/python -m pytest -m "not slow and not stack"

check: fmt-check lint types arch test build test-wheel ## what CI requires

lock: ## resolve the dependencies afresh for Python 3.11 to 3.13 (needs uv)
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --extra inventory --extra keyring --extra vault --group dev pyproject.toml --output-file requirements.lock
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --group bench --output-file requirements-bench.lock
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --group pictures --output-file requirements-pictures.lock

clean: ## remove everything that make created
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
