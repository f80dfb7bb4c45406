"""The trace of IAM's decisions about the callers of an observatory, line by line."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import callers
import pytest
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for

from embedded_aws.iam import enforcement_trace

BUCKET = "observatory"
ARN = f"arn:aws:s3:::{BUCKET}"


class Observatory:
    def __init__(self, folder: Path) -> None:
        self.trace = folder / "deep" / "trace.jsonl"
        self.bench = Bench(folder, "--trace", str(self.trace))
        s3 = self.bench.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def told(self, principal: str, **fields: Any) -> list[dict[str, Any]]:
        """The lines about a principal with these values."""
        found = [line for line in callers.lines(self.trace) if line["principal"] == principal]
        return [line for line in found if all(line[name] == value for name, value in fields.items())]


@pytest.fixture(scope="module")
def observatory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observatory]:
    made = Observatory(tmp_path_factory.mktemp("observatory"))
    yield made
    assert made.bench.stop() == 0


def refused(call: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        call()


def test_a_line_has_principal_action_and_condition_keys(observatory: Observatory) -> None:
    bench = observatory.bench
    listing = statement(["s3:ListBucket"], [ARN], StringLike={"s3:prefix": ["stars/*"]})
    role = callers.make(bench, "astronomer", listing)
    s3 = bench.client("s3", callers.taken(bench, "astronomer", "night-1"))
    s3.list_objects_v2(Bucket=BUCKET, Prefix="stars/bright")
    refused(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="planets/"))
    inside, outside = observatory.told(role)
    assert inside["time"].endswith("+00:00")
    assert (inside["kind"], inside["session"], inside["action"]) == ("call", "night-1", "s3:ListBucket")
    assert (inside["resource"], inside["account"], inside["region"]) == (ARN, ACCOUNT, REGION)
    assert inside["context"]["s3:prefix"] == "stars/bright"
    assert inside["context"]["aws:securetransport"] is True
    assert inside["context"]["aws:sourceip"] == "127.0.0.1"
    assert (inside["verdict"], inside["deniedBy"]) == ("allowed", "")
    assert outside["context"]["s3:prefix"] == "planets/"
    assert (outside["verdict"], outside["deniedBy"]) == ("denied", "no statement allows it")


def test_the_key_of_an_object_has_its_own_line(observatory: Observatory) -> None:
    bench = observatory.bench
    key = bench.client("kms").create_key()["KeyMetadata"]["Arn"]
    role = callers.make(bench, "photographer", statement(["s3:PutObject"], [f"{ARN}/*"]))
    s3 = bench.client("s3", callers.taken(bench, "photographer"))
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    refused(lambda: s3.put_object(Bucket=BUCKET, Key="moon", Body=b"x", **encryption))
    put, generate = observatory.told(role)
    assert (put["action"], put["resource"], put["verdict"]) == ("s3:PutObject", f"{ARN}/moon", "allowed")
    assert put["context"]["s3:x-amz-server-side-encryption"] == "aws:kms"
    assert put["context"]["s3:x-amz-server-side-encryption-aws-kms-key-id"] == key
    assert (generate["action"], generate["resource"]) == ("kms:GenerateDataKey", key)
    assert generate["context"]["kms:viaservice"] == f"s3.{REGION}.amazonaws.com"
    assert generate["verdict"] == "denied"


def test_a_denial_names_the_policy_that_denied(observatory: Observatory) -> None:
    bench = observatory.bench
    own = {**statement(["s3:DeleteObject"], ["*"]), "Effect": "Deny", "Sid": "KeepThePlates"}
    role = callers.make(bench, "cleaner", statement(["s3:*"], ["*"]), own)
    deny = {"Sid": "NoFlash", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    bench.client("s3").put_bucket_policy(
        Bucket=BUCKET, Policy=callers.document({**deny, "Resource": f"{ARN}/dark/*"})
    )
    locked = bench.client("kms").create_key(
        Policy=callers.document(
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Describe*", "Resource": "*"}
        )
    )["KeyMetadata"]["Arn"]
    keys = callers.taken(bench, "cleaner")
    callers_kms = statement(["kms:*"], ["*"])
    bench.client("iam").put_role_policy(
        RoleName="cleaner", PolicyName="keys", PolicyDocument=callers.document(callers_kms)
    )
    s3, kms = bench.client("s3", keys), bench.client("kms", keys)
    refused(lambda: s3.delete_object(Bucket=BUCKET, Key="plate"))
    refused(lambda: s3.get_object(Bucket=BUCKET, Key="dark/room"))
    refused(lambda: kms.generate_data_key(KeyId=locked, KeySpec="AES_256"))
    assert [line["deniedBy"] for line in observatory.told(role)] == [
        "an explicit deny (KeepThePlates)",
        f"an explicit deny (NoFlash) in the policy of {ARN}/dark/room",
        "the resource's policy does not allow it",
    ]


def test_every_resource_of_a_call_has_a_line(observatory: Observatory) -> None:
    bench = observatory.bench
    bench.client("glue").create_database(DatabaseInput={"Name": "sky"})
    glue = f"arn:aws:glue:{REGION}:{ACCOUNT}"
    role = callers.make(bench, "librarian", statement(["glue:GetDatabase"], [f"{glue}:*"]))
    bench.client("glue", callers.taken(bench, "librarian")).get_database(Name="sky")
    assert [line["resource"] for line in observatory.told(role)] == [
        f"{glue}:database/sky",
        f"{glue}:catalog",
    ]


def test_the_owner_is_left_out(observatory: Observatory) -> None:
    observatory.bench.client("s3").put_object(Bucket=BUCKET, Key="mine", Body=b"x")
    told = callers.lines(observatory.trace)
    assert told
    assert not [line for line in told if line["principal"].endswith(":root")]
    assert not [line for line in told if line["resource"] == f"{ARN}/mine"]


def test_decisions_of_trust_policies_are_traced(observatory: Observatory) -> None:
    bench = observatory.bench
    by_glue = make_role(bench, "mapper", "glue.amazonaws.com", [])
    by_lambda = make_role(bench, "dreamer", "lambda.amazonaws.com", [])
    crawler = {"DatabaseName": "sky", "Targets": {"S3Targets": [{"Path": f"s3://{BUCKET}/maps/"}]}}
    glue = bench.client("glue")
    for name, role in (("mapped", by_glue), ("dreamt", by_lambda)):
        glue.create_crawler(Name=name, Role=role, **crawler)
        glue.start_crawler(Name=name)
    asked = {"action": "sts:AssumeRole", "kind": "trust"}
    wait_for(lambda: len(observatory.told("glue.amazonaws.com", **asked)) == 2)
    for role, verdict in ((by_glue, "allowed"), (by_lambda, "denied")):
        (line,) = observatory.told("glue.amazonaws.com", **asked, resource=role)
        assert line["verdict"] == verdict
        assert line["context"]["aws:sourceaccount"] == ACCOUNT
    trust = {**callers.TRUST, "Principal": {"AWS": callers.role_arn("climber")}}
    climber = callers.make(bench, "climber", statement(["sts:AssumeRole"], ["*"]))
    for name, trusting in (("peak", trust), ("abyss", callers.TRUST)):
        callers.make(bench, name, trust=trusting)
    sts = bench.client("sts", callers.taken(bench, "climber"))
    sts.assume_role(RoleArn=callers.role_arn("peak"), RoleSessionName="up")
    told = observatory.told(climber, **asked, resource=callers.role_arn("peak"))
    assert [line["verdict"] for line in told] == ["allowed"]


def test_calls_of_rules_and_topics_are_traced(observatory: Observatory) -> None:
    bench = observatory.bench
    topic = bench.client("sns").create_topic(Name="comets")["TopicArn"]
    events = bench.client("events")
    events.put_rule(Name="comet", EventPattern=json.dumps({"source": ["sky"]}))
    events.put_targets(Rule="comet", Targets=[{"Id": "t", "Arn": topic}])
    role = callers.make(bench, "watcher", statement(["events:PutEvents", "sns:Publish"], ["*"]))
    keys = callers.taken(bench, "watcher")
    entry = {"Source": "sky", "DetailType": "comet", "Detail": "{}"}
    bench.client("events", keys).put_events(Entries=[entry])
    (line,) = wait_for(lambda: observatory.told("events.amazonaws.com", action="sns:Publish"))
    assert (line["kind"], line["resource"], line["verdict"]) == ("service", topic, "denied")
    assert line["context"]["aws:sourcearn"].endswith(":rule/comet")
    bench.client("sns", keys).publish(TopicArn=topic, Message="x")
    actions = [(told["action"], told["resource"]) for told in observatory.told(role)]
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    assert actions == [("events:PutEvents", bus), ("sns:Publish", topic)]


def test_lines_of_many_threads_stay_whole(observatory: Observatory) -> None:
    bench = observatory.bench
    role = callers.make(bench, "crowd", statement(["s3:GetObject"], [f"{ARN}/*"]))
    bench.client("s3").put_object(Bucket=BUCKET, Key="seen", Body=b"x")
    keys = callers.taken(bench, "crowd")
    clients = [bench.client("s3", keys) for _ in range(12)]

    def look(s3: Any) -> None:
        for _ in range(25):
            s3.get_object(Bucket=BUCKET, Key="seen")

    threads = [threading.Thread(target=look, args=(s3,)) for s3 in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(observatory.told(role, verdict="allowed")) == 300


def test_a_killed_server_leaves_whole_lines_and_the_next_one_appends(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    bench = Bench(tmp_path, "--trace", str(trace))
    bench.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    callers.make(bench, "sleeper", statement(["s3:ListBucket"], [ARN]))
    s3 = bench.client("s3", callers.taken(bench, "sleeper"))
    for _ in range(10):
        s3.list_objects_v2(Bucket=BUCKET)
    bench.process.kill()
    bench.process.wait()
    assert len(callers.lines(trace)) == 10
    with trace.open("a", encoding="utf-8") as file:
        file.write('{"half": "of a li')
    enforcement_trace.Trace(trace).write({"whole": True})
    told = callers.lines(trace)
    assert (len(told), told[-1]) == (11, {"whole": True})
