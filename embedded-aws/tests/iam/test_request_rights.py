"""The rights that AWS checks, shown with a role of an archive."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore.exceptions
import pytest
from archive import Archive, refused
from botocore.config import Config
from conftest import PACKAGE, REGION, Bench, statement

BUCKET = "archive-scans"


@pytest.fixture(scope="module")
def archive(bench: Bench) -> Iterator[Archive]:
    made = Archive(bench, "archivist")
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": made.keys[0]}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=rules)
    s3.put_object(Bucket=BUCKET, Key="old", Body=b"parchment")
    yield made


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


def test_a_key_is_checked_with_the_slash_that_it_ends_with(archive: Archive) -> None:
    below = statement(["s3:DeleteObject", "s3:PutObject"], [f"arn:aws:s3:::{BUCKET}/maps/*"])
    s3 = archive.client("s3", below, statement(["kms:*"], archive.keys))
    s3.put_object(Bucket=BUCKET, Key="maps/", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="maps/coast/", Body=b"")
    refused(lambda: s3.put_object(Bucket=BUCKET, Key="maps", Body=b""), f"{BUCKET}/maps because")
    refused(lambda: s3.put_object(Bucket=BUCKET, Key="charts/", Body=b""), f"{BUCKET}/charts/ because")
    s3.delete_object(Bucket=BUCKET, Key="maps/coast/")
    keys = archive.bench.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="maps")["Contents"]
    assert [entry["Key"] for entry in keys] == ["maps/"]


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


def test_plain_http_is_refused(archive: Archive) -> None:
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


def test_the_source_of_a_copy_and_the_parts_of_an_upload_need_the_key_to_decrypt(archive: Archive) -> None:
    other = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": archive.keys[1]}
    source = {"CopySource": {"Bucket": BUCKET, "Key": "old"}}
    write = statement(["kms:GenerateDataKey"], archive.keys, **VIA_S3)
    s3 = archive.client("s3", OBJECTS, write)
    refused(
        lambda: s3.copy_object(Bucket=BUCKET, Key="copy", **source, **other), "kms:Decrypt", archive.keys[0]
    )
    refused(lambda: s3.create_multipart_upload(Bucket=BUCKET, Key="parts"), "kms:Decrypt")
    s3.put_object(Bucket=BUCKET, Key="whole", Body=b"x")
    s3 = archive.client("s3", OBJECTS, write, statement(["kms:Decrypt"], archive.keys[:1], **VIA_S3))
    s3.copy_object(Bucket=BUCKET, Key="copy", **source, **other)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")


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


ASKING = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.iam import request_rights, roles
paths = [Path(sys.argv[2])] * 5
settings = Settings("https://127.0.0.1:1", "000000000000", "us-east-1", *paths, "", "k", "s", 60.0)
request_rights.install(settings)
trust = {"Effect": "Allow", "Principal": {"Service": "athena.amazonaws.com"}, "Action": "sts:AssumeRole"}
allow = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
allow["Condition"] = {"StringLikeIfExists": {"s3:prefix": "open/*"}}
emulator.service("iam")._roles["reader"] = {
    "Arn": "arn:aws:iam::000000000000:role/reader",
    "AssumeRolePolicyDocument": {"Statement": trust},
    "InlinePolicies": {"all": {"Statement": allow}},
}
key = emulator.service("kms")
made = json.loads(key._create_key({})[2])["KeyMetadata"]["Arn"]
s3 = emulator.service("s3")
s3._buckets["shelf"] = {"objects": {"sealed": {"preserved_headers": {
    "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": made}}}}
reader = roles.assume("reader", "athena.amazonaws.com", "s").access_key_id
for question in (
    ("s3:GetObject", "arn:aws:s3:::shelf/plain"),
    ("s3:GetObject", "arn:aws:s3:::shelf/sealed"),
    ("s3:PutObject", "arn:aws:s3:::shelf/plain"),
    ("s3:ListBucket", "arn:aws:s3:::shelf", {"s3:prefix": "open/a"}),
    ("s3:ListBucket", "arn:aws:s3:::shelf", {"s3:prefix": "closed/"}),
):
    print(request_rights.refusal(reader, *question).replace(made, "KEY") or "may")
print(request_rights.refusal("ASIANOBODY", "s3:GetObject", "arn:aws:s3:::shelf/plain"))
print(request_rights.refusal("k", "s3:PutObject", "arn:aws:s3:::shelf/plain") or "may")
"""


def test_a_caller_can_be_checked_outside_a_request(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASKING, str(PACKAGE), str(tmp_path)]
    environment = {**os.environ, "AUTH": "true", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    user = "User: arn:aws:sts::000000000000:assumed-role/reader/s is not authorized to perform:"
    assert done.stdout.splitlines() == [
        "may",
        f"{user} kms:Decrypt on resource: KEY",
        f"{user} s3:PutObject on resource: arn:aws:s3:::shelf/plain",
        "may",
        f"{user} s3:ListBucket on resource: arn:aws:s3:::shelf",
        "The security token included in the request is invalid.",
        "may",
    ]
