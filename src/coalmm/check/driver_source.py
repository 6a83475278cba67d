"""Writes `calls.h`: one case for each function of the document, called with its own types."""

from coalmm.check.functions import FUNCTIONS, NUMBERS, STRUCTURES, Function

TYPEDEFS = """typedef void (*hook_t)(void *);
typedef struct { size_t f[4]; } frame_stats_t;
typedef struct { size_t f[6]; } meminfo_t;
typedef struct { size_t f[6]; } proc_meminfo_t;
"""


def argument(kind: str, number: int) -> str:
    """Argument `number` as the C type that the function takes."""
    word = f"a[{number}]"
    return f"({kind})(uintptr_t){word}" if "*" in kind or kind == "hook_t" else f"({kind}){word}"


def case(function: Function) -> str:
    """The case that calls it; the value is widened to 64 bits as its type asks."""
    kinds = ", ".join(kind for kind, _ in function.parameters) or "void"
    arguments = ", ".join(argument(kind, number) for number, (kind, _) in enumerate(function.parameters))
    called = f"(({function.returns} (*)({kinds}))entry[{NUMBERS[function.name]}])({arguments})"
    if function.structure:
        words = len(STRUCTURES[function.structure])
        called += f"; fields(result, a[{len(function.parameters) - 1}], {words})"
    if function.returns == "void":
        return f"    case {NUMBERS[function.name]}: {called}; return 0;"
    if function.structure:
        first, _, rest = called.partition("; ")
        return f"    case {NUMBERS[function.name]}: v = (uint64_t)(int64_t){first}; {rest}; return v;"
    cast = "(uint64_t)(uintptr_t)" if "*" in function.returns else "(uint64_t)"
    if function.returns in ("int", "ssize_t"):
        cast = "(uint64_t)(int64_t)"
    return f"    case {NUMBERS[function.name]}: return {cast}{called};"


def calls_header() -> str:
    """The text of calls.h."""
    names = ", ".join(f'"{name}"' for name in FUNCTIONS)
    fills = ", ".join("1" if function.structure else "0" for function in FUNCTIONS.values())
    cases = "\n".join(case(function) for function in FUNCTIONS.values())
    return f"""/* Written by driver_source.py from the table of the document's functions. */
enum {{ FUNCTIONS = {len(FUNCTIONS)} }};
{TYPEDEFS}
static const char *const function_names[] = {{ {names} }};
static const char fills_structure[] = {{ {fills} }};
static void *entry[FUNCTIONS];

static void fields(struct result *result, uint64_t address, int words)
{{
    for (int i = 0; address && i < words; i++) {{
        size_t word;
        memcpy(&word, (char *)(uintptr_t)address + i * sizeof word, sizeof word);
        result->fields[i] = word;
    }}
}}

static uint64_t call(uint32_t code, const uint64_t *a, struct result *result)
{{
    uint64_t v;
    (void)v;
    switch (code) {{
{cases}
    default: abort();
    }}
}}
"""
