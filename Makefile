# Every target sets up what it needs: Python >= 3.11 with venv, and make, are enough.
PYTHON ?= python3
SPEC ?= experiments/digits_width.yaml
STORE ?= mlruns
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup sweep report gallery check test prove versions bench calibrate reproduce ui schema screenshots clean

help:
	@echo "make sweep [SPEC=experiments/….yaml] [STORE=mlruns]   run a sweep, print its table and the link to the curves"
	@echo "make report [SPEC=…] [NAME=…]                        run it where it was not, and write its report: one HTML page"
	@echo "make ui                                              MLflow's pages on 127.0.0.1"
	@echo "make test    everything        make check   lint, types and fast tests        make prove   the long proofs"
	@echo "make versions   the fast tests with the lowest versions that pyproject.toml names, and with the newest Python here"
	@echo "make bench   the kernel against scikit-learn, whole sweeps against a hand-written script, start-up, replay"
	@echo "make reproduce   what experiments/ claims, expected and got"
	@echo "make calibrate   how often verdicts are right, on problems whose truth is known; about five minutes"
	@echo "make gallery   every plot of fitlab.plots, drawn from the shipped experiments into docs/gallery"
	@echo "make screenshots   the pictures of MLflow's pages in docs/, taken in a browser"
	@echo "make schema  write experiments/*schema.json          make clean   remove .venv and caches, keep results"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "fitlab needs Python 3.11 or newer; try: make PYTHON=python3.12 …" >&2; exit 2; }
	@test -x $(BIN)/python || { echo "setting up .venv …"; $(PYTHON) -m venv .venv; }
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

sweep: $(READY)
	@$(BIN)/fitlab sweep $(SPEC) --store $(STORE)

ui: $(READY)
	@$(BIN)/fitlab ui --store $(STORE)

report: $(READY)
ifndef NAME
	@$(BIN)/fitlab sweep $(SPEC) --store $(STORE)
endif
	@$(BIN)/fitlab report $(or $(NAME),$$(sed -n 's/^name: *//p' $(SPEC))) --store $(STORE)

gallery: $(READY)
	@$(BIN)/python -m experiments.gallery --store $(STORE)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n 2 -m "not slow"

test: $(READY)
	@sh tests/browser/install.sh
	@sh tests/papers/install.sh
	@sh tests/faults/install.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadgroup

prove: $(READY)
	FITLAB_PROVE=1 $(BIN)/pytest -n 2 --dist loadgroup

versions: $(READY)
	@$(BIN)/python tests/versions.py

bench: $(READY)
	@$(BIN)/python benchmarks/kernel.py --json benchmarks/kernel.json
	@$(BIN)/python benchmarks/sweep.py --json benchmarks/sweep.json
	@$(BIN)/python benchmarks/memory.py --json benchmarks/memory.json
	@$(BIN)/python benchmarks/diagnosis.py

reproduce: $(READY)
	@$(BIN)/fitlab reproduce --store $(STORE)

calibrate: $(READY)
	@$(BIN)/python -m experiments.calibration --out build/calibration

schema: $(READY)
	@$(BIN)/fitlab schema > experiments/schema.json
	@$(BIN)/fitlab schema --diagnosis > experiments/diagnosis.schema.json

screenshots: $(READY)
	@PYTHONPATH=tests $(BIN)/python tests/browser/pictures.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
