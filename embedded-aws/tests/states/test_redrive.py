"""Unsuccessful executions of a laundry's state machines continue where they failed."""

import functools
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for
from executions import chain, ended, execute, history, kinds, machine, start, task, wait_until_ended

from embedded_aws.states.execution import Execution

BUCKET, TABLE = "laundry-tickets", "laundry-washes"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:laundry-bell"


@functools.cache
def furnish(bench: Bench) -> None:
    """Make, once, a bucket of tickets, a table of washes, and roles that may use them."""
    place = {"LocationConstraint": REGION}
    bench.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    bench.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "wash", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "wash", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    rights = [
        statement(["s3:GetObject", "s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]),
        statement(["dynamodb:UpdateItem"], [f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"]),
        statement(
            ["states:StartExecution", "states:DescribeExecution", "states:StopExecution"],
            [f"{STATES}:stateMachine:wash-child*", f"{STATES}:execution:wash-child*"],
        ),
    ]
    make_role(bench, "washer", "states.amazonaws.com", rights)
    clerk = statement(["states:RedriveExecution"], [f"{STATES}:execution:wash-allowed:*"])
    make_role(bench, "wash-clerk", "states.amazonaws.com", [clerk])


@pytest.fixture(scope="module")
def laundry(bench: Bench) -> Iterator[Bench]:
    furnish(bench)
    yield bench


def counted(name: str) -> dict[str, Any]:
    """A state that adds one to the washes of this name, which counts its runs."""
    parameters = {
        "TableName": TABLE,
        "Key": {"wash": {"S": name}},
        "UpdateExpression": "ADD #times :one",
        "ExpressionAttributeNames": {"#times": "times"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
    }
    return task("dynamodb:updateItem", parameters, ResultPath="$.counted")


def times(bench: Bench, name: str) -> int:
    item = bench.client("dynamodb").get_item(TableName=TABLE, Key={"wash": {"S": name}})["Item"]
    return int(item["times"]["N"])


def ticket(key: str, **more: Any) -> dict[str, Any]:
    """A state that fails until this ticket is in the bucket."""
    selector = {"text.$": "$.Body"}
    more = {"ResultPath": "$.ticket", "ResultSelector": selector, **more}
    return task("aws-sdk:s3:getObject", {"Bucket": BUCKET, "Key": key}, **more)


def put(bench: Bench, key: str) -> None:
    bench.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"two shirts")


def redrive(bench: Bench, run: str, **more: Any) -> dict[str, Any]:
    """Redrive an execution and wait for its end. Returns its description."""
    bench.client("stepfunctions").redrive_execution(executionArn=run, **more)
    return wait_until_ended(bench, run)


def test_it_continues_at_the_failed_state_with_that_states_input(laundry: Bench) -> None:
    states = chain(
        Count=counted("goes-on"),
        Read=ticket("goes-on"),
        Tell={
            "Type": "Pass",
            "Parameters": {"count.$": "$$.Execution.RedriveCount", "time.$": "$$.Execution.RedriveTime"},
            "ResultPath": "$.told",
        },
    )
    first = execute(laundry, machine(laundry, "wash-goes-on", states, "washer"), {"who": "me"})
    run = first["executionArn"]
    assert (first["status"], first["error"]) == ("FAILED", "S3.NoSuchKeyException")
    assert (first["redriveCount"], first["redriveStatus"]) == (0, "REDRIVABLE")
    assert not {"redriveDate", "redriveStatusReason"} & set(first)
    before = kinds(laundry, run)

    put(laundry, "goes-on")
    answer = laundry.client("stepfunctions").redrive_execution(executionArn=run)
    done = wait_until_ended(laundry, run)

    output = json.loads(done["output"])
    assert (done["status"], output["who"], output["ticket"]) == ("SUCCEEDED", "me", {"text": "two shirts"})
    assert output["counted"] == {"Attributes": {"wash": {"S": "goes-on"}, "times": {"N": "1"}}}
    assert times(laundry, "goes-on") == 1, "a finished state is not entered again"
    assert output["told"]["count"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", output["told"]["time"])
    assert not {"error", "cause"} & set(done)
    assert (done["startDate"], done["redriveDate"]) == (first["startDate"], answer["redriveDate"])
    assert (done["redriveCount"], done["redriveStatus"]) == (1, "NOT_REDRIVABLE")
    assert done["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    after = ["ExecutionRedriven", "TaskScheduled", "TaskSucceeded", "TaskStateExited"]
    last = ["PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    assert before[-3:] == ["TaskScheduled", "TaskFailed", "ExecutionFailed"]
    assert kinds(laundry, run) == [*before, *after, *last]
    redriven = history(laundry, run)[len(before)]
    assert redriven["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert redriven["previousEventId"] == len(before)


def test_it_keeps_its_definition_and_its_role(laundry: Bench) -> None:
    states = laundry.client("stepfunctions")
    for name, how in (("plain", None), ("version", "version"), ("alias", "alias")):
        arn = machine(laundry, f"wash-{name}", chain(Read=ticket(name)), "washer")
        started = arn
        if how:
            started = version = states.publish_state_machine_version(stateMachineArn=arn)[
                "stateMachineVersionArn"
            ]
        if how == "alias":
            routing = [{"stateMachineVersionArn": version, "weight": 100}]
            made = states.create_state_machine_alias(name="live", routingConfiguration=routing)
            started = made["stateMachineAliasArn"]
        run = execute(laundry, started)["executionArn"]
        definition = {"StartAt": "New", "States": {"New": {"Type": "Pass", "Result": "new", "End": True}}}
        clerk = f"arn:aws:iam::{ACCOUNT}:role/wash-clerk"
        states.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition), roleArn=clerk)
        put(laundry, name)
        done = redrive(laundry, run)
        assert json.loads(done["output"])["ticket"] == {"text": "two shirts"}, name
        ran = states.describe_state_machine_for_execution(executionArn=run)
        assert (json.loads(ran["definition"])["StartAt"], ran["roleArn"][-6:]) == ("Read", "washer")
        assert done.get("stateMachineVersionArn") == (version if how else None)
        assert done.get("stateMachineAliasArn") == (started if how == "alias" else None)


def test_it_keeps_assigned_variables(laundry: Bench) -> None:
    read = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
        "Arguments": {"Bucket": BUCKET, "Key": "{% $key %}"},
        "Output": "{% $states.result.Body & ' of ' & $key %}",
        "End": True,
    }
    states = {"Keep": {"Type": "Pass", "Assign": {"key": "assigned"}, "Next": "Read"}, "Read": read}
    arn = machine(laundry, "wash-assigned", states, "washer", QueryLanguage="JSONata")
    first = execute(laundry, arn)
    assert first["error"] == "S3.NoSuchKeyException"
    put(laundry, "assigned")
    assert redrive(laundry, first["executionArn"])["output"] == '"two shirts of assigned"'


def test_a_fail_state_is_entered_again_and_fails_again(laundry: Bench) -> None:
    states = chain(Count=counted("fail"), Stop={"Type": "Fail", "Error": "Torn", "Cause": "no button"})
    run = execute(laundry, machine(laundry, "wash-fail", states, "washer"))["executionArn"]
    for count in (1, 2):
        done = redrive(laundry, run)
        assert (done["status"], done["error"], done["redriveCount"]) == ("FAILED", "Torn", count)
        assert kinds(laundry, run)[-3:] == ["ExecutionRedriven", "FailStateEntered", "ExecutionFailed"]
    assert times(laundry, "fail") == 1


def test_a_retrier_starts_again(laundry: Bench) -> None:
    retry = [{"ErrorEquals": ["S3.NoSuchKeyException"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    run = execute(laundry, machine(laundry, "wash-retry", chain(R=ticket("retry", Retry=retry)), "washer"))
    assert kinds(laundry, run["executionArn"]).count("TaskScheduled") == 3
    redrive(laundry, run["executionArn"])
    assert kinds(laundry, run["executionArn"]).count("TaskScheduled") == 6


def test_the_machines_time_out_starts_again(laundry: Bench) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": 9999, "BackoffRate": 1}]
    states = chain(Count=counted("late"), Read=ticket("late", Retry=retry))
    first = execute(laundry, machine(laundry, "wash-late", states, "washer", TimeoutSeconds=1))
    run = first["executionArn"]
    assert (first["status"], first["redriveStatus"]) == ("TIMED_OUT", "REDRIVABLE")
    again = redrive(laundry, run)
    assert (again["status"], again["redriveCount"]) == ("TIMED_OUT", 1)
    assert 0.9 < (again["stopDate"] - again["redriveDate"]).total_seconds() < 3
    put(laundry, "late")
    done = redrive(laundry, run)
    assert (done["status"], done["redriveCount"]) == ("SUCCEEDED", 2)
    assert times(laundry, "late") == 1


def test_an_aborted_execution_continues_and_its_first_attempt_adds_no_events(laundry: Bench) -> None:
    states = laundry.client("stepfunctions")
    steps = chain(Count=counted("abort"), Soak={"Type": "Wait", "Seconds": 100}, Read=ticket("abort"))
    run = start(laundry, machine(laundry, "wash-abort", steps, "washer"))
    wait_for(lambda: kinds(laundry, run)[-1] == "WaitStateEntered")
    states.stop_execution(executionArn=run)
    put(laundry, "abort")
    states.redrive_execution(executionArn=run)
    done = wait_until_ended(laundry, run)
    assert (done["status"], times(laundry, "abort")) == ("SUCCEEDED", 1)
    seen = kinds(laundry, run)
    cut = seen.index("ExecutionAborted")
    assert seen[cut + 1 : cut + 3] == ["ExecutionRedriven", "WaitStateExited"]
    once = ("WaitStateEntered", "WaitStateExited", "ExecutionSucceeded")
    assert [seen.count(kind) for kind in once] == [1, 1, 1]


def test_an_attempt_is_over_when_another_one_runs() -> None:
    record: dict[str, Any] = {"status": "RUNNING"}
    settings: Any = None  # an attempt without calls needs none
    first = Execution(record, {"definition": "{}"}, settings)
    assert first.live
    record["status"] = "ABORTED"
    assert not first.live
    record.update(status="RUNNING", redriveCount=1)
    assert not first.live
    assert Execution(record, {"definition": "{}"}, settings).live


def test_an_update_does_not_change_a_started_execution(laundry: Bench) -> None:
    states = laundry.client("stepfunctions")
    arn = machine(laundry, "wash-swift", {"Old": {"Type": "Pass", "Result": "old", "End": True}}, "washer")
    new = {"StartAt": "New", "States": {"New": {"Type": "Pass", "Result": "new", "End": True}}}
    run = start(laundry, arn)
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(new))
    assert wait_until_ended(laundry, run)["output"] == '"old"'
    assert execute(laundry, arn)["output"] == '"new"'


def test_an_execution_stopped_at_once_runs_no_state_until_its_redrive(laundry: Bench) -> None:
    states = laundry.client("stepfunctions")
    run = start(laundry, machine(laundry, "wash-early", chain(Count=counted("early")), "washer"))
    states.stop_execution(executionArn=run)
    time.sleep(0.5)
    book = laundry.client("dynamodb")
    assert "Item" not in book.get_item(TableName=TABLE, Key={"wash": {"S": "early"}})
    assert redrive(laundry, run)["status"] == "SUCCEEDED"
    assert times(laundry, "early") == 1


def refused(call: Callable[..., Any], run: str) -> tuple[str, str]:
    """The error's name and its message."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(executionArn=run)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_successful_running_or_missing_execution_is_not_redriven(laundry: Bench) -> None:
    states = laundry.client("stepfunctions")
    quick = machine(laundry, "wash-quick", chain(Done={"Type": "Succeed"}), "washer")
    done = execute(laundry, quick)["executionArn"]
    reason = "Execution is SUCCEEDED and cannot be redriven"
    assert refused(states.redrive_execution, done) == ("ExecutionNotRedrivable", reason)
    slow = machine(laundry, "wash-slow", chain(Soak={"Type": "Wait", "Seconds": 36000}), "washer")
    run = start(laundry, slow)
    reason = "Execution is RUNNING and cannot be redriven"
    assert refused(states.redrive_execution, run) == ("ExecutionNotRedrivable", reason)
    assert states.describe_execution(executionArn=run)["redriveStatusReason"] == reason
    states.stop_execution(executionArn=run)
    nobody = f"{STATES}:execution:wash-quick:nobody"
    message = f"Execution Does Not Exist: '{nobody}'"
    assert refused(states.redrive_execution, nobody) == ("ExecutionDoesNotExist", message)
    assert refused(states.redrive_execution, quick) == ("InvalidArn", f"Invalid Arn: '{quick}'")


def test_an_execution_of_an_express_machine_is_not_redriven(laundry: Bench) -> None:
    states = laundry.client("stepfunctions")
    definition = json.dumps({"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Torn"}}})
    asked = {"definition": definition, "roleArn": f"arn:aws:iam::{ACCOUNT}:role/washer", "type": "EXPRESS"}
    arn = states.create_state_machine(name="wash-express", **asked)["stateMachineArn"]
    run = execute(laundry, arn)["executionArn"]
    reason = "Execution is of an EXPRESS state machine and cannot be redriven"
    assert refused(states.redrive_execution, run) == ("ExecutionNotRedrivable", reason)


def test_a_repeated_token_means_the_same_redrive(laundry: Bench) -> None:
    states = laundry.client("stepfunctions")
    run = execute(laundry, machine(laundry, "wash-token", chain(Read=ticket("token")), "washer"))
    arn = run["executionArn"]
    first = states.redrive_execution(executionArn=arn, clientToken="once")["redriveDate"]
    wait_until_ended(laundry, arn)
    assert states.redrive_execution(executionArn=arn, clientToken="once")["redriveDate"] == first
    assert redrive(laundry, arn, clientToken="twice")["redriveCount"] == 2


def test_the_right_is_checked_on_the_execution(laundry: Bench) -> None:
    fails = {"No": {"Type": "Fail", "Error": "Torn"}}
    for name, error in (("wash-allowed", None), ("wash-other", "Sfn.SfnException")):
        run = execute(laundry, machine(laundry, name, fails, "washer"))["executionArn"]
        call = {"Call": task("aws-sdk:sfn:redriveExecution", {"ExecutionArn": run})}
        done = execute(laundry, machine(laundry, f"{name}-clerk", call, "wash-clerk"))
        assert done.get("error") == error
        assert f"perform: states:RedriveExecution on resource: {run}" in done.get("cause", "") or not error
        redriven = wait_until_ended(laundry, run)["redriveCount"]
        assert redriven == (0 if error else 1)


def test_every_change_of_status_is_an_event(laundry: Bench) -> None:
    sqs, events = laundry.client("sqs"), laundry.client("events")
    send = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**send, "Resource": QUEUE_ARN}]}
    attributes = {"Policy": json.dumps(policy)}
    url = sqs.create_queue(QueueName="laundry-bell", Attributes=attributes)["QueueUrl"]
    arn = machine(laundry, "wash-bell", chain(Read=ticket("bell")), "washer")
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [arn]}}
    events.put_rule(Name="wash-bell", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="wash-bell", Targets=[{"Id": "t", "Arn": QUEUE_ARN}])
    run = execute(laundry, arn)["executionArn"]
    put(laundry, "bell")
    done = redrive(laundry, run)
    rung = []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages"):
        rung.append(json.loads(got[0]["Body"])["detail"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    rung.sort(key=lambda detail: (detail["redriveCount"], detail["status"] != "RUNNING"))
    moment = int(done["redriveDate"].timestamp() * 1000)
    facts = ("status", "redriveCount", "redriveDate", "redriveStatus", "redriveStatusReason", "error")
    no, running = "NOT_REDRIVABLE", "Execution is RUNNING and cannot be redriven"
    assert [tuple(detail[fact] for fact in facts) for detail in rung] == [
        ("RUNNING", 0, None, no, running, None),
        ("FAILED", 0, None, "REDRIVABLE", None, "S3.NoSuchKeyException"),
        ("RUNNING", 1, moment, no, running, None),
        ("SUCCEEDED", 1, moment, no, "Execution is SUCCEEDED and cannot be redriven", None),
    ]


def test_stops_and_redrives_are_logged(laundry: Bench) -> None:
    name = "/aws/vendedlogs/states/laundry"
    logs, states = laundry.client("logs"), laundry.client("stepfunctions")
    logs.create_log_group(logGroupName=name)
    group = {"logGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"}
    arn = machine(laundry, "wash-logged", {"Soak": {"Type": "Wait", "Seconds": 50, "End": True}}, "washer")
    destinations = [{"cloudWatchLogsLogGroup": group}]
    states.update_state_machine(
        stateMachineArn=arn, loggingConfiguration={"level": "ALL", "destinations": destinations}
    )
    run = start(laundry, arn)
    wait_for(lambda: kinds(laundry, run)[-1] == "WaitStateEntered")
    states.stop_execution(executionArn=run)
    redrive(laundry, run)
    logged = [
        json.loads(event["message"])["type"] for event in logs.filter_log_events(logGroupName=name)["events"]
    ]
    assert logged == kinds(laundry, run)[1:]
    assert logged[1:3] == ["ExecutionAborted", "ExecutionRedriven"]


def test_a_parents_failed_nested_task_runs_again_as_a_new_child(laundry: Bench) -> None:
    child = machine(laundry, "wash-child", chain(Read=ticket("child")), "washer")
    call = task("states:startExecution.sync:2", {"StateMachineArn": child}, ResultPath="$.child")
    arn = machine(laundry, "wash-parent", chain(Count=counted("parent"), Call=call), "washer")
    first = execute(laundry, arn)
    assert (first["status"], first["error"]) == ("FAILED", "States.TaskFailed")
    old = json.loads(first["cause"])["ExecutionArn"]
    put(laundry, "child")
    done = redrive(laundry, first["executionArn"])
    new = json.loads(done["output"])["child"]
    assert (done["status"], new["Status"], times(laundry, "parent")) == ("SUCCEEDED", "SUCCEEDED", 1)
    assert new["ExecutionArn"] != old
    finished = ended(laundry, old)
    assert finished is not None
    assert (finished["status"], finished["redriveCount"]) == ("FAILED", 0)


def age(folder: Path, ages: dict[str, timedelta]) -> None:
    """Move the end of executions in a stopped server's state into the past."""
    file = folder / "aws" / "services" / "stepfunctions.json"
    state = json.loads(file.read_text(encoding="utf-8"))
    for record in state["payload"]["executions"]["data"].values():
        if record["executionArn"] in ages:
            moment = datetime.now(UTC) - ages[record["executionArn"]]
            record["stopDate"] = moment.isoformat().replace("+00:00", "Z")
    file.write_text(json.dumps(state), encoding="utf-8")


def test_a_redrive_works_after_a_restart_but_not_after_fourteen_days(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    furnish(first)
    arn = machine(first, "wash-old", chain(Read=ticket("old")), "washer")
    old, almost = (execute(first, arn)["executionArn"] for _ in range(2))
    steps = chain(Count=counted("kept"), Read=ticket("kept"))
    failed = execute(first, machine(first, "wash-kept", steps, "washer"))["executionArn"]
    steps = chain(Count=counted("cut"), Soak={"Type": "Wait", "Seconds": 100}, Read=ticket("cut"))
    cut = start(first, machine(first, "wash-cut", steps, "washer"))
    wait_for(lambda: kinds(first, cut)[-1] == "WaitStateEntered")
    assert first.stop() == 0
    age(tmp_path, {old: timedelta(days=14, minutes=1), almost: timedelta(days=14, minutes=-1)})
    second = Bench(tmp_path)
    try:
        for run, name in ((failed, "kept"), (cut, "cut")):
            put(second, name)
            assert redrive(second, run)["status"] == "SUCCEEDED"
            assert times(second, name) == 1
        assert redrive(second, almost)["redriveCount"] == 1
        reason = "Execution redrivable period exceeded"
        described = second.client("stepfunctions").describe_execution(executionArn=old)
        assert (described["redriveStatus"], described["redriveStatusReason"]) == ("NOT_REDRIVABLE", reason)
        call = second.client("stepfunctions").redrive_execution
        assert refused(call, old) == ("ExecutionNotRedrivable", reason)
    finally:
        assert second.stop() == 0
