"""A function runs in a process of its own, as its role, within its limits, and fails with Lambda's words."""

import concurrent.futures
import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from callers import lines
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for
from orchard import CODE, PRINCIPAL, Orchard, archive


def test_a_result_is_json_and_the_output_is_logged(orchard: Orchard) -> None:
    orchard.make("weigh", "weigh")
    answer = orchard.invoke("weigh", {"tree": "äpple", "kilos": 21}, LogType="Tail")
    assert answer["Payload"] == {"kilos": 42, "tree": "äpple"}
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    told = orchard.logs("/aws/lambda/weigh", "REPORT")
    request = re.fullmatch(r"START RequestId: (\S+) Version: \$LATEST", told[1])
    assert request
    assert told[0].startswith("INIT_START Runtime Version: python:3.11.")
    assert told[2] == "weighing äpple"
    assert re.fullmatch(rf"\[WARNING\]\t\S+Z\t{request[1]}\tripe\nfruit", told[3])
    assert told[4] == f"END RequestId: {request[1]}"
    assert re.fullmatch(
        rf"REPORT RequestId: {request[1]}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: [1-9]\d* MB\tInit Duration: [\d.]+ ms\t",
        told[5],
    )
    written = [line for line in lines(orchard.trace) if "/aws/lambda/weigh:" in line["resource"]]
    assert written[-1]["action"] == "logs:PutLogEvents"
    assert {line["principal"] for line in written} == {f"arn:aws:iam::{ACCOUNT}:role/gardener"}


def test_a_function_sees_what_lambda_gives_it(orchard: Orchard, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = orchard.make("look", "look", MemorySize=256, Environment={"Variables": {"FRUIT": "pear"}})
    wanted = ["boto3", "pandas", "duckdb", "ministack", "embedded_aws"]
    seen = orchard.invoke("look", {"modules": wanted})["Payload"]
    environment = seen["environment"]
    assert {name: bool(path) for name, path in seen["modules"].items()} == {
        name: name == "boto3" for name in wanted
    }
    expected = {
        "FRUIT": "pear",
        "AWS_LAMBDA_FUNCTION_NAME": "look",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/look",
        "AWS_REGION": REGION,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "LAMBDA_TASK_ROOT": seen["folder"],
        "_HANDLER": "orchard.look",
    }
    assert {name: environment.get(name) for name in expected} == expected
    assert "HOME" not in environment
    assert Path(environment["TMPDIR"]).name != "tmp" and Path(environment["TMPDIR"]).is_dir()
    context = seen["context"]
    assert (context["name"], context["arn"], context["memory"]) == ("look", arn, "256")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context["stream"])
    assert 5000 < context["left"] <= 10_000


def test_an_environment_is_used_again_until_the_function_changes(orchard: Orchard) -> None:
    orchard.make("again", "look")
    first, second = (orchard.invoke("again", {})["Payload"] for _ in range(2))
    assert first["process"] == second["process"]
    assert (first["seen"], second["seen"]) == (1, 2)
    client = orchard.client("lambda")
    client.update_function_configuration(FunctionName="again", Environment={"Variables": {"A": "b"}})
    client.get_waiter("function_updated_v2").wait(FunctionName="again", WaiterConfig={"Delay": 0.1})
    third = orchard.invoke("again", {})["Payload"]
    assert (third["seen"], third["environment"]["A"]) == (1, "b")
    assert not Path(f"/proc/{first['process']}").exists()


def test_code_comes_from_s3_and_layers_are_merged_in_their_order(orchard: Orchard) -> None:
    s3, client = orchard.client("s3"), orchard.client("lambda")
    s3.create_bucket(Bucket="sheds", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="sheds", Key="code.zip", Body=archive(orchard=CODE, tools="MINE = 1"))
    arns = []
    for number, files in enumerate(
        (
            {"python__grafts": "AGE = 1", "python__scions": "", "python__tools": ""},
            {"python__grafts": "AGE = 2", "python__lib__python3.11__site-packages__deep": ""},
        )
    ):
        s3.put_object(Bucket="sheds", Key=f"layer{number}.zip", Body=archive(**files))
        content = {"S3Bucket": "sheds", "S3Key": f"layer{number}.zip"}
        published = client.publish_layer_version(LayerName=f"shed{number}", Content=content)
        arns.append(published["LayerVersionArn"])
    orchard.make("layered", "look", Code={"S3Bucket": "sheds", "S3Key": "code.zip"}, Layers=arns)
    seen = orchard.invoke("layered", {"modules": ["grafts", "scions", "deep", "tools"]})["Payload"]
    modules = seen["modules"]
    assert all(modules.values())
    assert Path(modules["grafts"]).read_text() == "AGE = 2"
    assert Path(modules["tools"]).parent == Path(seen["folder"])


def test_a_function_has_its_roles_rights_and_no_others(orchard: Orchard) -> None:
    s3 = orchard.client("s3")
    s3.create_bucket(Bucket="crates", CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("open/a", "closed/a"):
        s3.put_object(Bucket="crates", Key=key, Body=key.encode())
    read = statement(["s3:GetObject"], ["arn:aws:s3:::crates/open/*"])
    orchard.make("fetch", "fetch", Role=make_role(orchard.bench, "picker", PRINCIPAL, [read]))
    assert orchard.invoke("fetch", {"bucket": "crates", "key": "open/a"})["Payload"] == "open/a"
    refused = orchard.invoke("fetch", {"bucket": "crates", "key": "closed/a"})
    assert refused["FunctionError"] == "Unhandled"
    assert refused["Payload"]["errorType"] == "AccessDenied"
    assert "assumed-role/picker/fetch is not authorized to perform: s3:GetObject" in str(refused["Payload"])
    found = [line for line in lines(orchard.trace) if line["principal"].endswith(":role/picker")]
    gets = {(line["resource"], line["verdict"]) for line in found if line["action"] == "s3:GetObject"}
    assert {resource for resource, _ in gets} == {
        "arn:aws:s3:::crates/open/a",
        "arn:aws:s3:::crates/closed/a",
    }
    # It may not write logs either, which does not fail it.
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        orchard.client("logs").describe_log_streams(logGroupName="/aws/lambda/fetch")


@pytest.mark.parametrize(
    ("handler", "event", "settings", "kind", "words", "log"),
    [
        ("spoil", {"tree": "elm"}, {}, "ValueError", "worms in elm", "[ERROR] ValueError: worms in elm"),
        (
            "sleep",
            {"seconds": 60, "loud": True},
            {"Timeout": 1},
            "Sandbox.Timedout",
            r"RequestId: \S+ Error: Task timed out after 1\.00 seconds",
            "Status: timeout",
        ),
        (
            "eat",
            {"megabytes": 400},
            {"MemorySize": 128},
            "Runtime.OutOfMemory",
            r"RequestId: \S+ Error: Runtime exited with error: signal: killed",
            "Error Type: Runtime.OutOfMemory",
        ),
        (
            "fill",
            {"megabytes": 700},
            {"MemorySize": 256},
            "Runtime.ExitError",
            r"RequestId: \S+ Error: No space left on device: 512 MB of temporary storage",
            "Status: error",
        ),
        (
            "leave",
            {"status": 3},
            {},
            "Runtime.ExitError",
            r".* Error: Runtime exited with error: exit status 3",
            "E",
        ),
        (
            "leave",
            {"status": 0},
            {},
            "Runtime.ExitError",
            r".* Error: Runtime exited without providing a reason",
            "E",
        ),
        (
            "strange",
            {},
            {},
            "Runtime.MarshalError",
            r"Unable to marshal response: .*set is not JSON.*",
            "[ERROR]",
        ),
        (
            "large",
            {"bytes": 6_300_000},
            {"MemorySize": 256},
            "Function.ResponseSizeTooLarge",
            r"Response payload size \(6300002 bytes\) exceeded .* payload size \(6291556 bytes\)\.",
            "END",
        ),
        (
            "nowhere",
            {},
            {},
            "Runtime.HandlerNotFound",
            "Handler 'nowhere' missing on module 'orchard'",
            "[ERROR]",
        ),
    ],
)
def test_a_failure_has_lambdas_words(
    orchard: Orchard, handler: str, event: Any, settings: Any, kind: str, words: str, log: str
) -> None:
    name = f"fails-{handler}-{len(json.dumps(event))}-{event.get('status')}"
    orchard.make(name, handler, **settings)
    begun = time.monotonic()
    answer = orchard.invoke(name, event)
    assert time.monotonic() - begun < 8
    payload = answer["Payload"]
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert payload["errorType"] == kind
    assert re.fullmatch(words, payload["errorMessage"])
    assert any(log in line for line in orchard.logs(f"/aws/lambda/{name}", "REPORT"))
    if handler == "spoil":
        assert payload["stackTrace"] == [
            '  File "/var/task/orchard.py", line 10, in spoil\n'
            "    raise ValueError(f\"worms in {event['tree']}\")\n"
        ]
    assert orchard.count("Errors", name) == 1


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (
            "import pandas",
            "Runtime.ImportModuleError",
            "Unable to import module 'orchard': No module named 'pandas'",
        ),
        ("def :", "Runtime.UserCodeSyntaxError", "Syntax error in module 'orchard': .*"),
        ("raise KeyError('gate')", "KeyError", "'gate'"),
        ("raise SystemExit(2)", "Runtime.ExitError", "Runtime exited with error: exit status 2"),
    ],
)
def test_code_that_cannot_be_imported(orchard: Orchard, code: str, kind: str, words: str) -> None:
    name = f"broken-{kind.rpartition('.')[2]}"
    orchard.make(name, "weigh", Code={"ZipFile": archive(orchard=code)})
    for _ in range(2):  # each invocation starts a new environment
        answer = orchard.invoke(name, {})
        assert answer["FunctionError"] == "Unhandled"
        assert answer["Payload"]["errorType"] == kind
        assert re.fullmatch(words, answer["Payload"]["errorMessage"])


def refusal(orchard: Orchard, name: str, **more: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        orchard.client("lambda").invoke(FunctionName=name, **more)
    said = caught.value.response
    return said["Error"]["Code"], said["Error"]["Message"], said["ResponseMetadata"]["HTTPStatusCode"]


def test_another_python_is_run_with_a_notice_and_another_language_refused(orchard: Orchard) -> None:
    orchard.make("newer", "look", Runtime="python3.13")
    assert orchard.invoke("newer", {})["Payload"]["python"] == [3, 11]
    told = orchard.logs("/aws/lambda/newer", "REPORT")
    assert "(the function asks for python3.13; the embedded AWS has only python3.11)" in told[0]
    orchard.make("script", "look", Runtime="nodejs22.x")
    assert refusal(orchard, "script") == (
        "InvalidRuntimeException",
        "Function script has the runtime nodejs22.x. "
        "The embedded AWS runs only Python functions; use python3.11.",
        502,
    )


def test_a_role_that_lambda_may_not_assume(orchard: Orchard) -> None:
    stranger = make_role(orchard.bench, "stranger", "glue.amazonaws.com", [])
    with pytest.raises(ClientError, match=r"The role defined for the function cannot be assumed by Lambda\."):
        orchard.make("estranged", "weigh", Role=stranger)
    role = make_role(orchard.bench, "leaver", PRINCIPAL, [])
    orchard.make("left", "weigh", Role=role)
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    orchard.client("iam").update_assume_role_policy(RoleName="leaver", PolicyDocument=policy)
    code, message, status = refusal(orchard, "left")
    assert (code, status) == ("AccessDeniedException", 403)
    assert message.startswith("The role defined for the function cannot be assumed by Lambda.")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "CreateNetworkInterface on EC2"),
        ({"DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:bin"}}, "SendMessage on SQS"),
    ],
)
def test_a_role_without_the_rights_that_a_setting_needs(
    orchard: Orchard, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=f"execution role does not have permissions to call {words}"):
        orchard.make("poor", "weigh", **settings)


def test_requests_that_are_too_large(orchard: Orchard) -> None:
    orchard.make("narrow", "weigh")
    for kind, size in (("RequestResponse", 6_291_456), ("Event", 1_048_576)):
        code, message, status = refusal(
            orchard, "narrow", InvocationType=kind, Payload=json.dumps("x" * size).encode()
        )
        assert (code, status) == ("RequestTooLargeException", 413)
        assert message == f"Request must be smaller than {size} bytes for the InvokeFunction operation"


def test_reserved_concurrency_bounds_the_function(orchard: Orchard) -> None:
    orchard.make("one", "sleep")
    orchard.client("lambda").put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(orchard.invoke, "one", {"seconds": 2})
        wait_for(lambda: orchard.count("ConcurrentExecutions", "one"))
        code, message, status = refusal(orchard, "one", Payload=b'{"seconds": 0}')
        assert (code, message, status) == ("TooManyRequestsException", "Rate Exceeded.", 429)
        assert first.result()["Payload"] == 2
    assert (orchard.count("Throttles", "one"), orchard.count("Invocations", "one")) == (1, 1)
    assert orchard.count("Duration", "one") == pytest.approx(2000, abs=500)


def test_events_at_the_same_time_have_environments_of_their_own(orchard: Orchard) -> None:
    orchard.make("many", "sleep")
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(orchard.invoke, "many", {"seconds": 1.5}) for _ in range(3)]
        assert [answer.result()["Payload"] for answer in answers] == [1.5] * 3
    assert time.monotonic() - begun < 4


def test_json_logs_go_to_the_group_that_is_set(orchard: Orchard) -> None:
    logging = {"LogFormat": "JSON", "LogGroup": "orchard-diary", "ApplicationLogLevel": "WARN"}
    orchard.make("diary", "weigh", LoggingConfig=logging)
    orchard.invoke("diary", {"tree": "fir", "kilos": 1})
    told = orchard.logs("orchard-diary", "platform.report")
    assert told[2] == "weighing fir"
    kinds = [json.loads(line) for line in (*told[:2], *told[3:])]
    assert [line.get("type") for line in kinds] == [
        *("platform.initStart", "platform.start", None, "platform.report")
    ]
    assert (kinds[2]["level"], kinds[2]["message"]) == ("WARNING", "ripe\nfruit")
    assert kinds[3]["record"]["status"] == "success"


def test_a_published_version_stays_as_it_was(orchard: Orchard) -> None:
    orchard.make("versioned", "look")
    client = orchard.client("lambda")
    version = client.publish_version(FunctionName="versioned")["Version"]
    client.create_alias(FunctionName="versioned", Name="live", FunctionVersion=version)
    client.update_function_code(FunctionName="versioned", ZipFile=archive(orchard="def look(e, c): return 2"))
    client.get_waiter("function_updated_v2").wait(FunctionName="versioned", WaiterConfig={"Delay": 0.1})
    assert orchard.invoke("versioned", {})["Payload"] == 2
    answer = orchard.invoke("versioned", {}, Qualifier="live")
    assert answer["ExecutedVersion"] == "1"
    assert answer["Payload"]["context"]["version"] == "1"
    assert answer["Payload"]["context"]["arn"].endswith(":function:versioned:live")


def processes(folder: Path) -> list[str]:
    """The command lines of processes that have this folder in their environment or command."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if str(folder).encode() in command + (process / "environ").read_bytes():
                found.append(command.decode())
    return found


def test_no_process_is_left_and_functions_survive_a_restart(tmp_path: Path) -> None:
    first = Orchard(tmp_path)
    first.make("look", "look")
    first.make("sleep", "sleep", Timeout=60)
    first.invoke("look", {})
    first.send("sleep", {"seconds": 50})
    wait_for(lambda: len([line for line in processes(tmp_path) if "serve_events.py" in line]) == 2)
    assert first.bench.stop() == 0
    assert processes(tmp_path) == []
    again = Bench(tmp_path)
    answer = again.client("lambda").invoke(FunctionName="look", Payload=b"{}")
    assert json.loads(answer["Payload"].read())["seen"] == 1
    again.process.kill()
    again.process.wait()
    wait_for(lambda: processes(tmp_path) == [])
