"""Alarms of a lighthouse: they fire, return to OK, and send the messages that policies allow."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest
import watch
from conftest import ACCOUNT, REGION, Bench, queue_policy, wait_for
from watch import ALARM, allow, collect, messages, put, turns, until


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    started = watch.bench(tmp_path_factory.mktemp("tower"))
    watch.make_inbox(started)
    here = {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": f"{ALARM}*"}}
    publish = allow("sns:Publish", watch.TOPIC, "cloudwatch.amazonaws.com", here)
    watch.topic(started, "lighthouse", publish)
    yield started
    assert started.stop() == 0


TOLD: dict[str, Any] = {"AlarmActions": [watch.TOPIC], "OKActions": [watch.TOPIC]}


def test_an_alarm_sends_one_message_when_it_fires_and_one_when_it_returns(tower: Bench) -> None:
    settings = {"Dimensions": [{"Name": "Pier", "Value": "east"}], "AlarmDescription": "Waves on the pier"}
    arn = watch.alarm(tower, "waves", "Waves", **settings, **TOLD)
    (first,) = collect(tower, 1)
    assert turns([first]) == ["waves INSUFFICIENT_DATA -> OK"]
    put(tower, "Waves", 3, Pier="west")
    put(tower, "Waves", 3)
    watch.stays(lambda: watch.state(tower, "waves"), 2.5)
    put(tower, "Waves", 2, Pier="east")
    put(tower, "Waves", 1, Pier="east")
    fired, returned = collect(tower, 2)
    assert turns([fired, returned]) == ["waves OK -> ALARM", "waves ALARM -> OK"]
    assert fired["Subject"] == 'ALARM: "waves" in Europe (Ireland)'
    assert fired["AlarmArn"] == arn
    assert fired["AlarmDescription"] == "Waves on the pier"
    assert fired["AWSAccountId"] == ACCOUNT
    assert fired["Region"] == "Europe (Ireland)"
    assert "[3.0 (" in fired["NewStateReason"] or "[2.0 (" in fired["NewStateReason"]
    assert fired["AlarmActions"] == [watch.TOPIC]
    trigger = fired["Trigger"]
    assert trigger["Dimensions"] == [{"value": "east", "name": "Pier"}]
    assert (trigger["Namespace"], trigger["MetricName"]) == ("Tides", "Waves")
    assert (trigger["StatisticType"], trigger["Statistic"]) == ("Statistic", "SUM")
    assert (trigger["Period"], trigger["EvaluationPeriods"], trigger["Threshold"]) == (60, 1, 1.0)
    assert trigger["TreatMissingData"] == "notBreaching"
    time.sleep(3)
    assert messages(tower) == []


def test_a_new_alarm_without_data_stays_undecided_unless_missing_data_are_treated(tower: Bench) -> None:
    for treatment in ("missing", "ignore", "breaching", "notBreaching"):
        watch.alarm(tower, f"calm-{treatment}", "Calm", TreatMissingData=treatment)
    until(tower, "calm-breaching", "ALARM")
    until(tower, "calm-notBreaching", "OK")
    for treatment in ("missing", "ignore"):
        assert watch.state(tower, f"calm-{treatment}") == "INSUFFICIENT_DATA"
    put(tower, "Calm", 1)
    for treatment in ("missing", "ignore"):
        until(tower, f"calm-{treatment}", "ALARM")
    until(tower, "calm-missing", "INSUFFICIENT_DATA")
    assert watch.state(tower, "calm-ignore") == "ALARM"


def test_an_alarm_over_a_day_fires_on_missing_data_and_returns_with_one_point(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    hour = 0.3  # seconds
    quick = watch.bench(tmp_path_factory.mktemp("rock"), minute=hour / 60)
    try:
        settings = {"ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching"}
        quick.client("sqs").create_queue(QueueName="gulls")
        put(quick, "Signs", 1)
        seen = time.monotonic()
        watch.alarm(quick, "keeper", "Signs", Period=3600, EvaluationPeriods=26, **settings)
        until(quick, "keeper", "OK")
        until(quick, "keeper", "ALARM", 30)
        assert 26 * hour <= time.monotonic() - seen <= 32 * hour
        reason = watch.described(quick, "keeper")["StateReason"]
        assert "26 missing datapoints were treated as [Breaching]" in reason
        # A queue has a point for each of these minutes, although many pass between two samples.
        now = datetime.now(UTC)
        (sampled,) = quick.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Dimensions=[{"Name": "QueueName", "Value": "gulls"}],
            StartTime=now - timedelta(days=1),
            EndTime=now + timedelta(days=1),
            Period=10 * 86_400,
            Statistics=["SampleCount"],
        )["Datapoints"]
        assert sampled["SampleCount"] > 3 * 60
        put(quick, "Signs", 1)
        until(quick, "keeper", "OK", 5)
    finally:
        assert quick.stop() == 0


def share(name: str = "share", expression: str = "IF(read > 0, 100 * lost / read, 0)") -> dict[str, Any]:
    def metric(key: str, metric_name: str) -> dict[str, Any]:
        named = {"Namespace": "Tides", "MetricName": metric_name, "Dimensions": []}
        return {
            "Id": key,
            "MetricStat": {"Metric": named, "Period": 120, "Stat": "Sum"},
            "ReturnData": False,
        }

    return {
        "AlarmName": name,
        "Metrics": [
            {"Id": "share", "Expression": expression, "Label": "share", "ReturnData": True},
            metric("read", "Read"),
            metric("lost", "Lost"),
        ],
        "EvaluationPeriods": 1,
        "Threshold": 10.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "ignore",
    }


def test_an_alarm_of_metric_math_watches_the_value_of_its_expression(tower: Bench) -> None:
    cloudwatch = tower.client("cloudwatch")
    cloudwatch.put_metric_alarm(**share(), AlarmActions=[watch.TOPIC])
    listed = watch.described(tower, "share")
    assert [query["Id"] for query in listed["Metrics"]] == ["share", "read", "lost"]
    assert not {"MetricName", "Namespace", "Statistic", "Period", "Dimensions"} & set(listed)
    data = [{"MetricName": "Read", "Value": 200.0}, {"MetricName": "Lost", "Value": 19.0}]
    cloudwatch.put_metric_data(Namespace="Tides", MetricData=data)
    until(tower, "share", "OK")
    time.sleep(4)
    data[1]["Value"] = 21.0
    cloudwatch.put_metric_data(Namespace="Tides", MetricData=data)
    (fired,) = collect(tower, 1)
    assert fired["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [10.5 (")
    queries = fired["Trigger"]["Metrics"]
    assert queries[0]["Expression"] == "IF(read > 0, 100 * lost / read, 0)"
    assert queries[1]["MetricStat"]["Metric"]["MetricName"] == "Read"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"Period": 61}, "Period 61 is invalid"),
    ({"Period": 5}, "Period 5 is invalid"),
    ({"Period": 300, "EvaluationPeriods": 289}, "more than a day"),
    ({"Period": 3600, "EvaluationPeriods": 169}, "more than 7 days"),
    ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be"),
    ({"TreatMissingData": "never"}, "must be one of breaching"),
    ({"Statistic": "Median"}, "Statistic Median"),
    ({"ExtendedStatistic": "p99"}, "Exactly one of Statistic"),
    ({"ComparisonOperator": "LessThanLowerThreshold"}, "is not supported here"),
    ({"AlarmActions": ["lighthouse"]}, "Invalid ARN in AlarmActions"),
]


@pytest.mark.parametrize(("more", "told"), REFUSED)
def test_an_alarm_that_aws_refuses_is_refused(tower: Bench, more: dict[str, Any], told: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match=told) as refused:
        watch.alarm(tower, "never", "Waves", **more)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    listed = tower.client("cloudwatch").describe_alarms(AlarmNames=["never"])
    assert listed["MetricAlarms"] == []


def test_the_longest_alarms_that_aws_accepts_are_accepted(tower: Bench) -> None:
    for period, periods in ((300, 288), (3600, 168), (86_400, 7), (10, 6)):
        watch.alarm(tower, "long", "Years", Period=period, EvaluationPeriods=periods)
        assert watch.described(tower, "long")["Period"] == period


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("RATE(lost)", "RATE"),
        ("lost / wrote", "names wrote"),
        ("SUM(lost)", "does not give one time series"),
        ("METRICS()", "does not give one time series"),
        ("share + 1", "in a circle"),
    ],
)
def test_an_expression_that_cannot_be_computed_is_refused(tower: Bench, expression: str, told: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match=told):
        tower.client("cloudwatch").put_metric_alarm(**share("never", expression))


def test_an_update_keeps_the_state_and_replaces_the_rest(tower: Bench) -> None:
    cloudwatch = tower.client("cloudwatch")
    description = {"AlarmDescription": "old", "DatapointsToAlarm": 1}
    watch.alarm(tower, "changed", "Changes", TreatMissingData="breaching", **description)
    until(tower, "changed", "ALARM")
    cloudwatch.disable_alarm_actions(AlarmNames=["changed"])
    assert watch.described(tower, "changed")["ActionsEnabled"] is False
    watch.alarm(tower, "changed", "Changes", Period=600, TreatMissingData="ignore")
    now = watch.described(tower, "changed")
    assert (now["StateValue"], now["Period"], now["ActionsEnabled"]) == ("ALARM", 600, True)
    assert not {"AlarmDescription", "DatapointsToAlarm"} & set(now)


def test_disabled_actions_send_nothing_and_a_set_state_sends_a_message(tower: Bench) -> None:
    cloudwatch = tower.client("cloudwatch")
    watch.alarm(tower, "bell", "Bells", TreatMissingData="ignore", **TOLD)
    cloudwatch.disable_alarm_actions(AlarmNames=["bell"])
    cloudwatch.set_alarm_state(AlarmName="bell", StateValue="ALARM", StateReason="a drill")
    cloudwatch.enable_alarm_actions(AlarmNames=["bell"])
    cloudwatch.set_alarm_state(AlarmName="bell", StateValue="OK", StateReason="the drill is over")
    (message,) = collect(tower, 1)
    assert turns([message]) == ["bell ALARM -> OK"]
    assert message["NewStateReason"] == "the drill is over"
    items = cloudwatch.describe_alarm_history(AlarmName="bell")["AlarmHistoryItems"]
    assert [item["HistoryItemType"] for item in reversed(items)] == [
        *("ConfigurationUpdate", "StateUpdate", "StateUpdate", "Action"),
    ]
    assert items[0]["HistorySummary"] == f"Successfully executed action {watch.TOPIC}"


def test_policies_of_topic_and_key_decide_which_messages_arrive(tower: Bench) -> None:
    cloudwatch, kms = tower.client("cloudwatch"), tower.client("kms")
    only = {"ArnLike": {"aws:SourceArn": f"{ALARM}named-*"}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:strict"
    publish = allow("sns:Publish", topic, "cloudwatch.amazonaws.com", only)
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    owner = {**root, "Action": "kms:*", "Resource": "*"}
    uses = allow(["kms:Decrypt", "kms:GenerateDataKey*"], "*", "cloudwatch.amazonaws.com", only)
    good = kms.create_key(Policy=watch.document(owner, uses))["KeyMetadata"]["Arn"]
    bad = kms.create_key(Policy=watch.document(owner))["KeyMetadata"]["Arn"]
    watch.topic(tower, "strict", publish, KmsMasterKeyId=good)

    def ring(name: str) -> None:
        watch.alarm(tower, name, "Bells", TreatMissingData="ignore", AlarmActions=[topic])
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="x")

    ring("stranger")
    ring("named-one")
    assert turns(collect(tower, 1)) == ["named-one INSUFFICIENT_DATA -> ALARM"]
    tower.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=bad
    )
    ring("named-two")
    time.sleep(1)
    assert messages(tower) == []

    def failure(name: str) -> str:
        items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")
        return str(items["AlarmHistoryItems"][0]["HistorySummary"])

    assert "topic's policy does not let cloudwatch.amazonaws.com publish for this alarm" in failure(
        "stranger"
    )
    assert "key's policy does not let cloudwatch.amazonaws.com use kms:Decrypt" in failure("named-two")


def test_a_change_of_state_is_an_event_too(tower: Bench) -> None:
    events, sqs = tower.client("events"), tower.client("sqs")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:log-book"
    sqs.create_queue(QueueName="log-book", Attributes={"Policy": queue_policy("log-book", "log-book")})
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    detail = {"alarmName": ["logged"], "state": {"value": ["ALARM"]}}
    events.put_rule(Name="log-book", EventPattern=json.dumps({**pattern, "detail": detail}))
    events.put_targets(Rule="log-book", Targets=[{"Id": "q", "Arn": arn}])
    watch.alarm(tower, "logged", "Logs", TreatMissingData="breaching")
    url = sqs.get_queue_url(QueueName="log-book")["QueueUrl"]
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"))
    event = json.loads(message["Body"])
    assert event["resources"] == [f"{ALARM}logged"]
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    (metric,) = event["detail"]["configuration"]["metrics"]
    assert metric["metricStat"]["metric"] == {"namespace": "Tides", "name": "Logs", "dimensions": {}}


def test_alarms_states_data_and_waits_survive_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ruin")
    first = watch.bench(folder)
    watch.alarm(first, "storm", "Storms", TreatMissingData="ignore", EvaluationPeriods=2)
    put(first, "Storms", 1)
    put(first, "Storms", 1)
    first.client("cloudwatch").set_alarm_state(AlarmName="storm", StateValue="ALARM", StateReason="seen")
    first.client("cloudwatch").put_composite_alarm(AlarmName="all", AlarmRule='ALARM("storm")')
    assert watch.state(first, "all") == "ALARM"
    before = watch.described(first, "storm")
    time.sleep(2.5)  # saved by now; the kill below saves nothing
    first.process.kill()
    first.process.wait()
    second = watch.bench(folder)
    try:
        after = watch.described(second, "storm")
        assert after["StateValue"] == "ALARM"
        assert after["AlarmConfigurationUpdatedTimestamp"] == before["AlarmConfigurationUpdatedTimestamp"]
        assert watch.state(second, "all") == "ALARM"
        listed = second.client("cloudwatch").list_metrics(Namespace="Tides")["Metrics"]
        assert [metric["MetricName"] for metric in listed] == ["Storms"]
    finally:
        assert second.stop() == 0
