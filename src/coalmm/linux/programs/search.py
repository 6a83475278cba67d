"""Finding a program before there is a machine for it: on PATH, and for which CPU it is."""

from __future__ import annotations

from errno import EACCES, ENOENT

from coalmm.linux.programs.execute import find_program
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.abi import Abi
    from coalmm.linux.vfs.context import FsContext
    from coalmm.linux.vfs.vfs import Vfs

DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search(vfs: Vfs, fs: FsContext, name: bytes, path: bytes) -> bytes:
    """The file that a shell would run for `name`, with this PATH.

    OSError ENOENT if there is none, EACCES if there is one that may not be executed.
    """
    if b"/" in name:
        vfs.open_program(fs, name).release()
        return name
    refused = None
    for folder in path.split(b":"):
        candidate = (folder or b".") + b"/" + name
        try:
            vfs.open_program(fs, candidate).release()
            return candidate
        except OSError as error:
            if error.errno == EACCES:
                refused = refused or error
    raise refused or OSError(ENOENT, "not on PATH")


def abi_of(vfs: Vfs, fs: FsContext, path: bytes) -> Abi:
    """Which CPU a program needs, or the interpreter of a script. OSError ENOEXEC for what is no program."""
    program = find_program(vfs, fs, path, [path])
    try:
        return program.image.abi
    finally:
        program.close()
