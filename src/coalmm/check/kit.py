"""The whole kit on one target: learn, directed checks, random sequences, leaks; a Report."""

import fnmatch
import time
from dataclasses import dataclass, replace
from pathlib import Path

from coalmm.check.build import Built, Workshop
from coalmm.check.campaign import Group, campaign
from coalmm.check.config import TargetError, read_config
from coalmm.check.directed import all_checks
from coalmm.check.directed.registry import CHECKS, run_check
from coalmm.check.functions import FUNCTIONS, GROUPS
from coalmm.check.reproduce import Reproducer
from coalmm.check.result import FAIL, MUST, PASS, SKIP, Report, Result
from coalmm.check.sequences.mixed import SOURCES
from coalmm.check.traits import Traits, learn
from coalmm.typed import Callable

Tell = Callable[[str, float], None]  # what is done now, and how much of all is done (0 to 1)


@dataclass(frozen=True)
class Options:
    """What the user asked for. `only`: names of checks, functions or groups, with * and ?; none: all."""

    only: tuple[str, ...] = ()
    seed: int = 1
    seconds: float = 10.0  # for the random sequences
    strict: bool = False
    first: bool = False  # end at the first failure

    def wants(self, *names: str) -> bool:
        """Whether one of these names is asked for."""
        return not self.only or any(fnmatch.fnmatchcase(name, word) for name in names for word in self.only)


def check_target(target: Path, options: Options, tell: Tell = lambda what, done: None) -> Report:
    """Check a target. TargetError if it cannot be built, loaded or started, or has none of the functions."""
    begin = time.monotonic()
    with Workshop() as shop:
        tell("building", 0.0)
        built = shop.build(read_config(target))
        tell("starting", 0.02)
        traits = learn(built)
        built = replace(built, ownership=(traits.unmap_frees, traits.directory_frees))
        if not traits.present:
            raise TargetError(f"{target} has none of the document's functions; check.toml can name them")
        report = Report(str(target), built.bits, traits.present, frozenset(FUNCTIONS) - traits.present,
                        options.strict, options.seed)  # fmt: skip
        directed(built, traits, options, report, tell)
        randomly(built, traits, options, report, tell)
    report.seconds = time.monotonic() - begin
    return report


def directed(built: Built, traits: Traits, options: Options, report: Report, tell: Tell) -> None:
    """The directed checks that are asked for."""
    all_checks()
    wanted = [check for check in CHECKS.values() if options.wants(check.name, check.function, check.group, *check.rows)]
    for number, check in enumerate(wanted):
        if options.first and report.failed:
            return
        tell(f"directed {number + 1}/{len(wanted)}: {check.name}", 0.05 + 0.35 * number / len(wanted))
        report.results.append(run_check(check, built, traits, options.strict))


def randomly(built: Built, traits: Traits, options: Options, report: Report, tell: Tell) -> None:
    """The random sequences that are asked for."""
    if options.first and report.failed:
        return
    names = [name for name in SOURCES if options.wants(name, f"random-{name}", "random")]

    def progress(group: Group, done: float) -> None:
        tell(f"random sequences, {done * options.seconds:.0f} of {options.seconds:g} s: {group.name}", 0.4 + 0.6 * done)

    found = campaign(built, traits, names, options.seed, options.seconds, progress, options.first)
    groups = {group.name: group for group in found}
    for name in names:
        report.results.append(random_result(built, traits, name, groups.get(name)))
    report.calls += sum(group.calls for group in groups.values())


def random_result(built: Built, traits: Traits, name: str, group: Group | None) -> Result:
    """What the random sequences of a group say."""
    check, title = f"random-{name}", f"random calls of {name if name in GROUPS else 'all groups together'}"
    if group is None:
        missing = ", ".join(sorted(SOURCES[name].needs - traits.present))
        reason = f"it has no {missing}" if missing else "it has only one group"
        return Result(check, name, SKIP, MUST, title, message=reason)
    title += f" ({group.runs} sequences, {group.calls:,} operations)"
    if group.finding is None:
        return Result(check, name, PASS, MUST, title, seconds=group.seconds)
    violation, ops = group.finding.violation, group.finding.ops
    writer = Reproducer(built, ops, violation)
    program = writer.program(f"coalmm check: {check}, shrunk from the random sequence {group.finding.seed}.")
    return Result(check, name, FAIL, MUST, title, (), violation.sentence, violation.message, violation.kind, len(ops),
                  program, writer.command(check), group.seconds, group.finding.seed)  # fmt: skip
