# make run | test | bench | lint | build: each sets up what it needs in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LIBRARY := build/lib
SOURCES := $(shell find src -name '*.py' -o -name '*.pxd')

.PHONY: run test bench lint build clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python scripts/install_dependencies.py
	touch $@

build: build/.built
build/.built: $(VENV)/.installed setup.py $(SOURCES)
	$(BIN)/python setup.py -q build --build-lib $(LIBRARY) --build-temp build/temp
	touch $@

# BENCH="--quick --only replay" and the like: python -m bench --help
bench: build
	$(BIN)/python -m bench $(BENCH)

clean:
	rm -rf build $(VENV) .venv-newest
