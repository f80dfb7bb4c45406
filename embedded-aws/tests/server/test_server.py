"""The server process: its port, its state, its end, and the end of its children."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import botocore.exceptions
import pytest
from conftest import ACCOUNT, JARS, REGION, SERVER, Bench, make_role, statement, wait_for

from embedded_aws.server import process

LINUX = pytest.mark.skipif(not Path("/proc/net/tcp").is_file(), reason="reads /proc, which only Linux has")


def listeners(pid: int) -> set[tuple[str, int]]:
    """Addresses on which a process listens."""
    sockets = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(link.readlink()))
        except OSError:
            continue
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                address, port = words[1].split(":")
                packed = bytes.fromhex(address)
                words32 = b"".join(packed[i : i + 4][::-1] for i in range(0, len(packed), 4))
                found.add((socket.inet_ntop(family, words32), int(port, 16)))
    return found


@LINUX
def test_it_listens_on_one_port_of_this_machine_only(bench: Bench) -> None:
    port = int(bench.ready["endpoint"].rsplit(":", 1)[1])
    assert listeners(bench.process.pid) == {("127.0.0.1", port)}


def test_its_certificate_is_signed_by_its_own_authority(bench: Bench) -> None:
    port = int(bench.ready["endpoint"].rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=bench.ready["caBundle"])
    for name in ("localhost", "127.0.0.1"):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=name) as wrapped,
        ):
            assert wrapped.version() in ("TLSv1.2", "TLSv1.3")


def test_many_requests_of_many_threads_are_all_answered(bench: Bench) -> None:
    """Terraform offers HTTP/2, over which answers were lost after a thousand requests."""
    context = ssl.create_default_context(cafile=bench.ready["caBundle"])
    context.set_alpn_protocols(["h2", "http/1.1"])
    port = int(bench.ready["endpoint"].rsplit(":", 1)[1])

    def ask(_: int) -> list[int]:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
        connection.connect()
        first = connection.sock
        assert cast(ssl.SSLSocket, first).selected_alpn_protocol() == "http/1.1"
        statuses = []
        for _ in range(1100):
            connection.request("GET", "/_ministack/health")
            with connection.getresponse() as answer:
                answer.read()
                statuses.append(answer.status)
        assert connection.sock is first  # it was not closed and opened again
        return statuses

    with ThreadPoolExecutor(2) as pool:
        statuses = [status for of_thread in pool.map(ask, range(2)) for status in of_thread]
    assert statuses == [200] * 2200


def test_it_keeps_a_connection_longer_than_any_client() -> None:
    """Go, and so Terraform, closes an idle connection after 90 s, AWS's SDK for Java after 60 s
    (https://pkg.go.dev/net/http#pkg-variables). Of 720 requests sent while Hypercorn closed their connection,
    4 were carried out without an answer."""
    assert process.KEEP_ALIVE_SECONDS > 2 * 90


@pytest.mark.parametrize("key", ["test", ACCOUNT, "AKIA0000000000000000"])
def test_unknown_access_keys_are_refused(bench: Bench, key: str) -> None:
    wrong = {"aws_access_key_id": key, "aws_secret_access_key": "test"}
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidAccessKeyId"):
        bench.client("s3", wrong).list_buckets()


def fill(bench: Bench) -> None:
    """Create one of each thing that must survive a restart."""
    key = bench.client("kms").create_key(Description="kept")["KeyMetadata"]["KeyId"]
    bench.client("kms").create_alias(AliasName="alias/kept", TargetKeyId=key)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="kept-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="kept-bucket", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket="kept-bucket", Key="a/b.txt", Body=body)
    role = make_role(bench, "kept-role", "states.amazonaws.com", [statement(["s3:GetObject"], ["*"])])
    glue = bench.client("glue")
    glue.create_database(DatabaseInput={"Name": "kept"})
    glue.create_table(
        DatabaseName="kept", TableInput={"Name": "t", "PartitionKeys": [{"Name": "d", "Type": "string"}]}
    )
    glue.create_partition(DatabaseName="kept", TableName="t", PartitionInput={"Values": ["1"]})
    glue.create_job(
        Name="kept", Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://kept-bucket/x.py"}
    )
    glue.create_crawler(
        Name="kept", Role=role, DatabaseName="kept", Targets={"S3Targets": [{"Path": "s3://kept-bucket"}]}
    )
    states = bench.client("stepfunctions")
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    arn = states.create_state_machine(name="kept", definition=definition, roleArn=role, publish=True)
    routing = [{"stateMachineVersionArn": arn["stateMachineVersionArn"], "weight": 100}]
    alias = states.create_state_machine_alias(name="live", routingConfiguration=routing)[
        "stateMachineAliasArn"
    ]
    states.start_execution(stateMachineArn=alias, name="first")
    topic = bench.client("sns").create_topic(Name="kept")["TopicArn"]
    queue = bench.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:kept"
    bench.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    bench.client("sqs").send_message(QueueUrl=queue, MessageBody="hello")
    events = bench.client("events")
    events.put_rule(Name="kept", EventPattern='{"source": ["aws.states"]}')
    events.put_targets(Rule="kept", Targets=[{"Id": "t", "Arn": topic}])
    logs = bench.client("logs")
    logs.create_log_group(logGroupName="/kept")
    logs.create_log_stream(logGroupName="/kept", logStreamName="s")
    logs.put_log_events(
        logGroupName="/kept", logStreamName="s", logEvents=[{"timestamp": 1, "message": "line"}]
    )
    bench.client("athena").create_work_group(Name="kept")
    bench.client("cloudwatch").put_metric_alarm(
        AlarmName="kept",
        MetricName="m",
        Namespace="n",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )


def check(bench: Bench) -> None:
    assert bench.client("kms").describe_key(KeyId="alias/kept")["KeyMetadata"]["Description"] == "kept"
    s3 = bench.client("s3")
    assert s3.get_object(Bucket="kept-bucket", Key="a/b.txt")["Body"].read() == b"two"
    assert len(s3.list_object_versions(Bucket="kept-bucket")["Versions"]) == 2
    assert bench.client("iam").get_role_policy(RoleName="kept-role", PolicyName="all")["PolicyDocument"]
    glue = bench.client("glue")
    assert glue.get_partition(DatabaseName="kept", TableName="t", PartitionValues=["1"])["Partition"]
    assert glue.get_job(JobName="kept")["Job"]["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert glue.get_crawler(Name="kept")["Crawler"]["State"] == "READY"
    states = bench.client("stepfunctions")
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:kept"
    assert states.describe_state_machine_alias(stateMachineAliasArn=f"{machine}:live")["name"] == "live"
    (execution,) = states.list_executions(stateMachineArn=machine)["executions"]
    assert (execution["name"], execution["status"]) == ("first", "SUCCEEDED")
    states.start_execution(stateMachineArn=f"{machine}:live")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:kept"
    assert len(bench.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1
    sqs = bench.client("sqs")
    message = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="kept")["QueueUrl"])["Messages"][0]
    assert message["Body"] == "hello"
    assert bench.client("events").list_targets_by_rule(Rule="kept")["Targets"][0]["Arn"] == topic
    lines = bench.client("logs").get_log_events(logGroupName="/kept", logStreamName="s")["events"]
    assert [line["message"] for line in lines] == ["line"]
    assert bench.client("athena").get_work_group(WorkGroup="kept")["WorkGroup"]["Name"] == "kept"
    assert bench.client("cloudwatch").describe_alarms(AlarmNames=["kept"])["MetricAlarms"]


@pytest.mark.parametrize("how", ["end of input", "SIGTERM"])
def test_everything_is_there_after_a_restart(tmp_path: Path, how: str) -> None:
    first = Bench(tmp_path)
    fill(first)
    if how == "end of input":
        assert first.stop() == 0
    else:
        first.process.send_signal(getattr(signal, how))
        assert first.process.wait(timeout=20) == 0
    second = Bench(tmp_path)
    try:
        assert second.ready["accessKeyId"] == first.ready["accessKeyId"]
        check(second)
    finally:
        assert second.stop() == 0


def test_a_change_survives_a_kill_of_the_server(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.client("glue").create_database(DatabaseInput={"Name": "kept"})
    time.sleep(2.5)
    first.process.kill()
    first.process.wait(timeout=10)
    second = Bench(tmp_path)
    try:
        assert second.client("glue").get_database(Name="kept")["Database"]["Name"] == "kept"
    finally:
        assert second.stop() == 0


@LINUX
def test_job_runs_end_with_a_killed_server(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="sleepers", CreateBucketConfiguration={"LocationConstraint": REGION})
    script = "import os, time\nfrom pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\n"
    s3.put_object(
        Bucket="sleepers", Key="s.py", Body=f"{script}print('up', flush=True)\ntime.sleep(600)".encode()
    )
    role = make_role(bench, "sleeper", "glue.amazonaws.com", [statement(["s3:GetObject", "logs:*"], ["*"])])
    command = {"Name": "glueetl", "ScriptLocation": "s3://sleepers/s.py"}
    glue = bench.client("glue")
    glue.create_job(Name="s", Role=role, Command=command, GlueVersion="5.1")
    run_id = glue.start_job_run(JobName="s")["JobRunId"]
    output = tmp_path / "logs" / "job-runs" / run_id / "output.log"
    wait_for(lambda: output.is_file() and "up" in output.read_text())
    children = descendants(bench.process.pid)
    assert len(children) >= 2, "Python and its JVM"
    time.sleep(1.5)
    bench.process.kill()
    bench.process.wait(timeout=10)
    wait_for(lambda: not any(alive(pid) for pid in children))
    again = Bench(tmp_path)
    try:
        run = again.client("glue").get_job_run(JobName="s", RunId=run_id)["JobRun"]
        assert (run["JobRunState"], run["ErrorMessage"]) == (
            "FAILED",
            "The embedded AWS ended while this job ran",
        )
    finally:
        assert again.stop() == 0


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(words[1]), []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        below = parents.get(queue.pop(), [])
        found += below
        queue += below
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def refusal(folder: Path, *options: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    command = [sys.executable, str(SERVER), "--state", str(folder / "aws"), "--tls", str(folder / "tls")]
    command += ["--jars", str(JARS), "--logs", str(folder / "logs"), *options]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, env=environment
    )
    return done.returncode, done.stderr


def test_a_taken_port_is_reported_in_one_sentence(tmp_path: Path, bench: Bench) -> None:
    port = bench.ready["endpoint"].rsplit(":", 1)[1]
    code, error = refusal(tmp_path, "--port", port)
    assert (code, error) == (
        2,
        f"embedded AWS: port {port} of 127.0.0.1 is taken; choose another one with --port\n",
    )


def test_a_missing_java_is_reported_in_one_sentence(tmp_path: Path) -> None:
    code, error = refusal(tmp_path, environment={"PATH": "/nowhere"})
    assert code == 2
    assert error == "embedded AWS: Java's keytool is not on the PATH; install Java 17 or set JAVA_HOME\n"


def test_an_interrupt_ends_it_in_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.process.send_signal(signal.SIGINT)
    assert bench.process.wait(timeout=20) == 0


def test_settings_of_the_caller_do_not_reach_the_emulator(tmp_path: Path) -> None:
    environment: dict[str, Any] = {**os.environ, "AWS_SESSION_TOKEN": "caller", "SFN_MOCK_CONFIG": "/nowhere"}
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        bench = Bench(tmp_path)
    finally:
        os.environ.clear()
        os.environ.update(before)
    try:
        assert bench.client("s3").list_buckets()["Buckets"] == []
    finally:
        assert bench.stop() == 0
