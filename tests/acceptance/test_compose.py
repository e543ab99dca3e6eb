"""The compose file: what it sets is what Cityward reads, and what it starts first does what the others need."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

from cityward.settings import Settings
from tests.documents import COMMENT, PAGES, blocks
from tests.needing import missing

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
SETTINGS = {f"CITYWARD_{name.upper()}" for name in Settings.model_fields}


def composed() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def filled() -> str:
    """The example with something in every field that has no default."""
    return re.sub(r"^(\w+_PASSWORD)=$", r"\1=x", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def compose() -> list[str]:
    """The program, whichever generation is installed."""
    program = shutil.which("docker-compose")
    if program is None:
        missing("docker-compose", "install Debian's docker-compose")
    return [program]


def test_compose_finds_nothing_wrong_and_says_what_is_missing(tmp_path: Path) -> None:
    environment = tmp_path / "env"
    environment.write_text(filled(), encoding="utf-8")
    base = {name: value for name, value in os.environ.items() if not name.endswith("_PASSWORD")}
    command = [*compose(), "--file", str(FILE), "--env-file"]
    clean = subprocess.run(
        [*command, str(environment), "config"], env=base, capture_output=True, text=True, check=False
    )
    assert clean.returncode == 0, clean.stderr
    empty = tmp_path / "empty"
    empty.touch()
    bare = subprocess.run([*command, str(empty), "config"], env=base, capture_output=True, text=True, check=False)
    assert bare.returncode != 0
    assert "see .env.example" in bare.stderr


def test_every_setting_in_the_file_is_one_that_cityward_has() -> None:
    named = set(re.findall(r"CITYWARD_[A-Z_]+", FILE.read_text(encoding="utf-8")))
    assert named
    assert named <= SETTINGS, "not in cityward settings"


def test_every_setting_in_the_documents_is_one_that_cityward_has() -> None:
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    tests_only = {"CITYWARD_TEST_DSN", "CITYWARD_REQUIRE_SERVICES", "CITYWARD_PICTURES"}
    for path in texts:
        named = set(re.findall(r"CITYWARD_[A-Z]+(?:_[A-Z]+)*", path.read_text(encoding="utf-8"))) - tests_only
        assert named <= SETTINGS, path.name


def test_every_service_in_the_documents_is_one_of_the_file() -> None:
    lines = [line for page in PAGES for _, _, shown in blocks(page) for line in shown if line.startswith("docker ")]
    assert lines
    for line in lines:
        words = shlex.split(re.sub(r"--(volume|signal|profile) \S+", "", COMMENT.sub("", line)))
        _docker, _compose, verb, *named = [word for word in words if not word.startswith("-")]
        services = named[:1] if verb in {"run", "exec"} else named
        assert set(services) <= composed()["services"].keys(), line


def test_the_example_names_every_variable_of_the_file_and_no_other() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", FILE.read_text(encoding="utf-8")))
    given = set(re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert used | {"COMPOSE_PROJECT_NAME"} == given


def test_the_image_is_built_of_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{package}" for package in packages} <= set(let_in)


def test_images_are_pinned_and_services_bounded() -> None:
    for name, service in composed()["services"].items():
        assert re.search(r":v?\d+\.\d+", service["image"]), name
        assert "logging" in service, name
        if service["restart"] != "no":
            assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
            assert "healthcheck" in service, name


def test_what_tells_people_outside_has_a_way_there() -> None:
    networks = {name for name, network in composed()["networks"].items() if not network.get("internal")}
    assert networks & set(composed()["services"]["dispatch"]["networks"]), "webhooks and mail leave from the dispatcher"


def test_the_broker_of_the_containers_differs_from_the_documented_one_in_two_lines(tmp_path: Path) -> None:
    original, made = ROOT / "deploy/mosquitto/mosquitto.conf", tmp_path / "mosquitto.conf"
    script = composed()["services"]["broker"]["command"].removeprefix('sh -c "').split(" && exec")[0]
    script = script.replace("/etc/mosquitto/mosquitto.conf", str(original)).replace("/tmp/mosquitto.conf", str(made))  # noqa: S108
    subprocess.run(["sh", "-c", script], check=True)
    before, after = (path.read_text(encoding="utf-8").splitlines() for path in (original, made))
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [
        ("listener 8884 127.0.0.1", "listener 8884"),
        ("persistence_location /var/lib/mosquitto/", "persistence_location /mosquitto/data/"),
    ]


def test_the_first_start_can_be_repeated_and_gives_services_their_passwords(dsn: str, tmp_path: Path) -> None:
    identity = tmp_path / "identity"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CITYWARD_DATABASE_URL": dsn,
        "IDENTITY": str(identity),
        "CITY": str(ROOT / "simulators/cities/demo/city.toml"),
        "COLLECTOR_PASSWORD": "one",
        "DISPATCHER_PASSWORD": "two",
    }
    subprocess.run([ROOT / "deploy/first-start"], env=environment, check=True, capture_output=True)
    first = (identity / "passwd").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in first] == ["collector", "dispatcher"]
    assert "user collector" in (identity / "acl").read_text(encoding="utf-8")
    assert not (identity / "passwords.csv").exists(), "nobody else was given a password"
    assert "pretend-city" not in (identity / "acl").read_text(encoding="utf-8")
    environment |= {"PRETEND_CITY_PASSWORD": "three", "CITY": str(tmp_path / "gone.toml")}
    subprocess.run([ROOT / "deploy/first-start"], env=environment, check=True, capture_output=True)
    again = (identity / "passwd").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in again] == ["collector", "dispatcher", "pretend-city"]
    assert "user pretend-city" in (identity / "acl").read_text(encoding="utf-8")


def test_certificates_are_made_once_a_year_and_carry_every_name(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        missing("openssl", "install Debian's openssl")
    script = ROOT / "deploy/certificates"
    subprocess.run([script, tmp_path, "broker.example.org", "localhost", "10.0.0.7"], check=True, capture_output=True)
    made = (tmp_path / "broker.crt").read_bytes()
    shown = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "broker.crt", "-noout", "-ext", "subjectAltName"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "DNS:broker.example.org, DNS:localhost, IP Address:10.0.0.7" in shown.stdout
    subprocess.run(["openssl", "verify", "-CAfile", tmp_path / "ca.crt", tmp_path / "broker.crt"], check=True)
    subprocess.run([script, tmp_path, "other"], check=True)
    assert (tmp_path / "broker.crt").read_bytes() == made
    assert (tmp_path / "broker.key").stat().st_mode & 0o077 == 0
    authority = (tmp_path / "ca.crt").read_bytes()
    for days, renewed in (("61", False), ("59", True)):
        self_signed = f"openssl req -x509 -newkey ed25519 -nodes -keyout /dev/null -days {days} -subj /CN=old"
        old = subprocess.run(self_signed.split(), check=True, capture_output=True).stdout
        (tmp_path / "broker.crt").write_bytes(old)
        subprocess.run([script, tmp_path, "broker.example.org"], check=True, capture_output=True)
        assert ((tmp_path / "broker.crt").read_bytes() != old) == renewed, days
    assert (tmp_path / "ca.crt").read_bytes() == authority, "devices keep the one that they have"
