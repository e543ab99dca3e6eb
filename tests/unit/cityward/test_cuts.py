"""Which partitions may be collected after they were cut anew."""

import pytest

from cityward.cuts import KeptNameError, NotItsTurnError, check_names, check_turn, contradictions
from storage.partition_sessions import Kept

EAST, WEST, CITY = "city/east/#", "city/west/#", "city/#"
MINUTE = 60_000_000  # µs
ALL_OF_IT = {"all": Kept([CITY], since=1 * MINUTE, reached=5 * MINUTE)}
HALVES = {"east": [EAST], "west": [WEST]}
PREPARED = {"east": Kept([EAST], since=5 * MINUTE), "west": Kept([WEST], since=5 * MINUTE)}


@pytest.mark.parametrize(
    ("partitions", "told"),
    [
        ({"all": [CITY]}, []),
        ({"all": [CITY, "park/+"]}, []),
        (HALVES, []),
        ({"all": [EAST], "west": [WEST]}, ["partition all had city/#"]),
        ({"all": [EAST, WEST]}, ["partition all had city/#"]),
        ({"yard": ["yard/+", WEST]}, ["partition yard is to have city/west/#, which went to all"]),
        ({"yard": [EAST]}, ["partition yard had yard/+", "partition yard is to have city/east/#, which went to all"]),
    ],
    ids=["same", "more", "new-names", "cut", "pieces", "takes-some", "changes-all"],
)
def test_a_partition_that_keeps_its_name_keeps_its_topics_and_gets_nobody_elses(
    partitions: dict[str, list[str]], told: list[str]
) -> None:
    found = [*contradictions(partitions, {**ALL_OF_IT, "yard": Kept(["yard/+"], since=1)})]
    assert [each[: len(words)] for each, words in zip(found, told, strict=True)] == told
    assert all(each.endswith("a name that no partition had, then run cityward partitions prepare") for each in found)


def test_every_partition_of_the_settings_is_looked_at_before_one_is_collected() -> None:
    cut = {"all": [EAST], "west": [WEST]}
    with pytest.raises(KeptNameError, match="partition all had city/#"):
        check_names(cut, ALL_OF_IT)
    with pytest.raises(KeptNameError, match="partition all had city/#"):
        check_turn(cut, "west", ALL_OF_IT, collected=[])


@pytest.mark.parametrize(
    ("sessions", "collected"),
    [
        ({}, []),
        ({"yard": Kept(["yard/+"], since=1)}, ["yard"]),
        ({**ALL_OF_IT, **PREPARED}, ["west"]),
        ({"all": Kept([CITY], since=6 * MINUTE), **PREPARED}, []),
        ({"all": Kept([CITY]), **PREPARED}, []),
        ({"all": Kept([CITY]), "east": Kept([EAST])}, []),
    ],
    ids=["first", "others-topics", "worked-off", "younger", "never-granted", "none-granted"],
)
def test_a_partition_is_collected_if_no_other_has_what_it_needs(
    sessions: dict[str, Kept], collected: list[str]
) -> None:
    check_turn(HALVES, "east", sessions, collected)


@pytest.mark.parametrize(
    ("sessions", "collected", "told"),
    [
        (ALL_OF_IT, [], "city/east/# goes to partition all until now: .* run cityward partitions prepare"),
        (ALL_OF_IT, ["all"], "city/east/# goes to partition all until now: .* cityward partitions forget all"),
        ({"all": Kept([CITY])}, ["all"], "which is collected: end its collector$"),
        ({**ALL_OF_IT, **PREPARED}, ["all"], "which is collected: end its collector$"),
        (
            {"all": Kept([CITY], since=1, reached=5 * MINUTE - 1), **PREPARED},
            ["all"],
            "end its collector once it is worked off until 1970-01-01 00:05:01 UTC",
        ),
        (
            {"all": Kept([CITY], since=1, reached=5 * MINUTE - 1), **PREPARED},
            [],
            "partition all still has what was sent to city/east/# before 1970-01-01 00:05:01 UTC: .* forget all",
        ),
        ({"all": Kept([CITY], since=1), **PREPARED}, [], "partition all still has"),
    ],
    ids=["unprepared", "unprepared-beside", "begins-too", "still-there", "behind", "left-behind", "never-collected"],
)
def test_a_partition_waits_for_others_that_have_its_topics_or_what_was_sent_to_them(
    sessions: dict[str, Kept], collected: list[str], told: str
) -> None:
    with pytest.raises(NotItsTurnError, match=told):
        check_turn(HALVES, "east", sessions, collected)
