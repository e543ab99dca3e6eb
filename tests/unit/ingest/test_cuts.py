"""Which partitions may be collected after they were cut anew."""

from collections import defaultdict
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.topics import overlap
from ingest.cuts import Kept, KeptNameError, NotItsTurnError, check_names, check_turn, contradictions

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


CUTS = [
    {"all": [CITY]},
    HALVES,
    {"all": [EAST], "west": [WEST]},
    {"east": [EAST]},
    {"e": [EAST], "rest": [WEST, "yard/#"]},
]
TOPICS = ["city/east/x", "city/west/x", "yard/x"]


class Town:
    """Sessions at a broker, collectors, and who judges what in which order."""

    def __init__(self) -> None:
        self.now = 0
        self.sessions: dict[str, Kept] = {}
        self.queues: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self.collected: set[str] = set()
        self.kept: dict[str, list[int]] = defaultdict(list)  # by topic, when what somebody keeps was sent
        self.judged: dict[str, list[int]] = defaultdict(list)

    def prepare(self, cut: dict[str, list[str]]) -> None:
        check_names(cut, self.sessions)
        for name in cut.keys() - self.collected:
            self._subscribe(name, cut[name])

    def start(self, cut: dict[str, list[str]], name: str) -> None:
        if name not in self.collected:
            check_turn(cut, name, self.sessions, self.collected)
            self._subscribe(name, cut[name])
            self.collected.add(name)

    def send(self, topic: str) -> None:
        self.now += 1
        hearing = [name for name, kept in self.sessions.items() if any(overlap(each, topic) for each in kept.topics)]
        for name in hearing:
            self.queues[name].append((topic, self.now))
        if hearing:
            self.kept[topic].append(self.now)
        heard_now = [name for name in hearing if name in self.collected]
        assert len(heard_now) <= 1, "two collectors judge the same device"

    def work(self, name: str, messages: int) -> None:
        self.now += 1
        queue, known = self.queues[name], self.sessions[name]
        reached = self.now if len(queue) <= messages else queue[messages - 1][1] if messages else 0
        for topic, sent in queue[:messages]:
            if sent not in self.judged[topic]:
                self.judged[topic].append(sent)
        self.queues[name] = queue[messages:]
        self.sessions[name] = Kept(known.topics, known.since, max(reached, known.reached or 0))

    def _subscribe(self, name: str, topics: list[str]) -> None:
        self.now += 1
        known = self.sessions.get(name, Kept([]))
        self.sessions[name] = Kept(sorted({*known.topics, *topics}), known.since or self.now, known.reached)


ONE_CUT = st.tuples(st.sampled_from(CUTS), st.booleans(), st.integers(0, 5), st.booleans(), st.integers(0, 2))


@given(st.lists(ONE_CUT, max_size=10))
def test_however_a_city_is_cut_what_is_kept_is_judged_once_and_in_order(
    cuts: list[tuple[dict[str, list[str]], bool, int, bool, int]],
) -> None:
    town = Town()
    for cut, prepares, messages, ends, sends in cuts:
        if prepares:
            with suppress(KeptNameError):
                town.prepare(cut)
        for name in sorted(town.collected):
            town.work(name, messages)
        if ends:
            town.collected.clear()
        for name in cut:
            with suppress(KeptNameError, NotItsTurnError):
                town.start(cut, name)
        for topic in TOPICS * sends:
            town.send(topic)
        for topic, judged in town.judged.items():
            assert judged == town.kept[topic][: len(judged)], "something was passed over"
