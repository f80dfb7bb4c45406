"""Dead letters are moved back to their queue, or to another: StartMessageMoveTask and what lists and ends it.

Only a queue that is the dead-letter queue of another can be the source. Without a destination each message
goes to the queue that it came from. A moved message is a new one: its receive count begins again.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
"""

import json
import time
from typing import Any

from embedded_aws.core import emulator, snapshots

MOST_LISTED = 10
_tasks: list[dict[str, Any]] = []


def install() -> None:
    """Add the three actions to MiniStack's queues."""
    handlers = emulator.service("sqs")._HANDLERS
    handlers["StartMessageMoveTask"] = _start
    handlers["ListMessageMoveTasks"] = _list
    handlers["CancelMessageMoveTask"] = _cancel


def _start(data: dict[str, Any], url: str) -> dict[str, Any]:
    del url
    sqs = emulator.service("sqs")
    source_arn, wanted = str(data["SourceArn"]), str(data.get("DestinationArn") or "")
    source = sqs._queue_by_arn(source_arn)
    if source is None or (wanted and sqs._queue_by_arn(wanted) is None):
        raise sqs._Err("ResourceNotFoundException", "The resource that you specified does not exist.", 404)
    if not any(_dead_letters_of(queue) == source_arn for queue in list(sqs._queues.values())):
        words = "Source queue must be configured as a Dead Letter Queue."
        raise sqs._Err("InvalidParameterValue", words)
    task = {
        "TaskHandle": sqs.new_uuid(),
        "Status": "COMPLETED",
        "SourceArn": source_arn,
        **({"DestinationArn": wanted} if wanted else {}),
        "StartedTimestamp": int(time.time() * 1000),
    }
    with sqs._queues_lock:
        messages = list(source["messages"])
        kept = [message for message in messages if not _move(sqs, message, wanted)]
        source["messages"] = kept
    task["ApproximateNumberOfMessagesToMove"] = len(messages)
    task["ApproximateNumberOfMessagesMoved"] = len(messages) - len(kept)
    if kept:
        task |= {"Status": "FAILED", "FailureReason": "AWS.SimpleQueueService.NonExistentQueue"}
    _tasks.insert(0, task)
    sqs.esm_wake.set()
    snapshots.changed()
    return {"TaskHandle": task["TaskHandle"]}


def _move(sqs: Any, message: dict[str, Any], wanted: str) -> bool:
    """True if the message has a queue to go to."""
    noted = message.get("sys") or {}
    target = sqs._queue_by_arn(wanted or str(noted.get("DeadLetterQueueSourceArn") or ""))
    if target is None or message["visible_at"] > time.time():
        return False
    now = time.time()
    fresh = {
        **{name: message[name] for name in ("body", "md5_body", "message_attributes", "md5_attrs")},
        "id": sqs.new_uuid(),
        "sent_at": now,
        "visible_at": now,
        "sys": {**noted, "SentTimestamp": str(int(now * 1000))},
    }
    fresh["sys"].pop("DeadLetterQueueSourceArn", None)
    sqs._ensure_msg_fields(fresh)
    target["messages"].append(fresh)
    return True


def _dead_letters_of(queue: dict[str, Any]) -> str:
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    return str(policy.get("deadLetterTargetArn") or "")


def _list(data: dict[str, Any], url: str) -> dict[str, Any]:
    del url
    found = [task for task in _tasks if task["SourceArn"] == data["SourceArn"]]
    return {"Results": found[: min(int(data.get("MaxResults") or 1), MOST_LISTED)]}


def _cancel(data: dict[str, Any], url: str) -> dict[str, Any]:
    """Every task has ended when its start is answered."""
    del data, url
    sqs = emulator.service("sqs")
    raise sqs._Err("ResourceNotFoundException", "There is no active task to cancel.", 404)
