"""Random sequences on a target until the time is up; the first failure of each kind in each group is shrunk."""

import time
from dataclasses import dataclass
from random import Random

from coalmm.check.build import Built
from coalmm.check.protocol import Op
from coalmm.check.recording import Recording, replay
from coalmm.check.sequences.generator import Generator
from coalmm.check.sequences.heap import make_heap
from coalmm.check.sequences.mixed import SOURCES
from coalmm.check.shrink import Shrinker, same
from coalmm.check.traits import Traits
from coalmm.check.violation import Illegal, Violation
from coalmm.typed import Callable

BATCH = 200
SHRINK_SECONDS, SHORTEN_SECONDS = 15.0, 5.0
SHORT, LONG = 6, 200  # operations that nobody would want fewer of; that no short run will match
LENGTHS = (30, 200, 1000, 4000)


@dataclass(frozen=True)
class Finding:
    """A failing sequence, shrunk."""

    violation: Violation
    ops: list[Op]
    seed: int


@dataclass
class Group:
    """A generator and what it found so far."""

    name: str
    kind: type[Generator]
    runs: int = 0
    calls: int = 0
    seconds: float = 0.0
    finding: Finding | None = None


def play(generator: Generator, length: int) -> None:
    """A whole run: every object is given back at the end."""
    make_heap(generator.recording, generator.traits)
    generator.start()
    for _ in range(length):
        generator.step()
        if len(generator.recording.queue) >= BATCH:
            generator.flush()
    generator.finish()
    generator.flush()


def random_run(
    built: Built, traits: Traits, kind: type[Generator], seed: int, length: int = 0
) -> tuple[Violation | None, list[Op]]:
    """The run with this seed: the same operations each time. Its length is random too, where none is given."""
    random = Random(seed)
    with Recording(built) as recording:
        try:
            play(kind(recording, random, traits), length or random.choice(LENGTHS))
        except Violation as violation:
            return violation, recording.ops
        except Illegal:
            return None, recording.ops  # a target so wrong that what follows is undefined: other checks say how
        return None, recording.ops


def shrunk(built: Built, ops: list[Op], violation: Violation, seconds: float) -> tuple[list[Op], Violation]:
    """The shortest sequence that fails in this way."""
    patience = 0.3 if violation.kind == "hang" else 1.0
    return Shrinker(
        lambda candidate: replay(built, candidate, patience), ops, violation, time.monotonic() + seconds
    ).run()


def shortest(built: Built, traits: Traits, kind: type[Generator], finding: Finding, seconds: float) -> Finding:
    """Try short random runs: one of them may fail in the same way with fewer operations than shrinking left."""
    deadline = time.monotonic() + seconds
    seed = finding.seed
    while SHORT < len(finding.ops) < LONG and time.monotonic() < deadline:
        seed += 7_919
        violation, ops = random_run(built, traits, kind, seed, 2 * len(finding.ops))
        if violation is not None and same(violation, finding.violation):
            ops, violation = shrunk(built, ops, violation, deadline - time.monotonic())
            if len(ops) < len(finding.ops):
                finding = Finding(violation, ops, seed)
    return finding


def campaign(
    built: Built, traits: Traits, names: list[str], seed: int, seconds: float, tell: Callable[[Group, float], None],
    first: bool = False,
) -> list[Group]:  # fmt: skip
    """Run the groups in turn, each for the same time. A group that found something is done; with `first`, all are."""
    groups = [Group(name, SOURCES[name]) for name in names if SOURCES[name].possible(traits)]
    number, used = 0, 0.0
    while used < seconds and any(group.finding is None for group in groups):
        group = min((group for group in groups if group.finding is None), key=lambda group: group.seconds)
        one_run(built, traits, group, seed * 1_000_003 + number)
        number += 1
        used = sum(group.seconds for group in groups)
        tell(group, min(used / seconds, 1.0))
        if first and group.finding is not None:
            break
    return groups


def one_run(built: Built, traits: Traits, group: Group, seed: int) -> None:
    """A run of a group, and the shrinking of what it finds, whose time is not counted."""
    since = time.monotonic()
    violation, ops = random_run(built, traits, group.kind, seed)
    group.runs += 1
    group.calls += len(ops)
    group.seconds += time.monotonic() - since
    if violation is not None:
        ops, violation = shrunk(built, ops, violation, SHRINK_SECONDS)
        group.finding = shortest(built, traits, group.kind, Finding(violation, ops, seed), SHORTEN_SECONDS)
