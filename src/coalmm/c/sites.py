"""Call sites of C: a return address as "program+0x1a2b", and that as "file:line in function".

What is kept with an allocation is the first form, which costs no more than a look at what is loaded where
(dladdr), and means the same in an image that is looked at later. The second is for reports: addr2line (binutils)
knows functions and, of what was compiled with -g, lines. It is kept running until the machine is shut down.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

from coalmm.c.host import libc

UNKNOWN = "??"


class _Info(ctypes.Structure):
    """Dl_info."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_uint64),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_uint64),
    )


libc.dladdr.argtypes = [ctypes.c_uint64, ctypes.POINTER(_Info)]
_sites: dict[int, str] = {}
_texts: dict[str, str] = {}
_helpers: dict[str, "subprocess.Popen[str] | None"] = {}


def site(address: int) -> str:
    """The place of the call that returns to an address; "" if it was made by Python through ctypes."""
    if address not in _sites:
        _sites[address] = _find(address)
    return _sites[address]


def _find(address: int) -> str:
    info = _Info()
    if not libc.dladdr(address, info) or not info.file:
        return f"{address:#x}"
    path = Path(info.file.decode("utf-8", "surrogateescape"))
    if path.name.startswith("libffi"):
        return ""
    call = address - 1  # the call itself: what it returns to may be of another line
    return f"{path.absolute()}+{call - info.base if _is_position_independent(path) else call:#x}"


def _is_position_independent(path: Path) -> bool:
    """Whether the addresses in a file count from where it is loaded (ELF type ET_DYN, not ET_EXEC)."""
    try:
        with path.open("rb") as file:
            return file.read(18)[16:18] == b"\3\0"
    except OSError:
        return True


def describe(text: str) -> str:
    """A site with its function, file and line, as far as they are known; a text that is no site as it is."""
    if text not in _texts:
        path, plus, offset = text.rpartition("+0x")
        _texts[text] = _resolve(path, offset) if plus else text
    return _texts[text]


def _resolve(path: str, offset: str) -> str:
    function, file, line = _ask(path, f"0x{offset}")
    if file != UNKNOWN and line.isdigit() and line != "0":
        return f"{file}:{line} in {function}"
    return f"{function if function != UNKNOWN else '0x' + offset} in {Path(path).name}"


def _ask(path: str, offset: str) -> tuple[str, str, str]:
    """(function, file name, line) of an offset in a file; UNKNOWN for what is not known."""
    if path not in _helpers:
        _helpers[path] = _start(path)
    helper = _helpers[path]
    if helper is None or helper.stdin is None or helper.stdout is None:
        return UNKNOWN, UNKNOWN, ""
    try:
        print(offset, file=helper.stdin, flush=True)
        function, place = helper.stdout.readline().strip(), helper.stdout.readline().strip()
    except OSError:  # it has ended
        return UNKNOWN, UNKNOWN, ""
    file, _, line = place.partition(" ")[0].rpartition(":")
    return function or UNKNOWN, Path(file).name or UNKNOWN, line


def _start(path: str) -> "subprocess.Popen[str] | None":
    """addr2line for a file, listening; None if there is none."""
    command = shutil.which("addr2line")
    if command is None:
        return None
    return subprocess.Popen(
        [command, "-f", "-e", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def close() -> None:
    """End the helpers."""
    for helper in _helpers.values():
        if helper is not None:
            helper.communicate()
    _helpers.clear()
