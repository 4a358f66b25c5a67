# make demo     install sonde with torch, train on the built-in digits, write a report
# make test     install everything and run all tests; the 20 slowest are shown
# make quick    what to run while you work, a minute or so on two cores: the rules of the house, the contracts on
#               torch (each model with one kind of input), and `sonde train digits` from start to report
# make check    formatter, linter, type checker
# make nightly  the tests that draw their examples, with new examples every time and ten times as many
# make clean    remove what these made (runs/ stays)
#
# Every test that needs a backend by name is marked with it, so pytest alone does the same for any of them:
#   pytest -m "not tensorflow and not jax"    what torch alone can do; no other backend is started
#   pytest -m jax                             what needs JAX
# PYTEST_OPTIONS replaces what make says to pytest, as in: make test PYTEST_OPTIONS="-n 2 -x tests/data"

SHELL := /bin/sh
BIN := .venv/bin
# The first of these that is Python 3.11 or newer; `make PYTHON=/path/to/python3` chooses another.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
# Without compiling: Python compiles what is imported, a tenth of what is installed, and keeps it.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
# One thread for each test process: two processes with two threads each only wait for one another.
TEST_SETTINGS := OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=2
PYTEST_OPTIONS ?= -n auto --maxprocesses 4 --durations=20 --durations-min=1
# What takes longest stands first, so that one process is not left with it at the end.
QUICK := tests/test_first_command.py tests/contracts tests/rules -m "not tensorflow and not jax and not slow and not further"

# Where this is set, Python would compile what was installed without compiling at every start again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick check nightly clean

demo: .venv/demo.stamp
	$(BIN)/sonde train digits

test: .venv/test.stamp
	$(TEST_SETTINGS) $(BIN)/python -m pytest $(PYTEST_OPTIONS)

quick: .venv/test.stamp
	$(TEST_SETTINGS) $(BIN)/python -m pytest $(PYTEST_OPTIONS) $(QUICK)

nightly: .venv/test.stamp
	$(TEST_SETTINGS) $(BIN)/python -m pytest $(PYTEST_OPTIONS) -m hypothesis --hypothesis-profile=nightly

check: .venv/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/sonde.egg-info
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is older than these files when the environment has to be brought up to date.
.venv/demo.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[torch]'
	@touch $@

.venv/test.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[torch,tensorflow,jax,audio,text,pretrained,dev]'
	@touch $@ .venv/demo.stamp

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "sonde needs Python 3.11 or newer, and there is none called python3 or python3.11 to \
	python3.14 on the PATH. Install one (https://www.python.org/downloads), or name it: make $(MAKECMDGOALS) PYTHON=..." >&2; \
	exit 1; }
	@# Where a part of Python is missing, a half-made .venv is left, which would be taken for whole the next time.
	$(PYTHON) -m venv .venv || { rm -rf .venv; echo "The environment .venv could not be made. If Python has no venv or no \
	pip, install them (Debian and Ubuntu: sudo apt-get install python3-venv), then try again." >&2; exit 1; }
