"""C text between the document's names and a target's own: renamed functions, other parameters, stubs, start.

It includes nothing but the target's headers, so that a kernel's own `stdint.h` meets no other. The kit builds the
target with it, and so does each reproducer.
"""

import re

from coalmm.check.config import Config
from coalmm.check.functions import FUNCTIONS, Function

TYPES = {
    "uintptr_t": "__UINTPTR_TYPE__",
    "size_t": "__SIZE_TYPE__",
    "ssize_t": "__PTRDIFF_TYPE__",
    "uint32_t": "unsigned int",
    "pid_t": "int",
    "bool": "_Bool",
}
NAME = re.compile(r"[A-Za-z_]\w*")


def declared(kind: str, name: str) -> str:
    """A parameter in types that need no header."""
    if kind == "hook_t":
        return f"void (*{name})(void *)"
    if kind.rstrip(" *").endswith(("stats_t", "meminfo_t")):
        kind = "void *"
    return f"{TYPES.get(kind, kind)} {name}"


def signature(function: Function, name: str) -> str:
    """The prototype under another name, without the document's types."""
    parameters = ", ".join(declared(*parameter) for parameter in function.parameters) or "void"
    return f"{TYPES.get(function.returns, function.returns)} {name}({parameters})".replace("* ", "*")


def wrapper(function: Function, target: str, extern: bool) -> str:
    """`check_NAME`, which calls the target's function or expression."""
    text = ""
    call = target
    if NAME.fullmatch(target):
        call = f"{target}({', '.join(name for _, name in function.parameters)})"
        if extern:
            text = f"{signature(function, target)};\n"
    if function.returns == "void":
        body = f"{call};"
    else:
        middle = "(__UINTPTR_TYPE__)" if "*" in function.returns or function.returns == "uintptr_t" else ""
        body = f"return ({TYPES.get(function.returns, function.returns)}){middle}({call});"
    return f"{text}{signature(function, 'check_' + function.name)}\n{{\n    {body}\n}}\n"


def adapter_text(config: Config) -> str:
    """The whole adapter; "" where the target needs none."""
    parts = stubs(config)
    for name, value in config.functions.items():
        if value is False:
            parts.append(f"int check_absent_{name} = 1;\n")
        else:
            parts.append(wrapper(FUNCTIONS[name], str(value), extern=not config.headers))
    if config.init:
        parts.append(f"void check_init(void)\n{{\n    {config.init.strip()}\n}}\n")
    parts += [SYMBOL.format(name=name, value=value) for name, value in config.symbols.items()]
    if config.ram:
        parts.append(f"__UINTPTR_TYPE__ check_ram[2] = {{ {config.ram:#x}, {config.ram_size:#x} }};\n")
    if physical := config.physical or (f"{config.ram:#x} + paddr" if config.ram else ""):
        parts.append(f"void *check_physical(__UINTPTR_TYPE__ paddr)\n{{\n    return (void *)({physical});\n}}\n")
    if config.fail_nth:
        parts.append(f"void check_fail_nth(unsigned long n)\n{{\n    {config.fail_nth.strip()}\n}}\n")
    if config.buddy_free_bytes:
        parts.append(f"__SIZE_TYPE__ check_buddy_free_bytes(void)\n{{\n    return {config.buddy_free_bytes};\n}}\n")
    if not parts and not config.prelude:
        return ""
    head = "".join(f'#include "{name}"\n' for name in config.headers)
    return head + config.prelude + "\n" + "\n".join(parts)


SAID = """void (*check_said)(const char *panic, const char *format, __builtin_va_list arguments);
"""
TELLS = """long check_stub_{name}(const char *format, ...) __asm__("{name}");
long check_stub_{name}(const char *format, ...)
{{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    if (check_said)
        check_said({panic}, format, arguments);
    __builtin_va_end(arguments);
    {end}
}}
"""
SILENT = """long check_stub_{name}(void) __asm__("{name}");
long check_stub_{name}(void)
{{
    return 0;
}}
"""
SYMBOL = """\
/* The linker adds the library's address to a symbol that it is given; what a resolver returns is taken as it is. */
static void *check_value_{name}(void)
{{
    return (void *){value:#x};
}}
void check_symbol_{name}(void) __asm__("{name}") __attribute__((ifunc("check_value_{name}")));
"""
FLUSHES = """long check_stub_{name}(check_word a0, check_word a1, check_word a2, check_word a3) __asm__("{name}");
long check_stub_{name}(check_word a0, check_word a1, check_word a2, check_word a3)
{{
    if (check_flush)
        check_flush({start}, {size});
    return 0;
}}
"""


def stubs(config: Config) -> list[str]:
    """Functions that the target calls and that are not there. The headers declare them with types that are not known
    here, so only the symbol has the name.
    """
    parts = [SILENT.format(name=name) for name in config.stubs]
    if config.panic or config.print:
        parts.append(SAID)
    parts += [TELLS.format(name=name, panic="0", end="return 0;") for name in config.print]
    parts += [TELLS.format(name=name, panic=f'"{name}"', end="__builtin_trap();") for name in config.panic]
    if config.flush:
        parts.append("typedef __UINTPTR_TYPE__ check_word;\n"
                     "void (*check_flush)(check_word start, __SIZE_TYPE__ size);\n")  # fmt: skip
    return parts + [FLUSHES.format(**flush_arguments(text)) for text in config.flush]


def flush_arguments(text: str) -> dict[str, str]:
    """A line of `flush`: "name" flushes everything, "name(space, vaddr)" the page of its second argument, and
    "name(vaddr, size)" as many bytes.
    """
    name, _, rest = text.partition("(")
    parameters = [each.strip() for each in rest.rstrip(" )").split(",")]
    start = f"a{parameters.index('vaddr')}" if "vaddr" in parameters else "0"
    size = f"a{parameters.index('size')}" if "size" in parameters else "1" if start != "0" else "0"
    return {"name": name.strip(), "start": start, "size": size}
