"""A workgroup's settings for its queries, and the rights to write and read their results.

https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
"""

import re
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.iam import roles


class InvalidRequestError(ValueError):
    """A request that Athena refuses; the text is its message."""


def _configuration(name: str) -> dict[str, Any]:
    group = emulator.service("athena")._workgroups.get(name) or {}
    return dict(group.get("Configuration") or {})


def scan_limit(name: str) -> int:
    """The most bytes that one query of the workgroup may scan; 0 for no limit."""
    return int(_configuration(name).get("BytesScannedCutoffPerQuery") or 0)


def results_of(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The location and encryption of a query's results.

    They are the workgroup's if it enforces them or the client names no location. Raises InvalidRequestError
    when the workgroup does not exist or is disabled, or neither names a location.
    """
    group = emulator.service("athena")._workgroups.get(name)
    if group is None:
        raise InvalidRequestError(f"WorkGroup {name} is not found.")
    if group.get("State") == "DISABLED":
        raise InvalidRequestError(f"WorkGroup {name} is disabled.")
    own = _configuration(name)
    settled = dict(own.get("ResultConfiguration") or {})
    if asked.get("OutputLocation") and not own.get("EnforceWorkGroupConfiguration"):
        settled = dict(asked)
    location = str(settled.get("OutputLocation") or "")
    if not location:
        raise InvalidRequestError(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    if not re.fullmatch(r"s3://[^/]+(/.*)?", location):
        raise InvalidRequestError("outputLocation is not a valid S3 path.")
    return {**settled, "OutputLocation": location.rstrip("/") + "/"}


def encryption_of(configuration: dict[str, Any]) -> dict[str, str]:
    """The encryption parameters of PutObject; empty to use the bucket's default."""
    told = configuration.get("EncryptionConfiguration") or {}
    option = told.get("EncryptionOption")
    if option == "SSE_KMS":
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": str(told.get("KmsKey", ""))}
    return {"ServerSideEncryption": "AES256"} if option == "SSE_S3" else {}


def credentials_of(access_key: str) -> roles.Credentials:
    """The credentials of a query's caller, found by the key that signed the request.

    Raises InvalidRequestError when they are no longer valid.
    """
    found = emulator.module("core.iam_evaluator").resolve_credential(access_key)
    if not hasattr(found, "secret_access_key"):
        raise InvalidRequestError(str(found.message))
    token = str(found.session_token or "")
    return roles.Credentials(access_key, str(found.secret_access_key), token, str(found.principal_arn))


def verify_bucket(configuration: dict[str, Any], access_key: str) -> None:
    """Check the bucket of the results before a query is accepted, as Athena does: s3:GetBucketLocation.

    Raises InvalidRequestError when the bucket does not exist, or the caller lacks the right.
    """
    if (configuration.get("EncryptionConfiguration") or {}).get("EncryptionOption") == "CSE_KMS":
        raise InvalidRequestError("Results encrypted by the client (CSE_KMS) are not supported here.")
    bucket = configuration["OutputLocation"].split("/")[2]
    known = bucket in emulator.service("s3")._buckets
    if not known or _denied("s3:GetBucketLocation", bucket, "", access_key) is not None:
        raise InvalidRequestError(f"Unable to verify/create output bucket {bucket}")


def denied_results(location: str, access_key: str) -> str:
    """The reason why the caller may not read a query's results; empty if allowed.

    They need s3:GetObject on the object, and its key.
    https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
    """
    bucket, _, key = location.removeprefix("s3://").partition("/")
    denied = _denied("s3:GetObject", bucket, key, access_key)
    if denied is None:
        return ""
    principal = getattr(denied, "principal_arn", "") or "the caller"
    return f"Access Denied: {principal} is not authorized to read {location}"


def _denied(action: str, bucket: str, key: str, access_key: str) -> Any:
    """The evaluator's denial; None if allowed."""
    _, region = roles.current_scope()
    path = f"/{bucket}/{key}" if key else f"/{bucket}"
    context = emulator.module("core.iam_actions").s3_service_context(action, {}, path, {})
    evaluator = emulator.module("core.iam_evaluator")
    return evaluator.enforce(access_key, action, "s3", region, f"arn:aws:s3:::{path[1:]}", context)


def deletion(original: Any) -> Callable[..., Any]:
    """Delete a workgroup that has executed or named queries only with `RecursiveDeleteOption`, and them too.

    https://docs.aws.amazon.com/athena/latest/APIReference/API_DeleteWorkGroup.html
    """

    def delete_workgroup(data: dict[str, Any]) -> Any:
        athena = emulator.service("athena")
        name = str(data.get("WorkGroup"))
        kept = [
            (store, key)
            for store in (athena._executions, athena._named_queries)
            for key, entry in list(store.items())
            if str(entry.get("WorkGroup") or "primary") == name
        ]
        if kept and not data.get("RecursiveDeleteOption"):
            return athena.error_response_json(
                "InvalidRequestException", f"WorkGroup {name} is not empty", 400
            )
        answer = original(data)
        if answer[0] < 400:
            for store, key in kept:
                store.pop(key, None)
        return answer

    return delete_workgroup
