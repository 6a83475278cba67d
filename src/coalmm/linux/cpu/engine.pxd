from libc.stdint cimport int64_t as i64, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.linux.cpu.constants cimport (
    CODE_FLUSH, ERROR_INSTRUCTION, EXCEPTION, FAILED, FIRST_ACCESS, FLUSH, HOOK_MEMORY, INVALID, MEMORY, MOST_TURNS,
    NOTHING, STALE, STOPPED,
    SYSTEM_CALL_VECTOR, TB_REMOVE_CACHE, TIME, TLB_FLUSH, WANDERED,
)
from coalmm.linux.cpu.fill cimport Fill
from coalmm.linux.cpu.hooks cimport (
    Answer, access_address, fill_address, handle_of, in_address, let_go, number_address, out_address, plain_address,
    put_answer,
)
from coalmm.linux.cpu.library cimport (
    context_restore, context_save, control_0, control_2, emu_start, emu_stop, hook_add, hook_del, register_read,
    register_write,
)
from coalmm.linux.cpu.ticker cimport begin_slice, end_slice, end_ticker, start_ticker


@cython.final
cdef class Engine:
    cdef readonly Fill fill
    cdef readonly object form, dispatch, emulator, user_mode, scratch, at_port, kernel_mode
    cdef readonly dict user_modes
    cdef readonly int in_flight
    cdef readonly u64 between_blocks
    cdef bint stop_once, used_port
    cdef readonly u64 uc, start_at, stop_at, read_at, write_at, control_at, save_at, restore_at, hook_at, unhook_at
    cdef readonly int pointer, result, first, second, third, fourth, fifth, sixth
    cdef readonly bint narrow
    cdef readonly u64 stop_address
    cdef u64 ticker
    cdef public i64 vector
    cdef readonly u64 calls
    cdef public bint stop_wanted
    cdef bint diagnosing
    cdef public list seen

    cpdef u64 get(self, int number) except? 0xFFFFFFFFFFFFFFFF
    cpdef object put(self, int number, u64 value)
    cpdef object flush(self)
    cpdef object drop_code(self, u64 pfn)
    @cython.locals(begin=u64, timeout=u64, error=int, outcome=int)
    cpdef int run(self, u64 microseconds) except -1
    cpdef int step(self)
    cpdef object raise_error(self)
    cpdef object stop(self)
    cpdef int miss(self, u64 vaddr, u64 access) noexcept
    cpdef object system_call(self)
    cpdef object put_result(self, object value)
    cpdef object interrupt(self, u32 number)
    cpdef object port(self, u32 number)
    cpdef int diagnose(self, u64 vaddr, u64 access) except? -1


cdef inline Engine engine_at(void *handle):
    return <Engine>handle

@cython.locals(engine=Engine, rights=int)
cdef bint on_fill(void *uc, u64 vaddr, int kind, Answer *answer, void *handle) noexcept
cdef void on_interrupt(void *uc, u32 number, void *handle) noexcept
cdef void on_system_call(void *uc, void *handle) noexcept
cdef u32 on_in(void *uc, u32 port, int size, void *handle) noexcept
cdef void on_out(void *uc, u32 port, int size, u32 value, void *handle) noexcept
cdef void on_access(void *uc, int kind, u64 address, int size, i64 value, void *handle) noexcept
