"""Writes an environment's log stream with the function role's own credentials, as Lambda does.

The group is `/aws/lambda/<name>` or that of the function's logging configuration. A role without the rights
loses the lines, as on AWS.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import json
import logging
import math
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions

from embedded_aws.core.settings import Settings
from embedded_aws.functions.environments import Environment, Outcome, Request, log_settings
from embedded_aws.iam import roles

_LONGEST_EVENT = 200_000
_BATCH_EVENTS = 1000
_OWN_RUNTIME = f"python{'.'.join(platform.python_version_tuple()[:2])}"
_logger = logging.getLogger("embedded-aws.function-logs")
_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="function-logs")


class LogStream:
    """The stream of one environment. Lines are written in the background, in their order."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        self._client = roles.client(settings, "logs", environment.credentials)
        self._target = {"logGroupName": environment.group, "logStreamName": environment.stream}
        self._is_created = False

    def put(self, lines: list[str]) -> None:
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line[:_LONGEST_EVENT]} for line in lines if line]
        _writer.submit(self._put, events)

    def _put(self, events: list[dict[str, Any]]) -> None:
        try:
            self._create()
            for start in range(0, len(events), _BATCH_EVENTS):
                self._client.put_log_events(**self._target, logEvents=events[start : start + _BATCH_EVENTS])
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            _logger.warning("no logs in %s: %s", self._target["logGroupName"], error)

    def _create(self) -> None:
        if self._is_created:
            return
        try:
            self._client.create_log_stream(**self._target)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_log_group(logGroupName=self._target["logGroupName"])
            self._client.create_log_stream(**self._target)
        self._is_created = True


def lines_of(environment: Environment, request: Request, outcome: Outcome) -> list[str]:
    """The lines of one invocation: the platform's and the handler's."""
    says = log_settings(environment.config)
    before, after = _platform_lines(environment, request, outcome, is_json=says["LogFormat"] == "JSON")
    if says.get("SystemLogLevel") == "WARN":
        before, after = [], after if outcome.status else []
    return [*before, *outcome.output, *_last_words(request, outcome), *after]


def _platform_lines(
    environment: Environment, request: Request, outcome: Outcome, is_json: bool
) -> tuple[list[str], list[str]]:
    version, asked = str(environment.config["Version"]), str(environment.config["Runtime"])
    runtime = f"python:{platform.python_version()}"
    if asked != _OWN_RUNTIME:
        runtime += f" (the function asks for {asked}; the embedded AWS has only {_OWN_RUNTIME})"
    took, billed = f"{outcome.milliseconds:.2f}", math.ceil(outcome.milliseconds)
    size, is_first = int(environment.config["MemorySize"]), outcome.init_milliseconds is not None
    if not is_json:
        report = f"REPORT RequestId: {request.id}\tDuration: {took} ms\tBilled Duration: {billed} ms\t"
        report += f"Memory Size: {size} MB\tMax Memory Used: {outcome.memory} MB\t"
        report += f"Init Duration: {outcome.init_milliseconds:.2f} ms\t" if is_first else ""
        report += f"Status: {outcome.status}\t" if outcome.status else ""
        if outcome.status == "error" and outcome.error:
            report += f"Error Type: {outcome.error['errorType']}\t"
        first = [f"INIT_START Runtime Version: {runtime}"] if is_first else []
        start = f"START RequestId: {request.id} Version: {version}"
        return [*first, start], [f"END RequestId: {request.id}", report]
    metrics = {"durationMs": float(took), "billedDurationMs": billed}
    metrics |= {"memorySizeMB": size, "maxMemoryUsedMB": outcome.memory}
    if is_first:
        metrics["initDurationMs"] = round(outcome.init_milliseconds or 0.0, 2)
    ended = {"requestId": request.id, "metrics": metrics, "status": outcome.status or "success"}
    begun = {"functionName": environment.config["FunctionName"], "functionVersion": version}
    first = [_json_line("platform.initStart", {**begun, "runtimeVersion": runtime})] if is_first else []
    start = _json_line("platform.start", {"requestId": request.id, "version": version})
    return [*first, start], [_json_line("platform.report", ended)]


def _json_line(kind: str, record: dict[str, Any]) -> str:
    return json.dumps({"time": _now(), "type": kind, "record": record})


def _last_words(request: Request, outcome: Outcome) -> list[str]:
    """The platform's words about an environment that ended."""
    if not outcome.status or outcome.error is None:
        return []
    words = str(outcome.error["errorMessage"])
    if outcome.status == "timeout":
        return [f"{_now()} {request.id} {words.partition('Error: ')[2]}"]
    return [words]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
