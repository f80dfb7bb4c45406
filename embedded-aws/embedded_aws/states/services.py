"""Calls AWS services for Tasks, through the endpoint, with the credentials of the state machine's role.

Error names are AWS's: an error that the SDK for Java models has its own name, any other the service's general
name.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions

from embedded_aws.core import emulator
from embedded_aws.states.execution import failure


@dataclass(frozen=True)
class Service:
    """A service: botocore's name, the prefix of its error names, and the name of errors without a model."""

    client: str
    prefix: str
    general: str
    optimised: bool = False


def _optimised(client: str, prefix: str, general: str) -> Service:
    return Service(client, prefix, general, optimised=True)


# Optimised integrations. Their general errors have the names of the SDK for Java 1.
OPTIMISED = {
    "glue": _optimised("glue", "Glue", "AWSGlueException"),
    "states": _optimised("stepfunctions", "StepFunctions", "AWSStepFunctionsException"),
    "athena": _optimised("athena", "Athena", "AmazonAthenaException"),
    "dynamodb": _optimised("dynamodb", "DynamoDB", "AmazonDynamoDBException"),
    "sns": _optimised("sns", "SNS", "AmazonSNSException"),
    "sqs": _optimised("sqs", "SQS", "AmazonSQSException"),
    "lambda": _optimised("lambda", "Lambda", "AWSLambdaException"),
}
# SDK integrations; a prefix here is the SDK for Java 2's spelling.
_SDK_NAMES = {
    "sfn": Service("stepfunctions", "Sfn", "SfnException"),
    "cloudwatchlogs": Service("logs", "CloudWatchLogs", "CloudWatchLogsException"),
    "cloudwatch": Service("cloudwatch", "CloudWatch", "CloudWatchException"),
    "eventbridge": Service("events", "EventBridge", "EventBridgeException"),
    "dynamodb": Service("dynamodb", "DynamoDb", "DynamoDbException"),
    "secretsmanager": Service("secretsmanager", "SecretsManager", "SecretsManagerException"),
}
_PLAIN_SDK_NAMES = ("athena", "glue", "iam", "kms", "lambda", "s3", "sns", "sqs", "ssm", "sts")
SDK = {
    name: Service(name, name.capitalize(), f"{name.capitalize()}Exception") for name in _PLAIN_SDK_NAMES
} | _SDK_NAMES


def call(client: Any, service: Service, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call one operation with a Task's parameters. Returns the answer as a Task's result.

    Raises the Task's failure with AWS's error name.
    """
    said, _ = answered(client, service, action, parameters)
    return said


def answered(
    client: Any, service: Service, action: str, parameters: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """As :func:`call`, with the answer's metadata besides."""
    names = {name.lower(): name for name in client.meta.service_model.operation_names}
    operation = names.get(action.lower())
    if operation is None:
        raise failure("States.Runtime", f"{service.client} has no operation {action}")
    model = client.meta.service_model.operation_model(operation)
    method = getattr(client, _snake(operation))
    try:
        answer = method(**_parameters(parameters, model.input_shape))
    except botocore.exceptions.ParamValidationError as error:
        raise failure("States.Runtime", str(error)) from error
    except botocore.exceptions.ClientError as error:
        raise failure(error_name(client, service, error, operation), _cause(service, error)) from error
    about = answer.pop("ResponseMetadata", {})
    shape = model.output_shape
    return dict(result(answer, shape, service.optimised)) if shape else {}, about


def error_name(
    client: Any, service: Service, error: botocore.exceptions.ClientError, operation: str = ""
) -> str:
    """AWS's name of an error. Modelled errors end in Exception, others have the service's general name.

    S3 names only errors that the operation itself models: a refused GetObject is S3.S3Exception.
    """
    code = error.response.get("Error", {}).get("Code", "")
    model = client.meta.service_model
    own = service.client == "s3" and operation
    for shape in model.operation_model(operation).error_shapes if own else model.error_shapes:
        if code in (shape.name, shape.error_code):
            bare = re.sub(r"(Exception|Fault)$", "", shape.name)
            return f"{service.prefix}.{bare}Exception"
    return f"{service.prefix}.{service.general}"


def _cause(service: Service, error: botocore.exceptions.ClientError) -> str:
    answer = error.response
    message = answer.get("Error", {}).get("Message", str(error))
    meta = answer.get("ResponseMetadata", {})
    status, request = meta.get("HTTPStatusCode", ""), meta.get("RequestId", "")
    return f"{message} (Service: {service.prefix}, Status Code: {status}, Request ID: {request})"


def _snake(operation: str) -> str:
    from botocore import xform_name

    return str(xform_name(operation))


def _parameters(value: Any, shape: Any) -> Any:
    """A Task's PascalCase parameters in the operation's spelling. Keys of maps are data and stay."""
    if shape is None:
        return value or {}
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {_java_name(shape, name).lower(): name for name in shape.members}
        members |= {name.lower(): name for name in shape.members}
        named = {}
        for key, item in value.items():
            name = members.get(key.lower())
            if name is None:
                raise failure("States.Runtime", f"The field '{key}' is not supported by Step Functions")
            named[name] = _parameters(item, shape.members[name])
        return named
    if shape.type_name == "list" and isinstance(value, list):
        return [_parameters(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _parameters(item, shape.value) for key, item in value.items()}
    return value


def _java_name(shape: Any, name: str) -> str:
    """A member's name in the SDK for Java 2. `null` is a Java keyword, so DynamoDB's NULL is Nul."""
    states = emulator.service("stepfunctions")
    return str(states._SDK_MEMBER_NAME_OVERRIDES.get((shape.name, name)) or states._api_name_to_sfn_key(name))


def result(value: Any, shape: Any, optimised: bool = False) -> Any:
    """An answer as a Task's result: PascalCase names, with bodies and times as text.

    Optimised integrations give times in milliseconds, and keep the names of DynamoDB's attribute values.
    """
    if shape is not None and shape.type_name == "structure" and isinstance(value, dict):
        own = optimised and shape.name == "AttributeValue"
        return {
            k if own else _java_name(shape, k): result(item, shape.members.get(k), optimised)
            for k, item in value.items()
            if item is not None
        }
    if shape is not None and shape.type_name == "list" and isinstance(value, list):
        return [result(item, shape.member, optimised) for item in value]
    if shape is not None and shape.type_name == "map" and isinstance(value, dict):
        return {key: result(item, shape.value, optimised) for key, item in value.items()}
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000) if optimised else iso(value)
    if hasattr(value, "read"):
        value = value.read()
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else value


def iso(moment: datetime) -> str:
    """A time in the format of SDK integrations."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def as_cause(document: dict[str, Any]) -> str:
    """A document as the cause of a failed `.sync` Task: JSON with sorted names."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
