"""Which rights a request needs, where MiniStack asks for others than AWS does.

- Glue: MiniStack checks the crawler, database or table ARN `table/<Name>` whatever the call; AWS checks the
  named resource and, for the catalogue, its ancestors too.
  https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
- CloudWatch Logs: AWS checks `log-group:<name>:log-stream:<stream>`, so that a policy written for
  `<group>:*` counts.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
- S3 with SSE-KMS: the caller needs the key as well, through S3; and bucket policies may ask for the key's id.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
- Keys: MiniStack takes `test` and any account number for the account's owner; here there is one owner's key.
- A topic with a key of one's own: who publishes needs the key as well, through SNS.
  https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

import json
from collections.abc import Callable
from typing import Any

import emulator
from settings import Settings

_BEHAVIOUR = "rights as AWS asks for them"
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_KEY_RIGHTS = {
    "s3:PutObject": ("kms:GenerateDataKey",),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
}
_DATABASE_CALLS = frozenset({"GetDatabase", "CreateDatabase", "UpdateDatabase", "DeleteDatabase"})


class _Resources(str):
    """The ARN a denial names, with the others that the same request is checked on."""

    others: tuple[str, ...] = ()


class _Denied(str):
    """The principal of a denial, with the key right that was missing."""

    key_right = ""
    key = ""


def install(settings: Settings) -> Callable[[], None]:
    """Wrap how MiniStack names a request's resources and how it decides."""
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


def _resource_arn(original: Any) -> Callable[..., Any]:
    def extract_resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        named: list[str] = []
        action = str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1]
        if service in ("glue", "logs") and action:
            try:
                data = json.loads(body or b"{}")
            except ValueError:
                data = {}
            names = glue_resources(action, data) if service == "glue" else logs_resources(action, data)
            named = [f"arn:aws:{service}:{region}:{account}:{name}" for name in names]
        if not named:
            return str(original(service, method, path, headers, body, query, region, account))
        resources = _Resources(named[0])
        resources.others = tuple(named[1:])
        return resources

    return extract_resource_arn


def glue_resources(action: str, data: dict[str, Any]) -> list[str]:
    """What a Glue call is checked on, without the ARN's beginning, the most specific first; empty when
    unknown.
    """
    if action in _DATABASE_CALLS:
        name = data.get("Name") or (data.get("DatabaseInput") or {}).get("Name", "*")
        return [f"database/{name}", "catalog"]
    if data.get("DatabaseName") and "Crawler" not in action:
        database = data["DatabaseName"]
        above = [f"database/{database}", "catalog"]
        tables = data.get("TablesToDelete")
        if tables:
            return [*(f"table/{database}/{name}" for name in tables), *above]
        if action == "GetTables":
            return [f"table/{database}/*", *above]
        name = data.get("TableName") or data.get("Name") or (data.get("TableInput") or {}).get("Name", "*")
        return [f"table/{database}/{name}", *above]
    if "Crawler" in action and (data.get("Name") or data.get("CrawlerName")):
        return [f"crawler/{data.get('Name') or data.get('CrawlerName')}"]
    if "Job" in action and (data.get("JobName") or data.get("Name")):
        return [f"job/{data.get('JobName') or data.get('Name')}"]
    if action in ("GetDatabases", "GetCatalogImportStatus"):
        return ["catalog"]
    return []


def logs_resources(action: str, data: dict[str, Any]) -> list[str]:
    """What a Logs call is checked on, without the ARN's beginning; empty when unknown."""
    group = data.get("logGroupName")
    if not group or action in ("TagResource", "UntagResource", "ListTagsForResource"):
        return []
    return [f"log-group:{group}:log-stream:{data.get('logStreamName', '')}"]


# -- decisions --


def _context(original: Any) -> Callable[..., Any]:
    def s3_service_context(action: str, query: Any, path: str = "", headers: Any = None) -> dict[str, Any]:
        context = dict(original(action, query, path, headers))
        if action in _KEY_RIGHTS:
            context["ministack:key"] = _key_of(action, path, headers or {})
            asked = (headers or {}).get(_KEY_HEADER)
            if asked and action == "s3:PutObject":
                context[f"s3:{_KEY_HEADER}"] = _key_arn(asked)
        return context

    return s3_service_context


def _key_of(action: str, path: str, headers: Any) -> str:
    """The KMS key that an object is, or will be, encrypted with; empty for none."""
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
        context = dict(service_context or {})
        key = context.pop("ministack:key", "")
        for resource in (resource_arn, *getattr(resource_arn, "others", ())):
            denied = original(access_key_id, iam_action, service, region, str(resource), context)
            if denied is not None:
                return denied
        key = key or (_topic_key(str(resource_arn)) if iam_action == "sns:Publish" else "")
        for right in _KEY_RIGHTS.get(iam_action, ()) if key else ():
            through = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
            denied = original(access_key_id, right, "kms", region, key, through)
            if denied is not None:
                if hasattr(denied, "principal_arn"):
                    principal = _Denied(denied.principal_arn)
                    principal.key_right, principal.key = right, key
                    denied.principal_arn = principal
                return denied
        return None

    return enforce


def _denial(original: Any) -> Callable[..., Any]:
    """A denial names the resource, and the key's right when that was missing."""

    def access_denied_response(
        service: str, action: str, principal_arn: str, request_id: str, **more: Any
    ) -> Any:
        if isinstance(principal_arn, _Denied):
            action, more["resource_arn"] = principal_arn.key_right, principal_arn.key
            more["resource_policy_arn"] = ""
        resource, explicit = str(more.get("resource_arn", "*")), bool(more.get("explicit_deny"))
        told = more.get("error_code") or more.get("message")
        by_resource = explicit and more.get("resource_policy_arn")
        if service in ("s3", "glue", "states", "kms") and not told and not by_resource:
            name = emulator.module("core.iam_actions").identity_denial_message
            more["message"] = name(action, str(principal_arn), resource, explicit)
        return original(service, action, str(principal_arn), request_id, **more)

    return access_denied_response
