"""Grain is brought to a granary's bucket, and rules hand its events to queues."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ACCOUNT, REGION, Bench, queue_policy, wait_for

QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
RULES = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/"
ODD_KEYS = [
    "rye/a b.txt",
    "rye/a+b.txt",
    "rye/100%.txt",
    "rye/day=1/x=y.txt",
    "rye/Müller & Söhne.txt",
    "rye/%20.txt",
]


def make_rule(bench: Bench, name: str, detail: dict[str, Any], **target: Any) -> None:
    events = bench.client("events")
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "one", "Arn": f"{QUEUES}{name}", **target}])


@pytest.fixture(scope="module")
def granary(bench: Bench) -> Iterator[Bench]:
    s3, sqs = bench.client("s3"), bench.client("sqs")
    s3.create_bucket(Bucket="granary", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="granary", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="granary", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    for name in ("brought", "locked", "lost"):
        sqs.create_queue(QueueName=name)
    for queue, rule in (("brought", "brought"), ("lost", "locked")):
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": queue_policy(queue, rule)})
    bucket = {"bucket": {"name": ["granary"]}}
    make_rule(bench, "brought", {**bucket, "object": {"key": [{"prefix": "rye/"}]}})
    dead_letters = {"DeadLetterConfig": {"Arn": f"{QUEUES}lost"}}
    make_rule(bench, "locked", {**bucket, "object": {"key": [{"prefix": "oats/"}]}}, **dead_letters)
    yield bench


def take(bench: Bench, queue: str, count: int) -> list[dict[str, Any]]:
    """The next messages, in the order in which they were sent."""
    sqs = bench.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found: list[dict[str, Any]] = []

    def receive() -> bool:
        asked = {"MessageAttributeNames": ["All"], "AttributeNames": ["All"], "MaxNumberOfMessages": 10}
        for message in sqs.receive_message(QueueUrl=url, **asked).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
        return len(found) >= count

    wait_for(receive, 15)
    return found


def details(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        (json.loads(message["Body"])["detail"] for message in messages),
        key=lambda detail: str(detail["object"]["sequencer"]),
    )


def test_each_way_to_make_an_object_has_its_event(granary: Bench) -> None:
    s3 = granary.client("s3")
    put = s3.put_object(Bucket="granary", Key="rye/put.txt", Body=b"rye")
    copy = s3.copy_object(
        Bucket="granary", Key="rye/copy.txt", CopySource={"Bucket": "granary", "Key": "rye/put.txt"}
    )
    upload = s3.create_multipart_upload(Bucket="granary", Key="rye/large.txt")["UploadId"]
    part = {"Bucket": "granary", "Key": "rye/large.txt", "UploadId": upload}
    etag = s3.upload_part(**part, PartNumber=1, Body=b"much rye")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    large = s3.complete_multipart_upload(**part, MultipartUpload=parts)

    messages = take(granary, "brought", 3)
    body = json.loads(messages[0]["Body"])
    assert body["source"] == "aws.s3"
    assert body["detail-type"] == "Object Created"
    assert body["account"] == ACCOUNT
    assert body["region"] == REGION
    assert body["resources"] == ["arn:aws:s3:::granary"]
    found = details(messages)
    assert [detail["reason"] for detail in found] == ["PutObject", "CopyObject", "CompleteMultipartUpload"]
    assert [detail["object"]["key"] for detail in found] == ["rye/put.txt", "rye/copy.txt", "rye/large.txt"]
    assert [detail["object"]["size"] for detail in found] == [3, 3, 8]
    assert [detail["object"]["etag"] for detail in found] == [
        put["ETag"].strip('"'),
        copy["CopyObjectResult"]["ETag"].strip('"'),
        large["ETag"].strip('"'),
    ]
    assert [detail["object"]["version-id"] for detail in found] == [
        put["VersionId"],
        copy["VersionId"],
        large["VersionId"],
    ]
    assert all(detail["bucket"] == {"name": "granary"} for detail in found)


def test_keys_are_as_they_are(granary: Bench) -> None:
    for key in ODD_KEYS:
        granary.client("s3").put_object(Bucket="granary", Key=key, Body=b"rye")
    found = details(take(granary, "brought", len(ODD_KEYS)))
    assert [detail["object"]["key"] for detail in found] == ODD_KEYS


def test_the_sequencer_of_a_key_grows(granary: Bench) -> None:
    for body in (b"1", b"22", b"333"):
        granary.client("s3").put_object(Bucket="granary", Key="rye/again.txt", Body=body)
    assert [detail["object"]["size"] for detail in details(take(granary, "brought", 3))] == [1, 2, 3]


def test_a_queue_whose_policy_is_silent_gets_nothing_and_the_dead_letters_say_why(granary: Bench) -> None:
    granary.client("s3").put_object(Bucket="granary", Key="oats/1.txt", Body=b"oats")
    (letter,) = take(granary, "lost", 1)
    assert json.loads(letter["Body"])["detail"]["object"]["key"] == "oats/1.txt"
    noted = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert noted["RULE_ARN"] == f"{RULES}locked"
    assert noted["TARGET_ARN"] == f"{QUEUES}locked"
    assert noted["ERROR_CODE"] == "NO_PERMISSIONS"
    sqs = granary.client("sqs")
    url = sqs.get_queue_url(QueueName="locked")["QueueUrl"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
