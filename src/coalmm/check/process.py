"""The process that a target runs in: started, given operations, watched, ended.

A target may crash, loop, print without end, fork or close descriptors: each is a `Died` that says so.
"""

import contextlib
import mmap
import os
import select
import signal
import subprocess
import time

from coalmm.check.build import Built
from coalmm.check.config import TargetError
from coalmm.check.functions import FUNCTIONS, NUMBERS
from coalmm.check.places import Object, Place
from coalmm.check.protocol import (
    CODE,
    DATA,
    DATA_SIZE,
    EVENTS,
    EVENTS_MAX,
    FAULT_AT,
    FAULT_PROTECTION,
    FRAMES,
    H_CODE,
    H_EXTRAS,
    H_FAULT,
    H_FAULT_KNOWN,
    H_FRAMES,
    H_HALTED,
    H_OBJECTS,
    H_PANICKED,
    H_PC,
    H_PHASE,
    H_PRESENT,
    H_RUNNING,
    H_SAID,
    H_SIGNAL,
    H_SIZE,
    H_WORD,
    MESSAGE,
    MESSAGE_SIZE,
    OBJECT_SIZE,
    OBJECTS,
    OPS,
    OPS_MAX,
    PHASE_INIT,
    PHASE_LOAD,
    PHASE_READY,
    RESULTS,
    SAID,
    SIZE,
    SLOTS,
    STATUS_DONE,
    Op,
    Outcome,
    encode,
)
from coalmm.typed import Iterator, TracebackType

HANG_CPU, HANG_WALL = 3.0, 20.0  # seconds that one operation may take: of its own time, and by the clock
START_WALL = 60.0
OUTPUT_LIMIT = 16 << 20
KEPT_OUTPUT = 1 << 16
STUCK_WALL = 0.5  # seconds for saying where it is stuck
LOAD_FAILED, DESCRIPTORS_GONE, HALTED = 125, 122, 121
HALTS = "halts with interrupts off (hlt)"
TRAP_CODE = b"\x0f\x0b"  # ud2, what __builtin_trap is
UNKNOWN_CODE = (
    "if it is privileged, the kit does not know it: leave it out of this build (#ifdef), or put its function under "
    "stubs"
)


def read_size(op: Op) -> int:
    """Bytes of a read."""
    size = op.args[1]
    assert isinstance(size, int)
    return size


def batches(ops: list[Op]) -> Iterator[list[Op]]:
    """Cut a sequence into what fits in the shared memory at once."""
    batch: list[Op] = []
    data = 0
    for op in ops:
        size = read_size(op) if op.name == "read" else 0
        if batch and (len(batch) == OPS_MAX or data + size > DATA_SIZE):
            yield batch
            batch, data = [], 0
        batch.append(op)
        data += size
    if batch:
        yield batch


class Died(Exception):
    """The process ended, or had to be ended, in operation `index` (None: before the first).

    `how`: "crash", "reported" (abort, a trap or exit: what a kernel does on misuse), "hang", "output", "fork".
    """

    def __init__(self, how: str, text: str, index: int | None) -> None:
        super().__init__(text)
        self.how = how
        self.index = index


class Process:
    """A target, ready for operations. Use as a context manager: it is killed at the end, with all that it started."""

    def __init__(self, built: Built, patience: float = 1.0) -> None:
        self.patience = patience
        self.partial: list[Outcome] = []  # what was done of the operations in which it died
        self.output = bytearray()
        self.printed = 0
        self._memory_file = os.memfd_create("coalmm-check")
        os.ftruncate(self._memory_file, SIZE)
        self._map = mmap.mmap(self._memory_file, SIZE)
        self.memory = memoryview(self._map)
        self.words = self.memory.cast("Q")
        self._seen_events = 0
        self._start(built)
        self._poll = select.poll()
        for descriptor in (self._answers, self._printing):
            self._poll.register(descriptor, select.POLLIN)
        try:
            self._await(START_WALL)
            if self.words[H_SIZE] != SIZE:
                raise TargetError("the driver does not have the layout that the kit has")
        except BaseException as error:
            self.close()
            if isinstance(error, Died):  # in the driver's own code, or it goes on for ever: no test has begun
                raise TargetError(str(error)) from None
            raise

    def _start(self, built: Built) -> None:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._printing, printing = os.pipe()
        passed = (self._memory_file, commands, answers)
        self._child = subprocess.Popen(
            [str(built.driver), str(built.library), *map(str, passed)],
            stdin=subprocess.DEVNULL, stdout=printing, stderr=printing, pass_fds=passed, start_new_session=True,
            cwd=built.config.folder, env=os.environ | built.config.environment if built.config.environment else None,
        )  # fmt: skip
        for descriptor in (commands, answers, printing):
            os.close(descriptor)

    def run(self, ops: list[Op]) -> list[Outcome]:
        """Run operations; the outcomes of those before the one in which it died are in `partial`."""
        outcomes: list[Outcome] = []
        for batch in batches(ops):
            for number, op in enumerate(batch):
                encode(op, self.memory, OPS + number * 64)
                self.words[(RESULTS >> 3) + number * 8] = 0
            self._place_reads(batch)
            with contextlib.suppress(BrokenPipeError):  # it ended between two batches; _await says how
                os.write(self._commands, len(batch).to_bytes(4, "little"))
            try:
                self._await(HANG_WALL)
            except Died as death:
                self.partial = outcomes + self._outcomes(batch, whole=False)
                raise Died(death.how, str(death), len(self.partial)) from None
            outcomes += self._outcomes(batch, whole=True)
        return outcomes

    def _place_reads(self, batch: list[Op]) -> None:
        """Give each read of a batch room of its own in the shared data: argument 2 of the driver's operation."""
        offset = 0
        for number, op in enumerate(batch):
            if op.name == "read":
                self.words[(OPS + number * 64 >> 3) + 4] = offset
                offset += read_size(op)

    def _outcomes(self, batch: list[Op], whole: bool) -> list[Outcome]:
        outcomes = []
        words, offset = self.words, 0
        for number, op in enumerate(batch):
            base = (RESULTS >> 3) + number * 8
            status = words[base]
            if not status:
                if whole:
                    raise Died("crash", "the target wrote over the memory that the driver shares with the kit", number)
                break
            outcome = Outcome(status, words[base + 1])
            code = NUMBERS.get(op.name)
            if code is not None and FUNCTIONS[op.name].structure:
                outcome.fields = tuple(words[base + 2 : base + 8])
            elif code is not None and words[base + 7] != self._seen_events and status == STATUS_DONE:
                outcome.events = self._events(words[base + 7])
            elif op.name == "read":
                outcome.data = bytes(self.memory[DATA + offset : DATA + offset + read_size(op)])
                offset += read_size(op)
            outcomes.append(outcome)
        return outcomes

    def _events(self, until: int) -> tuple[tuple[int, int], ...]:
        """Constructor and destructor calls since the last time; only the newest of very many are known."""
        first = max(self._seen_events, until - EVENTS_MAX)
        self._seen_events = until
        base, words = EVENTS >> 3, self.words
        places = [base + (number % EVENTS_MAX) * 2 for number in range(first, until)]
        return tuple((words[place], words[place + 1]) for place in places)

    def slots(self, first: int, count: int) -> list[int]:
        """The values of slots."""
        return self.words[(SLOTS >> 3) + first : (SLOTS >> 3) + first + count].tolist()

    @property
    def present(self) -> frozenset[str]:
        """The functions of the document that the target has."""
        bits = self.words[H_PRESENT]
        return frozenset(name for name, number in NUMBERS.items() if bits >> number & 1)

    @property
    def extras(self) -> int:
        """EXTRA_ bits: what check.toml gave beside them."""
        return self.words[H_EXTRAS]

    @property
    def word(self) -> int:
        """Bytes of a size_t."""
        return self.words[H_WORD]

    def _await(self, wall: float) -> None:
        """Until the driver answers. Died if it does not."""
        progress = (-1, -1)
        since = time.monotonic()
        used = self._cpu()
        while True:
            for descriptor, _ in self._poll.poll(200):
                if descriptor == self._printing:
                    self._drain()
                elif os.read(self._answers, 1) == b"D":
                    return
                else:
                    self._ended()
            if self.printed > OUTPUT_LIMIT:
                self.kill()
                raise Died("output", f"prints more than {OUTPUT_LIMIT >> 20} MiB{self._phase()}", None)
            now = (self.words[H_RUNNING], self.words[H_PHASE])
            if now != progress:
                progress, since, used = now, time.monotonic(), self._cpu()
            elif time.monotonic() - since > wall * self.patience or self._cpu() - used > HANG_CPU * self.patience:
                self._ask_place()
                self.kill()
                raise Died("hang", f"does not return{self._phase()}{self.place().text()}", None)

    def _drain(self) -> bool:
        """Take what the target printed; whether there was anything."""
        text = os.read(self._printing, 1 << 16)
        if not text:
            self._poll.unregister(self._printing)
        self.printed += len(text)
        self.output += text
        del self.output[:-KEPT_OUTPUT]
        return bool(text)

    def _cpu(self) -> float:
        """Processor seconds of the process so far."""
        try:
            with open(f"/proc/{self._child.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _ended(self) -> None:
        """Say how the process ended."""
        try:
            code = self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Died("crash", "closed the kit's pipe", None) from None
        phase = self.words[H_PHASE]
        if phase == PHASE_LOAD and code == LOAD_FAILED:
            text = bytes(self.memory[MESSAGE : MESSAGE + MESSAGE_SIZE]).split(b"\0")[0].decode(errors="replace")
            raise TargetError(f"does not load: {text}")
        how, text, help_text = self._named(code)
        text += f"{self._phase()}{self.place().text()}{help_text}{self._last_words()}"
        if phase != PHASE_READY:
            raise TargetError(text)
        raise Died(how, text, None)

    def _phase(self) -> str:
        """What it was doing, where that was no call of a test."""
        return {PHASE_LOAD: " while it was loaded", PHASE_INIT: " in its initialisation"}.get(self.words[H_PHASE], "")

    def _named(self, code: int) -> tuple[str, str, str]:
        """How a process with this exit code ended, in words, and what there is to say behind the place."""
        if code == DESCRIPTORS_GONE:
            return "crash", "closed the kit's pipe", ""
        if code == HALTED:
            halts = "waits in hlt, and no interrupt comes" if self.words[H_HALTED] == 2 else HALTS
            return "reported", halts, ""
        if code >= 0:
            return "reported", f"called exit({code})", ""
        if self.words[H_PANICKED]:
            return "reported", self._said(), ""
        if code == -signal.SIGSYS:
            return "fork", "forks", ""
        name = signal.Signals(-code).name
        if -code == signal.SIGILL and (place := self.place()).code[:2] not in (b"", TRAP_CODE):
            return "reported", f"ended the program ({name}) at `{place.instruction()}`", f"; {UNKNOWN_CODE}"
        if -code in (signal.SIGABRT, signal.SIGILL, signal.SIGTRAP):
            return "reported", f"ended the program ({name})", ""
        if self.words[H_FAULT_KNOWN] == FAULT_PROTECTION:
            return "crash", f"general protection fault ({name}) at `{self.place().instruction()}`", f"; {UNKNOWN_CODE}"
        at = f" at {self.words[H_FAULT]:#x}" if self.words[H_FAULT_KNOWN] == FAULT_AT else ""
        return "crash", f"{name}{at}", ""

    def place(self) -> Place:
        """Where the driver says that it was."""
        words, objects = self.words, []
        for number in range(words[H_OBJECTS]):
            first = OBJECTS + number * OBJECT_SIZE
            start, end, base = words[first >> 3 : (first >> 3) + 3]
            path = bytes(self.memory[first + 24 : first + OBJECT_SIZE]).split(b"\0")[0]
            objects.append(Object(path.decode(errors="replace"), start, end, base))
        frames = tuple(words[FRAMES >> 3 : (FRAMES >> 3) + words[H_FRAMES]])
        return Place(words[H_PC], frames, tuple(objects), bytes(self.memory[CODE : CODE + words[H_CODE]]))

    def _ask_place(self) -> None:
        """Have a process that does not return say where it is."""
        self.words[H_SIGNAL] = 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child.pid, signal.SIGXCPU)
        until = time.monotonic() + STUCK_WALL
        while not self.words[H_SIGNAL] and time.monotonic() < until:
            time.sleep(0.005)

    def _said(self) -> str:
        """What the operation told the functions under `print` and `panic`."""
        text = bytes(self.memory[SAID : SAID + self.words[H_SAID]]).decode(errors="replace")
        return " ".join(text.split())[:300]

    def _last_words(self) -> str:
        """The last line that the target printed."""
        self.take_output()
        printed = "" if self.words[H_PANICKED] else self._said_last()
        lines = self.output.decode(errors="replace").split("\n")
        last = printed or next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last[:200]}" if last else ""

    def _said_last(self) -> str:
        """The last line of what the operation said."""
        text = bytes(self.memory[SAID : SAID + self.words[H_SAID]]).decode(errors="replace")
        return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")

    def take_output(self) -> None:
        """Take what the target has printed so far."""
        while select.select([self._printing], [], [], 0)[0] and self.printed < OUTPUT_LIMIT and self._drain():
            pass

    def kill(self) -> None:
        """End it, with all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def close(self) -> None:
        """End it and give everything back."""
        if not hasattr(self, "words"):
            return
        self.kill()
        self.words.release()
        self.memory.release()
        self._map.close()
        for descriptor in (self._memory_file, self._commands, self._answers, self._printing):
            os.close(descriptor)
        del self.words

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
