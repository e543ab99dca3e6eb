"""From a device that sends to a row of the registry."""

from pathlib import Path

import pytest

from devices.errors import DescriptionError
from devices.kind import load_kinds
from devices.registry_csv import read_registry, read_row
from devices.skeleton import component_class, skeleton
from devices.topics import DeviceTopic

KINDS = load_kinds()
UNITS, DISTRICTS = {"drainage"}, {"east"}
ROW = {"device_id": "a-1", "kind": "manhole", "name": "Cover", "district": "east", "lon": "114.3", "lat": "30.6"}


@pytest.mark.parametrize(
    ("device_id", "kind", "stated"),
    [
        ("4201020102000001", "manhole", "0102"),
        ("4201020102000001", "noise", ""),
        ("4201029999000001", "manhole", ""),
        ("420102010200001", "manhole", ""),
        ("42010201020000ab", "manhole", ""),
        ("４201020102000001", "manhole", ""),  # noqa: RUF001 - a full-width digit
        ("4201020102000001", "teapot", ""),
    ],
)
def test_a_component_code_states_its_class(device_id: str, kind: str, stated: str) -> None:
    assert component_class(device_id, KINDS.get(kind)) == stated


def test_a_skeleton_holds_what_is_known_and_columns_for_the_rest() -> None:
    cover_topic = DeviceTopic("east", "manhole", "4201020102000001", "up")
    text = skeleton([cover_topic, DeviceTopic("east", "noise", 'n "1", b', "up")], KINDS)
    heading, cover, meter = text.splitlines()
    columns = heading.split(",")
    assert {"name", "lon", "lat", "owner", "attr.noise_zone"} <= set(columns)
    assert "attr.rated_power" not in columns
    named = {name: cell for name, cell in zip(columns, cover.split(","), strict=True) if cell}
    assert named == {
        "device_id": "4201020102000001", "kind": "manhole", "district": "east", "component_class": "0102",
    }  # fmt: skip
    assert meter.startswith('"n ""1"", b",noise,,east')


def test_a_skeleton_as_it_is_cannot_be_imported_and_says_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "devices.csv"
    file.write_text(skeleton([DeviceTopic("east", "manhole", "a-1", "up")], KINDS), encoding="utf-8-sig")
    with pytest.raises(DescriptionError) as refused:
        read_registry(file, KINDS, units=UNITS, districts=DISTRICTS)
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [
        f"line 2, column {name}" for name in ("name", "lon", "lat")
    ]


def test_a_completed_skeleton_is_a_registry_file(tmp_path: Path) -> None:
    file = tmp_path / "devices.csv"
    text = skeleton([DeviceTopic("east", "manhole", "a-1", "up")], KINDS)
    file.write_text(text.replace("a-1,manhole,,east,,", "a-1,manhole,盖,east,114.3,30.6"), encoding="utf-8-sig")
    (device,) = read_registry(file, KINDS, units=UNITS, districts=DISTRICTS)
    assert (device.device_id, device.name, device.lon, device.lat) == ("a-1", "盖", 114.3, 30.6)


def test_a_row_of_its_own_is_read_as_a_row_of_a_file_is() -> None:
    cells = {**ROW, "owner": "drainage", "limit.tilt": "12", "component_class": "0102"}
    device = read_row(cells, KINDS, units=UNITS, districts=DISTRICTS)
    assert (device.device_id, device.kind, device.owner, device.limits) == ("a-1", "manhole", "drainage", {"tilt": 12})


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({"lon": "200"}, "lon: 200 is not between -180 and 180"),
        ({"name": " "}, "name: must not be empty"),
        ({"owner": "nobody"}, "owner: unknown unit 'nobody'; add it to the city file"),
        ({"district": "north"}, "district: unknown district 'north'; add it to the city file"),
        ({"attr.noise_zone": "2"}, "attr.noise_zone: a manhole has no attribute 'noise_zone'; leave the cell empty"),
        ({"limit.tillt": "2"}, "limit.tillt: unknown column; did you mean 'limit.tilt'?"),
    ],
)
def test_what_is_wrong_with_a_row_of_its_own_names_the_column(cell: dict[str, str], said: str) -> None:
    with pytest.raises(DescriptionError) as refused:
        read_row({**ROW, **cell}, KINDS, units=UNITS, districts=DISTRICTS)
    assert said in refused.value.problems


def test_all_that_is_wrong_with_a_row_of_its_own_is_listed_at_once() -> None:
    with pytest.raises(DescriptionError) as refused:
        read_row({**ROW, "lat": "x", "lon": "", "grid": "1"}, KINDS, units=UNITS, districts=DISTRICTS)
    assert len(refused.value.problems) == 3
