"""Where the loop tries quarantined messages again: after a batch is acknowledged, on the way of live readings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import msgspec
import pytest

from devices.device import Device
from devices.kind import Kind, load_kinds
from devices.quality import Quality
from devices.readings import Ints, Readings
from devices.registry import Registry
from ingest.decoding import Decoder
from ingest.holding import Holding, Progress
from ingest.loop import Written, run
from ingest.marking import Marking
from ingest.messages import Batch, DecodedBatch, Ledger, Message, Quarantined
from ingest.session import Session

NOW = 1_795_291_326_000_000  # µs
KINDS = load_kinds()
DECODER = Decoder(
    Registry(KINDS, [Device(id=3, device_id="d", kind="manhole", name="", district="east", lon=0, lat=0)])
)
TOPIC = "city/east/manhole/d/up"


class Recorder:
    """Session, store, transaction and engine in one, writing down what the loop does with them."""

    def __init__(self, batches: Sequence[Batch], requests: Sequence[Sequence[Quarantined]]) -> None:
        self.done: list[str] = []
        self.judged: list[tuple[int, int]] = []  # time, quality
        self._batches = batches
        self._requests = list(requests)

    def batches(self) -> Iterator[Batch]:
        yield from self._batches

    def acknowledge(self, batch: Batch) -> None:
        self.done.append(f"acknowledge {len(batch.messages)}")

    @contextmanager
    def transaction(self) -> Iterator["Recorder"]:
        yield self
        self.done.append("commit")

    def replays_waiting(self) -> bool:
        return bool(self._requests)

    def requested(self) -> Sequence[Quarantined]:
        return self._requests.pop(0)

    def latest(self, kind: Kind, devices: Ints) -> Readings:
        self.done.append(f"look up {kind.name} {devices.tolist()}")
        return DECODER.decode(Batch([Message(TOPIC, sent(NOW))], NOW)).readings[0].take(devices < 0)

    def write(self, batch: DecodedBatch) -> Written:
        self.done.append(f"write {len(batch.again)} again" if batch.again else f"write {batch.received}")
        return Written(Ledger(), batch.readings)

    def step(self, readings: Sequence[Readings]) -> list[tuple[int, int]]:
        return [
            (int(ts), int(quality)) for table in readings for ts, quality in zip(table.ts, table.quality, strict=True)
        ]

    def record(self, verdicts: list[tuple[int, int]]) -> None:
        self.done.append(f"record {len(verdicts)}")

    def proceed(self, progress: Sequence[Progress]) -> None:
        raise AssertionError(f"no kind waits, but {progress} was told")

    def apply(self, verdicts: list[tuple[int, int]]) -> None:
        self.judged += verdicts


def sent(ts: int) -> bytes:
    return msgspec.json.encode({"ts": ts // 1000, "m": {"tilt": 1}})


def live(*times: int) -> Batch:
    return Batch([Message(TOPIC, sent(ts)) for ts in times], NOW)


def refused(*times: int) -> list[Quarantined]:
    return [Quarantined(number, NOW, TOPIC, sent(ts)) for number, ts in enumerate(times)]


def loop(recorder: Recorder) -> int:
    """How many batches the loop told of."""
    session = cast("Session", recorder)
    return len([*run(session, DECODER, Marking(KINDS.values()), recorder, recorder, Holding())])


def test_nobody_asking_is_nothing_done() -> None:
    recorder = Recorder([live(NOW)], [])
    assert loop(recorder) == 1
    assert recorder.done == ["look up manhole [3]", "write 1", "record 1", "commit", "acknowledge 1"]


def test_replays_come_after_the_batch_is_acknowledged_in_a_commit_of_their_own() -> None:
    recorder = Recorder([live(NOW), live()], [refused(NOW + 1000, NOW + 2000)])
    assert loop(recorder) == 2
    assert recorder.done == [
        "look up manhole [3]", "write 1", "record 1", "commit", "acknowledge 1",
        "write 2 again", "record 2", "commit",
        "write 0", "record 0", "commit", "acknowledge 0",
    ]  # fmt: skip


def test_a_batch_comes_between_two_lots_of_replays() -> None:
    recorder = Recorder([live(), live(NOW)], [refused(NOW - 9000), refused(NOW - 8000)])
    loop(recorder)
    assert [each for each in recorder.done if each.startswith("write")] == [
        "write 0", "write 1 again", "write 1", "write 1 again",
    ]  # fmt: skip


def test_a_replay_older_than_what_was_judged_is_late_and_a_newer_one_is_live() -> None:
    recorder = Recorder([live(NOW)], [refused(NOW - 60_000_000, NOW + 60_000_000)])
    loop(recorder)
    assert recorder.judged == [
        (NOW, Quality.GOOD),
        (NOW - 60_000_000, Quality.REPLAYED | Quality.LATE),
        (NOW + 60_000_000, Quality.REPLAYED),
    ]


def test_a_live_reading_older_than_a_replayed_one_is_late() -> None:
    recorder = Recorder([live(), live(NOW - 1000)], [refused(NOW)])
    loop(recorder)
    assert recorder.judged == [(NOW, Quality.REPLAYED), (NOW - 1000, Quality.LATE)]


def test_a_replay_that_fails_ends_the_loop_before_anything_of_it_is_remembered() -> None:
    class Broken(Recorder):
        def requested(self) -> Sequence[Quarantined]:
            raise ConnectionError

    recorder = Broken([live(NOW), live(NOW)], [refused(NOW)])
    with pytest.raises(ConnectionError):
        loop(recorder)
    assert recorder.done == ["look up manhole [3]", "write 1", "record 1", "commit", "acknowledge 1"]
