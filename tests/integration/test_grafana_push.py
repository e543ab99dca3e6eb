"""Bringing boards to a server that answers as Grafana's HTTP API documents it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cases.words import Language
from grafana.pushing import Fate, Grafana, GrafanaError, committed

TOKEN = "glsa_test"  # noqa: S105 - of the server below


class PretendGrafana(ThreadingHTTPServer):
    """Health, one data source, folders and dashboards, in memory; ``writes`` counts what changed anything."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.version = "11.6.0"
        self.sources = {"cityward"}
        self.folders: dict[str, str] = {}
        self.boards: dict[str, dict[str, Any]] = {}
        self.writes = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: PretendGrafana

    def do_GET(self) -> None:
        if self.path == "/api/health":
            return self._answer(200, {"database": "ok", "version": self.server.version})
        if not self._allowed():
            return None
        *kind, uid = self.path.removeprefix("/api/").split("/")
        match kind:
            case ["folders"] if uid in self.server.folders:
                return self._answer(200, {"uid": uid, "title": self.server.folders[uid]})
            case ["datasources", "uid"] if uid in self.server.sources:
                return self._answer(200, {"uid": uid, "type": "grafana-postgresql-datasource"})
            case ["dashboards", "uid"] if uid in self.server.boards:
                return self._answer(200, {"dashboard": self.server.boards[uid], "meta": {}})
            case _:
                return self._answer(404, {"message": "not found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._allowed():
            return
        self.server.writes += 1
        if self.path == "/api/folders":
            self.server.folders[body["uid"]] = body["title"]
            self._answer(200, body)
        else:
            uid = body["dashboard"]["uid"]
            version = self.server.boards.get(uid, {}).get("version", 0) + 1
            self.server.boards[uid] = {**body["dashboard"], "id": len(self.server.boards) + 1, "version": version}
            self._answer(200, {"status": "success", "uid": uid, "version": version})

    def _allowed(self) -> bool:
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            return True
        self._answer(401, {"message": "Invalid API key"})
        return False

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Silent."""


@pytest.fixture
def server() -> Iterator[PretendGrafana]:
    with PretendGrafana() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _push(server: PretendGrafana, token: str = TOKEN, folder: str = "") -> list[Fate]:
    fates = []
    with Grafana(server.url, token) as grafana:
        grafana.check("cityward")
        for language in Language:
            place = grafana.folder(language, folder)
            for board, outcome in grafana.compared(committed(language)):
                if outcome.fate is not Fate.UNCHANGED:
                    grafana.save(board, place)
                fates.append(outcome.fate)
    return fates


def test_a_second_push_changes_nothing(server: PretendGrafana) -> None:
    first = _push(server)
    assert set(first) == {Fate.CREATED}
    assert len(server.boards) == len(first)
    assert set(server.folders) == {"cityward-en", "cityward-zh"}
    before = server.writes
    assert set(_push(server)) == {Fate.UNCHANGED}
    assert server.writes == before


def test_a_board_that_somebody_changed_shows_as_a_difference_and_is_put_right(server: PretendGrafana) -> None:
    _push(server)
    uid = next(iter(server.boards))
    title = server.boards[uid]["title"]
    server.boards[uid]["title"] = "mine now"
    with Grafana(server.url, TOKEN) as grafana:
        changed = [
            outcome
            for _, outcome in grafana.compared(committed(Language.EN) + committed(Language.ZH))
            if outcome.fate is Fate.CHANGED
        ]
    assert [outcome.uid for outcome in changed] == [uid]
    assert any(line.startswith("-") and "mine now" in line for line in changed[0].lines)
    _push(server)
    assert server.boards[uid]["title"] == title


def test_a_wrong_token_is_said_with_where_to_get_a_right_one(server: PretendGrafana) -> None:
    with pytest.raises(GrafanaError, match=r"token is not accepted.*Service accounts"):
        _push(server, token="old")  # noqa: S106 - wrong on purpose


def test_an_old_grafana_is_refused_by_its_version(server: PretendGrafana) -> None:
    server.version = "9.5.2"
    with pytest.raises(GrafanaError, match=r"9\.5\.2 is too old"):
        _push(server)


def test_a_folder_that_is_not_there_is_named(server: PretendGrafana) -> None:
    with pytest.raises(GrafanaError, match=r"no folder with the uid 'centre'"):
        _push(server, folder="centre")
    assert not server.writes


def test_a_missing_data_source_is_named(server: PretendGrafana) -> None:
    server.sources.clear()
    with pytest.raises(GrafanaError, match=r"no data source with the uid 'cityward'"):
        _push(server)


def test_an_address_where_nobody_answers_is_said() -> None:
    with Grafana("http://127.0.0.1:9", TOKEN) as grafana, pytest.raises(GrafanaError, match="no answer"):
        grafana.check("cityward")


def test_another_data_source_may_be_asked() -> None:
    text = json.dumps(committed(Language.EN, "theirs"))
    assert '"uid": "theirs"' in text
    assert '"uid": "cityward"' not in text
