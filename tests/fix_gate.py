"""A port in front of the database that opens and closes: a database that goes away and comes back."""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cityward import embedded


class Gate:
    """Closed at first. ``dsn`` leads through it to the database of another DSN."""

    def __init__(self, dsn: str) -> None:
        port = embedded.free_port(0)
        self.address = ("127.0.0.1", port)
        self.dsn = make_conninfo(dsn, host=self.address[0], port=port, sslmode="disable")
        self._behind = conninfo_to_dict(dsn)
        self._server: _Server | None = None

    def open(self) -> None:
        """Let connections through."""
        self._server = _Server(self.address, self._behind)
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()

    def close(self) -> None:
        """Cut every connection and refuse others."""
        if self._server is not None:
            self._server.shutdown()
            self._server.cut()
            self._server.server_close()
            self._server = None


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], behind: Mapping[str, object]) -> None:
        self._behind = behind
        self._open: set[socket.socket] = set()
        super().__init__(address, _Passage)

    def connect(self) -> socket.socket:
        """To the server behind the gate, which may listen on a socket in a folder."""
        host, port = str(self._behind.get("host", "localhost")), int(str(self._behind.get("port", 5432)))
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        behind = socket.socket(socket.AF_UNIX)
        behind.connect(f"{host}/.s.PGSQL.{port}")
        return behind

    def passing(self, outside: socket.socket) -> None:
        self._open.add(outside)

    def cut(self) -> None:
        for outside in [*self._open]:
            with contextlib.suppress(OSError):  # it was closed by itself
                outside.shutdown(socket.SHUT_RDWR)


class _Passage(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        outside: socket.socket = self.request
        self.server.passing(outside)
        with self.server.connect() as inside, contextlib.suppress(OSError):
            other = {inside: outside, outside: inside}
            while True:
                for source in select.select(list(other), [], [])[0]:
                    if not (data := source.recv(65536)):
                        return
                    other[source].sendall(data)


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    """In front of this test's database."""
    made = Gate(dsn)
    yield made
    made.close()
