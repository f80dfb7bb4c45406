"""Baskets of fruit arrive in queues, and a function weighs them."""

import json
import time
from typing import Any

import botocore.exceptions
import pytest
from callers import lines
from conftest import ACCOUNT, REGION, make_role, statement, wait_for
from orchard import LOGS, PRINCIPAL, Orchard, archive

QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
TAKING = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
CODE = """
import json

def weigh(event, context):
    bodies = [record["body"] for record in event["Records"]]
    print("basket", json.dumps(bodies))
    rotten = [r["messageId"] for r in event["Records"] if "rotten" in r["body"]]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in rotten]}

def spill(event, context):
    print("spilt", len(event["Records"]))
    raise ValueError("spilt")

def show(event, context):
    print("shown", json.dumps(event["Records"][0]))

def mumble(event, context):
    return {"batchItemFailures": [{"itemIdentifier": "unknown"}]}
"""


@pytest.fixture(scope="module")
def weigher(orchard: Orchard) -> str:
    """The role of functions that may take messages of these queues."""
    rights = [statement(TAKING, [f"{QUEUES}baskets-*"])]
    return make_role(orchard.bench, "weigher", PRINCIPAL, [LOGS, *rights])


def make_queue(orchard: Orchard, name: str, **attributes: str) -> str:
    return str(orchard.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def map_queue(orchard: Orchard, weigher: str, name: str, handler: str, **more: Any) -> dict[str, Any]:
    """A function of its own that takes the queue's messages."""
    orchard.make(
        name, "weigh", Role=weigher, Code={"ZipFile": archive(fruit=CODE)}, **more.pop("function", {})
    )
    orchard.client("lambda").update_function_configuration(FunctionName=name, Handler=f"fruit.{handler}")
    return dict(
        orchard.client("lambda").create_event_source_mapping(
            FunctionName=name, EventSourceArn=f"{QUEUES}{name}", **more
        )
    )


def send(orchard: Orchard, url: str, bodies: list[str]) -> None:
    for start in range(0, len(bodies), 10):
        entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies[start : start + 10])]
        orchard.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def left(orchard: Orchard, url: str) -> int:
    found = orchard.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(found[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible", "Delayed"))


def baskets(orchard: Orchard, name: str) -> list[list[str]]:
    """The batches that the function was invoked with."""
    shown = [line for line in orchard.logs(f"/aws/lambda/{name}", "basket") if line.startswith("basket")]
    return [json.loads(line.removeprefix("basket ")) for line in shown]


def refused(orchard: Orchard, weigher: str, name: str, **more: Any) -> str:
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        map_queue(orchard, weigher, name, "weigh", **more)
    assert raised.value.response["Error"]["Code"] == "InvalidParameterValueException"
    return str(raised.value.response["Error"]["Message"])


def test_messages_of_a_window_are_one_batch_each_once(orchard: Orchard, weigher: str) -> None:
    url = make_queue(orchard, "baskets-window")
    window = {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 3}
    map_queue(orchard, weigher, "baskets-window", "weigh", **window)
    sent = [f"apple {number}" for number in range(35)]
    send(orchard, url, sent)
    wait_for(lambda: left(orchard, url) == 0, 30)
    taken = baskets(orchard, "baskets-window")
    assert sorted(body for batch in taken for body in batch) == sorted(sent)
    assert len(taken) == 1


def test_a_full_batch_does_not_wait_for_its_window(orchard: Orchard, weigher: str) -> None:
    url = make_queue(orchard, "baskets-full")
    window = {"BatchSize": 20, "MaximumBatchingWindowInSeconds": 300}
    map_queue(orchard, weigher, "baskets-full", "weigh", **window)
    started = time.monotonic()
    send(orchard, url, [f"pear {number}" for number in range(40)])
    wait_for(lambda: left(orchard, url) == 0, 30)
    assert time.monotonic() - started < 30
    assert [len(batch) for batch in baskets(orchard, "baskets-full")] == [20, 20]


def test_only_reported_messages_come_again_then_to_the_dead_letters_and_back(
    orchard: Orchard, weigher: str
) -> None:
    bin_url = make_queue(orchard, "baskets-bin")
    policy = json.dumps({"deadLetterTargetArn": f"{QUEUES}baskets-bin", "maxReceiveCount": 3})
    url = make_queue(orchard, "baskets-part", RedrivePolicy=policy)
    map_queue(orchard, weigher, "baskets-part", "weigh", FunctionResponseTypes=["ReportBatchItemFailures"])
    send(orchard, url, ["plum", "rotten plum", "cherry"])
    wait_for(lambda: left(orchard, bin_url) == 1, 30)
    assert left(orchard, url) == 0
    bodies = [body for batch in baskets(orchard, "baskets-part") for body in batch]
    assert {body: bodies.count(body) for body in bodies} == {"plum": 1, "cherry": 1, "rotten plum": 3}

    # A good weigher takes what is moved back.
    orchard.client("lambda").update_function_code(
        FunctionName="baskets-part", ZipFile=archive(fruit=CODE.replace('"rotten"', '"mouldy"'))
    )
    sqs = orchard.client("sqs")
    task = sqs.start_message_move_task(SourceArn=f"{QUEUES}baskets-bin")
    wait_for(lambda: left(orchard, bin_url) == 0 and left(orchard, url) == 0, 30)
    listed = sqs.list_message_move_tasks(SourceArn=f"{QUEUES}baskets-bin")["Results"]
    assert task["TaskHandle"]
    assert (listed[0]["Status"], listed[0]["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    wait_for(
        lambda: [b for batch in baskets(orchard, "baskets-part") for b in batch].count("rotten plum") == 4
    )


def test_a_failed_batch_comes_again_as_a_whole(orchard: Orchard, weigher: str) -> None:
    bin_url = make_queue(orchard, "baskets-bin-2")
    policy = json.dumps({"deadLetterTargetArn": f"{QUEUES}baskets-bin-2", "maxReceiveCount": 2})
    url = make_queue(orchard, "baskets-spilt", RedrivePolicy=policy)
    reports = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    map_queue(orchard, weigher, "baskets-spilt", "spill", **reports)
    send(orchard, url, ["fig", "date"])
    wait_for(lambda: left(orchard, bin_url) == 2, 30)
    assert left(orchard, url) == 0


def test_an_answer_that_names_unknown_messages_fails_the_whole_batch(orchard: Orchard, weigher: str) -> None:
    bin_url = make_queue(orchard, "baskets-bin-3")
    policy = json.dumps({"deadLetterTargetArn": f"{QUEUES}baskets-bin-3", "maxReceiveCount": 1})
    url = make_queue(orchard, "baskets-mumbled", RedrivePolicy=policy)
    reports = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    map_queue(orchard, weigher, "baskets-mumbled", "mumble", **reports)
    send(orchard, url, ["medlar"])
    wait_for(lambda: left(orchard, bin_url) == 1, 30)


def test_a_record_has_what_lambda_gives(orchard: Orchard, weigher: str) -> None:
    url = make_queue(orchard, "baskets-shown")
    map_queue(orchard, weigher, "baskets-shown", "show")
    ripe = {"ripe": {"DataType": "String", "StringValue": "yes"}}
    orchard.client("sqs").send_message(QueueUrl=url, MessageBody="quince", MessageAttributes=ripe)
    shown = [line for line in orchard.logs("/aws/lambda/baskets-shown", "shown") if line.startswith("shown")]
    record = json.loads(shown[0].removeprefix("shown "))
    assert record["body"] == "quince"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == f"{QUEUES}baskets-shown"
    assert record["awsRegion"] == REGION
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert int(record["attributes"]["SentTimestamp"]) > 1_600_000_000_000
    assert record["messageAttributes"] == {"ripe": {"dataType": "String", "stringValue": "yes"}}


def test_messages_are_taken_with_the_functions_role(orchard: Orchard, weigher: str) -> None:
    url = make_queue(orchard, "baskets-traced")
    map_queue(orchard, weigher, "baskets-traced", "weigh")
    send(orchard, url, ["sloe"])
    wait_for(lambda: left(orchard, url) == 0, 30)
    calls = {
        line["action"]
        for line in lines(orchard.trace)
        if "weigher" in str(line) and f"{QUEUES}baskets-traced" in str(line)
    }
    assert {"sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:DeleteMessage"} <= calls


def test_mappings_that_could_not_work_are_refused(orchard: Orchard, weigher: str) -> None:
    make_queue(orchard, "baskets-refused-1")
    assert refused(orchard, weigher, "baskets-refused-1", BatchSize=11) == (
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
    )
    make_queue(orchard, "crates")
    assert refused(orchard, weigher, "crates") == (
        "The provided execution role does not have permissions to call ReceiveMessage on SQS"
    )
    make_queue(orchard, "baskets-refused-2", VisibilityTimeout="5")
    assert refused(orchard, weigher, "baskets-refused-2") == (
        "Queue visibility timeout: 5 seconds is less than Function timeout: 10 seconds"
    )


def test_only_dead_letter_queues_can_be_moved(orchard: Orchard) -> None:
    make_queue(orchard, "baskets-alone")
    with pytest.raises(botocore.exceptions.ClientError, match="must be configured as a Dead Letter Queue"):
        orchard.client("sqs").start_message_move_task(SourceArn=f"{QUEUES}baskets-alone")


def test_the_age_of_the_oldest_message_is_measured(orchard: Orchard) -> None:
    url = make_queue(orchard, "baskets-old")
    send(orchard, url, ["raisin"])

    def ages() -> list[float]:
        now = time.time()
        points = orchard.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": "baskets-old"}],
            StartTime=now - 900,
            EndTime=now + 60,
            Period=1,
            Statistics=["Maximum"],
        )["Datapoints"]
        return [float(point["Maximum"]) for point in sorted(points, key=lambda point: point["Timestamp"])]

    # A minute of this clock is a second.
    found = wait_for(lambda: len(ages()) >= 4 and ages(), 30)
    assert found[-1] >= found[0] + 60
    assert found == sorted(found)
