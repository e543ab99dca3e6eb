"""Measures: one query each, over the members of groups."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
from psycopg import Connection
from psycopg.rows import dict_row

from devices.readings import Ints
from devices.registry import Membership, Registry
from rules.jobs import Moments
from rules.local_time import LocalTime
from rules.measures import Measure
from storage.queries import load

_SQL = load("measures")
_QUERIES = {name: _SQL[name] for name in ("lit_rate", "intact_rate", "night_compliance", "area_noise_mean")}


def ask(
    connection: Connection,
    measure: Measure,
    kind: str,
    members: Membership,
    registry: Registry,
    local_time: LocalTime,
    moments: Moments,
) -> dict[int, Mapping[str, float | None]]:
    """The figures of a measure by number of the group."""
    parameters: dict[str, object] = {
        "devices": members.device.tolist(),
        "groups": members.group.tolist(),
        "at": moments.at,
        "day": local_time.day(moments.day[0]),
        "first_night": local_time.day(moments.nights[0][1]) - timedelta(days=1),
        "last_night": local_time.day(moments.nights[-1][1]) - timedelta(days=1),
    }

    def days() -> Ints:
        return local_time.days(np.full(len(members.device), moments.at, dtype=np.int64))

    for need in measure.needs:
        if need.startswith("limit."):
            numbers = registry.limits_of(kind, need.removeprefix("limit."), members.device, days)
        else:
            numbers = registry.numbers_of(kind, need, members.device)
        parameters[need.replace(".", "_")] = [None if np.isnan(number) else number for number in numbers.tolist()]
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_QUERIES[measure.name], parameters).fetchall()
    return {int(row.pop("grp")): row for row in rows}
