"""Who may do what at the broker."""

import pytest

from devices.access import access_list, contradictions, service_users
from devices.topics import CHANNELS, crew_topic, device_topic, overlap

UNITS = ["drainage", "lighting"]


def rights(user: str, units: list[str] = UNITS) -> tuple[list[str], list[str]]:
    """The filters that a user may read and write, as Mosquitto understands the list."""
    filters: dict[str, list[str]] = {"read": [], "write": []}
    section = ""
    for line in access_list(units).splitlines():
        match line.split(" ", 2):
            case ["user", name]:
                section = name
            case ["topic", access, topic] if section == user:
                filters[access].append(topic)
            case ["pattern", access, topic]:
                filters[access].append(topic.replace("%u", user))
            case [word, *_]:
                assert word in {"", "topic"} or word.startswith("#"), line
    return filters["read"], filters["write"]


def allowed(filters: list[str], topic: str) -> bool:
    return any(overlap(each, topic) for each in filters)


@pytest.mark.parametrize("channel", [*CHANNELS, "up/hj212"])
def test_a_device_publishes_on_its_own_channels_and_on_no_other_device(channel: str) -> None:
    _, write = rights("noise-1")
    assert allowed(write, device_topic("east", "noise", "noise-1", channel))
    assert not allowed(write, device_topic("east", "noise", "noise-2", channel))


def test_a_device_hears_nothing() -> None:
    read, _ = rights("noise-1")
    assert read == []


def test_a_device_with_the_name_of_a_unit_tells_no_crew_anything() -> None:
    _, write = rights("drainage")
    assert not allowed(write, crew_topic("east", "drainage"))


def test_the_collector_hears_every_channel_and_no_crew() -> None:
    read, _ = rights("collector")
    for channel in (*CHANNELS, "up/hj212"):
        assert allowed(read, device_topic("west", "fume", "f-1", channel))
    assert not allowed(read, crew_topic("east", "drainage"))


def test_the_dispatcher_tells_every_crew_and_hears_nothing() -> None:
    read, write = rights("dispatcher")
    assert allowed(write, crew_topic("west", "lighting"))
    assert not allowed(write, device_topic("east", "noise", "noise-1"))
    assert read == []


def test_a_crew_hears_its_own_unit_only() -> None:
    read, write = rights("crew-lighting")
    assert allowed(read, crew_topic("east", "lighting"))
    assert not allowed(read, crew_topic("east", "drainage"))
    assert not allowed(write, crew_topic("east", "lighting"))


def test_there_is_a_user_for_every_crew() -> None:
    assert service_users(UNITS) == ["collector", "dispatcher", "crew-drainage", "crew-lighting"]


@pytest.mark.parametrize(
    ("device_id", "said"),
    [
        ("a:b", "no colon"),
        ("collector", "does other things"),
        ("crew-drainage", "does other things"),
        ("all", "a partition has this name"),
    ],
)
def test_a_device_that_would_be_somebody_else_is_named(device_id: str, said: str) -> None:
    [problem] = contradictions(["noise-1", device_id], UNITS, {"all": ["city/#"]})
    assert repr(device_id) in problem
    assert said in problem


def test_a_unit_that_cannot_be_a_user_is_named() -> None:
    [problem] = contradictions(["noise-1"], ["drainage:east"], {"all": ["city/#"]})
    assert "unit 'drainage:east'" in problem


def test_ordinary_names_are_fine() -> None:
    assert [*contradictions(["noise-1", "4201020102000001", "drainage"], UNITS, ["all"])] == []
