"""A lighthouse's schedules: due times in their zone, targets with their role, dead letters."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for

from embedded_aws.scheduler.times import due, is_over

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:lamp"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:lamp-dead"
GROUP = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/lamps"
INPUT = {
    "at": "<aws.scheduler.scheduled-time>",
    "by": "<aws.scheduler.schedule-arn>",
    "id": "<aws.scheduler.execution-id>",
    "attempt": "<aws.scheduler.attempt-number>",
}
# 04:00 in Berlin is 03:00 UTC on this day. The schedules need a moment to be created.
CLOCK = "2010-12-02T02:59:50Z"
DUE = "2010-12-02T03:00:00Z"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def schedule(expression: str, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    made = instant("2026-01-01T00:00:00Z").timestamp()
    given = {"ScheduleExpression": expression, "ScheduleExpressionTimezone": zone, "CreationDate": made}
    return {**given, "State": "ENABLED", **more}


def due_texts(record: dict[str, Any], after: str, until: str) -> list[str]:
    return [f"{at:%Y-%m-%dT%H:%MZ}" for at in due(record, instant(after), instant(until))]


@pytest.mark.parametrize(
    ("record", "after", "until", "found"),
    [
        (
            schedule("cron(0 4 * * ? *)"),
            "2026-01-01T04:00:00Z",
            "2026-01-03T04:00:00Z",
            ["2026-01-02T04:00Z", "2026-01-03T04:00Z"],
        ),
        # The clock goes forward at 2 on the 29th: 03:00 UTC becomes 02:00 UTC.
        (
            schedule("cron(0 4 * * ? *)", "Europe/Berlin"),
            "2026-03-28T00:00:00Z",
            "2026-03-30T00:00:00Z",
            ["2026-03-28T03:00Z", "2026-03-29T02:00Z"],
        ),
        # 02:30 does not exist on that day.
        (
            schedule("cron(30 2 * * ? *)", "Europe/Berlin"),
            "2026-03-28T00:00:00Z",
            "2026-03-31T00:00:00Z",
            ["2026-03-28T01:30Z", "2026-03-30T00:30Z"],
        ),
        # It fires once on the day that has it twice.
        (
            schedule("cron(30 2 * * ? *)", "Europe/Berlin"),
            "2026-10-24T12:00:00Z",
            "2026-10-26T12:00:00Z",
            ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
        ),
        (
            schedule("cron(30 2 * * ? *)", "Europe/Berlin"),
            "2026-10-25T00:30:00Z",
            "2026-10-25T23:00:00Z",
            [],
        ),
        (
            schedule("cron(0 23 ? * SUN *)", "America/Los_Angeles"),
            "2026-11-01T00:00:00Z",
            "2026-11-09T12:00:00Z",
            ["2026-11-02T07:00Z", "2026-11-09T07:00Z"],
        ),
        (schedule("cron(0 4 * * ? *)", State="DISABLED"), "2026-01-01T00:00:00Z", "2026-01-09T00:00:00Z", []),
        (
            schedule(
                "cron(0 4 * * ? *)",
                StartDate=instant("2026-01-02T04:00:00Z").timestamp(),
                EndDate=instant("2026-01-03T04:00:00Z").timestamp(),
            ),
            "2026-01-01T00:00:00Z",
            "2026-01-09T00:00:00Z",
            ["2026-01-02T04:00Z", "2026-01-03T04:00Z"],
        ),
        (
            schedule("rate(12 hours)"),
            "2026-01-01T00:00:00Z",
            "2026-01-02T00:00:00Z",
            ["2026-01-01T12:00Z", "2026-01-02T00:00Z"],
        ),
        (
            schedule("at(2026-06-01T04:00:00)", "Europe/Berlin"),
            "2026-05-01T00:00:00Z",
            "2026-07-01T00:00:00Z",
            ["2026-06-01T02:00Z"],
        ),
        (
            schedule("at(2026-03-29T02:30:00)", "Europe/Berlin"),
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
            [],
        ),
    ],
)
def test_when_a_schedule_is_due(record: dict[str, Any], after: str, until: str, found: list[str]) -> None:
    assert due_texts(record, after, until) == found


def test_a_schedule_is_over_after_its_one_time_or_its_end() -> None:
    once = schedule("at(2026-06-01T04:00:00)")
    assert [is_over(once, instant(f"2026-06-01T{at}:00Z")) for at in ("03:59", "04:00")] == [False, True]
    ended = schedule("rate(1 hour)", EndDate=instant("2026-06-01T00:00:00Z").timestamp())
    assert [is_over(ended, instant(f"2026-{at}T00:00:01Z")) for at in ("05-31", "06-01")] == [False, True]
    assert not is_over(schedule("cron(0 4 * * ? *)"), datetime(2100, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server with all schedules, whose schedule clock starts shortly before four in Berlin."""
    folder = tmp_path_factory.mktemp("tower")
    started = Bench(folder, "--schedule-clock", CLOCK, "--trace", str(folder / "trace.jsonl"))
    prepare(started)
    yield started
    assert started.stop() == 0


def prepare(bench: Bench) -> None:
    sqs, sfn, scheduler, iam = (bench.client(name) for name in ("sqs", "stepfunctions", "scheduler", "iam"))
    runs = make_role(bench, "lamp-runs", "states.amazonaws.com", [statement(["s3:GetObject"], ["*"])])
    definition = {"StartAt": "Shine", "States": {"Shine": {"Type": "Pass", "End": True}}}
    sfn.create_state_machine(name="lamp", definition=json.dumps(definition), roleArn=runs)
    sqs.create_queue(QueueName="lamp-dead")
    scheduler.create_schedule_group(Name="lamps")
    start, send = (
        statement(["states:StartExecution"], [f"{MACHINE}*"]),
        statement(["sqs:SendMessage"], [DEAD]),
    )
    trusted = {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": GROUP}}
    roles = {
        "keeper": ([start, send], trusted),
        "no-start": ([send], trusted),
        "no-rights": ([statement(["s3:GetObject"], ["*"])], trusted),
        "other-group": ([start, send], {"StringEquals": {"aws:SourceArn": GROUP + "x"}}),
    }
    for name, (statements, condition) in roles.items():
        make_role(bench, name, "scheduler.amazonaws.com", statements)
        trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}}
        document = {
            "Version": "2012-10-17",
            "Statement": [{**trust, "Action": "sts:AssumeRole", "Condition": condition}],
        }
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))
    for name, role, more in [
        ("works", "keeper", {}),
        ("off", "keeper", {"State": "DISABLED"}),
        ("in-utc", "keeper", {"ScheduleExpressionTimezone": "UTC"}),
        ("may-not-start", "no-start", {}),
        ("may-nothing", "no-rights", {}),
        ("not-trusted", "other-group", {}),
        ("gone", "keeper", {"Arn": f"{MACHINE}-gone"}),
    ]:
        target = {
            "Arn": more.pop("Arn", MACHINE),
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
            "Input": json.dumps(INPUT),
            "DeadLetterConfig": {"Arn": DEAD},
            "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60},
        }
        given = {
            "ScheduleExpression": "cron(0 4 * * ? *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "GroupName": "lamps",
        }
        scheduler.create_schedule(Name=name, Target=target, **(given | more))


def arn(name: str) -> str:
    return f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/lamps/{name}"


def test_at_four_in_its_zone_the_machine_is_started_once_with_the_context_attributes(tower: Bench) -> None:
    sfn = tower.client("stepfunctions")

    def executions() -> list[Any]:
        return list(sfn.list_executions(stateMachineArn=MACHINE)["executions"])

    (started,) = wait_for(executions)
    given = json.loads(sfn.describe_execution(executionArn=started["executionArn"])["input"])
    assert given["at"] == DUE
    assert given["by"] == arn("works")
    assert given["attempt"] == "1"
    assert len(given["id"]) == 16


@pytest.fixture(scope="module")
def letters(tower: Bench) -> dict[str, Any]:
    """The dead letters by the schedule's name."""
    sqs = tower.client("sqs")
    url = sqs.get_queue_url(QueueName="lamp-dead")["QueueUrl"]
    found: dict[str, Any] = {}

    def both() -> bool:
        options = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        for message in sqs.receive_message(QueueUrl=url, **options).get("Messages", []):
            notes = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
            found[notes["SCHEDULE_ARN"].rsplit("/", 1)[1]] = (json.loads(message["Body"]), notes)
        return len(found) >= 2

    wait_for(both)
    return found


def test_a_start_without_the_right_is_a_dead_letter_with_its_reason(letters: dict[str, Any]) -> None:
    body, notes = letters["may-not-start"]
    assert body["at"] == DUE
    assert notes.pop("EXECUTION_ID") == body["id"]
    message = notes.pop("ERROR_MESSAGE")
    assert "states:StartExecution" in message
    assert "no-start" in message
    assert notes == {
        "ERROR_CODE": "AccessDeniedException",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULE_ARN": arn("may-not-start"),
        "TARGET_ARN": MACHINE,
    }


def test_a_missing_target_is_a_dead_letter_too(letters: dict[str, Any]) -> None:
    _, notes = letters["gone"]
    assert notes["ERROR_CODE"] == "StateMachineDoesNotExist"
    assert notes["TARGET_ARN"] == f"{MACHINE}-gone"


def test_without_the_right_to_send_or_trust_there_is_no_dead_letter(
    tower: Bench, letters: dict[str, Any]
) -> None:
    assert set(letters) == {"may-not-start", "gone"}
    log = tower.log()
    assert f"{arn('may-nothing')}: no dead letter" in log
    assert "role/other-group does not trust scheduler.amazonaws.com" in log


def test_decisions_are_in_the_trace(tower: Bench, letters: dict[str, Any]) -> None:
    lines = [json.loads(line) for line in Path(tower.folder / "trace.jsonl").read_text().splitlines()]
    said = {
        (line["kind"], line["principal"].rsplit("/", 1)[-1], line["action"], line["verdict"])
        for line in lines
    }
    assert ("call", "keeper", "states:StartExecution", "allowed") in said
    assert ("call", "no-start", "states:StartExecution", "denied") in said
    assert ("call", "no-start", "sqs:SendMessage", "allowed") in said
    assert ("call", "no-rights", "sqs:SendMessage", "denied") in said
    trusts = {
        (line["resource"].rsplit("/", 1)[-1], line["verdict"])
        for line in lines
        if line["kind"] == "trust" and line["principal"] == "scheduler.amazonaws.com"
    }
    assert {("keeper", "allowed"), ("other-group", "denied")} <= trusts


def test_metrics_are_those_of_the_group(tower: Bench, letters: dict[str, Any]) -> None:
    cloudwatch = tower.client("cloudwatch")

    def total(name: str) -> float:
        now = datetime.now(UTC)
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Scheduler",
            MetricName=name,
            Dimensions=[{"Name": "ScheduleGroup", "Value": "lamps"}],
            StartTime=now.replace(hour=0, minute=0),
            EndTime=now,
            Period=86_400,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    assert total("InvocationAttemptCount") == 5
    assert total("TargetErrorCount") == 4
    assert total("InvocationsSentToDeadLetterCount") == 2
    assert total("InvocationsFailedToBeSentToDeadLetterCount") == 2
