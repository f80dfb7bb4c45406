"""Asynchronous invocations: attempts, dead letters, records, and the services that send events."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from callers import lines
from conftest import ACCOUNT, REGION, make_role, statement, wait_for
from orchard import LOGS, PRINCIPAL, Orchard

FUNCTIONS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"


@pytest.fixture(scope="module")
def sender(orchard: Orchard) -> str:
    """The role of functions that may send to these queues and to one topic."""
    rights = [
        statement(["sqs:SendMessage"], [f"{QUEUES}bin", f"{QUEUES}records"]),
        statement(["sns:Publish"], [f"arn:aws:sns:{REGION}:{ACCOUNT}:news"]),
    ]
    for name in ("bin", "records"):
        orchard.queue(name)
    return make_role(orchard.bench, "sender", PRINCIPAL, [LOGS, *rights])


def configure(orchard: Orchard, name: str, retries: int, **destinations: str) -> None:
    orchard.client("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=retries,
        DestinationConfig={kind: {"Destination": arn} for kind, arn in destinations.items()},
    )


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_an_error_is_tried_again_and_then_kept(orchard: Orchard, sender: str, retries: int) -> None:
    name = f"rotten-{retries}"
    arn = orchard.make(name, "spoil", Role=sender, DeadLetterConfig={"TargetArn": f"{QUEUES}bin"})
    configure(orchard, name, retries, OnFailure=f"{QUEUES}records")
    begun = time.monotonic()
    orchard.send(name, {"tree": "ash"})
    record = json.loads(orchard.message("records")["Body"])
    # Waits of one and two minutes, shortened to 0.3 and 0.6 s.
    assert time.monotonic() - begun >= (0, 0.3, 0.9)[retries]
    letter = orchard.message("bin")
    request = record["requestContext"].pop("requestId")
    payload = record.pop("responsePayload")
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "functionArn": f"{arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": retries + 1,
        },
        "requestPayload": {"tree": "ash"},
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
    }
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "worms in ash")
    assert payload["requestId"] == request
    assert json.loads(letter["Body"]) == {"tree": "ash"}
    notes = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    assert notes == {"RequestID": request, "ErrorCode": "200", "ErrorMessage": "worms in ash"}
    assert orchard.count("Errors", name) == retries + 1
    assert orchard.count("AsyncEventsReceived", name) == orchard.count("AsyncEventsDropped", name) == 1
    told = orchard.logs(f"/aws/lambda/{name}", "REPORT")
    assert sum(line.startswith(f"START RequestId: {request}") for line in told) == retries + 1


def test_a_success_is_recorded_and_is_no_dead_letter(orchard: Orchard, sender: str) -> None:
    orchard.make("fresh", "weigh", Role=sender, DeadLetterConfig={"TargetArn": f"{QUEUES}bin"})
    configure(orchard, "fresh", 2, OnSuccess=f"{QUEUES}records", OnFailure=f"{QUEUES}bin")
    orchard.send("fresh", {"tree": "oak", "kilos": 2})
    record = json.loads(orchard.message("records")["Body"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["responsePayload"] == {"tree": "oak", "kilos": 4}
    assert "functionError" not in record["responseContext"]
    assert orchard.count("AsyncEventsDropped", "fresh") is None


def test_letters_that_the_role_may_no_longer_send_are_counted(orchard: Orchard) -> None:
    right = statement(["sqs:SendMessage"], [f"{QUEUES}post"])
    role = make_role(orchard.bench, "fired", PRINCIPAL, [right])
    arn = orchard.queue("post")
    orchard.make("fired", "spoil", Role=role, DeadLetterConfig={"TargetArn": arn})
    configure(orchard, "fired", 0, OnFailure=arn)
    orchard.client("iam").delete_role_policy(RoleName="fired", PolicyName="all")
    orchard.send("fired", {"tree": "yew"})
    wait_for(lambda: orchard.count("DeadLetterErrors", "fired"))
    assert orchard.count("DestinationDeliveryFailures", "fired") == 1
    found = [line for line in lines(orchard.trace) if line["principal"].endswith(":role/fired")]
    tried = [line["verdict"] for line in found if line["action"] == "sqs:SendMessage"]
    assert tried == ["allowed", "allowed", "denied", "denied"]  # both settings are checked when they are made


def test_a_destination_that_the_role_may_not_use_is_refused(orchard: Orchard) -> None:
    orchard.make("boxed", "weigh")
    with pytest.raises(Exception, match="does not have permissions to call SendMessage on SQS"):
        configure(orchard, "boxed", 0, OnFailure=f"{QUEUES}elsewhere")


@pytest.mark.parametrize(
    ("reserved", "age", "condition", "attempts"),
    [(0, 21_600, "ZeroReservedConcurrency", 0), (1, 60, "EventAgeExceeded", 0)],
)
def test_an_event_that_never_runs(
    orchard: Orchard, sender: str, reserved: int, age: int, condition: str, attempts: int
) -> None:
    name = f"waiting-{reserved}"
    orchard.make(name, "sleep", Role=sender)
    client = orchard.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    client.put_function_event_invoke_config(
        FunctionName=name,
        MaximumEventAgeInSeconds=age,
        DestinationConfig={"OnFailure": {"Destination": f"{QUEUES}records"}},
    )
    if reserved:
        orchard.send(name, {"seconds": 4})
        wait_for(lambda: orchard.count("ConcurrentExecutions", name))
    orchard.send(name, {"seconds": 0})
    record = json.loads(orchard.message("records")["Body"])
    context = record["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == (condition, attempts)
    assert record["requestPayload"] == {"seconds": 0}
    assert "responsePayload" not in record
    assert bool(orchard.count("Throttles", name)) == bool(reserved)


def permit(orchard: Orchard, name: str, service: str, source: str) -> None:
    orchard.client("lambda").add_permission(
        FunctionName=name,
        StatementId=service,
        Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com",
        SourceArn=source,
    )


def from_a_rule(orchard: Orchard, name: str) -> str:
    events = orchard.client("events")
    arn = events.put_rule(Name=f"{name}-rule", EventPattern=json.dumps({"source": [name]}))["RuleArn"]
    events.put_targets(Rule=f"{name}-rule", Targets=[{"Id": "f", "Arn": FUNCTIONS + name}])
    return str(arn)


def from_a_bucket(orchard: Orchard, name: str) -> str:
    location = {"LocationConstraint": REGION}
    orchard.client("s3").create_bucket(Bucket=f"{name}-bucket", CreateBucketConfiguration=location)
    wanted = [{"LambdaFunctionArn": FUNCTIONS + name, "Events": ["s3:ObjectCreated:*"]}]
    orchard.client("s3").put_bucket_notification_configuration(
        Bucket=f"{name}-bucket",
        NotificationConfiguration={"LambdaFunctionConfigurations": wanted},
        SkipDestinationValidation=True,
    )
    return f"arn:aws:s3:::{name}-bucket"


def from_a_topic(orchard: Orchard, name: str) -> str:
    sns = orchard.client("sns")
    arn = str(sns.create_topic(Name=f"{name}-topic")["TopicArn"])
    sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=FUNCTIONS + name)
    return arn


def put_event(orchard: Orchard, name: str) -> None:
    entry = {"Source": name, "DetailType": "Harvest", "Detail": '{"tree": "plum"}'}
    orchard.client("events").put_events(Entries=[entry])


def put_object(orchard: Orchard, name: str) -> None:
    orchard.client("s3").put_object(Bucket=f"{name}-bucket", Key="a", Body=b"1")


def publish(orchard: Orchard, name: str) -> None:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}-topic"
    orchard.client("sns").publish(TopicArn=topic, Message="plum")


@pytest.mark.parametrize(
    ("service", "make", "send", "holds"),
    [
        ("events", from_a_rule, put_event, {"detail": {"tree": "plum"}}),
        ("s3", from_a_bucket, put_object, None),
        ("sns", from_a_topic, publish, None),
    ],
)
def test_a_service_invokes_a_function_only_if_its_policy_lets_it(
    orchard: Orchard, sender: str, service: str, make: Any, send: Any, holds: dict[str, Any] | None
) -> None:
    name = f"by-{service}"
    orchard.make(name, "spoil", Role=sender, DeadLetterConfig={"TargetArn": f"{QUEUES}bin"})
    configure(orchard, name, 1, OnFailure=f"{QUEUES}records")
    source = make(orchard, name)
    send(orchard, name)
    words = f"does not invoke {FUNCTIONS}{name}: the function's policy does not let {service}.amazonaws.com"
    wait_for(lambda: words in orchard.bench.log())
    assert orchard.count("AsyncEventsReceived", name) is None
    permit(orchard, name, service, source)
    send(orchard, name)
    record = json.loads(orchard.message("records")["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 2  # it is an asynchronous invocation
    event = record["requestPayload"]
    assert event == json.loads(orchard.message("bin")["Body"])
    if holds:
        assert holds.items() <= event.items()
    else:
        assert source in json.dumps(event["Records"][0])


def test_a_schedule_invokes_a_function_with_its_role(orchard: Orchard, sender: str) -> None:
    arn = orchard.make("timed", "weigh", Role=sender)
    configure(orchard, "timed", 0, OnSuccess=f"{QUEUES}records")
    right = statement(["lambda:InvokeFunction"], [arn])
    role = make_role(orchard.bench, "clock", "scheduler.amazonaws.com", [right])
    moment = datetime.now(UTC) + timedelta(seconds=2)
    orchard.client("scheduler").create_schedule(
        Name="once",
        ScheduleExpression=f"at({moment:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role, "Input": '{"tree": "pine", "kilos": 1}'},
    )
    record = json.loads(orchard.message("records")["Body"])
    assert record["requestPayload"] == {"tree": "pine", "kilos": 1}


def test_an_alarm_on_errors_fires(orchard: Orchard) -> None:
    orchard.make("alarming", "spoil")
    cloudwatch = orchard.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="rot",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": "alarming"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    orchard.invoke("alarming", {"tree": "fig"})
    history = cloudwatch.describe_alarm_history
    wait_for(
        lambda: any(
            "to ALARM" in item["HistorySummary"] for item in history(AlarmName="rot")["AlarmHistoryItems"]
        )
    )


def test_settings_that_were_not_given_are_not_reported(orchard: Orchard) -> None:
    orchard.make("terse", "weigh")
    client = orchard.client("lambda")
    client.put_function_event_invoke_config(FunctionName="terse", MaximumRetryAttempts=0)
    read = client.get_function_event_invoke_config(FunctionName="terse")
    assert read["MaximumRetryAttempts"] == 0
    assert "MaximumEventAgeInSeconds" not in read
