"""A program on coalmm, its output passed on: python -m bench.program RAM PROGRAM [ARGS...].

RAM is touched before, as a machine's memory is simply there.
"""

import sys

from coalmm.kernel import boot
from coalmm.linux.system import System


def main(ram: str, *argv: str) -> None:
    with boot(ram=ram, paging="x86_64") as kernel:
        kernel.ram.back(0, kernel.ram.size)
        system = System(kernel)
        try:
            task = system.spawn([word.encode() for word in argv], [b"PATH=/usr/bin:/bin", b"LC_ALL=C"])
            system.run()
        finally:
            system.close()
    status = task.group.status or 0
    if status:
        raise SystemExit(f"{argv[0]} ended with {status:#x}: {system.crashes}")


if __name__ == "__main__":
    main(*sys.argv[1:])
