"""Processes of ours that one of us starts on this machine and ends with itself: a demonstration, or a trial."""

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cases.words import Language
from cityward import embedded
from cityward.clock import Clock
from cityward.settings import Settings
from console import passwords
from console.access import Role
from console.defaults import ENTRY_USER
from devices.broker import Broker
from ingest.session import Session
from storage import console_store
from storage.connection import Connection

_LOOKING = 0.2  # seconds between two looks whether the console listens
STOPPING = 15.0  # seconds a process may take to stop

Starter = Callable[..., subprocess.Popen[str]]


def starter(stack: ExitStack, settings: Mapping[str, str], logs: Path | None = None) -> Starter:
    """Starts processes of our own that end with us, whatever ends us: their standard input is our pipe.

    Args:
        stack: Ends them.
        settings: What their environment has besides ours.
        logs: A folder for what they log; without it they log where we do.
    """

    def start(command: str, *arguments: str) -> subprocess.Popen[str]:
        log = stack.enter_context((logs / f"{command}.log").open("w", encoding="utf-8")) if logs else None
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-m", "cityward", command, "--until-stdin-closes", *arguments],
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if "--json" in arguments else log,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is ours: we end them in order
        )
        stack.callback(end, process)
        return process

    return start


def end(process: subprocess.Popen[str]) -> None:
    """Stop a process gently, then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin is not None:
        process.stdin.close()


def open_sessions(settings: Settings, broker: Broker, clock: Clock) -> None:
    """Subscribe once in the collectors' name: from now on the broker keeps for them whatever is published."""
    for partition in settings.partitions:
        with Session(broker, partition, settings.filters(partition), clock=clock, stopping=lambda: True):
            pass


@dataclass(frozen=True, slots=True)
class Desk:
    """A console: the link that signs in once, and what its processes must know."""

    port: int
    link: str
    settings: dict[str, str | float | datetime]

    def wait(self, stop: threading.Event) -> None:
        """Return when it listens, or when it seems that it never will."""
        tries = round(STOPPING / _LOOKING)
        while tries and not stop.wait(_LOOKING):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            tries -= 1


def desk(stack: ExitStack, connection: Connection, port: int, name: str, language: Language, clock: Clock) -> Desk:
    """A console with a supervisor who may use it, and whose password nobody knows; on another port if it is taken.

    The port is its own until ``stack`` ends.
    """
    port, word = stack.enter_context(embedded.claimed_port(port)), secrets.token_urlsafe(12)
    console_store.save(
        connection,
        username=ENTRY_USER,
        full_name=name,
        role=Role.SUPERVISOR,
        unit="",
        language=language,
        password_hash=passwords.hashed(secrets.token_urlsafe()),
        at=clock.now(),
    )
    url = f"http://127.0.0.1:{port}"
    return Desk(port, f"{url}/enter/{word}", {"console_port": port, "console_url": url, "console_entry": word})
