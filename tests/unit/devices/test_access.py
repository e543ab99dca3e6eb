"""Who may do what at the broker."""

import pytest

from devices.access import access_list, contradictions, service_users
from devices.topics import CHANNELS, crew_topic, device_topic, overlap

UNITS = ["drainage", "lighting"]
GATEWAYS = {"north": ["noise-1", "noise-2"], "cabinet 7": ["f-1"]}


def rights(user: str, units: list[str] = UNITS) -> tuple[list[str], list[str]]:
    """The filters that a user may read and write, as Mosquitto understands the list."""
    filters: dict[str, list[str]] = {"read": [], "write": []}
    section = ""
    for line in access_list(units, GATEWAYS).splitlines():
        match line.split(" ", 2):
            case ["user", *name]:
                section = " ".join(name)
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


def test_there_is_a_user_for_every_crew_and_every_gateway() -> None:
    assert service_users(UNITS, GATEWAYS) == [
        "collector", "dispatcher", "crew-drainage", "crew-lighting", "gateway-north", "gateway-cabinet 7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("device_id", "said"),
    [
        ("a:b", "no colon"),
        ("collector", "does other things"),
        ("crew-drainage", "does other things"),
        ("gateway-north", "does other things"),
        ("all", "a partition has this name"),
    ],
)
def test_a_device_that_would_be_somebody_else_is_named(device_id: str, said: str) -> None:
    [problem] = contradictions(["noise-1", device_id], UNITS, GATEWAYS, {"all": ["city/#"]})
    assert repr(device_id) in problem
    assert said in problem


def test_a_unit_that_cannot_be_a_user_is_named() -> None:
    [problem] = contradictions(["noise-1"], ["drainage:east"], GATEWAYS, {"all": ["city/#"]})
    assert "unit 'drainage:east'" in problem


@pytest.mark.parametrize("channel", [*CHANNELS, "up/hj212", "status"])
def test_a_gateway_publishes_for_the_devices_behind_it_and_for_no_others(channel: str) -> None:
    read, write = rights("gateway-north")
    assert [allowed(write, device_topic("east", "noise", f"noise-{n}", channel)) for n in (1, 2, 3)] == [
        True,
        True,
        False,
    ]
    assert not allowed(write, device_topic("east", "fume", "f-1", channel))
    assert not allowed(write, crew_topic("east", "drainage"))
    assert read == []
    _, write = rights("gateway-cabinet 7")
    assert allowed(write, device_topic("west", "fume", "f-1", channel)), "also where it moves to"


@pytest.mark.parametrize("name", ["a/b", "a+", "#", "a\nuser collector", "x" * 65])
def test_a_gateway_that_cannot_be_a_user_is_named(name: str) -> None:
    [problem] = contradictions([], UNITS, [name], ["all"])
    assert repr(name) in problem


def test_a_gateway_with_a_colon_is_named() -> None:
    [problem] = contradictions([], UNITS, ["00:1a"], ["all"])
    assert "gateway '00:1a': Mosquitto's users have no colon" in problem


def test_ordinary_names_are_fine() -> None:
    assert [*contradictions(["noise-1", "4201020102000001", "drainage"], UNITS, GATEWAYS, ["all"])] == []
