"""How long people wait for a board: every query of every board, as Grafana sends it, on a city of some weeks.

The boards are those that are committed. Each query is sent for the stretch of time with which its board opens and for
all days that there are, with every district, road, unit and kind chosen, by the role that may read views only.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.boards_city import Weeks, seed
from benchmarks.errors import BenchError
from benchmarks.rig import say, share
from cases.words import Language
from cityward import embedded
from cityward.cli.progress import progress
from cityward.clock import Clock
from devices.kind import load_kinds
from grafana.expansion import Shown, expand
from grafana.pushing import committed
from storage import board_bench
from storage.capability import detect
from storage.connection import Connection, connect
from storage.migrate import migrate

GOAL_MS = 150.0
_FLOOR = "SELECT 1"
_POINTS = 1000  # on a line, as wide as a screen
_SPAN = re.compile(r"now-(\d+)([hd])")
_HOURS = {"h": 1, "d": 24}
_HIDDEN = 2  # Grafana's number of a variable that readers do not see


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes:
        days: Days of readings; to them comes today as far as it has come.
        devices: Size of the city.
        rounds: How often each query is sent.
        seed: Where chance starts.
        database: An empty database; with ``again`` one that an earlier run has filled. Empty: an embedded PostgreSQL.
        again: Measure only.
        boards: Only these, by their names; all of them where empty.
    """

    days: int
    devices: int
    rounds: int
    seed: int = 1
    database: str = ""
    again: bool = False
    boards: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of a board, expanded: for the stretch of time with which the board opens, and for all days."""

    board: str
    panel: str
    opened: str
    all_days: str


def run(plan: Plan) -> dict[str, Any]:
    """Fill the database, measure, and give the figures."""
    kinds = load_kinds()
    with _database(plan) as dsn:
        migrate(dsn, kinds, lambda _step: None)
        with connect(dsn, name="cityward bench boards") as connection:
            there = board_bench.seeded(connection)
        if there and not plan.again:
            raise BenchError("the database holds a city: give an empty one, or --again to measure what is there")
        if plan.again and not there:
            raise BenchError("the database holds no city to measure again: leave --again out")
        if not plan.again:
            say(f"filling {plan.days} days of {plan.devices} devices ...")
            with progress() as tell:
                weeks = Weeks(plan.days, plan.devices, plan.seed, Clock().now())
                seed(dsn, kinds, weeks, partial(tell, "filling"))
        with connect(dsn, name="cityward bench boards") as connection:
            capability = detect(connection)
            densities = board_bench.densities(connection, kinds.values(), capability)
            found = board_bench.seeded(connection)
            if found is None:
                raise BenchError("nothing was stored")
            since, until, devices = found
            board_bench.look_as_grafana(connection)
            say("asking ...")
            floor = [board_bench.timed(connection, _FLOOR)[0] for _ in range(plan.rounds)]
            queries = [*_queries(connection, plan, since, until)]
            with progress() as tell:
                panels = [
                    _measured(connection, asked, plan.rounds, partial(tell, "asking", number / len(queries)))
                    for number, asked in enumerate(queries)
                ]
    slow = [each for each in panels if max(each["opened_p95_ms"], each["all_p95_ms"]) > GOAL_MS]
    return {
        "database": str(capability),
        "days": (until - since) // timedelta(days=1),
        "devices": devices,
        "rounds": plan.rounds,
        "floor_p50_ms": _ms(floor, 0.5),
        "floor_p95_ms": _ms(floor, 0.95),
        "goal_p95_ms": GOAL_MS,
        "slower": [f"{each['board']}: {each['panel']}" for each in slow],
        "panels": panels,
        "bytes_a_reading": {
            kind: {"readings": each.readings, "before": round(each.before, 1), "after": round(each.after, 1)}
            for kind, each in densities.items()
        },
    }


@contextmanager
def _database(plan: Plan) -> Iterator[str]:
    if plan.database:
        yield plan.database
        return
    folder = Path(tempfile.mkdtemp(prefix="cityward-bench-"))
    try:
        with embedded.database(folder) as dsn:
            yield dsn
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(connection: Connection, asked: Asked, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    tell(f"{asked.board}: {asked.panel}")
    opened, _ = _times(connection, asked.opened, rounds)
    over_all, rows = _times(connection, asked.all_days, rounds)
    return {
        "board": asked.board,
        "panel": asked.panel,
        "opened_p50_ms": _ms(opened, 0.5),
        "opened_p95_ms": _ms(opened, 0.95),
        "all_p50_ms": _ms(over_all, 0.5),
        "all_p95_ms": _ms(over_all, 0.95),
        "rows": rows,
    }


def _times(connection: Connection, query: str, rounds: int) -> tuple[list[float], int]:
    """Seconds of each round, and how many rows came."""
    asked = [board_bench.timed(connection, query) for _ in range(rounds)]
    return [seconds for seconds, _ in asked], len(asked[-1][1])


def _queries(connection: Connection, plan: Plan, since: datetime, until: datetime) -> Iterator[Asked]:
    for board in committed(Language.EN):
        name = str(board["uid"]).removeprefix("cityward-").removesuffix("-en")
        if plan.boards and name not in plan.boards:
            continue
        opened = max(since, until - _span(board["time"]["from"]))
        for what, chosen in _choices(connection, board, since, until):
            of_board, of_all = (Shown(begins, until, _step(begins, until), chosen) for begins in (opened, since))
            for panel, text in _texts(board):
                yield Asked(name, panel + what, expand(text, of_board), expand(text, of_all))


def _texts(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every query of a board: of its panels, of what its reader may choose, of the marks on its lines."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["rawSql"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield f"choice: {variable['label']}", variable["query"]
    for marks in board["annotations"].get("list", ()):
        yield f"marks: {marks['name']}", marks["target"]["rawSql"]


def _choices(
    connection: Connection, board: Mapping[str, Any], since: datetime, until: datetime
) -> Iterator[tuple[str, Mapping[str, Sequence[str]]]]:
    """What a reader of the board chooses: all that there is; of one device at a time, one of each kind."""
    chosen: dict[str, Sequence[str]] = {}
    for variable in board["templating"]["list"]:
        name, query = variable["name"], variable["query"]
        if variable["type"] != "query":
            chosen[name] = [query]
        elif variable["multi"] or variable.get("hide") == _HIDDEN:
            chosen[name] = _values(connection, query, since, until, chosen)
        else:
            for kind in chosen["kind"]:
                values = _values(connection, query, since, until, {**chosen, "kind": [kind]})
                yield f" ({kind})", {**chosen, name: values[:1]}
            return
    yield "", chosen


def _values(
    connection: Connection, query: str, since: datetime, until: datetime, chosen: Mapping[str, Sequence[str]]
) -> list[str]:
    shown = Shown(since, until, _step(since, until), chosen)
    return [str(row[0]) for row in board_bench.timed(connection, expand(query, shown))[1]]


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise BenchError(f"a board opens with {text!r}, which the benchmark cannot read")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])


def _step(since: datetime, until: datetime) -> timedelta:
    return timedelta(seconds=max(1, round((until - since).total_seconds() / _POINTS)))


def _ms(seconds: Sequence[float], part: float) -> float:
    return round((share(seconds, part) or 0) * 1000, 1)
