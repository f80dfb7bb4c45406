"""Composite alarms of a weir: the rights to put them and to see them."""

from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import callers
import pytest
from conftest import ACCOUNT, REGION, Bench, statement

OURS = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:weir-*"
EVERY = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"
ACTIONS = [
    f"cloudwatch:{action}"
    for action in (
        "DescribeAlarms",
        "DescribeAlarmHistory",
        "PutCompositeAlarm",
        "PutMetricAlarm",
        "DeleteAlarms",
    )
]
LEVEL: dict[str, Any] = {
    "AlarmName": "weir-level",
    "Namespace": "Weir",
    "MetricName": "Level",
    "Statistic": "Maximum",
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 1,
    "Period": 60,
    "EvaluationPeriods": 1,
}


@pytest.fixture(scope="module")
def weir(bench: Bench) -> Iterator[Bench]:
    """A metric alarm and a composite alarm, put by the owner."""
    owner = bench.client("cloudwatch")
    owner.put_metric_alarm(**LEVEL)
    owner.put_composite_alarm(AlarmName="weir-flood", AlarmRule="ALARM(weir-level)")
    for number, resource in enumerate((OURS, EVERY, "*")):
        callers.make(bench, f"warden-{number}", statement(ACTIONS, [resource]))
    yield bench
    owner.delete_alarms(AlarmNames=["weir-flood"])
    owner.delete_alarms(AlarmNames=["weir-level"])


def warden(bench: Bench, number: int) -> Any:
    return bench.client("cloudwatch", callers.taken(bench, f"warden-{number}"))


def described(cloudwatch: Any, *names: str, kinds: tuple[str, ...]) -> list[str]:
    found = cloudwatch.describe_alarms(AlarmNames=list(names), AlarmTypes=list(kinds))
    return [alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in found[kind]]


@pytest.mark.parametrize(("number", "shown"), [(0, []), (1, []), (2, ["weir-flood"])])
def test_only_a_right_on_everything_shows_composite_alarms(
    weir: Bench, number: int, shown: list[str]
) -> None:
    cloudwatch = warden(weir, number)
    assert described(cloudwatch, "weir-flood", kinds=("CompositeAlarm",)) == shown
    both = described(cloudwatch, "weir-level", "weir-flood", kinds=("MetricAlarm", "CompositeAlarm"))
    assert both == ["weir-level", *shown]
    assert described(cloudwatch, "weir-level", kinds=("MetricAlarm",)) == ["weir-level"]
    told = cloudwatch.describe_alarm_history(AlarmName="weir-flood", AlarmTypes=["CompositeAlarm"])
    assert [item["AlarmName"] for item in told["AlarmHistoryItems"]][:1] == shown


@pytest.mark.parametrize("number", [0, 1])
def test_only_a_right_on_everything_puts_a_composite_alarm(weir: Bench, number: int) -> None:
    cloudwatch = warden(weir, number)
    with pytest.raises(botocore.exceptions.ClientError, match="cloudwatch:PutCompositeAlarm"):
        cloudwatch.put_composite_alarm(AlarmName="weir-drought", AlarmRule="OK(weir-level)")
    cloudwatch.put_metric_alarm(**LEVEL)
    everything = warden(weir, 2)
    everything.put_composite_alarm(AlarmName="weir-drought", AlarmRule="OK(weir-level)")
    cloudwatch.delete_alarms(AlarmNames=["weir-drought"])  # needs only the alarm's own ARN
    assert described(everything, "weir-drought", kinds=("CompositeAlarm",)) == []
