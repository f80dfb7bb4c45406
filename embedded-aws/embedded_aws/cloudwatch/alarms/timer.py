"""Evaluates alarms once a minute by a timer, with the rules of evaluation.py.

MiniStack evaluates only when metric data are put, ignores dimensions, and never returns an alarm to OK. Its
rules of composite alarms are kept.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from embedded_aws.cloudwatch import metric_emission, metrics
from embedded_aws.cloudwatch.alarms import evaluation, requests, rights, suppression
from embedded_aws.core import emulator, snapshots
from embedded_aws.core.settings import Settings
from embedded_aws.wire import cloudwatch_protocols

_SHORTEST_TICK, _LONGEST_TICK = 0.1, 1.0
_BEHAVIOUR = "alarms as CloudWatch evaluates them"
_logger = logging.getLogger("embedded-aws.alarms")
# Only one call about alarms, or one evaluation, at a time.
_lock = threading.RLock()


def install(settings: Settings) -> Callable[[], None]:
    """Install the parts and start the timer. Calling the result stops it."""
    minute = settings.metric_minute_seconds
    cloudwatch_protocols.install()
    emulator.replace(
        "services.cloudwatch",
        "handle_request",
        ("method", "path", "headers", "body", "query_params"),
        _one_at_a_time,
        _BEHAVIOUR,
    )
    requests.install(minute)
    rights.install()
    metrics.install()
    metric_emission.install()
    emulator.replace(
        "services.cloudwatch",
        "_dispatch_alarm_actions",
        ("alarm", "old_state", "new_state", "reason"),
        lambda _: lambda alarm, old, new, reason: suppression.changed(alarm, old, new, reason, minute),
        _BEHAVIOUR,
    )
    for function, parameters in (("_evaluate_alarm", ("alarm",)), ("_evaluate_all_alarms", ())):
        emulator.replace("services.cloudwatch", function, parameters, lambda _: lambda *_: None, _BEHAVIOUR)
    timer = _Timer(settings)
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(timer.run,), name="alarms", daemon=True).start()
    return timer.ended.set


def _one_at_a_time(original: Any) -> Callable[..., Any]:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        rights.caller.set(emulator.module("core.router").extract_access_key_id(headers, query_params) or "")
        with _lock:
            return await original(method, path, headers, body, query_params)

    return handle_request


class _Timer:
    """Samples queues, evaluates each alarm once a minute, and ends the periods of suppressors."""

    def __init__(self, settings: Settings) -> None:
        self.ended = threading.Event()
        self._scope = (settings.account, settings.region)
        self._minute = settings.metric_minute_seconds
        self._queues = metric_emission.Queues(self._minute)
        self._evaluated: dict[str, float] = {}

    def run(self) -> None:
        emulator.service("cloudwatch")
        tick = min(_LONGEST_TICK, max(_SHORTEST_TICK, self._minute / 4))
        with emulator.module("core.responses").request_scope(*self._scope):
            while not self.ended.wait(tick):
                try:
                    self._once(time.time())
                except Exception:
                    _logger.exception("alarms were not evaluated")

    def _once(self, now: float) -> None:
        cloudwatch = emulator.service("cloudwatch")
        self._queues.sample(now)
        with _lock:
            for alarm in list(cloudwatch._alarms.values()):
                until = evaluation.evaluated_until(alarm, now, self._minute)
                if self._evaluated.get(alarm["AlarmArn"]) == until:
                    continue
                self._evaluated[alarm["AlarmArn"]] = until
                try:
                    _evaluate(alarm, until, self._minute)
                except Exception:
                    _logger.exception("alarm %s was not evaluated", alarm["AlarmName"])
            for alarm in list(cloudwatch._composite_alarms.values()):
                if alarm.get("ActionsSuppressor"):
                    suppression.update(alarm, now, self._minute)


def _evaluate(alarm: dict[str, Any], until: float, minute: float) -> None:
    verdict = evaluation.evaluate(alarm, until, minute)
    if verdict is None or verdict.state == alarm["StateValue"]:
        return
    cloudwatch = emulator.service("cloudwatch")
    old = alarm["StateValue"]
    data = {
        "version": "1.0",
        "queryDate": cloudwatch._ts_iso(time.time()),
        "period": evaluation.period(alarm),
        "recentDatapoints": list(reversed(verdict.datapoints)),
        "threshold": float(alarm["Threshold"]),
    }
    alarm.update(
        StateValue=verdict.state,
        StateReason=verdict.reason,
        StateReasonData=json.dumps(data),
        StateUpdatedTimestamp=time.time(),
    )
    cloudwatch._record_history(alarm["AlarmName"], old, verdict.state, verdict.reason, reason_data=data)
    cloudwatch._dispatch_alarm_actions(alarm, old, verdict.state, verdict.reason)
    cloudwatch._evaluate_parent_alarms(alarm)
    snapshots.changed()
