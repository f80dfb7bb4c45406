"""Runs an alarm's actions when its state changes: messages to topics, and an event.

CloudWatch publishes only if the policies of the topic and of its key allow this alarm. The alarm's history
records the outcome.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

import functools
import json
import logging
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import botocore.session

from embedded_aws.core import emulator, snapshots
from embedded_aws.events import delivery
from embedded_aws.iam import roles

PRINCIPAL = "cloudwatch.amazonaws.com"
_MOST_OF_A_SUBJECT = 100
_FIELDS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_logger = logging.getLogger("embedded-aws.alarms")


def run(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
    """Publish to the topics that the alarm names for its new state, unless its actions are disabled."""
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(_FIELDS[new_state]) or []:
        if ":sns:" not in action:
            _tell(alarm, action, "only topics are supported here")
            continue
        refusal = delivery.refusal(action, str(alarm["AlarmArn"]), PRINCIPAL)
        if not refusal:
            message = json.dumps(notification(alarm, old_state, new_state, reason))
            subject = f'{new_state}: "{alarm["AlarmName"]}" in {region_name()}'[:_MOST_OF_A_SUBJECT]
            emulator.service("sns")._fanout(action, str(uuid.uuid4()), message, subject)
        _tell(alarm, action, refusal)


def _tell(alarm: dict[str, Any], action: str, refusal: str) -> None:
    """Record the outcome of an action in the alarm's history."""
    if refusal:
        _logger.warning("alarm %s does not reach %s: %s", alarm["AlarmName"], action, refusal)
        summary = f"Failed to execute action {action}. Received error: {refusal}"
    else:
        summary = f"Successfully executed action {action}"
    cloudwatch = emulator.service("cloudwatch")
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": summary,
            "HistoryData": json.dumps(
                {"actionState": "Failed" if refusal else "Succeeded", "resource": action}
            ),
        }
    )
    snapshots.changed()


def moment(seconds: float) -> str:
    """A time in the format of notifications."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


@functools.cache
def _region_names() -> dict[str, str]:
    data = botocore.session.Session().get_component("data_loader").load_data("endpoints")
    return {
        name: str(region["description"])
        for partition in data["partitions"]
        for name, region in partition["regions"].items()
    }


def region_name() -> str:
    """The region's name in notifications, for example `US East (N. Virginia)`."""
    _, region = roles.current_scope()
    return _region_names().get(region, region)


def notification(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> dict[str, Any]:
    """The message of a notification."""
    account, _ = roles.current_scope()
    message = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": moment(float(alarm["AlarmConfigurationUpdatedTimestamp"])),
        "NewStateValue": new_state,
        "NewStateReason": reason,
        "StateChangeTime": moment(time.time()),
        "Region": region_name(),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old_state,
        **{name: list(alarm.get(name) or []) for name in ("OKActions", "AlarmActions")},
        "InsufficientDataActions": list(alarm.get("InsufficientDataActions") or []),
    }
    if "AlarmRule" not in alarm:
        return {**message, "Trigger": _trigger(alarm)}
    because = json.loads(alarm.get("StateReasonData") or "{}").get("triggeringAlarms") or []
    children = [
        {"Arn": child["arn"], "State": {key.title(): child["state"][key] for key in child["state"]}}
        for child in because
    ]
    return {**message, "AlarmRule": alarm["AlarmRule"], "TriggeringChildren": children}


def _trigger(alarm: dict[str, Any]) -> dict[str, Any]:
    """The alarm's metric and condition, in the spelling of a notification."""
    rule = {
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        **({"DatapointsToAlarm": alarm["DatapointsToAlarm"]} if alarm.get("DatapointsToAlarm") else {}),
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
    }
    if alarm.get("Metrics"):
        return {**rule, "Metrics": [_query(query) for query in alarm["Metrics"]]}
    extended = alarm.get("ExtendedStatistic")
    statistic = (
        {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
        if extended
        else {"StatisticType": "Statistic", "Statistic": str(alarm["Statistic"]).upper()}
    )
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        **statistic,
        "Unit": alarm.get("Unit"),
        "Dimensions": _dimensions(alarm.get("Dimensions") or []),
        "Period": alarm["Period"],
        **rule,
    }


def _query(query: dict[str, Any]) -> dict[str, Any]:
    shown = {key: query[key] for key in ("Id", "Label", "Expression") if query.get(key)}
    if query.get("MetricStat"):
        metric = query["MetricStat"]["Metric"]
        shown["MetricStat"] = {
            **query["MetricStat"],
            "Metric": {**metric, "Dimensions": _dimensions(metric.get("Dimensions") or [])},
        }
    return {**shown, "ReturnData": query.get("ReturnData", True)}


def _dimensions(dimensions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"value": entry["Value"], "name": entry["Name"]} for entry in dimensions]


def put_event(alarm: dict[str, Any], old_state: str, old_reason: str) -> None:
    """Send EventBridge an alarm's change of state. The new state is in ``alarm``."""
    at = moment(time.time())
    configuration: dict[str, Any] = {"description": alarm.get("AlarmDescription") or ""}
    names = {"AlarmRule": "alarmRule", "ActionsSuppressor": "actionsSuppressor"}
    configuration |= {shown: alarm[name] for name, shown in names.items() if alarm.get(name)}
    if "AlarmRule" not in alarm:
        configuration["metrics"] = _event_metrics(alarm)
    detail = {
        "alarmName": alarm["AlarmName"],
        "state": {"value": alarm["StateValue"], "reason": alarm["StateReason"], "timestamp": at},
        "previousState": {"value": old_state, "reason": old_reason},
        "configuration": configuration,
    }
    if alarm.get("StateReasonData"):
        detail["state"]["reasonData"] = alarm["StateReasonData"]
    entry = {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Detail": json.dumps(detail),
        "Resources": [alarm["AlarmArn"]],
    }
    emulator.service("eventbridge")._put_events({"Entries": [entry]}, allow_aws_source=True)


def _event_metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    queries = alarm.get("Metrics") or [
        {
            "Id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(alarm["AlarmArn"]))),
            "MetricStat": {
                "Metric": {key: alarm.get(key) for key in ("Namespace", "MetricName", "Dimensions")},
                "Period": alarm["Period"],
                "Stat": alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
            },
        }
    ]
    shown = []
    for query in queries:
        entry = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
        if query.get("Expression"):
            entry["expression"] = query["Expression"]
        else:
            stat = query["MetricStat"]
            named = {entry["Name"]: entry["Value"] for entry in stat["Metric"].get("Dimensions") or []}
            metric = {"namespace": stat["Metric"]["Namespace"], "name": stat["Metric"]["MetricName"]}
            entry["metricStat"] = {
                "metric": {**metric, "dimensions": named},
                "period": stat["Period"],
                "stat": stat["Stat"],
            }
        shown.append(entry)
    return shown
