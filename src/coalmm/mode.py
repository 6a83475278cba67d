"""Which form of the modules is in use: compiled, or the plain Python that they are compiled from.

`COALMM_MODE=interpreted` makes an installed, compiled coalmm load its `.py` files instead, so that a
debugger can step through them; `COALMM_MODE=compiled` refuses to start without the compiled modules.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib_external import EXTENSION_SUFFIXES  # importlib.machinery, which would load `warnings` for it

from coalmm import bytecode
from coalmm.typed import TYPE_CHECKING, ModuleType, Sequence

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

PACKAGE = __name__.rpartition(".")[0]
VARIABLE = "COALMM_MODE"


class SourceOnlyFinder:
    """Finds this package's modules as `.py` files and never as extension modules."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of `name` from source, or None for modules that are not of this package."""
        if not name.startswith(PACKAGE + "."):
            return None
        from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader

        loader = (SourceFileLoader, SOURCE_SUFFIXES)
        for folder in path or ():
            spec = FileFinder(folder, loader).find_spec(name)
            if spec is not None:
                return spec
        return None


def is_compiled() -> bool:
    """Whether the package has extension modules for this Python: one stands for all."""
    one = os.path.join(os.path.dirname(__file__), "hardware", "ram")
    return any(os.path.exists(one + suffix) for suffix in EXTENSION_SUFFIXES)


def choose() -> str:
    """Apply the environment's choice, and say in which mode modules will come."""
    asked = os.environ.get(VARIABLE, "")
    if asked not in ("", "compiled", "interpreted"):
        raise ImportError(f"{VARIABLE} is {asked!r}; it may be compiled or interpreted")
    if asked == "interpreted":
        sys.meta_path.insert(0, SourceOnlyFinder)
        return asked
    if is_compiled():
        bytecode.use()
        return "compiled"
    if asked == "compiled":
        raise ImportError(f"{VARIABLE}=compiled, but the compiled modules are not there: run `make build`")
    return "interpreted"
