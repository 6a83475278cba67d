"""The command line. Each command is a file here, loaded only when it is used."""

import importlib
import sys

import click

from coalmm import __version__
from coalmm.errors import CoalError

COMMANDS = {
    "replay": "Run a real program's allocation trace on the allocators and report.",
}


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

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what is wrong with its input is one line on stderr and exit status 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (CoalError, OSError, MemoryError) as error:
            raise click.ClickException(" ".join(str(error).split()) or type(error).__name__) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="coalmm")
def main() -> None:
    """The memory manager of the Coal OS kernel, on a RAM of its own.

    Every command has its own --help. Errors are one line, with exit status 1 (2 for wrong usage).
    """


if __name__ == "__main__":
    sys.exit(main())
