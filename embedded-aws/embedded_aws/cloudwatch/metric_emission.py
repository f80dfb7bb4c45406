"""Records AWS's own metrics of executions, queues and job runs.

https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
https://docs.aws.amazon.com/glue/latest/dg/monitor-observability.html
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from embedded_aws.cloudwatch import metrics
from embedded_aws.core import emulator
from embedded_aws.states import runs

ACTIVE_MINUTES = 360
"""An unused queue stops emitting metrics after six hours."""
MOST_SAMPLES = 600
"""The most minutes of one queue that are filled at once after a pause."""
KEPT_MINUTES = 8 * 24 * 60
"""Minutes of a queue's samples that are kept: a day longer than the longest alarm looks back."""
FEW_RECEIVES = 3
"""From so many receives on a message is at the back of the queue, and its age does not count."""
_ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
_COUNTS = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}
_ALWAYS = "ApproximateNumberOfMessagesVisible"
_logger = logging.getLogger("embedded-aws.metrics")


def install() -> None:
    """Record the start and end of executions. glue/jobs/runs.py calls job_run_ended itself."""
    emulator.replace(
        "services.stepfunctions",
        "_emit_execution_status_event",
        ("execution",),
        _with_metrics,
        "metrics of executions",
    )


def _with_metrics(original: Any) -> Callable[..., Any]:
    def emit_execution_status_event(execution: dict[str, Any]) -> Any:
        try:
            _of_execution(execution)
        except Exception:  # an execution continues without its metrics
            _logger.exception("no metrics of %s", execution.get("executionArn"))
        return original(execution)

    return emit_execution_status_event


def _of_execution(execution: dict[str, Any]) -> None:
    runs.pinned(execution)  # sets the version that it was started with
    machine = {"StateMachineArn": str(execution["stateMachineArn"])}
    status, redriven = execution["status"], bool(execution.get("redriveCount"))
    counted: dict[str, float] = {}
    if status == "RUNNING" and not redriven:
        counted["ExecutionsStarted"] = 1
    elif status in _ENDS:
        # When the execution has ended, AWS emits the start again, as 0.
        counted = {"ExecutionsStarted": 0, _ENDS[status]: 1}
    for name, value in counted.items():
        for dimensions in _dimension_sets(execution, machine):
            metrics.record("AWS/States", name, dimensions, value, "Count")
    if status in _ENDS:
        milliseconds = emulator.service("stepfunctions")._iso_to_epoch_ms
        took = milliseconds(execution["stopDate"]) - milliseconds(execution["startDate"])
        for dimensions in _dimension_sets(execution, machine):
            metrics.record("AWS/States", "ExecutionTime", dimensions, took, "Milliseconds")
    if redriven:
        again = "ExecutionsRedriven" if status == "RUNNING" else f"Redriven{_ENDS.get(status, '')}"
        metrics.record("AWS/States", again, machine, 1, "Count")


def _dimension_sets(execution: dict[str, Any], machine: dict[str, str]) -> Iterator[dict[str, str]]:
    """The dimensions of the account, the machine, and the version and alias of the start."""
    yield {}
    yield machine
    for key, dimension in (("stateMachineVersionArn", "Version"), ("stateMachineAliasArn", "Alias")):
        if execution.get(key):
            yield {**machine, dimension: str(execution[key]).rsplit(":", 1)[-1]}


def job_run_ended(run: dict[str, Any]) -> None:
    """Record that a job run succeeded or failed, if its observability metrics are on."""
    name = {"SUCCEEDED": "glue.succeed.ALL", "FAILED": "glue.error.ALL"}.get(run["JobRunState"])
    try:
        job = emulator.service("glue")._jobs.get(run["JobName"]) or {}
        arguments = {**(job.get("DefaultArguments") or {}), **(run.get("Arguments") or {})}
        if name is None or arguments.get("--enable-observability-metrics") != "true":
            return
        for run_id in ("ALL", run["Id"]):
            dimensions = {"JobName": run["JobName"], "JobRunId": run_id}
            dimensions |= {"Type": "count", "ObservabilityGroup": "error"}
            metrics.record("Glue", name, dimensions, 1, "Count")
    except Exception:  # a run ends without its metrics
        _logger.exception("no metrics of %s", run["Id"])


class Queues:
    """Samples the number of messages in each queue, once per minute of CloudWatch's clock."""

    def __init__(self, minute: float) -> None:
        self._minute = minute
        self._sampled = 0.0
        self._active: dict[str, tuple[tuple[int, ...], float]] = {}

    def sample(self, now: float) -> None:
        """Record the minutes that have begun since the last call; ``now`` in seconds since 1970."""
        latest = now // self._minute * self._minute
        if latest <= self._sampled:
            return
        first = max(self._sampled + self._minute, latest - MOST_SAMPLES * self._minute)
        first = latest if self._sampled == 0.0 else first
        sqs = emulator.service("sqs")
        for queue in list(sqs._queues.values()):
            sqs._refresh_counts(queue)
            counts = {name: int(queue["attributes"][held]) for name, held in _COUNTS.items()}
            if self._is_active(str(queue["name"]), tuple(counts.values()), now):
                self._record(str(queue["name"]), counts, first, latest)
                self._record_age(queue, now, latest)
        self._sampled = latest
        metrics.forget_before(now - KEPT_MINUTES * self._minute, "AWS/SQS")

    def _record_age(self, queue: dict[str, Any], now: float, latest: float) -> None:
        """The age of the oldest message, seconds on CloudWatch's clock. A message that was received three
        times or more does not count."""
        messages = list(queue["messages"])
        sent = [float(one["sent_at"]) for one in messages if one["receive_count"] < FEW_RECEIVES]
        age = max(0.0, now - min(sent)) * 60 / self._minute if sent else 0.0
        name = "ApproximateAgeOfOldestMessage"
        metrics.record_at(latest, "AWS/SQS", name, {"QueueName": str(queue["name"])}, age, "Seconds")

    def _is_active(self, name: str, counts: tuple[int, ...], now: float) -> bool:
        before = self._active.get(name)
        if before is None or before[0] != counts or any(counts):
            self._active[name] = (counts, now)
            return True
        return now - before[1] < ACTIVE_MINUTES * self._minute

    def _record(self, name: str, counts: dict[str, int], first: float, latest: float) -> None:
        for minute in range(round((latest - first) / self._minute) + 1):
            moment = first + minute * self._minute
            for metric, value in counts.items():
                if not value and metric != _ALWAYS:
                    continue  # emitted only while there are such messages
                metrics.record_at(moment, "AWS/SQS", metric, {"QueueName": name}, value, "Count")
