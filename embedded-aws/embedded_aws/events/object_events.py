"""Events of S3 in EventBridge name the object's version.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import contextvars
import functools
import json
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator

_BEHAVIOUR = "versions in the events of S3"
_version: contextvars.ContextVar[str] = contextvars.ContextVar("version_id", default="")


def install() -> None:
    """Wrap MiniStack's events of objects."""

    def fired(original: Any) -> Callable[..., Any]:
        @functools.wraps(original)
        def fire_s3_event(*positional: Any, **named: Any) -> None:
            token = _version.set(str(named.get("version_id") or ""))
            try:
                original(*positional, **named)
            finally:
                _version.reset(token)

        return fire_s3_event

    def dispatched(original: Any) -> Callable[..., Any]:
        def dispatch_event(event: dict[str, Any], view: Any = None) -> Any:
            return original(_with_version(event), view)

        return dispatch_event

    names = ("bucket_name", "key", "event_name", "size", "etag", "deletion_type", "restore_event_data")
    more = ("version_id", "sequencer", "object_extra", "record_extra")
    emulator.replace("services.s3", "_fire_s3_event", (*names, *more), fired, _BEHAVIOUR)
    emulator.replace("services.eventbridge", "_dispatch_event", ("event", "view"), dispatched, _BEHAVIOUR)


def _with_version(event: dict[str, Any]) -> dict[str, Any]:
    version = _version.get()
    if not version or event.get("Source") != "aws.s3":
        return event
    detail = json.loads(event["Detail"])
    detail["object"]["version-id"] = version
    return {**event, "Detail": json.dumps(detail)}
