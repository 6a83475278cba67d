"""`python -m coalmm` is `coalmm`."""

from coalmm.cli import main

main(prog_name="coalmm")
