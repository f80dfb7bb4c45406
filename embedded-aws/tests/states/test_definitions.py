"""Invalid definitions are refused with their place, valid ones are accepted."""

import json
from typing import Any

import pytest
from conftest import ACCOUNT, REGION, Bench
from executions import task

PASS = {"Type": "Pass", "End": True}


def validate(bench: Bench, definition: str, **more: Any) -> dict[str, Any]:
    answer = bench.client("stepfunctions").validate_state_machine_definition(definition=definition, **more)
    return dict(answer)


def found(bench: Bench, machine: Any) -> list[tuple[str, str]]:
    """Codes and locations of the diagnostics."""
    text = machine if isinstance(machine, str) else json.dumps(machine)
    answer = validate(bench, text)
    assert answer["result"] == ("FAIL" if answer["diagnostics"] else "OK")
    return [(entry["code"], entry["location"]) for entry in answer["diagnostics"]]


def of(state: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    """A definition that begins with this state."""
    return {"StartAt": "S", "States": {"S": state, **others}}


SCHEMA, TARGET, RESOURCE = "SCHEMA_VALIDATION_FAILED", "MISSING_TRANSITION_TARGET", "INVALID_RESOURCE"
CHOICE = {"Variable": "$.a", "IsPresent": True}


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (" ", [("MISSING_DESCRIPTION", "")]),
        ("{", [("INVALID_JSON_DESCRIPTION", "")]),
        ("[]", [(SCHEMA, "/States")]),
        ({"StartAt": "S"}, [(SCHEMA, "/States")]),
        ({"StartAt": "S", "States": {}}, [(SCHEMA, "/States")]),
        ({"States": {"S": PASS}}, [(SCHEMA, "/StartAt"), (TARGET, "/States/S")]),
        ({"StartAt": "T", "States": {"S": PASS}}, [(TARGET, "/StartAt"), (TARGET, "/States/S")]),
        (of({"Type": "Passs", "End": True}), [(SCHEMA, "/States/S/Type")]),
        (of({"End": True}), [(SCHEMA, "/States/S/Type")]),
        (of({"Type": "Pass", "Next": "T"}), [(TARGET, "/States/S/Next")]),
        (of({"Type": "Pass"}), [(SCHEMA, "/States/S")]),
        (of(PASS, Alone=PASS), [(TARGET, "/States/Alone")]),
        (
            of({"Type": "Choice", "Default": "T"}),
            [(SCHEMA, "/States/S/Choices"), (TARGET, "/States/S/Default")],
        ),
        (
            of({"Type": "Choice", "Choices": [{**CHOICE, "Next": "T"}]}),
            [(TARGET, "/States/S/Choices[0]/Next")],
        ),
        (
            of(task("sns:publish", {}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "T"}])),
            [(TARGET, "/States/S/Catch[0]/Next")],
        ),
        (of({"Type": "Task", "End": True}), [(SCHEMA, "/States/S/Resource")]),
        (of({"Type": "Parallel", "End": True}), [(SCHEMA, "/States/S/Branches")]),
        (
            of({"Type": "Parallel", "Branches": [of(PASS), of({"Type": "Pass", "Next": "S2"})], "End": True}),
            [(TARGET, "/States/S/Branches[1]/States/S/Next")],
        ),
        (of({"Type": "Map", "ItemProcessor": {}, "End": True}), [(SCHEMA, "/States/S/ItemProcessor/States")]),
    ],
)
def test_a_mistake_is_found_with_its_place(
    bench: Bench, machine: Any, expected: list[tuple[str, str]]
) -> None:
    assert found(bench, machine) == expected


@pytest.mark.parametrize(
    ("resource", "exists"),
    [
        ("athena:startQueryExecution.sync", True),
        ("athena:getQueryResults.sync", False),
        ("athena:listQueryExecutions", False),
        ("dynamodb:putItem", True),
        ("dynamodb:scan", False),
        ("glue:startJobRun.sync", True),
        ("glue:startJobRun.sync:2", False),
        ("glue:startCrawler.sync", False),
        ("states:startExecution.sync:2", True),
        ("sqs:sendMessage.waitForTaskToken", True),
        ("glue:startJobRun.waitForTaskToken", False),
        ("sns:publishh.waitForTaskToken", False),
        ("lambda:invoke.waitForTaskToken", True),
        ("aws-sdk:glue:getCrawler", True),
        ("aws-sdk:glue:crawl", False),
        ("aws-sdk:glue:startJobRun.sync", False),
        ("aws-sdk:sfn:describeExecution", True),
        ("aws-sdk:elasticloadbalancingv2:describeRules", True),
    ],
)
def test_an_integration_exists_or_not(bench: Bench, resource: str, exists: bool) -> None:
    assert found(bench, of(task(resource, {}))) == ([] if exists else [(RESOURCE, "/States/S/Resource")])


@pytest.mark.parametrize(
    ("resource", "exists"),
    [
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:wash", True),
        (f"arn:aws:states:{REGION}:{ACCOUNT}:activity:wash", True),
        (f"arn:aws:s3:::{ACCOUNT}", False),
        ("wash", False),
    ],
)
def test_a_worker_is_named_by_its_arn(bench: Bench, resource: str, exists: bool) -> None:
    state = {**task("", {}), "Resource": resource}
    assert found(bench, of(state)) == ([] if exists else [(RESOURCE, "/States/S/Resource")])


def test_a_valid_definition_with_every_kind_of_state_is_accepted(bench: Bench) -> None:
    chosen: dict[str, Any] = {"Type": "Choice", "Choices": [{**CHOICE, "Next": "Each"}], "Default": "No"}
    each = {"Type": "Map", "Iterator": of(PASS), "Next": "Both"}
    both = {"Type": "Parallel", "Branches": [of(PASS), of(PASS)], "Next": "Wait"}
    wait = {"Type": "Wait", "Seconds": 1, "Next": "Yes"}
    others: dict[str, dict[str, Any]] = {
        "Each": each,
        "Both": both,
        "Wait": wait,
        "Yes": {"Type": "Succeed"},
        "No": {"Type": "Fail"},
    }
    assert found(bench, of(chosen, **others)) == []


def test_the_number_of_diagnostics_is_limited(bench: Bench) -> None:
    machine = json.dumps(of({"Type": "Pass", "Next": "T"}, Alone=PASS))
    answers = [validate(bench, machine, maxResults=most) for most in (0, 1, 2)]
    assert [(len(answer["diagnostics"]), answer["truncated"]) for answer in answers] == [
        *((2, False), (1, True), (2, False))
    ]
    assert {answer["result"] for answer in answers} == {"FAIL"}
