"""A post office's scripts, which change S3 and DynamoDB and run as jobs that may be killed."""

import json
from pathlib import Path
from typing import Any

from conftest import ACCOUNT, REGION, S3A_REGION, Bench, make_role, statement
from job_ends import run_job

BUCKET = "post-office"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/letters"
CLIENT = """
import sys, concurrent.futures, time
import boto3, botocore.config, botocore.exceptions
config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
s3 = boto3.client("s3", config=config)
box = sys.argv[sys.argv.index("--box") + 1]
"""
# Every mutating call once, among calls that change nothing.
VARIED = """
table = boto3.client("dynamodb")
post = "post-office"
s3.put_object(Bucket=post, Key=f"{box}/a b+c", Body=b"1")
s3.get_object(Bucket=post, Key=f"{box}/a b+c")["Body"].read()
s3.copy_object(Bucket=post, Key=f"{box}/copy", CopySource={"Bucket": post, "Key": f"{box}/a b+c"})
for refused in (
    lambda: s3.put_object(Bucket=post, Key="elsewhere", Body=b"1"),
    lambda: s3.put_object(Bucket=post, Key=f"{box}/copy", Body=b"1", IfNoneMatch="*"),
    lambda: table.put_item(
        TableName="letters", Item={"id": {"S": box}}, ConditionExpression="attribute_exists(id)"
    ),
):
    try:
        refused()
    except botocore.exceptions.ClientError:
        continue
    raise SystemExit("not refused")
upload = s3.create_multipart_upload(Bucket=post, Key=f"{box}/large")["UploadId"]
part = {"Bucket": post, "Key": f"{box}/large", "UploadId": upload}
etag = s3.upload_part(**part, PartNumber=1, Body=b"p")["ETag"]
s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
given_up = s3.create_multipart_upload(Bucket=post, Key=f"{box}/given-up")["UploadId"]
s3.abort_multipart_upload(Bucket=post, Key=f"{box}/given-up", UploadId=given_up)
table.put_item(TableName="letters", Item={"id": {"S": box}})
table.get_item(TableName="letters", Key={"id": {"S": box}})
table.update_item(TableName="letters", Key={"id": {"S": box}}, AttributeUpdates={})
s3.delete_object(Bucket=post, Key=f"{box}/large")
both = [{"Key": f"{box}/a b+c"}, {"Key": f"{box}/copy"}]
s3.delete_objects(Bucket=post, Delete={"Objects": both})
table.delete_item(TableName="letters", Key={"id": {"S": box}})
"""
# Forty letters at once, so that many calls are already sent when the run dies.
CROWD = """
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda n: s3.put_object(Bucket="post-office", Key=f"{box}/{n}", Body=b"1"), range(40)))
"""
SLEEPY = """
s3.put_object(Bucket="post-office", Key=f"{box}/early", Body=b"1")
time.sleep(60)
s3.put_object(Bucket="post-office", Key=f"{box}/late", Body=b"1")
"""
SPARK = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
box = sys.argv[sys.argv.index("--box") + 1]
spark.range(4).selectExpr("id", "id % 2 as even").write.partitionBy("even").parquet(f"s3://post-office/{box}/")
"""


class Post:
    def __init__(self, folder: Path) -> None:
        self.deaths = folder / "deaths.jsonl"
        self.bench = Bench(folder, "--deaths", str(self.deaths))
        s3 = self.bench.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.bench.client("dynamodb").create_table(
            TableName="letters",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        arn = f"arn:aws:s3:::{BUCKET}"
        objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        role = make_role(
            self.bench,
            "postman",
            "glue.amazonaws.com",
            [
                statement(objects, [f"{arn}/*box*"]),
                statement(["s3:GetObject"], [f"{arn}/code/*"]),
                statement(["s3:ListBucket"], [arn]),
                statement(["dynamodb:*Item"], [TABLE]),
                statement(["logs:*"], ["*"]),
            ],
        )
        scripts = {
            name: CLIENT + text for name, text in (("varied", VARIED), ("crowd", CROWD), ("sleepy", SLEEPY))
        }
        for name, script in {**scripts, "spark": SPARK}.items():
            s3.put_object(Bucket=BUCKET, Key=f"code/{name}.py", Body=script.encode())
            command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/code/{name}.py"}
            self.bench.client("glue").create_job(
                Name=name,
                Role=role,
                Command=command,
                GlueVersion="5.1",
                DefaultArguments={"--conf": S3A_REGION},
                ExecutionProperty={"MaxConcurrentRuns": 3},
            )

    def tell(self, *entries: dict[str, Any]) -> None:
        self.deaths.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")

    def run(self, job: str, box: str) -> dict[str, Any]:
        return run_job(self.bench, job, Arguments={"--box": box})

    def calls(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        file = self.bench.folder / "logs" / "job-runs" / run["Id"] / "calls.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def keys(self, box: str) -> list[str]:
        listed = self.bench.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{box}/")
        return [entry["Key"].removeprefix(f"{box}/") for entry in listed.get("Contents", [])]
