# What a newcomer needs is `make run` and `make test`; `make` alone lists the rest.
# Nothing but make and Python 3.11 or newer is needed beforehand: the first command that needs them
# puts the libraries of the hashed locks into .venv, and repeats that only when a lock has changed.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run serve test check fix translations bench soak lock clean setup setup-dev again

# The same result whatever the reader's language, umask or shell set-up is.
export PYTHONUTF8 := 1
export UV_PYTHON_DOWNLOADS := never
# Compiled once at the installation, a start of the shop takes a fifth of the time.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV
UMASK := umask 022;

new_enough = -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11 python,\
  $(shell command -v $(name) >/dev/null 2>&1 && $(name) $(new_enough) 2>/dev/null && echo $(name))))
python := .venv/bin/python
uv := $(python) -m uv --no-progress
# Anything that pytest should be told besides: make test ARGS="-k receipt".
ARGS ?=

help:
	@echo "make run     open the shop on http://localhost:8000 (another port: make run PORT=8080)"
	@echo "make serve   the same for a shop of your own: a new one starts empty, without the demo"
	@echo "make test    the checks and every test, on SQLite and on PostgreSQL (ARGS=\"-k receipt\")"
	@echo "make check   format, lint, types, layers, templates; no tests"
	@echo "make fix     put the format right, and the lint that can be put right by itself"
	@echo "make bench   the measurements of docs/performance.md"
	@echo "make soak    the long mixed load with faults"
	@echo "make lock    renew the hashed locks from pyproject.toml"
	@echo "make clean   remove .venv and caches; the shop's own data in instance/ stays"

run: setup
	@exec $(python) -m store.serving

serve: setup
	@exec $(python) -m store.serving --no-demo

test: check
	@$(python) -m pytest -n 2 $(ARGS)

check: setup-dev
	@$(python) -m ruff format --check --quiet --output-format concise . || { echo "Format: make fix puts it right."; exit 1; }
	@$(python) -m ruff check --quiet .
	@$(python) -m mypy
	@$(python) -c 'import sys; from importlinter.cli import lint_imports_command; \
	  sys.argv[0] = "lint-imports"; lint_imports_command()' > .venv/layers.txt \
	  || { cat .venv/layers.txt; exit 1; }
	@$(python) -m djlint templates --lint --quiet

fix: setup-dev
	@$(python) -m ruff format --quiet .
	@$(python) -m ruff check --fix --quiet .

translations: setup-dev  ## collect sentences, compile translations
	@$(python) -m store.languages

bench: setup-dev
	@$(python) -m bench

soak: setup-dev
	@$(python) -m pytest -m soak -n 0 $(ARGS)

lock: setup-dev
	@$(UMASK) $(uv) pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --upgrade pyproject.toml -o requirements.lock
	@$(UMASK) $(uv) pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --upgrade --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(UMASK) echo uv | $(uv) pip compile --quiet --universal --generate-hashes --no-header \
	  --no-annotate --upgrade - -o requirements-uv.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf .coverage tests/.artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ------------------------------------------------------------------------------

setup: .venv/run.stamp
setup-dev: .venv/dev.stamp

# A .venv whose Python is gone (upgraded, moved, copied) is made again, stamp or not.
ifneq ($(shell $(python) $(new_enough) 2>/dev/null && echo works),works)
.venv/run.stamp .venv/dev.stamp: again
endif

# The libraries of the tests include those of the shop, so an environment that has them is kept.
.venv/run.stamp: requirements.lock requirements-uv.lock
	@if [ -e .venv/dev.stamp ] && $(python) $(new_enough) 2>/dev/null; \
	  then $(call fill,requirements-dev.lock) && touch .venv/dev.stamp; \
	  else $(call fill,requirements.lock); fi
	@touch $@

.venv/dev.stamp: requirements-dev.lock requirements-uv.lock
	@$(call fill,requirements-dev.lock)
	@touch .venv/run.stamp $@

define fill
{ $(UMASK) set -e; \
  if [ -z "$(PYTHON)" ]; then \
    echo "OneShelf needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || true)."; \
    echo "Install one, or name it: make run PYTHON=/path/to/python3.11"; exit 1; fi; \
  $(python) $(new_enough) 2>/dev/null || { \
    rm -rf .venv; echo "Setting up .venv; this takes less than a minute ..."; \
    "$(PYTHON)" -m venv .venv || { rm -rf .venv; \
      echo "This Python cannot make environments. On Debian and Ubuntu: apt install python3-venv"; \
      exit 1; }; }; \
  $(python) -m uv --version >/dev/null 2>&1 || $(python) -m pip install --quiet --no-input \
    --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    -r requirements-uv.lock; \
  $(uv) pip sync --quiet --compile-bytecode --python $(python) --require-hashes $(1) requirements-uv.lock; }
endef
