"""A Java process serves one run after another without traces of earlier runs. A run that does not end by
itself ends its Java too."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import S3A_REGION, Bench, make_role, settings_in, statement, wait_for
from job_ends import ended, run_job

from embedded_aws.glue.spark.installed import spark_for
from embedded_aws.glue.spark.java import IdleJava

BUCKET = "acme-ovens"
SCRIPT = """
import json, os, sys, time
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
java = spark._jvm.java.lang
java.System.err.println("told by " + os.environ["AWS_ACCESS_KEY_ID"])
print(json.dumps({
    "java": java.ProcessHandle.current().pid(),
    "rows": spark.read.text(sys.argv[sys.argv.index("--source") + 1]).count(),
    "marker": spark.conf.get("spark.acme.marker", None),
    "has own keys": java.System.getProperty("aws.accessKeyId") == os.environ["AWS_ACCESS_KEY_ID"],
    "views": [table.name for table in spark.catalog.listTables()],
}), flush=True)
spark.range(1).createOrReplaceTempView("left_behind")
if "--raises" in sys.argv:
    raise ValueError("burnt")
if "--sleeps" in sys.argv:
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def ovens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("ovens"))
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=BUCKET, Key="in/a.txt", Body=b"1\n2\n")
    s3.put_object(Bucket=BUCKET, Key="code/bake.py", Body=SCRIPT.encode())
    code = statement(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/code/*"])
    reads = [
        statement(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/in", f"arn:aws:s3:::{BUCKET}/in/*"]),
        statement(["s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}"]),
    ]
    logs = statement(["logs:*"], ["*"])
    for name, rights in {"baker": [code, logs, *reads], "stranger": [code, logs]}.items():
        command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/code/bake.py", "PythonVersion": "3"}
        bench.client("glue").create_job(
            Name=name,
            Role=make_role(bench, name, "glue.amazonaws.com", rights),
            Command=command,
            GlueVersion="5.1",
            WorkerType="G.1X",
            NumberOfWorkers=2,
            DefaultArguments={"--source": f"s3://{BUCKET}/in/", "--conf": S3A_REGION},
        )
    yield bench
    bench.stop()


def output_of(bench: Bench, run: dict[str, Any], name: str = "output") -> str:
    file: Path = bench.folder / "logs" / "job-runs" / run["Id"] / f"{name}.log"
    return file.read_text(encoding="utf-8")


def told(bench: Bench, run: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output_of(bench, run).splitlines()[0])
    return found


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _javas_below(bench: Bench) -> list[str]:
    """The Java processes with this bench's folder in their command line."""
    asked = ["pgrep", "-f", f"java.io.tmpdir={bench.folder}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()


def begin_to_sleep(bench: Bench) -> tuple[str, int]:
    """Start a run that does not end. Returns its id and its Java's."""
    run_id = bench.client("glue").start_job_run(JobName="baker", Arguments={"--sleeps": "x"})["JobRunId"]
    run = {"Id": run_id}
    output = bench.folder / "logs" / "job-runs" / run_id / "output.log"
    wait_for(lambda: output.is_file() and output.read_text().endswith("\n"))
    return run_id, int(told(bench, run)["java"])


def test_a_run_finds_no_traces_of_the_previous_run(ovens: Bench) -> None:
    first = run_job(ovens, "baker", Arguments={"--conf": f"{S3A_REGION} --conf spark.acme.marker=hot"})
    failed = run_job(
        ovens, "baker", Arguments={"--raises": "x", "--conf": f"{S3A_REGION} --conf spark.acme.marker=cold"}
    )
    last = run_job(ovens, "baker")
    assert [run["JobRunState"] for run in (first, failed, last)] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    java = told(ovens, first)["java"]
    alike = {"java": java, "rows": 2, "has own keys": True, "views": []}
    assert told(ovens, first) == {**alike, "marker": "hot"}
    assert told(ovens, failed) == {**alike, "marker": "cold"}
    assert told(ovens, last) == {**alike, "marker": None}
    lines = [output_of(ovens, run, "error").count("told by ") for run in (first, failed, last)]
    assert lines == [1, 1, 1]


def test_a_run_does_not_have_the_rights_of_the_previous_run(ovens: Bench) -> None:
    assert run_job(ovens, "baker")["JobRunState"] == "SUCCEEDED"
    done = run_job(ovens, "stranger")
    assert done["JobRunState"] == "FAILED"
    assert "AccessDenied" in done["ErrorMessage"]


def test_a_stopped_run_ends_its_java(ovens: Bench) -> None:
    run_id, java = begin_to_sleep(ovens)
    assert is_alive(java)
    ovens.client("glue").batch_stop_job_run(JobName="baker", JobRunIds=[run_id])
    assert wait_for(lambda: ended(ovens, "baker", run_id))["JobRunState"] == "STOPPED"
    assert not is_alive(java)
    assert told(ovens, run_job(ovens, "baker"))["java"] != java


def test_an_idle_java_that_died_is_not_used(ovens: Bench) -> None:
    java = told(ovens, run_job(ovens, "baker"))["java"]
    os.kill(java, signal.SIGKILL)
    wait_for(lambda: not is_alive(java))
    assert run_job(ovens, "baker")["JobRunState"] == "SUCCEEDED"


def test_a_java_serves_a_limited_number_of_runs(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    spark = spark_for("5.1", settings)
    idle = IdleJava(runs=2)
    first, beside = idle.take(spark, settings), idle.take(spark, settings)
    idle.give_back(first)
    idle.give_back(beside)  # one waits already
    assert [is_alive(java.group) for java in (first, beside)] == [True, False]
    assert idle.take(spark, settings) is first
    idle.give_back(first)
    assert not is_alive(first.group)
    last = idle.take(spark, settings)
    idle.give_back(last)
    assert is_alive(last.group)
    idle.end()
    assert not is_alive(last.group)
    assert not last.folder.exists()


def test_no_java_outlives_a_killed_server(ovens: Bench) -> None:
    """The last test of this file, because it kills the server."""
    idle = told(ovens, run_job(ovens, "baker"))["java"]
    _, busy = begin_to_sleep(ovens)
    assert busy == idle
    stranger = ovens.client("glue").start_job_run(JobName="stranger")["JobRunId"]
    wait_for(lambda: ended(ovens, "stranger", stranger))
    others = [int(pid) for pid in _javas_below(ovens) if int(pid) != busy]
    assert len(others) == 1
    ovens.process.kill()
    wait_for(lambda: not is_alive(busy) and not is_alive(others[0]))
