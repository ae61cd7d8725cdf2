"""Which processor core does what? The measured process has the first one for itself."""

import os

__all__ = ["leave_to_server", "take_for_server"]

PINNABLE = hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1


def take_for_server() -> None:
    """Pin this process to the core that it is measured on."""
    if PINNABLE:
        os.sched_setaffinity(0, [0])


def leave_to_server() -> None:
    """Keep this process, and those it starts, off that core."""
    if PINNABLE:
        os.sched_setaffinity(0, os.sched_getaffinity(0) - {0} or {0})
