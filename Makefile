# make demo    train and restore on embedded pictures
# make test    lint and tests
# make bench   speed and memory against Keras and the naive form
# Each sets up what it needs in .venv. UV=1 installs with uv, PYTHON=... names the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints.txt
ifdef UV
INSTALL := uv pip install --python $(BIN)/python
else
INSTALL := $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check
endif

.PHONY: demo test lint bench kill-tests clean

demo: $(VENV)/.demo
	$(BIN)/lit-restore demo --out runs/demo

test: lint
	$(BIN)/python -m pytest -q -n 2 --dist loadscope

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

kill-tests: $(VENV)/.dev  # the tests that kill real processes, ten times in a row
	for round in 1 2 3 4 5 6 7 8 9 10; do \
		$(BIN)/python -m pytest -q tests/callbacks/test_exact_resume.py || exit 1; \
	done

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache

# Debian's python3 may come without ensurepip: pip then installs into the environment from outside.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || $(PYTHON) -m venv --clear --without-pip $(VENV)

$(VENV)/.demo $(VENV)/.dev $(VENV)/.bench: $(VENV)/.%: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(INSTALL) -c $(CONSTRAINTS) -e '.[$*]'
	touch $@
