"""The console as a process."""

import threading

import uvicorn

from cityward import wiring
from cityward.cli.context import CommandError
from cityward.clock import Clock
from cityward.console_upkeep import Upkeep
from cityward.explanation import explanation
from cityward.metrics import ConsoleMetrics
from cityward.metrics import serve as serve_metrics
from cityward.rulebook import Rulebook
from cityward.settings import Settings
from console.app import create_app
from console.context import Context
from console.counting import Counted
from console.defaults import GUESTS_SHARE
from console.limits import Limits
from console.signing import Signing
from storage import console_store, registry_store
from storage.pool import Pool

CONNECTIONS = 16
GRACE = 5  # seconds for answers that are on their way


def serve(settings: Settings, url: str, clock: Clock, stop: threading.Event) -> None:
    """Answer until told to stop: by ``stop``, or by a signal.

    Raises:
        CommandError: where nobody can listen there.
    """
    metrics = ConsoleMetrics.create()
    serve_metrics(metrics.registry, settings)
    with Pool(url, size=CONNECTIONS, name="cityward console") as pool:
        kinds = wiring.kinds(settings)
        book = Rulebook(settings, kinds)
        with pool.connection() as connection:
            revision = registry_store.revision(connection)
            practice = wiring.practice(registry_store.load_city(connection), book.rules, kinds)
            key = console_store.signing_key(connection, clock.now())
        context = Context(
            pool,
            clock,
            practice,
            kinds,
            book.by_id,
            Signing(key),
            settings.language,
            lambda connection, alarm: explanation(connection, kinds, alarm),
            secure=settings.console_https,
            limits=Limits(settings.console_rate),
            guests=Limits(settings.console_rate / GUESTS_SHARE),
            map_style=settings.console_map_style,
            entry=settings.console_entry.get_secret_value(),
            report_within_m=settings.report_within_m,
        )
        app = create_app(context)
        configured = uvicorn.Config(
            Counted(app, metrics.count),
            host=settings.console_host,
            port=settings.console_port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.console_proxy),
            forwarded_allow_ips=settings.console_proxy,
            timeout_graceful_shutdown=GRACE,
        )
        server = uvicorn.Server(configured)
        threading.Thread(target=_end, args=(server, stop), daemon=True).start()
        upkeep = threading.Thread(target=Upkeep(app, book, revision).keep, args=(stop,))
        upkeep.start()
        try:
            server.run()
        except SystemExit as error:  # its last words stand above
            where = f"{settings.console_host}:{settings.console_port}"
            raise CommandError(f"no console at {where}: end what listens there, or set console_port") from error
        finally:
            stop.set()
            upkeep.join()


def _end(server: uvicorn.Server, stop: threading.Event) -> None:
    stop.wait()
    server.should_exit = True
