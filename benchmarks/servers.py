"""The servers and processes of a measurement, started for it and ended with it, and what processor time they took."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from cityward import embedded
from devices.broker import Broker

PATIENCE = 180.0  # seconds for any one thing to happen
# In flight up to what MQTT can number: more is not defined.
_MOSQUITTO = """\
user {user}
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
max_queued_messages 0
max_inflight_messages 65535
"""


class MissingError(Exception):
    """Something that must be installed is not."""


def program(name: str) -> str:
    """Where a program of Mosquitto's is.

    Raises:
        MissingError: saying how to install it.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise MissingError(f"{name} is not installed; on Debian: apt-get install mosquitto mosquitto-clients")
    return found


def wait_for(done: Callable[[], object], what: str, every: float = 0.01) -> None:
    """Look until ``done``.

    Raises:
        TimeoutError: after PATIENCE.
    """
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE:g} s: {what}")
        time.sleep(every)


@contextmanager
def mosquitto(folder: Path) -> Iterator[tuple[Broker, int]]:
    """A Mosquitto that keeps sessions without a bound: where it is, and its process id."""
    folder.mkdir()
    port = embedded.free_port(0)
    configuration = folder / "mosquitto.conf"
    configuration.write_text(_MOSQUITTO.format(user=getpass.getuser(), port=port, folder=folder), encoding="utf-8")
    with (
        (folder / "log").open("w", encoding="utf-8") as log,
        started([program("mosquitto"), "-c", str(configuration)], stdout=log, stderr=log) as process,
    ):
        wait_for(lambda: _answers(port), "Mosquitto listens")
        yield Broker("127.0.0.1", port), process.pid


@contextmanager
def started(command: list[str], **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the context at the latest."""
    with subprocess.Popen(command, **how) as process:  # noqa: S603 - our own modules and Mosquitto's programs
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def finish(process: subprocess.Popen[bytes], what: str) -> float:
    """Wait for a process to end well; the processor seconds that it took."""
    used = 0.0

    def ended() -> bool:
        nonlocal used
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            used = usage.ru_utime + usage.ru_stime
        return bool(pid)

    wait_for(ended, f"{what} ends", every=0.001)
    if process.returncode:
        raise ChildProcessError(f"{what} ended with {process.returncode}")
    return used


def processor_seconds(pid: int) -> float:
    """What a process, its living children and its ended ones have used so far."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    used = 0.0
    for member in family:
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue  # counted by its parent from now on
        used += times.user + times.system + times.children_user + times.children_system
    return used


def machine_seconds() -> float:
    """What all processes of this machine, whoever's they are, have used so far."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "irq", 0) + getattr(times, "softirq", 0))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
