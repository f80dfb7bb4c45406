"""Computes an alarm's state from the points of its metric: windows, missing data, and the reason.

An alarm looks at two periods more than it evaluates. AWS's examples look at five for three; the number for
other periods is not published.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from embedded_aws.cloudwatch import metrics
from embedded_aws.cloudwatch.alarms import metric_math
from embedded_aws.core import emulator

EXTRA_PERIODS = 2
DAY = 86_400
HOUR = 3600
COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Verdict:
    """The result of an evaluation. ``datapoints`` are those that decided, the latest first."""

    state: str
    reason: str
    datapoints: tuple[float, ...] = ()


@dataclass(frozen=True)
class Windows:
    """The periods that an alarm looks at: start of the first (seconds since 1970) and length in seconds."""

    start: float
    length: float
    count: int

    def index(self, moment: float) -> int:
        """The index of the window that contains a time; out of range if none does."""
        return math.floor((moment - self.start) / self.length + 1e-9)


def period(alarm: dict[str, Any]) -> int:
    """An alarm's period in CloudWatch's seconds. For metric math, the period of its metrics."""
    queries = alarm.get("Metrics") or []
    stated = [query["MetricStat"]["Period"] for query in queries if query.get("MetricStat")]
    return int(stated[0] if stated else alarm["Period"])


def evaluated_until(alarm: dict[str, Any], now: float, minute: float) -> float:
    """The end of the time that an evaluation at ``now`` looks at: the last full minute.

    For an alarm over more than a day it is the last full hour, for a period below a minute the last full
    period.
    """
    seconds = period(alarm)
    step = HOUR if seconds * int(alarm["EvaluationPeriods"]) > DAY else min(60, seconds)
    length = step * minute / 60
    return math.floor(now / length + 1e-9) * length


def evaluate(alarm: dict[str, Any], until: float, minute: float) -> Verdict | None:
    """The state from the periods before ``until``; None to keep the current state."""
    periods = int(alarm["EvaluationPeriods"])
    count = periods + EXTRA_PERIODS
    length = period(alarm) * minute / 60
    windows = Windows(until - count * length, length, count)
    return decide(alarm, values(alarm, windows), windows)


def values(alarm: dict[str, Any], windows: Windows) -> metric_math.Series:
    """The value of each window, the oldest first; None for a window without data."""
    queries = alarm.get("Metrics") or []
    if not queries:
        dimensions = {entry["Name"]: entry["Value"] for entry in alarm.get("Dimensions") or []}
        statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic")
        return _statistic(
            alarm["Namespace"], alarm["MetricName"], dimensions, str(statistic), alarm.get("Unit"), windows
        )
    series: dict[str, metric_math.Series] = {}
    for query in queries:
        stat = query.get("MetricStat")
        if stat:
            metric = stat["Metric"]
            dimensions = {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions") or []}
            series[query["Id"]] = _statistic(
                *(metric["Namespace"], metric["MetricName"], dimensions),
                *(stat["Stat"], stat.get("Unit"), windows),
            )
    return math_value(queries, series)


def math_value(queries: list[dict[str, Any]], series: dict[str, metric_math.Series]) -> metric_math.Series:
    """The series that an alarm of metric math watches.

    Raises ExpressionError if it cannot be computed, is not a series, or refers to itself.
    """
    measured = list(series)
    waiting = {
        query["Id"]: metric_math.parse(query["Expression"]) for query in queries if query.get("Expression")
    }
    known: dict[str, metric_math.Value] = dict(series)
    while waiting:
        ready = [key for key, expression in waiting.items() if not expression.names() & set(waiting)]
        if not ready:
            raise metric_math.ExpressionError(f"{', '.join(waiting)} refer to one another in a circle")
        for key in ready:
            value = waiting.pop(key).value(known, measured)  # type: ignore[arg-type]
            if not metric_math.is_series(value):
                raise metric_math.ExpressionError(f"{key} does not give one time series")
            known[key] = value
    watched = next(query["Id"] for query in queries if query.get("ReturnData", True))
    return known[watched]  # type: ignore[return-value]


def _statistic(
    namespace: str, name: str, dimensions: dict[str, str], statistic: str, unit: str | None, windows: Windows
) -> metric_math.Series:
    cloudwatch = emulator.service("cloudwatch")
    held: list[list[dict[str, Any]]] = [[] for _ in range(windows.count)]
    for point in metrics.points(namespace, name, dimensions, windows.start):
        index = windows.index(point["Timestamp"])
        if 0 <= index < windows.count and (not unit or point["Unit"] == unit):
            held[index].append(point)
    return [
        cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points) if points else None
        for points in held
    ]


# -- states --


def decide(alarm: dict[str, Any], found: metric_math.Series, windows: Windows) -> Verdict | None:
    """The state for these values, the oldest first; None to keep the current state."""
    periods = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    breaches, words = COMPARISONS[alarm["ComparisonOperator"]]
    threshold = float(alarm["Threshold"])
    real = [(age, value) for age, value in enumerate(reversed(found), 1) if value is not None][:periods]
    breaching = [(age, value) for age, value in real if breaches(value, threshold)]
    missing = periods - len(real)
    treatment = alarm.get("TreatMissingData") or "missing"
    state = "ALARM" if len(breaching) >= needed else "OK"
    if missing and treatment == "breaching":
        state = "ALARM" if len(breaching) + missing >= needed else "OK"
    elif missing and treatment in ("missing", "ignore") and state == "OK" and len(breaching) == len(real):
        # All known points breach, but they are too few to decide, unless the first one is old enough.
        if treatment == "ignore":
            return None
        early = bool(breaching) and breaching[-1][0] >= needed
        state = "ALARM" if early else "INSUFFICIENT_DATA"
    if state == "INSUFFICIENT_DATA":
        unknown = f"{periods} datapoint{'s were' if periods > 1 else ' was'} unknown"
        return Verdict(state, f"Insufficient Data: {unknown}.")
    decisive = breaching if state == "ALARM" else [entry for entry in real if entry not in breaching]
    if not decisive:
        return Verdict(state, _of_missing_data(periods, treatment))
    said = ", ".join(f"{value} ({_window_start(windows, age)})" for age, value in decisive)
    many = len(decisive) > 1
    verb = ("were " if many else "was ") + ("" if state == "ALARM" else "not ")
    fewest = needed if state == "ALARM" else periods - needed + 1
    turn = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
    return Verdict(
        state,
        f"Threshold Crossed: {len(decisive)} out of the last {periods} datapoints [{said}] {verb}{words} the "
        f"threshold ({threshold}) (minimum {fewest} datapoint{'s' if fewest > 1 else ''} for {turn} "
        "transition).",
        tuple(value for _, value in decisive),
    )


def _of_missing_data(periods: int, treatment: str) -> str:
    shown = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(treatment, "Missing")
    were = "s were" if periods > 1 else " was"
    count = f"{periods} period{'s' if periods > 1 else ''} and {periods} missing datapoint{were}"
    return f"Threshold Crossed: no datapoints were received for {count} treated as [{shown}]."


def _window_start(windows: Windows, age: int) -> str:
    moment = windows.start + (windows.count - age) * windows.length
    return datetime.fromtimestamp(moment, UTC).strftime("%d/%m/%y %H:%M:%S")
