"""Unicorn's numbers that are used here, by the names of its headers (unicorn.h and x86.h of version 2).

The modules of its Python binding have them too, among two thousand others: loading those takes longer than these do.
"""

UC_ARCH_X86 = 4
UC_MODE_32, UC_MODE_64 = 4, 8
UC_PROT_ALL = 7
UC_TLB_VIRTUAL = 1
UC_CTL_TLB_TYPE, UC_CTL_TCG_BUFFER_SIZE, UC_CTL_CONTEXT_MODE = 12, 13, 14
UC_HOOK_INTR, UC_HOOK_INSN, UC_HOOK_TLB_FILL = 1, 2, 1 << 17
UC_X86_INS_IN, UC_X86_INS_OUT, UC_X86_INS_SYSCALL = 218, 500, 699

REGISTERS = {  # UC_X86_REG_*
    "cs": 11, "ds": 17, "es": 28, "fs": 32, "gs": 33, "ss": 49,
    "eax": 19, "ebp": 20, "ebx": 21, "ecx": 22, "edi": 23, "edx": 24, "eflags": 25, "eip": 26, "esi": 29, "esp": 30,
    "rax": 35, "rbp": 36, "rbx": 37, "rcx": 38, "rdi": 39, "rdx": 40, "rip": 41, "rsi": 43, "rsp": 44,
    **{f"r{number}": 98 + number for number in range(8, 16)},
    "cr0": 50, "cr2": 52, "dr0": 66, "gdtr": 243, "msr": 248, "fs_base": 250, "gs_base": 251,
    "fpsw": 31, "fpcw": 246, "fptag": 247, "mxcsr": 249,
    **{f"fp{number}": 82 + number for number in range(8)},
    **{f"xmm{number}": 122 + number for number in range(16)},
}  # fmt: skip
