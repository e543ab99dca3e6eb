"""Who may do what at the broker: a user for each device, gateway and crew, and for Cityward's own processes.

Does not: know passwords (``devices.credentials``), speak to the broker.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from devices.topics import crew_topic, is_level, own_topics

COLLECTOR, DISPATCHER, PRETEND_CITY = "collector", "dispatcher", "pretend-city"
_ACCESS_LIST = """\
# Who may do what at the broker. Written by "cityward devices acl": what is changed here is lost.
# What no line allows is forbidden, to everybody.

# A device (user name = device id) publishes under its own id, in every channel that devices have, and hears nothing.
# District and kind are left open: the collector refuses what is not as registered, and so a device that moves to
# another district needs no new list.
{devices}

# The collector hears all devices and publishes nothing.
user {collector}
{collecting}

# The dispatcher tells the crews and hears nothing.
user {dispatcher}
topic write {crews}

# A crew hears of its unit's cases, in every district.
{units}
# A gateway publishes for the devices that the registry says are behind it, for no others, and hears nothing.
{gateways}"""
_PRETEND_CITY = """
# For a trial only: the pretend city speaks for every device. A list written without --pretend-city has no such user.
user {pretend_city}
{publishing}
"""


def crew_user(unit: str) -> str:
    """The user as whom a unit's crew listens."""
    return f"crew-{unit}"


def gateway_user(gateway: str) -> str:
    """The user as whom a gateway publishes for its devices."""
    return f"gateway-{gateway}"


def service_users(units: Iterable[str], gateways: Iterable[str]) -> list[str]:
    """Every user that is not a device."""
    return [COLLECTOR, DISPATCHER, *map(crew_user, units), *map(gateway_user, gateways)]


def access_list(units: Iterable[str], gateways: Mapping[str, Iterable[str]], *, pretend_city: bool = False) -> str:
    """Mosquitto's access control list for any devices, these units, and gateways with the ids of their devices.

    With ``pretend_city`` there is a user who speaks for every device: no real city wants that.
    """
    listed = _ACCESS_LIST.format(
        devices="\n".join(f"pattern write {topic}" for topic in own_topics("%u")),
        collector=COLLECTOR,
        collecting="\n".join(f"topic read {topic}" for topic in own_topics("+")),
        dispatcher=DISPATCHER,
        crews=crew_topic("+", "+"),
        units="\n".join(f"user {crew_user(unit)}\ntopic read {crew_topic('+', unit)}\n" for unit in units),
        gateways="\n".join(_gateway(name, device_ids) for name, device_ids in gateways.items()),
    )
    if not pretend_city:
        return listed
    publishing = "\n".join(f"topic write {topic}" for topic in own_topics("+"))
    return listed + _PRETEND_CITY.format(pretend_city=PRETEND_CITY, publishing=publishing)


def _gateway(name: str, device_ids: Iterable[str]) -> str:
    topics = [f"topic write {topic}" for device_id in device_ids for topic in own_topics(device_id)]
    return "\n".join([f"user {gateway_user(name)}", *topics, ""])


def contradictions(
    device_ids: Iterable[str], units: Iterable[str], gateways: Collection[str], partitions: Collection[str]
) -> Iterator[str]:
    """Names with which a user would be somebody else, or nobody."""
    units = list(units)
    services = {*service_users(units, gateways), PRETEND_CITY}
    for what, names in (("unit", units), ("gateway", gateways)):
        for name in sorted(names):
            if ":" in name:
                yield f"{what} {name!r}: Mosquitto's users have no colon in their names; rename it"
    for name in sorted(gateways):
        if not is_level(name):
            yield f"gateway {name!r}: a user's name has no + # / and at most 64 characters; rename it in the registry"
    for device_id in device_ids:
        if ":" in device_id:
            yield f"device {device_id!r}: Mosquitto's users have no colon in their names; give it another id"
        if device_id in services:
            yield f"device {device_id!r}: a user of this name does other things; give it another id"
        if device_id in partitions:
            yield (
                f"device {device_id!r}: a partition has this name, and the device would be taken for its collector;"
                " rename the partition"
            )
