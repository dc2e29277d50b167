# A new checkout needs only `make demo` or `make test`: each makes .venv first if it is missing.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
BIN := .venv/bin
export BS_INSTALL_DEPENDENCIES ?= no
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help demo test test-fast test-numpy2 lint docs bench bench-training calibrate weights results study clean

help:
	@echo "make demo       answer the question on an embedded world, in minutes"
	@echo "make test       run the tests (15 minutes on two cores)"
	@echo "make test-fast  run those that need no environment, cluster, browser or killed process, nor half a second of a core (90 seconds)"
	@echo "make test-numpy2   run the tests of training with numpy 2 and without Brain-Score"
	@echo "make lint       check style, and the types of rsa, stats, weights and runner"
	@echo "make docs       build the documentation as a site, in site/"
	@echo "make bench      measure speed against reference implementations"
	@echo "make bench-training DATA=folder   the same for training, on Tiny-ImageNet"
	@echo "make calibrate  check the statistics on simulated data with a known truth (slow)"
	@echo "make results    score the shipped networks on measured brains; fills docs/results.md"
	@echo "make study DATA=folder   train the networks of docs/study.md (hours; resumes); LIST=list only lists them"
	@echo "make weights    train the shipped networks of the embedded world again"

demo: .venv/installed
	@$(BIN)/granularity demo

# Two processes; each test file runs in one of them, so that module fixtures are made once. Slow files go first (conftest.py).
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
test: .venv/installed
	@$(PYTEST)

test-fast: .venv/installed
	@$(PYTEST) -m "not slow"

lint: .venv/installed
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python -m mypy

docs: .venv/installed
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "site/index.html"

bench: .venv/installed
	@$(BIN)/python -m bench.rsa
	@$(BIN)/python -m bench.benchmarks
	@$(BIN)/python -m bench.runner
	@$(BIN)/python -m bench.report
	@$(BIN)/python -m bench.scaling
	@$(BIN)/python -m bench.analyses
	@$(BIN)/python -m bench.encoding

# DATA: a folder with the Tiny-ImageNet zips
bench-training: .venv/installed
	@test -n "$(DATA)" || { echo "DATA is missing: make bench-training DATA=folder, with the Tiny-ImageNet zips" >&2; exit 1; }
	@$(BIN)/python -m bench.training --data "$(DATA)"
	@$(BIN)/python -m bench.training_data --data "$(DATA)"

# Training needs neither Brain-Score nor its numpy 1: run its tests with numpy 2 and with Brain-Score blocked.
TRAINING_TESTS := tests/training tests/networks tests/cli/test_train.py
test-numpy2: .venv/installed
	@$(PYTHON) -m venv .venv-numpy2
	@.venv-numpy2/bin/python -m pip install --quiet --disable-pip-version-check 'numpy>=2,<3'
	@$(BIN)/python -c 'import sys; print("import site;", *(f"site.addsitedir({p!r});" for p in sys.path if "site-packages" in p))' \
		> .venv-numpy2/lib/python3.11/site-packages/shared.pth
	@echo 'import sys; sys.modules.update(dict.fromkeys(("brainscore_vision", "brainscore_core", "xarray")))' \
		> .venv-numpy2/lib/python3.11/site-packages/without.pth
	@.venv-numpy2/bin/python -m pytest $(TRAINING_TESTS)

calibrate: .venv/installed
	@$(BIN)/python -m bench.calibrate
	@$(BIN)/python -m bench.calibrate_scaling

weights: .venv/installed
	@rm -rf models/granularity_world/weights models/granularity_world/labels models/granularity_world/region_layer_map
	@$(BIN)/python -W ignore -m brainscore_granularity.cli.world models/granularity_world

# The 92 images are downloaded, or found in the folder that BRAINSCORE_GRANULARITY_KRIEGESKORTE92 names.
results: .venv/installed
	@$(BIN)/python -W ignore -m brainscore_granularity.cli.results_page results/tiny docs/results.md docs/figures/tiny.svg

# DATA: a folder with the Tiny-ImageNet zips. WORKERS: processes of one thread. IS_A: file of a taxonomy, such as WordNet's data.noun.
study: .venv/installed
	@test -n "$(DATA)" || { echo "DATA is missing: make study DATA=folder, with the Tiny-ImageNet zips" >&2; exit 1; }
	@$(BIN)/python -W ignore -m brainscore_granularity.cli.study "$(DATA)" $(WORKERS) $(IS_A) $(LIST)

# Torch comes from the package index with the torchvision that matches it: several GB, a few minutes once.
.venv/installed: setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 is needed (Brain-Score's xarray breaks on later ones): make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv (several GB with torch; once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[report,test]'
	@touch $@

clean:
	rm -rf .venv .venv-numpy2 build dist *.egg-info
