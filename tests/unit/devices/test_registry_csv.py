"""A registry in CSV: good files are read whole, bad ones are refused whole with every fault in its place."""

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.device import Description
from devices.errors import DescriptionError
from devices.kind import LimitChange, load_kinds
from devices.registry_csv import OPTIONAL, REQUIRED, read_registry
from devices.topics import is_level

KINDS = load_kinds()
HEADING = "device_id,kind,name,district,lon,lat"
# What a Chinese input method types instead of 420103001001001.
WIDE_GRID = "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in "420103001001001")
COVER = "c-1,manhole,Cover 1,east,114.3,30.6"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


def read(folder: Path, content: str | bytes) -> list[Description]:
    path = folder / "devices.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_registry(path, KINDS, units=["water", "roads"], districts=["east", "west"])


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


def problems(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(DescriptionError) as wrong:
        read(folder, content)
    assert wrong.value.source == str(folder / "devices.csv")
    return wrong.value.problems


def test_a_limit_may_change_on_a_day(folder: Path) -> None:
    heading, meter = f"{HEADING},limit.night", "n-1,noise,Station,east,114.3,30.6"
    (both,) = read(folder, lines(heading, f"{meter},55; 50 from 2026-07-01 (GB 12523-2025);45 from 2027-01-01"))
    assert both.limits == {"night": 55}
    assert both.limit_changes == {
        "night": (LimitChange(date(2026, 7, 1), 50, standard_ref="GB 12523-2025"), LimitChange(date(2027, 1, 1), 45))
    }
    (later,) = read(folder, lines(heading, f"{meter},50 from 2026-07-01"))
    assert (later.limits, later.limit_changes) == ({}, {"night": (LimitChange(date(2026, 7, 1), 50),)})


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("55; 50", "'50' is no change of a limit; write '50 from 2027-01-01'"),
        ("55; 50 from July", "'50 from July' is no change of a limit"),
        ("55; many from 2027-01-01", "'many' is not a number"),
        ("loud; 50 from 2027-01-01", "'loud' is not a number"),
        ("55; 50 from 2027-01-01; 45 from 2026-01-01", "2026-01-01 does not come after 2027-01-01"),
    ],
)
def test_a_change_that_cannot_be_is_named(folder: Path, cell: str, problem: str) -> None:
    (found,) = problems(folder, lines(f"{HEADING},limit.night", f"n-1,noise,Station,east,114.3,30.6,{cell}"))
    assert problem in str(found)


def test_a_good_file_becomes_descriptions(folder: Path) -> None:
    content = lines(
        f"{HEADING},grid,road,road_class,component_class,supervisor,owner,maintainer,circuit,"
        "limit.tilt,limit.night,attr.well_depth,attr.noise_zone",
        'c-1,manhole,"Cover 1, gate side",east,114.3,30.6,420103001001001,Main Road,main,0102,roads,water,water,,'
        "20,,4.5,",
        "n-1,noise,噪声 1,west,-114.25,-30,,,,,,,,K7,,52,,4a",
    )
    assert read(folder, content) == [
        Description(
            device_id="c-1",
            kind="manhole",
            name="Cover 1, gate side",
            district="east",
            lon=114.3,
            lat=30.6,
            grid="420103001001001",
            road="Main Road",
            road_class="main",
            component_class="0102",
            supervisor="roads",
            owner="water",
            maintainer="water",
            limits={"tilt": 20},
            attributes={"well_depth": 4.5},
        ),
        Description(
            device_id="n-1",
            kind="noise",
            name="噪声 1",
            district="west",
            lon=-114.25,
            lat=-30,
            circuit="K7",
            limits={"night": 52},
            attributes={"noise_zone": "4a"},
        ),
    ]


@pytest.mark.parametrize(
    "content",
    [
        lines(HEADING, COVER).encode("utf-8-sig"),
        lines(HEADING, COVER).replace("\n", "\r\n"),
        lines(HEADING, COVER).rstrip(),
        lines(HEADING, "", COVER, ""),
        lines("lat,lon,district,name,kind,device_id", "30.6,114.3,east,Cover 1,manhole,c-1"),
        lines(HEADING, " c-1 ,manhole , Cover 1,east,114.3, 30.6"),
        lines(HEADING, '"c-1","manhole","Cover 1","east","114.3","30.6"'),
    ],
    ids=["byte order mark", "CRLF", "no last line end", "blank lines", "other order", "blanks", "quotes"],
)
def test_spreadsheets_write_the_same_file_in_many_ways(folder: Path, content: str | bytes) -> None:
    cover = Description(device_id="c-1", kind="manhole", name="Cover 1", district="east", lon=114.3, lat=30.6)
    assert read(folder, content) == [cover]


def test_a_file_with_headings_alone_has_no_devices(folder: Path) -> None:
    assert read(folder, HEADING) == []


@pytest.mark.parametrize(
    ("column", "cell", "complaint"),
    [
        ("device_id", "", "must not be empty"),
        ("name", "", "must not be empty"),
        ("lon", "", "must not be empty"),
        ("kind", "fountain", "unknown kind 'fountain'; installed are bridge, fume, manhole, noise, streetlight"),
        ("device_id", "a/b", "'a/b' cannot be part of an MQTT topic"),
        ("device_id", "a" * 65, "cannot be part of an MQTT topic"),
        ("district", "ea+st", "'ea+st' cannot be part of an MQTT topic"),
        ("district", "north", "unknown district 'north'; add it to the city file"),
        ("lon", "114,3", "'114,3' is not a number"),
        ("lon", "180.5", "180.5 is not between -180 and 180"),
        ("lat", "-91", "-91 is not between -90 and 90"),
        ("lat", "nan", "nan is not between -90 and 90"),
        ("lat", "1e999", "inf is not between -90 and 90"),
        ("grid", "42010300100100", "'42010300100100' is not a unit grid of 15 digits"),
        ("grid", "42010300100100a", "is not a unit grid of 15 digits"),
        ("grid", WIDE_GRID, "is not a unit grid of 15 digits"),
        ("supervisor", "gas", "unknown unit 'gas'; add it to the city file"),
        ("owner", "gas", "unknown unit 'gas'"),
        ("maintainer", "gas", "unknown unit 'gas'"),
        ("limit.tilt", "steep", "'steep' is not a number"),
        ("limit.tilt", "inf", "inf is not between"),
        ("limit.night", "50", "a manhole has no limit 'night'; leave the cell empty"),
        ("attr.noise_zone", "2", "a manhole has no attribute 'noise_zone'; leave the cell empty"),
        ("attr.well_depth", "0.2", "0.2 is not between 0.3 and 30"),
        ("attr.well_depth", "deep", "'deep' is not a number"),
        ("attr.cover_type", "round", "'round' is not one of six_proof, hidden, old"),
        ("name", "Cover\x001", "holds a NUL character"),
        ("name", "Cover\x1e1", "holds the control character 0x1E or 0x1F"),
        ("road", "Main\x1fRoad", "holds the control character 0x1E or 0x1F"),
    ],
)
def test_a_wrong_cell_is_named_by_line_and_column(folder: Path, column: str, cell: str, complaint: str) -> None:
    good = {**dict(zip(HEADING.split(","), COVER.split(","), strict=True)), column: ""}
    text = io.StringIO()
    table = csv.DictWriter(text, good)
    table.writeheader()
    table.writerow({**good, "device_id": "c-0", column: good[column] or own_value(column)})
    table.writerow({**good, column: cell})
    [problem, *others] = problems(folder, text.getvalue())
    assert problem.startswith(f"line 3, column {column}: ")
    assert complaint in problem
    assert all(other.startswith(f"line 3, column {column}: ") for other in others)


@pytest.mark.parametrize("cell", ["9:30", "24:01", "9am", "0930", "25:00", "12:60"])
def test_opening_hours_that_are_no_times_of_day_are_named_by_line_and_column(folder: Path, cell: str) -> None:
    content = lines(
        f"{HEADING},attr.business_open,attr.business_close", f"k-1,fume,Noodles,east,114.3,30.6,06:00,{cell}"
    )
    [problem] = problems(folder, content)
    assert problem.startswith(f"line 2, column attr.business_close: {cell!r} is no time of day; write HH:MM from 00:00")


def test_a_kitchen_may_close_at_the_end_of_the_day(folder: Path) -> None:
    content = lines(f"{HEADING},attr.business_open,attr.business_close", "k-1,fume,Noodles,east,114.3,30.6,06:00,24:00")
    assert read(folder, content)[0].attributes == {"business_open": "06:00", "business_close": "24:00"}


@pytest.mark.parametrize("cell", ["17:30", "17:30-23", "17:30-23:00;05:00-06:00", "23:60-24:00"])
def test_a_timetable_that_has_no_spans_is_named_by_line_and_column(folder: Path, cell: str) -> None:
    [problem] = problems(folder, lines(f"{HEADING},attr.timetable", f'l-1,streetlight,Lamp,east,114.3,30.6,"{cell}"'))
    assert problem == (
        f"line 2, column attr.timetable: {cell!r} are no hours; write HH:MM-HH:MM, several separated by commas"
    )


def own_value(column: str) -> str:
    """What stands in the line above, which is right."""
    return dict(zip(HEADING.split(","), COVER.replace("c-1", "c-0").split(","), strict=True)).get(column, "")


def test_every_fault_of_a_file_is_listed_at_once_and_nothing_is_returned(folder: Path) -> None:
    content = lines(
        f"{HEADING},owner,limit.tilt",
        f"{COVER},water,20",
        "c-2,manhole,,north,east,30.6,gas,steep",
        "c-1,fountain,Cover 3,east,114.3,99,water,",
    )
    assert [problem.split(": ")[0] for problem in problems(folder, content)] == [
        "line 3, column name",
        "line 3, column lon",
        "line 3, column district",
        "line 3, column owner",
        "line 3, column limit.tilt",
        "line 4, column lat",
        "line 4, column device_id",
        "line 4, column kind",
    ]


def test_a_device_stands_once_in_a_file(folder: Path) -> None:
    content = lines(HEADING, COVER, COVER.replace("c-1", "c-2"), COVER)
    assert problems(folder, content) == ["line 4, column device_id: 'c-1' stands already in line 2"]


def test_two_rows_without_an_id_are_not_the_same_device(folder: Path) -> None:
    nameless = COVER.removeprefix("c-1")
    assert problems(folder, lines(HEADING, nameless, nameless)) == [
        "line 2, column device_id: must not be empty",
        "line 3, column device_id: must not be empty",
    ]


@pytest.mark.parametrize("row", [f"{COVER},1", COVER.rpartition(",")[0], "c-1", " "])
def test_a_row_has_as_many_fields_as_the_heading(folder: Path, row: str) -> None:
    [problem] = problems(folder, lines(HEADING, COVER.replace("c-1", "c-0"), row))
    assert problem.startswith("line 3, column -: ")


def test_lines_are_counted_as_editors_do_past_blank_lines_and_cells_of_several_lines(folder: Path) -> None:
    two_lines = COVER.replace("Cover 1", '"Cover\n1"')
    wrong = COVER.replace("30.6", "99")
    content = lines(HEADING, "", "", two_lines, wrong.replace("c-1", "c-2"), "", wrong.replace("c-1", "c-3"))
    assert [problem.split(":")[0] for problem in problems(folder, content)] == [
        "line 6, column lat",
        "line 8, column lat",
    ]


def test_missing_columns_are_all_named(folder: Path) -> None:
    expected = [f"line 1, column {name}: this column is required and missing" for name in REQUIRED]
    assert problems(folder, "") == expected
    assert problems(folder, "device_id,kind,name,district,lon\n") == expected[-1:]


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("limit.tild", "; did you mean 'limit.tilt'?"),
        ("attr.noise-zone", "; did you mean 'attr.noise_zone'?"),
        ("Grid", "; did you mean 'grid'?"),
        ("xyzzy", ""),
    ],
)
def test_an_unknown_column_gets_the_nearest_known_one(folder: Path, column: str, hint: str) -> None:
    content = lines(f"{HEADING},{column}", f"{COVER},1")
    assert problems(folder, content) == [f"line 1, column {column}: unknown column{hint}"]


def test_a_column_stands_once_in_a_file(folder: Path) -> None:
    found = problems(folder, lines(f"{HEADING},grid,grid", f"{COVER},,"))
    assert set(found) == {"line 1, column grid: this column stands twice"}


def test_a_file_of_another_encoding_says_at_which_byte(folder: Path) -> None:
    content = lines(HEADING, COVER.replace("Cover 1", "井盖"))
    at = content.encode("gb18030").index("井盖".encode("gb18030"))
    assert problems(folder, content.encode("gb18030")) == [f"byte {at}: not UTF-8; save the file as UTF-8"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="cannot be read: No such file") as wrong:
        read_registry(tmp_path / "devices.csv", KINDS, units=[], districts=[])
    assert wrong.value.source == str(tmp_path / "devices.csv")


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (COVER.replace("Cover 1", f'"{"x" * 200_000}"'), "field larger than field limit"),
        (COVER.replace("Cover 1", '"Cover 1'), "unexpected end of data"),
        (COVER.replace("Cover 1", '"Cover" 1'), "expected after"),
        ('"', "unexpected end of data"),
    ],
)
def test_what_is_not_csv_names_its_line(folder: Path, row: str, complaint: str) -> None:
    [problem] = problems(folder, lines(HEADING, COVER.replace("c-1", "c-0"), row, COVER.replace("c-1", "c-2")))
    assert problem.startswith("line 3, column -: not CSV: ")
    assert complaint in problem


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])).map(str.strip)
IDS = NAMES.map(lambda text: text[:64].strip()).filter(is_level)
DESCRIPTIONS = st.builds(
    Description,
    device_id=IDS,
    kind=st.just("manhole"),
    name=NAMES.filter(bool),
    district=st.sampled_from(["east", "west"]),
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    road=NAMES,
    circuit=NAMES,
    owner=st.sampled_from(["", "water", "roads"]),
    limits=st.dictionaries(st.sampled_from(["tilt", "flip", "ch4"]), st.floats(-1e9, 1e9)),
    attributes=st.fixed_dictionaries(
        {},
        optional={"well_depth": st.floats(0.3, 30), "cover_type": st.sampled_from(["hidden", "old"])},
    ),
)


@settings(max_examples=60)
@given(st.lists(DESCRIPTIONS, max_size=4, unique_by=lambda device: device.device_id))
def test_what_is_written_is_read(folder: Path, devices: list[Description]) -> None:
    columns = [*REQUIRED, *OPTIONAL, "limit.tilt", "limit.flip", "limit.ch4", "attr.well_depth", "attr.cover_type"]
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="")
    table.writeheader()
    for device in devices:
        fields: dict[str, Any] = {name: getattr(device, name) for name in (*REQUIRED, *OPTIONAL)}
        fields |= {f"limit.{name}": value for name, value in device.limits.items()}
        fields |= {f"attr.{name}": value for name, value in device.attributes.items()}
        table.writerow(fields)
    assert read(folder, text.getvalue()) == devices


CELLS = st.sampled_from(
    ["c-1", "manhole", "noise", "east", "114.3", "1e999", "nan", '"', '""', '"a\n"', "\0", "\r", "", "-", WIDE_GRID]
)
ROWS = st.lists(CELLS, min_size=5, max_size=7).map(",".join) | st.just(COVER) | st.text(max_size=12)
FILES = st.lists(ROWS, max_size=4).map(lambda rows: lines(HEADING, *rows).encode())


@settings(max_examples=400)
@given(FILES | st.binary() | st.text().map(str.encode))
@example(b"\xef\xbb\xbf")
@example(b"\0")
@example(b'"')
@example(f"{HEADING},{'x' * 200_000}".encode())
def test_any_bytes_are_a_registry_or_refused_with_reasons(folder: Path, content: bytes) -> None:
    devices, faults = [], None
    try:
        devices = read(folder, content)
    except DescriptionError as wrong:
        faults = wrong.problems
    assert faults != []
    assert all(is_level(device.device_id) and device.district == "east" for device in devices)
    assert not any("\0" in device.name for device in devices)
