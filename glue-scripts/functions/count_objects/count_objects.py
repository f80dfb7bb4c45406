"""Counts the objects below a prefix, so that a state machine can decide before it starts a job."""

from functools import cache
from typing import Any


class InvalidInput(Exception):
    """The caller must change the input of the function."""


class MissingDelivery(Exception):
    """The source has delivered nothing yet: run again once it has."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes `bucket` and `prefix`: "" for the whole bucket, or a prefix that ends in a slash.

    Returns `count`, `bytes`, and of the newest object `newestKey` and `newestAt` (UTC). Raises
    `MissingDelivery` if there is no object. Objects whose names begin with `_` or `.`, and folders of the
    console, do not count: no job reads them.
    """
    bucket, prefix = _read(event)
    pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    objects = [found for page in pages for found in page.get("Contents", []) if _is_delivered(found["Key"])]
    if not objects:
        raise MissingDelivery(f"no object below s3://{bucket}/{prefix}")
    newest = max(objects, key=lambda found: (found["LastModified"], found["Key"]))
    return {
        "count": len(objects),
        "bytes": sum(found["Size"] for found in objects),
        "newestKey": newest["Key"],
        "newestAt": newest["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _read(event: dict[str, Any]) -> tuple[str, str]:
    bucket, prefix = event.get("bucket"), event.get("prefix")
    mistakes = []
    if not isinstance(bucket, str) or not bucket:
        mistakes.append(f"'bucket' must be the name of a bucket, got {bucket!r}")
    if not isinstance(prefix, str) or prefix.startswith("/") or (prefix and not prefix.endswith("/")):
        mistakes.append(f"'prefix' must be \"\", or end in a slash and not begin with one, got {prefix!r}")
    if mistakes:
        raise InvalidInput("; ".join(mistakes))
    return str(bucket), str(prefix)


def _is_delivered(key: str) -> bool:
    return not key.endswith("/") and not key.rsplit("/", 1)[-1].startswith(("_", "."))


@cache
def _s3() -> Any:
    import boto3  # here, so that importing this module does nothing

    return boto3.client("s3")
