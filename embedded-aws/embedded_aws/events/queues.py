"""EventBridge sends to a queue only if the queue's policy allows that rule.

What it may not deliver goes to the target's dead letters, where their policy allows it. It is tried once.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

import logging
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.events import delivery

_BEHAVIOUR = "a queue's policy for rules"
_PRINCIPAL = "events.amazonaws.com"
_logger = logging.getLogger("embedded-aws.event-delivery")


def install() -> None:
    """Wrap MiniStack's delivery to queues."""

    def queues(original: Any) -> Callable[..., Any]:
        def dispatch_to_sqs(spec: Any, payload: str, sqs_parameters: Any = None) -> None:
            refused = refusal(str(spec))
            if not refused:
                original(spec, payload, sqs_parameters)
                return
            rule = delivery.current_rule()
            _logger.warning("rule %s does not reach %s: %s", rule, spec, refused)
            _keep(original, str(spec), payload, refused)

        return dispatch_to_sqs

    parameters = ("spec", "payload", "sqs_parameters")
    emulator.replace("services.eventbridge", "_dispatch_to_sqs", parameters, queues, _BEHAVIOUR)


def refusal(queue_arn: str) -> str:
    """The reason why the current rule may not send to the queue; empty if it may."""
    queue = emulator.service("sqs")._queue_by_arn(queue_arn)
    if queue is None:
        return "the queue does not exist"
    rule = delivery.current_rule()
    attributes = queue["attributes"]
    if not delivery.allows(attributes.get("Policy") or "{}", "sqs:SendMessage", queue_arn, rule, _PRINCIPAL):
        return "the queue's policy does not let EventBridge send for this rule"
    key_id = attributes.get("KmsMasterKeyId")
    if key_id:
        key: dict[str, Any] = emulator.service("kms")._resolve_key(key_id) or {"Arn": key_id}
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            if not delivery.allows(key.get("Policy") or "{}", action, str(key["Arn"]), rule, _PRINCIPAL):
                return f"the key's policy does not let EventBridge use {action}"
    return ""


def _keep(original: Any, target: str, payload: str, refused: str) -> None:
    """Send the event to the target's dead letters with the reason."""
    queue_arn = delivery.current_dead_letters()
    if not queue_arn:
        return
    why = refusal(queue_arn)
    if why:
        _logger.warning("no dead letter in %s: %s", queue_arn, why)
        return
    original(emulator.module("core.arn").parse_arn(queue_arn), payload, None)
    notes = {
        "RULE_ARN": delivery.current_rule(),
        "TARGET_ARN": target,
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": refused,
    }
    queue = emulator.service("sqs")._queue_by_arn(queue_arn)
    queue["messages"][-1]["message_attributes"] = {
        name: {"DataType": "String", "StringValue": value} for name, value in notes.items()
    }
