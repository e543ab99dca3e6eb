import pytest

from rules.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("1h", 3600), ("2d", 172_800), ("1.5h", 5400), (" 10 m ", 600), ("0s", 0)],
)
def test_durations_are_written_with_their_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds * 1_000_000


@pytest.mark.parametrize("text", ["", "10", "m", "10 min", "-5m", "1h30m", "10M", "ten m", "1e3s", "5w", "5\n5s"])
def test_what_is_no_duration_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write 30s, 10m, 1h or 2d"):
        parse_duration(text)
