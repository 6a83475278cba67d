# header only
"""C forms of library.py: a function of Unicorn is called by its address."""
from libc.stdint cimport uint8_t as u8, uint64_t as u64
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #include <dlfcn.h>
    #include <stdint.h>
    #include <stddef.h>
    static inline uint64_t coalmm_open_shared(const char *path)
    { return (uint64_t)dlopen(path, RTLD_LAZY | RTLD_LOCAL); }
    static inline uint64_t coalmm_symbol(uint64_t library, const char *name)
    { return (uint64_t)dlsym((void *)library, name); }
    static inline const char *coalmm_why_not(void)
    { const char *why = dlerror(); return why ? why : "no reason given"; }
    static inline uint64_t coalmm_address_of(const uint8_t *bytes) { return (uint64_t)bytes; }
    static inline unsigned coalmm_uc_version(uint64_t f)
    { return ((unsigned (*)(unsigned *, unsigned *))f)(NULL, NULL); }
    static inline uint64_t coalmm_uc_open(uint64_t f, int architecture, int mode)
    { void *uc = NULL; int error = ((int (*)(int, int, void **))f)(architecture, mode, &uc);
      return error ? (uint64_t)error : (uint64_t)uc; }
    static inline uint64_t coalmm_uc_context_alloc(uint64_t f, uint64_t uc)
    { void *context = NULL; int error = ((int (*)(void *, void **))f)((void *)uc, &context);
      return error ? (uint64_t)error : (uint64_t)context; }
    static inline uint64_t coalmm_uc_context_size(uint64_t f, uint64_t uc)
    { return ((size_t (*)(void *))f)((void *)uc); }
    static inline int coalmm_uc_mem_map(uint64_t f, uint64_t uc, uint64_t address, uint64_t size, unsigned rights)
    { return ((int (*)(void *, uint64_t, uint64_t, uint32_t))f)((void *)uc, address, size, rights); }
    static inline int coalmm_uc_mem_map_ptr(uint64_t f, uint64_t uc, uint64_t address, uint64_t size, unsigned rights, uint64_t at)
    { return ((int (*)(void *, uint64_t, uint64_t, uint32_t, void *))f)((void *)uc, address, size, rights, (void *)at); }
    static inline int coalmm_uc_emu_start(uint64_t f, uint64_t uc, uint64_t begin, uint64_t until, uint64_t timeout, uint64_t count)
    { return ((int (*)(void *, uint64_t, uint64_t, uint64_t, size_t))f)((void *)uc, begin, until, timeout, count); }
    static inline int coalmm_uc_of_one(uint64_t f, uint64_t uc)
    { return ((int (*)(void *))f)((void *)uc); }
    static inline int coalmm_uc_of_two(uint64_t f, uint64_t uc, uint64_t context)
    { return ((int (*)(void *, void *))f)((void *)uc, (void *)context); }
    static inline int coalmm_uc_ctl_0(uint64_t f, uint64_t uc, int control)
    { return ((int (*)(void *, int, ...))f)((void *)uc, control); }
    static inline int coalmm_uc_ctl_1(uint64_t f, uint64_t uc, int control, int value)
    { return ((int (*)(void *, int, ...))f)((void *)uc, control, value); }
    static inline int coalmm_uc_ctl_2(uint64_t f, uint64_t uc, int control, uint64_t first, uint64_t second)
    { return ((int (*)(void *, int, ...))f)((void *)uc, control, first, second); }
    static inline uint64_t coalmm_uc_hook_add(uint64_t f, uint64_t uc, int kind, uint64_t callback, uint64_t handle, int instruction)
    { size_t hook = 0; int error = ((int (*)(void *, size_t *, int, void *, void *, uint64_t, uint64_t, ...))f)(
          (void *)uc, &hook, kind, (void *)callback, (void *)handle, (uint64_t)1, (uint64_t)0, instruction);
      return error ? (uint64_t)error : (uint64_t)hook; }
    static inline int coalmm_uc_reg(uint64_t f, uint64_t uc, int reg, void *content)
    { return ((int (*)(void *, int, void *))f)((void *)uc, reg, content); }
    static inline uint64_t coalmm_uc_reg_read(uint64_t f, uint64_t uc, int reg)
    { uint64_t value = 0; ((int (*)(void *, int, void *))f)((void *)uc, reg, &value); return value; }
    static inline void coalmm_uc_reg_write(uint64_t f, uint64_t uc, int reg, uint64_t value)
    { ((int (*)(void *, int, const void *))f)((void *)uc, reg, &value); }
    """
    u64 open_shared "coalmm_open_shared"(const char *path)
    u64 symbol "coalmm_symbol"(u64 library, const char *name)
    const char *why_not "coalmm_why_not"()
    u64 address_of_bytes "coalmm_address_of"(const u8 *content)
    unsigned version "coalmm_uc_version"(u64 function)
    u64 open_engine "coalmm_uc_open"(u64 function, int architecture, int mode)
    u64 allocate_context "coalmm_uc_context_alloc"(u64 function, u64 uc)
    u64 context_size "coalmm_uc_context_size"(u64 function, u64 uc)
    int release "coalmm_uc_of_one"(u64 function, u64 address)
    int map_memory "coalmm_uc_mem_map"(u64 function, u64 uc, u64 address, u64 size, unsigned rights)
    int map_pointer "coalmm_uc_mem_map_ptr"(u64 function, u64 uc, u64 address, u64 size, unsigned rights, u64 at)
    int emu_start "coalmm_uc_emu_start"(u64 function, u64 uc, u64 begin, u64 until, u64 timeout, u64 count)
    int emu_stop "coalmm_uc_of_one"(u64 function, u64 uc)
    int context_save "coalmm_uc_of_two"(u64 function, u64 uc, u64 context)
    int context_restore "coalmm_uc_of_two"(u64 function, u64 uc, u64 context)
    int control_0 "coalmm_uc_ctl_0"(u64 function, u64 uc, int control)
    int control_1 "coalmm_uc_ctl_1"(u64 function, u64 uc, int control, int value)
    int control_2 "coalmm_uc_ctl_2"(u64 function, u64 uc, int control, u64 first, u64 second)
    u64 hook_add "coalmm_uc_hook_add"(u64 function, u64 uc, int kind, u64 callback, u64 handle, int instruction)
    int hook_del "coalmm_uc_of_two"(u64 function, u64 uc, u64 hook)
    int register_content "coalmm_uc_reg"(u64 function, u64 uc, int number, void *content)
    u64 register_read "coalmm_uc_reg_read"(u64 function, u64 uc, int number)
    void register_write "coalmm_uc_reg_write"(u64 function, u64 uc, int number, u64 value)


cdef inline u64 address_of(u8[::1] content):
    return address_of_bytes(&content[0])

cdef inline bytes read_memory(u64 address, u64 size):
    return (<const char *>address)[:size]

cdef inline object write_memory(u64 address, bytes content):
    memcpy(<void *>address, <const char *>content, len(content))

cdef inline bytes register_bytes(u64 function, u64 uc, int number):
    cdef char[24] room
    memset(room, 0, sizeof(room))
    register_content(function, uc, number, room)
    return room[:24]

cdef inline int set_register_bytes(u64 function, u64 uc, int number, bytes content):
    cdef char[24] room
    memset(room, 0, sizeof(room))
    memcpy(room, <const char *>content, min(len(content), <Py_ssize_t>sizeof(room)))
    return register_content(function, uc, number, room)
