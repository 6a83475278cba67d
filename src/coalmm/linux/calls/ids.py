"""User and group ids: get and set them. Source: credentials(7); what they mean is in `linux/credentials.py`."""

from __future__ import annotations

import struct
from errno import EINVAL, EPERM

from coalmm.linux.abi import signed
from coalmm.linux.credentials import Ids
from coalmm.linux.limits import put_limits
from coalmm.linux.registry import system_call
from coalmm.linux.task import Task

KEEP = 0xFFFF_FFFF  # -1: leave this id as it is
MOST_GROUPS = 65536  # NGROUPS_MAX
OVERFLOW = 65534  # what 16-bit calls show of an id that does not fit


def wanted(ident: int) -> int | None:
    """An id to be set; None for -1."""
    ident &= KEEP
    return None if ident == KEEP else ident


def wide(ident: int) -> int:
    """A 16-bit id as a 32-bit one."""
    return KEEP if ident & 0xFFFF == 0xFFFF else ident & 0xFFFF


def set_one(task: Task, ids: Ids, ident: int) -> int:
    """setuid and setgid."""
    value = wanted(ident)
    if value is None:
        return -EINVAL
    ids.set_one(value, task.credentials.is_root)
    return changed(task)


def set_two(task: Task, ids: Ids, real: int, effective: int) -> int:
    """setreuid and setregid."""
    ids.set_two(wanted(real), wanted(effective), task.credentials.is_root)
    return changed(task)


def set_three(task: Task, ids: Ids, real: int, effective: int, saved: int) -> int:
    """setresuid and setresgid."""
    ids.set_three(wanted(real), wanted(effective), wanted(saved), task.credentials.is_root)
    return changed(task)


def set_file(task: Task, ids: Ids, ident: int) -> int:
    """setfsuid and setfsgid: the one before."""
    value = wanted(ident)
    return ids.file if value is None else ids.set_file(value, task.credentials.is_root)


def changed(task: Task) -> int:
    """The memory of a process is told whether its limits count."""
    put_limits(task.process, task.group, task.credentials.is_root)
    return 0


def write_three(task: Task, ids: Ids, pointers: tuple[int, int, int], narrow: bool = False) -> int:
    """getresuid and getresgid."""
    for pointer, ident in zip(pointers, (ids.real, ids.effective, ids.saved), strict=True):
        task.write(pointer, struct.pack("<H", shown(ident)) if narrow else struct.pack("<I", ident))
    return 0


def shown(ident: int) -> int:
    """What a 16-bit call tells of an id."""
    return ident if ident <= 0xFFFF else OVERFLOW


# --- users ---


@system_call("getuid", "getuid32")
def getuid(task: Task) -> int:
    """getuid(2)."""
    return task.credentials.user.real


@system_call("geteuid", "geteuid32")
def geteuid(task: Task) -> int:
    """geteuid(2)."""
    return task.credentials.user.effective


@system_call("setuid", "setuid32")
def setuid(task: Task, ident: int) -> int:
    """setuid(2)."""
    return set_one(task, task.credentials.user, ident)


@system_call("setreuid", "setreuid32")
def setreuid(task: Task, real: int, effective: int) -> int:
    """setreuid(2)."""
    return set_two(task, task.credentials.user, real, effective)


@system_call("setresuid", "setresuid32")
def setresuid(task: Task, real: int, effective: int, saved: int) -> int:
    """setresuid(2)."""
    return set_three(task, task.credentials.user, real, effective, saved)


@system_call("setfsuid", "setfsuid32")
def setfsuid(task: Task, ident: int) -> int:
    """setfsuid(2)."""
    return set_file(task, task.credentials.user, ident)


@system_call("getresuid", "getresuid32")
def getresuid(task: Task, real: int, effective: int, saved: int) -> int:
    """getresuid(2)."""
    return write_three(task, task.credentials.user, (real, effective, saved))


# --- groups ---


@system_call("getgid", "getgid32")
def getgid(task: Task) -> int:
    """getgid(2)."""
    return task.credentials.group.real


@system_call("getegid", "getegid32")
def getegid(task: Task) -> int:
    """getegid(2)."""
    return task.credentials.group.effective


@system_call("setgid", "setgid32")
def setgid(task: Task, ident: int) -> int:
    """setgid(2)."""
    return set_one(task, task.credentials.group, ident)


@system_call("setregid", "setregid32")
def setregid(task: Task, real: int, effective: int) -> int:
    """setregid(2)."""
    return set_two(task, task.credentials.group, real, effective)


@system_call("setresgid", "setresgid32")
def setresgid(task: Task, real: int, effective: int, saved: int) -> int:
    """setresgid(2)."""
    return set_three(task, task.credentials.group, real, effective, saved)


@system_call("setfsgid", "setfsgid32")
def setfsgid(task: Task, ident: int) -> int:
    """setfsgid(2)."""
    return set_file(task, task.credentials.group, ident)


@system_call("getresgid", "getresgid32")
def getresgid(task: Task, real: int, effective: int, saved: int) -> int:
    """getresgid(2)."""
    return write_three(task, task.credentials.group, (real, effective, saved))


@system_call("getgroups", "getgroups32")
def getgroups(task: Task, size: int, array: int) -> int:
    """getgroups(2): the supplementary ones."""
    return write_groups(task, size, array, "I", task.credentials.groups)


@system_call("setgroups", "setgroups32")
def setgroups(task: Task, size: int, array: int) -> int:
    """setgroups(2)."""
    return read_groups(task, size, array, "I")


def write_groups(task: Task, size: int, array: int, form: str, idents: tuple[int, ...]) -> int:
    """The number of groups; their ids in `array`, unless size is 0. EINVAL for too small an array."""
    count = signed(size)
    if count < 0 or 0 < count < len(idents):
        return -EINVAL
    if count:
        task.write(array, struct.pack(f"<{len(idents)}{form}", *idents))
    return len(idents)


def read_groups(task: Task, size: int, array: int, form: str) -> int:
    """Have other groups. EPERM, EINVAL."""
    if not task.credentials.is_root:
        return -EPERM
    count = size & 0xFFFF_FFFF
    if count > MOST_GROUPS:
        return -EINVAL
    layout = f"<{count}{form}"
    groups = struct.unpack(layout, task.read(array, struct.calcsize(layout)) if count else b"")
    if (1 << 8 * struct.calcsize(form)) - 1 in groups:
        return -EINVAL  # -1 is no group
    task.credentials.groups = tuple(sorted(groups))
    return 0


# --- the 16-bit forms of 32-bit programs ---


@system_call("getuid", only_32=True)
def getuid16(task: Task) -> int:
    """getuid(2) of 16 bits."""
    return shown(getuid(task))


@system_call("geteuid", only_32=True)
def geteuid16(task: Task) -> int:
    """geteuid(2) of 16 bits."""
    return shown(geteuid(task))


@system_call("setuid", only_32=True)
def setuid16(task: Task, ident: int) -> int:
    """setuid(2) of 16 bits."""
    return setuid(task, wide(ident))


@system_call("setreuid", only_32=True)
def setreuid16(task: Task, real: int, effective: int) -> int:
    """setreuid(2) of 16 bits."""
    return setreuid(task, wide(real), wide(effective))


@system_call("setresuid", only_32=True)
def setresuid16(task: Task, real: int, effective: int, saved: int) -> int:
    """setresuid(2) of 16 bits."""
    return setresuid(task, wide(real), wide(effective), wide(saved))


@system_call("setfsuid", only_32=True)
def setfsuid16(task: Task, ident: int) -> int:
    """setfsuid(2) of 16 bits; the one before is told whole."""
    return setfsuid(task, wide(ident))


@system_call("getresuid", only_32=True)
def getresuid16(task: Task, real: int, effective: int, saved: int) -> int:
    """getresuid(2) of 16 bits."""
    return write_three(task, task.credentials.user, (real, effective, saved), narrow=True)


@system_call("getgid", only_32=True)
def getgid16(task: Task) -> int:
    """getgid(2) of 16 bits."""
    return shown(getgid(task))


@system_call("getegid", only_32=True)
def getegid16(task: Task) -> int:
    """getegid(2) of 16 bits."""
    return shown(getegid(task))


@system_call("setgid", only_32=True)
def setgid16(task: Task, ident: int) -> int:
    """setgid(2) of 16 bits."""
    return setgid(task, wide(ident))


@system_call("setregid", only_32=True)
def setregid16(task: Task, real: int, effective: int) -> int:
    """setregid(2) of 16 bits."""
    return setregid(task, wide(real), wide(effective))


@system_call("setresgid", only_32=True)
def setresgid16(task: Task, real: int, effective: int, saved: int) -> int:
    """setresgid(2) of 16 bits."""
    return setresgid(task, wide(real), wide(effective), wide(saved))


@system_call("setfsgid", only_32=True)
def setfsgid16(task: Task, ident: int) -> int:
    """setfsgid(2) of 16 bits; the one before is told whole."""
    return setfsgid(task, wide(ident))


@system_call("getresgid", only_32=True)
def getresgid16(task: Task, real: int, effective: int, saved: int) -> int:
    """getresgid(2) of 16 bits."""
    return write_three(task, task.credentials.group, (real, effective, saved), narrow=True)


@system_call("getgroups", only_32=True)
def getgroups16(task: Task, size: int, array: int) -> int:
    """getgroups(2) of 16 bits."""
    return write_groups(task, size, array, "H", tuple(map(shown, task.credentials.groups)))


@system_call("setgroups", only_32=True)
def setgroups16(task: Task, size: int, array: int) -> int:
    """setgroups(2) of 16 bits."""
    return read_groups(task, size, array, "H")
