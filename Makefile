# Every target sets up .venv by itself; any Python from 3.11 on, with pip, and make are all it needs. `make`
# alone lists them. The first Python that is there is taken, that of CI before others: PYTHON=... names another.
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3; do \
	$$each -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	echo $$each && break; done)
BIN := .venv/bin
READY := .venv/.ready
# Fast tests run side by side; the long ones watch times and signals, and want the machine for themselves.
ABREAST := -n auto --maxprocesses 4
SOURCES := app models migrations client tests benchmarks examples

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-long fuzz storm check lint bench screenshots pretrain clean tools

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name what; do printf '  %-11s %s\n' "$$name" "$$what"; done

demo: $(READY) ## Upload, train, judge and forecast the population of 40 countries; stops by itself
	$(BIN)/gatecast demo

serve: $(READY) ## Run the service on SQLite until Ctrl-C: http://127.0.0.1:8000/docs
	$(BIN)/gatecast serve

test: $(READY) tools ## The fast tests, on SQLite and (where its server is installed) on Postgres
	$(BIN)/pytest $(ABREAST)

test-long: $(READY) tools ## The tests that need signals, time, a browser or a package registry
	$(BIN)/pytest -m long

fuzz: $(READY) tools ## Ten minutes of calls made up from the documentation, on both databases
	FUZZ_SECONDS=300 $(BIN)/pytest -m long tests/acceptance/test_fuzzing.py

storm: $(READY) ## Thousands of damaged files with any options, uploaded, previewed and appended: a quarter of an hour
	STORM_FILES=5000 $(BIN)/pytest tests/app/api/test_upload_storm.py tests/app/intake

lint: $(READY) ## Format, style, types, import contracts
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint demo tools ## All that CI runs: style, the demo, both suites
	$(BIN)/pytest $(ABREAST)
	$(BIN)/pytest -m long

tools:
	@.ci/install-tools

bench: $(READY) ## The benchmarks that need no other data; each prints one JSON line last
	$(BIN)/python -m benchmarks.article
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.jobs
	$(BIN)/python -m benchmarks.first_answer

screenshots: $(READY) tools ## Pictures of every view of the page, light and dark, desktop and phone: screenshots/
	$(BIN)/python -m tests.screenshots

pretrain: $(READY) ## Make the pretrained weights again, in under an hour on two cores; goes on if broken off
	$(BIN)/python -m models.pretraining

clean: ## Remove what was built and cached
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info client/src/*.egg-info
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# Installed anew when what is to be installed has changed. wheels/ comes first when it holds any.
$(READY): pyproject.toml client/pyproject.toml constraints.txt
	@[ -n "$(PYTHON)" ] || { echo "Found no Python from 3.11 on with venv and pip (Debian: apt-get install" \
		"python3-venv). If yours has another name: make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --find-links wheels --constraint constraints.txt \
		--editable ./client --editable '.[dev]'
	touch $@
