"""The bytecode of the whole package in one file: a short program starts without the search for a hundred small ones.

`make build` writes it (scripts/write_bytecode.py) into the package's `__pycache__`; without it, modules come as they
always do. As with a `.pyc`, what it has of a module holds only as long as the source has the same size and time. It is

    magic number of Python's bytecode (4 bytes)    size of the index (4)    index, marshalled    code, marshalled

and it is used only where it was written, since code knows the path of its source.
"""

import marshal
import mmap
import os
import sys
from _frozen_importlib_external import (  # importlib.machinery and .util, which would load `warnings` for it
    MAGIC_NUMBER,
    ExtensionFileLoader,
    SourceFileLoader,
    spec_from_file_location,
)

from coalmm.typed import TYPE_CHECKING, ModuleType, Sequence

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType

FOLDER = os.path.dirname(__file__)
NAME = os.path.join("__pycache__", f"coalmm.{sys.implementation.cache_tag}.bytecode")
HEAD = len(MAGIC_NUMBER) + 4

# What the index says of a module: its file in the package, whether it is a package, where its code is (size 0: a
# compiled module), and the time (seconds) and size of its source.
Module = tuple[str, bool, int, int, int, int]


class Loader(SourceFileLoader):
    """Loads a module from its code in the file if that is still its source's."""

    def __init__(self, name: str, path: str, module: Module, code: memoryview) -> None:
        super().__init__(name, path)
        self.module = module
        self.code = code

    def get_code(self, fullname: str) -> "CodeType | None":
        _, _, offset, size, source_time, source_size = self.module
        status = os.stat(self.path)
        if (int(status.st_mtime), status.st_size) != (source_time, source_size):
            return super().get_code(fullname)
        code: CodeType = marshal.loads(self.code[offset : offset + size])
        return code


class Finder:
    """Finds the package's modules by the index."""

    def __init__(self, index: dict[str, Module], code: memoryview) -> None:
        self.index = index
        self.code = code

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> "ModuleSpec | None":
        """The spec of a module, or None for one that is not in the index, or not where it was."""
        module = self.index.get(name)
        if module is None:
            return None
        file, is_package, _, size, _, _ = module
        place = os.path.join(FOLDER, file)
        if size:
            loader = Loader(name, place, module, self.code)
            folders = [os.path.dirname(place)] if is_package else None
            return spec_from_file_location(name, place, loader=loader, submodule_search_locations=folders)
        if not os.path.exists(place):
            return None
        return spec_from_file_location(name, place, loader=ExtensionFileLoader(name, place))


def use() -> None:
    """Let modules come from the file, if there is one for this Python and this place."""
    try:
        with open(os.path.join(FOLDER, NAME), "rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # an empty file cannot be mapped
        return
    if content[: len(MAGIC_NUMBER)] != MAGIC_NUMBER:
        return
    size = int.from_bytes(content[len(MAGIC_NUMBER) : HEAD], "little")
    folder, index = marshal.loads(content[HEAD : HEAD + size])
    if folder == FOLDER:
        sys.meta_path.insert(0, Finder(index, content[HEAD + size :]))
