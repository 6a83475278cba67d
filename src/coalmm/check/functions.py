"""The functions of the document, as data: the driver, the adapter and the reproducers are written from this table."""

import re
from dataclasses import dataclass

# Opaque types of the document are void here: what they hold is the target's own business.
PROTOTYPES = """
frames   uintptr_t frame_alloc(void)
frames   void frame_free(uintptr_t frame)
frames   size_t frame_get_total_memory(void)
frames   size_t frame_get_free_memory(void)
frames   void frame_get_stats(frame_stats_t *stats)
paging   int paging_map_page(uintptr_t vaddr, uintptr_t paddr, uint32_t flags)
paging   void paging_unmap_page(uintptr_t vaddr)
paging   uintptr_t paging_get_physical(uintptr_t vaddr)
paging   void *paging_create_directory(void)
paging   void *paging_clone_directory(void *src)
paging   void paging_free_directory(void *dir)
paging   void paging_switch_directory(void *dir)
buddy    void buddy_init(void *start, size_t size)
buddy    void *buddy_alloc(size_t size)
buddy    void buddy_free(void *ptr)
buddy    void buddy_get_stats(void *stats)
slab     void *slab_cache_create(const char *name, size_t size, size_t align, hook_t ctor, hook_t dtor)
slab     void slab_cache_destroy(void *cache)
slab     void *slab_alloc(void *cache)
slab     void slab_free(void *cache, void *ptr)
slab     size_t slab_shrink_caches(void)
kmalloc  void *kmalloc(size_t size)
kmalloc  void *kmalloc_aligned(size_t size, size_t align)
kmalloc  void *kzalloc(size_t size)
kmalloc  void *krealloc(void *ptr, size_t size)
kmalloc  void kfree(void *ptr)
kmalloc  size_t kmalloc_size(void *ptr)
user     int copy_from_user(void *to, const void *from, size_t n)
user     int copy_to_user(void *to, const void *from, size_t n)
user     ssize_t strncpy_from_user(char *to, const char *from, size_t n)
user     ssize_t strnlen_user(const char *str, size_t max_len)
user     bool validate_user_pointer(const void *ptr, size_t size, bool write)
user     bool validate_user_buffer(const void *ptr, size_t size, bool write)
info     void get_meminfo(meminfo_t *info)
info     int get_proc_meminfo(pid_t pid, proc_meminfo_t *info)
debug    void mem_dump(void *addr, size_t size)
debug    size_t mem_check_leaks(void)
debug    void mem_enable_tracking(void)
debug    void mem_print_stats(void)
"""

STRUCTURES = {
    "frame_stats_t": ("total_frames", "free_frames", "reserved_frames", "user_frames"),
    "meminfo_t": ("total_memory", "free_memory", "kernel_memory", "user_memory", "cache_memory", "buffer_memory"),
    "proc_meminfo_t": ("virt_size", "rss", "shared", "text", "data", "stack"),
}
LINE = re.compile(r"(\w+)\s+(.*?)(\w+)\((.*)\)")
PARAMETER = re.compile(r"(.*?)(\w+)$")

PAGE = 4096
PAGE_PRESENT = 0x001
PAGE_WRITABLE = 0x002
PAGE_USER = 0x004
PAGE_COW = 0x200
EFAULT = 14


@dataclass(frozen=True)
class Function:
    """A function of the document: C types as text, and the group of the document that it is in."""

    name: str
    group: str
    returns: str
    parameters: tuple[tuple[str, str], ...]  # (type, name)

    @property
    def structure(self) -> str:
        """The type that is filled in through the last parameter, or ""."""
        kind = self.parameters[-1][0].split()[0] if self.parameters else ""
        return kind if kind in STRUCTURES else ""

    def prototype(self, name: str = "") -> str:
        """The C declaration, without semicolon, under this or another name."""
        parameters = ", ".join(f"{kind} {name}".replace("* ", "*") for kind, name in self.parameters) or "void"
        return f"{self.returns} {name or self.name}({parameters})".replace("* ", "*")


def parse(line: str) -> Function:
    """A line of PROTOTYPES."""
    found = LINE.fullmatch(line)
    assert found, line
    group, returns, name, parameters = found.groups()
    pairs = [PARAMETER.fullmatch(text.strip()) for text in parameters.split(",") if text != "void"]
    return Function(name, group, returns.strip(), tuple((pair[1].strip(), pair[2]) for pair in pairs if pair))


FUNCTIONS = {function.name: function for function in map(parse, PROTOTYPES.strip().splitlines())}
NUMBERS = {name: number for number, name in enumerate(FUNCTIONS)}
GROUPS = tuple(dict.fromkeys(function.group for function in FUNCTIONS.values()))
