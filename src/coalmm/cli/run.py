"""`coalmm run -- PROGRAM [ARGS]`."""

import os
import sys
from errno import ENOENT
from typing import TYPE_CHECKING, NoReturn

import click

from coalmm.kernel import boot

if TYPE_CHECKING:
    from coalmm.kernel import Kernel
    from coalmm.linux.vfs.vfs import Vfs

CANNOT_RUN, NOT_FOUND = 126, 127  # exit status, as shells have it


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--ram", metavar="SIZE", default="1G", show_default=True, help="RAM of the machine: 64M, 4G. Sparse.")
@click.option(
    "--paging",
    type=click.Choice(["auto", "i386", "pae", "x86_64", "la57"]),
    default="auto",
    show_default=True,
    help="auto: i386 for a 32-bit program, x86_64 for a 64-bit one.",
)
@click.option("--root", metavar="DIR", default="/", show_default=True, help="The directory that the program sees as /.")
@click.option("--write", "writable", multiple=True, metavar="DIR", help="Let changes below DIR reach the host.")
@click.option("--cwd", metavar="DIR", help="Working directory, as the program sees it.  [default: this one, or /]")
@click.option("--env", "variables", multiple=True, metavar="NAME[=VALUE]", help="Set a variable, or pass this one on.")
@click.option("--clear-env", is_flag=True, help="Do not pass this shell's variables on.")
@click.option("--seed", type=int, metavar="N", help="Randomise addresses, from this seed. Without it they are fixed.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="End the run then, with status 124.")
@click.option("--output-limit", metavar="SIZE", help="Bytes that the program may print; then it gets SIGXFSZ.")
@click.option("--most-processes", type=click.IntRange(min=1), metavar="N", default=4096, show_default=True)
@click.option("--report", metavar="FILE", help="Write the report to FILE.txt, .json or .html (with pictures).")
@click.option("-q", "--quiet", is_flag=True, help="No report on stderr.")
@click.option("--trace", is_flag=True, help="Show each system call on stderr.")
def command(
    program: str,
    arguments: tuple[str, ...],
    ram: str,
    paging: str,
    root: str,
    writable: tuple[str, ...],
    cwd: str | None,
    variables: tuple[str, ...],
    clear_env: bool,
    seed: int | None,
    timeout: float | None,
    output_limit: str | None,
    most_processes: int,
    report: str | None,
    quiet: bool,
    trace: bool,
) -> None:
    """Run an ordinary Linux program, 32-bit or 64-bit x86, on the memory manager.

    Its output and exit status are those of Linux. Its memory is the machine's: every page fault, fork and mmap is
    done by coalmm, with the CPU emulated. When it has ended, a report on stderr says what the memory did.

    \b
    Examples:
      coalmm run -- ls -l /usr/bin
      coalmm run --report ls.html -- ls -l /usr/bin
      coalmm run --ram 64M --timeout 10 --trace -- python3 -c 'print(6 * 7)'
      coalmm run --root debian-i386 -- /bin/sh

    The program sees the host's files, read-only: what it writes is gone at the end, unless it is below a --write
    directory. It has no network. Exit status: the program's; 128 + N if signal N ended it; 124 after --timeout; 126 for
    what cannot be executed, 127 for what is not there, 1 or 2 for an error of coalmm.
    """
    from coalmm.cli.session import Session, report_form

    form = report_form(report)
    vfs = open_files(root, writable, output_limit, seed)
    environment = variables_of(variables, clear_env)
    here = cwd if cwd is not None else os.getcwd() if root == "/" else "/"
    path, mode = find(vfs, program, here, environment, paging)
    with machine(ram, mode) as kernel:
        kernel.linux(root=root, vfs=vfs, seed=seed, most_processes=most_processes, details=form in (".json", ".html"))
        session = Session(kernel, trace)
        try:
            session.spawn([program, *arguments], path, environment, here)
        except OSError as error:
            fail(program, error)
        session.run(timeout)
        sys.stdout.flush()
        if report is not None:
            session.write_report(report, form)
        elif not quiet:
            click.echo(session.report_text(sys.stderr.isatty()), err=True, nl=False)
        raise SystemExit(session.exit_status)


def machine(ram: str, paging: str) -> "Kernel":
    """A machine for the program. UsageError for a size that cannot be booted."""
    try:
        return boot(ram=ram, paging=paging)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--ram") from None


def open_files(root: str, writable: tuple[str, ...], output_limit: str | None, seed: int | None) -> "Vfs":
    """The files that the program sees. UsageError for options that cannot be."""
    from coalmm.linux.vfs.vfs import Vfs
    from coalmm.sizes import parse_size

    try:
        limit = None if output_limit is None else parse_size(output_limit)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--output-limit") from None
    for option, folder in (("--root", root), *(("--write", path) for path in writable)):
        if not os.path.isdir(folder):
            raise click.BadParameter(f"{folder} is no directory", param_hint=option)
    try:
        return Vfs(root, writable, output_limit=limit, seed=seed)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--write") from None


def variables_of(given: tuple[str, ...], clear: bool) -> dict[str, str]:
    """The program's environment."""
    variables = {} if clear else dict(os.environ)
    for text in given:
        name, separator, value = text.partition("=")
        if separator:
            variables[name] = value
        elif name in os.environ:
            variables[name] = os.environ[name]
    return variables


def find(vfs: "Vfs", program: str, cwd: str, variables: dict[str, str], paging: str) -> tuple[bytes, str]:
    """The program's path, and the paging mode for it."""
    from coalmm.linux.programs.search import DEFAULT_PATH, abi_of, search
    from coalmm.linux.system import PAGING

    try:
        fs = vfs.context(os.fsencode(cwd))
    except OSError as error:
        raise click.BadParameter(f"{cwd}: {error.strerror}", param_hint="--cwd") from None
    try:
        path = search(vfs, fs, os.fsencode(program), os.fsencode(variables.get("PATH", "")) or DEFAULT_PATH)
        abi = abi_of(vfs, fs, path)
    except OSError as error:
        fail(program, error)
    modes = PAGING[abi.name]
    if paging != "auto" and paging not in modes:
        why = f"a {abi.word * 8}-bit program needs {' or '.join(modes)}, not {paging}"
        raise click.BadParameter(why, param_hint="--paging")
    return path, modes[0] if paging == "auto" else paging


def fail(program: str, error: OSError) -> NoReturn:
    """One line, and the exit status that a shell has for a program that it cannot run."""
    why = " ".join((error.strerror or str(error)).split())
    click.echo(f"coalmm: {program}: {why[:1].lower()}{why[1:]}", err=True)
    raise SystemExit(NOT_FOUND if error.errno == ENOENT else CANNOT_RUN)
