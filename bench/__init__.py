"""Measures coalmm against its peers: `make bench`, or `python -m bench --help`.

Every number is a ratio of two things measured in one run on one machine. `rows.py` says what is measured
against what; each side of a row is a program of its own, in C (`replay.c`, `walk.c`, `host.c`) or a module
here that prints one line of JSON (`python -m bench.pair`, ...), and the harness runs the sides in turn.
"""
