"""A failing sequence as a C program of its own: it exits with 1, or dies, where the target is wrong."""

import re
import shlex

from coalmm.check.adapter import adapter_text
from coalmm.check.build import DRIVER, LIBRARIES, OPTIONS, SHARED, Built
from coalmm.check.functions import FUNCTIONS, STRUCTURES, Function
from coalmm.check.protocol import FLAG_PHYSICAL, SLOT_BUFFER_END, SLOT_CTORS, SLOT_DTORS, SLOT_NAMES, Op, Ref
from coalmm.check.violation import Violation

BY_NUMBER = list(FUNCTIONS)
NAMES = ['"check"', '"check two"', '""', "long_name"]
LETTER = {"frame_alloc": "frame", "slab_cache_create": "cache", "paging_create_directory": "directory",
          "paging_clone_directory": "clone", "region": "heap"}  # fmt: skip
EXTRAS = {  # of check.toml -> (declaration, name)
    "physical": ("void *(*check_physical)(uintptr_t paddr)", "check_physical"),
    "fail_nth": ("void (*check_fail_nth)(unsigned long n)", "check_fail_nth"),
    "buddy_free_bytes": ("size_t (*check_buddy_free_bytes)(void)", "check_buddy_free_bytes"),
}
ENDINGS = {  # lines of main() for findings that a program on its own would not fail with
    "reported": ["atexit(ended_early);"],
    "fork": ["pthread_atfork(forked, NULL, NULL);"],
}


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

    @property
    def traps(self) -> bool:
        """Whether the program needs the virtual CPU, or its record of what was flushed."""
        return self.built.privileged or self.built.flushes

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

    def call(self, function: Function, args: tuple[int | Ref, ...]) -> str:
        """The call of a function."""
        shown = (self.text(arg, kind) for arg, (kind, _) in zip(args, function.parameters, strict=True))
        return f"{function.name}({', '.join(shown)})"

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
            case "flushes":
                return [f"size_t {name} = flushes();"]
            case "flushed":
                return [f"int {name} = flushed({args[0]}, {self.text(op.args[1], 'uintptr_t')});"]
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
            f"    {function.name}({cache}{cast}{element});",
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
        """How it is compiled: the target as the kit does it, with the adapter, and the program that loads it."""
        bits, adapter = f"-m{self.built.bits}", adapter_text(self.built.config)
        program = shlex.join(["gcc", bits, *OPTIONS, "-o", name, f"{name}.c", "-ldl"])
        if not self.built.compile:
            return program
        own = ["-DCHECK_TARGET", f"{name}.c"] if adapter else []
        target = ["gcc", bits, *OPTIONS, *SHARED, "-o", f"{name}.so", *own, *self.built.compile, *LIBRARIES]
        return f"{shlex.join(target)} && {program}"

    def program(self, title: str) -> str:
        """The whole text."""
        lines = [title, self.violation.message]
        lines += [f'The document: "{self.violation.sentence}"'] if self.violation.sentence else []
        lines += ["", f"{self.command()} && ./reproduce"]
        comment = "\n".join(f" * {line}".rstrip() for line in "\n".join(lines).replace("*/", "* /").split("\n"))
        head = f"/*{comment[2:]}\n */\n"
        adapter, own = adapter_text(self.built.config), self.caller()
        if adapter and self.built.compile:
            yours = f"#ifdef CHECK_TARGET /* your side */\n{adapter}"
            return f"{head}\n{yours}\n#else /* the kit's side */\n{own}\n#endif\n"
        return f"{head}\n{own}"

    def caller(self) -> str:
        """All but the adapter: it sees none of the target's headers, so that they meet no others."""
        hooks = any(isinstance(arg, Ref) and SLOT_CTORS <= arg.slot < SLOT_DTORS + 4 for op in self.ops
                    for arg in op.args)  # fmt: skip
        main = self.main()
        wanted = ["patterns.h"] * (hooks or any(word in main for word in ("fill(", "differs(", "nonzero(")))
        wanted += ["region.h"] * ("region(" in main or self.built.config.ram > 0)
        wanted += ["program.h", *["events.h", "hooks.h"] * hooks]
        config = self.built.config
        wanted += ["said.h", "panic.h"] if config.panic or config.print else []
        wanted += ["privileged.h", "traps.h"] if self.traps else []
        helpers = [(DRIVER / name).read_text(encoding="utf-8") for name in wanted]
        return "\n".join(["#define _GNU_SOURCE", *helpers, self.loader(), main])

    def loader(self) -> str:
        """The functions that the sequence calls, and what finds them in the target."""
        config = self.built.config
        pairs = [(f"static {pointer(function)};\n", function.name) for function in self.functions()]
        pairs += [(f"static {text};\n", name) for key, (text, name) in EXTRAS.items()
                  if getattr(config, key) or (key == "physical" and config.ram)]
        hooks = [("check_said", "said")] if config.panic or config.print else []
        hooks += [("check_flush", "note_flush")] if config.flush else []
        found = '    if (!map_ram(dlsym(library, "check_ram")))\n        abort();\n' if config.ram else ""
        found += "".join(f'    *(void **)dlsym(library, "{name}") = (void *){own};\n' for name, own in hooks)
        found += "".join(f'    *(void **)&{name} = find("{name}");\n' for _, name in pairs)
        return "".join(text for text, _ in pairs) + f"\nstatic void find_functions(void)\n{{\n{found}}}\n"

    def main(self) -> str:
        """main(): the operations, then what does not hold."""
        lines = ["alarm(20);", *["catch_traps();"] * self.traps, *ENDINGS.get(self.violation.kind, [])]
        environment = self.built.config.environment.items()
        lines += [f"setenv({quoted(name)}, {quoted(value)}, 1);" for name, value in environment]
        body = [line for op in self.ops for line in self.statement(op)]
        if any(word in line for line in body for word in ("fill(", "differs(", "object_size")):
            lines.append("pattern_start();")
        if any("buffer_end" in line for line in body):
            lines.append("buffer_end = (char *)region(1 << 20, 4096) + (1 << 20);")
        if any(Ref(SLOT_NAMES + 3) in op.args for op in self.ops):
            lines += ["static char long_name[10001];", "memset(long_name, 'n', 10000);"]
        lines.append(f"load({quoted('./reproduce.so' if self.built.compile else str(self.built.library))});")
        lines += ["cpu_give_thread();"] * self.traps + body
        if self.violation.condition:
            lines.append(f"check({self.condition(self.violation.condition)},\n      {quoted(self.violation.message)});")
        if self.violation.kind in ENDINGS:
            lines.append("finished = 1;")
        text = "".join(f"    {line}\n".replace("\n      ", "\n          ") for line in lines)
        return f"int main(void)\n{{\n{text}    return 0;\n}}\n"


def quoted(text: str) -> str:
    """A C string."""
    marks = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
    return '"' + "".join(marks.get(char, char) for char in text) + '"'


def pointer(function: Function) -> str:
    """A pointer to a function of the document, under its name."""
    parameters = ", ".join(parameter(*each) for each in function.parameters) or "void"
    return f"{function.returns} (*{function.name})({parameters})".replace("* ", "*")


def parameter(kind: str, name: str) -> str:
    """A parameter in types of the C library."""
    if kind == "hook_t":
        return f"void (*{name})(void *)"
    return f"void *{name}" if kind.split()[0] in STRUCTURES else f"{kind} {name}".replace("* ", "*")
