"""Measures what the kit finds: python -m tests.kit.faults [--seconds 120] [--only TEXT] [--jobs N]

Each fault is planted alone in the correct implementation, and the kit runs until its first failure.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fault_table import FAULTS
from targets import faulty

from coalmm.check.kit import Options, check_target


def measure(fault, seconds, seed):
    """(seconds until the first failure, the result or None)."""
    _name, file, old, new = fault
    with tempfile.TemporaryDirectory() as folder:
        target = faulty(Path(folder), file, old, new)
        begin = time.monotonic()
        report = check_target(target, Options(seed=seed, seconds=seconds, strict=True, first=True))
        failures = [result for result in report.results if result.status == "fail"]
        return time.monotonic() - begin, failures[0] if failures else None


def main():
    """Print a line for each fault, then how many were found; status 1 if fewer than 28 in 30 were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=100.0, help="of random sequences for each fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    faults = [fault for fault in FAULTS if options.only in fault[0]]
    missed = []
    with ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda fault: measure(fault, options.seconds, options.seed), faults)
        for (name, file, *_), (seconds, result) in zip(faults, results, strict=True):
            found = f"{result.check} ({result.level}, {result.operations} operations)" if result else "MISSED"
            print(f"{seconds:6.1f} s  {file:9}  {name:42} {found}", flush=True)
            missed += [] if result else [name]
    print(f"{len(faults) - len(missed)} of {len(faults)} found")
    return len(missed) * 30 > len(faults) * 2


if __name__ == "__main__":
    sys.exit(main())
