"""A city on a stage: device messages go the whole way through collector and dispatcher, at the time the test says.

Everything between a message's bytes and the rows of cases, sheets and notifications is real; broker, processes and the
wall clock are left out, so that a week of the city takes a second.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Self, cast

from psycopg import Connection

from cityward import wiring
from cityward.dispatch import Rounds
from devices.hearers import DISTRICTS
from devices.kind import Kind
from devices.moments import micros
from ingest.decoding import Decoder
from ingest.holding import Holding
from ingest.loop import Written, run
from ingest.marking import Marking
from ingest.messages import Batch, Message
from ingest.session import Session
from rules.engine import Engine
from storage.case_list import CaseFile, case_file
from storage.case_moves import CaseMoves
from storage.connection import connect
from storage.errors import RegistryChangedError
from storage.outbox import deferring_app
from storage.partition_store import PartitionStore
from storage.registry_store import load_city
from storage.rule_states import load_states
from tests.fix_city import payload, topic_of
from tests.installed import installed_rules
from tests.integration.making import Hands, rows

MINUTE = timedelta(minutes=1)


class Stage:
    """Collector and dispatcher of the small city.

    Args:
        dsn: Its database, with city and devices.
        kinds: The installed kinds.
        begins: When the score begins (aware).
        rules: Those in force; windows of rules that a score does not need cost it its time.
    """

    def __init__(self, dsn: str, kinds: Mapping[str, Kind], begins: datetime, *rules: str) -> None:
        self._dsn, self._kinds, self._clock = dsn, kinds, Hands(begins)
        self._rules = [rule for rule in installed_rules() if rule.id in rules]
        self._waiting: deque[Batch] = deque()
        self._sent = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.connection: Connection = stack.enter_context(connect(self._dsn))
            self._collecting: Connection = stack.enter_context(connect(self._dsn))
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        """As processes do when they start, and when the registry has changed."""
        self._rounds = Rounds(self.connection, self._rules, self._kinds, self._clock, heard_by=DISTRICTS)
        self.registry, city = self._rounds.registry, load_city(self.connection)
        self.zone = city.calendar.timezone
        engine = Engine(self._rules, self.registry, wiring.local_time(city), load_states(self.connection))
        store = PartitionStore(self._collecting, self._dsn, "all", self.registry.revision)
        session = cast("Session", self)
        self._collector = run(session, Decoder(self.registry), Marking(self._kinds.values()), engine, store, Holding())

    def batches(self) -> Iterator[Batch]:
        """The session's part that the collector sees."""
        while True:
            yield self._waiting.popleft()

    def acknowledge(self, batch: Batch) -> None:
        """The other part."""

    def reads(self, at: datetime, *device_ids: str, kind: str = "periodic", **metrics: Any) -> Written:
        """Devices publish the same reading; the city has gone on until then."""
        self.until(at)
        self._sent += 1
        channel = "event" if kind == "event" else "up"
        messages = [
            Message(topic_of(self.registry, each, channel), payload(at, seq=self._sent, kind=kind, **metrics))
            for each in device_ids
        ]
        try:
            written = self._collect(Batch(messages, micros(at)))
        except RegistryChangedError:
            self._start()
            written = self._collect(Batch(messages, micros(at)))
        self._round()
        return written

    def _collect(self, batch: Batch) -> Written:
        self._waiting.append(batch)
        return next(self._collector)

    def until(self, at: datetime) -> None:
        """The city goes on; the dispatcher looks every minute, or sixty times where that is less often."""
        step = max((at - self._clock.at) / 60, MINUTE)
        while self._clock.at < at:
            self._clock.at = min(self._clock.at + step, at)
            self._round()

    def _round(self) -> None:
        try:
            self._look()
        except RegistryChangedError:
            self._start()
            self._look()

    def _look(self) -> None:
        self._settle()
        self._rounds.look_for_silence()
        self._rounds.ask_telemetry()
        while self._rounds.judge_due():
            pass
        self._settle()

    def _settle(self) -> None:
        while self._rounds.take_up() or self._rounds.look_at_due():
            pass

    def moves(self, at: datetime, actor: str = "crew 7") -> CaseMoves:
        """What a person does then."""
        self.until(at)
        practice = wiring.practice(load_city(self.connection), self._rules, self._kinds)
        return CaseMoves(self.connection, deferring_app(), practice, at=at, actor=actor)

    def works(self, number: str, at: datetime) -> None:
        """A crew accepts, arrives and reports the work done, all at once."""
        moves = self.moves(at)
        moves.accept(number)
        moves.arrive(number)
        moves.done(number, "mended")

    def cases(self, problem: str) -> list[str]:
        """The numbers of the cases of a problem, in the order in which they were opened."""
        found = rows(self.connection, "SELECT number FROM dispatch_case WHERE problem = %s ORDER BY id", problem)
        return [number for (number,) in found]

    def file(self, number: str) -> CaseFile:
        found = case_file(self.connection, number)
        assert found is not None
        return found

    def story(self, number: str) -> list[str]:
        """A case's history: local time and what happened."""
        return [f"{line['at'].astimezone(self.zone):%d %H:%M} {line['event']}" for line in self.file(number).history]

    def sheets(self) -> list[str]:
        """All sheets as they were issued: local time and number."""
        found = rows(self.connection, "SELECT issued_at, number FROM sheet ORDER BY id")
        return [f"{at.astimezone(self.zone):%m-%d %H:%M} {number}" for at, number in found]

    def told(self, unit: str) -> list[str]:
        """Which events a unit's crews were sent."""
        query = """
            SELECT case_event.event FROM notification JOIN case_event ON case_event.id = notification.case_event_id
            WHERE notification.channel = 'mqtt' AND notification.target = %s ORDER BY notification.id
        """
        return [event for (event,) in rows(self.connection, query, unit)]
