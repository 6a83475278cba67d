"""Install what pyproject.toml lists (build system, dependencies, the dev extra) into this interpreter.

The package itself is not installed: the Makefile builds it into build/lib, where a change costs
one module and not a reinstall.
"""
import subprocess
import sys
import tomllib
from pathlib import Path


def requirements() -> list[str]:
    """Every requirement of the project, its extras resolved."""
    project = tomllib.loads(Path("pyproject.toml").read_text())
    table = project["project"]
    extras = table["optional-dependencies"]
    wanted = project["build-system"]["requires"] + table["dependencies"]
    wanted += [item for extra in extras.values() for item in extra]
    return sorted({item for item in wanted if not item.startswith(table["name"] + "[")})


subprocess.run(
    [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements()], check=True
)
