"""Compiles every module that has a `.pxd` beside it, and libcoalmm.so; everything else is in pyproject.toml.

A machine without a C compiler gets the interpreted package. Where there is a compiler, a module
that does not compile is an error.
"""
import os
import runpy
import shutil
import sys
import sysconfig
import tomllib
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = Path("src")
LIBRARY = "coalmm.c.libcoalmm"
SHARED = "coalmm.shared_code"  # what every module with views of memory would else have a copy of, and set up again
TAG = sys.implementation.cache_tag  # cpython-311: a library belongs to one version of Python
VERSION = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
PKG_CONFIG = Path("build", TAG, "coalmm.pc")
COMPILE = ["-O2", "-g0", "-Wno-sign-compare"]  # of the C that Cython writes
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
    "show_performance_hints": False,
}


def has_compiler() -> bool:
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return shutil.which(compiler.split()[0]) is not None


def refuse_differences() -> None:
    """Stop where a constant is one number for Python and another one for C."""
    wrong = runpy.run_path("scripts/compare_constants.py")["differences"](SOURCE)
    if wrong:
        sys.exit("coalmm: not built, since constants differ:\n" + "\n".join(wrong))


def compiled_modules() -> list[Extension]:
    """An extension for each `.pyx`, and for each `.py` that has a `.pxd` and is not a header of constants only."""
    sources = sorted(SOURCE.rglob("*.pyx"))
    for pxd in sorted(SOURCE.rglob("*.pxd")):
        python = pxd.with_suffix(".py")
        if python.exists() and "# header only" not in pxd.read_text().splitlines()[0]:
            sources.append(python)
    modules = []
    for source in sources:
        name = ".".join(source.relative_to(SOURCE).with_suffix("").parts)
        modules.append(Extension(name, [str(source)], extra_compile_args=COMPILE))
    return [*modules, Extension(SHARED, [f"{SHARED.replace('.', '/')}.c"], extra_compile_args=COMPILE)]


def c_library() -> Extension:
    """libcoalmm.so: not a module, but what C programs link; it finds this Python when one of them boots."""
    names = ("LIBDIR", "INSTSONAME")
    folder, shared = (sysconfig.get_config_var(name) or "" for name in names)
    texts = {
        "COALMM_PYTHON": sys.executable, "COALMM_LIBPYTHON": shared, "COALMM_LIBPYTHON_PATH": f"{folder}/{shared}",
    }  # fmt: skip
    return Extension(
        LIBRARY, ["src/coalmm/c/libcoalmm.c"],
        depends=["src/coalmm/c/include/coalmm.h", "src/coalmm/c/lock.h"],
        include_dirs=["src/coalmm/c/include"],
        define_macros=[(name, f'"{text}"') for name, text in texts.items()],
        extra_compile_args=["-O2", "-g0", "-Wall", "-Wextra", "-Wno-format-truncation", "-fvisibility=hidden"],
        extra_link_args=["-Wl,-soname,libcoalmm.so", "-Wl,-z,nodelete"],  # threads that end call it
    )


def static_python() -> str:
    """What links a whole interpreter into a program: modules look for all of Python's functions there.

    Its objects may not be fit for a program that can lie anywhere, hence -no-pie.
    """
    names = ("LIBPL", "LIBRARY", "LIBS", "MODLIBS", "SYSLIBS")
    folder, archive, *others = (sysconfig.get_config_var(name) or "" for name in names)
    python = f"-no-pie -Wl,--export-dynamic -Wl,--whole-archive {folder}/{archive} -Wl,--no-whole-archive"
    return " ".join([python, *" ".join(others).split(), "-lutil", "-lpthread"])


def pkg_config(folder: str) -> str:
    """The text of coalmm.pc; `folder` is that of the library. coalmm-config reads it too."""
    is_shared = ".so" in (sysconfig.get_config_var("INSTSONAME") or "")
    return f"""libdir={folder}
includedir=${{libdir}}/../include

Name: coalmm
Description: The memory manager of the Coal OS kernel
Version: {VERSION}
Cflags: -I${{includedir}}
Libs: -L${{libdir}} -Wl,-rpath,${{libdir}} -lcoalmm{"" if is_shared else " " + static_python()}
Libs.private: {static_python()}
"""


def installed_pkg_config() -> list[tuple[str, list[str]]]:
    """coalmm.pc for the folder where pkg-config looks, as setup's data_files."""
    modules = os.path.relpath(sysconfig.get_path("platlib"), sysconfig.get_path("data"))
    PKG_CONFIG.parent.mkdir(parents=True, exist_ok=True)
    PKG_CONFIG.write_text(pkg_config(f"${{pcfiledir}}/../../{modules}/coalmm/c/{TAG}"))
    return [("lib/pkgconfig", [str(PKG_CONFIG)])]


class Build(build_ext):
    """Gives the C library the name that a linker looks for, in a folder for each version of Python."""

    def run(self) -> None:
        super().run()
        if not self.inplace:
            Path(self.build_lib, "coalmm", "c", TAG, "coalmm.pc").write_text(pkg_config("${pcfiledir}"))

    def get_ext_filename(self, name: str) -> str:
        *package, last = name.split(".")
        if last != LIBRARY.rpartition(".")[2]:
            return super().get_ext_filename(name)
        return os.path.join(*package, TAG, f"{last}.so")


if has_compiler():
    refuse_differences()
    extensions = cythonize(
        compiled_modules(), include_path=[str(SOURCE)], build_dir="build/cython",
        compiler_directives=DIRECTIVES, nthreads=os.cpu_count() or 1, quiet=True,
        shared_utility_qualified_name=SHARED,
    )
    extensions.append(c_library())
else:
    print("coalmm: no C compiler found; installing the interpreted package", file=sys.stderr)
    extensions = []

setup(
    ext_modules=extensions,
    cmdclass={"build_ext": Build},
    data_files=installed_pkg_config() if extensions else [],
)
