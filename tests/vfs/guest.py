"""A task over a booted machine and a Vfs, whose system calls a test makes by name."""

import importlib
import os
import pkgutil
from types import SimpleNamespace

import coalmm
from coalmm.errors import PageFaultError
from coalmm.linux import calls
from coalmm.linux.abi import I386, X86_64
from coalmm.linux.registry import CALLS, CALLS_32, Blocked
from coalmm.linux.task import Task
from coalmm.linux.timers import ArmedTimers
from coalmm.linux.vfs.vfs import Vfs

for module in pkgutil.iter_modules(calls.__path__):
    importlib.import_module(f"coalmm.linux.calls.{module.name}")

ROOM = 1 << 20
BAD = 0x10  # an address where nothing is mapped


class TestTask(Task):
    """A task that notes its signals."""

    __test__ = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.signals = []
        self.wait = None
        self.group = SimpleNamespace(
            pid=self.tid, parent=None, process_group=1, session=1, executable=b"/bin/tool", arguments=[b"tool", b"-x"],
            environment=[b"A=1"], auxiliary=bytes(16), tasks=[self], leader=self, exit_signal=17, user_time=0.0,
            system_time=0.0, children_time=0.0, is_stopped=False, limit=lambda number: ((1 << 64) - 1,) * 2,
        )  # fmt: skip

    def send_signal(self, number):
        self.signals.append(number)


class Guest:
    """One program without a CPU: `call` makes a system call and answers as the dispatcher does."""

    def __init__(self, root="/", *, bits=64, kernel=None, vfs=None, **options):
        self.kernel = kernel or coalmm.boot(ram="64M", paging="x86_64" if bits == 64 else "i386")
        self.vfs = vfs or Vfs(str(root), **options)
        self.system = SimpleNamespace(kernel=self.kernel, vfs=self.vfs, tasks={}, is_late=False)
        self.system.groups = {}
        self.system.uid, self.system.gid = os.getuid(), os.getgid()
        self.system.wrote = lambda vaddr, size: None
        self.system.timers = ArmedTimers(lambda: None)
        self.abi = X86_64 if bits == 64 else I386
        self.task = self._task(self.vfs.first_files(), self.vfs.context())

    def _task(self, files, fs):
        process = self.kernel.processes.create("guest")
        task = TestTask(self.system, process, self.abi, files, fs)
        task.room = self.next = process.map(0, ROOM, "rw")
        self.system.tasks[task.tid] = task
        self.system.groups[task.tid] = task.group
        return task

    def fork(self):
        """Another guest with a copy of the descriptors, in the same system."""
        other = object.__new__(Guest)
        other.__dict__.update(self.__dict__)
        other.task = other._task(self.task.files.fork_copy(), self.task.fs.copy())
        return other

    def put(self, data):
        """The address of bytes in the program's memory."""
        if self.next + len(data) > self.task.room + ROOM:
            self.next = self.task.room
        vaddr = self.next
        self.next += len(data) + 15 & -16
        self.task.write(vaddr, data)
        return vaddr

    def room(self, size):
        """The address of `size` zero bytes."""
        return self.put(bytes(size))

    def call(self, name, *arguments):
        """The result or negative errno; str and bytes go into memory first, str with a NUL."""
        table = CALLS_32 if self.abi.word == 4 and name in CALLS_32 else CALLS
        registers = []
        for argument in arguments:
            if isinstance(argument, str):
                argument = self.put(argument.encode() + b"\0")
            elif isinstance(argument, bytes):
                argument = self.put(argument)
            registers.append(argument & self.abi.mask)
        entry = table[name]
        registers += [0] * (entry.arguments - len(registers))
        try:
            result = entry.function(self.task, *registers[: entry.arguments])
        except PageFaultError:
            result = -14
        except OSError as error:
            result = -error.errno
        except Blocked as blocked:
            self.blocked = blocked
            return "blocked"
        self.task.resume = None
        return result

    def good(self, name, *arguments):
        """The result of a call that must not fail."""
        result = self.call(name, *arguments)
        assert result == "blocked" or result >= 0, (name, arguments, result)
        return result

    # --- shorthands ---

    def open(self, path, flags=0, mode=0o644):
        return self.good("open", path, flags, mode)

    def read(self, fd, size=4096):
        at = self.room(size)
        return self.task.read(at, self.good("read", fd, at, size))

    def write(self, fd, data):
        return self.good("write", fd, data, len(data))

    def contents(self, path):
        fd = self.open(path)
        data = b""
        while part := self.read(fd, 65536):
            data += part
        self.good("close", fd)
        return data

    def list(self, path):
        fd = self.open(path, 0o200000)
        names = []
        at = self.room(4096)
        while count := self.good("getdents64", fd, at, 4096):
            data = self.task.read(at, count)
            while data:
                length = int.from_bytes(data[16:18], "little")
                names.append(data[19:length].split(b"\0")[0].decode())
                data = data[length:]
        self.good("close", fd)
        return sorted(set(names) - {".", ".."})

    def path(self):
        at = self.room(4096)
        return self.task.read(at, self.good("getcwd", at, 4096))[:-1].decode()
