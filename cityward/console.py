"""The console as a process."""

import threading
from datetime import timedelta

import uvicorn

from cityward import wiring
from cityward.clock import Clock
from cityward.metrics import ConsoleMetrics
from cityward.metrics import serve as serve_metrics
from cityward.settings import Settings
from console.app import create_app
from console.context import Context
from console.counting import Counted
from console.defaults import GUESTS_SHARE
from console.limits import Limits
from console.signing import Signing
from storage import console_store
from storage.pool import Pool
from storage.registry_store import load_city

CONNECTIONS = 16
GRACE = 5  # seconds for answers that are on their way
KEYS_KEPT = timedelta(days=100)  # longer than any link lives with which a phone could send an action again


def serve(settings: Settings, url: str, clock: Clock, stop: threading.Event) -> None:
    """Answer until told to stop: by ``stop``, or by a signal."""
    metrics = ConsoleMetrics.create()
    serve_metrics(metrics.registry, settings)
    with Pool(url, size=CONNECTIONS, name="cityward console") as pool:
        kinds = wiring.kinds(settings)
        rules = wiring.rules(settings, kinds)
        with pool.connection() as connection:
            practice = wiring.practice(load_city(connection), rules, kinds)
            key = console_store.signing_key(connection, clock.now())
            console_store.forget_actions(connection, clock.now() - KEYS_KEPT)
        context = Context(
            pool,
            clock,
            practice,
            kinds,
            {rule.id: rule for rule in rules},
            Signing(key),
            settings.language,
            secure=settings.console_https,
            limits=Limits(settings.console_rate),
            guests=Limits(settings.console_rate / GUESTS_SHARE),
            map_style=settings.console_map_style,
            entry=settings.console_entry.get_secret_value(),
            report_within_m=settings.report_within_m,
        )
        configured = uvicorn.Config(
            Counted(create_app(context), metrics.count),
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
        server.run()


def _end(server: uvicorn.Server, stop: threading.Event) -> None:
    stop.wait()
    server.should_exit = True
