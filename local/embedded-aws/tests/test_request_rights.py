"""Rights as AWS asks for them, tried with a role of a foreign archive."""

import json
from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped,unused-ignore]
import botocore.exceptions  # type: ignore[import-untyped,unused-ignore]
import pytest
import request_rights
from botocore.config import Config  # type: ignore[import-untyped,unused-ignore]
from conftest import ACCOUNT, REGION, Bench, statement

BUCKET = "archive-scans"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"


class Archive:
    """A role that the account's owner takes on, with whatever rights a test gives it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.keys = [bench.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        bench.client("iam").create_role(RoleName="archivist", AssumeRolePolicyDocument=document)

    def client(self, service: str, *statements: dict[str, Any]) -> Any:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.bench.client("iam").put_role_policy(
            RoleName="archivist", PolicyName="all", PolicyDocument=policy
        )
        role = f"arn:aws:iam::{ACCOUNT}:role/archivist"
        taken = self.bench.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        keys = {
            "aws_access_key_id": taken["AccessKeyId"],
            "aws_secret_access_key": taken["SecretAccessKey"],
            "aws_session_token": taken["SessionToken"],
        }
        return self.bench.client(service, keys)


@pytest.fixture(scope="module")
def archive(bench: Bench) -> Iterator[Archive]:
    made = Archive(bench)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": made.keys[0]}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=rules)
    s3.put_object(Bucket=BUCKET, Key="old", Body=b"parchment")
    glue = bench.client("glue")
    glue.create_database(DatabaseInput={"Name": "scans"})
    glue.create_table(
        DatabaseName="scans", TableInput={"Name": "pages", "StorageDescriptor": {"Columns": []}}
    )
    yield made


def refused(call: Any, *what: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call()
    assert "AccessDenied" in str(caught.value) or "AuthorizationError" in str(caught.value)
    for word in what:
        assert word in str(caught.value)


OBJECTS = statement(["s3:GetObject", "s3:PutObject"], [f"arn:aws:s3:::{BUCKET}/*"])
VIA_S3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}


def test_an_encrypted_object_needs_the_key_through_s3(archive: Archive) -> None:
    s3 = archive.client("s3", OBJECTS)
    refused(lambda: s3.get_object(Bucket=BUCKET, Key="old"), "kms:Decrypt", archive.keys[0])
    refused(
        lambda: s3.put_object(Bucket=BUCKET, Key="new", Body=b"x"), "kms:GenerateDataKey", archive.keys[0]
    )
    use = statement(["kms:Decrypt", "kms:GenerateDataKey"], [archive.keys[0]], **VIA_S3)
    s3 = archive.client("s3", OBJECTS, use)
    assert s3.get_object(Bucket=BUCKET, Key="old")["Body"].read() == b"parchment"
    s3.put_object(Bucket=BUCKET, Key="new", Body=b"x")
    other = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": archive.keys[1]}
    refused(lambda: s3.put_object(Bucket=BUCKET, Key="new", Body=b"x", **other), archive.keys[1])
    refused(
        lambda: archive.client("kms", OBJECTS, use).generate_data_key(
            KeyId=archive.keys[0], KeySpec="AES_256"
        )
    )


def test_a_bucket_policy_can_refuse_another_key(archive: Archive) -> None:
    condition = {
        "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": archive.keys[0]},
        "Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "false"},
    }
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [{**deny, "Condition": condition}]}
    owner = archive.bench.client("s3")
    owner.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    s3 = archive.client("s3", OBJECTS, statement(["kms:*"], archive.keys))
    wrong = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": archive.keys[1]}
    refused(lambda: s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", **wrong), "s3:PutObject")
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    s3.put_object(
        Bucket=BUCKET, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=archive.keys[0]
    )
    owner.delete_bucket_policy(Bucket=BUCKET)


def test_plain_http_is_not_spoken_at_all(archive: Archive) -> None:
    endpoint = archive.bench.ready["endpoint"].replace("https://", "http://")
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(botocore.exceptions.HTTPClientError):
        s3.list_buckets()


def test_the_catalogue_asks_for_the_ancestors_too(archive: Archive) -> None:
    table, above = f"{GLUE}:table/scans/pages", [f"{GLUE}:database/scans", f"{GLUE}:catalog"]

    def read(*resources: str) -> Any:
        return archive.client("glue", statement(["glue:GetTable"], list(resources))).get_table(
            DatabaseName="scans", Name="pages"
        )

    assert read(table, *above)["Table"]["Name"] == "pages"
    refused(lambda: read(table))
    refused(lambda: read(*above))
    refused(lambda: read(f"{GLUE}:table/scans/other", *above))


def test_crawlers_jobs_and_log_groups_by_their_own_arn(archive: Archive) -> None:
    for allowed, called in (
        (f"{GLUE}:crawler/a", True),
        (f"{GLUE}:crawler/b", False),
        (f"{GLUE}:table/a", False),
    ):
        glue = archive.client("glue", statement(["glue:GetCrawler"], [allowed]))
        if called:
            with pytest.raises(glue.exceptions.EntityNotFoundException):
                glue.get_crawler(Name="a")
        else:
            refused(lambda glue=glue: glue.get_crawler(Name="a"))
    logs = archive.client("logs", statement(["logs:*"], [f"{LOGS}:/archive/a:*"]))
    logs.create_log_group(logGroupName="/archive/a")
    logs.create_log_stream(logGroupName="/archive/a", logStreamName="s")
    refused(lambda: logs.create_log_group(logGroupName="/archive/b"))


def test_publishing_to_an_encrypted_topic_needs_its_key(archive: Archive) -> None:
    topic = archive.bench.client("sns").create_topic(
        Name="archive", Attributes={"KmsMasterKeyId": archive.keys[0]}
    )
    publish = statement(["sns:Publish"], [topic["TopicArn"]])
    sns = archive.client("sns", publish)
    refused(lambda: sns.publish(TopicArn=topic["TopicArn"], Message="x"))
    via_sns = {"StringEquals": {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}}
    use = statement(["kms:Decrypt", "kms:GenerateDataKey*"], [archive.keys[0]], **via_sns)
    archive.client("sns", publish, use).publish(TopicArn=topic["TopicArn"], Message="x")


@pytest.mark.parametrize(
    ("action", "data", "expected"),
    [
        ("GetTables", {"DatabaseName": "d"}, ["table/d/*", "database/d", "catalog"]),
        (
            "CreateTable",
            {"DatabaseName": "d", "TableInput": {"Name": "t"}},
            ["table/d/t", "database/d", "catalog"],
        ),
        ("CreateDatabase", {"DatabaseInput": {"Name": "d"}}, ["database/d", "catalog"]),
        ("CreateCrawler", {"Name": "c", "DatabaseName": "d"}, ["crawler/c"]),
        ("StartJobRun", {"JobName": "j"}, ["job/j"]),
        ("GetClassifiers", {}, []),
    ],
)
def test_what_a_glue_call_is_checked_on(action: str, data: dict[str, Any], expected: list[str]) -> None:
    assert request_rights.glue_resources(action, data) == expected
