"""Computes when a schedule is due: its expression in its time zone, as EventBridge Scheduler reads it.

A schedule does not fire at a local time that the clock skips, and fires once at one that occurs twice.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from embedded_aws.core import emulator

_LONGEST_CHANGE = timedelta(hours=3)
"""No zone changes its clock by more."""


@dataclass(frozen=True)
class Clock:
    """The time that schedules see: the real time, or one that was set at the start and goes on from there."""

    put_to: datetime | None = None
    _made: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        if self.put_to is None:
            return datetime.now(UTC)
        return self.put_to + timedelta(seconds=time.monotonic() - self._made)


def due(schedule: dict[str, Any], after: datetime, until: datetime) -> list[datetime]:
    """The instants after ``after`` up to ``until``, at which the schedule fires."""
    if schedule.get("State") != "ENABLED":
        return []
    first, last = _limit(schedule, "StartDate"), _limit(schedule, "EndDate")
    found = []
    for instant in _instants(schedule, after):
        if instant > until or (last is not None and instant > last):
            break
        if first is None or instant >= first:
            found.append(instant)
    return found


def is_over(schedule: dict[str, Any], now: datetime) -> bool:
    """True if it will not fire again: a one-time schedule whose time has passed, or one past its end."""
    last = _limit(schedule, "EndDate")
    if last is not None and now > last:
        return True
    return _at(schedule) is not None and next(_instants(schedule, now), None) is None


def _instants(schedule: dict[str, Any], after: datetime) -> Iterator[datetime]:
    """All instants later than ``after``, in order."""
    eventbridge = emulator.service("eventbridge")
    expression = str(schedule.get("ScheduleExpression", ""))
    moment = _at(schedule)
    if moment is not None:
        instant = _instant_of(moment, _zone(schedule))
        if instant is not None and instant > after:
            yield instant
        return
    seconds = eventbridge._parse_rate_seconds(expression)
    if seconds:
        yield from _at_rate(schedule, timedelta(seconds=seconds), after)
        return
    fields = eventbridge._parse_cron_fields(expression)
    if fields is None:
        return
    zone = _zone(schedule)
    # Local time, written as if it were UTC: the fields have no zone.
    wall = (after.astimezone(zone) - _LONGEST_CHANGE).replace(tzinfo=UTC)
    while (wall := eventbridge._cron_next_fire(fields, wall)) is not None:
        instant = _instant_of(wall.replace(tzinfo=None), zone)
        if instant is not None and instant > after:
            yield instant


def _at(schedule: dict[str, Any]) -> datetime | None:
    expression = str(schedule.get("ScheduleExpression", ""))
    if not (expression.startswith("at(") and expression.endswith(")")):
        return None
    try:
        return datetime.fromisoformat(expression[3:-1])
    except ValueError:
        return None


def _at_rate(schedule: dict[str, Any], every: timedelta, after: datetime) -> Iterator[datetime]:
    """Instants of a rate from its start, or at once. Its hours have 60 minutes and its days 24 hours."""
    instant = _limit(schedule, "StartDate") or datetime.fromtimestamp(schedule["CreationDate"], UTC)
    if instant <= after:
        instant += every * ((after - instant) // every + 1)
    while True:
        yield instant
        instant += every


def _instant_of(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant at which the zone's clock shows this time; None if the clock skips it."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == wall else None


def _zone(schedule: dict[str, Any]) -> ZoneInfo:
    return ZoneInfo(str(schedule.get("ScheduleExpressionTimezone") or "UTC"))


def _limit(schedule: dict[str, Any], name: str) -> datetime | None:
    epoch = emulator.service("scheduler")._to_epoch(schedule.get(name))
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
