"""Readings in files: what is read, and what is refused with its line, its column and what to do."""

import gzip
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cityward.backtest.reading_file import ReadingFile, read_file
from devices.device import Device
from devices.errors import DescriptionError
from devices.kind import load_kinds
from devices.quality import Quality
from devices.registry import Registry

KINDS = load_kinds()
ZONE = ZoneInfo("Asia/Shanghai")
NOON = 1_795_233_600_000_000  # 2026-11-21 12:00 in the city
REGISTRY = Registry(
    KINDS,
    [
        Device(id=number, device_id=name, kind=kind, name="", district="east", lon=114.3, lat=30.6)
        for number, (name, kind) in enumerate([("cover", "manhole"), ("meter", "noise"), ("scale", "bridge")], start=1)
    ],
)
Reads = Callable[..., ReadingFile]


@pytest.fixture
def reads(tmp_path: Path) -> Reads:
    def build(*lines: str, name: str = "readings.csv") -> ReadingFile:
        text = ("\n".join(lines) + "\n").encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return read_file(tmp_path / name, REGISTRY, ZONE, lambda _share: None)

    return build


def refused(reads: Reads, *lines: str, name: str = "readings.csv") -> list[str]:
    with pytest.raises(DescriptionError) as error:
        reads(*lines, name=name)
    return [line.partition(f"{name}: ")[2] for line in str(error.value).splitlines()]


CSV = (
    "\ufeffdevice_id,ts,tilt,open_state,laeq,plate,axles",
    "cover,2026-11-21 12:00,3.5,open,,,",
    "meter,2026-11-21T04:01:00Z,,,55.25,,",
    "cover,1795233540000,2,,,,",
    'scale,2026-11-21T12:00:00+08:00,,,,"A,123",5',
    "nobody,2026-11-21 12:00,1,,,,",
    "cover,2026-11-21 12:00,9,closed,,,",
)
JSON = (
    '{"device_id": "cover", "ts": "2026-11-21 12:00", "tilt": 3.5, "open_state": "open"}',
    "",
    '{"device_id": "meter", "ts": "2026-11-21T04:01:00Z", "laeq": 55.25, "tilt": null}',
    '{"device_id": "cover", "ts": 1795233540000, "tilt": 2}',
    '{"device_id": "scale", "ts": "2026-11-21T12:00:00+08:00", "plate": "A,123", "axles": 5}',
    '{"device_id": "nobody", "ts": "2026-11-21 12:00", "tilt": 1}',
    '{"device_id": "cover", "ts": "2026-11-21 12:00", "tilt": 9}',
)


@pytest.mark.parametrize(
    ("lines", "name"),
    [(CSV, "readings.csv"), (CSV, "readings.csv.gz"), (JSON, "readings.jsonl"), (JSON, "readings.jsonl.gz")],
)
def test_every_form_of_a_file_comes_to_the_same_readings(reads: Reads, lines: tuple[str, ...], name: str) -> None:
    found = reads(*lines, name=name)
    cover, noise, bridge = (found.readings[kind] for kind in ("manhole", "noise", "bridge"))
    assert [(int(at) - NOON) // 60_000_000 for at in cover.ts] == [-1, 0]
    assert cover.metric("tilt").tolist() == [2.0, 3.5]
    assert np.isnan(cover.metric("open_state")[0])
    assert KINDS["manhole"].metric("open_state").values[int(cover.metric("open_state")[1])] == "open"
    assert (noise.device.tolist(), noise.metric("laeq").tolist()) == ([2], [55.25])
    assert (bridge.texts["plate"].tolist(), bridge.metric("axles").tolist()) == (["A,123"], [5.0])
    assert (dict(found.unknown), found.doubles) == ({"nobody": 1}, 1)
    soon = min(KINDS[kind].interval for kind in found.readings) // timedelta(microseconds=1)
    assert found.span == (NOON - 60_000_000, NOON + 60_000_000 + soon)


def test_doubts_are_those_of_the_file_else_those_that_a_collector_would_have(reads: Reads) -> None:
    found = reads(
        "device_id,ts,tilt,quality",
        "cover,2026-11-21 12:00,400,",
        "cover,2026-11-21 12:01,400,good",
        "cover,2026-11-21 12:02,3,late frozen",
        "cover,2026-11-21 12:03,3,9",
    )
    late_frozen = int(Quality.LATE | Quality.FROZEN)
    assert found.readings["manhole"].quality.tolist() == [int(Quality.IMPLAUSIBLE), 0, late_frozen, late_frozen]


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        (("device_id,tilt", "cover,1"), ["line 1, column ts: this column is required and missing"]),
        (("",), [f"line 1, column {name}: this column is required and missing" for name in ("device_id", "ts")]),
        (
            ("device_id,ts,tlt,ts", "cover,2026-11-21,1,"),
            ["line 1, column ts: this column stands twice", "line 1, column tlt: unknown column; did you mean 'tilt'?"],
        ),
        (
            (
                "device_id,ts,tilt,open_state,water_immersed,quality,laeq",
                "cover,noon,1,,,,",
                "cover,2026-11-21 12:00,steep,,,,",
                "cover,2026-11-21 12:00,nan,,,,",
                "cover,2026-11-21 12:00,1,ajar,,,",
                "cover,2026-11-21 12:00,1,,wet,,",
                "cover,2026-11-21 12:00,1,,,bad,",
                "cover,2026-11-21 12:00,1,,,,60",
                "cover,1970-01-01,1,,,,",
                ",2026-11-21,1,,,,",
                "cover,2026-11-21",
            ),
            [
                (
                    "line 2, column ts: 'noon' is no time: write 2026-11-20T14:30:00+08:00, '2026-11-20 14:30:00' in "
                    "the city's time, or milliseconds since 1970 UTC"
                ),
                "line 3, column tilt: 'steep' is not a number; leave the cell empty where nothing was measured",
                "line 4, column tilt: 'nan' is not a number; leave the cell empty where nothing was measured",
                "line 5, column open_state: 'ajar' is not one of closed, open, missing, unknown",
                "line 6, column water_immersed: 'wet' is neither true nor false",
                (
                    "line 7, column quality: 'bad' is neither bits nor good, late, implausible, replayed, frozen, "
                    "repeated, skewed, several separated by blanks"
                ),
                "line 8, column laeq: a manhole sends none; leave the cell empty",
                "line 9, column ts: '1970-01-01' is not between the years 2000 and 2100",
                "line 10, column device_id: must not be empty",
                "line 11, column -: has 2 fields where the heading has 7",
            ],
        ),
        (("device_id,ts,tilt", 'cover,2026-11-21,"1'), ["line 2, column -: not CSV: unexpected end of data"]),
    ],
)
def test_what_is_wrong_is_named_with_line_and_column(reads: Reads, lines: tuple[str, ...], problems: list[str]) -> None:
    assert sorted(refused(reads, *lines)) == sorted(problems)


def test_what_is_wrong_in_json_lines_is_named_by_its_key(reads: Reads) -> None:
    lines = ('{"device_id": "cover", "ts": "2026-11-21", "tlt": 1}', "[1]", '{"device_id": "cover", "tilt": true}')
    found = refused(reads, *lines, name="readings.jsonl")
    assert [line.split("; ")[0] for line in found] == [
        "line 1, column tlt: unknown column", "line 1, column tlt: a manhole sends none",
        "line 2, column -: not a JSON object: Expected `object`, got `array`",
        ("line 3, column ts: '' is no time: write 2026-11-20T14:30:00+08:00, '2026-11-20 14:30:00' in the city's "
         "time, or milliseconds since 1970 UTC"),
    ]  # fmt: skip


def test_twenty_mistakes_are_enough(reads: Reads) -> None:
    assert len(refused(reads, "device_id,ts,tilt", *["cover,soon,1"] * 50)) == 20


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("readings.txt", b"", "is neither .csv nor .jsonl, nor one of them with .gz"),
        ("readings.csv.gz", b"device_id,ts", "cannot be read: Not a gzipped file"),
        ("readings.csv.gz", gzip.compress(b"device_id,ts\n" * 5, mtime=0)[:-9], "cannot be read: Compressed file"),
        ("readings.csv", "device_id,ts,plate\n井盖,2026,\n".encode("gb18030"), "not UTF-8; save the file as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DescriptionError, match=problem):
        read_file(tmp_path / name, REGISTRY, ZONE, lambda _share: None)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200) | st.text('coverts,012345678-:{}"\n .', max_size=200).map(str.encode))
@pytest.mark.parametrize("name", ["readings.csv", "readings.jsonl"])
def test_whatever_bytes_a_file_has_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(b"device_id,ts,tilt\n" + content if name.endswith("csv") else content)
    with suppress(DescriptionError):
        assert not read_file(path, REGISTRY, ZONE, lambda _share: None).doubles
