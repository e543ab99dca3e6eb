"""Delivery: the jobs behind the outbox, run by procrastinate.

Whoever writes a notification defers its job with ``job`` on the same connection: both are committed or
neither. The worker then sends and records. Between sending and recording a crash can happen, and the job runs
again: so delivery is at least once, never exactly once. Both times the message has the same id, by which a
receiver drops the second.

One dead channel must delay no other. So each channel has a queue of its own and ``working`` runs a worker of
its own for each queue: jobs that wait for a dead channel's timeout fill the slots of that worker only. A dead
receiver behind a living channel is that channel's business (``channels.webhook`` lets it rest). What happens to a
notification on its way is a list of stages (``stages``); the first of them keeps the messages about one case in order,
so that a crew never reads "closed" before "new case", while other cases go past.

Time on the way: back-off is wall time in the database, whatever the injected clock says; the clock stamps
records.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job, JobDeferrer

from devices.errors import Retryable
from notify.errors import NotReachedError, UndeliverableError
from notify.linking import Links
from notify.outbox import Channel, Clock, Notification, NotificationStore
from notify.stages import Dropped, Held, Passed, Stage, pipeline

TASK = "deliver"

# 2, 4, 8 ... 512 s, then every 10 minutes: about a day in all, after which a person has to look anyway.
_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 600.0
_ATTEMPTS = 150
_SHORTEST_HOLD_S, _LONGEST_HOLD_S = 0.2, 60.0


class Backoff(BaseRetryStrategy):
    """When a failed delivery is tried again: exponentially later, or when the receiver asked, not forever.

    Other errors, such as a database that is away, wait in the same way; a job that was stopped with its
    worker starts again at once.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """The wait before the next attempt; None after the last one."""
        if not isinstance(exception, Exception):
            return RetryDecision(retry_in={"seconds": 0})
        if is_last(job.attempts):
            return None
        asked = exception.after if isinstance(exception, Retryable) else None
        return RetryDecision(retry_in={"seconds": round(wait_s(job.attempts, asked))})


def wait_s(attempts: int, asked: float | None = None) -> float:
    """Seconds until the next attempt, after ``attempts`` earlier ones and this one; capped."""
    own = _FIRST_WAIT_S * 2.0 ** min(attempts, 16)
    return min(max(own, asked or 0.0), _LONGEST_WAIT_S)


def is_last(attempts: int) -> bool:
    """Whether an attempt that comes after ``attempts`` others is the last."""
    return attempts + 1 >= _ATTEMPTS


def queue_of(channel: str) -> str:
    """The queue of a channel."""
    return f"notify.{channel}"


def job(app: App, *, channel: str, connection: Any = None) -> JobDeferrer:
    """The job of a notification, to be deferred with ``notification_id=...``.

    With ``connection``, an open connection of the database driver, it is committed together with the rest of
    the transaction there.
    """
    return app.configure_task(
        TASK,
        allow_unknown=False,
        queue=queue_of(channel),
        connection=connection,
    )


def build_app(
    connector: BaseConnector,
    store: NotificationStore,
    channels: Mapping[str, Channel],
    clock: Clock,
    links: Links | None = None,
) -> App:
    """The app with its one task; ``channels`` maps the names that notifications carry."""
    app = App(connector=connector)
    stages = pipeline(store, channels, clock, links)

    @app.task(name=TASK, retry=Backoff(), pass_context=True)
    async def deliver(context: JobContext, *, notification_id: int) -> None:
        notification = await store.load(notification_id)
        if notification is None or notification.delivered_at is not None:
            return
        try:
            stopped = await _through(stages, notification)
        except UndeliverableError as error:
            await store.failed(notification_id, str(error), final=True)
        except Exception as error:
            # After the last attempt whatever it was is the end: what stays pending holds up later words on its case.
            last, foreseen = is_last(context.job.attempts), isinstance(error, NotReachedError)
            if last or foreseen:
                said = str(error) if foreseen else f"{type(error).__name__}: {error}"
                await store.failed(notification_id, said, final=last)
            raise
        else:
            if isinstance(stopped, Held):
                await _again(app, notification, stopped.until - clock.now())
            elif isinstance(stopped, Dropped) and stopped.why:
                await store.dropped(notification_id, stopped.why)

    return app


async def _through(stages: Sequence[Stage], notification: Notification) -> Passed:
    """Through the stages, until one stops it."""
    passed: Passed = notification
    for stage in stages:
        passed = await stage(notification)
        if not isinstance(passed, Notification):
            break
        notification = passed
    return passed


async def _again(app: App, notification: Notification, wait: timedelta) -> None:
    """Look at it again; soon enough for a clock that runs faster than the wall."""
    later = app.configure_task(
        TASK,
        allow_unknown=False,
        queue=queue_of(notification.channel),
        schedule_in={"seconds": min(max(wait.total_seconds(), _SHORTEST_HOLD_S), _LONGEST_HOLD_S)},
    )
    await later.defer_async(notification_id=notification.message.notification_id)
