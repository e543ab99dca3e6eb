"""Logging: a stable event name and fields, on standard error."""

import logging
import sys

import structlog

from cityward.settings import LogFormat


def configure(style: LogFormat) -> None:
    """Set up structlog once a process; libraries' warnings come along."""
    # Tracebacks without the values of variables: among them may be a password, and a whole city takes half a minute.
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if style is LogFormat.JSON
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # of the moment: tests take its place
    )
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    # It sets a level of its own, and its pools log each attempt to reach a database that we say once is away.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
