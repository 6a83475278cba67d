"""/sys: the few files that programs read to know the machine."""

from __future__ import annotations

from coalmm.linux.vfs.node import Directory
from coalmm.linux.vfs.proc import TreeDirectory
from coalmm.typed import Any, Callable


def system_tree(parent: Directory) -> TreeDirectory:
    """The directory /sys."""

    def line(value: str) -> Callable[[], bytes]:
        return lambda: value.encode() + b"\n"

    cpus = {b"online": line("0"), b"possible": line("0"), b"present": line("0"), b"cpu0": {b"online": line("1")}}
    tree: dict[bytes, Any] = {
        b"kernel": {
            b"mm": {
                b"transparent_hugepage": {
                    b"enabled": line("always madvise [never]"),
                    b"hpage_pmd_size": line("2097152"),
                    b"shmem_enabled": line("always within_size advise [never] deny force"),
                }
            }
        },
        b"devices": {b"system": {b"cpu": cpus, b"node": {b"online": line("0"), b"possible": line("0")}}},
        b"fs": {b"cgroup": {}},
    }
    return TreeDirectory(parent, b"sys", tree)
