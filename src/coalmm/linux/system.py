"""One run of programs: the tasks, what they share, and what becomes of them.

    system = System(kernel, root="/")
    task = system.spawn([b"/bin/ls", b"-l"])
    system.run()
    task.group.status
"""

from __future__ import annotations

import time
from errno import ENOEXEC, ENOMEM

from coalmm.errors import MisuseError, PageFaultError
from coalmm.linux.abi import X86_64, Abi
from coalmm.linux.cpu.cpu import Cpu
from coalmm.linux.cpu.engine import STAYS, Engine
from coalmm.linux.cpu.fill import Fill
from coalmm.linux.cpu.registers import forms
from coalmm.linux.credentials import Credentials, current
from coalmm.linux.dispatch import Dispatcher
from coalmm.linux.ending import Ending
from coalmm.linux.group import ThreadGroup
from coalmm.linux.programs.execute import Start, check_sizes, find_program, load_program
from coalmm.linux.registry import Blocked
from coalmm.linux.scheduler import ALONE, SHORTEST, Scheduler
from coalmm.linux.signals import deliver
from coalmm.linux.signals.deliver import Delivery
from coalmm.linux.signals.numbers import (
    SI_KERNEL,
    SIGKILL,
)
from coalmm.linux.signals.state import Info
from coalmm.linux.task import Task, Wait
from coalmm.linux.timers import ArmedTimers
from coalmm.linux.vfs.console import Stream
from coalmm.linux.vfs.vfs import Vfs
from coalmm.physical.constants import KIND_KERNEL
from coalmm.process.process import Process
from coalmm.typed import TYPE_CHECKING, Any, Callable, NamedTuple, Sequence

if TYPE_CHECKING:
    from random import Random

    from coalmm.kernel import Kernel
    from coalmm.linux.calls.futex import Key, Sleeper
    from coalmm.linux.ipc import Ipc
    from coalmm.linux.segments import Segments

PAGING = {"i386": ("i386", "pae", "x86_64", "la57"), "x86_64": ("x86_64", "la57")}


MOST_NOTES = 1000  # lines about programs that ended badly
LONGEST = 1e9  # seconds that are a time limit; more are none
CUT_OFF = "not an ELF image that can be run: the file ends before the segments that its header names"
TOO_LARGE = "RAM is too small to load the program: --ram gives more"


class Oops(NamedTuple):
    """A failure of the kernel that ended a program: in which call or other work, and the traceback."""

    tid: int
    name: str
    where: str
    traceback: str


class System:
    """Programs on one machine. Closing it ends them and gives back all that they had."""

    def __init__(
        self,
        kernel: Kernel,
        root: str = "/",
        writable: Sequence[str] = (),
        console: Sequence[Stream] = (0, 1, 2),
        seed: int | None = None,
        output_limit: int | None = None,
        most_processes: int = 4096,
        vfs: Vfs | None = None,
    ) -> None:
        self.kernel = kernel
        self.root = root
        self.credentials = current.credentials = Credentials.of_host()  # with which a first program starts
        self.vfs = vfs or Vfs(root, writable, console, output_limit=output_limit, seed=seed)
        self.randomise = seed is not None
        self.seed = seed or 0
        self.generator: Random | None = None
        self.shared_segments: Segments | None = None
        self.made_ipc: Ipc | None = None
        self.most_processes = most_processes
        self.hostname = "coal"
        self.started = time.monotonic()
        self.groups: dict[int, ThreadGroup] = {}
        self.tasks: dict[int, Task] = {}
        self.page = kernel.frames.take_low(KIND_KERNEL, 0)
        if not self.page:
            raise MemoryError("no frame for the CPU")
        self.fill = Fill(kernel.mmu, kernel.faults, self.page)
        self.cpus: dict[str, Cpu] = {}
        self.forms = forms()
        self.dispatcher = Dispatcher(self)
        self.timers = ArmedTimers(self.give_way)
        self.scheduler = Scheduler(self)
        self.delivery = Delivery(self)
        self.ending = Ending(self)
        self.registers_replaced = False  # by the call that is being done: its result goes nowhere
        self.end_slice = False  # the running task gives the rest of its slice away
        self.futexes: dict[Key, list[Sleeper]] = {}
        self.crashes: list[str] = []
        self.on_system_call: Callable[[Task, str, tuple[int, ...]], object] | None = None
        self.listeners: list[Callable[[Task], object]] = []  # called when a process is about to lose its memory
        self.on_tick: Callable[[], object] | None = None  # called after each slice
        self.is_stopping = False
        self.is_running = False  # `run` or `step` is being called
        self.first_group = 0  # process group of the first program, which has the terminal
        self.first_arguments: list[bytes] = []
        self.oopses: list[Oops] = []  # what the kernel failed in
        self.callback_error: Exception | None = None  # of the user's own function: not ours to catch

    @property
    def segments(self) -> Segments:
        """System V shared memory, made when it is asked for."""
        if self.shared_segments is None:
            from coalmm.linux.segments import Segments

            self.shared_segments = Segments(self.kernel)
        return self.shared_segments

    @property
    def ipc(self) -> Ipc:
        """System V semaphores and message queues, made when they are asked for."""
        if self.made_ipc is None:
            from coalmm.linux.ipc import Ipc

            self.made_ipc = Ipc()
        return self.made_ipc

    def first_random(self) -> bytes:
        """The 16 bytes of AT_RANDOM; the same for every program unless addresses are random too."""
        return self.random.randbytes(16) if self.randomise else bytes(range(0x10, 0x20))

    @property
    def random(self) -> Random:
        """Where all randomness of the run comes from."""
        if self.generator is None:
            from random import Random

            self.generator = Random(self.seed)
        return self.generator

    # --- CPUs ---

    def cpu(self, abi: Abi) -> Cpu:
        """The CPU for programs of an ABI. OSError if the machine's paging mode is not one of that ABI."""
        if abi.name not in self.cpus:
            mode = self.kernel.format.name
            if mode not in PAGING[abi.name]:
                raise OSError(
                    ENOEXEC,
                    f"a {abi.word * 8}-bit program needs {' or '.join(PAGING[abi.name])} paging, not {mode}; "
                    "--paging x86_64 has both kinds",
                )
            self.cpus[abi.name] = self.make_cpu(abi, mode in PAGING[X86_64.name])
        return self.cpus[abi.name]

    def make_cpu(self, abi: Abi, wide: bool) -> Cpu:
        """A CPU; one on 64-bit tables runs programs of both ABIs, 32-bit ones in compatibility mode."""
        if not wide or abi is X86_64:
            form = self.forms[abi.name]
            return Cpu(Engine(self.fill, form, self.system_call), form)
        engine, form = self.cpu(X86_64).engine, self.forms["compatible"]
        engine.add_form(form)
        return Cpu(engine, form)

    def enter(self, task: Task) -> None:
        """Make a task's directory the one that CR3 names."""
        process = task.process
        process.processes.switch(process.record)

    def wrote(self, vaddr: int, size: int) -> None:
        """The kernel has written memory of the running task: code that is there must be looked at again."""
        if self.fill.wrote(vaddr, size):
            self.kernel.mmu.flush()

    # --- system calls ---

    def system_call(self, number: int, *arguments: int) -> Any:
        """What the CPU calls, between two instructions of the running task."""
        task = self.scheduler.running
        assert task is not None
        stands_still = self.dispatcher.begin(task, number)
        if stands_still or self.on_system_call is not None:
            task.wait = Wait(number, arguments, Blocked(lambda: True, interruptible=False))
        if self.on_system_call is not None:  # if it raises, the call is made when the programs run on
            self.call_back(self.on_system_call, task, self.dispatcher.name(task.abi, number), arguments)
        if stands_still:
            return STAYS
        task.wait = None
        result = self.dispatcher.perform(task, number, arguments)
        if result is None:
            return STAYS
        if task.saved_mask is not None and not task.deliverable:
            task.mask, task.saved_mask = task.saved_mask, None
        if task.deliverable or task.is_stopped or self.end_slice:
            self.end_slice = False
            task.cpu.engine.put_result(result)
            return STAYS
        if self.kernel.mmu.cr3 != task.process.root:
            self.enter(task)
        return result

    def give_way(self) -> None:
        """The slice of the running task ends with the system call that it makes."""
        self.end_slice = True

    def call_back(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function of the user's; what it raises comes out of `run`."""
        try:
            function(*arguments)
        except Exception as error:
            self.callback_error = error
            raise

    def finish(self, task: Task, result: int) -> None:
        """The result of a call that had waited."""
        if task.saved_mask is not None and not task.deliverable:
            task.mask, task.saved_mask = task.saved_mask, None
        task.cpu.engine.put_result(result)

    # --- faults and exceptions ---

    def trap(self, task: Task, reason: int) -> None:
        """The CPU could not go on: see traps.py."""
        from coalmm.linux.traps import trap

        trap(task, reason)

    def out_of_memory(self, task: Task, address: int) -> None:
        """There is no frame for a page that a program cannot go on without, and no call whose result could say so."""
        from coalmm.sizes import format_size

        self.note(
            f"{task.process.name} ({task.tid}): killed, no memory for the page at {address:#x}: "
            f"all {format_size(self.kernel.ram.size)} of RAM are in use, --ram gives more"
        )
        self.ending.end_group(task.group, SIGKILL)

    def tell(self, task: Task, vaddr: int, data: bytes) -> None:
        """Write what no call's result tells of: a bad address is ignored, want of memory ends the program."""
        try:
            task.write(vaddr, data)
        except PageFaultError as fault:
            if fault.error == -ENOMEM:
                self.out_of_memory(task, fault.address)

    def note(self, text: str) -> None:
        """Keep a line for the report; not more of them than anybody reads."""
        if len(self.crashes) < MOST_NOTES:
            self.crashes.append(text)

    def oops(self, task: Task, where: str, error: Exception) -> None:
        """What no program may cause: an exception in the kernel. The program ends, the machine goes on."""
        import traceback

        if len(self.oopses) < MOST_NOTES:
            self.oopses.append(Oops(task.tid, task.process.name, where, "".join(traceback.format_exception(error))))
        why = f"{type(error).__name__}: {error}"
        self.note(f"{task.process.name} ({task.tid}): killed, the kernel failed in {where}: {why}")
        self.ending.end_group(task.group, SIGKILL)

    def note_crash(self, task: Task, info: Info) -> None:
        """Keep a line about a program that a signal ends."""
        from coalmm.linux.signals.numbers import name

        where = f" at {info.address:#x}" if info.address is not None else ""
        self.note(
            f"{task.process.name} ({task.tid}): {name(info.signal)}{where}, "
            f"instruction {task.cpu.instruction:#x}, stack {task.cpu.stack:#x}"
        )

    # --- time ---

    def tick(self) -> None:
        """Between two slices: send the signals of timers that have gone off."""
        if self.on_tick is not None:
            self.on_tick()
        self.timers.fire()

    # --- life ---

    def spawn(
        self, argv: Sequence[bytes], environ: Sequence[bytes] = (), cwd: bytes = b"/", path: bytes | None = None
    ) -> Task:
        """A process that is about to run a program. OSError as execve has it, and then there is none."""
        self.must_stand_still("spawn")
        current.credentials, current.numbers = self.credentials, self.vfs.numbers
        fs = self.vfs.context(cwd)
        arguments, environment = list(argv), list(environ)
        check_sizes(arguments, environment, 8 << 20)
        program = find_program(self.vfs, fs, path if path is not None else arguments[0], arguments)
        files = self.vfs.first_files()
        process: Process | None = None
        try:
            cpu = self.cpu(program.image.abi)
            process = self.kernel.processes.create(program_name(program.path))
            start = load_program(self, process, program, environment)
        except PageFaultError as error:
            self._give_up(process, files)
            code = ENOMEM if error.error == -ENOMEM else ENOEXEC
            why = TOO_LARGE if code == ENOMEM else CUT_OFF if error.bus else f"its segments cannot be loaded: {error}"
            raise OSError(code, why) from None
        except BaseException:
            self._give_up(process, files)
            raise
        finally:
            program.close()
        task = Task(self, process, cpu.abi, files, fs)
        task.cpu = cpu
        task.group = ThreadGroup(task.tid, None, task.tid, task.tid, is_first=True)
        if not self.first_group:
            self.first_group, self.first_arguments = task.tid, arguments
        self.admit(task)
        self.begin(task, start, environment)
        return task

    def _give_up(self, process: Process | None, files: Any) -> None:
        """A spawn has failed: nothing stays."""
        files.drop()
        if process is not None:
            process.exit()

    def admit(self, task: Task) -> None:
        """A new task of a group takes part in scheduling. It gets its registers with `begin`, or by its maker."""
        task.group.tasks.append(task)
        self.groups[task.group.pid] = task.group
        self.tasks[task.tid] = task
        self.scheduler.add(task)

    def begin(self, task: Task, start: Start, environment: list[bytes]) -> None:
        """Registers and notes of a task whose program has just been loaded."""
        running = self.scheduler.running
        if running is not None and running is not task:
            running.cpu.engine.save(running.context)
        self.scheduler.running = task
        task.cpu.start(start.instruction, start.stack)
        if task.context is None or task.context_cpu is not task.cpu:
            task.context = task.cpu.new_context()
            task.context_cpu = task.cpu
        group = task.group
        group.executable, group.arguments, group.environment = start.executable, start.argv, environment
        group.auxiliary = start.auxiliary
        group.has_executed = True

    # --- running ---

    def run(self, timeout: float | None = None, ends: bool = False) -> bool:
        """Run until every process has ended: True; or until `timeout` seconds are over, or `stop`: False.

        A system call that is being made then is finished first, however long it takes; with `ends` it is cut short,
        and the programs are good for nothing but `close`.
        """
        self.must_stand_still("run")
        deadline = None if timeout is None or timeout > LONGEST else time.monotonic() + timeout
        self.resume()
        if ends and deadline is not None:
            self.kernel.mmu.deadline = int(deadline * 1e9)
        self.is_running = True
        try:
            while self.scheduler.step(self.slice_until(deadline), deadline):
                if self.is_stopping or (deadline is not None and time.monotonic() >= deadline):
                    return False
            return True
        finally:
            self.is_running = False
            self.kernel.mmu.deadline = 0

    def slice_until(self, deadline: float | None) -> int:
        """Microseconds of a slice that is over when the deadline is."""
        if deadline is None:
            return ALONE
        return min(max(int((deadline - time.monotonic()) * 1e6), SHORTEST), ALONE)

    @property
    def is_late(self) -> bool:
        """Whether the time of a run that `ends` is over: a long call gives up then, whatever it returns."""
        return bool(self.kernel.mmu.is_late())

    def step(self, microseconds: int) -> bool:
        """One slice of time for the next task that can run. False if every process has ended.

        If nobody can run it waits as long, for one who can.
        """
        self.must_stand_still("step")
        self.resume()
        self.is_running = True
        try:
            return self.scheduler.step(microseconds, time.monotonic() + microseconds / 1e6)
        finally:
            self.is_running = False

    def must_stand_still(self, what: str) -> None:
        """MisuseError while programs run, as they do when a callback is called: the CPU is in an instruction."""
        if self.is_running:
            raise MisuseError(f"{what}: not from a callback, while programs run; call stop there, and this after run")

    def resume(self) -> None:
        """Whoever had the machine since the last slice may have changed mappings and code."""
        self.is_stopping = False
        self.kernel.mmu.flush()

    def stop(self) -> None:
        """For callbacks and signal handlers: come back from `run` soon. Nothing is lost; `run` goes on from there."""
        self.is_stopping = self.end_slice = True
        if self.scheduler.running is not None:
            self.scheduler.running.cpu.engine.stop()

    def interrupt(self, signal: int) -> None:
        """A signal for the foreground process group, as a terminal sends it for Ctrl-C."""
        foreground = next((node.foreground for node in self.vfs.console if node.foreground), 0)
        for group in list(self.groups.values()):
            if group.process_group == (foreground or self.first_group):
                deliver.send(group, Info(signal, SI_KERNEL))

    def close(self) -> None:
        """End what still runs, and give everything back."""
        self.must_stand_still("close")
        for group in list(self.groups.values()):
            self.ending.end_group(group, SIGKILL)
        if self.shared_segments is not None:
            self.shared_segments.close()
        if self.made_ipc is not None:
            self.made_ipc.close()
        for engine in {cpu.engine for cpu in self.cpus.values()}:
            engine.close()
        self.cpus.clear()
        if self.page:
            self.kernel.frames.drop(self.page)
            self.page = 0
        self.vfs.close()


def program_name(path: bytes) -> str:
    """What comm shows of a path."""
    return path.rpartition(b"/")[2].decode("utf-8", "replace")
