"""Processor time and memory of processes, as the operating system counts them."""

from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a process and all its children, those that have ended included: seconds of processor time, bytes of memory.

    Memory that processes share is counted for each of them.
    """

    seconds: float
    memory: int


def usage(pid: int) -> Usage:
    """What a process has used so far."""
    seconds, memory = 0.0, 0
    process = psutil.Process(pid)
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
            memory += each.memory_info().rss
    return Usage(seconds, memory)


def machine_seconds() -> float:
    """Processor time that all processes of this machine, whoever's they are, have used so far."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "irq", 0) + getattr(times, "softirq", 0))
