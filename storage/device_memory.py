"""What devices learn when a case of theirs has closed: a cover's tilt at rest becomes its baseline.

The registry keeps what a person said; ``load_registry`` puts what was learnt in its place. Learning is apart from
closing: a case that closed while nobody learnt is found later, and no case teaches twice.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from psycopg import Connection
from psycopg.types.json import Jsonb

from devices.kind import Attribute, Kind, Learning
from devices.quality import Quality
from storage import reading_writer
from storage.queries import load

_SQL = load("memory")
_REGISTRY = load("registry")
# A battery-powered device may report its tilt once a day; later than this nothing is learnt from a case.
_PATIENCE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Memory:
    """Something measured after a case closed, and whether it counts in place of what was installed."""

    device_id: str
    attribute: str
    installed: float | None
    measured: float
    state: str
    ts: datetime
    case: str


def learn(connection: Connection, kinds: Mapping[str, Kind], at: datetime) -> int:
    """Learn from cases closed lately; how many attributes have a new value. Collectors then load the registry anew."""
    learnt = 0
    with connection.transaction():
        for kind in kinds.values():
            for attribute in kind.attributes.values():
                if attribute.learnt is not None:
                    learnt += _learn(connection, kind, attribute, attribute.learnt, at)
        if learnt:
            connection.execute(_REGISTRY["bump_revision"])
    return learnt


def memories(connection: Connection, device_id: str = "", limit: int = 100) -> list[Memory]:
    """What was measured after cases, newest first; of one device where an id is given."""
    return [Memory(*row) for row in connection.execute(_SQL["memories"], {"device_id": device_id, "limit": limit})]


def _learn(connection: Connection, kind: Kind, attribute: Attribute, learning: Learning, at: datetime) -> int:
    parameters = {
        "kind": kind.name,
        "attribute": attribute.name,
        "problems": list(learning.after),
        "since": at - _PATIENCE,
    }
    cases = connection.execute(_SQL["closed_since"], parameters).fetchall()
    if not cases:
        return 0
    latest = reading_writer.latest(connection, kind, sorted({device for _, device, *_ in cases}))
    believed = np.where(latest.quality == int(Quality.GOOD), latest.metric(learning.metric), math.nan)
    measured = dict(zip(latest.device.tolist(), zip(latest.ts.tolist(), believed.tolist(), strict=True), strict=True))
    learnt = 0
    for case_id, device, done_at, installed in cases:
        ts, value = measured.get(device, (0, math.nan))
        if ts < done_at or math.isnan(value):
            continue  # it has not spoken of it since the work was done
        rest = installed if installed is not None else attribute.default
        counts = isinstance(rest, int | float) and learning.believes(value, rest)
        memory = {
            "case_id": case_id, "device": device, "attribute": attribute.name, "learnt": counts, "measured": value,
            "installed": None if installed is None else Jsonb(installed), "ts": ts, "at": at,
        }  # fmt: skip
        connection.execute(_SQL["remember"], memory)
        learnt += counts
    return learnt
