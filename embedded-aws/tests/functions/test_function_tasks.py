"""A state machine invokes a function with its own role: `lambda:invoke`, and waiting for a token."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from callers import lines, make, taken
from conftest import ACCOUNT, PACKAGE, REGION, make_role, statement, wait_for
from executions import ended, execute, history, kinds, machine, start, task
from orchard import LOGS, PRINCIPAL, Orchard

FUNCTIONS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:tokens"


@pytest.fixture(scope="module")
def farm(orchard: Orchard) -> Orchard:
    orchard.queue("tokens")
    rights = [
        statement(["lambda:InvokeFunction"], [f"{FUNCTIONS}farm-*"]),
        statement(["sqs:SendMessage"], [QUEUE]),
    ]
    make_role(orchard.bench, "farmer", "states.amazonaws.com", rights)
    for handler in ("weigh", "spoil", "sleep", "leave", "look"):
        orchard.make(f"farm-{handler}", handler, Timeout=2)
    return orchard


def run(farm: Orchard, name: str, state: dict[str, Any], data: Any = None) -> dict[str, Any]:
    return execute(farm, machine(farm, name, {"Call": state}, "farmer"), data)


def call(name: str, **parameters: Any) -> dict[str, Any]:
    return task("lambda:invoke", {"FunctionName": name, **parameters})


def test_the_result_has_the_payload_as_json(farm: Orchard) -> None:
    done = run(farm, "weighing", call("farm-weigh", **{"Payload.$": "$"}), {"tree": "fig", "kilos": 3})
    output = json.loads(done["output"])
    assert {key: output[key] for key in ("ExecutedVersion", "StatusCode", "Payload")} == {
        "ExecutedVersion": "$LATEST",
        "StatusCode": 200,
        "Payload": {"tree": "fig", "kilos": 6},
    }
    assert set(output) == {
        *("ExecutedVersion", "StatusCode", "Payload", "SdkHttpMetadata", "SdkResponseMetadata")
    }
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    scheduled = next(
        event["taskScheduledEventDetails"]
        for event in history(farm, done["executionArn"])
        if event["type"] == "TaskScheduled"
    )
    assert (scheduled["resourceType"], scheduled["resource"]) == ("lambda", "invoke")
    found = [line for line in lines(farm.trace) if line["principal"].endswith(":role/farmer")]
    assert {(line["action"], line["resource"], line["verdict"]) for line in found} >= {
        ("lambda:InvokeFunction", f"{FUNCTIONS}farm-weigh", "allowed")
    }


def test_a_missing_payload_is_an_empty_object(farm: Orchard) -> None:
    done = run(farm, "empty", call(f"{FUNCTIONS}farm-look"))
    assert json.loads(done["output"])["Payload"]["context"]["name"] == "farm-look"


@pytest.mark.parametrize(
    ("name", "payload", "error", "holds"),
    [
        ("farm-spoil", {"tree": "elm"}, "ValueError", {"errorMessage": "worms in elm"}),
        ("farm-sleep", {"seconds": 30}, "Sandbox.Timedout", {"errorType": "Sandbox.Timedout"}),
        ("farm-leave", {"status": 1}, "Runtime.ExitError", {"errorType": "Runtime.ExitError"}),
    ],
)
def test_an_error_of_the_function_is_the_tasks(
    farm: Orchard, name: str, payload: Any, error: str, holds: dict[str, str]
) -> None:
    done = run(farm, f"fails-{name}", call(name, Payload=payload))
    assert (done["status"], done["error"]) == ("FAILED", error)
    cause = json.loads(done["cause"])
    assert holds.items() <= cause.items()
    if error == "ValueError":
        assert set(cause) == {"errorMessage", "errorType", "requestId", "stackTrace"}


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("farm-nowhere", "Lambda.ResourceNotFoundException", "Function not found"),
        (
            "weeds",
            "Lambda.AWSLambdaException",
            "is not authorized to perform: lambda:InvokeFunction on resource",
        ),
        ("farm-busy", "Lambda.TooManyRequestsException", "Rate Exceeded"),
    ],
)
def test_a_refusal_has_lambdas_name(farm: Orchard, name: str, error: str, words: str) -> None:
    if name == "farm-busy":
        farm.make(name, "weigh")
        farm.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    done = run(farm, f"refused-{name}", call(name))
    assert (done["status"], done["error"]) == ("FAILED", error)
    assert words in done["cause"]


def test_a_task_that_times_out_does_not_wait_for_the_function(farm: Orchard) -> None:
    farm.make("farm-slow", "sleep", Timeout=60)
    state = {**call("farm-slow", Payload={"seconds": 20}), "TimeoutSeconds": 1}
    done = run(farm, "impatient", state)
    assert (done["status"], done["error"]) == ("FAILED", "States.Timeout")
    arn = start(
        farm, machine(farm, "stopped", {"Call": call("farm-slow", Payload={"seconds": 20})}, "farmer")
    )
    wait_for(lambda: "TaskScheduled" in kinds(farm, arn))
    farm.client("stepfunctions").stop_execution(executionArn=arn)
    assert ended(farm, arn)


def waiting(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return task(f"{resource}.waitForTaskToken", parameters, **more)


LETTER = {"QueueUrl": "URL", "MessageBody": {"token.$": "$$.Task.Token"}}


def token(farm: Orchard) -> str:
    return str(json.loads(farm.message("tokens")["Body"])["token"])


def letter(farm: Orchard, name: str, **more: Any) -> str:
    url = farm.client("sqs").get_queue_url(QueueName="tokens")["QueueUrl"]
    state = waiting("sqs:sendMessage", {**LETTER, "QueueUrl": url}, **more)
    return start(farm, machine(farm, name, {"Call": state}, "farmer"))


@pytest.mark.parametrize("is_success", [True, False])
def test_a_task_waits_for_its_token(farm: Orchard, is_success: bool) -> None:
    run_arn = letter(farm, f"token-{is_success}")
    states, given = farm.client("stepfunctions"), token(farm)
    if is_success:
        states.send_task_success(taskToken=given, output='{"crates": 4}')
    else:
        states.send_task_failure(taskToken=given, error="Hail", cause="all gone")
    done = wait_for(lambda: ended(farm, run_arn))
    assert (done.get("output"), done.get("error"), done.get("cause")) == (
        ('{"crates": 4}', None, None) if is_success else (None, "Hail", "all gone")
    )


def test_a_silent_task_fails_after_its_heartbeat(farm: Orchard) -> None:
    run_arn = letter(farm, "silent", HeartbeatSeconds=1)
    given = token(farm)
    wait_for(lambda: ended(farm, run_arn))
    done = ended(farm, run_arn)
    assert done and (done["status"], done["error"]) == ("FAILED", "States.HeartbeatTimeout")
    with pytest.raises(Exception, match="TaskDoesNotExist"):
        farm.client("stepfunctions").send_task_success(taskToken=given, output="{}")


def test_a_function_gets_the_token_and_its_error_fails_the_task(farm: Orchard) -> None:
    payload = {"tree.$": "$$.Task.Token"}
    state = waiting("lambda:invoke", {"FunctionName": "farm-spoil", "Payload": payload})
    done = run(farm, "spoiled-token", state)
    assert (done["status"], done["error"]) == ("FAILED", "ValueError")
    refused = waiting("lambda:invoke", {"FunctionName": "weeds", "Payload": payload})
    assert run(farm, "no-right", refused)["error"] == "Lambda.AWSLambdaException"


@pytest.mark.parametrize(
    ("resource", "result"),
    [
        ("lambda:invoke", "OK"),
        ("lambda:invoke.waitForTaskToken", "OK"),
        ("lambda:invoke.sync", "FAIL"),
        ("lambda:call", "FAIL"),
    ],
)
def test_the_integration_is_known(farm: Orchard, resource: str, result: str) -> None:
    definition = {"StartAt": "Call", "States": {"Call": task(resource, {"FunctionName": "farm-weigh"})}}
    answer = farm.client("stepfunctions").validate_state_machine_definition(definition=json.dumps(definition))
    assert answer["result"] == result


def test_the_caller_of_create_function_passes_the_role(orchard: Orchard) -> None:
    builder = make_role(orchard.bench, "builder", PRINCIPAL, [LOGS])
    make(orchard, "mason", statement(["lambda:*"], ["*"]))
    client = orchard.client("lambda", taken(orchard, "mason"))
    with pytest.raises(ClientError, match=f"not authorized to perform: iam:PassRole on resource: {builder}"):
        client.create_function(
            FunctionName="wall", Role=builder, Runtime="python3.11", Handler="a.b", Code={"ZipFile": b"x"}
        )


def test_a_function_is_created_under_a_name_that_its_creator_may_use(orchard: Orchard) -> None:
    worker = make_role(orchard.bench, "worker-hedger", PRINCIPAL, [LOGS])
    passed = statement(["iam:PassRole"], [worker])
    make(orchard, "hedger", statement(["lambda:CreateFunction"], [f"{FUNCTIONS}hedge-*"]), passed)
    client = orchard.client("lambda", taken(orchard, "hedger"))
    code = {"ZipFile": b"x"}
    made = {"Role": worker, "Runtime": "python3.11", "Handler": "a.b", "Code": code}
    with pytest.raises(ClientError, match=f"CreateFunction on resource: {FUNCTIONS}wall"):
        client.create_function(FunctionName="wall", **made)
    with pytest.raises(ClientError) as allowed:
        client.create_function(FunctionName="hedge-one", **made)
    assert allowed.value.response["Error"]["Code"] == "InvalidParameterValueException"  # it is no zip


def test_a_right_on_the_function_is_none_on_its_alias(farm: Orchard) -> None:
    client = farm.client("lambda")
    version = client.publish_version(FunctionName="farm-weigh")["Version"]
    client.create_alias(FunctionName="farm-weigh", Name="live", FunctionVersion=version)
    for number, ends in enumerate((["farm-weigh"], ["farm-weigh", "farm-weigh:*"])):
        arns = [f"{FUNCTIONS}{end}" for end in ends]
        make(farm, f"caller-{number}", statement(["lambda:InvokeFunction"], arns))
        caller = farm.client("lambda", taken(farm, f"caller-{number}"))
        event = {"Payload": b'{"tree": "a", "kilos": 1}'}
        assert caller.invoke(FunctionName="farm-weigh", **event)["StatusCode"] == 200
        if number:
            assert (
                caller.invoke(FunctionName="farm-weigh", Qualifier="live", **event)["ExecutedVersion"] == "1"
            )
            continue
        with pytest.raises(ClientError, match=f"InvokeFunction on resource: {FUNCTIONS}farm-weigh:live"):
            caller.invoke(FunctionName="farm-weigh", Qualifier="live", **event)


def test_the_recorded_calls_show_which_rights_are_needed(tmp_path: Path) -> None:
    farm = Orchard(tmp_path)
    read = statement(["s3:GetObject"], ["arn:aws:s3:::cellar/*"])
    needless = statement(["s3:DeleteObject"], ["arn:aws:s3:::cellar/*"])
    location = {"LocationConstraint": REGION}
    farm.client("s3").create_bucket(Bucket="cellar", CreateBucketConfiguration=location)
    farm.client("s3").put_object(Bucket="cellar", Key="cider", Body=b"dry")
    role = make_role(farm.bench, "worker-taster", PRINCIPAL, [LOGS, read, needless])
    arn = farm.make("fetch", "fetch", Role=role)
    make_role(
        farm.bench,
        "worker-host",
        "states.amazonaws.com",
        [statement(["lambda:InvokeFunction"], [arn, f"{arn}:*"])],
    )
    state = call("fetch", Payload={"bucket": "cellar", "key": "cider"})
    assert execute(farm, machine(farm, "tasting", {"Call": state}, "worker-host"))["status"] == "SUCCEEDED"
    farm.logs("/aws/lambda/fetch", "REPORT")
    assert farm.bench.stop() == 0
    command = [sys.executable, str(PACKAGE / "permission_replay.py"), "--state", str(tmp_path / "aws")]
    done = subprocess.run(
        [*command, "--trace", str(farm.trace), "--roles", "worker-*"], capture_output=True, text=True
    )
    unneeded = [line.strip() for line in done.stdout.splitlines() if line.endswith("→ not shown")]
    assert unneeded == [
        f"lambda:InvokeFunction on {arn}:* → not shown",
        "s3:DeleteObject on arn:aws:s3:::cellar/* → not shown",
    ]
    assert ", all decided as recorded; " in done.stdout
