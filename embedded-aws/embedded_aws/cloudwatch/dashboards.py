"""Refuses dashboards as CloudWatch does: for their name, or a body without valid widgets.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
import re
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_BEHAVIOUR = "dashboards with widgets"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST_WIDGETS = 500
_KINDS = frozenset(("alarm", "custom", "explorer", "log", "metric", "text"))
_GRID = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1000)}


def install(settings: Settings) -> Callable[[], None]:
    """Check a dashboard before MiniStack stores it."""
    del settings

    def make(original: Any) -> Callable[..., Any]:
        def put(params: Any, cbor_data: Any, is_cbor: Any, is_json: Any = False) -> Any:
            words = mistakes(str(cbor_data.get("DashboardName", "")), str(cbor_data.get("DashboardBody", "")))
            if words:
                refuse = emulator.module("services.cloudwatch")._error
                told = (
                    f"The dashboard is invalid, there are {len(words)} validation errors: {'; '.join(words)}"
                )
                return refuse("InvalidParameterInput", told, 400, use_json=is_json, use_cbor=is_cbor)
            return original(params, cbor_data, is_cbor, is_json)

        return put

    parameters = ("params", "cbor_data", "is_cbor", "is_json")
    emulator.replace("services.cloudwatch", "_put_dashboard", parameters, make, _BEHAVIOUR)
    return lambda: None


def mistakes(name: str, body: str) -> list[str]:
    """The mistakes that CloudWatch would refuse, each with its place; empty if CloudWatch would accept it."""
    found = (
        [] if _NAME.fullmatch(name) else [f"DashboardName: '{name}' has other characters than A-Za-z0-9-_"]
    )
    try:
        widgets = json.loads(body)["widgets"]
    except (ValueError, TypeError, KeyError):
        return [*found, "DashboardBody: must be a JSON object with widgets"]
    if not isinstance(widgets, list) or len(widgets) > _MOST_WIDGETS:
        return [*found, f"/widgets: must be a list of at most {_MOST_WIDGETS}"]
    return found + [
        f"/widgets/{at}{told}" for at, widget in enumerate(widgets) for told in _of_widget(widget)
    ]


def _of_widget(widget: Any) -> list[str]:
    if not isinstance(widget, dict):
        return [": must be an object"]
    found = (
        []
        if widget.get("type") in _KINDS
        else [f"/type: {widget.get('type')!r} must be one of {', '.join(sorted(_KINDS))}"]
    )
    if not isinstance(widget.get("properties"), dict):
        found.append("/properties: missing")
    for name, (least, most) in _GRID.items():
        value = widget.get(name, least)
        if not isinstance(value, int) or value < least or (most is not None and value > most):
            found.append(
                f"/{name}: {value!r} must be {f'from {least} to {most}' if most else f'at least {least}'}"
            )
    return found
