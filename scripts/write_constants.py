"""Write the `constants.pxd` beside each constants.py: the same names, as C constants.

Run it after changing a constants.py; a test fails while the two differ.
"""
import runpy
from pathlib import Path

HEAD = '''# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
'''


def constants_pxd(python: Path) -> str:
    """The text of the `.pxd` for one constants.py."""
    values = {
        name: value for name, value in runpy.run_path(str(python)).items() if name.isupper() and isinstance(value, int)
    }
    prefix = f"coalmm_{python.parent.name}_"
    defines = "".join(f"    #define {prefix}{name} {value:#x}ULL\n" for name, value in values.items())
    names = "".join(f'    const u64 {name} "{prefix}{name}"\n' for name in values)
    return f'{HEAD}{defines}    """\n{names}'


def main() -> None:
    """Rewrite every constants.pxd below src."""
    for python in sorted(Path("src").rglob("constants.py")):
        python.with_suffix(".pxd").write_text(constants_pxd(python))


if __name__ == "__main__":
    main()
