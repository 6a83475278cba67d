"""Write the bytecode of coalmm into one file (see coalmm/bytecode.py): write_bytecode.py build/lib/coalmm."""

import marshal
import os
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

SUFFIX = EXTENSION_SUFFIXES[0]  # of modules that are compiled for this Python


def modules_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of each module; the compiled form where there is one."""
    for path in sorted(folder.rglob("*.py")):
        parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
        compiled = path.with_suffix(SUFFIX)
        yield ".".join(part for part in parts if part != "__init__"), compiled if compiled.exists() else path
    for path in folder.rglob(f"*{SUFFIX}"):  # those that are of C alone
        name = path.relative_to(folder.parent).as_posix().removesuffix(SUFFIX)
        yield name.replace("/", "."), path


def main(package: str) -> None:
    folder = Path(package).absolute()
    sys.path.insert(0, str(folder.parent))
    from coalmm import bytecode

    index: dict[str, bytecode.Module] = {}
    code = bytearray()
    for name, path in modules_of(folder):
        content, status = b"", path.stat()
        if path.suffix == ".py":
            content = marshal.dumps(compile(path.read_bytes(), str(path), "exec", dont_inherit=True))
        where = str(path.relative_to(folder)), path.name == "__init__.py", len(code), len(content)
        index[name] = (*where, int(status.st_mtime), status.st_size)
        code += content
    head = marshal.dumps((bytecode.FOLDER, index))
    written, to = folder / (bytecode.NAME + ".new"), folder / bytecode.NAME
    written.parent.mkdir(exist_ok=True)
    written.write_bytes(bytecode.MAGIC_NUMBER + len(head).to_bytes(4, "little") + head + code)
    os.replace(written, to)


if __name__ == "__main__":
    main(sys.argv[1])
