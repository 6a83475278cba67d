# make run | replay | test | bench | lint | build: each sets up what it needs first, in .venv and build.
PYTHON ?= python3
JOBS ?= $(shell nproc)
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src -name '*.py' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.[ch]')
PYTEST := -m pytest -n $(JOBS) --dist worksteal

.PHONY: run replay test test-this test-newest test-deep bench kit-faults lint build clean

# A real program of this machine on the memory manager, and what its memory did.
run: build
	PYTHONPATH=build/lib $(BIN)/python examples/run_program.py

# A real program's allocation trace on the allocators.
replay: build
	PYTHONPATH=build/lib $(BIN)/python -m coalmm replay examples/count_words.mtrace.xz

test: test-this test-newest

# The suite compiled, then what is compiled (and a part of the rest) interpreted, on the Python of .venv.
# tests/rounds.py has what a run leaves to another one, and why.
test-this: build
	PYTHONPATH=build/lib COALMM_MODE=compiled $(BIN)/python $(PYTEST)
	PYTHONPATH=src COALMM_MODE=interpreted COALMM_TESTED="compiled $$COALMM_TESTED" $(BIN)/python $(PYTEST)

# The same on the newest Python of the machine, if that is another one, without the slowest tests and those of tools.
test-newest: $(VENV)/.installed
	@newest=$$($(BIN)/python scripts/newest_python.py); \
	if [ -n "$$newest" ]; then COALMM_TESTED=python $(MAKE) test-this PYTHON=$$newest VENV=.venv-newest; \
	else echo "the newest Python of this machine is the one that was tested"; fi

# Hours: random tests with many more examples from a new seed, hostile programs, planted faults.
test-deep: build kit-faults
	PYTHONPATH=build/lib COALMM_MODE=compiled COALMM_TESTS=deep $(BIN)/python $(PYTEST)
	PYTHONPATH=build/lib COALMM_MODE=compiled $(BIN)/python tests/linux/hostile.py 20000

# BENCH="--quick --only replay" and the like: python -m bench --help
bench: build
	$(BIN)/python -m bench $(BENCH)

# How many of the faults planted in a correct C implementation `coalmm check` finds.
kit-faults: build
	PYTHONPATH=build/lib $(BIN)/python -m tests.kit.faults --jobs $(JOBS)

lint: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/mypy --strict

$(VENV)/.installed: pyproject.toml scripts/install_dependencies.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python scripts/install_dependencies.py
	touch $@

# build/lib holds modules for every Python that was built for: their names tell them apart.
build: build/.built-$(VENV)
build/.built-$(VENV): $(VENV)/.installed setup.py $(SOURCES)
	@if [ -d build/lib ]; then cd build/lib && find . -name '*.py' | while read -r module; do \
		[ -e "../../src/$$module" ] || rm -f "$$module"; done; fi  # whose source is gone
	$(BIN)/python setup.py -q build_py --build-lib build/lib \
		build_ext --build-lib build/lib --build-temp build/temp$(VENV) --parallel $(JOBS)
	$(BIN)/python -m compileall -q build/lib
	$(BIN)/python scripts/write_bytecode.py build/lib/coalmm
	touch $@

clean:
	rm -rf build .venv .venv-newest
