"""Lambda takes messages of queues with the function's role, in batches, and deletes what succeeded.

A batch is invoked when its window has passed since its first message, when it is full, or at 6 MB. A message
of a batch that failed, or that the answer names, can be received again after the queue's visibility
time-out, which is shortened as the waits of state machines are; the queue's redrive policy then counts.
Messages that were taken when the server ends are received again.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.functions import invocations
from embedded_aws.iam import request_rights, roles

LARGEST_BATCH_BYTES = 6 * 1024 * 1024
MOST_RECEIVED = 10
"""The most messages of one call of ReceiveMessage."""
_DEFAULT_CONCURRENCY = 5
_TICK_SECONDS = 0.1
_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_BEHAVIOUR = "functions that take messages of queues"
_logger = logging.getLogger("embedded-aws.functions")


@dataclass
class _Gathered:
    """Messages that were taken and are not invoked yet, of one mapping."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0
    first: float = 0.0
    working: int = 0
    credentials: roles.Credentials | None = None


def install(settings: Settings) -> Callable[[], None]:
    """Replace MiniStack's polling of queues by our own. Calling the result stops it."""
    ended = threading.Event()
    module = "services.lambda_svc"
    emulator.replace(module, "_poll_sqs", (), lambda _original: lambda: False, _BEHAVIOUR)
    emulator.replace(module, "_create_esm", ("data",), _creation, _BEHAVIOUR)
    threading.Thread(target=_run, args=(settings, ended), name="queue polls", daemon=True).start()
    return ended.set


# -- a mapping is refused that could not work --


def _creation(original: Any) -> Callable[..., Any]:
    def create_esm(data: dict[str, Any]) -> Any:
        return _refused(data) or original(data)

    return create_esm


def _refused(data: dict[str, Any]) -> Any:
    """Lambda's refusal of a mapping of a queue, or None."""
    arn = str(data.get("EventSourceArn") or "")
    service = emulator.service("lambda_svc")
    func, config, _ = service._get_func_record_for_ref(str(data.get("FunctionName") or ""))
    if ":sqs:" not in arn or not func or not config:
        return None
    message = _mistake(data, arn, config)
    return message and service.error_response_json("InvalidParameterValueException", message, 400)


def _mistake(data: dict[str, Any], arn: str, config: dict[str, Any]) -> str:
    if int(data.get("BatchSize") or 10) > 10 and not data.get("MaximumBatchingWindowInSeconds"):
        return (
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    queue = emulator.service("sqs")._queue_by_arn(arn)
    if queue is None:
        return f"Error occurred while ReceiveMessage. SQS Error Code: QueueDoesNotExist. {arn}"
    visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
    timeout = int(config.get("Timeout") or 3)
    if visibility < timeout:
        return (
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
        )
    try:
        key = _assume(config).access_key_id
    except roles.RoleNotAssumableError:
        return "The role defined for the function cannot be assumed by Lambda."
    for action in _ACTIONS:
        if request_rights.refusal(key, f"sqs:{action}", arn):
            return f"The provided execution role does not have permissions to call {action} on SQS"
    return ""


def _assume(config: dict[str, Any]) -> roles.Credentials:
    source = ":".join(str(config["FunctionArn"]).split(":")[:7])
    name = str(config["FunctionName"])
    return roles.assume(str(config["Role"]), invocations.PRINCIPAL, name, source)


# -- polling --


def _run(settings: Settings, ended: threading.Event) -> None:
    gathered: dict[str, _Gathered] = {}
    service, responses = emulator.service("lambda_svc"), emulator.module("core.responses")
    while not ended.wait(_TICK_SECONDS):
        for account, region, mapping in service._iter_all_esms():
            responses.set_request_account_id(account)
            responses.set_request_region(region)
            try:
                if mapping.get("Enabled", True) and ":sqs:" in str(mapping.get("EventSourceArn")):
                    one = gathered.setdefault(str(mapping["UUID"]), _Gathered())
                    _poll(settings, ended, mapping, one)
            except Exception:
                _logger.exception("messages of %s could not be taken", mapping.get("EventSourceArn"))


def _poll(settings: Settings, ended: threading.Event, mapping: dict[str, Any], gathered: _Gathered) -> None:
    service = emulator.service("lambda_svc")
    func, config = service._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    arn = str(mapping["EventSourceArn"])
    queue = emulator.service("sqs")._queue_by_arn(arn)
    if func is None or queue is None:
        return
    most = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or _DEFAULT_CONCURRENCY
    if gathered.working >= int(most):
        return
    batch_size = int(mapping.get("BatchSize") or MOST_RECEIVED)
    window = float(mapping.get("MaximumBatchingWindowInSeconds") or 0)
    while (lacking := batch_size - len(gathered.messages)) > 0 and gathered.size < LARGEST_BATCH_BYTES:
        found = _has_messages(queue) and _receive(
            settings, config, arn, gathered, min(MOST_RECEIVED, lacking)
        )
        if not found:
            break
        gathered.first = gathered.first or time.monotonic()
        gathered.messages += found
        gathered.size += sum(len(one["Body"].encode()) for one in found)
    is_full = len(gathered.messages) >= batch_size or gathered.size >= LARGEST_BATCH_BYTES
    if not gathered.messages or not (is_full or time.monotonic() >= gathered.first + window):
        return
    messages, gathered.messages = gathered.messages, []
    gathered.size, gathered.first = 0, 0.0
    gathered.working += 1
    scope = roles.current_scope()
    arguments = (settings, ended, mapping, gathered, messages, scope)
    threading.Thread(target=_work, args=arguments, name="queue batch", daemon=True).start()


def _has_messages(queue: dict[str, Any]) -> bool:
    """Looks without a call, because most of the time there is nothing; dead letters count too, because a
    receive moves them."""
    now = time.time()
    return any(message["visible_at"] <= now for message in list(queue["messages"]))


def _receive(
    settings: Settings, config: dict[str, Any], arn: str, gathered: _Gathered, most: int
) -> list[dict[str, Any]]:
    client = _client(settings, config, arn, gathered)
    answer = client.receive_message(
        QueueUrl=_url(settings, arn),
        MaxNumberOfMessages=most,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def _client(settings: Settings, config: dict[str, Any], arn: str, gathered: _Gathered) -> Any:
    if gathered.credentials is not None and gathered.credentials.role_arn == str(config["Role"]):
        return roles.client(settings, "sqs", gathered.credentials)
    gathered.credentials = _assume(config)
    client = roles.client(settings, "sqs", gathered.credentials)
    # Lambda asks how many messages there are, to decide how often it receives.
    names = ["ApproximateNumberOfMessages"]
    client.get_queue_attributes(QueueUrl=_url(settings, arn), AttributeNames=names)
    return client


def _url(settings: Settings, arn: str) -> str:
    account, name = arn.split(":")[4:6]
    return f"{settings.endpoint}/{account}/{name}"


# -- one batch --


def _work(
    settings: Settings,
    ended: threading.Event,
    mapping: dict[str, Any],
    gathered: _Gathered,
    messages: list[dict[str, Any]],
    scope: tuple[str, str],
) -> None:
    responses = emulator.module("core.responses")
    responses.set_request_account_id(scope[0])
    responses.set_request_region(scope[1])
    try:
        failed = _invoke(settings, mapping, gathered, messages, scope[1])
        if failed and not ended.is_set():
            _shorten(str(mapping["EventSourceArn"]), failed)
    except Exception:
        _logger.exception("a batch of %s could not be worked on", mapping["EventSourceArn"])
    finally:
        gathered.working -= 1


def _invoke(
    settings: Settings,
    mapping: dict[str, Any],
    gathered: _Gathered,
    messages: list[dict[str, Any]],
    region: str,
) -> set[str]:
    """Invoke the function and delete the messages that succeeded. Returns the ids of the others."""
    service = emulator.service("lambda_svc")
    func, config = service._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    arn = str(mapping["EventSourceArn"])
    records = [_record(message, arn, region) for message in messages]
    wanted = service._apply_filter_criteria(records, mapping)
    failed: set[str] = set()
    if wanted:
        result = invocations.run_once(func, {"Records": wanted}, invocations.new_request_id())
        failed = _failed(mapping, result, {str(record["messageId"]) for record in wanted})
        words = f"{len(failed)} of {len(wanted)} records failed"
        mapping["LastProcessingResult"] = words if failed else f"OK - {len(wanted)} records"
        if failed:
            function = mapping["FunctionName"]
            _logger.warning("function %s: %s of %s: %s", function, words, arn, result.get("body"))
    succeeded = [message for message in messages if message["MessageId"] not in failed]
    client = _client(settings, config, arn, gathered)
    for start in range(0, len(succeeded), MOST_RECEIVED):
        part = succeeded[start : start + MOST_RECEIVED]
        client.delete_message_batch(
            QueueUrl=_url(settings, arn),
            Entries=[{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(part)],
        )
    return failed


def _failed(mapping: dict[str, Any], result: dict[str, Any], ids: set[str]) -> set[str]:
    """The ids that the function reports; all of them if it failed, or if its answer cannot be taken."""
    if result.get("error"):
        return ids
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []):
        return set()
    body = result.get("body")
    named = body.get("batchItemFailures") if isinstance(body, dict) else None
    if not named:
        return set()
    reported = {str((one or {}).get("itemIdentifier") or "") for one in named}
    return ids if reported - ids else reported


def _record(message: dict[str, Any], arn: str, region: str) -> dict[str, Any]:
    kept = ("ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp")
    more = ("AWSTraceHeader", "MessageGroupId", "MessageDeduplicationId", "SequenceNumber")
    attributes = message.get("Attributes") or {}
    camel = emulator.service("lambda_svc")._sqs_message_attributes_to_camel_case
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: attributes[name] for name in (*kept, *more) if name in attributes},
        "messageAttributes": camel(message.get("MessageAttributes") or {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


def _shorten(arn: str, ids: set[str]) -> None:
    """Shorten the time until failed messages can be received again."""
    scale = float(emulator.service("stepfunctions")._SFN_WAIT_SCALE)
    queue, now = emulator.service("sqs")._queue_by_arn(arn), time.time()
    for message in list(queue["messages"]) if queue else []:
        if message["id"] in ids and message["visible_at"] > now:
            message["visible_at"] = now + (message["visible_at"] - now) * scale
