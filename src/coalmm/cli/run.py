"""`coalmm run -- PROGRAM [ARGS]`."""

import click

from coalmm.cli.numbers import Seconds


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
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Randomise addresses, from this seed.")
@click.option("--timeout", type=Seconds(min=0), metavar="SECONDS", help="End the run then, with status 124.")
@click.option("--output-limit", metavar="SIZE", help="Bytes that the program may print; then it gets SIGXFSZ.")
@click.option("--most-processes", type=click.IntRange(min=1), metavar="N", default=4096, show_default=True)
@click.option("--policy", metavar="FILE", help="Its class Policy chooses pages: see docs/policies.md.")
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
    policy: str | None,
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
    directory. It has a loopback, and no network. Exit status: the program's; 128 + N if signal N ended it; 124 after
    --timeout; 126 for what cannot be executed, 127 for what is not there, 1 or 2 for an error of coalmm.
    """
    from coalmm.runner.program import prepare

    raise SystemExit(
        prepare(
            program, arguments, ram, paging, root, writable, cwd, variables, clear_env, seed, timeout, output_limit,
            most_processes, report, quiet, trace, policy,
        ).go()
    )  # fmt: skip
