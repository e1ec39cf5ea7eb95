# Everything a person runs. `make` alone lists it. Needs make, the network once, and Python 3.11 or newer.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

ARGS ?=
PORT ?= 9092
CLUSTER ?=
BENCHES ?= desk policy embedded kafka restore
BENCH_PORT ?= 29292
DATA ?= ../shared/data
PEERS ?= ../shared/peers
SEEDS ?= 500
MINUTES ?= 30
FROM ?= 0
SAMPLE ?=
SEED ?=
LOG ?=
PROOF ?=
VKEY ?=
VENV := .venv
PY := $(VENV)/bin/python
PLACET := $(VENV)/bin/placet
# Newer than the lock and pyproject.toml: nothing to do. So the environment is laid again when they change, and only then.
LOCK := requirements-dev.lock
STAMP := $(VENV)/.locked

# A found name is not yet a working interpreter (version managers leave shims), so each is asked for its version.
define find_python
	for candidate in "$${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3 python; do \
		[ -n "$$candidate" ] || continue; \
		if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			echo "$$candidate"; exit 0; \
		fi; \
	done; \
	echo 'no Python 3.11 or newer with venv found; name one with `make setup PYTHON=/path/to/python3`' >&2; exit 1
endef

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Lay the locked environment in .venv (again only when the lock or pyproject.toml changes)

$(STAMP): $(LOCK) pyproject.toml
	@python=$$($(find_python)); \
	[ -x $(PY) ] && $(PY) -m pip --version >/dev/null 2>&1 || { echo "laying $(VENV) with $$python"; "$$python" -m venv --clear $(VENV); }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "ready: $(PLACET)"

.PHONY: demo
demo: setup ## A small fleet of agents, feeds and executors at work, live (ARGS="--for 20s")
	@$(PLACET) demo $(ARGS)

.PHONY: test
test: setup ## Every test, with a real broker that is started and stopped (ARGS="tests/policy -k refund")
	@$(PY) -m pytest $(ARGS)

.PHONY: faults
faults: setup ## Every fault: those in process (ARGS="--seed 17 --journal memory" for one), then a cluster's (CLUSTER="F9 F1+F5" for some)
	@$(if $(CLUSTER),:,$(PY) -m tests.faults --ignore=tests/faults/cluster $(ARGS))
	@$(if $(ARGS),:,PYTHONPATH=ops/broker $(PY) -m tests.faults.cluster $(CLUSTER))

.PHONY: soak
soak: setup ## Load and one random fault after another on three brokers; memory must stay flat (MINUTES=30)
	@PYTHONPATH=ops/broker $(PY) -m tests.faults.cluster.soak --minutes $(MINUTES) $(ARGS)

.PHONY: simulate
simulate: setup ## Seeded stories on a simulated Kafka, faults of every kind (SEEDS=500 FROM=0; ARGS="--seed 17" for one again)
	@$(PY) -m tests.sim --seeds $(SEEDS) --from $(FROM) $(ARGS)

.PHONY: bench
bench: setup ## Every measurement beside its target; JSON in build/bench (BENCHES="desk embedded" for some)
	@mkdir -p build/bench; failed=""; \
	trap '$(PY) ops/broker/broker.py stop --dir build/bench/broker >/dev/null 2>&1 || true' EXIT; \
	for name in $(BENCHES); do \
		case "$$name" in kafka|restore|context|revoke|failover) \
			$(PY) ops/broker/broker.py start --port $(BENCH_PORT) --dir build/bench/broker || { failed="$$failed $$name"; continue; }; \
			export PLACET_BOOTSTRAP=127.0.0.1:$(BENCH_PORT); \
			;; \
		*) unset PLACET_BOOTSTRAP;; esac; \
		echo "bench $$name"; \
		$(PLACET) bench "$$name" --json $(ARGS) > "build/bench/$$name.json.part" || failed="$$failed $$name"; \
		mv "build/bench/$$name.json.part" "build/bench/$$name.json"; cat "build/bench/$$name.json"; \
	done; \
	[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

.PHONY: bench-kafka
bench-kafka: ## What a cluster does under load and change, beside its targets, and the raw floor where PEERS holds one
	@$(MAKE) bench BENCHES="kafka context revoke failover" \
		ARGS="$(ARGS) $(if $(wildcard $(PEERS)/raw_floor.py),--peers $(PEERS))"

.PHONY: evals
evals: setup ## Recorded work of real agents put before placet; tables in Markdown (DATA=DIR with agentdojo and taubench)
	@$(PY) -m tests.evals.agentdojo $(DATA)/agentdojo $(ARGS)
	@$(PY) -m tests.evals.taubench $(DATA)/taubench $(ARGS)

.PHONY: mutation
mutation: setup ## Mistakes put into the pure rooms, and the share their tests find; a run again goes on (SAMPLE=40 SEED=1 for a slice)
	@$(PY) -m ops.mutation $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: verify
verify: ## The verifier for strangers, in Go: build it and run its tests; LOG=DIR or PROOF=FILE with VKEY=KEY checks that
	@command -v go >/dev/null 2>&1 || { \
		echo 'no Go found: ops/verify needs Go 1.23 or newer; without it, `placet ledger fsck` and `placet verify` check the same' >&2; exit 1; \
	}
	@mkdir -p build/verify && cd ops/verify && go build -trimpath -o ../../build/verify/verify . && go vet . && go test -count=1 .
	@$(if $(LOG),build/verify/verify folder $(LOG) --vkey $(VKEY) $(ARGS))
	@$(if $(PROOF),build/verify/verify proof $(PROOF) --vkey $(VKEY) $(ARGS))

.PHONY: lint
lint: setup ## ruff, its formatter, and mypy --strict: the gates
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

.PHONY: format
format: setup ## Let ruff put right what it can
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

.PHONY: codecs
codecs: setup ## Make the codecs and schema ids from schemas/*.avsc
	@$(PY) ops/codegen/generate.py $(ARGS)

.PHONY: broker
broker: setup ## A real Kafka on port 9092 in the background, without containers (PORT=29092)
	@$(PY) ops/broker/broker.py start --keep --port $(PORT) --dir build/broker $(ARGS)
	@echo 'or with: make broker-stop'

.PHONY: broker-stop
broker-stop: setup ## Stop what `make broker` started; its data stays in build/broker
	@$(PY) ops/broker/broker.py stop --dir build/broker

.PHONY: lock
lock: ## Resolve the lock files anew from pyproject.toml (ARGS="--upgrade" for newer versions)
	@rm -rf build/lock && python=$$($(find_python)) && "$$python" -m venv build/lock
	@build/lock/bin/pip install --quiet --disable-pip-version-check uv
	@compile="build/lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --no-emit-find-links"; \
	$$compile -o requirements.lock $(ARGS) >/dev/null; \
	$$compile --extra dev -c requirements.lock -o requirements-dev.lock $(ARGS) >/dev/null

.PHONY: clean
clean: ## Remove the environment and everything that was built; a broker of `make broker` is stopped first
	@if [ -d build/broker ] && [ -x $(PY) ]; then $(PY) ops/broker/broker.py stop --dir build/broker || true; fi
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	@find streams ops tests -name __pycache__ -type d -prune -exec rm -rf {} +
