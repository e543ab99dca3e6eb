"""The workers behind the outbox: one a channel, started again when they fall, and the rescue of lost jobs."""

import asyncio
import contextlib
from collections.abc import Iterable

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from notify.delivery import TASK, queue_of

_log = structlog.get_logger(__name__)

# Messages of one channel on their way at once; they wait for the network, not for the processor.
_SLOTS = 32
# New jobs are announced by the database; polling finds those whose wait is over, and is the net below that.
_POLL_S = 2.0
_RESTART_S = 5.0
_RESCUE_S = 30.0


async def work(app: App, channels: Iterable[str]) -> None:
    """Deliver until cancelled; what is being sent then is finished first. The app must be open.

    A worker whose database goes away ends. It is started again, and its jobs are where they were: in the
    database.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(_rescue_forever(app))
        for channel in channels:
            group.create_task(_work_forever(app, queue_of(channel)))


async def rescue(app: App) -> int:
    """Give back the jobs of workers that died, which nobody else would ever take up; how many they were.

    A worker is dead when it has not given a sign for 30 s (procrastinate's default).
    """
    lost = [*await app.job_manager.get_stalled_jobs(task_name=TASK)]
    for job in lost:
        await app.job_manager.retry_job(job)
    return len(lost)


async def _work_forever(app: App, queue: str) -> None:
    while True:
        problem = "the worker ended"
        try:
            await app.run_worker_async(
                queues=[queue],
                name=queue,
                concurrency=_SLOTS,
                fetch_job_polling_interval=_POLL_S,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
        except ConnectorException as error:
            problem = str(error.__cause__ or error)
        # Said once for each outage, however long it lasts.
        _log.warning("delivery_interrupted", queue=queue, error=problem)
        await _until_the_database_answers(app)
        _log.info("delivery_resumed", queue=queue)


async def _until_the_database_answers(app: App) -> None:
    while True:
        await asyncio.sleep(_RESTART_S)
        with contextlib.suppress(ConnectorException):
            await app.check_connection_async()
            return


async def _rescue_forever(app: App) -> None:
    while True:
        try:
            if count := await rescue(app):
                _log.warning("jobs_rescued", count=count)
        except ConnectorException as error:
            _log.debug("rescue_postponed", error=str(error.__cause__ or error))
        await asyncio.sleep(_RESCUE_S)
