"""Waiting on conditions, never on time."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 180.0  # seconds: far more than anything takes, so that a busy machine fails nothing


def eventually(find: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """The first result that is true, looked for again and again."""
    never = threading.Event()
    tries = 0
    while True:
        if found := find():
            return found
        tries += 1
        assert tries * 0.05 < patience, f"{what}: not within {patience:g} s; last seen: {found!r}"
        never.wait(0.05)
