"""What the numbers were measured on: machine, kernel, versions, date."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path


def cpu_model() -> str:
    """The processor's name as Linux gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else "unknown"


def huge_pages(kind: str) -> str:
    """The chosen word of a transparent-huge-page setting."""
    path = Path("/sys/kernel/mm/transparent_hugepage") / kind
    words = path.read_text().split() if path.exists() else []
    return next((word.strip("[]") for word in words if word.startswith("[")), "unknown")


def describe() -> dict[str, str]:
    """One word or line for each thing that the numbers depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "compiler": first_line("cc", "--version"),
        "python": platform.python_version(),
        "load before": f"{load():.1f}",
        "huge pages": f"anonymous {huge_pages('enabled')}, shared {huge_pages('shmem_enabled')}",
    }


def load() -> float:
    """The load of the last minute: other work on the machine disturbs the numbers."""
    return os.getloadavg()[0]
