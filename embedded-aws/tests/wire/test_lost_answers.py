"""A server that loses one of five answers: its clients see it, and each call still takes effect once."""

import http.client
import json
import random
import ssl
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import callers
import pytest
from botocore.config import Config
from conftest import REGION, Bench, statement
from executions import chain, execute, machine, task
from job_ends import run_job

SHARE, SEED = 0.2, 7
ROUNDS = 25


class Coast:
    def __init__(self, folder: Path) -> None:
        self.trace = folder / "trace.jsonl"
        lossy = ("--lose-answers", str(SHARE), "--lose-answers-seed", str(SEED))
        listening = ("--trace", str(self.trace), "--deaths", str(folder / "deaths.jsonl"))
        self.bench = Bench(folder, *listening, *lossy)

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        """A client with many retries and nothing special for this server."""
        keys = credentials or {
            "aws_access_key_id": self.bench.ready["accessKeyId"],
            "aws_secret_access_key": self.bench.ready["secretAccessKey"],
        }
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.bench.ready["endpoint"],
            verify=self.bench.ready["caBundle"],
            config=Config(
                retries={"total_max_attempts": 10, "mode": "standard"}, s3={"addressing_style": "path"}
            ),
            **keys,
        )


@pytest.fixture(scope="module")
def coast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coast]:
    made = Coast(tmp_path_factory.mktemp("coast"))
    yield made
    assert made.bench.stop() == 0


def test_a_lost_answer_is_the_end_of_the_connection(coast: Coast) -> None:
    """The first test of this file: the seed chooses the lost calls, counted from the server's start."""
    ready = coast.bench.ready
    context = ssl.create_default_context(cafile=ready["caBundle"])
    told = []
    for _ in range(40):
        address = ready["endpoint"].removeprefix("https://")
        connection = http.client.HTTPSConnection(address, context=context, timeout=10)
        connection.request("GET", "/")
        try:
            told.append(connection.getresponse().status < 500)
        except http.client.RemoteDisconnected:
            told.append(False)
        connection.close()
    dice = random.Random(SEED)  # noqa: S311 - the server's dice
    assert told == [dice.random() >= SHARE for _ in range(40)]


ACTIONS = {
    "iam:CreateRole": "query",
    "kms:CreateAlias": "JSON",
    "dynamodb:PutItem": "JSON",
    "scheduler:CreateScheduleGroup": "REST JSON",
    "s3:PutObject": "REST XML",
    "cloudwatch:PutMetricData": "one of three",
}


def test_every_call_takes_effect_once_whatever_answers_are_lost(
    coast: Coast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)  # between two attempts
    key = coast.client("kms").create_key()["KeyMetadata"]["KeyId"]
    s3 = coast.client("s3")
    s3.create_bucket(Bucket="coast", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="coast", VersioningConfiguration={"Status": "Enabled"})
    coast.client("dynamodb").create_table(
        TableName="lamps",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    role = callers.make(coast, "pilot", statement([*ACTIONS, "kms:*"], ["*"]))
    pilot = callers.taken(coast, "pilot")
    services = ("iam", "kms", "dynamodb", "scheduler", "s3", "cloudwatch")
    iam, kms, dynamodb, scheduler, s3_pilot, cloudwatch = (coast.client(name, pilot) for name in services)
    for number in range(ROUNDS):
        name = f"lamp-{number}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=callers.document())
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
        condition = {"ConditionExpression": "attribute_not_exists(id)"}
        dynamodb.put_item(TableName="lamps", Item={"id": {"S": name}}, **condition)
        scheduler.create_schedule_group(Name=name)
        s3_pilot.put_object(Bucket="coast", Key=name, Body=name.encode())
        cloudwatch.put_metric_data(Namespace="Coast", MetricData=[{"MetricName": "Lit", "Value": 1}])

    decided = Counter(line["action"] for line in callers.lines(coast.trace) if line["principal"] == role)
    assert {action: decided[action] for action in ACTIONS} == dict.fromkeys(ACTIONS, ROUNDS) | {
        "kms:CreateAlias": 2 * ROUNDS  # on the key, and on the alias
    }
    assert len(s3.list_object_versions(Bucket="coast")["Versions"]) == ROUNDS
    log = coast.bench.log()
    assert log.count("lost the answer of") > ROUNDS / 2
    assert log.count("answered again, and not carried out again") > ROUNDS / 2


def test_the_tasks_of_a_state_machine_succeed(coast: Coast) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    callers.make(coast, "warden", statement(["kms:CreateKey"], ["*"]), trust=trust)
    names = [f"Round{number}" for number in range(20)]
    states = {name: task("aws-sdk:kms:createKey", {"Description": name}) for name in names}
    before = len(coast.client("kms").list_keys()["Keys"])
    run = execute(coast, machine(coast, "rounds", chain(**states), role="warden"))
    assert (run["status"], run.get("cause", "")) == ("SUCCEEDED", "")
    assert len(coast.client("kms").list_keys()["Keys"]) == before + len(names)


JOB = """
import boto3, botocore.config
config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 10})
s3 = boto3.client("s3", config=config)
for number in range(20):
    s3.put_object(Bucket="workshop", Key=f"wick-{number}", Body=b"cotton")
"""


def test_the_calls_of_a_job_run_take_effect_once(coast: Coast) -> None:
    s3, glue = coast.client("s3"), coast.client("glue")
    s3.create_bucket(Bucket="workshop", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="workshop", Key="wicks.py", Body=JOB.encode())
    rights = statement(["s3:GetObject", "s3:PutObject", "logs:*"], ["*"])
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = callers.make(coast, "chandler", rights, trust=trust)
    command = {"Name": "glueetl", "ScriptLocation": "s3://workshop/wicks.py"}
    glue.create_job(Name="wicks", Role=role, Command=command, GlueVersion="5.1")
    run = run_job(coast, "wicks")
    assert (run["JobRunState"], run.get("ErrorMessage")) == ("SUCCEEDED", None)
    calls = coast.bench.folder / "logs" / "job-runs" / run["Id"] / "calls.jsonl"
    keys = [json.loads(line)["key"] for line in calls.read_text(encoding="utf-8").splitlines()]
    assert keys == [f"workshop/wick-{number}" for number in range(20)]
