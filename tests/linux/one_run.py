"""One program in this interpreter's mode; prints what it did to memory as JSON: `one_run.py PAGING ROOT PROGRAM...`.

What differs between two runs of one program is made equal: clocks stand still, and a process has its turn until it
waits, since the length of a slice is real time. The rest is as always.
"""

import ctypes
import hashlib
import io
import json
import sys
import time

from unicorn import unicorn_const, x86_const

import coalmm
from coalmm.linux import scheduler
from coalmm.linux.cpu.emulator import functions

NOW = 1_700_000_000_000_000_000
LONG = 1 << 30  # microseconds


def stand_still():
    """No clock of the program moves."""
    time.time_ns = time.monotonic_ns = lambda: NOW
    time.time = lambda: NOW / 1e9
    scheduler.ALONE = scheduler.SHARED = LONG


def stop_the_counter(engine):
    """Have the instructions that read the CPU's clock answer 0; what must live as long as the engine."""

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    def answer(uc, data):
        for name in ("rax", "rdx"):
            engine.put(engine.form.numbers[name], 0)
        return 1  # done: the instruction itself is skipped

    for instruction in (x86_const.UC_X86_INS_RDTSC, x86_const.UC_X86_INS_RDTSCP):
        hook, first, last = ctypes.c_size_t(), ctypes.c_uint64(1), ctypes.c_uint64(0)
        uc, add = ctypes.c_void_p(engine.uc), ctypes.PYFUNCTYPE(ctypes.c_int)(functions()["uc_hook_add"])
        kind = unicorn_const.UC_HOOK_INSN
        status = add(uc, ctypes.byref(hook), kind, answer, None, first, last, instruction)
        assert status == 0, status
    return answer


def main(paging, root, *argv):
    """Run it; the dictionary that is printed."""
    out, err = io.BytesIO(), io.BytesIO()
    environment = {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"}
    with coalmm.boot(ram="64M", paging=paging) as kernel:
        program = kernel.spawn(argv, environment, root=root, console=(0, out, err))
        counter = stop_the_counter(program.task.cpu.engine)
        ended = kernel.run(timeout=100)
        kernel.validate()
        report = kernel.report()
        del report["tlb"]["misses"]  # the emulator sizes its TLB by time
        for each in (report, *report["processes"]):
            for name in ("seconds", "program_seconds"):
                each.pop(name, None)
        texts = out.getvalue(), err.getvalue()
        return {
            "mode": coalmm.MODE, "ended": ended, "returncode": program.returncode, "report": report,
            "output": [hashlib.sha256(text).hexdigest() for text in texts], "sizes": [len(text) for text in texts],
            "memory": kernel.digest() if counter else "",
        }  # fmt: skip


if __name__ == "__main__":
    stand_still()
    print(json.dumps(main(*sys.argv[1:])))
