"""The list of directed checks, and how one is run."""

import time
from dataclasses import dataclass, replace

from coalmm.check.build import Built
from coalmm.check.campaign import shrunk
from coalmm.check.directed.caller import Caller, Reported, Skipped
from coalmm.check.functions import FUNCTIONS
from coalmm.check.recording import Recording
from coalmm.check.reproduce import Reproducer
from coalmm.check.result import ADVICE, FAIL, MUST, NOTE, PASS, SAFETY, SKIP, WARN, Result
from coalmm.check.traits import Traits
from coalmm.check.violation import Illegal, Violation
from coalmm.typed import Callable


@dataclass(frozen=True)
class Check:
    """A directed check: `function` is what it is about, `needs` what it cannot do without."""

    name: str
    function: str
    title: str
    sentence: str
    level: str
    rows: tuple[str, ...]
    needs: tuple[str, ...]
    run: Callable[[Caller], None]

    @property
    def group(self) -> str:
        """The group of its function."""
        return FUNCTIONS[self.function].group


SHORT = 4  # operations that nobody would want fewer of
SHRINK_SECONDS = 2.0
CHECKS: dict[str, Check] = {}


def check(
    function: str, sentence: str, *needs: str, rows: str = "", level: str = MUST
) -> Callable[[Callable[[Caller], None]], Callable[[Caller], None]]:
    """Registers a function as a check; its name is the check's, its docstring the title."""

    def register(run: Callable[[Caller], None]) -> Callable[[Caller], None]:
        name = run.__name__.replace("_", "-")
        assert name not in CHECKS and run.__doc__, name
        title = run.__doc__.strip().rstrip(".")
        CHECKS[name] = Check(name, function, title, sentence, level, tuple(rows.split()), (function, *needs), run)
        return run

    return register


def status_of(level: str, strict: bool) -> str:
    """What a broken check of a level is called."""
    return {MUST: FAIL, SAFETY: FAIL if strict else WARN, ADVICE: NOTE}[level]


def run_check(check: Check, built: Built, traits: Traits, strict: bool) -> Result:
    """Run it on a fresh target."""
    begin = time.monotonic()

    def result(status: str, message: str = "") -> Result:
        return Result(check.name, check.function, status, check.level, check.title, check.rows, check.sentence, message,
                      seconds=time.monotonic() - begin)  # fmt: skip

    missing = [name for name in check.needs if name not in traits.present]
    if missing:
        return result(SKIP, f"it has no {', '.join(dict.fromkeys(missing))}")
    with Recording(built) as recording:
        try:
            caller = Caller(recording, traits)
            if check.group in ("slab", "kmalloc", "debug"):
                caller.make_heap()
            check.run(caller)
        except Skipped as why:
            return result(SKIP, str(why))
        except Reported:
            return result(PASS)
        except Illegal as why:
            return result(SKIP, f"the target's answers make it meaningless: {why}")
        except Violation as violation:
            ops = recording.ops
            if violation.kind != "directed" and len(ops) > SHORT:  # the model's judgement, so that it can be shrunk
                ops, violation = shrunk(built, ops, violation, SHRINK_SECONDS)
            violation.sentence = check.sentence
            writer = Reproducer(built, ops, violation)
            program = writer.program(f"coalmm check: {check.name}: {check.title}.")
            return replace(result(status_of(check.level, strict), violation.message), kind=violation.kind,
                           operations=len(ops), reproducer=program, command=writer.command())  # fmt: skip
    return result(PASS)
