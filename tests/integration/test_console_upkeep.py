"""A console that goes on: another city, other rules and old keys are noticed while it answers."""

import socket
import threading
import tomllib
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from psycopg import Connection

from cityward import rulebook
from cityward.cli.context import CommandError
from cityward.clock import Clock
from cityward.console import serve
from cityward.console_upkeep import FORGET_EVERY, KEYS_KEPT, Upkeep
from cityward.rulebook import Rulebook
from cityward.settings import Settings
from console.app import create_app
from console.context import Context
from devices.kind import Kind
from rules.packs import PACKS_FOLDER
from storage import console_store, registry_store
from storage.registry_store import import_city
from tests.fix_city import CITY
from tests.fix_console import Time
from tests.integration.making import rows


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """Packs of one's own: those that come along."""
    for pack in PACKS_FOLDER.glob("*.yaml"):
        (tmp_path / pack.name).write_bytes(pack.read_bytes())
    return tmp_path


@pytest.fixture
def app(context: Context) -> FastAPI:
    return create_app(context)


@pytest.fixture
def upkeep(app: FastAPI, kinds: dict[str, Kind], packs: Path, connection: Connection) -> Upkeep:
    book = Rulebook(Settings(packs_dir=packs), kinds)
    return Upkeep(app, book, registry_store.revision(connection))


def at(app: FastAPI) -> Context:
    found: Context = app.state.context
    return found


def test_another_city_and_other_rules_are_gone_by_without_a_restart(
    app: FastAPI, upkeep: Upkeep, connection: Connection, packs: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = at(app)
    upkeep.look()
    assert at(app) is before, "nothing has changed"
    text = CITY.read_text(encoding="utf-8").replace("Drainage company", "Water works")
    import_city(connection, tomllib.loads(text), "city.toml", time.at)
    upkeep.look()
    assert (at(app).city.units["drainage"].name["en"], before.city.units["drainage"].name["en"]) == (
        "Water works",
        "Drainage company",
    )
    monkeypatch.setattr(rulebook, "LOOK_EVERY", 0.0)
    pack = packs / "manhole.yaml"
    pack.write_text(pack.read_text(encoding="utf-8").replace("en: Cover opened", "en: Cover is off"), encoding="utf-8")
    upkeep.look()
    assert at(app).rules["MH-01"].names["en"] == "Cover is off"


def test_keys_that_no_phone_sends_again_and_ended_sessions_are_forgotten_while_it_runs(
    upkeep: Upkeep, connection: Connection, time: Time
) -> None:
    kept = "SELECT (SELECT count(*) FROM console_action) + (SELECT count(*) FROM console_session_over)"
    console_store.begin(connection, uuid4(), "crew of drainage", b"", time.at)
    upkeep.look()
    time.at += KEYS_KEPT
    upkeep.look()
    console_store.end_session(connection, "a token", time.at + FORGET_EVERY / 2)
    assert rows(connection, kept) == [(2,)]
    time.at += FORGET_EVERY
    upkeep.look()
    assert rows(connection, kept) == [(0,)]


@pytest.mark.usefixtures("registry")
def test_a_console_whose_port_another_has_ends_with_what_to_do(dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"127.0.0.1:{port}: end what listens there, or set console_port"):
            serve(Settings(console_port=port), dsn, Clock(), threading.Event())
