"""Decides when a changed alarm acts: at once, or if it has a suppressor, when that allows it.

A composite alarm does not act while its suppressor is in ALARM, during the wait period that begins when the
composite alarm goes to ALARM, and during the extension period after the suppressor left ALARM. When a period
ends, the alarm acts for its state at that time, unless it last acted for the same state.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Any

from embedded_aws.cloudwatch.alarms import actions
from embedded_aws.core import emulator, snapshots

KEPT = ("suppression", "told", "ActionsSuppressedBy", "ActionsSuppressedReason")
"""The fields of an alarm's record that survive a change of its definition."""
_logger = logging.getLogger("embedded-aws.alarms")
_Change = tuple[dict[str, Any], str, str, str]
_held: list[_Change] | None = None


@contextlib.contextmanager
def held() -> Iterator[list[_Change]]:
    """Collect changes in the list while an alarm's definition is not complete."""
    global _held
    waiting: list[_Change] = []
    _held = waiting
    try:
        yield waiting
    finally:
        _held = None


def changed(alarm: dict[str, Any], old_state: str, new_state: str, reason: str, minute: float) -> None:
    """Act for an alarm whose state has just changed. ``minute`` is CloudWatch's minute in seconds."""
    if _held is not None:
        _held.append((alarm, old_state, new_state, reason))
        return
    previous, alarm["told"] = str(alarm.get("told", "")), reason
    alarm["StateTransitionedTimestamp"] = time.time()
    snapshots.changed()
    try:
        actions.put_event(alarm, old_state, previous)
    except Exception:
        _logger.exception("no event for %s", alarm["AlarmName"])
    if not alarm.get("ActionsSuppressor"):
        actions.run(alarm, old_state, new_state, reason)
        return
    now = time.time()
    update(alarm, now, minute)
    record = alarm["suppression"]
    if record["by"]:
        return
    wait = float(alarm["ActionsSuppressorWaitPeriod"]) * minute / 60
    if new_state == "ALARM" and wait > 0:
        _suppress(alarm, "WaitPeriod", now + wait)
    else:
        _act(alarm)


def update(alarm: dict[str, Any], now: float, minute: float) -> None:
    """Update a composite alarm's suppression, and act if a period has just ended."""
    record = alarm.setdefault("suppression", {"by": "", "until": 0.0, "acted": "INSUFFICIENT_DATA"})
    if _suppressor_state(alarm) == "ALARM":
        if record["by"] != "Alarm":
            _suppress(alarm, "Alarm", 0.0)
    elif record["by"] == "Alarm":
        extension = float(alarm["ActionsSuppressorExtensionPeriod"]) * minute / 60
        _suppress(alarm, "ExtensionPeriod", now + extension)
    elif record["by"] and now >= record["until"]:
        _suppress(alarm, "", 0.0)
        if alarm["StateValue"] != record["acted"]:
            _act(alarm)


def _suppressor_state(alarm: dict[str, Any]) -> str:
    return str(emulator.service("cloudwatch")._rule_alarm_state(alarm["ActionsSuppressor"]) or "")


def _suppress(alarm: dict[str, Any], by: str, until: float) -> None:
    alarm["suppression"].update(by=by, until=until)
    if by:
        alarm.update(ActionsSuppressedBy=by, ActionsSuppressedReason=f"Actions suppressed by {by}")
    else:
        for name in ("ActionsSuppressedBy", "ActionsSuppressedReason"):
            alarm.pop(name, None)
    snapshots.changed()


def _act(alarm: dict[str, Any]) -> None:
    before, alarm["suppression"]["acted"] = alarm["suppression"]["acted"], alarm["StateValue"]
    actions.run(alarm, before, alarm["StateValue"], alarm["StateReason"])
