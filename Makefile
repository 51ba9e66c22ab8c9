# Everything a person types. On a fresh machine only Python 3.11+ and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: setup lock run demo bench check test test-browsers fix soak

setup: $(STAMP)

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/it")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@touch $(STAMP)

# Names, versions and hashes only: no address of any package index belongs in the repository.
lock: setup
	$(BIN)/pip-compile --quiet --all-extras --generate-hashes --allow-unsafe --strip-extras --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
		--annotation-style line --output-file requirements.lock pyproject.toml

run: setup
	@exec $(BIN)/python -m scripts.run

demo: setup
	@exec $(BIN)/python -m scripts.demo $(ARGS)

# Calls, seconds and memory, beside the ancestor's way of working: ARGS="--json", ARGS=--quick.
bench: setup
	@exec $(BIN)/python -m scripts.bench $(ARGS)

# A made-up production: the checks must see what a school would run.
PRODUCTION = SECRET_KEY=check-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF \
	ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
	TOOL_URL=https://mastery.example.edu DATABASE_URL=postgresql://nobody@/none?host=/nonexistent \
	DJANGO_SETTINGS_MODULE=lti_tool.settings

# Exactly what CI runs before the tests.
check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PRODUCTION) $(BIN)/mypy
	$(BIN)/lint-imports
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(PRODUCTION) $(BIN)/python -m scripts.postgres $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m scripts.hygiene

# What a machine can put right.
fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Randomised syncs with faults, edits and crashes: `make soak N=1000 SEED=7`, `ARGS="--go-on -v"`; `--crowded`: two workers
N ?= 1000
SEED ?=
soak: setup
	@$(BIN)/python -m tests.soak --syncs $(N) $(if $(SEED),--seed $(SEED)) $(ARGS)

# One more than there are cores, at most four: a third of a worker's time is waiting.
WORKERS = $$($(BIN)/python -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')

# Chromium is part of the tests: found, installed where that is allowed, else a failure that says how.
test: setup
	@CHROMIUM="$$($(BIN)/python -m scripts.chromium)" && export CHROMIUM && $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# The tool in Canvas's frame in Firefox and in WebKitGTK (Safari's engine), found or installed where that is allowed,
# else a failure that says how. Pictures: var/browsers/.
test-browsers: setup
	@$(BIN)/python -m scripts.browsers
	@$(BIN)/python -m pytest -p no:randomly tests/browsers/journeys.py $(ARGS)
