"""The texts of /proc about the machine: our memory, one CPU, our own Linux version. Source: proc(5)."""

from __future__ import annotations

import time
import uuid

from coalmm.inspect.meminfo import meminfo_text, vmstat_text
from coalmm.inspect.zones import buddyinfo_text, slabinfo_text
from coalmm.typed import Any, Callable

RELEASE = "6.1.0-coal"
VERSION = "#1 SMP"
TICKS = 100
MOST_PIDS = 4194304
STARTED = time.monotonic()


def cpuinfo_text(system: Any) -> str:
    """The CPU that Unicorn shows to programs, in the lines that programs look for."""
    lines = {
        "processor": "0", "vendor_id": "GenuineIntel", "cpu family": "6", "model": "6",
        "model name": "QEMU Virtual CPU", "stepping": "3",
        "cpu MHz": "1000.000", "cache size": "4096 KB", "physical id": "0", "siblings": "1",
        "core id": "0", "cpu cores": "1", "fpu": "yes", "cpuid level": "4", "wp": "yes",
        "flags": "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 "
        "syscall nx lm constant_tsc pni cx16 hypervisor lahf_lm", "bogomips": "2000.00", "clflush size": "64",
        "cache_alignment": "64", "address sizes": "36 bits physical, 48 bits virtual",
    }  # fmt: skip
    return "".join(f"{name:<15}: {value}\n".replace(" " * 8, "\t") for name, value in lines.items()) + "\n"


def times(system: Any) -> tuple[float, float]:
    """Seconds since the run began, and of them in programs."""
    busy = sum(group.user_time + group.system_time for group in system.groups.values())
    return time.monotonic() - STARTED, busy


def uptime_text(system: Any) -> str:
    """/proc/uptime."""
    up, busy = times(system)
    return f"{up:.2f} {max(up - busy, 0):.2f}\n"


def stat_text(system: Any) -> str:
    """/proc/stat."""
    up, busy = times(system)
    user, idle = int(busy * TICKS), int(max(up - busy, 0) * TICKS)
    processes = len(list(system.groups.values()))
    fields = f"{user} 0 0 {idle} 0 0 0 0 0 0\n"
    return (
        f"cpu  {fields}cpu0 {fields}intr 0\nctxt 0\nbtime {int(time.time() - up)}\n"
        f"processes {processes}\nprocs_running 1\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n"
    )


def loadavg_text(system: Any) -> str:
    """/proc/loadavg."""
    groups = list(system.groups.values())
    last = max((group.pid for group in groups), default=1)
    return f"0.00 0.00 0.00 1/{len(groups)} {last}\n"


def text(make: Callable[[Any], str]) -> Callable[[Any], bytes]:
    """As bytes."""
    return lambda system: make(system).encode()


SYSTEM_TEXTS: dict[bytes, Callable[[Any], bytes]] = {
    b"meminfo": text(lambda system: meminfo_text(system.kernel)),
    b"vmstat": text(lambda system: vmstat_text(system.kernel)),
    b"buddyinfo": text(lambda system: buddyinfo_text(system.kernel)),
    b"slabinfo": text(lambda system: slabinfo_text(system.kernel)),
    b"cpuinfo": text(cpuinfo_text),
    b"stat": text(stat_text),
    b"uptime": text(uptime_text),
    b"loadavg": text(loadavg_text),
    b"version": text(lambda system: f"Linux version {RELEASE} (coalmm) {VERSION}\n"),
    b"filesystems": text(lambda system: "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tpipefs\n\text4\n"),
    b"cmdline": text(lambda system: "root=/dev/root\n"),
    b"devices": text(lambda system: "Character devices:\n  1 mem\n  5 /dev/tty\n\nBlock devices:\n"),
    b"swaps": text(lambda system: "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
}


def sysctl_texts(system: Any) -> dict[bytes, Any]:
    """The tree of /proc/sys."""

    def line(value: object) -> Callable[[], bytes]:
        return lambda: f"{value}\n".encode()

    return {
        b"kernel": {
            b"osrelease": line(RELEASE),
            b"ostype": line("Linux"),
            b"version": line(VERSION),
            b"hostname": line("coal"),
            b"domainname": line("(none)"),
            b"pid_max": line(MOST_PIDS),
            b"threads-max": line(4096),
            b"ngroups_max": line(65536),
            b"cap_last_cap": line(40),
            b"randomize_va_space": line(0),
            b"random": {
                b"uuid": lambda: f"{uuid.uuid4()}\n".encode(),
                b"boot_id": line(uuid.UUID(int=0)),
                b"entropy_avail": line(256),
                b"poolsize": line(256),
            },
        },
        b"vm": {
            b"overcommit_memory": line(0),
            b"overcommit_ratio": line(50),
            b"max_map_count": line(65530),
            b"mmap_min_addr": line(65536),
            b"swappiness": line(60),
        },
        b"fs": {b"file-max": line(1048576), b"nr_open": line(1048576), b"pipe-max-size": line(1048576)},
        b"net": {b"core": {b"somaxconn": line(4096)}},
    }
