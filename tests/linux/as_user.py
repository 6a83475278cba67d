"""`coalmm` run by another user: `as_user.py UID ARGUMENTS`, by root. Modules are imported while they can be read."""

import ctypes
import importlib
import os
import pkgutil
import sys

import coalmm
from coalmm.__main__ import entry
from coalmm.linux.cpu.emulator import functions

PR_SET_DUMPABLE = 4
LATE = ("difflib", "random", "tempfile", "traceback")  # otherwise imported when they are needed

for module in pkgutil.walk_packages(coalmm.__path__, "coalmm."):
    if not module.name.startswith(("coalmm.c.", "coalmm.check", "coalmm.__main__")):
        importlib.import_module(module.name)
for name in LATE:
    importlib.import_module(name)
functions()

uid = int(sys.argv[1])
os.setgroups([])
os.setresgid(uid, uid, uid)
os.setresuid(uid, uid, uid)
ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)  # as after an execve: /proc/self is this user's
sys.argv[:] = ["coalmm", *sys.argv[2:]]
entry()
