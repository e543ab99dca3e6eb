"""What is said of messages that were tried again, and which partition a topic belongs to."""

import pytest

from cityward.replaying import nobody_there, what_became
from cityward.settings import Settings
from storage.quarantine import Progress, Resolution, like


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress(resolved={Resolution.REPLAYED: 1}, stored=1), "1 message replayed: 1 reading stored."),
        (
            Progress(resolved={Resolution.REPLAYED: 3}, stored=0, duplicate=4),
            "3 messages replayed: 0 readings stored, 4 duplicates.",
        ),
        (
            Progress(refused={"unregistered": 2, "wrong_type": 1}),
            "3 messages refused again: 2 unregistered, 1 wrong_type.",
        ),
        (
            Progress(resolved={Resolution.REPLAYED: 2, Resolution.DROPPED: 1}, stored=2, refused={"empty": 1}),
            "2 messages replayed: 2 readings stored.\n1 message dropped meanwhile.\n1 message refused again: 1 empty.",
        ),
        (Progress(waiting={"all": 3}), ""),
    ],
)
def test_each_thing_that_became_of_messages_is_said(progress: Progress, said: str) -> None:
    assert what_became(progress) == said


def test_whoever_waits_for_nobody_is_told_whom_to_start() -> None:
    said = nobody_there(Progress(waiting={"east": 1, "west": 2}))
    assert "partition east and west" in said
    assert "3 messages" in said
    assert "cityward collect" in said


@pytest.mark.parametrize(
    ("topic", "partition"),
    [
        ("city/east/fume/a/up", "eastern"),
        ("city/east/fume/a/up/hj212", "eastern"),
        ("city/west/fume/a/event", "western"),
        ("city/west/manhole/a/up", None),
        ("city/north/fume/a/up", None),
        ("", None),
    ],
)
def test_a_topic_belongs_to_the_partition_that_hears_it(topic: str, partition: str | None) -> None:
    settings = Settings(partitions={"eastern": ["city/east/#"], "western": ["city/west/fume/#"]})
    assert settings.partition_of(topic) == partition


@pytest.mark.parametrize(
    ("pattern", "sql"),
    [("city/east/*", "city/east/%"), ("*", "%"), ("100%_\\", "100\\%\\_\\\\"), ("a/up", "a/up")],
)
def test_in_a_pattern_only_the_asterisk_is_special(pattern: str, sql: str) -> None:
    assert like(pattern) == sql
