"""Records the metrics that AWS emits by itself, and no others.

[aws-metrics.json](aws-metrics.json) lists them, one entry for each exact dimension set, with the page that
documents it. An alarm that fires here therefore watches a metric that exists on AWS.
Points keep their real time, whatever the scale of an alarm's periods.
"""

import functools
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from embedded_aws.core import emulator, snapshots

TABLE = Path(__file__).resolve().with_name("aws-metrics.json")
_points_lock = threading.Lock()


class _Exactly(dict[str, str]):
    """The dimensions of a query. It is true even if empty, because MiniStack would then add up all sets."""

    def __bool__(self) -> bool:
        return True


def install() -> None:
    """Give a query exactly the dimension set that it names."""
    emulator.replace(
        "services.cloudwatch",
        "_dims_from_list",
        ("dimensions",),
        lambda original: lambda dimensions: _Exactly(original(dimensions)),
        "metrics by their exact dimensions",
    )
    emulator.replace(
        "services.cloudwatch", "_evict_old_metrics", (), _without_losses, "metrics by their exact dimensions"
    )


def _without_losses(original: Any) -> Callable[[], None]:
    """Evict in place. MiniStack replaces the lists, and another thread may be adding to the old ones."""

    def evict_old_metrics() -> None:
        with _points_lock:
            original()

    return evict_old_metrics


class MetricNotEmittedError(ValueError):
    """AWS documents no such metric with this dimension set and unit."""


@functools.cache
def _emitted() -> dict[tuple[str, str, frozenset[str]], str]:
    entries = json.loads(TABLE.read_text(encoding="utf-8"))["metrics"]
    return {(e["namespace"], e["name"], frozenset(e["dimensions"])): e["unit"] for e in entries}


def record(namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str) -> None:
    """Record one point of an AWS metric now, in the account and region of the request or thread.

    Raises MetricNotEmittedError when the table has no such namespace, name, set of dimensions and unit.
    """
    record_at(time.time(), namespace, name, dimensions, value, unit)
    snapshots.changed()


def record_at(
    moment: float, namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str
) -> None:
    """Record at another time (seconds since 1970), without saving the state."""
    known = _emitted().get((namespace, name, frozenset(dimensions)))
    if known != unit:
        found = f"in {known}" if known else "not with these dimensions"
        given = ", ".join(sorted(dimensions)) or "none"
        raise MetricNotEmittedError(
            f"{namespace} {name} with dimensions {given} in {unit}: AWS emits it {found}; see {TABLE.name}"
        )
    point = {"Timestamp": moment, "Value": float(value), "Unit": unit, "Dimensions": dict(dimensions)}
    cloudwatch = emulator.service("cloudwatch")
    with _points_lock:
        cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(dict(dimensions)))).append(point)


def forget_before(moment: float, namespace: str) -> None:
    """Drop older points of a namespace that is sampled continuously."""
    store = emulator.service("cloudwatch")._metrics
    with _points_lock:
        for key in [key for key in list(store.keys()) if key[0] == namespace]:
            store[key] = [point for point in store[key] if point["Timestamp"] >= moment]


def points(namespace: str, name: str, dimensions: Mapping[str, str], since: float) -> list[dict[str, Any]]:
    """The points of exactly this metric from a time on (seconds since 1970), unordered."""
    cloudwatch = emulator.service("cloudwatch")
    with _points_lock:
        held = cloudwatch._metrics.get((namespace, name, cloudwatch._dims_key(dict(dimensions)))) or []
        return [point for point in list(held) if point["Timestamp"] >= since]
