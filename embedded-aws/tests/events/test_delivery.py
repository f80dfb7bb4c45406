"""Failed executions of a ferry's machine reach a topic through rules if policies allow it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ACCOUNT, REGION, Bench, make_role, wait_for

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:ferry-alerts"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:ferry-inbox"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ferry"
OURS = ["TideTooLow", "FogTooThick"]


def rule_pattern(detail: dict[str, Any]) -> str:
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [MACHINE], "status": ["FAILED", "TIMED_OUT", "ABORTED"], **detail},
    }
    return json.dumps(pattern)


def policy(action: Any, resource: str, service: str, condition: dict[str, Any]) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
    return {**allow, "Condition": condition}


@pytest.fixture(scope="module")
def ferry(bench: Bench) -> Iterator[Bench]:
    sns, sqs, events, kms = (bench.client(name) for name in ("sns", "sqs", "events", "kms"))
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    source = {"ArnLike": {"aws:SourceArn": f"{RULE}ferry-*"}}
    uses = policy(["kms:Decrypt", "kms:GenerateDataKey*"], "*", "events.amazonaws.com", source)
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [root, uses]}))[
        "KeyMetadata"
    ]["Arn"]
    sns.create_topic(Name="ferry-alerts", Attributes={"KmsMasterKeyId": key})
    rules = [f"{RULE}ferry-new", f"{RULE}ferry-redrive"]
    publish = policy("sns:Publish", TOPIC, "events.amazonaws.com", {"ArnEquals": {"aws:SourceArn": rules}})
    sns.set_topic_attributes(
        TopicArn=TOPIC,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [publish]}),
    )
    send = policy("sqs:SendMessage", QUEUE_ARN, "sns.amazonaws.com", {"ArnEquals": {"aws:SourceArn": TOPIC}})
    document = json.dumps({"Version": "2012-10-17", "Statement": [send]})
    sqs.create_queue(QueueName="ferry-inbox", Attributes={"Policy": document})
    sns.subscribe(
        TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE_ARN, Attributes={"RawMessageDelivery": "true"}
    )
    others = {"$or": [{"error": [{"anything-but": OURS}]}, {"error": [{"exists": False}]}, {"error": [None]}]}
    # Placeholders have no quotes: EventBridge quotes and escapes strings itself, and a cause contains quotes.
    template = '{"status": <status>, "error": <error>, "cause": <cause>, "rule": <aws.events.rule-arn>}'
    paths = {name: f"$.detail.{name}" for name in ("status", "error", "cause")}
    for name, detail in (("ferry-new", {"error": OURS}), ("ferry-redrive", others), ("stranger", {})):
        events.put_rule(Name=name, EventPattern=rule_pattern(detail))
        transformer = {"InputPathsMap": paths, "InputTemplate": template}
        events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": TOPIC, "InputTransformer": transformer}])
    role = make_role(bench, "captain", "states.amazonaws.com", [])
    states: dict[str, Any] = {
        "Which": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.tide", "IsPresent": True, "Next": "Low"},
                {"Variable": "$.broken", "IsPresent": True, "Next": "Broken"},
                {"Variable": "$.wait", "IsPresent": True, "Next": "Wait"},
            ],
            "Default": "Sail",
        },
        "Sail": {"Type": "Succeed"},
        "Low": {"Type": "Fail", "Error": "TideTooLow", "CausePath": "$.tide"},
        "Broken": {"Type": "Pass", "OutputPath": "$.nowhere", "End": True},
        "Wait": {"Type": "Wait", "Seconds": 36000, "Next": "Sail"},
    }
    definition = json.dumps({"StartAt": "Which", "States": states, "TimeoutSeconds": 2})
    bench.client("stepfunctions").create_state_machine(name="ferry", definition=definition, roleArn=role)
    yield bench


def messages(bench: Bench, data: dict[str, Any], stop: bool = False) -> list[dict[str, Any]]:
    """All messages of one execution with this input."""
    states, sqs = bench.client("stepfunctions"), bench.client("sqs")
    run = states.start_execution(stateMachineArn=MACHINE, input=json.dumps(data))["executionArn"]
    if stop:
        states.stop_execution(executionArn=run)
    wait_for(lambda: states.describe_execution(executionArn=run)["status"] != "RUNNING")
    url = sqs.get_queue_url(QueueName="ferry-inbox")["QueueUrl"]
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for message in got:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    bodies = [json.loads(message["Body"]) for message in got]
    return [{**body, "rule": body["rule"].rsplit("/", 1)[-1]} for body in bodies]


def test_a_custom_error_matches_only_the_first_rule(ferry: Bench) -> None:
    (message,) = messages(ferry, {"tide": "0.4 m"})
    assert (message["rule"], message["status"]) == ("ferry-new", "FAILED")
    assert (message["error"], message["cause"]) == ("TideTooLow", "0.4 m")


def test_any_other_error_matches_only_the_second_rule(ferry: Bench) -> None:
    (message,) = messages(ferry, {"broken": "x"})
    assert (message["rule"], message["error"]) == ("ferry-redrive", "States.Runtime")


def test_a_time_out_and_an_abort_without_error_send_messages_too(ferry: Bench) -> None:
    (message,) = messages(ferry, {"wait": "x"})
    assert (message["rule"], message["status"]) == ("ferry-redrive", "TIMED_OUT")
    assert message["error"] == "States.Timeout"
    (message,) = messages(ferry, {"wait": "x"}, stop=True)
    assert (message["rule"], message["status"]) == ("ferry-redrive", "ABORTED")
    assert (message["error"], message["cause"]) == (None, None)


def test_success_sends_no_message(ferry: Bench) -> None:
    assert messages(ferry, {}) == []


def test_a_rule_that_the_topic_does_not_name_is_refused(ferry: Bench) -> None:
    assert "rule/stranger does not reach" in ferry.log()


def test_a_key_that_does_not_allow_events_stops_the_message(ferry: Bench) -> None:
    kms, sns = ferry.client("kms"), ferry.client("sns")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    before = sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["KmsMasterKeyId"]
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue=key)
    assert messages(ferry, {"tide": "0.3 m"}) == []
    assert "the key's policy does not let events.amazonaws.com use kms:Decrypt" in ferry.log()
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue=before)


LIGHTHOUSE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:lighthouse"


def lit(bench: Bench) -> list[str]:
    """The inputs of the executions of the lighthouse."""
    states = bench.client("stepfunctions")
    started = states.list_executions(stateMachineArn=LIGHTHOUSE)["executions"]
    return [states.describe_execution(executionArn=one["executionArn"])["input"] for one in started]


def test_a_rule_starts_a_machine_with_the_role_of_its_target_only(ferry: Bench) -> None:
    events, states = ferry.client("events"), ferry.client("stepfunctions")
    keeper = make_role(ferry, "purser", "states.amazonaws.com", [])
    shine = json.dumps({"StartAt": "Shine", "States": {"Shine": {"Type": "Succeed"}}})
    states.create_state_machine(name="lighthouse", definition=shine, roleArn=keeper)
    start = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": LIGHTHOUSE}
    roles = {
        "trusted": make_role(ferry, "lamp-trusted", "events.amazonaws.com", [start]),
        "powerless": make_role(ferry, "lamp-powerless", "events.amazonaws.com", []),
        "stranger": make_role(ferry, "lamp-stranger", "sns.amazonaws.com", [start]),
    }
    transformer = {"InputPathsMap": {"cause": "$.detail.cause"}, "InputTemplate": '{"tide": <cause>}'}
    for name, role in roles.items():
        events.put_rule(Name=f"lamp-{name}", EventPattern=rule_pattern({"error": ["TideTooLow"]}))
        target = {"Id": "t", "Arn": LIGHTHOUSE, "RoleArn": role, "InputTransformer": transformer}
        events.put_targets(Rule=f"lamp-{name}", Targets=[target])
    messages(ferry, {"tide": 'a "low" one'})
    wait_for(lambda: f"rule {RULE}lamp-powerless does not start {LIGHTHOUSE}" in ferry.log())
    wait_for(lambda: f"rule {RULE}lamp-stranger does not start {LIGHTHOUSE}" in ferry.log())
    assert "lamp-stranger does not trust events.amazonaws.com" in ferry.log()
    wait_for(lambda: lit(ferry))
    assert [json.loads(one) for one in lit(ferry)] == [{"tide": 'a "low" one'}]
