"""Virtual Memory Management: the document's functions over the current kernel.

A page directory is the physical address of its root table: `page_directory_t *` and "page directory
physical address" are the same number here.
"""

from coalmm import current


def paging_map_page(vaddr: int, paddr: int, flags: int) -> int:
    """Map a page of the current directory to a frame, which the mapping holds from then on.

    0; -EINVAL for unaligned or non-canonical addresses, unknown flags, no PAGE_PRESENT, a frame that may
    not be mapped; -EEXIST if another frame is mapped there; -ENOMEM without a frame for a table. Mapping
    the same frame again changes its flags. A failure changes nothing.
    """
    return current.require().paging_map_page(vaddr, paddr, flags)


def paging_unmap_page(vaddr: int) -> None:
    """Unmap the page that holds `vaddr` in the current directory; one that is not mapped is nothing.

    Inside a huge page only 4 KiB go: the rest is split.
    """
    current.require().paging_unmap_page(vaddr)


def paging_get_physical(vaddr: int) -> int:
    """The physical address under `vaddr` in the current directory, offset included; 0 if not mapped."""
    return current.require().paging_get_physical(vaddr)


def paging_create_directory() -> int:
    """A new page directory that shares the kernel half and has an empty user half; 0 without memory."""
    return current.require().paging_create_directory()


def paging_clone_directory(src: int) -> int:
    """A copy of a directory for fork, user pages shared copy-on-write; 0 without memory or for 0 (NULL).

    Shared mappings stay shared. A failure leaves `src` as it was.
    """
    return current.require().paging_clone_directory(src)


def paging_free_directory(dir: int) -> None:
    """Free a directory, its tables, and what its mappings hold; 0 (NULL) is nothing.

    Raises InUseError for the current or the kernel's directory, InvalidPointerError for what is none.
    """
    current.require().page_tables.free(dir)


def paging_switch_directory(dir: int) -> None:
    """Make a directory the current one (CR3). Raises InvalidPointerError, CR3 unchanged, for what is none."""
    current.require().page_tables.switch(dir)
