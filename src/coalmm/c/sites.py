"""Return addresses of C calls as text: "file:line in function", as far as the program has symbols.

dladdr says in which file of the process an address is, and the exported function; addr2line, which is kept
running for each file, knows the others and the lines, if the file was compiled with -g.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import IO

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
_known: dict[int, str] = {}
_helpers: dict[str, "tuple[IO[str], IO[str]] | None"] = {}


def site(address: int) -> str:
    """The place of the call that returns to an address; "" if it was made by Python through ctypes."""
    if address not in _known:
        _known[address] = _find(address)
    return _known[address]


def _find(address: int) -> str:
    info = _Info()
    if not libc.dladdr(address, info) or not info.file:
        return f"{address:#x}"
    path = Path(info.file.decode("utf-8", "surrogateescape"))
    if path.name.startswith("libffi"):
        return ""
    call = address - 1  # the call itself: what it returns to may be of another line
    offset = call - info.base if _is_position_independent(path) else call
    function, line = _ask(str(path), offset)
    if function == UNKNOWN:
        symbol = info.symbol.decode("utf-8", "replace") if info.symbol else ""
        function = f"{symbol}+{address - info.address:#x}" if symbol else f"{address - info.base:#x}"
    return f"{line} in {function}" if line else f"{function} of {path.name}"


def _is_position_independent(path: Path) -> bool:
    """Whether the addresses in a file count from where it is loaded (ELF type ET_DYN, not ET_EXEC)."""
    try:
        with path.open("rb") as file:
            return file.read(18)[16:18] == b"\3\0"
    except OSError:
        return True


def _ask(path: str, offset: int) -> tuple[str, str]:
    """(function, "file:line") of an offset in a file; UNKNOWN and "" for what is not known."""
    if path not in _helpers:
        _helpers[path] = _start(path)
    pipes = _helpers[path]
    if pipes is None:
        return UNKNOWN, ""
    try:
        print(f"{offset:#x}", file=pipes[0], flush=True)
        function, place = pipes[1].readline().strip(), pipes[1].readline().strip()
    except OSError:  # it has ended
        return UNKNOWN, ""
    file, _, line = place.partition(" ")[0].rpartition(":")
    known = file not in ("", UNKNOWN) and line not in ("?", "0")
    return function or UNKNOWN, f"{Path(file).name}:{line}" if known else ""


def _start(path: str) -> "tuple[IO[str], IO[str]] | None":
    """addr2line for a file, listening; None if there is none."""
    command = shutil.which("addr2line")
    if command is None:
        return None
    helper = subprocess.Popen(
        [command, "-f", "-e", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return (helper.stdin, helper.stdout) if helper.stdin and helper.stdout else None
