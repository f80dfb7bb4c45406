"""EventBridge publishes to a topic only if the policies of the topic and of its key allow that rule.

It starts a state machine only with the role of the rule's target.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

import contextvars
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import botocore.exceptions

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.iam import roles

_BEHAVIOUR = "a topic's policy for rules, the role of a rule's target"
_PRINCIPAL = "events.amazonaws.com"
_logger = logging.getLogger("embedded-aws.event-delivery")
_rule: contextvars.ContextVar[str] = contextvars.ContextVar("rule_arn", default="")
_role: contextvars.ContextVar[str] = contextvars.ContextVar("role_arn", default="")
_dead_letters: contextvars.ContextVar[str] = contextvars.ContextVar("dead_letters", default="")


def install(settings: Settings) -> Callable[[], None]:
    """Wrap MiniStack's invocation of targets, topics and state machines."""

    def targets(original: Any) -> Callable[..., Any]:
        def invoke_target(target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> Any:
            tokens = _rule.set(str((rule or {}).get("Arn", ""))), _role.set(str(target.get("RoleArn") or ""))
            kept = _dead_letters.set(str((target.get("DeadLetterConfig") or {}).get("Arn") or ""))
            try:
                return original(target, event, rule, view)
            finally:
                _rule.reset(tokens[0])
                _role.reset(tokens[1])
                _dead_letters.reset(kept)

        return invoke_target

    def topics(original: Any) -> Callable[..., Any]:
        def dispatch_to_sns(arn: str, payload: Any) -> Any:
            refused = refusal(arn, _rule.get(), _PRINCIPAL)
            if refused:
                _logger.warning("rule %s does not reach %s: %s", _rule.get(), arn, refused)
                return None
            return original(arn, payload)

        return dispatch_to_sns

    def machines(_original: Any) -> Callable[..., Any]:
        def dispatch_to_stepfunctions(arn: str, payload: Any) -> None:
            # An event is put during a request, which must not wait for another request to the same server.
            start = contextvars.copy_context().run
            threading.Thread(target=start, args=(_start, settings, arn, str(payload)), daemon=True).start()

        return dispatch_to_stepfunctions

    module = "services.eventbridge"
    emulator.replace(module, "_invoke_target", ("target", "event", "rule", "view"), targets, _BEHAVIOUR)
    emulator.replace(module, "_dispatch_to_sns", ("arn", "payload"), topics, _BEHAVIOUR)
    emulator.replace(module, "_dispatch_to_stepfunctions", ("arn", "payload"), machines, _BEHAVIOUR)
    return lambda: None


def _start(settings: Settings, arn: str, text: str) -> None:
    """Start an execution with the role of the rule's target. The role must trust EventBridge for the rule."""
    rule, role = _rule.get(), _role.get()
    try:
        if not role:
            raise roles.RoleNotAssumableError("its target has no role")
        json.loads(text)
        credentials = roles.assume(role, _PRINCIPAL, rule.rsplit("/", 1)[-1], rule)
        client = roles.client(settings, "stepfunctions", credentials)
        client.start_execution(stateMachineArn=arn, input=text)
    except (roles.RoleNotAssumableError, botocore.exceptions.ClientError, ValueError) as error:
        _logger.warning("rule %s does not start %s: %s", rule, arn, error)


def refusal(topic_arn: str, source_arn: str, principal: str) -> str:
    """The reason why a service may not publish to the topic for a rule or an alarm; empty if it may."""
    topic = emulator.service("sns")._topic_by_arn_any_scope(topic_arn)
    if topic is None:
        return "the topic does not exist"
    attributes = topic.get("attributes") or {}
    if not allows(attributes.get("Policy") or "{}", "sns:Publish", topic_arn, source_arn, principal):
        return f"the topic's policy does not let {principal} publish for this {_kind(source_arn)}"
    key_id = attributes.get("KmsMasterKeyId")
    if key_id:
        key: dict[str, Any] = emulator.service("kms")._resolve_key(key_id) or {"Arn": key_id}
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            if not allows(key.get("Policy") or "{}", action, str(key["Arn"]), source_arn, principal):
                return f"the key's policy does not let {principal} use {action}"
    return ""


def _kind(source_arn: str) -> str:
    return "alarm" if ":cloudwatch:" in source_arn else "rule"


def current_rule() -> str:
    """The ARN of the rule whose target is being invoked in this context; empty without one."""
    return _rule.get()


def current_dead_letters() -> str:
    """The ARN of the dead-letter queue of the target that is being invoked; empty without one."""
    return _dead_letters.get()


def allows(policy: str, action: str, resource: str, source_arn: str, principal: str) -> bool:
    """True if a resource's policy lets a service act for this source."""
    evaluator = emulator.module("core.iam_evaluator")
    account, region = roles.current_scope()
    context = evaluator.EvalContext(
        principal_arn=principal,
        principal_type="Service",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        secure_transport=True,
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": account},
    )
    return bool(evaluator.evaluate_resource_policy(policy, context, service=principal).decision == "Allow")
