"""A dispatcher that is killed in mid-delivery: its real code, ended by SIGKILL between two real steps."""

import os
import signal
import sys

from cityward.cli import main
from notify.outbox import Notification
from notify.stages import Passed, Record, Send


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def die_before_sending(stage: Send, notification: Notification) -> Passed:
    """Written, gathered, not sent."""
    die()
    return await _send(stage, notification)


async def die_before_recording(stage: Record, notification: Notification) -> Passed:
    """The crew has it, the database does not know."""
    die()
    return await _record(stage, notification)


_send, _record = Send.__call__, Record.__call__
if sys.argv[1] == "before sending":
    Send.__call__ = die_before_sending  # type: ignore[method-assign,assignment]
else:
    Record.__call__ = die_before_recording  # type: ignore[method-assign,assignment]
sys.argv[1:] = ["dispatch"]
main()
