"""From the registers of a system call to the function that does it, and back to a result.

What a call may raise is turned into what the program sees. A name that no function has gets -ENOSYS, is
counted, and never stops the program.
"""

from __future__ import annotations

from errno import EFAULT, EINTR, EINVAL, ENOMEM, ENOSYS

from coalmm.errors import PageFaultError
from coalmm.linux import calls
from coalmm.linux.abi import Abi
from coalmm.linux.calls.index import FAMILIES
from coalmm.linux.registry import CALLS, CALLS_32, Blocked, Registered
from coalmm.linux.task import Task, Wait
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.system import System

MOST_UNKNOWN = 100  # names that are kept: a program may ask for any number
WORDS = (4, 8)


def names_of(word: int) -> dict[int, str]:
    """The names of the calls by number, for programs with words of so many bytes."""
    if word == 4:
        from coalmm.linux.numbers_i386 import NAMES

        return NAMES
    from coalmm.linux import numbers_x86_64

    return numbers_x86_64.NAMES


def families_of(name: str) -> tuple[str, ...]:
    """The modules that have a call; all there are for one that the index does not know."""
    found = tuple(family for family, names in FAMILIES.items() if name in names and name in names.split())
    if found:
        return found
    from pkgutil import iter_modules

    return tuple(module.name for module in iter_modules(calls.__path__))


def by_count(counts: dict[str, int]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def find_call(name: str, word: int) -> Registered | None:
    """The function of a call, for programs with words of so many bytes. Imports its family."""
    for family in families_of(name):
        __import__(f"coalmm.linux.calls.{family}")
    return (CALLS_32.get(name) if word == 4 else None) or CALLS.get(name)


class Dispatcher:
    """System calls of all tasks of one system. `tables` has the functions by number, for each word size, once asked."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.tables: dict[int, dict[int, Registered | None]] = {word: {} for word in WORDS}
        self.counts: dict[int, dict[int, int]] = {word: {} for word in WORDS}  # known calls, by number
        self.unknown: dict[str, int] = {}  # those that no function has

    def find(self, word: int, number: int) -> Registered | None:
        """The function of a call by its number; None if there is none."""
        table = self.tables[word]
        if number in table:
            return table[number]
        name = names_of(word).get(number)
        if name is None:
            return None
        table[number] = find_call(name, word)
        return table[number]

    def name(self, abi: Abi, number: int) -> str:
        """The name of a call."""
        return names_of(abi.word).get(number, f"call {number}")

    def begin(self, task: Task, number: int) -> bool:
        """Count a call that is made now; whether it is one that wants the CPU to stand still."""
        number &= 0xFFFF_FFFF
        entry = self.find(task.abi.word, number)
        if entry is None:
            name = self.name(task.abi, number)
            known = name in self.unknown or len(self.unknown) < MOST_UNKNOWN
            name = name if known else "others"
            self.unknown[name] = self.unknown.get(name, 0) + 1
            return False
        counts = self.counts[task.abi.word]
        counts[number] = counts.get(number, 0) + 1
        return entry.stopped

    def calls_by_name(self) -> dict[str, int]:
        """How often each call was made, the most frequent first. A call that waited counts once."""
        total = dict(self.unknown)
        for word, counts in self.counts.items():
            for number, count in counts.items():
                name = names_of(word)[number]
                total[name] = total.get(name, 0) + count
        return by_count(total)

    def perform(self, task: Task, number: int, arguments: tuple[int, ...]) -> int | None:
        """Do one call; its result, or None if the task waits, has ended, or has other registers now."""
        mask = task.abi.mask
        number &= 0xFFFF_FFFF
        entry = self.find(task.abi.word, number)
        if entry is None:
            return -ENOSYS
        try:
            result = entry.function(task, *[value & mask for value in arguments[: entry.arguments]])
        except Blocked as blocked:
            task.wait = Wait(number, arguments, blocked)
            return None
        except OSError as error:
            result = -(error.errno or EINVAL)
        except PageFaultError as error:
            result = -ENOMEM if error.error == -ENOMEM else -EFAULT
        except MemoryError:
            result = -ENOMEM
        except Exception as error:
            self.system.oops(task, self.name(task.abi, number), error)
            return None
        task.wait = None
        task.resume = None
        if task.is_dead or self.system.registers_replaced:
            self.system.registers_replaced = False
            return None
        return result

    def interrupted(self, task: Task) -> int:
        """A waiting call ends because of a signal: its result."""
        why = task.wait.why if task.wait is not None else None
        task.wait = None
        task.resume = None
        if why is None:
            return -EINTR
        if why.stopped_by_signal is not None:
            why.stopped_by_signal()
        return -EINTR if why.done is None else why.done
