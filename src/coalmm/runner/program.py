"""What `coalmm run` does with its options: find the program, boot a machine for it, load it."""

from __future__ import annotations

import os
import sys
from errno import ENOENT

from coalmm.errors import lower_first
from coalmm.kernel import boot
from coalmm.runner.session import Session, bad_option, report_form
from coalmm.typed import TYPE_CHECKING, NoReturn, Sequence

if TYPE_CHECKING:
    from coalmm.kernel import Kernel
    from coalmm.linux.vfs.vfs import Vfs

CANNOT_RUN, NOT_FOUND = 126, 127  # exit status, as shells have it


def prepare(
    program: str,
    arguments: Sequence[str],
    ram: str,
    paging: str,
    root: str,
    writable: Sequence[str],
    cwd: str | None,
    variables: Sequence[str],
    clear_env: bool,
    seed: int | None,
    timeout: float | None,
    output_limit: str | None,
    most_processes: int,
    report: str | None,
    quiet: bool,
    trace: bool,
    policy: str | None = None,
) -> Session:
    """A session whose program is loaded; `go` runs it. UsageError for a wrong option; then nothing has happened."""
    form = report_form(report)
    if not program:
        raise bad_option("PROGRAM", "the name is empty")
    vfs = open_files(root, writable, output_limit, seed)
    environment = variables_of(variables, clear_env)
    here = directory_of(cwd, root)
    path, mode = find(vfs, program, here, environment, paging, must_enter=cwd is not None)
    chosen = None if policy is None else policy_in(policy)
    kernel = machine(ram, mode, chosen)
    details = form in (".json", ".html")
    kernel.linux(root=root, vfs=vfs, seed=seed, most_processes=most_processes, details=details)
    session = Session(kernel, timeout, report, form, quiet, trace)
    try:
        session.spawn([program, *arguments], path, environment, here)
    except OSError as error:
        kernel.close()
        fail(program, error)
    return session


def policy_in(path: str) -> object:
    """An object of the class Policy in a Python file. UsageError if there is none, or it cannot be made."""
    import runpy

    try:
        return runpy.run_path(path)["Policy"]()
    except KeyError:
        raise bad_option("--policy", f"{path} has no class Policy") from None
    except Exception as error:
        raise bad_option("--policy", f"{path}: {lower_first(str(error) or type(error).__name__)}") from None


def machine(ram: str, paging: str, policy: object = None) -> Kernel:
    """A machine for the program. UsageError for a size that cannot be booted."""
    try:
        kernel = boot(ram=ram, paging=paging)
    except ValueError as error:
        raise bad_option("--ram", str(error)) from None
    if policy is not None:
        try:
            kernel.use_policy(policy)
        except ValueError as error:
            raise bad_option("--policy", str(error)) from None
    return kernel


def open_files(root: str, writable: Sequence[str], output_limit: str | None, seed: int | None) -> Vfs:
    """The files that the program sees. UsageError for options that cannot be."""
    from coalmm.linux.vfs.vfs import Vfs
    from coalmm.sizes import parse_size

    try:
        limit = None if output_limit is None else parse_size(output_limit)
    except ValueError as error:
        raise bad_option("--output-limit", str(error)) from None
    for option, folder in (("--root", root), *(("--write", path) for path in writable)):
        if not os.path.isdir(folder):
            raise bad_option(option, f"{folder} is no directory")
        if not os.access(folder, os.X_OK):
            raise bad_option(option, f"{folder}: permission denied")
    try:
        return Vfs(root, writable, output_limit=limit, seed=seed)
    except ValueError as error:
        raise bad_option("--write", str(error)) from None


def directory_of(cwd: str | None, root: str) -> str:
    """Where the program starts; what --cwd says of the whole host is relative to where we are."""
    here = os.getcwd() if root == "/" else "/"
    return here if cwd is None else os.path.join(here, cwd)


def variables_of(given: Sequence[str], clear: bool) -> dict[str, str]:
    """The program's environment."""
    variables = {} if clear else dict(os.environ)
    for text in given:
        name, separator, value = text.partition("=")
        if not name:
            raise bad_option("--env", f"{text!r} names no variable: write NAME=VALUE, or NAME to pass one on")
        if separator:
            variables[name] = value
        elif name in os.environ:
            variables[name] = os.environ[name]
    return variables


def find(
    vfs: Vfs, program: str, cwd: str, variables: dict[str, str], paging: str, must_enter: bool
) -> tuple[bytes, str]:
    """The program's path, and the paging mode for it. A directory that was asked for must be one to enter."""
    from coalmm.linux.programs.search import DEFAULT_PATH, abi_of, search
    from coalmm.linux.system import PAGING
    from coalmm.linux.vfs.attributes import MAY_EXECUTE, check_access

    try:
        fs = vfs.context(os.fsencode(cwd))
        if must_enter:
            check_access(fs.cwd.attributes(), MAY_EXECUTE)
    except OSError as error:
        raise bad_option("--cwd", f"{cwd}: {lower_first(error.strerror or '')}") from None
    try:
        path = search(vfs, fs, os.fsencode(program), os.fsencode(variables.get("PATH", "")) or DEFAULT_PATH)
        abi = abi_of(vfs, fs, path)
    except OSError as error:
        fail(program, error)
    modes = PAGING[abi.name]
    if paging != "auto" and paging not in modes:
        why = f"a {abi.word * 8}-bit program needs {' or '.join(modes)} (or auto), not {paging}"
        raise bad_option("--paging", why)
    return path, modes[0] if paging == "auto" else paging


def fail(program: str, error: OSError) -> NoReturn:
    """One line, and the exit status that a shell has for a program that it cannot run."""
    why = " ".join((error.strerror or str(error)).split())
    sys.stderr.write(f"coalmm: {program}: {lower_first(why)}\n")
    raise SystemExit(NOT_FOUND if error.errno == ENOENT else CANNOT_RUN)
