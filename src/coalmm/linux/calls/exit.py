"""exit and exit_group. Source: their pages in section 2 of the manual."""

from coalmm.linux.registry import system_call
from coalmm.linux.task import Task


@system_call("exit")
def exit_thread(task: Task, status: int) -> int:
    """exit(2): one thread."""
    if len(task.group.tasks) == 1:
        return exit_group(task, status)
    task.system.ending.end_task(task)
    return 0


@system_call("exit_group")
def exit_group(task: Task, status: int) -> int:
    """exit_group(2): all threads of the process."""
    task.system.ending.end_group(task.group, (status & 0xFF) << 8)
    return 0
