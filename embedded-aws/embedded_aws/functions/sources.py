"""EventBridge, S3 and SNS invoke a function asynchronously, and only if its policy lets them.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-lambda-permissions
https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.events import delivery

_BEHAVIOUR = "services that invoke functions"
_logger = logging.getLogger("embedded-aws.event-delivery")


def install() -> None:
    """Replace MiniStack's deliveries to functions."""

    def of_rules(_original: Any) -> Callable[..., Any]:
        def dispatch_to_lambda(arn: str, payload: Any) -> None:
            _invoke(arn, json.loads(payload), delivery.current_rule(), "events.amazonaws.com")

        return dispatch_to_lambda

    def of_buckets(_original: Any) -> Callable[..., Any]:
        def deliver_event_to_lambda(arn: str, event_payload: dict[str, Any], bucket_region: str) -> None:
            del bucket_region
            bucket = str(event_payload["Records"][0]["s3"]["bucket"]["arn"])
            _invoke(arn, event_payload, bucket, "s3.amazonaws.com")

        return deliver_event_to_lambda

    def of_topics(_original: Any) -> Callable[..., Any]:
        def deliver_to_lambda(
            endpoint: str, envelope: str, topic_arn: str, sub_arn: str, *_more: Any, **_named: Any
        ) -> None:
            record = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns"}
            event = {"Records": [{**record, "Sns": json.loads(envelope)}]}
            _invoke(endpoint, event, topic_arn, "sns.amazonaws.com")

        return deliver_to_lambda

    emulator.replace("services.eventbridge", "_dispatch_to_lambda", ("arn", "payload"), of_rules, _BEHAVIOUR)
    emulator.replace(
        "services.s3",
        "_deliver_event_to_lambda",
        ("arn", "event_payload", "bucket_region"),
        of_buckets,
        _BEHAVIOUR,
    )
    names = ("endpoint", "envelope", "topic_arn", "sub_arn", "msg_id", "raw_message", "message_attributes")
    emulator.replace("services.sns", "_deliver_to_lambda", names, of_topics, _BEHAVIOUR)


def _invoke(arn: str, event: Any, source: str, principal: str) -> None:
    service = emulator.service("lambda_svc")
    func, config, _ = service._get_func_record_for_ref(arn)
    if not func or not config:
        _logger.warning("%s does not invoke %s: the function does not exist", source, arn)
        return
    policy, _ = service.function_policy_for_arn(arn) or ({}, "")
    document = policy if isinstance(policy, str) else json.dumps(policy)
    if not delivery.allows(document, "lambda:InvokeFunction", arn, source, principal):
        _logger.warning(
            "%s does not invoke %s: the function's policy does not let %s", source, arn, principal
        )
        return
    record = {**service._execution_record_for_config(func, config), "config": {**config, "FunctionArn": arn}}
    service.invoke_async_with_retry(record, event)
