"""A whole process timed from outside: python -m bench.timed PROGRAM [ARGS...]. Prints JSON, seconds.

`seconds` is processor time, user and system, of the process and its children; `wall` is by the clock. The
output of the program is thrown away.
"""

import json
import os
import resource
import subprocess
import sys
from time import perf_counter


def measure(command: list[str]) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if "PYTHONPATH_RUN" in environment:
        environment["PYTHONPATH"] = environment.pop("PYTHONPATH_RUN")
    begin = perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment, check=False)
    wall = perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": used.ru_utime + used.ru_stime, "wall": wall}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1:])))
