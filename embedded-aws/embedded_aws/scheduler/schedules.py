"""Schedules fire at the local time of their time zone and call their target with their own role.

With ``--schedule-clock`` their clock starts at that time. Invocations missed while the server was down are
not made up for.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from embedded_aws.core import emulator, snapshots
from embedded_aws.core.settings import Settings
from embedded_aws.scheduler import invocations
from embedded_aws.scheduler.times import Clock, due, is_over

_BEHAVIOUR = "schedules that fire in their time zone, with their role"
_TICK_SECONDS = 0.5
_logger = logging.getLogger("embedded-aws.schedules")


def install(settings: Settings) -> Callable[[], None]:
    """Replace MiniStack's ticker by our own. Calling the result stops it."""
    ended = threading.Event()
    clock = Clock(settings.schedule_clock)

    def make(original: Any) -> Callable[[], None]:
        del original

        def start_scheduler() -> None:
            threading.Thread(
                target=_run, args=(settings, clock, ended), name="schedules", daemon=True
            ).start()

        return start_scheduler

    emulator.replace("services.scheduler", "start_scheduler", (), make, _BEHAVIOUR)
    return ended.set


def _run(settings: Settings, clock: Clock, ended: threading.Event) -> None:
    last = clock.now()
    while not ended.wait(_TICK_SECONDS):
        now = clock.now()
        try:
            _tick(settings, clock, ended, last, now)
        except Exception:
            _logger.exception("schedules could not be checked")
        last = now


def _tick(settings: Settings, clock: Clock, ended: threading.Event, last: datetime, now: datetime) -> None:
    schedules = emulator.service("scheduler")._schedules
    for key, schedule in list(schedules._data.items()):
        account, region, _ = key
        for instant in due(schedule, last, now):
            invocation = invocations.Invocation(schedule, instant, account, region)
            threading.Thread(
                target=invocations.invoke,
                args=(settings, invocation, clock, ended),
                name=f"schedule {schedule['Name']}",
                daemon=True,
            ).start()
        if schedule.get("ActionAfterCompletion") == "DELETE" and is_over(schedule, now):
            schedules._data.pop(key, None)
            snapshots.changed()
