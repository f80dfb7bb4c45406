"""Asynchronous invocations: attempts, the event's age, dead letters and destinations.

A function's error is tried again after one minute and then after two; throttling and errors of the service
are tried again until the event is too old, after 1, 2, 4 … 300 seconds. Waits are shortened as those of state
machines are, while an event's age counts them in full. Dead letters and records are sent with the function's
role. Events that are waiting when the server ends are lost.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.functions import invocations
from embedded_aws.iam import roles

ATTEMPT_PAUSES = (60.0, 120.0)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 300.0
_LONGEST_ERROR = 1024
_BEHAVIOUR = "asynchronous invocations with the function's role"
_logger = logging.getLogger("embedded-aws.functions")


@dataclass(frozen=True)
class _Event:
    """An accepted event of one function, with the settings of its version or alias."""

    func: dict[str, Any]
    payload: Any
    id: str
    retries: int
    age: float
    destinations: dict[str, str]
    dead_letters: str

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.func.get("config") or self.func)


@dataclass(frozen=True)
class _End:
    """The last attempt's result, and why there is no further one."""

    condition: str
    attempts: int
    result: dict[str, Any] | None

    @property
    def status(self) -> int:
        result = self.result or {}
        refused = result.get("service_error")
        return 429 if result.get("throttle") else refused.status if refused else 200


def install(settings: Settings) -> Callable[[], None]:
    """Replace MiniStack's asynchronous invocation. Calling the result ends all waits."""
    ended = threading.Event()

    def invoke(_original: Any) -> Callable[..., Any]:
        def invoke_async_with_retry(func: dict[str, Any], event: Any) -> None:
            accepted = _accepted(func, event)
            invocations.count(accepted.config, "AsyncEventsReceived", 1)
            context = contextvars.copy_context()
            arguments = (settings, accepted, ended)
            threading.Thread(target=context.run, args=(_process, *arguments), daemon=True).start()

        return invoke_async_with_retry

    emulator.replace("services.lambda_svc", "invoke_async_with_retry", ("func", "event"), invoke, _BEHAVIOUR)
    return ended.set


def _accepted(func: dict[str, Any], payload: Any) -> _Event:
    service = emulator.service("lambda_svc")
    config = func.get("config") or func
    name, qualifier = service._resolve_name_and_qualifier(str(config["FunctionArn"]))
    says = service._event_invoke_config(service._functions.get(name) or func, qualifier) or {}
    wanted = says.get("DestinationConfig") or {}
    retries = says.get("MaximumRetryAttempts")
    return _Event(
        func,
        payload,
        invocations.new_request_id(),
        2 if retries is None else int(retries),
        float(says.get("MaximumEventAgeInSeconds") or 21_600),
        {kind: (wanted.get(kind) or {}).get("Destination") or "" for kind in ("OnSuccess", "OnFailure")},
        str((config.get("DeadLetterConfig") or {}).get("TargetArn") or ""),
    )


def _process(settings: Settings, event: _Event, ended: threading.Event) -> None:
    try:
        end = _attempts(event, ended)
        if end is None:
            return
        if end.condition == "Success":
            _send_record(settings, event, end, event.destinations["OnSuccess"])
            return
        invocations.count(event.config, "AsyncEventsDropped", 1)
        _logger.warning("event %s of %s: %s", event.id, event.config["FunctionArn"], end.condition)
        _send_record(settings, event, end, event.destinations["OnFailure"])
        _send_dead_letter(settings, event, end)
    except Exception:
        _logger.exception("event %s of %s could not be processed", event.id, event.config["FunctionArn"])


def _attempts(event: _Event, ended: threading.Event) -> _End | None:
    """Invoke until the function succeeds or there is no further attempt. None if the server ends."""
    scale = float(emulator.service("stepfunctions")._SFN_WAIT_SCALE)
    age, errors, attempts, refusals = 0.0, 0, 0, 0
    while True:
        if _has_no_concurrency(event):
            return _End("ZeroReservedConcurrency", attempts, None)
        begun = time.monotonic()
        result = invocations.run_once(event.func, event.payload, event.id)
        age += time.monotonic() - begun
        if not result.get("error"):
            return _End("Success", attempts + 1, result)
        if result.get("throttle") or result.get("service_error"):
            pause = min(_FIRST_PAUSE_SECONDS * 2**refusals, _LONGEST_PAUSE_SECONDS)
            refusals += 1
        else:
            attempts += 1
            if errors >= event.retries:
                return _End("RetriesExhausted", attempts, result)
            pause = ATTEMPT_PAUSES[errors]
            errors += 1
        age += pause
        if age > event.age:
            return _End("EventAgeExceeded", attempts, result)
        if ended.wait(pause * scale):
            return None


def _has_no_concurrency(event: _Event) -> bool:
    service = emulator.service("lambda_svc")
    base = service._functions.get(str(event.config["FunctionName"])) or event.func
    return bool(service._reserved_concurrency(base, event.config) == 0)


# -- what is kept of an event --


def _send_record(settings: Settings, event: _Event, end: _End, destination: str) -> None:
    if not destination:
        return
    text = json.dumps(record(event.config, event.id, event.payload, end))
    refused = _send(settings, event, destination, text, {}, end.condition == "Success")
    if refused:
        invocations.count(event.config, "DestinationDeliveryFailures", 1)
        _logger.warning("no record of event %s in %s: %s", event.id, destination, refused)


def record(config: dict[str, Any], request_id: str, payload: Any, end: _End) -> dict[str, Any]:
    """The invocation record that a destination gets."""
    arn = str(config["FunctionArn"])
    qualified = arn if len(arn.split(":")) > 7 else f"{arn}:{config.get('Version', '$LATEST')}"
    kept: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": qualified,
            "condition": end.condition,
            "approximateInvokeCount": end.attempts,
        },
        "requestPayload": payload,
    }
    if end.result is None:
        return kept
    answered = {"statusCode": end.status, "executedVersion": str(config.get("Version", "$LATEST"))}
    if end.result.get("error") and end.status == 200:
        answered["functionError"] = str(end.result.get("function_error") or "Unhandled")
    kept["responseContext"] = answered
    if end.status == 200:
        kept["responsePayload"] = end.result.get("body")
    return kept


def _send_dead_letter(settings: Settings, event: _Event, end: _End) -> None:
    if not event.dead_letters:
        return
    body = (end.result or {}).get("body") or {}
    message = str(body.get("errorMessage") or body.get("message") or end.condition)
    notes = {
        "RequestID": ("String", event.id),
        "ErrorCode": ("Number", str(end.status)),
        "ErrorMessage": ("String", message[:_LONGEST_ERROR]),
    }
    refused = _send(settings, event, event.dead_letters, json.dumps(event.payload), notes, False)
    if refused:
        invocations.count(event.config, "DeadLetterErrors", 1)
        _logger.warning("no dead letter of event %s in %s: %s", event.id, event.dead_letters, refused)


def _send(
    settings: Settings,
    event: _Event,
    target: str,
    text: str,
    notes: dict[str, tuple[str, str]],
    is_success: bool,
) -> str:
    """Send to a queue, topic, function or event bus with the function's role. Returns a refusal, or ""."""
    config = event.config
    service, account, name = (target.split(":", 5)[part] for part in (2, 4, 5))
    attributes = {key: {"DataType": kind, "StringValue": value} for key, (kind, value) in notes.items()}
    try:
        source = ":".join(str(config["FunctionArn"]).split(":")[:7])
        credentials = roles.assume(
            str(config["Role"]), invocations.PRINCIPAL, str(config["FunctionName"]), source
        )
        client = roles.client(settings, service, credentials)
        if service == "sqs":
            url = f"{settings.endpoint}/{account}/{name}"
            client.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=attributes)
        elif service == "sns":
            client.publish(TopicArn=target, Message=text, MessageAttributes=attributes)
        elif service == "lambda":
            client.invoke(FunctionName=target, InvocationType="Event", Payload=text.encode())
        elif service == "events":
            kind = f"Lambda Function Invocation Result - {'Success' if is_success else 'Failure'}"
            bus = name.removeprefix("event-bus/")
            entry = {"Source": "lambda", "DetailType": kind, "Detail": text, "EventBusName": bus}
            client.put_events(Entries=[{**entry, "Resources": [target, str(config["FunctionArn"])]}])
        else:
            return f"a destination of {service} is not supported here"
    except (
        roles.RoleNotAssumableError,
        botocore.exceptions.ClientError,
        botocore.exceptions.BotoCoreError,
    ) as error:
        return str(error)
    return ""
