"""A failing sequence as a C program of its own: it exits with 1, or dies, where the target is wrong."""

import re
import shlex

from coalmm.check.adapter import adapter_text, signature, stubs_text
from coalmm.check.build import DRIVER, Built
from coalmm.check.functions import FUNCTIONS, STRUCTURES, Function
from coalmm.check.protocol import FLAG_PHYSICAL, SLOT_BUFFER_END, SLOT_CTORS, SLOT_DTORS, SLOT_NAMES, Op, Ref
from coalmm.check.violation import Violation

BY_NUMBER = list(FUNCTIONS)
NAMES = ['"check"', '"check two"', '""', "long_name"]
LETTER = {"frame_alloc": "frame", "slab_cache_create": "cache", "paging_create_directory": "directory",
          "paging_clone_directory": "clone", "region": "heap"}  # fmt: skip
HELPERS = r"""
static char *buffer_end;  /* a buffer of 1 MiB that ends at a guard page */

static inline int disjoint(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return (uintptr_t)a + a_size <= (uintptr_t)b || (uintptr_t)b + b_size <= (uintptr_t)a;
}

static inline void check(int holds, const char *message)
{
    if (!holds) {
        printf("%s\n", message);
        exit(1);
    }
}

/* Index i of n, from the first (order 0), from the last (1), or every second one first (2). */
static inline size_t in_order(size_t i, size_t n, int order)
{
    size_t half = (n + 1) / 2;
    return order == 1 ? n - 1 - i : order == 0 ? i : i < half ? 2 * i : 2 * (i - half) + 1;
}
"""
EVENTS = r"""
/* Which objects are constructed, as the constructors and destructors say. */
static struct { const void *object; int hook, count; } seen_hooks[65536];
static int seen_count;
static const void *hook_object;

static void hook_event(const void *object, int kind)
{
    int i = 0;
    while (i < seen_count && (seen_hooks[i].object != object || seen_hooks[i].hook != kind / 2))
        i++;
    if (i == seen_count && seen_count < 65535)
        seen_count++;
    seen_hooks[i].object = object;
    seen_hooks[i].hook = kind / 2;
    seen_hooks[i].count = kind % 2 ? seen_hooks[i].count - 1 : 1;
    hook_object = object;
}
#define HOOK_EVENT(object, kind) hook_event(object, kind)

static inline int constructed(const void *object)
{
    for (int i = 0; i < seen_count; i++)
        if (seen_hooks[i].object == object && seen_hooks[i].count > 0)
            return 1;
    return 0;
}

/* Objects that constructor `hook` made and no destructor ended; negative if one was destructed twice. */
static inline int constructions(int hook)
{
    int sum = 0;
    for (int i = 0; i < seen_count; i++)
        if (seen_hooks[i].hook == hook && seen_hooks[i].count)
            sum = seen_hooks[i].count < 0 ? -1 : sum < 0 ? sum : sum + 1;
    return sum;
}
"""


class Reproducer:
    """Writes the program for one sequence."""

    def __init__(self, built: Built, ops: list[Op], violation: Violation) -> None:
        self.built = built
        self.ops = ops
        self.violation = violation
        self.names: dict[int, str] = {}
        self.by_out = {op.out: op for op in ops}
        self._name_values()

    def _name_values(self) -> None:
        counts: dict[str, int] = {}
        for op in self.ops:
            function = FUNCTIONS.get(op.name)
            pointer = function is not None and "*" in function.returns
            base = LETTER.get(op.name) or ("many" if op.name == "many_given" else "p" if pointer else "r")
            counts[base] = counts.get(base, 0) + 1
            self.names[op.out] = f"{base}{counts[base]}"

    # Arguments.

    def raw(self, arg: int | Ref) -> tuple[str, bool]:
        """(C text, whether it is a pointer) of an argument."""
        if isinstance(arg, int):
            return (hex(arg) if arg > 9999 or arg < 0 else str(arg)), False
        distance = f" {'+' if arg.distance > 0 else '-'} {abs(arg.distance)}" if arg.distance else ""
        if arg.slot == SLOT_BUFFER_END:
            return f"buffer_end{distance}", True
        if SLOT_NAMES <= arg.slot < SLOT_NAMES + 4:
            return NAMES[arg.slot - SLOT_NAMES], True
        for first, name in ((SLOT_CTORS, "ctor"), (SLOT_DTORS, "dtor")):
            if first <= arg.slot < first + 4:
                return f"{name}{arg.slot - first}", True
        name = self._variable(arg.slot)
        if self.is_pointer(arg.slot):
            return (f"(char *){name}{distance}" if distance else name), True
        return name + distance, False

    def _variable(self, slot: int) -> str:
        """The variable of an operation; for what `many_given` got, an element of its array."""
        op = self.by_out.get(slot)
        return self._element(slot) if op is None or op.name == "many_given" else self.names[slot]

    def _element(self, slot: int) -> str:
        """An element of what many_given got."""
        for op in self.ops:
            if op.name == "many_given" and op.out <= slot < op.out + int(op.args[1]):  # type: ignore[arg-type]
                return f"{self.names[op.out]}[{slot - op.out}]"
        return "0"

    def is_pointer(self, slot: int) -> bool:
        """Whether the variable of an operation is a pointer in C."""
        op = self.by_out.get(slot)
        if op is None or op.name == "region":
            return True  # an element of an array, or memory
        return op.name in FUNCTIONS and "*" in FUNCTIONS[op.name].returns

    def text(self, arg: int | Ref, kind: str) -> str:
        """An argument as the parameter's type wants it."""
        text, pointer = self.raw(arg)
        wants = "*" in kind or kind == "hook_t"
        if wants and not pointer:
            return "NULL" if text == "0" else f"(void *){text}" if text.isalnum() else f"(void *)({text})"
        if pointer and not wants:
            return f"(uintptr_t)({text})" if " " in text else f"(uintptr_t){text}"
        if text.startswith("0x") and kind == "size_t" and int(text, 16) == (1 << 8 * (self.built.bits // 8)) - 1:
            return "SIZE_MAX"
        return text

    # Statements.

    def called(self, name: str) -> str:
        """What a function of the document is called here."""
        if self.built.config.functions.get(name):
            return f"check_{name}"
        return f"call_{name}" if self.built.config.headers else name

    def prototype(self, function: Function) -> str:
        """Its declaration. Where the target's headers may declare it otherwise, under a name of its own."""
        called = self.called(function.name)
        return signature(function, called) + (f' __asm__("{function.name}")' if called.startswith("call_") else "")

    def call(self, function: Function, args: tuple[int | Ref, ...]) -> str:
        """The call of a function."""
        shown = (self.text(arg, kind) for arg, (kind, _) in zip(args, function.parameters, strict=True))
        return f"{self.called(function.name)}({', '.join(shown)})"

    def statement(self, op: Op) -> list[str]:
        """The lines for one operation."""
        name = self.names[op.out]
        if op.name in FUNCTIONS:
            return self._call_lines(op, FUNCTIONS[op.name], name)
        args = [self.text(arg, "size_t" if number else "void *") for number, arg in enumerate(op.args)]
        if op.flags & FLAG_PHYSICAL:
            args[0] = f"check_physical({self.text(op.args[0], 'uintptr_t')})"
        match op.name:
            case "fill":
                return [f"fill({', '.join(args)});"]
            case "differs" | "nonzero":
                return [f"size_t {name} = {op.name}({', '.join(args)});"]
            case "poke":
                return [f"*(unsigned char *)({args[0]}) = {args[1]};"]
            case "region":
                return [f"void *{name} = region({self.text(op.args[0], 'size_t')}, {args[1]});"]
            case "object_size":
                return [f"object_size[{self.text(op.args[0], 'size_t')}] = {args[1]};"]
            case "many_given" | "many_taken" | "many_differ":
                return self._many(op, name)
            case "fail":
                return [f"check_fail_nth({self.text(op.args[0], 'size_t')});"]
            case "buddy_free_bytes":
                return [f"size_t {name} = check_buddy_free_bytes();"]
        return []  # a read is looked at by what follows

    def _call_lines(self, op: Op, function: Function, name: str) -> list[str]:
        call = self.call(function, op.args)
        if function.structure:
            words = len(STRUCTURES[function.structure])
            into = self.text(op.args[-1], "void *")
            lines = [f"size_t {name}[{words}];"]
            lines.append(f"int {name}_result = {call};" if function.returns == "int" else f"{call};")
            return [*lines, f"memcpy({name}, {into}, sizeof {name});"] if into != "NULL" else lines[1:]
        if function.returns == "void":
            return [f"{call};"]
        return [f"{function.returns} {name} = {call};".replace("* ", "*")]

    def _many(self, op: Op, name: str) -> list[str]:
        numbers = [arg if isinstance(arg, int) else 0 for arg in op.args]
        if op.name == "many_given":
            function = FUNCTIONS[BY_NUMBER[numbers[0]]]
            args = op.args[2 : 2 + len(function.parameters)]
            cast = "" if "*" in function.returns else "(void *)"
            lines = [
                f"static void *{name}[{numbers[1]}];",
                f"size_t {name}_count = 0;",
                f"while ({name}_count < {numbers[1]} && ({name}[{name}_count] = {cast}{self.call(function, args)})) {{",
            ]
            if numbers[5]:
                lines.append(f"    fill({name}[{name}_count], {numbers[5]}, {op.out} + {name}_count);")
            lines += [f"    {name}_count++;", "}"]
            return lines
        first, count = (numbers[0], numbers[1]) if op.name == "many_differ" else (numbers[1], numbers[2])
        of = next(other for other in self.ops if other.name == "many_given" and other.out <= first
                  < other.out + int(other.args[1]))  # type: ignore[arg-type]  # fmt: skip
        array = self.names[of.out] + (f" + {first - of.out}" if first != of.out else "")
        if op.name == "many_differ":
            return [
                f"size_t {name} = 0;",
                f"while ({name} < {count} && differs(({array})[{name}], {numbers[2]}, {first} + {name}) == (size_t)-1)",
                f"    {name}++;",
                f"if ({name} == {count})",
                f"    {name} = (size_t)-1;",
            ]
        function = FUNCTIONS[BY_NUMBER[numbers[0]]]
        element = f"({array})[in_order(i, {count}, {numbers[3]})]"
        cast = "" if "*" in function.parameters[-1][0] else "(uintptr_t)"
        cache = f"{self.text(op.args[4], 'void *')}, " if function.name == "slab_free" else ""
        return [
            f"for (size_t i = 0; i < {count}; i++)",
            f"    {self.called(function.name)}({cache}{cast}{element});",
        ]

    def condition(self, text: str) -> str:
        """A violation's condition with the names of this program."""

        def byte(found: re.Match[str]) -> str:
            address = self.text(self.by_out[int(found[1])].args[0], "void *")
            return f"((unsigned char *)({address}))[{found[2]}]"

        def number(found: re.Match[str]) -> str:
            return f"(uintptr_t){found[0]}" if self.is_pointer(int(found[1])) else found[0]

        def name(found: re.Match[str]) -> str:
            cast, slot, field = found[1] or "", int(found[2]), found[3]
            op = self.by_out.get(slot)
            if op is not None and op.name == "many_given" and not cast:
                return f"{self.names[slot]}_count"
            text = cast + self._variable(slot)
            if field is not None:
                return f"{text}[{field}]"
            return f"{text}_result" if op and op.name in FUNCTIONS and FUNCTIONS[op.name].structure else text

        text = re.sub(r"byte\(\$(\d+), (\d+)\)", byte, text)
        text = re.sub(r"(?<!\))\$(\d+)(?= (?:%|>=|-|&) )", number, text)
        return re.sub(r"(\((?:uintptr_t|void \*)\))?\$(\d+)(?:\.(\d))?", name, text)

    # The program.

    def functions(self) -> list[Function]:
        """The functions that the sequence calls."""
        names = {op.name for op in self.ops}
        names |= {BY_NUMBER[op.args[0]] for op in self.ops  # type: ignore[index]
                  if op.name in ("many_given", "many_taken")}  # fmt: skip
        return [function for name, function in FUNCTIONS.items() if name in names]

    def command(self, name: str = "reproduce") -> str:
        """How it is compiled."""
        parts = ["gcc", "-std=gnu11", "-w", "-g", "-o", name, f"{name}.c", *self.built.link]
        return shlex.join([*parts, "-lm", "-lpthread"])

    def program(self, title: str) -> str:
        """The whole text."""
        config = self.built.config
        message = self.violation.message
        sentence = f' * The document: "{self.violation.sentence}"\n' if self.violation.sentence else ""
        head = f"/* {title}\n * {message}\n{sentence} *\n * {self.command()} && ./reproduce\n */\n"
        prototypes = "".join(f"extern {self.prototype(function)};\n" for function in self.functions())
        names = ("stdbool", "stdint", "stdio", "stdlib", "string", "sys/types", "unistd")
        includes = "".join(f"#include <{name}.h>\n" for name in names)
        hooks = any(isinstance(arg, Ref) and SLOT_CTORS <= arg.slot < SLOT_DTORS + 4 for op in self.ops
                    for arg in op.args)  # fmt: skip
        main = self.main()
        helpers = [(DRIVER / name).read_text() for name, words in (("patterns.h", ("fill(", "differs(", "nonzero(")),
                   ("region.h", ("region(",))) if any(word in main for word in words) or hooks]  # fmt: skip
        helpers.append(HELPERS)
        if hooks:
            helpers += [EVENTS, (DRIVER / "hooks.h").read_text()]
        own = "\n".join(text for text in (adapter_text(config), stubs_text(config)) if text)
        return "\n".join([head, own, includes, prototypes, *helpers, main])

    def main(self) -> str:
        """main(): the operations, then what does not hold."""
        lines = ["alarm(20);"]
        body = [line for op in self.ops for line in self.statement(op)]
        if any(word in line for line in body for word in ("fill(", "differs(", "object_size")):
            lines.append("pattern_start();")
        if any("buffer_end" in line for line in body):
            lines.append("buffer_end = (char *)region(1 << 20, 4096) + (1 << 20);")
        if any(Ref(SLOT_NAMES + 3) in op.args for op in self.ops):
            lines += ["static char long_name[10001];", "memset(long_name, 'n', 10000);"]
        if self.built.config.init:
            lines.append("check_init();")
        lines += body
        if self.violation.condition:
            message = self.violation.message.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'check({self.condition(self.violation.condition)},\n      "{message}");')
        text = "".join(f"    {line}\n".replace("\n      ", "\n          ") for line in lines)
        return f"int main(void)\n{{\n{text}    return 0;\n}}\n"
