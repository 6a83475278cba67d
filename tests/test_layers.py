"""Each layer imports only what is below it; what is written by a script is what it would write."""

import ast
import importlib.util
import runpy

import pytest

from machines import PROJECT

SOURCE = PROJECT / "src" / "coalmm"
ORDER = [
    {"errors", "sizes", "typed"},
    {"bytecode", "hardware", "mode"},
    {"physical"},
    {"heap"},
    {"virtual"},
    {"process"},
    {"memory", "named", "read_only"},
    {"inspect"},
    {"linux"},
    {"kernel", "current"},
    {"api"},
    {"replay", "check", "comparison"},
    {"tour"},
    {"c"},
    {"runner"},
    {"cli", "__main__"},
]
RANK = {layer: rank for rank, layers in enumerate(ORDER) for layer in layers}
CHECK_MAY_USE = {"check", "errors", "typed"}  # the kit checks other kernels: it must not lean on this one
TRACES_MAY_USE = {"traces", "errors", "sizes", "typed", "hardware"}
FILES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.stem != "__init__")


def layer_of(path):
    """The layer of a source file: its folder, or its own name at the top."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_layers(path):
    """The layers that the imports of a file name, those under TYPE_CHECKING excepted."""
    tree = ast.parse(path.read_text())
    hidden = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in hidden:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "coalmm":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from [alias.name.split(".")[1] for alias in node.names if alias.name.startswith("coalmm.")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_import_points_up(path):
    here = layer_of(path)
    for there in set(imported_layers(path)):
        if here == "traces":
            assert there in TRACES_MAY_USE
        elif here == "check":
            assert there in CHECK_MAY_USE
        elif there == "traces":
            assert RANK[here] >= RANK["replay"]
        elif there in RANK:
            assert RANK[there] <= RANK[here], f"{here} imports {there}"
        else:
            assert there in ("MODE", "__version__") or here == "cli", f"{there} is in no layer"


def test_every_layer_has_its_place_in_the_order():
    found = {layer_of(path) for path in FILES}
    assert found - {"traces"} <= set(RANK)


def test_the_constants_for_c_are_those_of_python():
    spec = importlib.util.spec_from_file_location("write_constants", PROJECT / "scripts" / "write_constants.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    python = sorted(SOURCE.rglob("constants.py"))
    assert len(python) >= 3
    for path in python:
        assert path.with_suffix(".pxd").read_text() == script.constants_pxd(path), path


def comparison():
    return runpy.run_path(str(PROJECT / "scripts" / "compare_constants.py"))


def test_no_constant_is_one_number_for_python_and_another_for_c():
    compare = comparison()
    assert compare["differences"](SOURCE.parent) == []
    assert compare["numbers"](SOURCE / "virtual" / "faults.py", SOURCE.parent)["BATCH"] == 64 * 4096


def test_a_constant_that_was_changed_on_one_side_is_named(tmp_path):
    (tmp_path / "hot.py").write_text("if not cython.compiled:\n    WINDOW = 2 * 4\nENTRIES = 16\n")
    header = 'cdef extern from *:\n    """\n    #define coalmm_hot_WINDOW %s\n    """\n'
    header += '    const u64 WINDOW "coalmm_hot_WINDOW"\ncdef class Hot:\n    cdef u64[%d] entries\n'
    (tmp_path / "hot.pxd").write_text(header % ("8ULL", 16))
    assert comparison()["differences"](tmp_path) == []
    (tmp_path / "hot.pxd").write_text(header % ("9ULL", 17))
    first, second = comparison()["differences"](tmp_path)
    assert first.endswith("hot.pxd:3: WINDOW is 0x9 here and 0x8 in hot.py: change it here")
    assert second.endswith("hot.pxd:7: an array of 17, which is no constant of hot.py: change it")


def test_no_compiled_module_lies_beside_its_source():
    by_hand = {"libcoalmm", "driver"}  # the C interface; what `coalmm check` runs a target under
    assert not [path for path in [*SOURCE.rglob("*.so"), *SOURCE.rglob("*.c")] if path.stem not in by_hand]


def test_no_two_test_modules_have_one_name():
    names = [path.name for path in PROJECT.glob("tests/**/test_*.py")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_annotations_need_comes_from_one_module_that_loads_fast(path):
    if path.stem != "typed":
        imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        assert "typing" not in [node.module for node in imports], "take it from coalmm.typed"
