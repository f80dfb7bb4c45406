"""Creating and changing a function is refused if its role lacks what Lambda itself needs of it.

- The role trusts lambda.amazonaws.com.
  https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
- With subnets it may make network interfaces.
  https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
- It may send to the queue or topic of dead letters and of destinations.
  https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html

The settings of asynchronous invocations have no attempts and no age unless they were given.
https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
"""

from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.functions.invocations import PRINCIPAL
from embedded_aws.iam import request_rights, roles

_BEHAVIOUR = "rights that Lambda needs of a function's role"
_SENDING = {
    "sqs": ("sqs:SendMessage", "SendMessage on SQS"),
    "sns": ("sns:Publish", "Publish on SNS"),
    "lambda": ("lambda:InvokeFunction", "InvokeFunction on Lambda"),
    "events": ("events:PutEvents", "PutEvents on EventBridge"),
}
_INTERFACES = ("CreateNetworkInterface", "DescribeNetworkInterfaces", "DeleteNetworkInterface")


def install() -> None:
    """Wrap MiniStack's creation and configuration of functions."""
    module = "services.lambda_svc"
    emulator.replace(module, "_create_function", ("data",), _creation, _BEHAVIOUR)
    emulator.replace(module, "_update_config", ("name", "data"), _update, _BEHAVIOUR)
    emulator.replace(
        module,
        "_put_event_invoke_config",
        ("func_name", "qualifier", "data"),
        _destinations,
        _BEHAVIOUR,
    )


def _creation(original: Any) -> Callable[..., Any]:
    def create_function(data: dict[str, Any]) -> Any:
        return _refused(str(data.get("FunctionName")), data) or original(data)

    return create_function


def _update(original: Any) -> Callable[..., Any]:
    def update_config(name: str, data: dict[str, Any]) -> Any:
        func = emulator.service("lambda_svc")._functions.get(name)
        if func is None:
            return original(name, data)
        return _refused(name, {"Role": func["config"].get("Role"), **data}) or original(name, data)

    return update_config


def _destinations(original: Any) -> Callable[..., Any]:
    def put_event_invoke_config(func_name: str, qualifier: str | None, data: dict[str, Any]) -> Any:
        func = emulator.service("lambda_svc")._functions.get(func_name)
        if func is not None:
            wanted = (data.get("DestinationConfig") or {}).values()
            targets = [str(one.get("Destination")) for one in wanted if (one or {}).get("Destination")]
            refused = _refused(func_name, {"Role": func["config"].get("Role")}, targets)
            if refused is not None:
                return refused
        answer = original(func_name, qualifier, data)
        if answer[0] >= 400:
            return answer
        service = emulator.service("lambda_svc")
        kept = service._event_invoke_config(service._functions[func_name], qualifier)
        for name in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds"):
            if data.get(name) is None:
                kept.pop(name, None)
        return service.json_response(kept)

    return put_event_invoke_config


def _refused(name: str, data: dict[str, Any], targets: list[str] | None = None) -> Any:
    """Lambda's refusal of this configuration, or None."""
    service = emulator.service("lambda_svc")
    role = str(data.get("Role") or "")
    if role.rsplit("/", 1)[-1] not in emulator.service("iam")._roles:
        return None  # MiniStack refuses it
    try:
        credentials = roles.assume(role, PRINCIPAL, name, str(service._func_arn(name)))
    except roles.RoleNotAssumableError:
        message = "The role defined for the function cannot be assumed by Lambda."
        return service.error_response_json("InvalidParameterValueException", message, 400)
    asked = [("ec2:" + action, "*", f"{action} on EC2") for action in _INTERFACES]
    asked = asked if (data.get("VpcConfig") or {}).get("SubnetIds") else []
    dead_letters = str((data.get("DeadLetterConfig") or {}).get("TargetArn") or "")
    for target in [*(targets or []), *([dead_letters] if dead_letters else [])]:
        if target.split(":")[2] in _SENDING:
            action, words = _SENDING[target.split(":")[2]]
            asked.append((action, target, words))
    for action, resource, words in asked:
        if request_rights.refusal(credentials.access_key_id, action, resource):
            message = f"The provided execution role does not have permissions to call {words}"
            return service.error_response_json("InvalidParameterValueException", message, 400)
    return None
