"""The bench emits the metrics that AWS documents, and no others."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import watch
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for
from executions import execute, machine, wait_until_ended

from embedded_aws.cloudwatch import metrics


@pytest.fixture(scope="module")
def quay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    started = watch.bench(tmp_path_factory.mktemp("quay"))
    make_role(started, "manager", "states.amazonaws.com", [])
    yield started
    assert started.stop() == 0


def sums(bench: Bench, namespace: str, name: str, **dimensions: str) -> tuple[float, float]:
    """The sum and the number of all points of exactly this metric."""
    listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    now = datetime.now(UTC)
    points = bench.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=listed,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=3600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points), sum(point["SampleCount"] for point in points)


def states(bench: Bench, arn: str, *names: str, **more: str) -> list[tuple[float, float]]:
    return [sums(bench, "AWS/States", name, StateMachineArn=arn, **more) for name in names]


ENDS = ("ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
NOTHING = (0.0, 0.0)
ONCE = (1.0, 1.0)


def test_the_table_names_a_page_for_each_dimension_set_once() -> None:
    entries = json.loads(metrics.TABLE.read_text(encoding="utf-8"))["metrics"]
    keys = [(entry["namespace"], entry["name"], frozenset(entry["dimensions"])) for entry in entries]
    assert len(set(keys)) == len(keys) > 40
    for entry in entries:
        assert entry["page"].startswith("https://docs.aws.amazon.com/"), entry["name"]
        assert entry["when"] and entry["unit"] in ("Bytes", "Count", "Milliseconds", "Seconds")


@pytest.mark.parametrize(
    ("namespace", "name", "dimensions", "unit"),
    [
        ("AWS/States", "ExecutionsFailed", ["StateMachineName"], "Count"),
        ("AWS/States", "ExecutionsFailled", ["StateMachineArn"], "Count"),
        ("AWS/States", "ExecutionTime", ["StateMachineArn"], "Seconds"),
        ("Glue", "glue.error.ALL", ["JobName"], "Count"),
        ("AWS/Scheduler", "TargetErrorCount", ["ScheduleName"], "Count"),
    ],
)
def test_a_metric_that_aws_does_not_emit_cannot_be_recorded(
    namespace: str, name: str, dimensions: list[str], unit: str
) -> None:
    with pytest.raises(metrics.MetricNotEmittedError, match=r"see aws-metrics\.json"):
        metrics.record(namespace, name, dict.fromkeys(dimensions, "x"), 1, unit)


def test_a_successful_execution_is_counted_once_and_measured(quay: Bench) -> None:
    arn = machine(quay, "sail", {"Wait": {"Type": "Wait", "Seconds": 20, "End": True}})
    execution = execute(quay, arn)
    assert states(quay, arn, *ENDS) == [ONCE, NOTHING, NOTHING, NOTHING]
    # The start is emitted twice, the second time as 0.
    assert states(quay, arn, "ExecutionsStarted") == [(1.0, 2.0)]
    took = (execution["stopDate"] - execution["startDate"]).total_seconds() * 1000
    ((measured, count),) = states(quay, arn, "ExecutionTime")
    assert count == 1
    assert measured == pytest.approx(took, abs=2)
    assert took > 300


def test_each_other_end_has_a_metric_of_its_own(quay: Bench) -> None:
    choices = [
        {"Variable": "$.fail", "IsPresent": True, "Next": "Fail"},
        {"Variable": "$.wait", "IsPresent": True, "Next": "Wait"},
    ]
    arn = machine(
        quay,
        "drift",
        {
            "Which": {"Type": "Choice", "Choices": choices},
            "Fail": {"Type": "Fail", "Error": "Fog"},
            "Wait": {"Type": "Wait", "Seconds": 36000, "End": True},
        },
        TimeoutSeconds=2,
    )
    assert execute(quay, arn, {"fail": 1})["status"] == "FAILED"
    assert states(quay, arn, *ENDS) == [NOTHING, ONCE, NOTHING, NOTHING]
    assert execute(quay, arn, {"wait": 1})["status"] == "TIMED_OUT"
    assert states(quay, arn, *ENDS) == [NOTHING, ONCE, ONCE, NOTHING]
    client = quay.client("stepfunctions")
    run = client.start_execution(stateMachineArn=arn, input='{"wait": 1}')["executionArn"]
    client.stop_execution(executionArn=run)
    wait_until_ended(quay, run)
    assert states(quay, arn, *ENDS) == [NOTHING, ONCE, ONCE, ONCE]
    assert states(quay, arn, "ExecutionTime")[0][1] == 3


def test_an_alias_has_its_own_dimension_sets_beside_the_machines(quay: Bench) -> None:
    client = quay.client("stepfunctions")
    arn = machine(quay, "moor", {"Done": {"Type": "Succeed"}})
    version = client.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = client.create_state_machine_alias(name="live", routingConfiguration=routing)
    execute(quay, alias["stateMachineAliasArn"])
    number = version.rsplit(":", 1)[-1]
    for more in ({}, {"Alias": "live"}, {"Version": number}):
        assert states(quay, arn, "ExecutionsSucceeded", **more) == [ONCE], more
        assert states(quay, arn, "ExecutionsStarted", **more) == [(1.0, 2.0)], more
    assert states(quay, arn, "ExecutionsSucceeded", Alias="live", Version=number) == [NOTHING]


def test_a_query_sees_exactly_the_dimension_set_that_it_names(quay: Bench) -> None:
    before = sums(quay, "AWS/States", "ExecutionsSucceeded")[0]
    arn = machine(quay, "tender", {"Done": {"Type": "Succeed"}})
    execute(quay, arn)
    assert sums(quay, "AWS/States", "ExecutionsSucceeded")[0] == before + 1  # for the whole account
    assert sums(quay, "AWS/States", "ExecutionsSucceeded", StateMachineArn=f"{arn}x") == NOTHING


def test_a_redrive_is_counted_with_a_second_end_but_no_second_start(quay: Bench) -> None:
    arn = machine(quay, "tug", {"Fail": {"Type": "Fail", "Error": "Fog"}})
    run = execute(quay, arn)["executionArn"]
    quay.client("stepfunctions").redrive_execution(executionArn=run)
    wait_until_ended(quay, run)
    assert states(quay, arn, "ExecutionsStarted")[0][0] == 1
    assert states(quay, arn, "ExecutionsFailed") == [(2.0, 2.0)]
    assert states(quay, arn, "ExecutionsRedriven", "RedrivenExecutionsFailed") == [ONCE, ONCE]


def test_a_queue_is_sampled_every_minute(quay: Bench) -> None:
    sqs = quay.client("sqs")
    url = sqs.create_queue(QueueName="buoys")["QueueUrl"]

    def maximum(name: str) -> Any:
        now = datetime.now(UTC)
        points = quay.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName=name,
            Dimensions=[{"Name": "QueueName", "Value": "buoys"}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=3600,
            Statistics=["Maximum", "SampleCount"],
        )["Datapoints"]
        return max((point["Maximum"] for point in points), default=None)

    visible, flying = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"
    wait_for(lambda: maximum(visible) == 0)
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    wait_for(lambda: maximum(visible) == 3)
    assert maximum(flying) is None
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=600)
    wait_for(lambda: maximum(flying) == 1)
    before = sums(quay, "AWS/SQS", visible, QueueName="buoys")[1]
    time.sleep(3)
    after = sums(quay, "AWS/SQS", visible, QueueName="buoys")[1]
    assert 2 <= after - before <= 4


def test_an_alarm_on_a_queues_depth_fires(quay: Bench) -> None:
    quay.client("sqs").create_queue(QueueName="dead-letters")
    url = quay.client("sqs").get_queue_url(QueueName="dead-letters")["QueueUrl"]
    queue = {"Namespace": "AWS/SQS", "Dimensions": [{"Name": "QueueName", "Value": "dead-letters"}]}
    watch.alarm(quay, "letters", "ApproximateNumberOfMessagesVisible", Statistic="Maximum", **queue)
    watch.until(quay, "letters", "OK")
    quay.client("sqs").send_message(QueueUrl=url, MessageBody="lost")
    watch.until(quay, "letters", "ALARM")
    quay.client("sqs").purge_queue(QueueUrl=url)
    watch.until(quay, "letters", "OK")


def test_a_failed_execution_fires_only_the_alarm_of_its_machine(quay: Bench) -> None:
    arn = machine(quay, "wreck", {"Fail": {"Type": "Fail", "Error": "Rock"}})
    other = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:wreck-crawl"
    for name, watched in (("wrecked", arn), ("other-wrecked", other)):
        dimensions = [{"Name": "StateMachineArn", "Value": watched}]
        watch.alarm(quay, name, "ExecutionsFailed", Namespace="AWS/States", Dimensions=dimensions)
        watch.until(quay, name, "OK")
    execute(quay, arn)
    watch.until(quay, "wrecked", "ALARM")
    assert watch.state(quay, "other-wrecked") == "OK"
    watch.until(quay, "wrecked", "OK")


def test_observed_job_runs_are_recorded_with_four_dimensions(quay: Bench) -> None:
    s3, glue = quay.client("s3"), quay.client("glue")
    s3.create_bucket(Bucket="quay-code", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="quay-code", Key="well.py", Body=b"print('loaded')")
    reads = statement(["s3:GetObject"], ["arn:aws:s3:::quay-code/*"])
    role = make_role(quay, "loader", "glue.amazonaws.com", [reads])

    def run(script: str, observed: str) -> tuple[str, str, str]:
        name = f"{script}-{observed}"
        command = {"Name": "glueetl", "ScriptLocation": f"s3://quay-code/{script}.py", "PythonVersion": "3"}
        arguments = {"--enable-observability-metrics": observed}
        glue.create_job(Name=name, Role=role, Command=command, GlueVersion="5.1", DefaultArguments=arguments)
        run_id = glue.start_job_run(JobName=name)["JobRunId"]

        def state() -> Any:
            now = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]["JobRunState"]
            return now if now in ("SUCCEEDED", "FAILED") else None

        return name, run_id, str(wait_for(state))

    def told(name: str, run_id: str) -> list[float]:
        group = {"JobName": name, "JobRunId": run_id, "Type": "count", "ObservabilityGroup": "error"}
        return [sums(quay, "Glue", metric, **group)[0] for metric in ("glue.succeed.ALL", "glue.error.ALL")]

    name, run_id, state = run("well", "true")
    assert (state, told(name, "ALL"), told(name, run_id)) == ("SUCCEEDED", [1, 0], [1, 0])
    name, run_id, state = run("lost", "true")
    assert (state, told(name, "ALL"), told(name, run_id)) == ("FAILED", [0, 1], [0, 1])
    name, run_id, state = run("lost", "false")
    assert (state, told(name, "ALL"), told(name, run_id)) == ("FAILED", [0, 0], [0, 0])
