"""A Mosquitto as a city has it: the configuration that comes along, certificates, a user for everybody."""

import csv
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cityward import embedded
from devices.broker import Broker
from devices.registry import Registry
from tests.fix_broker import run_mosquitto
from tests.fix_processes import Command
from tests.needing import missing
from tests.waiting import eventually

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "mosquitto" / "mosquitto.conf"
_NEW = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"


@dataclass(frozen=True, slots=True)
class Pem:
    """A certificate and its key."""

    certificate: Path
    key: Path


class Certificates:
    """An authority, the broker's certificate, one of a client, and an authority that nobody trusts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = self._make("authority")
        self.stranger = self._make("stranger")
        signed = ["-CA", str(self.authority.certificate), "-CAkey", str(self.authority.key)]
        signed += ["-addext", "basicConstraints=critical,CA:FALSE"]
        self.broker = self._make("broker", *signed, "-addext", "subjectAltName=IP:127.0.0.1")
        self.elsewhere = self._make("elsewhere", *signed, "-addext", "subjectAltName=IP:127.0.0.2")
        self.client = self._make("client", *signed)

    def _make(self, name: str, *more: str) -> Pem:
        made = Pem(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        files = ["-subj", f"/CN={name}", "-out", str(made.certificate), "-keyout", str(made.key)]
        subprocess.run([*_NEW.split(), *files, *more], check=True, capture_output=True)
        return made


class Guarded:
    """The broker's folder, its process, and who knows which password."""

    def __init__(self, program: str, folder: Path, certificates: Certificates) -> None:
        self._program = program
        self.folder = folder
        self.certificates = certificates
        self.tls = ssl.create_default_context(cafile=certificates.authority.certificate)
        self.passwords: dict[str, str] = {}
        self.for_devices, self.for_services = embedded.free_port(0), embedded.free_port(0)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str, certificate: Pem | None = None) -> None:
        """Start with the configuration that comes along, its paths and ports filled in."""
        shown = certificate or self.certificates.broker
        text = CONFIGURATION.read_text(encoding="utf-8")
        for theirs, ours in {
            "/etc/mosquitto/cityward/broker.crt\n": f"{shown.certificate}\n",
            "/etc/mosquitto/cityward/broker.key\n": f"{shown.key}\n",
            "/etc/mosquitto/cityward/": f"{self.folder}/",
            "/var/lib/mosquitto/": f"{self.folder}/",
            "listener 8883\n": f"listener {self.for_devices} 127.0.0.1\n",
            "listener 8884 127.0.0.1\n": f"listener {self.for_services} 127.0.0.1\n",
        }.items():
            assert theirs in text
            text = text.replace(theirs, ours)
        self._process = run_mosquitto(self._program, self.folder, "\n".join([text, *more]), self.for_services)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def reload(self) -> None:
        assert self._process
        before = self.log().count("Reloading config")
        self._process.send_signal(signal.SIGHUP)
        eventually(lambda: self.log().count("Reloading config") > before, "the broker has reloaded")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def learn(self) -> dict[str, str]:
        """Take the new passwords from passwords.csv, and delete it as whoever hands them out should."""
        path = self.folder / "passwords.csv"
        with path.open(encoding="utf-8", newline="") as file:
            found = {row["user"]: row["password"] for row in csv.DictReader(file)}
        path.unlink()
        self.passwords |= found
        return found

    def as_device(self, user: str, password: str | None = None) -> Broker:
        return Broker("127.0.0.1", self.for_devices, user, password or self.passwords.get(user, ""), tls=True)

    def as_service(self, user: str, password: str | None = None) -> Broker:
        return Broker("127.0.0.1", self.for_services, user, password or self.passwords.get(user, ""), tls=True)

    def settings(self, user: str, password: str | None = None) -> dict[str, str]:
        """The environment of one of Cityward's processes."""
        return {
            "CITYWARD_BROKER_URL": self.as_service(user, password).url,
            "CITYWARD_BROKER_CA": str(self.certificates.authority.certificate),
        }


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if not shutil.which("openssl"):
        missing("openssl", "install Debian's openssl")
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def guarded_but_stopped(
    registry: Registry, command: Command, certificates: Certificates, tmp_path: Path, mosquitto_installed: str
) -> Iterator[Guarded]:
    """Files and passwords for the small city, by the command that an operator uses; the broker is not started."""
    assert registry.devices
    made = Guarded(mosquitto_installed, tmp_path / "guarded", certificates)
    written = command("devices", "acl", "--out", str(made.folder))
    assert written.code == 0, written.err
    made.learn()
    yield made
    made.stop()


@pytest.fixture
def guarded(guarded_but_stopped: Guarded) -> Guarded:
    guarded_but_stopped.start()
    return guarded_but_stopped
