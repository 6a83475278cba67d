"""Runs the sides of a row in turn, each in a process of its own, and takes medians.

Sides run A B C, A B C, ... so that a slow spell of the machine falls on all of them, and a ratio is taken
within a round; the ratio reported is the median of the rounds' ratios. All times are processor time of the
process (user and kernel), so that work elsewhere on the machine disturbs them less.
"""

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.build import COALMM, LIBRARY, ROOT, program

TIME_LIMIT = 300  # seconds for one side once; none should need more than a few

Figures = dict[str, float]
Rounds = list[dict[str, Figures]]


class SideFailedError(Exception):
    """A program of the bench ended with an error, or printed something else than its figures."""


@dataclass(frozen=True)
class Side:
    """A program that prints one line of JSON with its figures."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> Figures:
        environment = {**os.environ, **self.environment}
        try:
            done = subprocess.run(
                self.command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SideFailedError(f"{self.describe()}: not done after {TIME_LIMIT} s") from error
        if done.returncode:
            raise SideFailedError(f"{self.describe()}: exit status {done.returncode}\n{done.stderr.strip()}")
        return self.parse(done.stdout)

    def parse(self, output: str) -> Figures:
        try:
            figures: Figures = json.loads(output.splitlines()[-1])
        except (IndexError, ValueError) as error:
            raise SideFailedError(f"{self.describe()}: no figures in {output!r}") from error
        return figures

    def describe(self) -> str:
        return " ".join(Path(word).name for word in self.command)


def native(name: str, *arguments: object, preload: str = "") -> Side:
    """A C program of the bench, with the library `preload` in front of libc if one is given."""
    environment = {"LD_PRELOAD": preload} if preload else {}
    return Side((str(program(name)), *map(str, arguments)), environment)


def ours(module: str, *arguments: object) -> Side:
    """A module of the bench, run on the compiled coalmm."""
    path = os.pathsep.join(map(str, (COALMM, LIBRARY, ROOT)))
    environment = {"PYTHONPATH": path, "COALMM_MODE": "compiled"}
    return Side((sys.executable, "-m", f"bench.{module}", *map(str, arguments)), environment)


@dataclass
class Runner:
    """Runs sides, `rounds` times in turn, and calls `tick` with a label before each run."""

    rounds: int
    tick: Callable[[str], None] = lambda label: None

    def interleave(self, label: str, sides: Mapping[str, Side], rounds: int = 0) -> Rounds:
        """The figures of every side in every round."""
        results: Rounds = []
        for number in range(rounds or self.rounds):
            results.append({})
            for name, side in sides.items():
                self.tick(f"{label}: {name}, round {number + 1}")
                results[-1][name] = side.run()
        return results


def median_of(rounds: Rounds, side: str, figure: str) -> float:
    """The median over the rounds of one figure of one side."""
    return statistics.median(float(results[side][figure]) for results in rounds)


def ratio_of(rounds: Rounds, above: tuple[str, str], below: tuple[str, str]) -> float:
    """The median over the rounds of one (side, figure) divided by another. SideFailedError if it is no number."""
    pairs = [(results[above[0]][above[1]], results[below[0]][below[1]]) for results in rounds]
    ratios = [one / other for one, other in pairs if other]
    ratio = statistics.median(ratios) if ratios else math.nan
    if not math.isfinite(ratio) or ratio <= 0:
        raise SideFailedError(f"{above} / {below} is {ratio}: too little work to measure")
    return ratio

