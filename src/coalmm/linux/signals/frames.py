"""The frames on which signal handlers run, and sigreturn, for both ABIs.

Layouts: Linux's arch/x86/include/asm/sigframe.h and uapi/asm/sigcontext.h.

    64-bit   return address | ucontext (304 bytes) | siginfo (128)              ... fxsave image above
    32-bit   return address | signal | siginfo* | ucontext* | siginfo | ucontext (116)     with SA_SIGINFO
             return address | signal | sigcontext (88) | ...                               without
"""

from __future__ import annotations

import struct

from coalmm.linux.signals.floating import FXSAVE_SIZE, restore_floating, save_floating
from coalmm.linux.signals.numbers import SA_ONSTACK, SA_SIGINFO, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK
from coalmm.linux.signals.state import Action, AlternateStack, Info, blockable
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

ORDER_64 = (
    *(f"r{n}" for n in range(8, 16)),
    *("rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip", "eflags"),
)
ORDER_32 = ("edi", "esi", "ebp", "esp", "ebx", "edx", "ecx", "eax")
USER_FLAGS = 0x244DD5  # of EFLAGS, what sigreturn takes from the frame: CF PF AF ZF SF TF DF OF AC ID, as Linux
DIRECTION, TRAP = 0x400, 0x100
RED_ZONE = 128
CONTEXT_FLAGS = 6  # UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
FSAVE_SIZE = 112
FRAME_32_REST = 624 + 4 + 8  # of the plain 32-bit frame: unused FPU room, high half of the mask, return code
RETURN_CODE = bytes.fromhex("58b877000000cd80")  # pop eax; mov eax, sigreturn; int 0x80
RT_RETURN_CODE = bytes.fromhex("b8ad000000cd8000")


def stack_for(task: Task, action: Action, pointer: int) -> int:
    """Where a frame goes: the alternate stack if the action asks for it and it is not in use already."""
    alternate = task.alternate
    if action.flags & SA_ONSTACK and not alternate.flags & SS_DISABLE and not alternate.holds(pointer):
        return alternate.start + alternate.size
    return pointer - (RED_ZONE if task.abi.word == 8 else 0)


def stack_words(task: Task, more_flags: int = 0) -> bytes:
    """stack_t of the alternate stack; in a frame it does not say whether the stack is in use."""
    alternate = task.alternate
    flags = alternate.flags | more_flags
    if task.abi.word == 8:
        return struct.pack("<QiiQ", alternate.start, flags - (flags >> 31 << 32), 0, alternate.size)
    return struct.pack("<IiI", alternate.start, flags - (flags >> 31 << 32), alternate.size)


def push(task: Task, info: Info, action: Action, mask: int, cr2: int, code: int, trap: int) -> None:
    """Write a frame and set the registers to the start of its handler. PageFaultError if it does not fit."""
    if task.abi.word == 8:
        push_64(task, info, action, mask, (code, trap, 0, cr2))
    elif action.flags & SA_SIGINFO:
        push_32_rt(task, info, action, mask, (trap, code), cr2)
    else:
        push_32(task, info, action, mask, (trap, code), cr2)
    if task.alternate.flags & SS_AUTODISARM:
        task.alternate = AlternateStack()


def push_64(task: Task, info: Info, action: Action, mask: int, why: tuple[int, int, int, int]) -> None:
    """struct rt_sigframe."""
    cpu = task.cpu
    floating = (stack_for(task, action, cpu.get("rsp")) - FXSAVE_SIZE) & -64 & task.abi.mask
    frame = ((floating - 440) & -16) - 8 & task.abi.mask
    context = struct.pack("<18Q", *(cpu.get(name) for name in ORDER_64))
    context += struct.pack("<4H", cpu.get("cs"), 0, 0, cpu.get("ss"))
    context += struct.pack("<5Q", *why, floating) + bytes(64)
    ucontext = struct.pack("<QQ", CONTEXT_FLAGS, 0) + stack_words(task) + context
    ucontext += struct.pack("<Q", mask)
    task.write(floating, save_floating(cpu.engine))
    task.write(frame, struct.pack("<Q", action.restorer) + ucontext + info.pack(task.abi))
    for name, value in (
        ("rdi", info.signal),
        ("rsi", frame + 8 + len(ucontext)),
        ("rdx", frame + 8),
        ("rax", 0),
        ("rip", action.handler),
        ("rsp", frame),
        ("eflags", cpu.get("eflags") & ~(DIRECTION | TRAP)),
    ):
        cpu.put(name, value)


def context_32(task: Task, why: tuple[int, int], cr2: int, mask: int, floating: int) -> bytes:
    """struct sigcontext of 32-bit programs."""
    cpu = task.cpu
    segments = struct.pack("<4I", *(cpu.get(name) for name in ("gs", "fs", "es", "ds")))
    general = struct.pack("<8I", *(cpu.get(name) for name in ORDER_32))
    rest = (*why, cpu.get("eip"), cpu.get("cs"), cpu.get("eflags"), cpu.get("esp"), cpu.get("ss"))
    return segments + general + struct.pack("<10I", *rest, floating, mask & 0xFFFF_FFFF, cr2 & 0xFFFF_FFFF)


def floating_32(task: Task) -> bytes:
    """struct _fpstate_32: room for `fsave`'s form, which is marked as followed by `fxsave`'s."""
    image = save_floating(task.cpu.engine)
    control, status = struct.unpack_from("<HH", image)
    return struct.pack("<II", control | 0xFFFF_0000, status | 0xFFFF_0000).ljust(FSAVE_SIZE, b"\0") + image


def start_handler_32(task: Task, info: Info, action: Action, frame: int, rest: tuple[int, int]) -> None:
    """Registers at the start of a 32-bit handler; some take arguments in registers."""
    cpu = task.cpu
    for name, value in (
        ("eax", info.signal),
        ("edx", rest[0]),
        ("ecx", rest[1]),
        ("esp", frame),
        ("eip", action.handler),
        ("eflags", cpu.get("eflags") & ~(DIRECTION | TRAP)),
    ):
        cpu.put(name, value)


def push_32(task: Task, info: Info, action: Action, mask: int, why: tuple[int, int], cr2: int) -> None:
    """struct sigframe_ia32."""
    image = floating_32(task)
    floating = (stack_for(task, action, task.cpu.get("esp")) - len(image)) & -64 & task.abi.mask
    size = 8 + 88 + FRAME_32_REST
    frame = ((floating - size + 4) & -16) - 4 & task.abi.mask
    code_at = frame + size - 8
    content = struct.pack("<Ii", action.restorer or code_at, info.signal)
    content += context_32(task, why, cr2, mask, floating)
    content = content.ljust(size - 12, b"\0") + struct.pack("<I", mask >> 32) + RETURN_CODE
    task.write(floating, image)
    task.write(frame, content)
    start_handler_32(task, info, action, frame, (0, 0))


def push_32_rt(task: Task, info: Info, action: Action, mask: int, why: tuple[int, int], cr2: int) -> None:
    """struct rt_sigframe_ia32."""
    image = floating_32(task)
    pointer = task.cpu.get("esp")
    floating = (stack_for(task, action, pointer) - len(image)) & -64 & task.abi.mask
    size = 16 + 128 + 116 + 8
    frame = ((floating - size + 4) & -16) - 4 & task.abi.mask
    info_at, context_at, code_at = frame + 16, frame + 144, frame + 260
    ucontext = struct.pack("<II", CONTEXT_FLAGS & 0, 0) + stack_words(task)
    ucontext += context_32(task, why, cr2, mask, floating) + struct.pack("<Q", mask)
    head = struct.pack("<IiII", action.restorer or code_at, info.signal, info_at, context_at)
    task.write(floating, image)
    task.write(frame, head + info.pack(task.abi) + ucontext + RT_RETURN_CODE)
    start_handler_32(task, info, action, frame, (info_at, context_at))


# --- the way back ---


def pop_64(task: Task) -> None:
    """rt_sigreturn of a 64-bit program. PageFaultError for a frame that is not there."""
    cpu = task.cpu
    ucontext = task.read(cpu.get("rsp"), 304)
    values = dict(zip(ORDER_64, struct.unpack_from("<18Q", ucontext, 40), strict=True))
    floating = struct.unpack_from("<Q", ucontext, 40 + 144 + 8 + 32)[0]
    image = task.read(floating, FXSAVE_SIZE) if floating else b""
    task.mask = blockable(struct.unpack_from("<Q", ucontext, 296)[0])
    restore_stack(task, ucontext[16:40])
    values["eflags"] = restored_flags(cpu.get("eflags"), values["eflags"])
    for name, value in values.items():
        cpu.put(name, value)
    if image:
        restore_floating(cpu.engine, image)


def pop_32(task: Task) -> None:
    """sigreturn of a 32-bit program."""
    frame = task.cpu.get("esp") - 8
    content = task.read(frame, 8 + 88 + FRAME_32_REST)
    low = struct.unpack_from("<I", content, 8 + 80)[0]
    high = struct.unpack_from("<I", content, len(content) - 12)[0]
    task.mask = blockable(low | high << 32)
    restore_context_32(task, content[8:96])


def pop_32_rt(task: Task) -> None:
    """rt_sigreturn of a 32-bit program."""
    frame = task.cpu.get("esp") - 4
    ucontext = task.read(frame + 144, 116)
    task.mask = blockable(struct.unpack_from("<Q", ucontext, 108)[0])
    restore_stack(task, ucontext[8:20])
    restore_context_32(task, ucontext[20:108])


def restore_context_32(task: Task, context: bytes) -> None:
    """Registers from a sigcontext."""
    cpu = task.cpu
    words = struct.unpack("<22I", context)
    image = task.read(words[19] + FSAVE_SIZE, FXSAVE_SIZE) if words[19] else b""
    for name, value in zip(ORDER_32, words[4:12], strict=True):
        cpu.put(name, value)
    cpu.put("eip", words[14])
    cpu.put("eflags", restored_flags(cpu.get("eflags"), words[16]))
    for name, value in zip(("gs", "fs", "es", "ds"), words[:4], strict=True):
        task.cpu.load_segment(name, value & 0xFFFF)
    if image:
        restore_floating(cpu.engine, image)


def restored_flags(now: int, wanted: int) -> int:
    """EFLAGS after sigreturn: only what a program may set."""
    return now & ~USER_FLAGS | wanted & USER_FLAGS


def restore_stack(task: Task, content: bytes) -> None:
    """The alternate stack from a frame, where it makes sense."""
    if task.abi.word == 8:
        start, flags, _, size = struct.unpack("<QIIQ", content)
    else:
        start, flags, size = struct.unpack("<III", content)
    if flags & ~(SS_ONSTACK | SS_DISABLE | SS_AUTODISARM) == 0:
        task.alternate = AlternateStack(start, size, flags & ~SS_ONSTACK)
