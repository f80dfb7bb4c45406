"""Job runs under a security configuration: the role encrypts files and logs with its key."""

import json
from collections.abc import Iterator

import pytest
from conftest import ACCOUNT, S3A_REGION, Bench, make_role, statement
from job_ends import run_job

BUCKET = "vault-ledgers"
CONFIGURATION = "vault-1a2b"
PREFIX = "/aws-glue/jobs/ledgers"
SCRIPT = """
from pyspark.sql import SparkSession

print("opened", flush=True)
SparkSession.builder.getOrCreate().range(3).coalesce(1).write.parquet(PLACE)
"""


@pytest.fixture(scope="module")
def vault(bench: Bench) -> Iterator[Bench]:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    root = statement(["kms:*"], ["*"]) | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root]})
    key = bench.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    mode = {"KmsKeyArn": key}
    bench.client("glue").create_security_configuration(
        Name=CONFIGURATION,
        EncryptionConfiguration={
            "S3Encryption": [{"S3EncryptionMode": "SSE-KMS", **mode}],
            "CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS", **mode},
        },
    )
    below = f"arn:aws:s3:::{BUCKET}"
    files = statement(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"{below}/*"])
    rights = {
        "files": [files, statement(["s3:ListBucket"], [below])],
        "logs": [
            statement(["logs:Create*", "logs:PutLogEvents"], [f"arn:aws:logs:*:*:log-group:{PREFIX}/*"])
        ],
        "key of logs": [
            statement(
                ["logs:AssociateKmsKey"], [f"arn:aws:logs:*:*:log-group:{PREFIX}/{CONFIGURATION}-role/*"]
            )
        ],
        "key of files": [statement(["kms:Decrypt", "kms:GenerateDataKey"], [key])],
    }
    for name, left_out in (("keeper", ""), ("mute", "key of logs"), ("keyless", "key of files")):
        held = [one for what, many in rights.items() if what != left_out for one in many]
        role = make_role(bench, name, "glue.amazonaws.com", held)
        make_job(bench, name, role, CONFIGURATION)
        if name == "keeper":
            make_job(bench, "stray", role, "vault-gone")
    yield bench


def make_job(bench: Bench, name: str, role: str, configuration: str) -> None:
    place = f"PLACE = 's3://{BUCKET}/out/{name}/'\n"
    bench.client("s3").put_object(Bucket=BUCKET, Key=f"code/{name}.py", Body=(place + SCRIPT).encode())
    location = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/code/{name}.py", "PythonVersion": "3"}
    bench.client("glue").create_job(
        Name=name, Role=role, Command=location, GlueVersion="5.1", WorkerType="G.1X", NumberOfWorkers=2,
        DefaultArguments={"--custom-logGroup-prefix": PREFIX, "--conf": S3A_REGION},
        SecurityConfiguration=configuration,
    )  # fmt: skip


def key_of(bench: Bench) -> str:
    found = bench.client("glue").get_security_configuration(Name=CONFIGURATION)["SecurityConfiguration"]
    return str(found["EncryptionConfiguration"]["CloudWatchEncryption"]["KmsKeyArn"])


def messages(bench: Bench, group: str, stream: str) -> list[str]:
    logs = bench.client("logs")
    try:
        lines = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [line["message"] for line in lines]


def test_files_and_logs_have_the_key_and_groups_have_its_name(vault: Bench) -> None:
    done = run_job(vault, "keeper", 120)
    assert (done["JobRunState"], done.get("ErrorMessage")) == ("SUCCEEDED", None)
    assert done["SecurityConfiguration"] == CONFIGURATION
    folder = f"{PREFIX}/{CONFIGURATION}-role/keeper"
    assert done["LogGroupName"] == folder
    assert messages(vault, f"{folder}/output", done["Id"]) == ["opened"]
    groups = vault.client("logs").describe_log_groups(logGroupNamePrefix=f"{folder}/output")["logGroups"]
    assert [(group["logGroupName"], group["kmsKeyId"]) for group in groups] == [
        (f"{folder}/output", key_of(vault))
    ]
    s3 = vault.client("s3")
    written = s3.list_objects_v2(Bucket=BUCKET, Prefix="out/keeper/part-")["Contents"]
    heads = [s3.head_object(Bucket=BUCKET, Key=entry["Key"]) for entry in written]
    assert {(head["ServerSideEncryption"], head["SSEKMSKeyId"]) for head in heads} == {
        ("aws:kms", key_of(vault))
    }


def test_a_role_that_may_not_associate_the_key_logs_nothing(vault: Bench) -> None:
    done = run_job(vault, "mute", 120)
    assert done["JobRunState"] == "SUCCEEDED"
    assert messages(vault, f"{PREFIX}/{CONFIGURATION}-role/mute/output", done["Id"]) == []


def test_a_role_without_the_key_writes_nothing(vault: Bench) -> None:
    done = run_job(vault, "keyless", 120)
    assert done["JobRunState"] == "FAILED"
    assert "AccessDenied" in done["ErrorMessage"] or "403" in done["ErrorMessage"], done["ErrorMessage"]


def test_a_missing_configuration_fails_the_run(vault: Bench) -> None:
    done = run_job(vault, "stray", 120)
    assert done["JobRunState"] == "FAILED"
    assert done["ErrorMessage"] == "SecurityMissing: Security configuration vault-gone not found"
