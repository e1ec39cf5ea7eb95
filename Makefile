# Everything a person runs. `make` alone lists it. Needs make, the network once, and Python 3.11 or newer.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python
PLACET := $(VENV)/bin/placet
# Made from the lock's own digest, so the environment is laid again when the lock changes and at no other time.
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
setup: $(STAMP) ## Lay the locked environment in .venv (runs again only when the lock changes)

$(STAMP): $(LOCK) pyproject.toml
	@python=$$($(find_python)); \
	[ -x $(PY) ] && $(PY) -m pip --version >/dev/null 2>&1 || { echo "laying $(VENV) with $$python"; "$$python" -m venv --clear $(VENV); }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "ready: $(PLACET)"

.PHONY: lock
lock: ## Resolve the lock files anew from pyproject.toml (ARGS="--upgrade" for newer versions)
	@rm -rf build/lock && python=$$($(find_python)) && "$$python" -m venv build/lock
	@build/lock/bin/pip install --quiet --disable-pip-version-check uv
	@compile="build/lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --no-emit-find-links"; \
	$$compile -o requirements.lock $(ARGS) >/dev/null; \
	$$compile --extra dev -c requirements.lock -o requirements-dev.lock $(ARGS) >/dev/null
