"""A program under Qiling: `PYTHON under_qiling.py PROGRAM [ARGS...]`, PYTHON being that of `qiling_peer`, which has it.

Qiling is given the host's files as its root file system, as coalmm has them.
"""

import sys

from qiling import Qiling
from qiling.const import QL_VERBOSE

machine = Qiling(sys.argv[1:], "/", env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, verbose=QL_VERBOSE.DISABLED)
machine.run()
sys.exit(machine.os.exit_code or 0)
