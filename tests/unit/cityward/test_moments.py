"""Moments as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cityward.moments import parse_moment

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)  # 12:00 in Shanghai
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("30d", NOW - timedelta(days=30)),
        ("2026-11-20", NOW - timedelta(hours=12)),
        ("2026-11-20 11:30", NOW - timedelta(minutes=30)),
        ("2026-11-20T03:30:00Z", NOW - timedelta(minutes=30)),
        (" 2026-11-20T12:00:05+08:00 ", NOW + timedelta(seconds=5)),
    ],
)
def test_a_moment_is_so_long_ago_or_a_date_in_the_citys_zone(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW, ZONE) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2 weeks", "2026-13-01", "12:30"])
def test_what_is_no_moment_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="write 2h, 3d, 2026-11-20"):
        parse_moment(text, NOW, ZONE)
