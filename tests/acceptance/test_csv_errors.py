"""Importing files at a prompt: everything that is wrong is said at once, and nothing is half-imported."""

from pathlib import Path

import pytest
from psycopg import Connection

from cityward.clock import Clock
from devices.broker import Broker
from devices.registry import Registry
from storage.overview import ledger
from tests.fix_broker import one_broker
from tests.fix_city import CITY, DEVICES, payload, plain_client
from tests.fix_processes import Command, Starter
from tests.waiting import eventually

HEADINGS = "device_id,kind,name,district,lon,lat,grid,owner,limit.tilt,attr.well_depth,attr.noise_zone"


def devices(connection: Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM device").fetchone() or (0,)
    return int(count)


@pytest.mark.usefixtures("registry")
def test_every_wrong_cell_of_a_registry_is_named_by_line_and_column_and_nothing_is_imported(
    connection: Connection, command: Command, tmp_path: Path
) -> None:
    before = devices(connection)
    path = tmp_path / "bad.csv"
    path.write_text(
        f"""{HEADINGS}
4201020102000101,manhole,Fine,east,114.3,30.5,,,,,
4201020102000102,manhole,,east,114.3,30.5,,,,,
a/b,manhole,Slash,east,114.3,30.5,,,,,
4201020102000104,toaster,Kind,east,114.3,30.5,,,,,
4201020102000105,manhole,Place,north,214.3,east,,,,,
4201020102000106,manhole,Grid,east,114.3,30.5,42010,,,,
4201020102000107,manhole,Owner,east,114.3,30.5,,nobody,,,
4201020102000108,manhole,Numbers,east,114.3,30.5,,,steep,99,
4201020102000109,manhole,Other kind,east,114.3,30.5,,,,,2
4201020102000110,noise,Zone,east,114.3,30.5,,,,,7
4201020102000101,manhole,Twice,east,114.3,30.5,,,,,
4201020102000112,manhole,Short,east
""",
        encoding="utf-8",
    )
    refused = command("devices", "import", str(path))
    assert refused.code == 1
    assert refused.out == ""
    said = refused.err.splitlines()
    wrong = [(3, "name"), (4, "device_id"), (5, "kind"), (6, "lon"), (6, "lat"), (6, "district"), (7, "grid"),
             (8, "owner"), (9, "limit.tilt"), (9, "attr.well_depth"), (10, "attr.noise_zone"), (11, "attr.noise_zone"),
             (12, "device_id"), (13, "-")]  # fmt: skip
    for line, column in wrong:
        assert [each for each in said if f"{path}: line {line}, column {column}: " in each], (line, column)
    assert len(said) == len(wrong)
    assert "Traceback" not in refused.err
    assert devices(connection) == before


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"device_id,kind,nam,district,lon,lat\n", "line 1, column nam: unknown column; did you mean 'name'?"),
        (HEADINGS.encode() + "\n1,manhole,井盖,east,1,1\n".encode("gbk"), "not UTF-8; save the file as UTF-8"),
        (b"", "line 1, column device_id: this column is required and missing"),
    ],
    ids=["heading", "encoding", "empty"],
)
def test_a_file_that_is_no_registry_says_why(
    connection: Connection, command: Command, tmp_path: Path, content: bytes, said: str
) -> None:
    before = devices(connection)
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    refused = command("devices", "import", str(path))
    assert (refused.code, refused.out) == (1, "")
    assert said in refused.err
    assert devices(connection) == before


def test_every_wrong_key_of_a_city_is_named_and_nothing_is_imported(
    connection: Connection, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "city.toml"
    text = CITY.read_text(encoding="utf-8")
    for good, bad in [
        ('timezone = "Asia/Shanghai"', 'timezone = "Asia/Wuhan"'),
        ('fallback = "west-cg"', 'fallback = "nobody"'),
        ('en = "Bridge office", ', ""),
        ('"0118" = "lighting"', '"118" = "lighting"'),
        ("holidays = []", 'holidays = []\nfestivals = ["2027-02-06"]'),
    ]:
        assert good in text
        text = text.replace(good, bad)
    path.write_text(text + '\n[deadlines.MH-01]\nfix = "2 hours"\n', encoding="utf-8")
    refused = command("city", "import", str(path))
    assert (refused.code, refused.out) == (1, "")
    for said in (
        "Asia/Wuhan",
        "'nobody' is not among [units]",
        "units.bridges.name",
        "'118'",
        "festivals",
        "'2 hours'",
    ):
        assert [line for line in refused.err.splitlines() if f"{path}: " in line and said in line], said
    assert "Traceback" not in refused.err
    assert connection.execute("SELECT (SELECT count(*) FROM city), (SELECT count(*) FROM unit)").fetchone() == (0, 0)


def test_a_deadline_for_a_rule_that_no_pack_has_is_named(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    deadlines = "".join(f'[deadlines.{rule}]\nfix = "2h urgent"\n' for rule in ("MH-01", "MH-99", "AM-01"))
    path.write_text(CITY.read_text(encoding="utf-8") + "\n" + deadlines, encoding="utf-8")
    imported = command("city", "import", str(path))
    assert (imported.code, imported.err) == (0, "")
    assert [line for line in imported.out.splitlines() if line.startswith("deadlines.")] == [
        "deadlines.MH-99: no pack has such a rule, so this changes nothing; see cityward rules list"
    ]


def test_a_city_that_is_not_toml_is_named_with_the_place(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text('name = { en = "Testburg"\n', encoding="utf-8")
    refused = command("city", "import", str(path))
    assert refused.code == 1
    assert f"{path}: " in refused.err
    assert "line 1" in refused.err


def test_devices_without_a_city_are_told_what_comes_first(command: Command) -> None:
    refused = command("devices", "import", str(DEVICES))
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "cityward: the database holds no city yet: run cityward city import <city.toml>\n"


@one_broker
def test_devices_imported_while_a_collector_runs_are_known_to_it_within_seconds(
    connection: Connection, registry: Registry, broker: Broker, start: Starter, command: Command, tmp_path: Path
) -> None:
    collector = start("collect")
    collector.says("collecting")
    path = tmp_path / "new.csv"
    path.write_text("device_id,kind,name,district,lon,lat\n4201020102777777,manhole,New,east,114.3,30.5\n")
    imported = command("devices", "import", str(path))
    assert (imported.code, imported.out) == (0, "1 device registered.\n")
    collector.says("reloading")
    collector.says("collecting ", times=2)
    with plain_client(broker) as cover:
        cover.publish("city/east/manhole/4201020102777777/up", payload(Clock().now(), tilt=1))
    eventually(lambda: ledger(connection).received == 1, "received")
    assert ledger(connection).stored == 1
    listed = command("devices", "list", "--kind", "manhole")
    assert listed.code == 0
    assert "4201020102777777" in listed.out
    assert str(len(registry.all_of("manhole")) + 1) in listed.out.splitlines()[0]
