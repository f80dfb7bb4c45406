"""Alarm states for rows of data points from AWS's own tables, and metric math."""

from typing import Any

import pytest

from embedded_aws.cloudwatch.alarms import evaluation, metric_math
from embedded_aws.cloudwatch.alarms.evaluation import Windows, decide

STATES = {"O": "OK", "A": "ALARM", "I": "INSUFFICIENT_DATA", "=": None}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
# Data points, the oldest first (0 not breaching, X breaching, - missing), and the states for each treatment.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
THREE_OF_THREE = [
    ("0-X-X", "OOOO"),
    ("0----", "OOOO"),
    ("-----", "I=AO"),
    ("0XX-X", "AAAA"),
    ("--X--", "A=AO"),
    ("----X", "I=AO"),
    ("X----", "A=AO"),
    ("XXXX0", "OOOO"),
    ("00XXX", "AAAA"),
]
TWO_OF_THREE = [
    ("0-X-X", "AAAA"),
    ("00X0X", "AAAA"),
    ("0-X--", "OOAO"),
    ("----0", "OOAO"),
    ("---X-", "A=AO"),
    ("----X", "I=AO"),
    ("-X-X-", "AAAA"),
]
ROWS = [
    (row, needed, treatment, STATES[letter])
    for needed, rows in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for row, letters in rows
    for treatment, letter in zip(TREATMENTS, letters, strict=True)
]


def alarm(**more: Any) -> dict[str, Any]:
    settings = {
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Period": 300,
    }
    return settings | more


@pytest.mark.parametrize(("row", "needed", "treatment", "expected"), ROWS)
def test_a_row_of_data_points_has_the_state_in_awss_table(
    row: str, needed: int, treatment: str, expected: str | None
) -> None:
    points: metric_math.Series = [{"0": 0.0, "X": 5.0, "-": None}[letter] for letter in row]
    verdict = decide(
        alarm(DatapointsToAlarm=needed, TreatMissingData=treatment), points, Windows(0, 300, len(points))
    )
    assert (verdict.state if verdict else None) == expected


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanOrEqualToThreshold", "OAA"),
        ("GreaterThanThreshold", "OOA"),
        ("LessThanThreshold", "AOO"),
        ("LessThanOrEqualToThreshold", "AAO"),
    ],
)
def test_the_four_comparisons_differ_at_the_threshold(comparison: str, states: str) -> None:
    found = ""
    for value in (0.5, 1.0, 1.5):
        settings = alarm(EvaluationPeriods=1, ComparisonOperator=comparison)
        verdict = decide(settings, [None, None, value], Windows(0, 300, 3))
        found += verdict.state[0] if verdict else "="
    assert found == states


def test_a_reason_names_the_datapoints_that_decided() -> None:
    found: metric_math.Series = [0.0, 0.0, 0.0, 2.0, 3.5]
    verdict = decide(alarm(DatapointsToAlarm=2), found, Windows(1_700_000_100, 300, 5))
    assert verdict
    assert verdict.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [3.5 (14/11/23 22:35:00), "
        "2.0 (14/11/23 22:30:00)] were greater than or equal to the threshold (1.0) (minimum 2 datapoints "
        "for OK -> ALARM transition)."
    )
    verdict = decide(alarm(TreatMissingData="breaching"), [None] * 5, Windows(0, 300, 5))
    assert verdict
    assert verdict.reason == (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated "
        "as [Breaching]."
    )


@pytest.mark.parametrize(
    ("period", "periods", "minute", "until"),
    [
        (60, 1, 60.0, 7_260.0),  # the last full minute
        (300, 3, 60.0, 7_260.0),  # windows slide by the minute
        (10, 1, 60.0, 7_310.0),
        (3600, 26, 60.0, 7_200.0),  # more than a day: by the hour
        (300, 3, 2.0, 7_318.0),  # a minute of two seconds
    ],
)
def test_an_alarm_looks_at_full_minutes_or_hours(
    period: int, periods: int, minute: float, until: float
) -> None:
    settings = alarm(Period=period, EvaluationPeriods=periods)
    assert evaluation.evaluated_until(settings, 7_319.0, minute) == until


# -- metric math --

SERIES: dict[str, metric_math.Series] = {"q": [2.0, None, 0.0, 4.0], "r": [8.0, 10.0, 0.0, None]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100*q/r", [25.0, None, None, None]),
        ("100 * q / (r + 2)", [20.0, None, 0.0, None]),
        ("IF(r > 0, 100 * FILL(q, 0) / r, 0)", [25.0, 0.0, 0.0, None]),
        ("IF(r > 5 AND q < 3, 1, -1)", [1.0, None, -1.0, None]),
        ("IF(r == 0 || q >= 4, q)", [None, None, 0.0, None]),
        ("q ^ 2 - 1", [3.0, None, -1.0, 15.0]),
        ("FILL(q, REPEAT)", [2.0, 2.0, 0.0, 4.0]),
        ("SUM(METRICS())", [10.0, 10.0, 0.0, 4.0]),
        ("MAX([q, r]) - MIN([q, r])", [6.0, 0.0, 0.0, 0.0]),
        ("q / SUM(q)", [2 / 6, None, 0.0, 4 / 6]),
        ("CEIL(q / 3) + ABS(0 - q)", [3.0, None, 0.0, 6.0]),
    ],
)
def test_expressions_are_computed_period_by_period(text: str, expected: metric_math.Series) -> None:
    assert metric_math.parse(text).value(SERIES, ["q", "r"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("100*q/", "cannot be read"),
        ("q / s", "names s, which no metric"),
        ("RATE(q)", "uses RATE with 1 arguments"),
        ("ANOMALY_DETECTION_BAND(q, 2)", "is not supported here"),
        ("q if r else 0", "is not supported here"),
        ("q.real", "is not supported here"),
        ("__import__('os')", "is not supported here"),
        ("q % r", "uses Mod"),
        ("METRICS() * 2", "an operator on an array"),
        ("1 / 0", "divides by zero"),
    ],
)
def test_unsupported_expressions_are_refused(text: str, told: str) -> None:
    with pytest.raises(metric_math.ExpressionError, match=told.replace("(", r"\(")):
        metric_math.parse(text).value(SERIES, ["q", "r"])
