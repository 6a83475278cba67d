"""The C face from several threads, with and without threads of Python beside them."""

import sys

import pytest
from c_programs import PROGRAMS, compile_c, names_in, needs_library, run

from machines import LIBRARIES

pytestmark = needs_library
MACHINE = "ram=64M paging=x86_64"

BESIDE_PYTHON = """
import ctypes, faulthandler, sys, threading
faulthandler.dump_traceback_later(100, exit=True)
import coalmm.c
threads = ctypes.CDLL(sys.argv[1])
library = ctypes.CDLL(str(coalmm.c.LIBRARY))
with_gil = ctypes.PyDLL(str(coalmm.c.LIBRARY))
for each in (library, with_gil):
    each.kmalloc.restype = ctypes.c_void_p
    each.kmalloc.argtypes = [ctypes.c_size_t]
    each.kfree.argtypes = [ctypes.c_void_p]
threads.run_threads.restype = ctypes.c_size_t
assert library.coalmm_boot(b"ram=64M paging=x86_64") == 0
done = threading.Event()
calls = []

def call(face):
    count = 0
    while not done.is_set():
        with coalmm.c.lock():
            pointer = face.kmalloc(count % 5000 + 1)
            assert pointer and coalmm.current.get().kmalloc_size(pointer) > count % 5000
        face.kfree(pointer)
        face.mem_check_leaks()
        sum(range(100))
        count += 1
    calls.append(count)

python = [threading.Thread(target=call, args=(face,)) for face in (library, with_gil) * 2]
for thread in python:
    thread.start()
wrong = [threads.run_threads(4000) for _ in range(3)]
done.set()
for thread in python:
    thread.join()
assert wrong == [0, 0, 0], wrong
assert len(calls) == 4 and all(calls), calls
assert library.coalmm_validate() == 0
print("done", coalmm.current.get().heap.statistics().live)
"""


@pytest.mark.parametrize("test", names_in("threads.c"))
def test_threads_of_c(results, test):
    results.check("threads.c", test, MACHINE, "-pthread")


def test_threads_of_c_and_of_python_end_together(tmp_path):
    library = compile_c(PROGRAMS / "threads.c", tmp_path / "threads.so", "-shared", "-fPIC", "-DAS_LIBRARY", "-pthread")
    done = run(sys.executable, "-c", BESIDE_PYTHON, library, PYTHONPATH=LIBRARIES["compiled"], timeout=110)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done 0\n"
