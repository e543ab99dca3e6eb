"""What Grafana makes of macros and variables before the database sees a query."""

from datetime import UTC, datetime, timedelta

import pytest

from grafana.expansion import ExpansionError, Shown, expand

SHOWN = Shown(
    datetime(2026, 11, 20, tzinfo=UTC),
    datetime(2026, 11, 21, tzinfo=UTC),
    timedelta(minutes=5),
    {"district": ["north", "o'hara"], "device": ["42"]},
)
FROM, TO = "'2026-11-20T00:00:00Z'", "'2026-11-21T00:00:00Z'"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("$__timeFilter(ts)", f"ts BETWEEN {FROM} AND {TO}"),
        ("$__timeFrom() - $__timeTo()", f"{FROM} - {TO}"),
        ("$__timeGroup(ts, '1h')", "floor(extract(epoch from ts)/3600)*3600"),
        ("$__timeGroupAlias(ts, $__interval)", 'floor(extract(epoch from ts)/300)*300 AS "time"'),
        ("$__time(ts)", 'ts AS "time"'),
        ("interval '$__interval'", "interval '300s'"),
        ("$__interval_ms", "300000"),
        ("in (${district:sqlstring})", "in ('north','o''hara')"),
        ("= $device", "= 42"),
        ("${__from}", "1795132800000"),
    ],
)
def test_macros_and_variables_become_what_grafana_sends(written: str, sent: str) -> None:
    assert expand(written, SHOWN) == sent


@pytest.mark.parametrize(
    "written", ["$__timeGruop(ts, '1h')", "$road", "${district:pipe}", "$__timeGroup(ts, 'often')"]
)
def test_what_grafana_would_not_replace_is_an_error(written: str) -> None:
    with pytest.raises(ExpansionError):
        expand(written, SHOWN)
