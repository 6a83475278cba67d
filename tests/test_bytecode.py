"""The file with the bytecode of all modules: what comes from it, and when it is not believed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import coalmm
from coalmm import bytecode

HERE = Path(coalmm.__file__).parent
WRITE = Path(__file__).parent.parent / "scripts" / "write_bytecode.py"
pytestmark = pytest.mark.skipif(coalmm.MODE == "interpreted", reason="only the compiled package has one")
SMALL = ("__init__", "__main__", "bytecode", "errors", "mode", "sizes", "typed")


@pytest.fixture
def package(tmp_path):
    """A coalmm with a few modules, and its file."""
    folder = tmp_path / "coalmm"
    (folder / "hardware").mkdir(parents=True)
    for name in SMALL:
        shutil.copy(HERE / f"{name}.py", folder)
    shutil.copy(HERE / "hardware" / "__init__.py", folder / "hardware")
    for module in (HERE / "hardware").glob("ram.*"):
        shutil.copy(module, folder / "hardware")
    subprocess.run([sys.executable, WRITE, folder], check=True, timeout=60)
    return folder


def run(package, code):
    """What a Python with that coalmm prints."""
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "COALMM_MODE": ""}
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environment).stdout


LOADER = "import coalmm.sizes as m; print(m.__spec__.loader.__module__, m.parse_size('1K'))"


def test_modules_come_from_the_file(package):
    assert run(package, LOADER) == "coalmm.bytecode 1024\n"


def test_a_module_of_the_file_is_where_its_source_is(package):
    code = "import coalmm.sizes as m, inspect; print(m.__file__, m.parse_size.__code__.co_filename)"
    path = package / "sizes.py"
    assert run(package, code) == f"{path} {path}\n"
    assert run(package, f"{code}; print(inspect.getsource(m))").endswith(f"\n{path.read_text()}\n")


def test_a_source_that_changed_is_used_instead(package):
    source = package / "sizes.py"
    source.write_text(source.read_text() + "\n\ndef parse_size(text):\n    return 7\n")
    assert run(package, LOADER) == "coalmm.bytecode 7\n"


def test_a_module_that_is_new_is_found(package):
    (package / "fresh.py").write_text("VALUE = 5\n")
    assert run(package, "import coalmm.fresh; print(coalmm.fresh.VALUE)") == "5\n"


def test_a_compiled_module_that_is_gone_is_not_looked_for(package):
    for module in (package / "hardware").glob("ram.*.so"):
        module.rename(module.with_name("ram.so.gone"))
    code = "import coalmm, importlib.util as u; print(coalmm.MODE, u.find_spec('coalmm.hardware.ram').origin)"
    assert run(package, code) == f"interpreted {package / 'hardware' / 'ram.py'}\n"


@pytest.mark.parametrize(
    "spoil", [lambda content: b"", lambda content: b"????" + content[4:]], ids=["empty", "of another Python"]
)
def test_a_file_that_is_not_for_this_python_is_not_used(package, spoil):
    file = package / bytecode.NAME
    file.write_bytes(spoil(file.read_bytes()))
    assert run(package, LOADER) == "_frozen_importlib_external 1024\n"


def test_a_package_that_was_moved_does_not_use_its_file(package):
    moved = package.parent / "elsewhere"
    moved.mkdir()
    package.rename(moved / "coalmm")
    assert run(moved / "coalmm", LOADER) == "_frozen_importlib_external 1024\n"


def test_modules_can_be_run(package):
    (package / "shout.py").write_text("print('shout', __name__)\n")
    subprocess.run([sys.executable, WRITE, package], check=True, timeout=60)
    code = "import runpy; runpy.run_module('coalmm.shout', run_name='__main__')"
    assert run(package, code) == "shout __main__\n"
