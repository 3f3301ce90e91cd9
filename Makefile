# Both targets set themselves up: they need Python 3.11 or later, make, and a package index. The tests of the report's
# page need Debian's `chromium` too (apt-get install chromium); without it they are skipped, and said to be.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: drill test bench clean

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[sandbox]' --group dev
	@touch $@

drill: $(READY)
	$(BIN)/resil drill planned planned-latency

test: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -rs

# The AWS CLI pins its own botocore, so the peer has an environment of its own and is run by its path.
$(VENV)/bench/.ready: $(READY)
	$(PYTHON) -m venv $(VENV)/bench
	$(VENV)/bench/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(VENV)/bench/bin/python -m pip install --quiet --group bench
	@touch $@

bench: $(VENV)/bench/.ready
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/sandbox_calls.py

clean:
	rm -rf $(VENV)
