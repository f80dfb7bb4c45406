"""Job runs: a script for invoices (CSV to Parquet) under real Spark with the job role's own rights."""

import io
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow.parquet
import pytest
from conftest import S3A_REGION, Bench, make_role, statement, wait_for
from job_ends import ended, run_job

BUCKET = "acme-invoices"
SPARK_OF_GLUE = [("5.1", "3.5.6"), ("6.0", "4.1.1")]
each_glue = pytest.mark.parametrize(("glue", "spark"), SPARK_OF_GLUE)
SCRIPT = """
import sys
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from rates import RATE

options = getResolvedOptions(sys.argv, ["JOB_NAME", "source", "target", "fixed"])
spark = GlueContext(SparkContext.getOrCreate()).spark_session
job = Job(GlueContext(spark.sparkContext))
job.init(options["JOB_NAME"], options)
print("rate", RATE, "fixed", options["fixed"], "version", spark.version, spark.conf.get("spark.acme.marker"))
invoices = spark.read.csv(options["source"], header=True, inferSchema=True)
gross = invoices.selectExpr("*", f"amount * {RATE} as gross")
gross.write.mode("overwrite").partitionBy("country").parquet(options["target"])
job.commit()
"""


@pytest.fixture(scope="module")
def invoices(bench: Bench) -> Iterator[Bench]:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"id,country,amount\n1,FR,10\n2,DE,20\n3,FR,30\n")
    s3.put_object(Bucket=BUCKET, Key="code/gross.py", Body=SCRIPT.encode())
    s3.put_object(
        Bucket=BUCKET, Key="code/sleep.py", Body=b"import time\nprint('here', flush=True)\ntime.sleep(600)\n"
    )
    s3.put_object(Bucket=BUCKET, Key="code/rates.py", Body=b"RATE = 1.2\n")
    reads = [
        statement(
            ["s3:GetObject"],
            [f"arn:aws:s3:::{BUCKET}/in", f"arn:aws:s3:::{BUCKET}/in/*", f"arn:aws:s3:::{BUCKET}/code/*"],
        ),
        statement(["s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}"]),
        statement(["logs:*"], ["*"]),
    ]
    out = f"arn:aws:s3:::{BUCKET}/out"
    writes = statement(["s3:PutObject", "s3:DeleteObject", "s3:GetObject"], [out, f"{out}/*"])
    roles = {
        "writer": make_role(bench, "job-writer", "glue.amazonaws.com", [*reads, writes]),
        "reader": make_role(bench, "job-reader", "glue.amazonaws.com", reads),
        "stranger": make_role(bench, "job-stranger", "lambda.amazonaws.com", [*reads, writes]),
    }
    glue = bench.client("glue")
    for name, role in roles.items():
        for version, _ in SPARK_OF_GLUE:
            glue.create_job(Name=f"{name}-{version}", **job("gross.py", role, GlueVersion=version))
    glue.create_job(Name="sleeper", **job("sleep.py", roles["writer"]))
    yield bench


def job(script: str, role: str, **more: Any) -> dict[str, Any]:
    return {
        "Role": role,
        "Command": {
            "Name": "glueetl",
            "ScriptLocation": f"s3://{BUCKET}/code/{script}",
            "PythonVersion": "3",
        },
        "GlueVersion": "5.1",
        "WorkerType": "G.1X",
        "NumberOfWorkers": 2,
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "DefaultArguments": {
            "--source": f"s3://{BUCKET}/in/",
            "--target": f"s3://{BUCKET}/nowhere/",
            "--fixed": "default",
            "--conf": f"{S3A_REGION} --conf spark.acme.marker=hot",
            "--extra-py-files": f"s3://{BUCKET}/code/rates.py",
            "--custom-logGroup-prefix": "/acme/glue",
        },
        "NonOverridableArguments": {"--fixed": "kept"},
        **more,
    }


def rows(bench: Bench, prefix: str) -> dict[str, list[dict[str, Any]]]:
    """The rows below the prefix, by partition."""
    s3 = bench.client("s3")
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]:
        if entry["Key"].endswith(".parquet"):
            body = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            partition = entry["Key"].removeprefix(prefix).split("/")[0]
            found.setdefault(partition, []).extend(pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist())
    return {partition: sorted(many, key=lambda row: row["id"]) for partition, many in found.items()}


@each_glue
def test_a_run_reads_and_writes_with_its_role_and_logs_where_glue_does(
    invoices: Bench, glue: str, spark: str
) -> None:
    arguments = {"--target": f"s3://{BUCKET}/out/{glue}/", "--fixed": "ignored"}
    done = run_job(invoices, f"writer-{glue}", Arguments=arguments)
    assert (done["JobRunState"], done.get("ErrorMessage")) == ("SUCCEEDED", None)
    assert (done["Id"][:3], done["GlueVersion"]) == ("jr_", glue)
    assert rows(invoices, f"out/{glue}/") == {
        "country=DE": [{"id": 2, "amount": 20, "gross": Decimal("24.0")}],
        "country=FR": [
            {"id": 1, "amount": 10, "gross": Decimal("12.0")},
            {"id": 3, "amount": 30, "gross": Decimal("36.0")},
        ],
    }
    logs = invoices.client("logs")
    lines = logs.get_log_events(logGroupName="/acme/glue/output", logStreamName=done["Id"])["events"]
    assert [line["message"] for line in lines] == [f"rate 1.2 fixed kept version {spark} hot"]
    files = invoices.folder / "logs" / "job-runs" / done["Id"]
    assert "rate 1.2" in (files / "output.log").read_text()


@each_glue
def test_a_role_without_the_right_to_write_fails_the_run_with_access_denied(
    invoices: Bench, glue: str, spark: str
) -> None:
    done = run_job(invoices, f"reader-{glue}", Arguments={"--target": f"s3://{BUCKET}/out/"})
    assert done["JobRunState"] == "FAILED"
    assert "AccessDeniedException" in done["ErrorMessage"]
    assert "\tat " not in done["ErrorMessage"]


def test_a_job_without_a_region_signs_for_the_default_one(invoices: Bench) -> None:
    arguments = {"--target": f"s3://{BUCKET}/out/none/", "--conf": "spark.acme.marker=cold"}
    done = run_job(invoices, "writer-5.1", Arguments=arguments)
    assert done["JobRunState"] == "FAILED"
    assert "AWSRedirectException" in done["ErrorMessage"]


def test_a_role_that_does_not_trust_glue_starts_nothing(invoices: Bench) -> None:
    glue = invoices.client("glue")
    with pytest.raises(glue.exceptions.InvalidInputException, match=r"does not trust glue\.amazonaws\.com"):
        glue.start_job_run(JobName="stranger-5.1")


def test_a_second_run_is_refused_and_a_stopped_run_is_stopped(invoices: Bench) -> None:
    glue = invoices.client("glue")
    run_id = glue.start_job_run(JobName="sleeper")["JobRunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName="sleeper")
    output = invoices.folder / "logs" / "job-runs" / run_id / "output.log"
    wait_for(lambda: output.is_file() and "here" in output.read_text())
    answer = glue.batch_stop_job_run(JobName="sleeper", JobRunIds=[run_id, "jr_unknown"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": "sleeper", "JobRunId": run_id}]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert wait_for(lambda: ended(invoices, "sleeper", run_id))["JobRunState"] == "STOPPED"


def test_a_run_beyond_its_time_out_ends_as_timeout(invoices: Bench) -> None:
    started = time.monotonic()
    done = run_job(invoices, "sleeper", Timeout=1)  # a minute lasts 6 s here
    assert done["JobRunState"] == "TIMEOUT"
    assert time.monotonic() - started < 20


def test_another_glue_version_is_refused_by_name(invoices: Bench) -> None:
    glue = invoices.client("glue")
    role = "arn:aws:iam::123456789012:role/job-writer"
    glue.create_job(Name="newer", **job("gross.py", role, GlueVersion="9.9"))
    done = run_job(invoices, "newer")
    assert done["JobRunState"] == "FAILED"
    assert "Glue 9.9 is not supported here" in done["ErrorMessage"]


def test_the_exception_that_ends_a_script_is_the_message_of_the_run(invoices: Bench) -> None:
    body = b"class MissingThing(Exception):\n    pass\nraise MissingThing('no invoices for June')\n"
    invoices.client("s3").put_object(Bucket=BUCKET, Key="code/raises.py", Body=body)
    role = "arn:aws:iam::123456789012:role/job-writer"
    invoices.client("glue").create_job(Name="raises", **job("raises.py", role))
    done = run_job(invoices, "raises")
    assert (done["JobRunState"], done["ErrorMessage"]) == ("FAILED", "MissingThing: no invoices for June")
