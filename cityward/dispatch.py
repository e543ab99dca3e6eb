"""The dispatcher: alarms become cases, silence becomes alarms, clocks run out, repairs are checked, messages leave.

Deciding runs in a thread with one connection, which holds the dispatcher's lock; delivering runs beside it, so that
no dead channel can hold up a case.
"""

import asyncio
import os
import threading
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

import httpx
import structlog

from cityward import wiring
from cityward.clock import Clock, SetBackError
from cityward.due import HOLDER, DueRules
from cityward.metrics import DispatcherMetrics, serve
from cityward.persisting import Works, hold, persist
from cityward.rulebook import Rulebook
from cityward.settings import Settings
from console.links import ConsoleLinks
from devices.hearers import Hearers, Hears, stored_until
from devices.kind import Kind
from devices.moments import MICROS
from notify.channels.mqtt import MqttChannel
from notify.channels.person import PersonChannel
from notify.channels.webhook import WebhookChannel
from notify.delivery import build_app
from notify.outbox import Channel
from notify.recipients import MQTT, PERSON, WEBHOOK
from notify.working import work
from rules.lookout import Lookout
from rules.measures import load_measures
from rules.rule import Input, Rule
from rules.silence import watch
from rules.verdicts import Verdicts
from storage import (
    alarm_round,
    alarm_store,
    case_book,
    case_clock,
    device_memory,
    judged_store,
    outbox,
    permit_store,
    rule_states,
    rule_texts,
    vitals,
    waking,
    worked_off,
)
from storage.connection import Connection, connect, describe
from storage.errors import RegistryChangedError, translated
from storage.locks import CITY, DISPATCH
from storage.registry_store import load_city, load_registry, register_groups, revision

_log = structlog.get_logger(__name__)
LOOK_EVERY = 1.0  # seconds after which it looks even if nobody woke it
WATCHER = "watchdog"
_LEARN_EVERY = 600_000_000  # µs: what is learnt makes every collector load the registry anew


async def dispatch(settings: Settings, dsn: str, clock: Clock, stop: threading.Event) -> None:
    """Dispatch until ``stop`` is set."""
    structlog.contextvars.bind_contextvars(process="dispatch")
    deciding = asyncio.create_task(asyncio.to_thread(_decide, settings, dsn, clock, stop))
    delivering = asyncio.create_task(_deliver(settings, dsn, clock))
    done, _ = await asyncio.wait({deciding, delivering}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    delivering.cancel()
    await asyncio.gather(deciding, delivering, return_exceptions=True)
    for task in done:
        if not task.cancelled() and (error := task.exception()):
            raise error
    _log.info("stopped")


def _decide(settings: Settings, dsn: str, clock: Clock, stop: threading.Event) -> None:
    """Turn alarms into cases and silence into alarms, until ``stop`` is set."""
    installed = wiring.kinds(settings)
    book = Rulebook(settings, installed)
    metrics = DispatcherMetrics.create()
    serve(metrics.registry, settings)

    def attempt(works: Works) -> None:
        with (
            connect(dsn, name="cityward dispatch") as connection,
            connect(dsn, name="cityward dispatch, listening") as ears,
            translated(describe(dsn)),
        ):
            if not hold(connection, DISPATCH, CITY, stop):
                return
            desk = Rounds(connection, book.rules, installed, clock, heard_by=wiring.hears(settings))
            rule_states.unbench(connection, HOLDER, clock.now())
            waking.listen(ears)
            if works():
                _log.info("dispatching", devices=len(desk.registry.devices), rules=len(book.rules))
            next_look, every = 0, round(settings.watchdog_s * MICROS)
            with metrics.dispatching.track_inprogress():
                while not stop.is_set() and not book.changed():
                    now = clock.micros()
                    if now < next_look - every:
                        raise SetBackError
                    if now >= next_look:
                        desk.look_for_silence()
                        desk.ask_telemetry()
                        metrics.show(vitals.look(connection, clock.now()))
                        next_look = now + every
                    more = desk.judge_due()
                    while desk.take_up() or desk.look_at_due():
                        works(wrote=True)
                    if not more:
                        waking.rest(connection, now)
                        waking.wait(ears, LOOK_EVERY, stop)

    persist(attempt, stop)


class Rounds:
    """What the dispatcher does again and again, against one snapshot of city, registry and rules."""

    def __init__(
        self,
        connection: Connection,
        rules: list[Rule],
        installed: Mapping[str, Kind],
        clock: Clock,
        *,
        heard_by: Hears,
    ) -> None:
        groupings = [(rule.kind, rule.group) for rule in rules if rule.group]
        self.registry = register_groups(connection, load_registry(connection, installed), groupings, clock.now())
        rule_texts.keep(connection, rules, clock.now())
        self._connection = connection
        self._rules = [rule for rule in rules if rule.input is Input.SILENCE]
        self._asked = {name for rule in self._rules for name in rule.asked}
        self._lookout = Lookout(self._rules, self.registry)
        self._clock = clock
        self._city = load_city(connection)
        self._practice = wiring.practice(self._city, rules, installed)
        self._jobs = outbox.deferring_app()
        self._said: set[str] = set()
        self._next_lesson = 0
        self._local_time = wiring.local_time(self._city)
        self._hearers = Hearers(self.registry, heard_by)
        self._permits = permit_store.spells(connection, clock.now() - permit_store.REMEMBERED)
        self._due = DueRules(
            connection,
            rules,
            self.registry,
            self._local_time,
            load_measures(),
            clock,
            self._permits,
            heard_by=heard_by,
            lateness=self._city.lateness,
        )

    def take_up(self) -> int:
        """Some news of alarms into cases; how many. Why some cannot be is said once for each reason.

        Raises:
            RegistryChangedError: if whose a case is might have changed.
        """
        self._check_registry()
        taken = case_book.take_up(self._connection, self._jobs, self._practice, self._clock.now())
        for problem in taken.stuck:
            if problem not in self._said:
                self._said.add(problem)
                _log.warning("stuck", problem=problem, hint="the alarm stays and is tried again; see cityward status")
        return taken.news

    def _check_registry(self) -> None:
        if revision(self._connection) != self.registry.revision:
            raise RegistryChangedError("the registry of devices has changed")

    def look_at_due(self) -> int:
        """What has fallen due by the clock at some cases; how many."""
        return case_clock.look_at_due(self._connection, self._jobs, self._practice, self._clock.now())

    def ask_telemetry(self) -> int:
        """Evidence for cases whose work was reported; how many it decided."""
        return case_clock.ask_telemetry(self._connection, self._jobs, self._practice, self._clock.now())

    def judge_due(self) -> bool:
        """Some of the windows that have closed and the jobs that are due; whether there are more."""
        return self._due.judge()

    def look_for_silence(self) -> None:
        """The watchdog's round; also learns from closed cases and notices a changed registry."""
        if self._clock.micros() >= self._next_lesson:
            self._next_lesson = self._clock.micros() + _LEARN_EVERY
            if learnt := device_memory.learn(self._connection, self.registry.kinds, self._clock.now()):
                _log.info("learnt", attributes=learnt)
            missing = self._city.calendar.missing(self._clock.now())
            if missing and missing not in self._said:
                self._said.add(missing)
                _log.warning("no_holidays", problem=missing)
        self._check_registry()
        with self._connection.transaction():
            verdicts = self._watch(self._clock.micros())
            alarm_store.record(self._connection, verdicts.transitions, self._clock.now(), actor=WATCHER)
            rule_states.record_crashes(self._connection, verdicts.crashes, self._clock.now(), HOLDER)
            alarm_round.look_after(self._connection, self._clock.now())
        # A rule that crashed is benched until the packs are read again.
        benched = {crash.rule_id for crash in verdicts.crashes}
        self._rules = [rule for rule in self._rules if rule.id not in benched]

    def _watch(self, now: int) -> Verdicts:
        """Who has fallen silent: nobody is missed before what was sent to the partition has been collected."""
        active = alarm_store.active_silence_alarms(self._connection, [rule.id for rule in self._rules])
        in_alarm = {device for _, device in active}
        heard = self._lookout.look(now, in_alarm, partial(alarm_store.heard, self._connection))
        reached = worked_off.load_all(self._connection)
        alarms = judged_store.alarm_spells(self._connection, self._asked, now)
        who = {kind: self._hearers.among(kind, heard) for kind in {rule.kind for rule in self._rules}}
        verdicts = Verdicts()
        for rule in self._rules:
            for heard_by, devices in who[rule.kind].items():
                mine = {device: heard[device] for device in devices}
                until = stored_until(heard_by, reached, now)
                found = watch(
                    [rule], self.registry, self._local_time, mine, active, until, alarms=alarms, permits=self._permits
                )
                verdicts.transitions.extend(found.transitions)
                verdicts.crashes.extend(found.crashes)
                if found.crashes:
                    break
        return verdicts


def _links(settings: Settings, store: outbox.NotificationStore) -> ConsoleLinks | None:
    life = timedelta(days=settings.console_link_days)
    return ConsoleLinks(settings.console_url, life, store) if settings.console_url else None


async def _deliver(settings: Settings, dsn: str, clock: Clock) -> None:
    """Deliver notifications until cancelled; a database that is away at the start is waited for."""
    async with (
        outbox.NotificationStore(dsn) as store,
        MqttChannel(settings.broker, tls=wiring.broker_tls(settings)) as mqtt,
        httpx.AsyncClient() as client,
    ):
        channels: dict[str, Channel] = {
            MQTT: mqtt,
            WEBHOOK: WebhookChannel(client),
            PERSON: PersonChannel(store.city, os.environ),
        }
        app = build_app(outbox.connector(dsn), store, channels, clock, _links(settings, store))
        async with app.open_async():
            await work(app, channels)
