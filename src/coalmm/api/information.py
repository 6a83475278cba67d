"""Memory Information: the document's functions over the current kernel."""

from coalmm import current
from coalmm.api.structures import is_null, meminfo_t, proc_meminfo_t
from coalmm.errors import EFAULT, EINVAL
from coalmm.inspect.meminfo import memory_info


def get_meminfo(info: meminfo_t) -> None:
    """Fill `info` with the bytes of each use of memory; None or 0 (NULL) is nothing."""
    if is_null(info, meminfo_t):
        return
    now = memory_info(current.require())
    for field in meminfo_t.__slots__:
        setattr(info, field, getattr(now, field.removesuffix("_memory")))


def get_proc_meminfo(pid: int, info: proc_meminfo_t) -> int:
    """Fill `info` with the bytes of one process: 0, -EINVAL for pid <= 0, -ESRCH, -EFAULT for NULL.

    A process that has exited and was not waited for has 0 of everything.
    """
    if not isinstance(pid, int):
        raise TypeError(f"a pid is an int, not {type(pid).__name__}")
    kernel = current.require()
    if is_null(info, proc_meminfo_t):
        return kernel.failed("get_proc_meminfo", pid, 0, result=-EFAULT)
    usage = kernel.processes.meminfo(pid) if pid > 0 else -EINVAL
    if isinstance(usage, int):
        return kernel.failed("get_proc_meminfo", pid, info, result=usage)
    info.virt_size = usage.virt
    info.rss, info.shared = usage.rss, usage.shared
    info.text, info.data, info.stack = usage.text, usage.data, usage.stack
    return 0
