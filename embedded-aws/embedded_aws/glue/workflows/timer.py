"""Fires scheduled triggers at their times in UTC, by the clock of the schedules.

Times that passed while the server was down are not made up for.
https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html
"""

import logging
import threading
from datetime import datetime

from embedded_aws.core import emulator
from embedded_aws.glue.answers import RefusedError
from embedded_aws.glue.workflows import runs, triggers
from embedded_aws.glue.workflows.chains import Chains, Trigger
from embedded_aws.scheduler.times import Clock, due

_TICK_SECONDS = 0.5
_logger = logging.getLogger("embedded-aws.triggers")


def follow(chains: Chains, clock: Clock, ended: threading.Event) -> None:
    """Fire what is due, until ``ended`` is set."""
    last = clock.now()
    while not ended.wait(_TICK_SECONDS):
        now = clock.now()
        try:
            _tick(chains, last, now)
        except Exception:
            _logger.exception("scheduled triggers could not be checked")
        last = now


def _tick(chains: Chains, last: datetime, now: datetime) -> None:
    responses = emulator.module("core.responses")
    for (account, region, _name), trigger in list(emulator.service("glue")._triggers._data.items()):
        for _instant in due_times(trigger, last, now):
            responses.set_request_account_id(account)
            responses.set_request_region(region)
            _fire(chains, trigger)


def due_times(trigger: Trigger, after: datetime, until: datetime) -> list[datetime]:
    """The instants after ``after`` up to ``until``, at which the trigger fires."""
    if not triggers.activated([trigger], "SCHEDULED"):
        return []
    return due({"State": "ENABLED", "ScheduleExpression": trigger["Schedule"]}, after, until)


def _fire(chains: Chains, trigger: Trigger) -> None:
    workflow = str(trigger.get("WorkflowName") or "")
    if not workflow:
        triggers.fire_alone(chains, trigger)
        return
    try:
        runs.start(chains, workflow)
    except RefusedError as error:
        _logger.warning("trigger %s: %s", trigger["Name"], error)
        if error.code == "ConcurrentRunsExceededException":
            runs.record_failed_start(workflow, {})
