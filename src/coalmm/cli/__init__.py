"""The command line. Each command is a file here, loaded only when it is used."""

import importlib
import re
import sys

import click

from coalmm import __version__
from coalmm.errors import CoalError, one_line

COMMANDS = {
    "check": "Hold C memory code against the document, function by function.",
    "compare": "The figures of two or more reports of `run` or `replay`, side by side.",
    "demo": "A guided tour: a machine allocates, maps, faults and forks, and you see the bytes.",
    "info": "Memory, free blocks, slab caches and processes of a saved image.",
    "replay": "Run a real program's allocation trace on the allocators and report.",
    "run": "Run an ordinary Linux program on the memory manager, with an emulated CPU.",
    "translate": "The page walk of one address in a saved image, entry by entry.",
}


PLAINER = (  # what click says, and how it is said here
    (r"^Invalid value for '?([^' ]+?)'?: ", r"\1: "),
    (r"is not a valid integer( range)?$", "is not a whole number"),
    (r"is not a valid float( range)?$", "is not a number"),
    (r"is not in the range x>=(\d+)$", r"is too small: \1 or more"),
    (r"^Missing argument '(\w+)'$", r"\1 is missing"),
    (r"^No such command '(.*)'$", rf"there is no command '\1'; there are {', '.join(COMMANDS)}"),
    (r"^No such option '(.*?)'", r"there is no option '\1'"),
    (r"^Got unexpected extra arguments? \((.*)\)$", r"there is no place for '\1'"),
)


class Commands(click.Group):
    """Finds command `x` as the function `command` of coalmm.cli.x."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, as --help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"coalmm.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help, without importing every command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options before the command; a wrong one is one line."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise in_one_line(error) from None

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what is wrong with its input is one line on stderr and exit status 1 (2: wrong usage)."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise in_one_line(error) from None
        except BrokenPipeError:
            raise
        except (CoalError, OSError, MemoryError) as error:
            raise click.ClickException(one_line(error)) from None


def in_one_line(error: click.UsageError) -> click.UsageError:
    """A usage error without the lines about usage that click puts before it; `coalmm` alone still shows its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return error
    path = error.ctx.command_path if error.ctx else "coalmm"
    text = " ".join(error.format_message().split()).rstrip(".")
    for pattern, plain in PLAINER:
        text = re.sub(pattern, plain, text)
    return click.UsageError(f"{text} (see {path} --help)")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="coalmm")
def main() -> None:
    """The memory manager of the Coal OS kernel, on a RAM of its own.

    Every command has its own --help. Errors are one line, with exit status 1 (2 for wrong usage).
    """


if __name__ == "__main__":
    sys.exit(main())
