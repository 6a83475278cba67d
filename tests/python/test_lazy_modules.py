"""`import coalmm` loads little; what the README names is reachable from it all the same."""

import os
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import coalmm

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(coalmm.__file__).parents[1]), "COALMM_MODE": coalmm.MODE}


def told(code):
    """What a fresh Python prints for `code`."""
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", coalmm.SUBMODULES)
def test_a_public_module_is_there_without_an_import_of_its_own(name):
    assert told(f"import coalmm; print(coalmm.{name}.__name__)") == f"coalmm.{name}"


def test_import_coalmm_loads_none_of_them():
    loaded = told("import coalmm, sys; print(*sorted(name for name in sys.modules if name.startswith('coalmm')))")
    assert loaded == "coalmm coalmm.bytecode coalmm.mode coalmm.typed"


def test_completion_offers_what_is_not_loaded_yet():
    names = told("import coalmm; print(*dir(coalmm))").split()
    assert {*coalmm.__all__, *coalmm.SUBMODULES} <= set(names)
    assert len(names) == len(set(names))


def test_every_name_of_dir_can_be_had():
    assert all(getattr(coalmm, name, None) is not None or name == "__cached__" for name in dir(coalmm))


def test_help_of_the_api_tells_about_every_function():
    text = pydoc.render_doc(coalmm.api, renderer=pydoc.plaintext)
    for name in coalmm.api.__all__:
        assert name in text


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'apis'"):
        coalmm.apis  # noqa: B018
