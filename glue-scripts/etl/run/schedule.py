"""The run date of a scheduled run: the date in a time zone at the scheduled time, some days back. It counts
dates back, not hours, so that days of 23 or 25 hours make no difference."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def is_instant(text: str) -> bool:
    """True if the text is an instant in UTC as YYYY-MM-DDThh:mm:ssZ, as EventBridge Scheduler writes it
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html)."""
    return _INSTANT.fullmatch(text) is not None and _parse(text) is not None


def is_time_zone(name: str) -> bool:
    """True if the name is a zone of the IANA database."""
    if _ZONE.fullmatch(name) is None:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, or a folder of zones
        return False
    return True


def run_date_of(scheduled_time: str, time_zone: str, lag_days: int) -> date:
    """The date of the delivery that a run at this time is about."""
    instant = _parse(scheduled_time)
    if instant is None:
        raise ValueError(f"not an instant: '{scheduled_time}'")
    return instant.astimezone(ZoneInfo(time_zone)).date() - timedelta(days=lag_days)


def _parse(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
