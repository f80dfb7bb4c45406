"""CloudWatch through each of its protocols, with the caller's rights, also from a state machine."""

from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import callers
import pytest
import watch
from conftest import ACCOUNT, REGION, Bench, make_role, statement
from executions import execute, machine, task

OWN = {"StringEquals": {"cloudwatch:namespace": "Tides"}}
REFUSED = botocore.exceptions.ClientError


@pytest.fixture(scope="module")
def pier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    started = watch.bench(tmp_path_factory.mktemp("pier"))
    yield started
    assert started.stop() == 0


def whole(name: str) -> dict[str, Any]:
    """An alarm with all fields except metric math."""
    return {
        "AlarmName": name,
        "AlarmDescription": 'High <water> & "wind"',
        "ActionsEnabled": False,
        "OKActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:ok"],
        "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:one", f"arn:aws:sns:{REGION}:{ACCOUNT}:two"],
        "InsufficientDataActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:none"],
        "MetricName": "Water",
        "Namespace": "Tides",
        "ExtendedStatistic": "p99.9",
        "Dimensions": [{"Name": "Pier", "Value": "east"}, {"Name": "Post", "Value": "3"}],
        "Period": 300,
        "Unit": "Percent",
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 2,
        "Threshold": 12.5,
        "ComparisonOperator": "LessThanOrEqualToThreshold",
        "TreatMissingData": "breaching",
        "EvaluateLowSampleCountPercentile": "ignore",
    }


@pytest.mark.parametrize("protocol", watch.PROTOCOLS)
def test_no_field_of_an_alarm_is_forgotten(pier: Bench, protocol: str) -> None:
    cloudwatch = watch.client(pier, protocol)
    cloudwatch.put_metric_alarm(**whole("water"), Tags=[{"Key": "Team", "Value": "pilots"}])
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["water"])["MetricAlarms"]
    state = {key: alarm.pop(key) for key in list(alarm) if key.startswith("State")}
    arn = alarm.pop("AlarmArn")
    assert alarm.pop("AlarmConfigurationUpdatedTimestamp").year >= 2024
    assert alarm == whole("water")
    assert state["StateUpdatedTimestamp"].tzinfo is not None
    tags = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "Team", "Value": "pilots"}]
    cloudwatch.delete_alarms(AlarmNames=["water"])
    assert cloudwatch.describe_alarms(AlarmNames=["water"])["MetricAlarms"] == []


@pytest.mark.parametrize("protocol", watch.PROTOCOLS)
def test_data_are_put_and_read_and_refusals_have_their_names(pier: Bench, protocol: str) -> None:
    cloudwatch = watch.client(pier, protocol)
    name = f"Level-{protocol}"
    data: list[dict[str, Any]] = [
        {"MetricName": name, "Value": 2.5, "Unit": "Count", "Dimensions": [{"Name": "Pier", "Value": "e"}]},
        {"MetricName": name, "Values": [1.0, 4.0], "Counts": [2.0, 1.0], "Dimensions": []},
        {
            "MetricName": name,
            "StatisticValues": {"SampleCount": 2.0, "Sum": 9.0, "Minimum": 4.0, "Maximum": 5.0},
            "Dimensions": [{"Name": "Pier", "Value": "e"}],
        },
    ]
    cloudwatch.put_metric_data(Namespace="Tides", MetricData=data)
    listed = cloudwatch.list_metrics(Namespace="Tides", MetricName=name)["Metrics"]
    assert sorted(len(metric["Dimensions"]) for metric in listed) == [0, 1]
    alarm = {**whole("level"), "MetricName": name, "Statistic": "Sum", "Threshold": 11.0, "Unit": None}
    alarm |= {"Dimensions": data[0]["Dimensions"], "Period": 60, "EvaluationPeriods": 1}
    alarm = {key: value for key, value in alarm.items() if value is not None and key != "ExtendedStatistic"}
    alarm |= {"ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore"}
    cloudwatch.put_metric_alarm(**{**alarm, "DatapointsToAlarm": 1})
    watch.until(pier, "level", "ALARM")
    assert "[11.5 (" in watch.described(pier, "level")["StateReason"]
    cloudwatch.delete_alarms(AlarmNames=["level"])
    with pytest.raises(REFUSED, match="Period 61 is invalid") as refused:
        cloudwatch.put_metric_alarm(**{**whole("water"), "Period": 61})
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(REFUSED, match="AWS/ and : cannot begin it"):
        cloudwatch.put_metric_data(Namespace="AWS/States", MetricData=data)


@pytest.mark.parametrize("protocol", watch.PROTOCOLS)
def test_metric_data_need_the_right_for_their_namespace(pier: Bench, protocol: str) -> None:
    name = f"gauge-{protocol}"
    callers.make(pier, name, statement(["cloudwatch:PutMetricData"], ["*"], **OWN))
    cloudwatch = watch.client(pier, protocol, callers.taken(pier, name))
    data = [{"MetricName": "Level", "Value": 1.0}]
    cloudwatch.put_metric_data(Namespace="Tides", MetricData=data)
    with pytest.raises(REFUSED, match=r"not authorized to perform: cloudwatch:PutMetricData") as refused:
        cloudwatch.put_metric_data(Namespace="Winds", MetricData=data)
    assert refused.value.response["Error"]["Code"].startswith("AccessDenied")
    with pytest.raises(REFUSED, match="cloudwatch:DescribeAlarms"):
        cloudwatch.describe_alarms()


@pytest.mark.parametrize("protocol", watch.PROTOCOLS)
def test_alarms_are_checked_by_their_names(pier: Bench, protocol: str) -> None:
    name = f"keeper-{protocol}"
    right = statement(["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"], [f"{watch.ALARM}own-*"])
    callers.make(pier, name, right)
    cloudwatch = watch.client(pier, protocol, callers.taken(pier, name))
    cloudwatch.put_metric_alarm(**whole("own-water"))
    with pytest.raises(REFUSED, match="cloudwatch:PutMetricAlarm"):
        cloudwatch.put_metric_alarm(**whole("their-water"))
    with pytest.raises(REFUSED, match="cloudwatch:DeleteAlarms"):
        cloudwatch.delete_alarms(AlarmNames=["own-water", "their-water"])
    cloudwatch.delete_alarms(AlarmNames=["own-water"])


def test_a_state_machine_puts_data_with_its_own_role(pier: Bench) -> None:
    make_role(
        pier, "surveyor", "states.amazonaws.com", [statement(["cloudwatch:PutMetricData"], ["*"], **OWN)]
    )

    def recording(name: str, namespace: str) -> dict[str, Any]:
        datum = {
            "MetricName": "Depth",
            "Value.$": "$.depth",
            "Unit": "Count",
            "Dimensions": [{"Name": "Pier", "Value": "west"}],
        }
        parameters = {"Namespace": namespace, "MetricData": [datum]}
        state = task("aws-sdk:cloudwatch:putMetricData", parameters)
        return execute(pier, machine(pier, name, {"Record": state}, role="surveyor"), {"depth": 7})

    assert recording("own-depth", "Tides")["status"] == "SUCCEEDED"
    refused = recording("other-depth", "Winds")
    assert (refused["status"], refused["error"]) == ("FAILED", "CloudWatch.CloudWatchException")
    assert "not authorized to perform: cloudwatch:PutMetricData" in refused["cause"]
    dimensions = [{"Name": "Pier", "Value": "west"}]
    watch.alarm(pier, "depth", "Depth", Dimensions=dimensions, Threshold=7, TreatMissingData="ignore")
    watch.until(pier, "depth", "ALARM")
    assert pier.client("cloudwatch").list_metrics(Namespace="Winds")["Metrics"] == []
