"""What a process has used: getrusage, times. Source: getrusage(2), times(2)."""

from __future__ import annotations

import time
from errno import EINVAL

from coalmm.linux.abi import signed
from coalmm.linux.group import Faults, ThreadGroup
from coalmm.linux.registry import system_call
from coalmm.linux.task import Task

RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD = 0, -1, 1
MILLION = 1_000_000


def rusage(task: Task, user: float, system: float, peak_rss: int, faults: Faults) -> bytes:
    """struct rusage: times in seconds, the largest resident set in bytes; the rest is 0."""
    times = (part for seconds in (user, system) for part in divmod(int(seconds * MILLION), MILLION))
    return task.abi.pack_words(*times, peak_rss >> 10, 0, 0, 0, *faults, *([0] * 8))


def child_usage(task: Task, child: ThreadGroup) -> bytes:
    """struct rusage of a child that is waited for, with its own children."""
    peak = max(child.peak_rss, child.children_peak_rss)
    faults = child.all_faults.plus(child.children_faults)
    return rusage(task, child.user_time + child.children_time, child.system_time, peak, faults)


@system_call("getrusage")
def getrusage(task: Task, who: int, result: int) -> int:
    """getrusage(2). Faults are those of the process for a thread, too."""
    kind, group, spent = signed(who), task.group, task.system.scheduler.spent
    if kind == RUSAGE_CHILDREN:
        content = rusage(task, group.children_time, 0.0, group.children_peak_rss, group.children_faults)
    elif kind in (RUSAGE_SELF, RUSAGE_THREAD):
        peak = max(group.peak_rss, task.process.usage.rss)
        content = rusage(task, spent(task if kind else group), group.system_time, peak, group.all_faults)
    else:
        return -EINVAL
    task.write(result, content)
    return 0


@system_call("times")
def times(task: Task, result: int) -> int:
    """times(2): hundredths of a second."""
    group = task.group
    if result:
        user = int(task.system.scheduler.spent(group) * 100)
        task.write_words(result, user, int(group.system_time * 100), int(group.children_time * 100), 0)
    return int(time.monotonic() * 100) & (task.abi.mask >> 1)
