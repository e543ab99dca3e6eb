"""Decisions need nothing but themselves: no socket, whatever is imported, and no process."""

import sys
from collections.abc import Iterator

import pytest

_STARTING = {"subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec"}
_deciding = False


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    assert not _deciding or event not in _STARTING, f"a unit test starts a process: {arguments[:1]}"


sys.addaudithook(_refuse)


@pytest.fixture(autouse=True)
def alone(socket_disabled: None) -> Iterator[None]:  # noqa: ARG001 - it is enough that it is there
    global _deciding  # noqa: PLW0603 - an audit hook stays for good
    _deciding = True
    yield
    _deciding = False
