"""The run date of a scheduled run: the calendar's date in a time zone at the time the schedule says, some
days before. Dates are counted back, not hours: that a day has 23 or 25 of them plays no part."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def is_instant(text: str) -> bool:
    """Whether the text is an instant in UTC as YYYY-MM-DDThh:mm:ssZ, as EventBridge Scheduler writes it
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html)."""
    return _INSTANT.fullmatch(text) is not None and _parse(text) is not None


def is_time_zone(name: str) -> bool:
    """Whether the name is one of the IANA database's zones."""
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
        raise ValueError(f"no instant: '{scheduled_time}'")
    return instant.astimezone(ZoneInfo(time_zone)).date() - timedelta(days=lag_days)


def _parse(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
