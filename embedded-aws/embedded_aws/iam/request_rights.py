"""Checks the rights that a request needs, where MiniStack checks others than AWS does.

- request_resources.py names the resources.
- S3 with SSE-KMS: the caller needs the key too, through S3, also for the source of a copy. A multipart upload
  also needs `kms:Decrypt`. Bucket policies may require the key's id.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
- Access keys: MiniStack accepts `test` and any account number as the account's owner; here the owner has one.
- A topic with a customer managed key: the publisher needs the key too, through SNS.
  https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
- A role that a request passes to a service needs `iam:PassRole`; passed_roles.py finds it.
"""

import json
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.iam import passed_roles, request_resources, roles
from embedded_aws.wire import cloudwatch_protocols

_BEHAVIOUR = "rights as AWS asks for them"
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_NAMES_RESOURCES = frozenset({"athena", "dynamodb", "events", "glue", "kms", "lambda", "s3", "states"})
_HAND_OVER = "iam:PassRole"
# Context entries that hand a request's key, and whether it is part of a multipart upload, to the decision.
_KEY, _IN_PARTS = "ministack:key", "ministack:in-parts"
_KEY_RIGHTS = {
    "s3:PutObject": ("kms:GenerateDataKey",),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
}


class _Resources(str):
    """The ARN that a denial names, with the other ARNs and the condition keys of the same request."""

    others: tuple[str, ...] = ()
    passed: tuple[passed_roles.Passed, ...] = ()
    context: dict[str, Any] = {}  # noqa: RUF012 - replaced, never changed


class _Denied(str):
    """The principal of a denial, with the missing right: on a key, or to pass a role."""

    right = ""
    resource = ""


def install(settings: Settings) -> Callable[[], None]:
    """Wrap MiniStack's naming of a request's resources, and its decision."""
    owner = settings.access_key_id
    emulator.replace(
        "core.iam_evaluator",
        "is_root_access_key",
        ("access_key_id",),
        lambda _: lambda access_key_id: not access_key_id or access_key_id == owner,
        _BEHAVIOUR,
    )
    emulator.replace(
        "core.iam_actions",
        "extract_iam_action",
        ("service", "method", "path", "headers", "body", "query_params"),
        _action,
        _BEHAVIOUR,
    )
    emulator.replace(
        "core.iam_actions",
        "extract_resource_arn",
        ("service", "method", "path", "headers", "body", "query_params", "region", "account_id"),
        _resource_arn,
        _BEHAVIOUR,
    )
    emulator.replace(
        "core.iam_actions",
        "s3_service_context",
        ("iam_action", "query_params", "path", "headers"),
        _context,
        _BEHAVIOUR,
    )
    emulator.replace(
        "core.iam_evaluator",
        "enforce",
        ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
        _enforce,
        _BEHAVIOUR,
    )
    emulator.replace(
        "core.iam_actions",
        "access_denied_response",
        (
            *("service", "action", "principal_arn", "request_id", "error_code", "message", "headers"),
            *("resource_arn", "explicit_deny", "resource_policy_arn"),
        ),
        _denial,
        _BEHAVIOUR,
    )
    return lambda: None


# -- resources --


def _action(original: Any) -> Callable[..., Any]:
    """A call of SQS about a batch of messages needs the right to the same about one message:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """

    def extract_iam_action(
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> str | None:
        action: str | None = original(service, method, path, headers, body, query_params)
        if action is not None and action.startswith("sqs:"):
            return action.removesuffix("Batch")
        return action

    return extract_iam_action


def _resource_arn(original: Any) -> Callable[..., Any]:
    def extract_resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        action, data = _asked(service, path, headers, body, query)
        found = _checked(service, action, data, f"{region}:{account}")
        if service == "scheduler":
            asked = {name: value[0] if isinstance(value, list) else value for name, value in query.items()}
            one = request_resources.scheduler_resource(path, asked | data, f"{region}:{account}")
            found = request_resources.Checked((one,) if one else ())
        arn = (
            found.arns[0]
            if found.arns
            else str(original(service, method, path, headers, body, query, region, account))
        )
        if service == "s3":
            arn = request_resources.s3_resource(arn, path)
        if service == "lambda":
            arn = request_resources.function_resource(arn, path, query or {}, data, f"{region}:{account}")
        resources = _Resources(arn)
        resources.others, resources.context = found.arns[1:], found.context
        resources.passed = passed_roles.passed_roles(service, action, data, account)
        return resources

    return extract_resource_arn


def _asked(service: str, path: str, headers: Any, body: bytes, query: Any) -> tuple[str, dict[str, Any]]:
    """A request's action and parameters; empty for a malformed request, which the service will refuse."""
    if service == "monitoring":
        return _asked_of_cloudwatch(path, headers, body, query)
    if service == "sns":  # a query: each value is a list
        asked = {
            name: value[0] if isinstance(value, list) else value for name, value in (query or {}).items()
        }
        return str(asked.get("Action", "")), asked
    action = str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1]
    in_path = service == "scheduler" or (service == "lambda" and _sets_function(path))
    try:
        data = json.loads(body or b"{}") if action or in_path else {}
    except ValueError:
        data = {}
    return action, data if isinstance(data, dict) else {}


def _sets_function(path: str) -> bool:
    """True for the creation and the configuration of a Lambda function, whose calls are paths."""
    return path.rstrip("/").endswith(("/functions", "/configuration"))


def _asked_of_cloudwatch(path: str, headers: Any, body: bytes, query: Any) -> tuple[str, dict[str, Any]]:
    try:
        call = cloudwatch_protocols.read(path, headers, body, query)
    except Exception:  # a malformed body may raise anything in the parser
        return "", {}
    return call.action, call.parameters


def _checked(service: str, action: str, data: dict[str, Any], place: str) -> request_resources.Checked:
    if not action:
        return request_resources.Checked()
    try:
        return request_resources.checked(service, action, data, place)
    except (ValueError, TypeError, AttributeError):  # a malformed request, for the service to refuse
        return request_resources.Checked()


# -- decisions --


def _context(original: Any) -> Callable[..., Any]:
    def s3_service_context(action: str, query: Any, path: str = "", headers: Any = None) -> dict[str, Any]:
        context = dict(original(action, query, path, headers))
        if action in _KEY_RIGHTS:
            context[_KEY] = _key_of(action, path, headers or {})
            context[_IN_PARTS] = "uploads" in (query or {}) or "uploadId" in (query or {})
            asked = (headers or {}).get(_KEY_HEADER)
            if asked and action == "s3:PutObject":
                context[f"s3:{_KEY_HEADER}"] = _key_arn(asked)
        return context

    return s3_service_context


def _key_of(action: str, path: str, headers: Any) -> str:
    """The KMS key that encrypts an object, or will encrypt it; empty without one."""
    s3 = emulator.service("s3")
    bucket, _, key = path.lstrip("/").partition("/")
    default = s3._bucket_default_sse_headers(bucket)
    if action == "s3:PutObject":
        algorithm = headers.get("x-amz-server-side-encryption")
        asked = headers.get(_KEY_HEADER)
        key_id = asked or (default.get(_KEY_HEADER) if algorithm in (None, "aws:kms") else "")
    else:
        held = ((s3._buckets.get(bucket) or {}).get("objects") or {}).get(key) or {}
        stored = held.get("preserved_headers") or {}
        algorithm = stored.get("x-amz-server-side-encryption")
        key_id = stored.get(_KEY_HEADER) or (default.get(_KEY_HEADER) if held and algorithm is None else "")
    return _key_arn(key_id) if key_id else ""


def _key_behind(action: str, resource: str) -> str:
    """The KMS key of a topic, or of an object named by its ARN alone; empty without one."""
    if action == "sns:Publish":
        return _topic_key(resource)
    return _key_of(action, "/" + resource.removeprefix("arn:aws:s3:::"), {})


def _topic_key(topic_arn: str) -> str:
    topic = emulator.service("sns")._topic_by_arn_any_scope(topic_arn) or {}
    key_id = (topic.get("attributes") or {}).get("KmsMasterKeyId")
    return _key_arn(key_id) if key_id else ""


def _key_arn(key_id: str) -> str:
    record = emulator.service("kms")._resolve_key(key_id)
    return str(record["Arn"]) if record else key_id


def _enforce(original: Any) -> Callable[..., Any]:
    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {**(service_context or {}), **getattr(resource_arn, "context", {})}
        in_parts = context.pop(_IN_PARTS, False)
        key = context.pop(_KEY, None)
        for resource in (resource_arn, *getattr(resource_arn, "others", ())):
            denied = original(access_key_id, iam_action, service, region, str(resource), context)
            if denied is not None:
                return denied
        for role, to in getattr(resource_arn, "passed", ()):
            denied = original(access_key_id, _HAND_OVER, "iam", region, role, {"iam:PassedToService": to})
            if denied is not None:
                return _naming(denied, _HAND_OVER, role)
        if iam_action not in _KEY_RIGHTS:
            return None
        if key is None:  # asked for outside a request, or the source of a copy
            key = _key_behind(iam_action, str(resource_arn))
        rights = (*_KEY_RIGHTS[iam_action], *(("kms:Decrypt",) if in_parts else ()))
        for right in rights if key else ():
            through = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
            denied = original(access_key_id, right, "kms", region, key, through)
            if denied is not None:
                return _naming(denied, right, key)
        return None

    return enforce


def _naming(denied: Any, right: str, resource: str) -> Any:
    """A denial that names the missing right instead of the action."""
    if hasattr(denied, "principal_arn"):
        principal = _Denied(denied.principal_arn)
        principal.right, principal.resource = right, resource
        denied.principal_arn = principal
    return denied


def _denial(original: Any) -> Callable[..., Any]:
    """Name the resource in a denial, and the right on the key when that was missing."""

    def access_denied_response(
        service: str, action: str, principal_arn: str, request_id: str, **more: Any
    ) -> Any:
        if isinstance(principal_arn, _Denied):
            action, more["resource_arn"] = principal_arn.right, principal_arn.resource
            more["resource_policy_arn"] = ""
        resource, explicit = str(more.get("resource_arn", "*")), bool(more.get("explicit_deny"))
        told = more.get("error_code") or more.get("message")
        by_resource = explicit and more.get("resource_policy_arn")
        if service in _NAMES_RESOURCES and not told and not by_resource:
            name = emulator.module("core.iam_actions").identity_denial_message
            more["message"] = name(action, str(principal_arn), resource, explicit)
        answer = original(service, action, str(principal_arn), request_id, **more)
        if service == "monitoring":
            answer = cloudwatch_protocols.denial(answer, more.get("headers"))
        return answer

    return access_denied_response


# -- on a caller's behalf --


def refusal(access_key_id: str, action: str, resource: str, context: dict[str, Any] | None = None) -> str:
    """The denial of ``action`` on ``resource`` (an ARN) for the holder of an access key; empty when allowed.

    As for a request, keys of objects and topics are checked, conditions see ``context``, and the trace has a
    line. The account is that of the request being served.
    """
    _, region = roles.current_scope()
    service = action.partition(":")[0]
    enforce = emulator.module("core.iam_evaluator").enforce
    denied = enforce(access_key_id, action, service, region, resource, context)
    if denied is None:
        return ""
    principal = getattr(denied, "principal_arn", "")
    if not principal:
        return str(denied.message)
    if isinstance(principal, _Denied):
        action, resource = principal.right, principal.resource
    return f"User: {principal} is not authorized to perform: {action} on resource: {resource}"
