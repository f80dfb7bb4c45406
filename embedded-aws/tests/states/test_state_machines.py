"""A bakery's state machines: their role, `.sync`, error names, missing paths, stops and time-outs."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for
from executions import execute, history, machine, start, submitted, task, wait_until_ended

BUCKET = "bakery-orders"
JOB = "bake"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:bakery"
BODY = """
import sys, time
if "--fail" in sys.argv: raise ValueError("the oven is cold")
if "--slow" in sys.argv: time.sleep(600)
print("baked", flush=True)
"""


@pytest.fixture(scope="module")
def bakery(bench: Bench) -> Iterator[Bench]:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="code/bake.py", Body=BODY.encode())
    s3.put_object(Bucket=BUCKET, Key="books/1.json", Body=b'{"loaves": 12}')
    read_all = statement(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/*"])
    baker = make_role(bench, "baker", "glue.amazonaws.com", [read_all, statement(["logs:*"], ["*"])])
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/code/bake.py"}
    bench.client("glue").create_job(
        Name=JOB, Role=baker, Command=command, GlueVersion="5.1", ExecutionProperty={"MaxConcurrentRuns": 2}
    )
    bench.client("sns").create_topic(Name="bakery")
    jobs = ["glue:StartJobRun", "glue:GetJobRun", "glue:BatchStopJobRun"]
    children = [f"{STATES}:stateMachine:child*", f"{STATES}:execution:child*"]
    make_role(
        bench,
        "manager",
        "states.amazonaws.com",
        [
            statement(jobs, [f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{JOB}"]),
            statement(
                ["s3:GetObject", "s3:ListBucket"],
                [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/books/*"],
            ),
            statement(["sns:Publish"], [TOPIC]),
            statement(
                ["states:StartExecution", "states:DescribeExecution", "states:StopExecution"], children
            ),
            statement(
                ["glue:GetCrawler", "glue:StartCrawler"], [f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/mill"]
            ),
        ],
    )
    make_role(bench, "intern", "states.amazonaws.com", [])
    resource = [f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{JOB}"]
    make_role(bench, "careless", "states.amazonaws.com", [statement(jobs[:2], resource)])
    yield bench


def test_a_task_waits_for_a_job_run_and_returns_it(bakery: Bench) -> None:
    arn = machine(bakery, "bakes", {"Bake": task("glue:startJobRun.sync", {"JobName": JOB})})
    done = execute(bakery, arn)
    assert done["status"] == "SUCCEEDED", done.get("cause")
    run = json.loads(done["output"])
    assert (run["JobName"], run["JobRunState"]) == (JOB, "SUCCEEDED")
    assert isinstance(run["StartedOn"], int) and run["StartedOn"] > 1_600_000_000_000
    events = history(bakery, done["executionArn"])
    kinds = [event["type"] for event in events]
    assert kinds == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert events[1]["stateEnteredEventDetails"]["name"] == "Bake"
    assert events[2]["taskScheduledEventDetails"]["resourceType"] == "glue"
    assert events[2]["taskScheduledEventDetails"]["resource"] == "startJobRun.sync"
    assert json.loads(events[3]["taskSubmittedEventDetails"]["output"])["JobRunId"] == run["Id"]
    assert all(later["timestamp"] >= earlier["timestamp"] for earlier, later in itertools.pairwise(events))


def test_a_failed_job_run_fails_the_task_with_the_run_as_cause(bakery: Bench) -> None:
    arn = machine(
        bakery,
        "burns",
        {"Bake": task("glue:startJobRun.sync", {"JobName": JOB, "Arguments": {"--fail": "x"}})},
    )
    done = execute(bakery, arn)
    assert (done["status"], done["error"], done.get("output")) == ("FAILED", "States.TaskFailed", None)
    cause = json.loads(done["cause"])
    assert (cause["JobRunState"], cause["ErrorMessage"]) == ("FAILED", "ValueError: the oven is cold")


def test_the_role_of_the_machine_decides(bakery: Bench) -> None:
    arn = machine(
        bakery, "intern-bakes", {"Bake": task("glue:startJobRun.sync", {"JobName": JOB})}, role="intern"
    )
    done = execute(bakery, arn)
    assert (done["status"], done["error"]) == ("FAILED", "Glue.AccessDeniedException")
    arn = machine(bakery, "unknown-job", {"Bake": task("glue:startJobRun.sync", {"JobName": "nobody"})})
    assert execute(bakery, arn)["error"] == "Glue.AccessDeniedException"
    arn = machine(
        bakery, "intern-tells", {"Tell": task("sns:publish", {"TopicArn": TOPIC, "Message": "x"})}, "intern"
    )
    assert execute(bakery, arn)["error"] == "SNS.AuthorizationErrorException"


def test_concurrent_runs_are_an_error_that_a_retrier_can_name(bakery: Bench) -> None:
    glue = bakery.client("glue")
    slow = [glue.start_job_run(JobName=JOB, Arguments={"--slow": "x"})["JobRunId"] for _ in range(2)]
    catch = [{"ErrorEquals": ["Glue.ConcurrentRunsExceededException"], "Next": "Busy"}]
    states = {
        "Bake": task("glue:startJobRun.sync", {"JobName": JOB}, Catch=catch),
        "Busy": {"Type": "Pass", "Result": "busy", "End": True},
    }
    done = execute(bakery, machine(bakery, "busy", states))
    glue.batch_stop_job_run(JobName=JOB, JobRunIds=slow)
    assert (done["status"], done["output"]) == ("SUCCEEDED", '"busy"')
    wait_for(lambda: all(job_state(bakery, run) == "STOPPED" for run in slow))


def job_state(bench: Bench, run_id: str) -> str:
    return str(bench.client("glue").get_job_run(JobName=JOB, RunId=run_id)["JobRun"]["JobRunState"])


SLOW = {"JobName": JOB, "Arguments": {"--slow": "x"}}


def test_a_stopped_execution_stops_its_job_and_stays_aborted(bakery: Bench) -> None:
    states = bakery.client("stepfunctions")
    arn = machine(bakery, "stopped", {"Bake": task("glue:startJobRun.sync", SLOW)})
    run = states.start_execution(stateMachineArn=arn)["executionArn"]
    job_run = wait_for(lambda: submitted(bakery, run, "JobRunId"))
    states.stop_execution(executionArn=run, error="Closed", cause="no flour")
    assert wait_for(lambda: job_state(bakery, job_run) == "STOPPED")
    done = states.describe_execution(executionArn=run)
    assert (done["status"], done["error"], done["cause"]) == ("ABORTED", "Closed", "no flour")
    assert [event["type"] for event in history(bakery, run)][-1] == "ExecutionAborted"


def test_a_role_that_may_not_stop_the_job_leaves_it_running(bakery: Bench) -> None:
    states = bakery.client("stepfunctions")
    arn = machine(bakery, "careless", {"Bake": task("glue:startJobRun.sync", SLOW)}, role="careless")
    run = states.start_execution(stateMachineArn=arn)["executionArn"]
    job_run = wait_for(lambda: submitted(bakery, run, "JobRunId"))
    states.stop_execution(executionArn=run)
    wait_for(lambda: f"the work that {run} started was not stopped" in bakery.log())
    assert states.describe_execution(executionArn=run)["status"] == "ABORTED"
    wait_for(lambda: job_state(bakery, job_run) == "RUNNING")
    bakery.client("glue").batch_stop_job_run(JobName=JOB, JobRunIds=[job_run])
    assert wait_for(lambda: job_state(bakery, job_run) == "STOPPED")


def test_a_task_beyond_its_time_out_fails_as_states_timeout_and_stops_its_job(bakery: Bench) -> None:
    arn = machine(bakery, "late", {"Bake": task("glue:startJobRun.sync", SLOW, TimeoutSeconds=2)})
    done = execute(bakery, arn)
    assert (done["status"], done["error"]) == ("FAILED", "States.Timeout")
    job_run = submitted(bakery, done["executionArn"], "JobRunId")
    assert wait_for(lambda: job_state(bakery, str(job_run)) == "STOPPED")


def test_an_execution_beyond_its_time_out_is_timed_out_and_stops_its_job(bakery: Bench) -> None:
    arn = machine(bakery, "closing", {"Bake": task("glue:startJobRun.sync", SLOW)}, TimeoutSeconds=2)
    done = execute(bakery, arn)
    assert (done["status"], done["error"]) == ("TIMED_OUT", "States.Timeout")
    job_run = submitted(bakery, done["executionArn"], "JobRunId")
    assert wait_for(lambda: job_state(bakery, str(job_run)) == "STOPPED")


def test_sdk_calls_return_bodies_as_text_and_have_awss_error_names(bakery: Bench) -> None:
    def read(name: str, key: str) -> dict[str, Any]:
        parameters = {"Bucket": BUCKET, "Key": key}
        selector = {"books.$": "States.StringToJson($.Body)", "at.$": "$.LastModified"}
        return execute(
            bakery,
            machine(
                bakery, name, {"Read": task("aws-sdk:s3:getObject", parameters, ResultSelector=selector)}
            ),
        )

    output = json.loads(read("reads", "books/1.json")["output"])
    assert output["books"] == {"loaves": 12}
    assert output["at"].endswith("Z")
    assert read("reads-nothing", "books/2.json")["error"] == "S3.NoSuchKeyException"
    assert read("reads-elsewhere", "code/bake.py")["error"] == "S3.S3Exception"
    glue = bakery.client("glue")
    glue.create_database(DatabaseInput={"Name": "bakery"})
    missing = machine(bakery, "no-mill", {"Start": task("aws-sdk:glue:startCrawler", {"Name": "mill"})})
    assert execute(bakery, missing)["error"] == "Glue.EntityNotFoundException"
    role = f"arn:aws:iam::{ACCOUNT}:role/baker"
    targets = {"S3Targets": [{"Path": f"s3://{BUCKET}/books/"}]}
    glue.create_crawler(Name="mill", Role=role, DatabaseName="bakery", Targets=targets)
    found = execute(
        bakery, machine(bakery, "mill", {"Get": task("aws-sdk:glue:getCrawler", {"Name": "mill"})})
    )
    crawler = json.loads(found["output"])["Crawler"]
    assert crawler["State"] == "READY"
    assert "LastCrawl" not in crawler


def test_nested_executions(bakery: Bench) -> None:
    child = machine(
        bakery,
        "child",
        {
            "Which": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.fail", "IsPresent": True, "Next": "Bad"}],
                "Default": "Good",
            },
            "Good": {"Type": "Pass", "Result": {"rolls": 6}, "End": True},
            "Bad": {"Type": "Fail", "Error": "NoFlour", "CausePath": "$.fail"},
        },
    )
    parameters = {"StateMachineArn": child, "Input.$": "$"}
    parent = machine(bakery, "parent", {"Call": task("states:startExecution.sync:2", parameters)})
    good = execute(bakery, parent, {"day": 1})
    output = json.loads(good["output"])
    assert (output["Output"], output["Input"], output["Status"]) == ({"rolls": 6}, {"day": 1}, "SUCCEEDED")
    bad = execute(bakery, parent, {"fail": "sold out"})
    assert (bad["status"], bad["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(bad["cause"])
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("NoFlour", "sold out", "FAILED")
    intern = machine(
        bakery, "intern-parent", {"Call": task("states:startExecution.sync:2", parameters)}, "intern"
    )
    assert execute(bakery, intern)["error"] == "StepFunctions.AWSStepFunctionsException"


def slow_family(bench: Bench, name: str, of_task: int | None = None, **top: Any) -> str:
    """Start a parent whose child bakes for ten minutes. Returns the execution's ARN."""
    child = machine(bench, f"child-of-{name}", {"Bake": task("glue:startJobRun.sync", SLOW)})
    limit = {"TimeoutSeconds": of_task} if of_task else {}
    call = task("states:startExecution.sync:2", {"StateMachineArn": child}, **limit)
    return start(bench, machine(bench, f"family-{name}", {"Call": call}, **top))


def child_of(bench: Bench, run: str) -> tuple[str, str]:
    """The child that a parent waits for, and the job run that the child waits for."""
    child = str(wait_for(lambda: submitted(bench, run, "ExecutionArn")))
    return child, str(wait_for(lambda: submitted(bench, child, "JobRunId")))


def test_the_end_of_a_parent_stops_its_child_and_the_childs_job(bakery: Bench) -> None:
    states = bakery.client("stepfunctions")
    cases: list[tuple[str, int | None, dict[str, Any], tuple[str, str | None]]] = [
        ("stopped", None, {}, ("ABORTED", None)),
        ("timed-out", None, {"TimeoutSeconds": 2}, ("TIMED_OUT", "States.Timeout")),
        ("task-timed-out", 2, {}, ("FAILED", "States.Timeout")),
    ]
    for name, of_task, top, outcome in cases:
        run = slow_family(bakery, name, of_task, **top)
        child, job_run = child_of(bakery, run)
        if name == "stopped":
            states.stop_execution(executionArn=run)
        done = wait_until_ended(bakery, run)
        assert (done["status"], done.get("error")) == outcome, name
        assert wait_until_ended(bakery, child)["status"] == "ABORTED", name
        wait_until_stopped(bakery, job_run)


def wait_until_stopped(bench: Bench, job_run: str) -> None:
    wait_for(lambda: job_state(bench, job_run) == "STOPPED")


def test_the_time_out_of_a_nested_machine_is_a_failed_task_of_its_parent(bakery: Bench) -> None:
    baking = {"Bake": task("glue:startJobRun.sync", SLOW)}
    child = machine(bakery, "child-late", baking, TimeoutSeconds=1)
    catch = [
        {"ErrorEquals": ["States.Timeout"], "Next": "Wrong"},
        {"ErrorEquals": ["States.TaskFailed"], "Next": "Right"},
    ]
    states = {
        "Call": task("states:startExecution.sync:2", {"StateMachineArn": child}, Catch=catch),
        "Wrong": {"Type": "Fail", "Error": "Wrong"},
        "Right": {"Type": "Pass", "Parameters": {"child.$": "States.StringToJson($.Cause)"}, "End": True},
    }
    done = execute(bakery, machine(bakery, "parent-of-late", states))
    assert done["status"] == "SUCCEEDED", done.get("error")
    failed = json.loads(done["output"])["child"]
    assert (failed["Status"], failed["Error"]) == ("TIMED_OUT", "States.Timeout")


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Parameters": {"x.$": "$.lost"}, "End": True},
        {"Type": "Pass", "InputPath": "$.lost", "End": True},
        {"Type": "Pass", "OutputPath": "$.lost", "End": True},
        {"Type": "Pass", "Parameters": {"x.$": "States.Format('{}', $.lost)"}, "End": True},
        {
            "Type": "Choice",
            "Choices": [{"Variable": "$.lost", "StringEquals": "x", "Next": "S"}],
            "Default": "S",
        },
    ],
)
def test_a_path_without_a_value_fails_and_is_not_caught(bakery: Bench, state: dict[str, Any]) -> None:
    name = "lost-" + str(abs(hash(json.dumps(state))))[:9]
    done = execute(bakery, machine(bakery, name, {"S": state}), {"there": None})
    assert (done["status"], done["error"]) == ("FAILED", "States.Runtime")
    assert "The JSONPath '$.lost' could not be found in the input '{\"there\": null}'" in done["cause"]
    assert "state 'S' (entered at the event id #2)" in done["cause"]


def test_choices_distinguish_null_from_missing_and_compare_by_path(bakery: Bench) -> None:
    choices = [
        {"Variable": "$.gone", "IsPresent": True, "Next": "No"},
        {"Not": {"Variable": "$.none", "IsPresent": True}, "Next": "No"},
        {"Not": {"Variable": "$.none", "IsNull": True}, "Next": "No"},
        {"Variable": "$.text", "StringEqualsPath": "$.other", "Next": "No"},
        {"Variable": "$.text", "StringLessThanPath": "$.other", "Next": "Yes"},
    ]
    states = {
        "Which": {"Type": "Choice", "Choices": choices, "Default": "No"},
        "Yes": {"Type": "Succeed"},
        "No": {"Type": "Fail", "Error": "Wrong"},
    }
    done = execute(bakery, machine(bakery, "choices", states), {"none": None, "text": "a", "other": "b"})
    assert done["status"] == "SUCCEEDED"


def test_an_alias_runs_the_version_it_leads_to(bakery: Bench) -> None:
    states = bakery.client("stepfunctions")
    arn = machine(bakery, "versions", {"One": {"Type": "Pass", "Result": 1, "End": True}})
    version = states.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = states.create_state_machine_alias(name="live", routingConfiguration=routing)[
        "stateMachineAliasArn"
    ]
    second = {"StartAt": "Two", "States": {"Two": {"Type": "Pass", "Result": 2, "End": True}}}
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(second))
    assert [execute(bakery, which)["output"] for which in (alias, version, arn)] == ["1", "1", "2"]


def test_the_history_is_logged_without_data_if_the_machine_excludes_it(bakery: Bench) -> None:
    logs = bakery.client("logs")
    logs.create_log_group(logGroupName="/aws/vendedlogs/states/bakery")
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/vendedlogs/states/bakery:*"
    destination = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    arn = bakery.client("stepfunctions").create_state_machine(
        name="logged",
        definition=json.dumps(definition),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/manager",
        loggingConfiguration={"level": "ALL", "includeExecutionData": False, "destinations": destination},
    )["stateMachineArn"]
    execute(bakery, arn, {"secret": "sourdough"})
    messages = [
        json.loads(event["message"])
        for event in logs.filter_log_events(logGroupName="/aws/vendedlogs/states/bakery")["events"]
    ]
    assert [message["type"] for message in messages] == [
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert "sourdough" not in json.dumps(messages)


def test_tracing_is_described_as_it_was_set(bench: Bench) -> None:
    states = bench.client("stepfunctions")
    role = make_role(bench, "details-states", "states.amazonaws.com", [])
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    traced = {"tracingConfiguration": {"enabled": True}}
    arn = states.create_state_machine(name="detailed", definition=definition, roleArn=role, **traced)[
        "stateMachineArn"
    ]
    assert states.describe_state_machine(stateMachineArn=arn)["tracingConfiguration"] == {"enabled": True}
    states.update_state_machine(stateMachineArn=arn, tracingConfiguration={"enabled": False})
    assert states.describe_state_machine(stateMachineArn=arn)["tracingConfiguration"] == {"enabled": False}
