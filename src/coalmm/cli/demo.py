"""`coalmm demo`."""

import sys

import click

import coalmm
from coalmm.tour.scene import Tour
from coalmm.tour.show import console_for, panels, wait_for_key
from coalmm.tour.steps import STEPS

RAM = "16M"


@click.command("demo")
@click.option("--all", "run_through", is_flag=True, help="Do not wait for keys. So it is too without a terminal.")
@click.option(
    "--paging",
    type=click.Choice(["i386", "pae", "x86_64", "la57"]),
    default="i386",
    show_default=True,
    help="The format of the page tables.",
)
@click.option("--plain", is_flag=True, help="No colours.")
def command(run_through: bool, paging: str, plain: bool) -> None:
    """A guided tour: a machine allocates, maps, faults and forks, and you see the bytes.

    Each step shows the call that is made, what it is for, and what it changed: words of the frame bitmap in
    binary, the frame's descriptor, page-table entries with their bits named, the walk level by level, free
    lists, and who owns a frame. Any key goes on, q ends. Every number is read from the machine.

    \b
    Examples:
      coalmm demo
      coalmm demo --paging x86_64
      coalmm demo --all --plain | less
    """
    console = console_for(plain)
    stepping = not run_through and sys.stdin.isatty() and console.is_terminal
    with coalmm.boot(ram=RAM, paging=paging) as kernel:
        tour = Tour(kernel)
        for number, step in enumerate(STEPS, 1):
            label = f"{number}/{len(STEPS)}"
            for shown in panels(step(tour), label, console, console.height if stepping else 0):
                if stepping:
                    console.clear()
                console.print(shown)
                if stepping and not wait_for_key(console):
                    return
