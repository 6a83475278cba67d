"""Builds what the bench runs: the C programs, an extension type that does nothing, the compiled loops.

Everything goes to build/bench, and is built again only when its source or coalmm is newer. A C compiler is
needed: without one there is nothing to compare.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "bench"
OUTPUT = ROOT / "build" / "bench"
LIBRARY = OUTPUT / "lib"
COALMM = ROOT / "build" / "lib"
PROGRAMS = {"replay": "replay.c", "walk": "walk.c", "host": "host.c"}
STATIC_PROGRAMS = {"guest": "guest.c"}  # that run on coalmm too
HOOKS = "minimal_fill"
C_FACE = COALMM / "coalmm" / "c"
C_LIBRARY = C_FACE / sys.implementation.cache_tag / "libcoalmm.so"
LINKED_PROGRAMS = {"replay_coalmm": "replay.c", "c_pair": "c_pair.c"}  # with libcoalmm.so
LINK = [
    "-DCOALMM", f"-I{C_FACE / 'include'}", f"-L{C_LIBRARY.parent}", f"-Wl,-rpath,{C_LIBRARY.parent}", "-lcoalmm",
]  # fmt: skip
COMPILER = ["cc", "-O2", "-Wall", "-Wextra"]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
DIRECTIVES = {"language_level": "3", "boundscheck": "False", "wraparound": "False", "cdivision": "True"}


def is_older(target: Path, *sources: Path) -> bool:
    """Whether `target` has to be built (again) from `sources`."""
    return not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime for source in sources)


def run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def program(name: str) -> Path:
    """Where the C program `name` is once it has been built."""
    return OUTPUT / name


def build_program(name: str, file: str, *libraries: str) -> None:
    source, target = SOURCE / file, program(name)
    if is_older(target, source):
        run([*COMPILER, "-o", str(target), str(source), *libraries])


def build_extension(name: str, source: Path) -> None:
    """Compile a C file that is a Python extension module."""
    include = sysconfig.get_paths()["include"]
    flags = ["-shared", "-fPIC", "-Wno-unused-parameter", "-Wno-unused-function", f"-I{include}"]
    run([*COMPILER, *flags, "-o", str(LIBRARY / f"{name}{SUFFIX}"), str(source)])


def build_loops() -> None:
    """The Cython loops; they are built on coalmm's `.pxd` files, so any change of those builds them again."""
    interfaces = list((ROOT / "src").rglob("*.pxd"))
    for loop in sorted(SOURCE.glob("*.pyx")):
        target = LIBRARY / f"{loop.stem}{SUFFIX}"
        if not is_older(target, loop, *interfaces):
            continue
        generated = OUTPUT / f"{loop.stem}.c"
        options = [word for name, value in DIRECTIVES.items() for word in ("-X", f"{name}={value}")]
        cython = [sys.executable, "-m", "cython", *options, "-I", str(ROOT / "src"), "-o", str(generated), str(loop)]
        run(cython)
        build_extension(loop.stem, generated)


def build() -> None:
    """Build whatever is missing or old. RuntimeError, with the compiler's words, if something does not build."""
    LIBRARY.mkdir(parents=True, exist_ok=True)
    for name, file in STATIC_PROGRAMS.items():
        build_program(name, file, "-static")
    hooks = SOURCE / f"{HOOKS}.c"
    if is_older(LIBRARY / f"{HOOKS}.so", hooks):
        run([*COMPILER, "-shared", "-fPIC", "-o", str(LIBRARY / f"{HOOKS}.so"), str(hooks)])
    for name, file in PROGRAMS.items():
        build_program(name, file)
    for name, file in LINKED_PROGRAMS.items():
        build_program(name, file, *LINK)
    if is_older(LIBRARY / f"nothing{SUFFIX}", SOURCE / "nothing.c"):
        build_extension("nothing", SOURCE / "nothing.c")
    build_loops()
