"""The document's structures: plain records that its functions fill in place."""


class Structure:
    """A record of integers, all 0 at first, its fields in the document's order."""

    __slots__: tuple[str, ...] = ()

    def __init__(self) -> None:
        for field in self.__slots__:
            setattr(self, field, 0)

    def __repr__(self) -> str:
        fields = ", ".join(f"{field}={getattr(self, field)!r}" for field in self.__slots__)
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in self.__slots__)

    __hash__ = None  # type: ignore[assignment] # filled in place, so it cannot be a key


class frame_stats_t(Structure):
    """Frames; total_frames == free_frames + reserved_frames + user_frames."""

    __slots__ = ("total_frames", "free_frames", "reserved_frames", "user_frames")  # noqa: RUF023
    total_frames: int
    free_frames: int
    reserved_frames: int
    user_frames: int


class buddy_stats_t(Structure):
    """The buddy heap: bytes, calls, and `free_blocks[k]`, the free blocks of 4096 << k bytes."""

    __slots__ = (  # noqa: RUF023
        "total_bytes",
        "free_bytes",
        "alloc_count",
        "free_count",
        "failed_alloc_count",
        "free_blocks",
        "largest_free_block",
    )
    total_bytes: int
    free_bytes: int
    alloc_count: int
    free_count: int
    failed_alloc_count: int
    free_blocks: tuple[int, ...]
    largest_free_block: int


class meminfo_t(Structure):
    """Bytes; total_memory is the sum of the five others."""

    __slots__ = (  # noqa: RUF023
        "total_memory",
        "free_memory",
        "kernel_memory",
        "user_memory",
        "cache_memory",
        "buffer_memory",
    )
    total_memory: int
    free_memory: int
    kernel_memory: int
    user_memory: int
    cache_memory: int
    buffer_memory: int


class proc_meminfo_t(Structure):
    """Bytes of one process; rss <= virt_size."""

    __slots__ = ("virt_size", "rss", "shared", "text", "data", "stack")  # noqa: RUF023
    virt_size: int
    rss: int
    shared: int
    text: int
    data: int
    stack: int


def is_null(structure: object, kind: type[Structure]) -> bool:
    """Whether a structure to fill is NULL (None or 0); TypeError for what is neither that nor a `kind`."""
    if structure is None or (isinstance(structure, int) and structure == 0):
        return True
    if not isinstance(structure, kind):
        raise TypeError(f"a {kind.__name__} is needed, not {type(structure).__name__}")
    return False


def fill(structure: Structure, values: object) -> None:
    """Set every field of a structure from the attribute of the same name."""
    for field in structure.__slots__:
        setattr(structure, field, getattr(values, field))
