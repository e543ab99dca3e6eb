"""Readings that wait for late ones, on a real database: judged in order, whoever stops when."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from devices.kind import Kind
from devices.quality import Quality
from devices.registry import Registry
from ingest.holding import Progress
from storage.errors import RegistryChangedError
from storage.partition_store import PartitionStore
from storage.registry_store import import_devices
from storage.rule_states import load_states
from tests.fix_city import CITY, payload, topic_of
from tests.integration.collecting import collect
from tests.integration.making import COVER_EAST, NOON, device_of, rows
from tests.integration.prompt import Command

pytestmark = pytest.mark.each_server

SECOND = timedelta(seconds=1)
HALF_A_MINUTE = {"manhole": 30_000_000}


class Street:
    """A cover that opens and closes, and collectors that come and go."""

    def __init__(self, connection: Connection, dsn: str, kinds: dict[str, Kind], registry: Registry) -> None:
        self.connection, self._dsn, self._kinds, self._registry = connection, dsn, kinds, registry

    def hears(
        self,
        at: datetime,
        *sent: tuple[int, str],
        lateness: Mapping[str, int] = HALF_A_MINUTE,
        device: str = COVER_EAST,
        **other: Any,
    ) -> None:
        """A new collector takes a batch and stops; the covers' readings by seconds after noon."""
        topic = topic_of(self._registry, device)
        messages = [
            (topic, payload(NOON + second * SECOND, seq=10 + second, open_state=state)) for second, state in sent
        ]
        collect(self.connection, self._dsn, self._kinds, (at, messages), lateness=lateness, **other)

    def history(self) -> list[str]:
        found = rows(self.connection, "SELECT event, at FROM alarm_event ORDER BY id")
        return [f"{event} {(at - NOON) // SECOND}" for event, at in found]

    def doubts(self) -> dict[int, Quality]:
        found = rows(self.connection, "SELECT ts, quality FROM reading_manhole")
        return {(ts - NOON) // SECOND: Quality(quality) for ts, quality in found}

    def waiting(self) -> list[tuple[str, int]]:
        found = rows(self.connection, "SELECT kind, judged_until FROM waiting ORDER BY partition")
        return [(kind, (until - NOON) // SECOND) for kind, until in found]


@pytest.fixture
def street(connection: Connection, dsn: str, kinds: dict[str, Kind], registry: Registry) -> Street:
    return Street(connection, dsn, kinds, registry)


def test_a_cover_that_was_open_for_a_moment_is_found_though_its_readings_changed_places(street: Street) -> None:
    street.hears(NOON, (0, "closed"))
    street.hears(NOON + 20 * SECOND, (10, "closed"), (20, "closed"))
    street.hears(NOON + 21 * SECOND, (5, "open"))
    assert street.doubts()[5] == Quality.LATE, "as far as anybody knows yet"
    assert street.history() == [], "nothing is judged before its time"
    street.hears(NOON + 51 * SECOND)
    assert street.history() == ["raised 5"]
    assert set(street.doubts().values()) == {Quality.GOOD}
    ((state,),) = [list(load_states(street.connection).values())]
    assert state.clearing is not None
    assert state.clearing.samples == 2, "both that came before it count after it"


def test_what_comes_later_than_the_bound_is_history(street: Street) -> None:
    street.hears(NOON, (0, "closed"))
    street.hears(NOON + 20 * SECOND, (20, "closed"))
    street.hears(NOON + 51 * SECOND)
    street.hears(NOON + 52 * SECOND, (5, "open"))
    street.hears(NOON + 99 * SECOND)
    assert street.history() == []
    assert street.doubts()[5] == Quality.LATE


def test_a_bound_that_is_taken_away_leaves_nothing_waiting(street: Street) -> None:
    street.hears(NOON, (0, "closed"))
    street.hears(NOON + 1 * SECOND, (1, "open"))
    assert street.waiting() == [("manhole", 0)]
    street.hears(NOON + 2 * SECOND, (2, "closed"), lateness={})
    assert street.history() == ["raised 1"]
    assert street.waiting() == []
    street.hears(NOON + 3 * SECOND, (3, "open"), lateness={})
    assert (street.history(), street.doubts()[3]) == (["raised 1"], Quality.GOOD)


def test_a_partition_reads_back_what_its_own_devices_sent(street: Street, registry: Registry) -> None:
    mine, others = [device_of(registry, COVER_EAST).id], list[int]()
    street.hears(NOON, partition="east", own=lambda _: mine)
    street.hears(NOON, partition="west", own=lambda _: others)
    street.hears(NOON + 1 * SECOND, (1, "open"), partition="east", own=lambda _: mine)
    street.hears(NOON + 40 * SECOND, partition="west", own=lambda _: others)
    assert street.history() == []
    street.hears(NOON + 41 * SECOND, partition="east", own=lambda _: mine)
    assert street.history() == ["raised 1"]
    street.hears(NOON + 99 * SECOND, partition="west", own=lambda _: others)
    assert street.history() == ["raised 1"]


@pytest.mark.parametrize("ahead", [True, False], ids=["to_one_ahead", "to_one_behind"])
def test_what_waits_for_a_device_that_moves_is_judged_once_by_its_new_partition(
    street: Street, registry: Registry, *, ahead: bool
) -> None:
    """Twice closed and once open between; the partition that takes over stops before it has judged it."""
    mine, others = [device_of(registry, COVER_EAST).id], list[int]()
    street.hears(NOON, partition="east", own=lambda _: mine)
    street.hears(NOON, partition="west", own=lambda _: others)
    street.hears(NOON + 3 * SECOND, (1, "closed"), (2, "open"), partition="east", own=lambda _: mine)
    if ahead:
        street.hears(NOON + 40 * SECOND, partition="west", own=lambda _: others)
    else:
        street.hears(NOON + 34 * SECOND, partition="east", own=lambda _: mine)
    street.hears(NOON + 41 * SECOND, (4, "closed"), partition="west", own=lambda _: mine)
    street.hears(NOON + 41 * SECOND, partition="east", own=lambda _: others)
    street.hears(NOON + 90 * SECOND, partition="west", own=lambda _: mine)
    street.hears(NOON + 91 * SECOND, partition="east", own=lambda _: others)
    assert street.history() == ["raised 2"]
    ((state,),) = [list(load_states(street.connection).values())]
    assert state.clearing is not None
    assert (state.clearing.samples, set(street.doubts().values())) == (1, {Quality.GOOD})


def test_who_does_not_know_yet_that_a_device_has_moved_judges_nothing_any_more(
    street: Street, dsn: str, registry: Registry
) -> None:
    store = PartitionStore(street.connection, dsn, "all", registry.revision)
    street.hears(NOON, (0, "closed"))
    import_devices(street.connection, [], "another", NOON)
    progress = Progress(registry.kinds["manhole"], 0, 0)
    with pytest.raises(RegistryChangedError), store.transaction() as tx:
        tx.proceed([progress])
    assert street.waiting() == [("manhole", 0)]


def test_a_bound_is_for_a_kind_and_the_city_shows_it(cityward: Command, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(CITY.read_text(encoding="utf-8") + '[lateness]\nnoises = "30s"\n', encoding="utf-8")
    refused = cityward("city", "import", path)
    assert "lateness.noises: is no kind; there are bridge, fume, manhole, noise, streetlight" in str(refused.exception)
    assert rows(connection, "SELECT * FROM city") == []
    path.write_text(path.read_text(encoding="utf-8").replace("noises", "noise"), encoding="utf-8")
    assert cityward("city", "import", path).exit_code == 0
    shown = cityward("city", "show").output
    assert re.search(r"noise .*30 s", shown)
