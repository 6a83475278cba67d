"""`coalmm run -- PROGRAM [ARGS]`."""

import os
import shutil
import sys

import click

from coalmm.kernel import boot
from coalmm.linux.programs.elf import parse
from coalmm.linux.system import System

SIGNALLED = 128  # exit status of a program that signal N ended: 128 + N, as shells have it
TIMED_OUT = 124


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--ram", default="1G", show_default=True, help="Size of RAM.")
@click.option("--paging", type=click.Choice(["auto", "i386", "pae", "x86_64", "la57"]), default="auto")
@click.option("--root", default="/", show_default=True, help="Directory that the program sees as /.")
@click.option("--write", "writable", multiple=True, metavar="DIR", help="Let writes below DIR reach the host.")
@click.option("--cwd", default=None, help="Working directory, as the program sees it.")
@click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="Set an environment variable.")
@click.option("--seed", type=int, default=None, help="Randomise addresses, from this seed.")
@click.option("--timeout", type=float, default=None, help="End the run after this many seconds.")
def command(
    program: str,
    arguments: tuple[str, ...],
    ram: str,
    paging: str,
    root: str,
    writable: tuple[str, ...],
    cwd: str | None,
    variables: tuple[str, ...],
    seed: int | None,
    timeout: float | None,
) -> None:
    """Run an ordinary Linux program on the memory manager: its output and exit status are those of Linux."""
    path = find(program, root)
    environment = {**os.environ, **dict(each.partition("=")[::2] for each in variables)}
    environ = [os.fsencode(f"{name}={value}") for name, value in environment.items()]
    with boot(ram=ram, paging=paging_for(path, root) if paging == "auto" else paging) as kernel:
        system = System(kernel, root, writable, seed=seed)
        try:
            here = cwd if cwd is not None else os.getcwd() if root == "/" else "/"
            task = system.spawn(
                [os.fsencode(each) for each in (program, *arguments)], environ, os.fsencode(here), os.fsencode(path)
            )
            group = task.group
            ended = system.run(timeout)
            sys.stdout.flush()
            for line in system.crashes:
                click.echo(f"coalmm: {line}", err=True)
            if not ended:
                click.echo(f"coalmm: ended after {timeout:g} s", err=True)
        finally:
            system.close()
    status = TIMED_OUT if not ended else group.status or 0
    raise SystemExit(status >> 8 if status & 0x7F == 0 else SIGNALLED + (status & 0x7F) if ended else TIMED_OUT)


def find(program: str, root: str) -> str:
    """The path of a program, as it sees it: looked for on PATH where the name has no slash."""
    if "/" in program:
        return program
    folders = [os.path.join(root, folder.lstrip("/")) for folder in os.get_exec_path()]
    found = shutil.which(program, path=os.pathsep.join(folders))
    if found is None:
        raise click.ClickException(f"{program}: no such program on PATH; name its path")
    return "/" + os.path.relpath(found, root) if root != "/" else found


def paging_for(path: str, root: str) -> str:
    """i386 for a 32-bit image, x86_64 for all else."""
    try:
        with open(os.path.join(root, path.lstrip("/")) if path.startswith("/") else path, "rb") as file:
            image = parse(lambda offset, size: os.pread(file.fileno(), size, offset))
    except OSError:
        return "x86_64"
    return "i386" if image.abi.word == 4 else "x86_64"
