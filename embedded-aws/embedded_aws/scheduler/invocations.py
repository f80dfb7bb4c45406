"""One invocation of a schedule: the call with the schedule's role, retries, and the dead letter.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
"""

import logging
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import botocore.exceptions

from embedded_aws.cloudwatch import metrics
from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.iam import roles
from embedded_aws.scheduler.times import Clock

_PRINCIPAL = "scheduler.amazonaws.com"
_MOST_ATTEMPTS = 185
_LONGEST_AGE_SECONDS = 86_400
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "ExecutionLimitExceeded")
_logger = logging.getLogger("embedded-aws.schedules")


@dataclass(frozen=True)
class Invocation:
    """A schedule as it was at the time when it fired."""

    schedule: dict[str, Any]
    scheduled_time: datetime
    account: str
    region: str
    execution_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def target(self) -> dict[str, Any]:
        return dict(self.schedule["Target"])

    @property
    def group(self) -> str:
        return str(self.schedule.get("GroupName") or "default")

    def input(self, attempt: int) -> str:
        """The target's input with this invocation's context attributes filled in."""
        values = {
            "schedule-arn": str(self.schedule["Arn"]),
            "scheduled-time": self.scheduled_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "execution-id": self.execution_id,
            "attempt-number": str(attempt),
        }
        text = str(self.target.get("Input") or "{}")
        for name, value in values.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return text


@dataclass(frozen=True)
class _Failure:
    code: str
    message: str
    is_throttle: bool = False
    may_pass: bool = False
    """True if another attempt may succeed, after throttling or an error of the service itself."""


def invoke(settings: Settings, invocation: Invocation, clock: Clock, ended: threading.Event) -> None:
    """Call the target until it answers or the retry policy is exhausted. Then send a dead letter."""
    responses = emulator.module("core.responses")
    responses.set_request_account_id(invocation.account)
    responses.set_request_region(invocation.region)
    policy = invocation.target.get("RetryPolicy") or {}
    retries = int(policy.get("MaximumRetryAttempts", _MOST_ATTEMPTS))
    seconds = int(policy.get("MaximumEventAgeInSeconds", _LONGEST_AGE_SECONDS))
    pause, attempt = _FIRST_PAUSE_SECONDS, 1
    while True:
        failure = _attempt(settings, invocation, attempt)
        if failure is None:
            return
        _logger.warning("%s: attempt %d: %s", invocation.schedule["Arn"], attempt, failure)
        exhausted = ""
        if failure.may_pass and attempt > retries:
            exhausted = "MaximumRetryAttempts"
        elif failure.may_pass and (clock.now() - invocation.scheduled_time).total_seconds() + pause > seconds:
            exhausted = "MaximumEventAgeInSeconds"
        if exhausted or not failure.may_pass:
            _give_up(settings, invocation, attempt, failure, exhausted)
            return
        if ended.wait(pause):
            return
        pause, attempt = min(2 * pause, _LONGEST_PAUSE_SECONDS), attempt + 1


def _attempt(settings: Settings, invocation: Invocation, attempt: int) -> _Failure | None:
    _count(invocation, "InvocationAttemptCount")
    try:
        _call(settings, invocation, invocation.target["Arn"], invocation.input(attempt))
        return None
    except roles.RoleNotAssumableError as error:
        failure = _Failure("AccessDeniedException", str(error))
    except botocore.exceptions.ClientError as error:
        failure = _client_failure(error)
    except botocore.exceptions.BotoCoreError as error:
        failure = _Failure(type(error).__name__, str(error), may_pass=True)
    except _NoSuchTargetError as error:
        failure = _Failure("ValidationException", str(error))
    _count(invocation, "TargetErrorThrottledCount" if failure.is_throttle else "TargetErrorCount")
    return failure


def _client_failure(error: botocore.exceptions.ClientError) -> _Failure:
    said = error.response.get("Error", {})
    code = str(said.get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    is_throttle = code in _THROTTLED
    return _Failure(code, str(said.get("Message", error)), is_throttle, is_throttle or status >= 500)


class _NoSuchTargetError(Exception):
    """This emulation cannot call such a target."""


def _client(settings: Settings, invocation: Invocation, service: str) -> Any:
    """A client with the schedule's role. The role's trust policy sees the schedule's group as source."""
    group = f"arn:aws:scheduler:{invocation.region}:{invocation.account}:schedule-group/{invocation.group}"
    role = str(invocation.target["RoleArn"])
    credentials = roles.assume(role, _PRINCIPAL, invocation.execution_id, group)
    return roles.client(settings, service, credentials)


def _call(settings: Settings, invocation: Invocation, arn: str, text: str) -> None:
    service = arn.split(":")[2]
    if service == "states":
        _client(settings, invocation, "stepfunctions").start_execution(stateMachineArn=arn, input=text)
    elif service == "sqs":
        _send(settings, invocation, arn, text, {})
    elif service == "lambda":
        client = _client(settings, invocation, "lambda")
        client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())
    else:
        known = "use a state machine, a queue or a function"
        raise _NoSuchTargetError(f"target {arn} is not supported here; {known}")


def _send(settings: Settings, invocation: Invocation, queue: str, body: str, notes: dict[str, str]) -> None:
    account, name = queue.split(":")[4:6]
    _client(settings, invocation, "sqs").send_message(
        QueueUrl=f"{settings.endpoint}/{account}/{name}",
        MessageBody=body,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in notes.items() if value
        },
    )


def _give_up(
    settings: Settings, invocation: Invocation, attempt: int, failure: _Failure, exhausted: str
) -> None:
    _count(invocation, "InvocationDroppedCount")
    queue = (invocation.target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    notes = {
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": failure.message,
        "EXECUTION_ID": invocation.execution_id,
        "EXHAUSTED_RETRY_CONDITION": exhausted,
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(attempt - 1),
        "SCHEDULE_ARN": str(invocation.schedule["Arn"]),
        "TARGET_ARN": str(invocation.target["Arn"]),
    }
    try:
        _send(settings, invocation, str(queue), invocation.input(attempt), notes)
    except (roles.RoleNotAssumableError, botocore.exceptions.ClientError) as error:
        _count(invocation, "InvocationsFailedToBeSentToDeadLetterCount")
        _logger.warning("%s: no dead letter: %s", invocation.schedule["Arn"], error)
        return
    _count(invocation, "InvocationsSentToDeadLetterCount")


def _count(invocation: Invocation, name: str) -> None:
    metrics.record("AWS/Scheduler", name, {"ScheduleGroup": invocation.group}, 1, "Count")
