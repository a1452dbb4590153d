# Every target sets up what it needs in .venv: made once, reinstalled into when pyproject.toml changes.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
RUNS := .venv/.runs
# Of pytest, as in: make test OPTIONS=--no-skips
OPTIONS ?=
# Of `make lowest`: the files or folders of tests, all by default.
TESTS ?=

.PHONY: demo docs fuzz hooks kills looks lowest ranks test slow slow-engines benchmark evidence evidence-left reports reports-check gpu lint types check

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'  # the first that knows dependency groups
	$(BIN)/python -m pip install --quiet --editable '.[explain]' --group dev
	touch $(READY)

# What running needs and no more. Packages of $(PYTHON) are used where it has torch, and not installed again.
$(RUNS): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PYTHON) -c 'from importlib.util import find_spec as f; print(*[p + "/.." for p in f("torch").submodule_search_locations])' \
	    2>/dev/null > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth" || true
	$(BIN)/python -m pip install --quiet --editable .
	touch $(RUNS)

demo: $(RUNS)  ## four methods on real digits, from nothing to a table; PYTHON=... may have torch already
	$(BIN)/mtbench run --methods single,td,chmod,moo --dataset mmnist3 --quick
	$(BIN)/mtbench report

test: $(READY)  ## everything but what takes minutes
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(OPTIONS)

slow: $(READY)  ## what takes minutes: real processes, killed
	$(BIN)/python -m pytest -m slow --numprocesses auto --dist worksteal $(OPTIONS)

kills: $(READY)  ## 200 kills over every command that writes, in about half an hour: what they did, and that nothing is lost
	PYTHONPATH=.:tests/plugins $(BIN)/python -m tests.kills

slow-engines: $(READY)  ## engines on clusters that lose a machine, in some minutes: what they did, and that nothing is lost
	PYTHONPATH=.:tests/plugins OMP_NUM_THREADS=1 $(BIN)/python -m tests.engines.ray.two_nodes
	PYTHONPATH=.:tests/plugins OMP_NUM_THREADS=1 $(BIN)/python -m tests.slurm.thousand

looks: $(READY)  ## error rates and powers of --until-decided in 4,000 simulated grids of each kind, in some minutes
	PYTHONPATH=. $(BIN)/python -m tests.stats.sequential.table

ranks: $(READY)  ## errors of rank intervals in 2,000 tables of each of many kinds, in about a quarter of an hour
	PYTHONPATH=. $(BIN)/python -m tests.stats.ranks.simulated

fuzz: $(READY)  ## 2,000 altered files and 600 odd arguments, in about a quarter of an hour: what came of them
	PYTHONPATH=.:tests/plugins OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz

benchmark: $(READY)  ## ratios of times, measured in one run
	$(BIN)/python -m pytest -m benchmark -q tests/benchmarks

docs: $(READY)  ## the documentation as pages, in build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

hooks: $(READY)  ## lint, format and types before each commit
	$(BIN)/pre-commit install

lowest: $(READY)  ## tests with the lowest versions that pyproject.toml allows, but torch, in an environment of their own
	$(BIN)/python tests/lowest.py $(TESTS)

evidence: $(READY)  ## train the list results/evidence.toml, with the release that it names
	$(BIN)/python -m results.evidence

evidence-left: $(READY)  ## what is left of that list, and how long it takes
	$(BIN)/python -m results.evidence --show

reports: $(READY)  ## write the list results/reports.toml, and the numbers in documents, from the packs in results/
	OMP_NUM_THREADS=1 $(BIN)/python -m results.reports

reports-check: $(READY)  ## compare reports/ and the numbers in documents with what the packs in results/ make
	OMP_NUM_THREADS=1 $(BIN)/python -m results.reports --check

gpu:  ## on a machine with a GPU, without a network: its tests, and the time of steps
	$(PYTHON) tests/on_gpu.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

check: lint types test  ## what must pass before a change is kept
