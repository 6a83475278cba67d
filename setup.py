"""Compiles every module that has a `.pxd` beside it; everything else is in pyproject.toml.

A machine without a C compiler gets the interpreted package. Where there is a compiler, a module
that does not compile is an error.
"""
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

SOURCE = Path("src")
DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,   # the .pxd types; an `-> int` in the .py only documents
    "boundscheck": True,          # no bytes in RAM may make compiled code read outside RAM
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,    # an unset view has no elements, so the bounds check says it
    "nonecheck": True,
    "binding": True,              # signatures that inspect can read
    "embedsignature": False,
}


def has_compiler() -> bool:
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return shutil.which(compiler.split()[0]) is not None


def compiled_modules() -> list[Extension]:
    """An extension for each `.py` that has a `.pxd` and is not a header of constants only."""
    modules = []
    for pxd in sorted(SOURCE.rglob("*.pxd")):
        python = pxd.with_suffix(".py")
        if python.exists() and "# header only" not in pxd.read_text().splitlines()[0]:
            name = ".".join(python.relative_to(SOURCE).with_suffix("").parts)
            modules.append(Extension(name, [str(python)], extra_compile_args=["-O2", "-g0"]))
    return modules


if has_compiler():
    extensions = cythonize(
        compiled_modules(), include_path=[str(SOURCE)], build_dir="build/cython",
        compiler_directives=DIRECTIVES, nthreads=os.cpu_count() or 1, quiet=True,
    )
else:
    print("coalmm: no C compiler found; installing the interpreted package", file=sys.stderr)
    extensions = []

setup(ext_modules=extensions)
