"""Refuses alarms and metric data that CloudWatch refuses, and keeps the fields that MiniStack forgets.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

import math
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from embedded_aws.cloudwatch.alarms import evaluation, metric_math, suppression
from embedded_aws.core import emulator

WEEK = 604_800
DAY = 86_400
HOUR = 3600
_BEHAVIOUR = "alarms as CloudWatch keeps them"
_HIGH_RESOLUTION = (10, 20, 30)
_MOST_METRICS = 10
_MOST_ACTIONS = 5
_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{1,10})?|100)")
_TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_OLDEST_DATA, _NEWEST_DATA = 14 * DAY, 2 * HOUR
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
# Kept when an alarm is put again: its state, and the fields that describe the state.
_STATE = ("StateReasonData", "StateTransitionedTimestamp", *suppression.KEPT)
# Fields that MiniStack invents for an alarm that does not have them.
_OF_ONE_METRIC = (
    *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions"),
    *("Period", "Unit"),
)
_SUPPRESSOR_PERIODS = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
_OPTIONAL = ("AlarmDescription", "TreatMissingData", "EvaluateLowSampleCountPercentile")


def install(minute: float) -> None:
    """Wrap the three calls that put something. ``minute`` is the length of CloudWatch's minute in seconds."""
    parameters = ("params", "cbor_data", "is_cbor", "is_json")
    for function, make in (
        ("_put_metric_alarm", _metric_alarms),
        ("_put_composite_alarm", lambda original: _composite_alarms(original, minute)),
        ("_put_metric_data", _metric_data),
    ):
        emulator.replace("services.cloudwatch", function, parameters, make, _BEHAVIOUR)


def _refused(message: str, code: str = "ValidationError") -> Any:
    return emulator.service("cloudwatch")._error(code, message, 400, use_json=True)


# -- metric alarms --


def _metric_alarms(original: Any) -> Callable[..., Any]:
    def put_metric_alarm(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        wrong = next(_wrong_with_alarm(data), "")
        if wrong:
            return _refused(wrong)
        name = data["AlarmName"]
        before = dict(_stored("_alarms").get(name) or {})
        answer = original(params, data, is_cbor, is_json)
        if answer[0] < 400:
            _complete(_stored("_alarms")[name], data, before, (*_OF_ONE_METRIC, *_OPTIONAL))
        return answer

    return put_metric_alarm


def _stored(store: str) -> Any:
    return getattr(emulator.service("cloudwatch"), store)


def _complete(alarm: dict[str, Any], data: dict[str, Any], before: dict[str, Any], kept: Any) -> None:
    """Keep these fields exactly as the request has them, all other fields, and the earlier state."""
    for name in kept:
        alarm.pop(name, None)
    alarm.update({key: value for key, value in data.items() if key != "Tags" and value is not None})
    alarm.update({key: before[key] for key in _STATE if key in before})
    alarm["AlarmConfigurationUpdatedTimestamp"] = time.time()
    if "Period" in kept and not alarm.get("Metrics"):
        alarm.setdefault("Dimensions", [])
    history = emulator.service("cloudwatch")._history_entries()
    if not before and history and history[-1]["HistorySummary"].endswith("to INSUFFICIENT_DATA"):
        history[-1].update(
            HistoryItemType="ConfigurationUpdate", HistorySummary=f'Alarm "{alarm["AlarmName"]}" created'
        )


def _wrong_with_alarm(data: dict[str, Any]) -> Iterator[str]:
    """All mistakes in an alarm: refused by CloudWatch, or not supported here."""
    if not data.get("AlarmName"):
        yield "AlarmName is required"
    periods = data.get("EvaluationPeriods")
    if not isinstance(periods, int) or periods < 1:
        yield f"Value '{periods}' at 'evaluationPeriods' must be a number of at least 1"
        return
    if data.get("DatapointsToAlarm") is not None and not 1 <= data["DatapointsToAlarm"] <= periods:
        yield "DatapointsToAlarm must be at least 1 and at most EvaluationPeriods"
    if data.get("ComparisonOperator") not in evaluation.COMPARISONS:
        yield f"ComparisonOperator {data.get('ComparisonOperator')} is not supported here"
    if data.get("ThresholdMetricId") or data.get("Threshold") is None:
        yield "Threshold is required; anomaly detection is not supported here"
    if (data.get("TreatMissingData") or "missing") not in _TREATMENTS:
        yield f"TreatMissingData {data['TreatMissingData']} must be one of {', '.join(_TREATMENTS)}"
    yield from _wrong_actions(data)
    if data.get("Metrics"):
        yield from _wrong_metrics(data)
        seconds = _first_period(data["Metrics"])
    else:
        yield from _wrong_metric(data)
        seconds = data.get("Period") or 0
    yield from _wrong_period(seconds, periods)


def _wrong_actions(data: dict[str, Any]) -> Iterator[str]:
    for name in _ACTIONS:
        actions = data.get(name) or []
        if len(actions) > _MOST_ACTIONS:
            yield f"{name} has {len(actions)} members; at most {_MOST_ACTIONS} are allowed"
        for action in actions:
            if not re.fullmatch(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{0,12}:.+", str(action)):
                yield f"Invalid ARN in {name}: {action}"


def _wrong_period(seconds: int, periods: int) -> Iterator[str]:
    if seconds not in _HIGH_RESOLUTION and (seconds < 60 or seconds % 60):
        yield f"Period {seconds} is invalid: it must be 10, 20, 30 or a multiple of 60"
    whole = seconds * periods
    if seconds < HOUR and whole > DAY:
        yield (
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {DAY}) "
            f"where the period is below {HOUR} seconds; it is {whole}"
        )
    if whole > WEEK:
        yield (
            "Metrics cannot be checked across more than 7 days "
            f"(EvaluationPeriods * Period must be <= {WEEK}); it is {whole}"
        )


def _wrong_metric(data: dict[str, Any]) -> Iterator[str]:
    for name in ("Namespace", "MetricName", "Period"):
        if not data.get(name):
            yield f"{name} is required for an alarm without Metrics"
    if bool(data.get("Statistic")) == bool(data.get("ExtendedStatistic")):
        yield "Exactly one of Statistic and ExtendedStatistic is required"
    elif data.get("Statistic") and data["Statistic"] not in _STATISTICS:
        yield f"Statistic {data['Statistic']} must be one of {', '.join(_STATISTICS)}"
    elif data.get("ExtendedStatistic") and not _PERCENTILE.fullmatch(data["ExtendedStatistic"]):
        yield f"ExtendedStatistic {data['ExtendedStatistic']} is not supported here; use a percentile"


def _first_period(queries: list[dict[str, Any]]) -> int:
    periods = [(query.get("MetricStat") or {}).get("Period") for query in queries]
    return next((int(seconds) for seconds in periods if seconds), 0)


def _wrong_metrics(data: dict[str, Any]) -> Iterator[str]:
    queries = data["Metrics"]
    single = [name for name in _OF_ONE_METRIC if data.get(name)]
    if single:
        yield f"{', '.join(single)} cannot be given together with Metrics"
    ids = [str(query.get("Id", "")) for query in queries]
    if len(set(ids)) < len(ids) or not all(_ID.fullmatch(name) for name in ids):
        yield f"The ids {', '.join(ids)} must differ and begin with a lower-case letter"
    watched = [query["Id"] for query in queries if query.get("ReturnData", True)]
    if len(watched) != 1:
        yield f"Exactly one element of the metrics list should return data, not {len(watched)}"
        return
    if any(bool(query.get("Expression")) == bool(query.get("MetricStat")) for query in queries):
        yield "Each element of the metrics list has either an Expression or a MetricStat"
        return
    stats = [query["MetricStat"] for query in queries if query.get("MetricStat")]
    if not 1 <= len(stats) <= _MOST_METRICS:
        yield f"An alarm watches 1 to {_MOST_METRICS} metrics, not {len(stats)}"
    if len({stat.get("Period") for stat in stats}) > 1:
        yield "All metrics of an alarm must have the same period"
    for stat in stats:
        if stat.get("Stat") not in _STATISTICS and not _PERCENTILE.fullmatch(str(stat.get("Stat"))):
            yield f"Stat {stat.get('Stat')} is not supported here"
    try:
        evaluation.math_value(queries, {q["Id"]: [1.0, None] for q in queries if q.get("MetricStat")})
    except metric_math.ExpressionError as error:
        yield f"Invalid metrics list: {error}"


# -- composite alarms --


def _composite_alarms(original: Any, minute: float) -> Callable[..., Any]:
    def put_composite_alarm(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        wrong = next(iter((*_wrong_actions(data), *_wrong_suppressor(data))), "")
        if wrong:
            return _refused(wrong)
        name = data.get("AlarmName", "")
        before = dict(_stored("_composite_alarms").get(name) or {})
        with suppression.held() as changes:  # MiniStack evaluates the rule before it knows the suppressor
            answer = original(params, data, is_cbor, is_json)
        if answer[0] < 400:
            alarm = _stored("_composite_alarms")[name]
            since = {key: alarm[key] for key in _STATE if key in alarm}
            _complete(alarm, data, {**before, **since}, _OPTIONAL)
        for change in changes:
            suppression.changed(*change, minute)
        return answer

    return put_composite_alarm


def _wrong_suppressor(data: dict[str, Any]) -> Iterator[str]:
    suppressor = data.get("ActionsSuppressor")
    if not suppressor:
        if any(data.get(name) is not None for name in _SUPPRESSOR_PERIODS):
            yield "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod need an ActionsSuppressor"
        return
    for name in _SUPPRESSOR_PERIODS:
        if data.get(name) is None:
            yield f"{name} is required when ActionsSuppressor is specified"
    known = emulator.service("cloudwatch")._rule_ref_name(str(suppressor))
    if not known or not (known in _stored("_alarms") or known in _stored("_composite_alarms")):
        yield f"Could not save the composite alarm as its suppressor {suppressor} does not exist"


# -- metric data --


def _metric_data(original: Any) -> Callable[..., Any]:
    def put_metric_data(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        wrong = next(_wrong_data(data), "")
        if wrong:
            return _refused(wrong, "InvalidParameterValue")
        return original(params, data, is_cbor, is_json)

    return put_metric_data


def _wrong_data(data: dict[str, Any]) -> Iterator[str]:
    namespace = str(data.get("Namespace") or "")
    if not namespace or namespace.startswith((":", "AWS/")):
        yield f"The value {namespace} for parameter Namespace is invalid: AWS/ and : cannot begin it"
    if not data.get("MetricData"):
        yield "The parameter MetricData is required"
    parsed = emulator.service("cloudwatch")._parse_ts
    for place, datum in enumerate(data.get("MetricData") or [], 1):
        where = f"MetricData.member.{place}"
        if not datum.get("MetricName"):
            yield f"The parameter {where}.MetricName is required"
        given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
        if len(given) != 1:
            yield f"{where} must have exactly one of Value, Values and StatisticValues"
        if datum.get("Value") is not None and not math.isfinite(float(datum["Value"])):
            yield f"The value {datum['Value']} for parameter {where}.Value is invalid"
        moment = parsed(datum.get("Timestamp"))
        if moment is not None and not -_OLDEST_DATA <= moment - time.time() <= _NEWEST_DATA:
            yield f"The parameter {where}.Timestamp must be within the past two weeks or the next two hours"
