"""What has a process used, with its children? As Linux tells it."""

import ctypes
import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "usage"]

LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of one server have used so far."""

    cpu: float
    """Seconds, user and system."""
    memory: int
    """Resident bytes now; what processes share is counted once for each."""


def usage(pid: int) -> Usage:
    """Return the usage of the process `pid` and of all below it."""
    cpu, memory = 0.0, 0
    for process in tree(pid):
        cpu += cpu_time(process)
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
        memory += int(pages) * os.sysconf("SC_PAGE_SIZE")
    return Usage(cpu, memory)


def cpu_time(pid: int) -> float:
    """Return what the process has used, to the nanosecond: /proc counts hundredths of a second."""
    clock = ctypes.c_int()
    if LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise ProcessLookupError(f"There is no process {pid}.")
    return time.clock_gettime(clock.value)


def tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found
