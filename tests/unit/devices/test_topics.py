"""The topic grammar, and which topics a partition hears."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from devices.topics import CHANNELS, DeviceTopic, crew_topic, device_topic, is_level, parse, subscriptions

LEVELS = st.text(st.characters(codec="utf-8", exclude_characters="+#/", min_codepoint=0x20), min_size=1)
LEVEL = LEVELS.map(lambda text: text[:64])
CHANNEL = st.sampled_from(CHANNELS) | LEVEL.map(lambda codec: f"up/{codec}")


@given(district=LEVEL, kind=LEVEL, device_id=LEVEL, channel=CHANNEL)
def test_a_topic_is_taken_apart_as_it_was_put_together(district: str, kind: str, device_id: str, channel: str) -> None:
    assert all(map(is_level, (district, kind, device_id)))
    parts = DeviceTopic(district, kind, device_id, channel)
    assert parse(device_topic(district, kind, device_id, channel)) == parts


@pytest.mark.parametrize(("channel", "codec"), [("up", ""), ("event", ""), ("up/hj212", "hj212"), ("up/up", "up")])
def test_the_channel_says_which_codec_reads_the_payload(channel: str, codec: str) -> None:
    topic = parse(f"city/east/noise/a-1/{channel}")
    assert topic is not None
    assert (topic.channel, topic.codec) == (channel, codec)


def topics() -> st.SearchStrategy[str]:
    level = st.sampled_from(["city", "up", "event", "", "+", "#", "\0"]) | st.text()
    return st.text() | st.lists(level, max_size=7).map("/".join)


@given(topics())
def test_any_text_is_either_a_topic_of_a_device_or_none(text: str) -> None:
    topic = parse(text)
    if topic is not None:
        assert device_topic(topic.district, topic.kind, topic.device_id, topic.channel) == text


def test_devices_publish_on_up_unless_they_say_otherwise() -> None:
    assert device_topic("east", "manhole", "a-1") == "city/east/manhole/a-1/up"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "city",
        "city/east/manhole/a-1",
        "city/east/manhole/a-1/up/",
        "city/east/manhole/a-1/up/hj212/up",
        "city/east/manhole/a-1/event/hj212",
        "city/east/manhole/a-1/hj212",
        "city/east/manhole/a-1/up/+",
        f"city/east/manhole/a-1/up/{'a' * 65}",
        "/city/east/manhole/a-1/up",
        "town/east/manhole/a-1/up",
        "city/east/manhole/a-1/down",
        "city/east/manhole/a-1/UP",
        "city//manhole/a-1/up",
        "city/east/manhole//up",
        "city/+/manhole/a-1/up",
        "city/east/manhole/#/up",
        "city/east/manhole/a\n1/up",
        "city/east/manhole/a\x001/up",
        f"city/east/manhole/{'a' * 65}/up",
        "city/east/crew/water/cases",
    ],
)
def test_what_does_not_follow_the_grammar_is_no_device(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("4201990102000017", True),
        ("井盖 17", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("", False),
        ("a/b", False),
        ("a+", False),
        ("#", False),
        ("a\n", False),
    ],
)
def test_a_name_is_a_level_unless_mqtt_or_its_length_forbids(name: str, fits: bool) -> None:  # noqa: FBT001
    assert is_level(name) is fits


@pytest.mark.parametrize(
    ("topic_filter", "filters"),
    [
        ("city/#", ["city/+/+/+/up", "city/+/+/+/event", "city/+/+/+/up/+", "city/+/+/+/status"]),
        ("city/east/#", ["city/east/+/+/up", "city/east/+/+/event", "city/east/+/+/up/+", "city/east/+/+/status"]),
        ("city/east/noise/#", ["city/east/noise/#"]),
        ("city/+/noise/+/up", ["city/+/noise/+/up"]),
        ("town/#", ["town/#"]),
        ("#", ["#"]),
        ("$share/group/city/#", ["$share/group/city/#"]),
    ],
)
def test_a_partition_subscribes_to_channels_of_devices(topic_filter: str, filters: list[str]) -> None:
    assert subscriptions(topic_filter) == filters


@given(district=LEVEL, kind=LEVEL, device_id=LEVEL, channel=CHANNEL, unit=LEVEL)
def test_a_district_hears_its_devices_once_and_never_its_crews(
    district: str, kind: str, device_id: str, channel: str, unit: str
) -> None:
    topic = device_topic(district, kind, device_id, channel)
    for filters in (subscriptions("city/#"), subscriptions(f"city/{district}/#")):
        assert sum(topic_matches_sub(each, topic) for each in filters) == 1
        assert not any(topic_matches_sub(each, crew_topic(district, unit)) for each in filters)
    elsewhere = device_topic(f"{district}x", kind, device_id, channel)
    assert not any(topic_matches_sub(each, elsewhere) for each in subscriptions(f"city/{district}/#"))
