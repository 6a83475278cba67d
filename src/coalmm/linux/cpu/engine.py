"""One emulated CPU: it runs a task's instructions until something needs the kernel.

`run` starts at the task's instruction pointer and comes back with a reason. On the way, the emulator
calls `hooks`, and those call `miss`, `system_call` and the like here, while it waits; none of them may
use the emulator for more than registers and a stop.

One engine serves all tasks of its ABI; a task that is not running keeps its registers in a context.
"""

import cython

from coalmm.linux.cpu import exceptions, exits, setup
from coalmm.linux.cpu import unicorn_numbers as unicorn
from coalmm.linux.cpu.emulator import check_address, functions
from coalmm.linux.cpu.fill import Fill
from coalmm.linux.cpu.registers import Form
from coalmm.typed import Any, Callable

if not cython.compiled:
    from coalmm.linux.cpu.constants import (
        CODE_FLUSH,
        ERROR_INSTRUCTION,
        EXCEPTION,
        FAILED,
        FIRST_ACCESS,
        FLUSH,
        HOOK_MEMORY,
        INVALID,
        MEMORY,
        MOST_TURNS,
        NOTHING,
        STALE,
        STOPPED,
        SYSTEM_CALL_VECTOR,
        TB_REMOVE_CACHE,
        TIME,
        TLB_FLUSH,
        WANDERED,
    )
    from coalmm.linux.cpu.hooks import (
        access_address,
        engine_at,
        fill_address,
        handle_of,
        in_address,
        let_go,
        number_address,
        out_address,
        plain_address,
        put_answer,
    )
    from coalmm.linux.cpu.library import (
        context_restore,
        context_save,
        control_0,
        control_2,
        emu_start,
        emu_stop,
        hook_add,
        hook_del,
        register_read,
        register_write,
    )
    from coalmm.linux.cpu.ticker import begin_slice, end_slice, end_ticker, start_ticker

GENERAL_PROTECTION = 13
LOAD_AND_LOOP = bytes.fromhex("8a03ebfe")  # mov al, [rbx]; jmp to itself
STAYS = object()  # what `dispatch` returns when the number register is to stay as it is, and the task stops


class Engine:
    """A CPU in one mode over the machine of `fill`."""

    def __init__(self, fill: Fill, form: Form, dispatch: Callable[..., object]) -> None:
        self.fill = fill
        self.dispatch = dispatch
        addresses = functions()
        self.emulator: Any = setup.make_emulator(fill.mmu.ram, form)
        self.uc = self.emulator.uc
        self.start_at = addresses["uc_emu_start"]
        self.stop_at = addresses["uc_emu_stop"]
        self.read_at = addresses["uc_reg_read"]
        self.write_at = addresses["uc_reg_write"]
        self.control_at = addresses["uc_ctl"]
        self.save_at = addresses["uc_context_save"]
        self.restore_at = addresses["uc_context_restore"]
        self.hook_at = addresses["uc_hook_add"]
        self.unhook_at = addresses["uc_hook_del"]
        self.use(form)
        self.stop_address = fill.page_address + setup.STOP_OFFSET
        self.vector = 0
        self.calls = 0
        self.stop_wanted = False
        self.diagnosing = False
        self.seen: list[tuple[bool, int]] = []
        setup.fill_own_page(fill.mmu.ram, fill.page, form)
        self.add_hooks()
        self.kernel_mode = self.new_context()
        self.user_modes: dict[str, Any] = {}
        self.enter_user_mode()
        self.user_mode = self.user_modes[form.abi.name] = self.new_context()
        self.scratch = self.new_context()
        self.at_port = self.new_context()
        self.used_port = False
        self.in_flight = self.find_exception_field()
        self.between_blocks = exits.find_flag(self.uc)
        self.stop_once = False
        exits.set_flag(self.between_blocks, True)
        self.check_stops()
        self.ticker = start_ticker(self.stop_at, self.uc)

    def use(self, form: Form) -> None:
        """Registers and system calls are those of this form from now on: another task's."""
        self.form = form
        self.pointer = form.numbers[form.abi.instruction]
        self.result = form.numbers[form.abi.number]
        self.first, self.second, self.third, self.fourth, self.fifth, self.sixth = (
            form.numbers[name] for name in form.abi.arguments
        )
        self.narrow = form.abi.word == 4

    def add_form(self, form: Form) -> None:
        """Let the CPU run programs of another ABI, too. Registers stay as they are."""
        before, old = self.new_context(), self.form
        self.save(before)
        self.restore(self.kernel_mode)
        self.use(form)
        page = self.fill.mmu.ram
        page.write((self.fill.page << 12) + setup.LEAVE_OFFSET, form.leave)
        self.drop_code(self.fill.page)
        try:
            self.enter_user_mode()
            self.user_modes[form.abi.name] = self.new_context()
            self.save(self.user_modes[form.abi.name])
        finally:
            self.use(old)
            self.restore(before)
            self.flush()

    def enter_user_mode(self) -> None:
        """Bring the CPU to CPL 3, with the segments that Linux gives a program."""
        page = self.fill.page_address
        setup.prepare_user_mode(self.emulator, self.form, page)
        begin, end = page + setup.LEAVE_OFFSET, page + setup.LANDING_OFFSET
        error = emu_start(self.start_at, self.uc, begin, end, 0, 0)
        if self.form.is_compatible:
            error = 0  # it does not find the end: its address has 64 bits, and the CPU now only 32
        if error or self.get(self.form.numbers["cs"]) & 3 != 3:
            self.raise_error()
            raise OSError(f"the CPU emulator does not reach user mode: error {error}")
        if self.narrow:
            for name in ("ds", "es"):
                self.put(self.form.numbers[name], setup.USER_DATA)
        numbers = self.form.numbers
        for name, value in (("eflags", 0x202), ("mxcsr", 0x1F80), ("fpcw", 0x37F), ("fptag", 0xFFFF)):
            self.put(numbers[name], value)

    def find_exception_field(self) -> int:
        """Where a context has the exception that is being delivered: a privileged instruction makes one."""
        before = self.user_mode.content()
        landing = self.fill.page_address + setup.LANDING_OFFSET
        emu_start(self.start_at, self.uc, landing, self.stop_address, 0, 0)
        self.save(self.scratch)
        self.restore(self.user_mode)
        return exceptions.find_field(before, self.scratch.content(), GENERAL_PROTECTION)

    def check_stops(self) -> None:
        """Make sure that a stop does not come within an instruction. OSError if it does."""
        base = "rbx" if not self.narrow else "ebx"
        start = self.fill.page_address + setup.TRIAL_OFFSET
        self.fill.mmu.ram.write((self.fill.page << 12) + setup.TRIAL_OFFSET, LOAD_AND_LOOP)
        self.put(self.form.numbers[base], self.fill.page_address + 8192)
        self.flush()
        self.diagnosing = self.stop_once = True
        emu_start(self.start_at, self.uc, start, self.stop_address, 0, 0)
        self.diagnosing = self.stop_once = False
        stopped = self.get(self.pointer)
        self.restore(self.user_mode)
        self.flush()
        if stopped != start + 2:
            raise exits.refuse("the flag does nothing")

    def forget_exception(self) -> None:
        """The kernel has the exception that the CPU came back with."""
        self.save(self.scratch)
        exceptions.clear_field(self.scratch, self.in_flight)
        self.restore(self.scratch)

    def add_hooks(self) -> None:
        """Register the callbacks of `hooks` with the emulator."""
        self.add_hook(unicorn.UC_HOOK_TLB_FILL, fill_address(on_fill))
        self.add_hook(unicorn.UC_HOOK_INTR, number_address(on_interrupt))
        if not self.narrow:
            self.add_hook(unicorn.UC_HOOK_INSN, plain_address(on_system_call), unicorn.UC_X86_INS_SYSCALL)
        self.add_hook(unicorn.UC_HOOK_INSN, in_address(on_in), unicorn.UC_X86_INS_IN)
        self.add_hook(unicorn.UC_HOOK_INSN, out_address(on_out), unicorn.UC_X86_INS_OUT)

    def add_hook(self, kind: int, callback: int, instruction: int = 0) -> int:
        """Have the emulator call `callback` on every event of a kind; the hook, to be removed by."""
        hook = hook_add(self.hook_at, self.uc, kind, callback, handle_of(self), instruction)
        return check_address(hook, "it refused a hook")

    def close(self) -> None:
        """Let go of the emulator. Contexts must be gone."""
        end_ticker(self.ticker)
        self.ticker = 0
        let_go(self)
        self.user_mode = self.scratch = self.at_port = self.kernel_mode = self.emulator = None
        self.user_modes.clear()
        self.uc = 0

    # --- registers ---

    def get(self, number: int) -> int:
        """A register of up to 64 bits, by the emulator's number."""
        return register_read(self.read_at, self.uc, number)

    def put(self, number: int, value: int) -> None:
        """Set a register of up to 64 bits."""
        register_write(self.write_at, self.uc, number, value)

    def new_context(self) -> Any:
        """Room for a task's registers, with those of a CPU in user mode."""
        return self.emulator.context_save()

    def save(self, context: Any) -> None:
        """Keep all registers in a context."""
        context_save(self.save_at, self.uc, context.address)

    def restore(self, context: Any) -> None:
        """Take all registers from a context."""
        context_restore(self.restore_at, self.uc, context.address)

    # --- running ---

    def flush(self) -> None:
        """Empty the emulator's TLB."""
        control_0(self.control_at, self.uc, TLB_FLUSH)
        self.fill.flushed()

    def drop_code(self, pfn: int) -> None:
        """Drop the translations of a frame's code, through the window; the TLB is empty after it."""
        self.fill.window = pfn
        window = self.fill.page_address + 4096
        control_2(self.control_at, self.uc, TB_REMOVE_CACHE, window, window + 4096)
        self.fill.window = 0
        self.fill.code.drop(pfn)
        self.flush()

    def run(self, microseconds: int) -> int:
        """Run for at most so long (0: no limit); why it came back (TIME, STOPPED, MEMORY, ...).

        Raises what a callback raised.
        """
        for _ in range(MOST_TURNS):
            if self.fill.is_behind():
                self.flush()
            self.fill.outcome = NOTHING
            self.stop_wanted = False
            self.vector = -1
            begin = self.get(self.pointer)
            if begin == self.stop_address:
                return WANDERED
            timeout = begin_slice(self.ticker, microseconds)
            error = emu_start(self.start_at, self.uc, begin, self.stop_address, timeout, 0)
            end_slice(self.ticker)
            outcome = self.fill.outcome
            if outcome == FAILED or self.fill.error is not None:
                self.raise_error()
            if self.stop_wanted:
                return STOPPED
            if self.used_port:
                self.used_port = False
                self.restore(self.at_port)
                self.vector = GENERAL_PROTECTION
                return EXCEPTION
            if self.vector >= 0:
                self.forget_exception()
                return EXCEPTION
            if error == ERROR_INSTRUCTION:
                return INVALID
            if error == 0:
                return WANDERED if self.get(self.pointer) == self.stop_address else TIME
            if outcome == FLUSH:
                self.flush()
            elif outcome == STALE:
                self.drop_code(self.fill.stale)
            else:
                return MEMORY
        return TIME

    def step(self) -> int:
        """Do one instruction; the emulator's error.

        Only code that is translated meanwhile counts instructions and stops at once; it is not kept.
        """
        control_0(self.control_at, self.uc, CODE_FLUSH)
        exits.set_flag(self.between_blocks, False)
        error: int = emu_start(self.start_at, self.uc, self.get(self.pointer), self.stop_address, 0, 1)
        exits.set_flag(self.between_blocks, True)
        return error

    def raise_error(self) -> None:
        """Raise what a callback could not."""
        error = self.fill.error
        self.fill.error = None
        if error is not None:
            raise error

    def stop(self) -> None:
        """Come back from `run` after this instruction or block; for callbacks."""
        self.stop_wanted = True
        emu_stop(self.stop_at, self.uc)

    # --- the exact address of a fault ---

    def exact_address(self) -> int:
        """The first byte that the access which `run` came back with (MEMORY) could not have.

        The emulator names only the page. So the instruction is done once more, alone, with a page that is
        not in RAM in place of all its data, and its accesses are listed; then the registers are put back.
        """
        page, pointer = self.fill.fault_address, self.get(self.pointer)
        if self.fill.fault_access == 2:
            return max(page, pointer)
        before = self.new_context()
        self.save(before)
        self.seen = []
        self.diagnosing = True
        hook = self.add_hook(HOOK_MEMORY, access_address(on_access))
        try:
            self.flush()
            self.step()
        finally:
            hook_del(self.unhook_at, self.uc, hook)
            self.diagnosing = False
            self.restore(before)
            self.flush()
        return self.first_byte(page)

    def diagnose(self, vaddr: int, access: int) -> int:
        """A TLB miss of `exact_address`."""
        if access == 2:
            return self.fill.answer(vaddr, access)
        self.seen.append((True, vaddr))
        if self.stop_once:
            emu_stop(self.stop_at, self.uc)
        self.fill.paddr = self.fill.mmu.ram.size
        return 3

    def first_byte(self, page: int) -> int:
        """Where in `page` its first access is: what is seen after its miss, or its start if that began before it."""
        for place, (is_miss, vaddr) in enumerate(self.seen):
            if is_miss and vaddr == page:
                for after_miss, offset in self.seen[place + 1 :]:
                    if not after_miss:
                        return page + offset
                    if offset != page:
                        break
                return page
        return page

    # --- what the callbacks ask ---

    def miss(self, vaddr: int, access: int) -> int:
        """A TLB miss: the rights of the page; none ends the instruction."""
        try:
            if self.diagnosing:
                return self.diagnose(vaddr, access)
            return self.fill.answer(vaddr, access)
        except BaseException as error:
            self.fill.error = error
            self.fill.outcome = FAILED
            return 0

    def system_call(self) -> None:
        """The instruction of a system call: have it done, and leave the result in its register."""
        self.calls += 1
        try:
            value = self.dispatch(
                self.get(self.result),
                self.get(self.first),
                self.get(self.second),
                self.get(self.third),
                self.get(self.fourth),
                self.get(self.fifth),
                self.get(self.sixth),
            )
            if value is STAYS:
                self.stop()
            else:
                self.put_result(value)
                if self.fill.is_behind():
                    self.flush()
                if self.fill.mmu.is_late():  # the call may have been cut short: the program is not to see that
                    self.stop()
        except BaseException as error:
            self.fill.error = error
            self.stop()

    def put_result(self, value: Any) -> None:
        """Leave the result of a system call in its register; negative ones are errors."""
        self.put(self.result, value & self.form.abi.mask)

    def interrupt(self, number: int) -> None:
        """An interrupt or exception: `int 0x80` of 32-bit programs is a system call."""
        if number == SYSTEM_CALL_VECTOR and self.narrow:
            self.system_call()
            return
        self.vector = number
        emu_stop(self.stop_at, self.uc)


    def port(self, number: int) -> None:
        """`in`, `out` or one of their kin, which programs may not do: #GP.

        The emulator lets them, and calls a hook in their middle. A breakpoint on the port ends the block with the
        instruction, and the registers are put back to what they are here. What `ins` would have stored stays 0.
        """
        self.save(self.at_port)
        self.put(self.form.numbers["dr0"], number)
        self.used_port = True


def on_fill(uc: Any, vaddr: int, kind: int, answer: Any, handle: Any) -> bool:
    """UC_HOOK_TLB_FILL."""
    engine = engine_at(handle)
    rights: int = engine.miss(vaddr, kind - FIRST_ACCESS)
    put_answer(answer, engine.fill.paddr, rights)
    return rights != 0


def on_interrupt(uc: Any, number: int, handle: Any) -> None:
    """UC_HOOK_INTR."""
    engine_at(handle).interrupt(number)


def on_system_call(uc: Any, handle: Any) -> None:
    """UC_HOOK_INSN for `syscall`."""
    engine_at(handle).system_call()


def on_in(uc: Any, port: int, size: int, handle: Any) -> int:
    """UC_HOOK_INSN for `in`."""
    engine_at(handle).port(port)
    return 0


def on_out(uc: Any, port: int, size: int, value: int, handle: Any) -> None:
    """UC_HOOK_INSN for `out`."""
    engine_at(handle).port(port)


def on_access(uc: Any, kind: int, address: int, size: int, value: int, handle: Any) -> None:
    """UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE, while an address is looked for."""
    engine_at(handle).seen.append((False, address & 0xFFF))
