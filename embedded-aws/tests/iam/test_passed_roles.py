"""Passing a role to a service needs the right for that service; shown with a mill's state machine."""

from collections.abc import Iterator

import pytest
from archive import Archive, refused
from conftest import REGION, Bench, statement

from embedded_aws.iam.passed_roles import Passed, passed_roles
from embedded_aws.iam.request_resources import scheduler_resource

ACCOUNT = "000000000000"
MILLER = f"arn:aws:iam::{ACCOUNT}:role/miller"


@pytest.mark.parametrize(
    ("service", "action", "data", "expected"),
    [
        ("glue", "CreateJob", {"Role": "miller"}, [(MILLER, "glue")]),
        ("glue", "UpdateJob", {"JobUpdate": {"Role": MILLER}}, [(MILLER, "glue")]),
        ("glue", "CreateCrawler", {"Role": MILLER}, [(MILLER, "glue")]),
        ("glue", "GetJob", {"JobName": "grind"}, []),
        ("states", "UpdateStateMachine", {"roleArn": MILLER}, [(MILLER, "states")]),
        ("states", "UpdateStateMachine", {"definition": "{}"}, []),
        ("states", "StartExecution", {"roleArn": MILLER}, []),
        ("events", "PutTargets", {"Targets": [{"RoleArn": MILLER}, {"Id": "1"}]}, [(MILLER, "events")]),
        ("scheduler", "", {"Target": {"RoleArn": MILLER}}, [(MILLER, "scheduler")]),
        ("scheduler", "", {}, []),
    ],
)
def test_the_role_that_a_call_passes(
    service: str, action: str, data: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    wanted = tuple(Passed(role, f"{name}.amazonaws.com") for role, name in expected)
    assert passed_roles(service, action, data, ACCOUNT) == wanted


@pytest.mark.parametrize(
    ("path", "asked", "expected"),
    [
        ("/schedules/grind", {"groupName": "mill"}, "schedule/mill/grind"),
        ("/schedules/grind", {"GroupName": "mill"}, "schedule/mill/grind"),
        ("/schedules/grind", {}, "schedule/default/grind"),
        ("/schedule-groups/mill", {}, "schedule-group/mill"),
        ("/schedules", {}, ""),
    ],
)
def test_the_resource_of_a_call_of_the_scheduler(path: str, asked: dict[str, str], expected: str) -> None:
    arn = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:{expected}" if expected else ""
    assert scheduler_resource(path, asked, f"{REGION}:{ACCOUNT}") == arn


def test_the_tags_of_a_schedule_group_are_checked_on_it() -> None:
    group = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/mill"
    assert scheduler_resource("/tags/" + group.replace(":", "%3A").replace("/", "%2F"), {}, "") == group


@pytest.fixture(scope="module")
def mill(bench: Bench) -> Iterator[Archive]:
    yield Archive(bench, "millwright")


def test_creating_a_machine_needs_the_right_to_pass_its_role(mill: Archive) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{mill.role}"  # an existing one
    make = statement(["states:CreateStateMachine"], ["*"])
    wanted = {
        "name": "passed-mill",
        "roleArn": role,
        "definition": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
    }
    to_glue = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    to_states = {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}
    for passing in ([], [statement(["iam:PassRole"], [role], **to_glue)]):
        client = mill.client("stepfunctions", make, *passing)
        refused(lambda client=client: client.create_state_machine(**wanted), "iam:PassRole", role)
    client = mill.client("stepfunctions", make, statement(["iam:PassRole"], [role], **to_states))
    assert client.create_state_machine(**wanted)["stateMachineArn"].endswith(":stateMachine:passed-mill")


def test_conditions_see_the_tags_of_a_key(bench: Bench, mill: Archive) -> None:
    owner = bench.client("kms")
    keys = [
        owner.create_key(Tags=[{"TagKey": "guild", "TagValue": guild}])["KeyMetadata"]["Arn"]
        for guild in ("millers", "bakers")
    ]
    ours = {"StringEquals": {"aws:ResourceTag/guild": "millers"}}
    kms = mill.client("kms", statement(["kms:DescribeKey"], ["*"], **ours))
    assert kms.describe_key(KeyId=keys[0])["KeyMetadata"]["Arn"] == keys[0]
    refused(lambda: kms.describe_key(KeyId=keys[1]), "kms:DescribeKey", keys[1])
