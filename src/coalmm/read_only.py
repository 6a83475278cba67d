"""A machine to look at: what could change it raises ReadOnlyError before it does anything.

`attach(read_only=True)` gives the kernel in this wrapping. Every object that is reached through it is wrapped
too, and has only the names that are listed here: those that read RAM. Views of RAM are read-only ones. A name
that is not listed is refused, so what is added to a class can change no image before somebody lists it.

Loads of a process are not among them: the modelled CPU sets accessed bits. `Process.peek`, `kernel.memory` and
`kernel.ram.read` look without that.
"""

from collections.abc import Iterator

from coalmm.errors import ReadOnlyError
from coalmm.typed import Any, TracebackType

READS = {
    "Kernel": "ram format mmu frames injection tracking buddy slabs heap page_tables files spaces processes memory "
    "kernel_base closed read_only close make_current save digest physical_address validate paging_get_physical "
    "kmalloc_size why",
    "Ram": "size fd bytes halves words mapping read check extents touched digest",
    "Memory": "read",
    "Mmu": "cr3 nx walker tlb fault_code fault_address",
    "Walker": "form walk translate translate_many",
    "Tlb": "hits misses",
    "Frames": "pfn_limit first_word first_half descriptors bitmap kind references mappings is_allocated describe "
    "statistics kinds validate backed",
    "Bitmap": "bits levels bases test first_clear next_clear next_set",
    "Injection": "seen failed armed",
    "Tracking": "enabled get history find capacity sites site_text stored_site live live_count validate",
    "Buddy": "kernel_base low_frames statistics size_of flags validate",
    "Slabs": "objects kernel_base low_frames cache_at locate most_caches caches info",
    "Objects": "object_index slab_of first_object address name",
    "Kmalloc": "kernel_base low_frames allocation_at kmalloc_size usable classes statistics",
    "PageTables": "physical entry for_each_leaf validate",
    "Files": "get size path files find cache validate",
    "PageCache": "pages lookup is_dirty index file first next pages_of",
    "AddressSpaces": "table root space_of get rss all_areas faults usage validate",
    "Processes": "spaces get find pids current name meminfo validate",
    "Process": "pid record space root name parent is_alive state status areas usage faults peek children processes",
}
NAMES = {kind: frozenset(names.split()) for kind, names in READS.items()}


class ReadOnly:
    """An object of a machine, of which only what reads is left."""

    __slots__ = ("_kind", "_target")

    def __init__(self, target: object) -> None:
        object.__setattr__(self, "_target", target)
        object.__setattr__(self, "_kind", type(target).__name__)

    def __getattr__(self, name: str) -> Any:
        if name not in NAMES[self._kind]:
            if not hasattr(self._target, name):
                raise AttributeError(f"{self._kind} has no attribute {name!r}")
            raise refusal(f"{self._kind}.{name}")
        return looked_at(getattr(self._target, name))

    def __setattr__(self, name: str, value: object) -> None:
        raise refusal(f"{self._kind}.{name}")

    def __delattr__(self, name: str) -> None:
        raise refusal(f"{self._kind}.{name}")

    def __getitem__(self, key: object) -> Any:
        return looked_at(self._target[key])

    def __setitem__(self, key: object, value: object) -> None:
        raise refusal(self._kind)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return map(looked_at, self._target)

    def __len__(self) -> int:
        return len(self._target)

    def __repr__(self) -> str:
        return f"{self._target!r}, read-only"

    def __enter__(self) -> "ReadOnly":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def refusal(what: str) -> ReadOnlyError:
    """The error that says why `what` is not to be had."""
    return ReadOnlyError(f"{what} may change the machine, which was attached read-only; attach it without read_only")


def looked_at(value: Any) -> Any:
    """`value` without what could change the machine: its objects wrapped, its views read-only."""
    kind = type(value).__name__
    if kind in NAMES and type(value).__module__.startswith("coalmm."):
        return ReadOnly(value)
    if kind in ("memoryview", "_memoryviewslice", "mmap"):
        return memoryview(value).toreadonly()
    if callable(value):
        return lambda *arguments, **named: looked_at(value(*arguments, **named))
    if isinstance(value, Iterator):
        return map(looked_at, value)
    if type(value) in (list, tuple):
        return type(value)(map(looked_at, value))
    return value
