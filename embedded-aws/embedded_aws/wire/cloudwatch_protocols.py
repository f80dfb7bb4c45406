"""Reads and writes CloudWatch's three protocols by botocore's model of the service.

MiniStack's answers in XML leave out most of an alarm, its CBOR needs a library that is not installed, and it
checks no right for a call in CBOR. So every call reaches MiniStack as JSON, and its answer goes back in the
protocol of the call.
https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import functools
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import botocore.model
import botocore.parsers
import botocore.serialize
import botocore.session

from embedded_aws.core import emulator

_NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/"
_TARGET = "GraniteServiceVersion20100801"
_OPERATION = re.compile(r"/operation/([A-Za-z]+)")
_CBOR_HEADERS = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
_ERROR = {
    "Error": {"type": "structure", "members": {"__type": {"shape": "Text"}, "message": {"shape": "Text"}}},
    "Text": {"type": "string"},
}
_BEHAVIOUR = "CloudWatch's protocols"


@dataclass(frozen=True)
class Call:
    """One call: the operation's name, empty when none is named, its parameters and its protocol."""

    action: str
    parameters: dict[str, Any] = field(default_factory=dict)
    protocol: str = "json"


def install() -> None:
    """Translate before MiniStack's handler, and check the rights of calls in CBOR."""
    parameters = ("method", "path", "headers", "body", "query_params")
    emulator.replace("services.cloudwatch", "handle_request", parameters, _handle, _BEHAVIOUR)
    emulator.replace(
        "core.iam_actions",
        "extract_iam_action",
        ("service", "method", "path", "headers", "body", "query_params"),
        _actions,
        _BEHAVIOUR,
    )


def _actions(original: Any) -> Callable[..., Any]:
    def extract_iam_action(
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> Any:
        if service == "monitoring" and _protocol(headers) == "cbor":
            named = _OPERATION.search(path)
            return f"cloudwatch:{named.group(1)}" if named else None
        return original(service, method, path, headers, body, query_params)

    return extract_iam_action


def _handle(original: Any) -> Callable[..., Any]:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        call = read(path, headers, body, query_params)
        operation = _model().operation_model(call.action) if call.action in _operations() else None
        target = {"x-amz-target": f"{_TARGET}.{call.action}", "content-type": "application/x-amz-json-1.0"}
        document = json.dumps(call.parameters, default=_as_epoch).encode()
        status, _, answer = await original(method, path, target, document, {})
        found = json.loads(answer or b"{}")
        if status >= 400 or operation is None:
            return error(call.protocol, str(found.get("__type", "")), str(found.get("message", "")), status)
        return _written(call, operation, found)

    return handle_request


# -- calls --


def read(path: str, headers: Any, body: bytes, query_params: Any) -> Call:
    """The call that a request makes, whatever its protocol."""
    protocol = _protocol(headers)
    if protocol == "cbor":
        named = _OPERATION.search(path)
        return Call(named.group(1) if named else "", _from_cbor(body), protocol)
    if protocol == "json":
        action = str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1]
        return Call(action, json.loads(body or b"{}") or {}, protocol)
    form = {key: str(values[0]) for key, values in _form(body, query_params).items()}
    action = form.get("Action", "")
    shape = _model().operation_model(action).input_shape if action in _operations() else None
    return Call(action, _structure(form, "", shape) if shape else {}, protocol)


def _protocol(headers: Any) -> str:
    content = str(headers.get("content-type", ""))
    if "cbor" in content or "cbor" in str(headers.get("smithy-protocol", "")):
        return "cbor"
    return "json" if "json" in content or headers.get("x-amz-target") else "query"


def _from_cbor(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    parser = botocore.parsers.RpcV2CBORParser()
    return dict(parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)))


def _form(body: bytes, query_params: Any) -> dict[str, list[str]]:
    form = {key: value if isinstance(value, list) else [value] for key, value in dict(query_params).items()}
    return form | parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)


def _structure(form: dict[str, str], prefix: str, shape: Any) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        key = f"{prefix}{member.serialization.get('name', name)}"
        if key in form or any(given.startswith(f"{key}.") for given in form):
            found[name] = _value(form, key, member)
    return found


def _value(form: dict[str, str], key: str, shape: Any) -> Any:
    if shape.type_name == "structure":
        return _structure(form, f"{key}.", shape)
    if shape.type_name == "list":
        begin = re.compile(re.escape(key) + r"\.member\.(\d+)(?:\.|$)")
        places = sorted({int(match.group(1)) for given in form if (match := begin.match(given))})
        return [_value(form, f"{key}.member.{place}", shape.member) for place in places]
    text = form.get(key, "")
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name in ("double", "float"):
        return float(text)
    return text == "true" if shape.type_name == "boolean" else text


def _as_epoch(value: Any) -> float:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    raise TypeError(f"{type(value).__name__} is not part of a call")


# -- answers --


def _written(call: Call, operation: Any, found: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    shape = operation.output_shape
    known = _known(found, shape, call.protocol == "json") if shape is not None else {}
    if call.protocol == "json":
        return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(known).encode()
    if call.protocol == "cbor":
        return 200, dict(_CBOR_HEADERS), _to_cbor(known, shape)
    root = ElementTree.Element(f"{call.action}Response", xmlns=_NAMESPACE)
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{call.action}Result")
        _to_xml(ElementTree.SubElement(root, wrapper), known, shape)
    metadata = ElementTree.SubElement(root, "ResponseMetadata")
    ElementTree.SubElement(metadata, "RequestId").text = str(uuid.uuid4())
    return 200, {"Content-Type": "text/xml"}, ElementTree.tostring(root, encoding="utf-8")


def error(protocol: str, code: str, message: str, status: int) -> tuple[int, dict[str, str], bytes]:
    """A refusal in the protocol of the call."""
    if protocol == "cbor":
        shape = botocore.model.ShapeResolver(_ERROR).get_shape_by_name("Error")
        return status, dict(_CBOR_HEADERS), _to_cbor({"__type": code, "message": message}, shape)
    answer = emulator.module("services.cloudwatch")._error(code, message, status, use_json=protocol == "json")
    return int(answer[0]), dict(answer[1]), bytes(answer[2])


def denial(answer: Any, headers: Any) -> Any:
    """MiniStack's denial, in CBOR if the call was in CBOR."""
    if _protocol(headers or {}) != "cbor" or "json" not in str(answer[1].get("Content-Type", "")):
        return answer
    found = json.loads(answer[2])
    message = str(found.get("message") or found.get("Message") or "")
    return error("cbor", str(found.get("__type", "AccessDenied")), message, int(answer[0]))


def _known(value: Any, shape: Any, as_numbers: bool) -> Any:
    """The fields of an answer that are in the model, without nulls; times as numbers or as datetimes."""
    if shape.type_name == "structure":
        members = shape.members
        return {
            name: _known(item, members[name], as_numbers)
            for name, item in value.items()
            if name in members and item is not None
        }
    if shape.type_name == "list":
        return [_known(item, shape.member, as_numbers) for item in value]
    if shape.type_name == "timestamp":
        # MiniStack writes the times of dashboards as text, all others in seconds.
        text = isinstance(value, str) and not value.replace(".", "").isdigit()
        seconds = datetime.fromisoformat(value).timestamp() if text else float(value)
        return seconds if as_numbers else datetime.fromtimestamp(seconds, UTC)
    return float(value) if shape.type_name in ("double", "float") else value


def _to_cbor(value: dict[str, Any], shape: Any) -> bytes:
    if shape is None:
        return b"\xa0"  # an empty map
    written = bytearray()
    botocore.serialize.RpcV2CBORSerializer()._serialize_data_item(written, value, shape)
    return bytes(written)


def _to_xml(parent: ElementTree.Element, value: Any, shape: Any) -> None:
    if shape.type_name == "structure":
        for name, item in value.items():
            member = shape.members[name]
            _to_xml(ElementTree.SubElement(parent, member.serialization.get("name", name)), item, member)
    elif shape.type_name == "list":
        for item in value:
            _to_xml(ElementTree.SubElement(parent, "member"), item, shape.member)
    elif isinstance(value, datetime):
        parent.text = value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    else:
        parent.text = str(value).lower() if isinstance(value, bool) else str(value)


@functools.cache
def _model() -> Any:
    return botocore.session.Session().get_service_model("cloudwatch")


@functools.cache
def _operations() -> frozenset[str]:
    return frozenset(_model().operation_names)
