"""The way of somebody new: what the tutorials tell to type works, and shows what stands there."""

import tomllib
from pathlib import Path

from cases.city import read_city
from cityward import embedded
from tests.documents import TUTORIALS
from tests.walking import Walker


def test_a_newcomers_own_device_ends_as_a_case_and_so_does_his_own_rule(dsn: str, tmp_path: Path) -> None:
    port, desk = embedded.free_port(0), embedded.free_port(0)
    settings = {
        "CITYWARD_DATABASE_URL": dsn,  # the embedded one takes its time to be made
        "CITYWARD_BROKER_URL": f"mqtt://127.0.0.1:{port}",
        "CITYWARD_CONSOLE_PORT": str(desk),
        "CITYWARD_DESK": f"http://127.0.0.1:{desk}",
    }
    with Walker(tmp_path, settings, port) as newcomer:
        for page in TUTORIALS:
            newcomer.reads(page)
    file = tmp_path / "my-city" / "city.toml"
    city = read_city(tomllib.loads(file.read_text(encoding="utf-8")), str(file))
    assert city.deadlines.keys() == {"MH-01"}
