"""Shows composite alarms only to a right on `*`. For a narrower right they are left out without an error.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

import contextvars
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.iam import request_rights

_BEHAVIOUR = "rights on composite alarms"
_COMPOSITE = "CompositeAlarm"
_NO_TYPE = "None"
"""An empty list of types would mean metric alarms."""
caller: contextvars.ContextVar[str] = contextvars.ContextVar("cloudwatch_caller", default="")
"""The access key of the request being served."""


def install() -> None:
    """Wrap the calls that show alarms."""
    parameters = ("params", "cbor_data", "is_cbor", "is_json")
    for function, right in (
        ("_describe_alarms", "cloudwatch:DescribeAlarms"),
        ("_describe_alarm_history", "cloudwatch:DescribeAlarmHistory"),
    ):
        emulator.replace("services.cloudwatch", function, parameters, _narrowed(right), _BEHAVIOUR)


def _narrowed(right: str) -> Callable[[Any], Callable[..., Any]]:
    def make(original: Any) -> Callable[..., Any]:
        def describe(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
            types = list(data.get("AlarmTypes") or [])
            if _COMPOSITE in types and request_rights.refusal(caller.get(), right, "*"):
                shown = [one for one in types if one != _COMPOSITE] or [_NO_TYPE]
                data = {**data, "AlarmTypes": shown}
            return original(params, data, is_cbor, is_json)

        return describe

    return make
