"""A bench with a faster clock for alarms, and an inbox for their messages."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from conftest import ACCOUNT, REGION, Bench, wait_for

PROTOCOLS = ("json", "query", "smithy-rpc-v2-cbor")
"""CloudWatch's protocols."""
MINUTE = 1.0
"""Length of an alarm's minute in seconds."""
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:lighthouse"
INBOX = f"arn:aws:sqs:{REGION}:{ACCOUNT}:harbour-office"
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"


def bench(folder: Path, minute: float = MINUTE) -> Bench:
    return Bench(folder, "--metric-minute-seconds", str(minute), "--job-minute-seconds", "6")


def allow(actions: Any, resource: str, service: str, condition: dict[str, Any]) -> dict[str, Any]:
    principal = {"Service": service}
    given = {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": resource}
    return {**given, "Condition": condition}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def topic(bench: Bench, name: str, *statements: dict[str, Any], **attributes: str) -> str:
    """Make a topic with this policy, whose messages arrive in the inbox. Returns its ARN."""
    sns = bench.client("sns")
    arn = str(
        sns.create_topic(Name=name, Attributes={"Policy": document(*statements), **attributes})["TopicArn"]
    )
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=INBOX)
    return arn


def make_inbox(bench: Bench) -> None:
    source = {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:*"}}
    policy = document(allow("sqs:SendMessage", INBOX, "sns.amazonaws.com", source))
    bench.client("sqs").create_queue(QueueName="harbour-office", Attributes={"Policy": policy})


def messages(bench: Bench) -> list[dict[str, Any]]:
    """The messages of new notifications since the last call, each with its subject."""
    sqs = bench.client("sqs")
    url = sqs.get_queue_url(QueueName="harbour-office")["QueueUrl"]
    found = []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            envelope = json.loads(message["Body"])
            found.append({**json.loads(envelope["Message"]), "Subject": envelope["Subject"]})
    return found


def turns(said: list[dict[str, Any]]) -> list[str]:
    """Each message as `name old -> new`."""
    return [f"{one['AlarmName']} {one['OldStateValue']} -> {one['NewStateValue']}" for one in said]


def collect(bench: Bench, count: int, seconds: float = 20) -> list[dict[str, Any]]:
    """Wait for so many messages and return them."""
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        found.extend(messages(bench))
        return len(found) >= count

    wait_for(enough, seconds)
    return found


def described(bench: Bench, name: str) -> dict[str, Any]:
    answer = bench.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return dict((answer["MetricAlarms"] + answer["CompositeAlarms"])[0])


def state(bench: Bench, name: str) -> str:
    return str(described(bench, name)["StateValue"])


def until(bench: Bench, name: str, wanted: str, seconds: float = 20) -> None:
    wait_for(lambda: state(bench, name) == wanted, seconds)


def stays(what: Callable[[], Any], seconds: float) -> Any:
    """The value during all of these seconds. Fails when it changes."""
    first, deadline = what(), time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = what()
        assert now == first, f"{first} became {now}"
        time.sleep(0.1)
    return first


def put(bench: Bench, name: str, value: float, **dimensions: str) -> None:
    """Put one datum into the namespace `Tides`."""
    listed = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    datum = {"MetricName": name, "Value": value, "Unit": "Count", "Dimensions": listed}
    bench.client("cloudwatch").put_metric_data(Namespace="Tides", MetricData=[datum])


def alarm(bench: Bench, name: str, metric: str, **more: Any) -> str:
    """Put an alarm that fires at one or more in a minute. Returns its ARN."""
    settings = {
        "Namespace": "Tides",
        "MetricName": metric,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    bench.client("cloudwatch").put_metric_alarm(AlarmName=name, **(settings | more))
    return f"{ALARM}{name}"


def client(bench: Bench, protocol: str, credentials: dict[str, str] | None = None) -> Any:
    """A client of CloudWatch that uses this protocol only."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    model = loader.load_service_model("cloudwatch", "service-2")
    model["metadata"] = {**model["metadata"], "protocol": protocol, "protocols": [protocol]}
    keys = credentials or {
        "aws_access_key_id": bench.ready["accessKeyId"],
        "aws_secret_access_key": bench.ready["secretAccessKey"],
    }
    made = boto3.session.Session(botocore_session=session).client(
        "cloudwatch",
        region_name=REGION,
        endpoint_url=bench.ready["endpoint"],
        verify=bench.ready["caBundle"],
        config=Config(retries={"total_max_attempts": 1}),
        **keys,
    )
    assert made.meta.service_model.resolved_protocol == protocol
    return made
