# make demo    train and restore on embedded pictures
# make test    lint and tests
# make bench   speed and memory against Keras and the naive form
# make parity  compare with Keras itself, and the stored results, too
# make parity-chainer    compare the stored results of Chainer with Chainer itself
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

.PHONY: demo test lint bench parity parity-chainer kill-tests clean

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

parity: $(VENV)/.parity
	$(BIN)/python -m parity --ref live
	$(BIN)/python -m parity golden --check

# Chainer is of Python 3.11 and of NumPy 1.23 at most, so it has an environment of its own; it is
# built there, since a build of its own would take a newer setuptools.
CHAINER_PYTHON ?= python3.11
CHAINER_VENV := .venv-chainer
CHAINER_INSTALL := $(subst $(BIN)/,$(CHAINER_VENV)/bin/,$(INSTALL))

parity-chainer: $(VENV)/.dev $(CHAINER_VENV)/.done
	$(BIN)/python -m parity golden --framework chainer --check

$(CHAINER_VENV)/.done: parity/chainer-constraints.txt
	$(CHAINER_PYTHON) -m venv $(CHAINER_VENV) || \
		$(CHAINER_PYTHON) -m venv --clear --without-pip $(CHAINER_VENV)
	$(CHAINER_INSTALL) -c $< numpy setuptools wheel
	$(CHAINER_INSTALL) -c $< --no-build-isolation chainer
	touch $@

kill-tests: $(VENV)/.dev  # the tests that kill real processes, ten times in a row
	for round in 1 2 3 4 5 6 7 8 9 10; do \
		$(BIN)/python -m pytest -q tests/callbacks/test_exact_resume.py || exit 1; \
	done

clean:
	rm -rf $(VENV) $(CHAINER_VENV) build dist .mypy_cache .pytest_cache .ruff_cache

# Debian's python3 may come without ensurepip: pip then installs into the environment from outside.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || $(PYTHON) -m venv --clear --without-pip $(VENV)

$(VENV)/.demo $(VENV)/.dev $(VENV)/.bench $(VENV)/.parity: $(VENV)/.%: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(INSTALL) -c $(CONSTRAINTS) -e '.[$*]'
	touch $@
