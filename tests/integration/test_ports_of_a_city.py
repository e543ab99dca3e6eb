"""Ports of what is started on one machine: by two at once, and again a moment later."""

import socket
import threading
from contextlib import ExitStack

import pytest

from cityward import up
from cityward.cli.context import CommandError
from cityward.embedded import claimed_port, free_port
from cityward.settings import Settings


def test_two_cities_that_start_at_once_get_two_ports() -> None:
    wanted = free_port(0)
    with claimed_port(wanted) as first, claimed_port(wanted) as second:
        assert first == wanted
        assert second not in {0, wanted}
    with claimed_port(wanted) as again:
        assert again == wanted


def test_a_city_that_starts_again_has_its_port_again_and_nobody_gets_one_that_is_listened_at() -> None:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        assert free_port(port) != port
        visitor = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        answered, _ = listening.accept()
        answered.close()  # who hangs up first leaves a connection that lingers for a minute
        assert visitor.recv(1) == b""
    assert free_port(port) == port


def test_a_city_does_not_take_in_what_is_sent_to_another_on_this_machine() -> None:
    with claimed_port(free_port(0)) as port:  # as a demonstration has its broker's
        settings = Settings(broker_url=f"mqtt://127.0.0.1:{port}")
        with pytest.raises(CommandError, match="another city on this machine"):
            up.run(settings, None, threading.Event())
