"""The function `watch_workflow`: what it asks, reports and records, with stand-ins for Glue, DynamoDB, SNS,
CloudWatch and S3 whose requests are held against the services' descriptions."""

import io
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from conftest import ROOT
from etl.run.schedule import run_date_of
from workflows import ANDROID, DAILY, IOS, MOBILE, START, WELL, mobile

sys.path.insert(0, str(ROOT / "functions" / "watch_workflow"))

import run_report
import watch_workflow
from run_report import MOST_MESSAGE_BYTES, Judged, write_report
from run_verdict import Part, Verdict

pytestmark = pytest.mark.once

TOPIC = "arn:aws:sns:eu-west-1:000000000000:etl-dev-notifications"
SETTINGS: dict[str, Any] = {
    "workflow": "etl-dev-mobile-users",
    "region": "eu-west-1",
    "pipeline": "mobile-users",
    "environment": "dev",
    "title": "mobile-users in dev",
    "console": "https://console.example/workflows/view/etl-dev-mobile-users",
    "topic": TOPIC,
    "claims": "etl-dev-locks",
    "books": {"bucket": "processed", "prefix": "books/mobile-users/"},
    "mayFail": [IOS, ANDROID],
    "lateAfterMinutes": 180,
    "runDate": {"timeZone": "America/Los_Angeles", "lagDays": 1},
    "namespace": "EtlPipelines",
    "runs": {
        "dimension": "WorkflowName",
        "succeeded": "RunsSucceeded",
        "failed": "RunsFailed",
        "stopped": "RunsStopped",
        "duration": "RunTime",
        "stillRunning": "RunsStillRunning",
    },
    "rows": {
        "dimension": "StateMachineName",
        "rowsRead": "RowsRead",
        "rowsWritten": "RowsWritten",
        "rowsQuarantined": "RowsQuarantined",
        "rowsDuplicate": "RowsDuplicate",
        "sourcesMissing": "SourcesMissing",
    },
    "runbook": {
        "failed": "https://wiki.example/workflow-run.md",
        "missing": "docs/runbook/missing-delivery.md",
    },
}
BOOKS = {
    "outcome": "SUCCEEDED",
    "fromDate": "2026-01-30",
    "toDate": "2026-01-30",
    "read": 10,
    "written": 7,
    "duplicates": 1,
    "quarantined": 2,
}
SCHEDULED: dict[str, Any] = {}
JOB_EVENT = {"source": "aws.glue", "detail-type": "Glue Job State Change"}


def error(code: str, operation: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 120_000


class World:
    """The services, and the time. Every request must be one that its service takes."""

    def __init__(self) -> None:
        self.now = START + timedelta(hours=1)
        self.runs: dict[str, dict[str, Any]] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.objects: dict[str, str] = {}
        self.messages: list[dict[str, str]] = []
        self.metrics: list[dict[str, Any]] = []
        self.waits = 0
        self.page_size = 2
        self.before: Callable[[str], None] = lambda operation: None

    def add(self, run: dict[str, Any]) -> None:
        self.runs[run["WorkflowRunId"]] = run

    def client(self, service: str) -> Any:
        return Service(self, service)

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.now += timedelta(seconds=seconds)
        self.before("wait")

    # Each operation of each service that the function may use.

    def get_workflow_runs(self, **asked: Any) -> dict[str, Any]:
        assert asked["Name"] == "etl-dev-mobile-users"
        assert asked["IncludeGraph"] is False
        runs = [{key: run[key] for key in run if key != "Graph"} for run in self.runs.values()]
        start = int(asked.get("NextToken", "0"))
        more = {"NextToken": str(start + self.page_size)} if start + self.page_size < len(runs) else {}
        return {"Runs": runs[start : start + self.page_size], **more}

    def get_workflow_run(self, **asked: Any) -> dict[str, Any]:
        assert asked["Name"] == "etl-dev-mobile-users"
        assert asked["IncludeGraph"] is True
        if asked["RunId"] not in self.runs:
            raise error("EntityNotFoundException", "GetWorkflowRun")
        return {"Run": self.runs[asked["RunId"]]}

    def update_item(self, **asked: Any) -> dict[str, Any]:
        assert asked["TableName"] == "etl-dev-locks"
        key = asked["Key"]["pipeline"]["S"]
        assert key.startswith("runs/etl-dev-mobile-users/wr_")
        item = self.items.get(key, {})
        values = {
            name: next(iter(value.values())) for name, value in asked["ExpressionAttributeValues"].items()
        }
        if asked["UpdateExpression"] == "SET #token = :token, #until = :until":
            assert asked["ConditionExpression"] == (
                "attribute_not_exists(#token) OR (attribute_not_exists(#done) AND #until < :now)"
            )
            is_free = "reportedAt" not in item and item.get("until", 0.0) < float(values[":now"])
            if "token" in item and not is_free:
                raise error("ConditionalCheckFailedException", "UpdateItem", Item=wire(item))
            self.items[key] = item | {"token": values[":token"], "until": float(values[":until"])}
            return {"Attributes": wire(item)} if item else {}
        assert asked["ConditionExpression"] == "#token = :token"
        if item.get("token") != values[":token"]:
            raise error("ConditionalCheckFailedException", "UpdateItem")
        self.items[key] = item | {asked["ExpressionAttributeNames"]["#step"]: values[":now"]}
        return {}

    def publish(self, **asked: Any) -> dict[str, Any]:
        assert asked["TopicArn"] == TOPIC
        self.messages.append({"subject": asked["Subject"], "message": asked["Message"]})
        return {}

    def put_metric_data(self, **asked: Any) -> dict[str, Any]:
        assert asked["Namespace"] == "EtlPipelines"
        self.metrics += asked["MetricData"]
        return {}

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        assert asked["Bucket"] == "processed"
        found = [{"Key": key} for key in self.objects if key.startswith(asked["Prefix"])]
        return {"Contents": found} if found else {}

    def get_object(self, **asked: Any) -> dict[str, Any]:
        assert asked["Bucket"] == "processed"
        return {"Body": io.BytesIO(self.objects[asked["Key"]].encode())}

    @property
    def subjects(self) -> list[str]:
        return [message["subject"] for message in self.messages]

    @property
    def recorded(self) -> list[tuple[str, str, float]]:
        """Metrics as (name, dimension, value)."""
        return [(one["MetricName"], one["Dimensions"][0]["Name"], one["Value"]) for one in self.metrics]

    def books(self, run_id: str, **change: Any) -> None:
        self.objects[f"books/mobile-users/{run_id}/summary.json"] = json.dumps(BOOKS | change)


def wire(item: dict[str, Any]) -> dict[str, Any]:
    return {name: {"S": str(value)} for name, value in item.items()}


class Service:
    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.model = boto3.client(name, region_name="eu-west-1").meta
        self.operations = self.model.method_to_api_mapping

    def __getattr__(self, method: str) -> Callable[..., Any]:
        shape = self.model.service_model.operation_model(self.operations[method]).input_shape

        def call(**asked: Any) -> Any:
            report = ParamValidator().validate(asked, shape)
            assert not report.has_errors(), report.generate_report()
            self.world.before(method)
            return getattr(self.world, method)(**asked)

        return call


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("SETTINGS", json.dumps(SETTINGS))
    made = World()
    monkeypatch.setattr(watch_workflow, "_client", made.client)
    monkeypatch.setattr(watch_workflow, "_now", lambda: made.now)
    monkeypatch.setattr(watch_workflow, "_wait", made.wait)
    watch_workflow._settings.cache_clear()
    watch_workflow._reported.clear()
    yield made
    watch_workflow._settings.cache_clear()


def look(event: dict[str, Any] = SCHEDULED) -> dict[str, Any]:
    return watch_workflow.handler(event, Context())


def cold_look() -> dict[str, Any]:
    """A call of a function that has just been started."""
    watch_workflow._reported.clear()
    return look()


def test_a_success_is_reported_once_with_its_figures(world: World) -> None:
    world.add(mobile().run(WELL))
    world.books("wr_1")
    assert look() == {"reported": ["wr_1"], "running": 0, "late": 0}
    assert look() == cold_look() == {"reported": [], "running": 0, "late": 0}
    assert world.subjects == ["mobile-users in dev: SUCCEEDED"]
    text, _, document = world.messages[0]["message"].partition("\n\n--- JSON ---\n")
    assert text == (
        "mobile-users in dev: SUCCEEDED\n\n"
        "Run dates 2026-01-30 to 2026-01-30: read 10 = written 7 + duplicates 1 + quarantined 2.\n\n"
        "Run: wr_1\nhttps://console.example/workflows/view/etl-dev-mobile-users"
    )
    assert json.loads(document) == {
        "pipeline": "mobile-users",
        "environment": "dev",
        "status": "COMPLETED",
        "outcome": "SUCCEEDED",
        "workflow": "etl-dev-mobile-users",
        "runId": "wr_1",
        "previousRunId": None,
        "firstRunId": "wr_1",
        "warnings": [],
        "console": "https://console.example/workflows/view/etl-dev-mobile-users",
        "books": BOOKS,
    }
    assert world.recorded == [
        ("RunsSucceeded", "WorkflowName", 1),
        ("RunTime", "WorkflowName", 20 * 60_000),
        ("RowsRead", "StateMachineName", 10),
        ("RowsWritten", "StateMachineName", 7),
        ("RowsQuarantined", "StateMachineName", 2),
        ("RowsDuplicate", "StateMachineName", 1),
    ]
    assert {one["Dimensions"][0]["Value"] for one in world.metrics} == {"etl-dev-mobile-users"}
    assert [one["Unit"] for one in world.metrics] == ["Count", "Milliseconds", *["Count"] * 4]


def test_each_source_has_its_figures_and_one_that_is_missing_counts(world: World) -> None:
    world.add(mobile().run(WELL))
    text = "ios: read 10 = written 7 + duplicates 1 + quarantined 2; missing: android on 2026-01-30"
    world.books("wr_1", sourcesText=text, missingCount=1)
    look()
    assert f"quarantined 2.\n\n{text}.\n\nRun: wr_1" in world.messages[0]["message"]
    assert world.recorded[-1] == ("SourcesMissing", "StateMachineName", 1)


def test_an_empty_delivery_keeps_its_outcome_and_a_raw_crawl_is_a_warning(world: World) -> None:
    world.add(mobile().run(WELL | {IOS: ("FAILED", "Access denied\n  to the bucket.")}))
    world.books("wr_1", outcome="EMPTY")
    look()
    assert world.subjects == ["mobile-users in dev: EMPTY"]
    assert (
        "Warning: the crawl of etl-dev-segmentlogs-IOS ended FAILED: Access denied to the bucket. "
        "The run went on without it."
    ) in world.messages[0]["message"]


def test_a_failed_job_is_reported_as_it_is_sent(world: World) -> None:
    run = mobile().run(
        {IOS: "CANCELLED", ANDROID: "SUCCEEDED", DAILY: ("FAILED", "LockLost: owned by another")}
    )
    world.add(run)
    look()
    assert world.subjects == ["mobile-users in dev: FAILED"]
    text, _, document = world.messages[0]["message"].partition("\n\n--- JSON ---\n")
    command = (
        "aws glue resume-workflow-run --region eu-west-1 --name etl-dev-mobile-users --run-id wr_1 "
        "--node-ids wnode_etl-dev-mobile-user-daily"
    )
    assert text == (
        "mobile-users in dev: FAILED\n\n"
        "Cause: the job etl-dev-mobile-user-daily ended FAILED: LockLost: owned by another; "
        "not run for this reason: the crawl of etl-dev-segmentlogs-Mobile\n\n"
        "Warning: the crawl of etl-dev-segmentlogs-IOS ended CANCELLED.\n\n"
        "Run: wr_1\nhttps://console.example/workflows/view/etl-dev-mobile-users\n\n"
        "To do: Fix the cause, then resume the run: it starts the nodes of the command and all behind them "
        "again, as a run of its own that keeps the run date.\n\n"
        f"Command:\n{command}\n\n"
        "Runbook: https://wiki.example/workflow-run.md"
    )
    fields = json.loads(document)
    assert fields["command"] == command
    assert fields["failed"] == [
        {
            "kind": "job",
            "name": DAILY,
            "node": f"wnode_{DAILY}",
            "state": "FAILED",
            "error": "LockLost: owned by another",
        }
    ]
    assert fields["notReached"] == [MOBILE]
    assert world.recorded == [("RunsFailed", "WorkflowName", 1), ("RunTime", "WorkflowName", 1_200_000)]


def text_of(world: World) -> str:
    return world.messages[-1]["message"].partition("\n\n--- JSON ---\n")[0]


def command_of(world: World) -> str:
    return text_of(world).partition("Command:\n")[2].partition("\n\nRunbook")[0]


def test_nothing_delivered_is_an_outcome_of_its_own(world: World) -> None:
    ends = {IOS: "SUCCEEDED", ANDROID: "SUCCEEDED", DAILY: ("FAILED", "MissingDelivery: ios, android")}
    world.add(mobile().run(ends))
    look()
    assert world.subjects == ["mobile-users in dev: MISSING"]
    assert (
        "To do: Nothing was delivered for these dates. Ask the source; once the delivery has arrived, then"
        in (text_of(world))
    )
    assert command_of(world).startswith("aws glue resume-workflow-run ")
    assert text_of(world).endswith("Runbook: docs/runbook/missing-delivery.md")


NEW_RUN = (
    "aws glue start-workflow-run --region eu-west-1 --name etl-dev-mobile-users "
    '--run-properties \'{"run_date": "2026-01-30"}\''
)


@pytest.mark.parametrize(
    ("run", "cause", "advice", "command"),
    [
        (
            mobile(off="etl-dev-mobile-crawler-trigger").run(
                {IOS: "SUCCEEDED", ANDROID: "SUCCEEDED", DAILY: "SUCCEEDED"}
            ),
            "the crawl of etl-dev-segmentlogs-Mobile was never started, although its trigger "
            "etl-dev-mobile-crawler-trigger was due (DEACTIVATED)",
            "Fix the cause, then start a new run: resuming this one would not start all that did not run. "
            "Activate the trigger first, with the first command.",
            "aws glue start-trigger --region eu-west-1 --name etl-dev-mobile-crawler-trigger\n" + NEW_RUN,
        ),
        (
            mobile().run({IOS: "SUCCEEDED", ANDROID: "CANCELLED"}, status="STOPPED"),
            "somebody stopped the run; not run for this reason: the job etl-dev-mobile-user-daily, "
            "the crawl of etl-dev-segmentlogs-Mobile",
            "Ask who stopped the run, and whether its dates must still be run; if so, start a new run: "
            "Glue cannot resume a stopped one.",
            NEW_RUN,
        ),
        (
            mobile().run(
                {},
                status="ERROR",
                ErrorMessage="Concurrent runs exceeded for workflow: etl-dev-mobile-users.",
                WorkflowRunProperties={
                    "from_date": "2026-01-01",
                    "to_date": "2026-01-30",
                    "aws:eventIds": "[]",
                },
            ),
            "Concurrent runs exceeded for workflow: etl-dev-mobile-users; not run for this reason: "
            "the crawl of etl-dev-segmentlogs-IOS, the crawl of etl-dev-segmentlogs-Android, "
            "the job etl-dev-mobile-user-daily, the crawl of etl-dev-segmentlogs-Mobile",
            "Another run was under way, and the workflow has one at a time. "
            "Start a new run once that has ended.",
            "aws glue start-workflow-run --region eu-west-1 --name etl-dev-mobile-users "
            '--run-properties \'{"from_date": "2026-01-01", "to_date": "2026-01-30"}\'',
        ),
        (
            mobile().run({}, status="ERROR", ErrorMessage="Internal error"),
            "Internal error; not run for this reason: "
            "the crawl of etl-dev-segmentlogs-IOS, the crawl of etl-dev-segmentlogs-Android, "
            "the job etl-dev-mobile-user-daily, the crawl of etl-dev-segmentlogs-Mobile",
            "Fix the cause, then start a new run: Glue cannot resume this one.",
            NEW_RUN,
        ),
    ],
    ids=["never started", "stopped", "refused", "error"],
)
def test_where_resuming_cannot_help_a_new_run_is_started_with_its_date(
    world: World, run: dict[str, Any], cause: str, advice: str, command: str
) -> None:
    world.books("wr_1")
    world.add(run)
    look()
    assert text_of(world).split("\n\n")[1] == f"Cause: {cause}"
    assert f"\n\nTo do: {advice}\n\n" in text_of(world)
    assert command_of(world) == command
    kind = "RunsStopped" if run["Status"] == "STOPPED" else "RunsFailed"
    assert (kind, "WorkflowName", 1) in world.recorded


def test_properties_are_quoted_for_a_shell(world: World) -> None:
    given = {"run_date": "it's; $(x)"}
    world.add(mobile().run({IOS: "CANCELLED"}, status="STOPPED", WorkflowRunProperties=given))
    look()
    assert json.loads(shlex.split(command_of(world))[-1]) == given


def test_a_run_whose_date_nobody_knows_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTINGS", json.dumps(SETTINGS | {"runDate": None}))
    world.add(mobile().run({IOS: "CANCELLED"}, status="STOPPED"))
    look()
    assert command_of(world) == "aws glue start-workflow-run --region eu-west-1 --name etl-dev-mobile-users"
    assert "Its date follows from its start: set it in --run-properties if it must be another." in text_of(
        world
    )


@pytest.mark.parametrize("instant", ["2026-03-08T07:59:59Z", "2026-03-08T08:00:00Z", "2026-11-01T06:59:59Z"])
def test_the_date_is_the_one_that_the_job_derives(world: World, instant: str) -> None:
    first = {"StartedOn": datetime.fromisoformat(instant)}
    job: date = run_date_of(instant, "America/Los_Angeles", 1)
    assert watch_workflow._run_date(SETTINGS, first) == job


def test_a_runtime_without_zones_leaves_the_date_out() -> None:
    settings = SETTINGS | {"runDate": {"timeZone": "No/Where", "lagDays": 1}}
    assert watch_workflow._run_date(settings, {"StartedOn": START}) is None


def test_a_resumed_run_is_a_run_of_its_own_and_names_the_first(world: World) -> None:
    ends = {IOS: "SUCCEEDED", ANDROID: "SUCCEEDED", DAILY: "FAILED"}
    world.add(mobile().run(ends, run_id="wr_0"))
    world.add(mobile().run({DAILY: "TIMEOUT"}, run_id="wr_1", minutes=25, PreviousRunId="wr_0"))
    world.add(
        mobile().run(
            {DAILY: "SUCCEEDED", MOBILE: "SUCCEEDED"},
            run_id="wr_2",
            minutes=50,
            lasts=5,
            PreviousRunId="wr_1",
        )
    )
    world.books("wr_2")
    assert look()["reported"] == ["wr_0", "wr_1", "wr_2"]
    assert world.subjects == [f"mobile-users in dev: {how}" for how in ("FAILED", "FAILED", "SUCCEEDED")]
    assert "\n\nRun: wr_2, which resumes wr_0\n" in text_of(world)
    assert [name for name, _, _ in world.recorded].count("RowsRead") == 1


def test_the_figures_of_a_job_are_recorded_with_its_run_and_not_with_the_one_that_resumes(
    world: World,
) -> None:
    world.add(mobile().run(WELL | {MOBILE: "FAILED"}, run_id="wr_0"))
    world.add(mobile().run({MOBILE: "SUCCEEDED"}, run_id="wr_1", minutes=25, PreviousRunId="wr_0"))
    world.books("wr_0")
    look()
    assert [name for name, _, _ in world.recorded].count("RowsRead") == 1
    assert world.recorded[1][0] == "RunTime"
    assert world.recorded[2][0] == "RowsRead"
    # The message has them all the same.
    assert "read 10 = written 7" in text_of(world)


def test_a_run_resumed_from_one_that_glue_forgot_is_judged_alone(world: World) -> None:
    world.add(mobile().run(WELL, run_id="wr_1", PreviousRunId="wr_0"))
    world.books("wr_1")
    look()
    assert world.subjects == ["mobile-users in dev: SUCCEEDED"]


@pytest.mark.parametrize(
    ("summary", "why"),
    [
        (None, "it left no books at s3://processed/books/mobile-users/wr_1/summary.json"),
        (
            "{}",
            "its books at s3://processed/books/mobile-users/wr_1/summary.json have no outcome, fromDate, "
            "toDate, read, written, duplicates, quarantined",
        ),
        (
            "no json",
            "its books at s3://processed/books/mobile-users/wr_1/summary.json cannot be read: Expecting",
        ),
    ],
)
def test_a_job_without_books_is_no_success(world: World, summary: str | None, why: str) -> None:
    if summary is not None:
        world.objects["books/mobile-users/wr_1/summary.json"] = summary
    world.add(mobile().run(WELL))
    look()
    assert world.subjects == ["mobile-users in dev: FAILED"]
    assert f"Cause: the job {DAILY} ended SUCCEEDED: {why}" in text_of(world)
    assert command_of(world).endswith(f"--node-ids wnode_{DAILY}")
    assert ("RunsFailed", "WorkflowName", 1) in world.recorded


def test_jobs_that_write_no_books_are_not_asked_for_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTINGS", json.dumps(SETTINGS | {"books": None}))
    world.add(mobile().run(WELL))
    look()
    assert world.subjects == ["mobile-users in dev: SUCCEEDED"]
    assert [name for name, _, _ in world.recorded] == ["RunsSucceeded", "RunTime"]


def test_a_run_under_way_is_left_alone_and_counted_once_it_is_late(world: World) -> None:
    world.add(mobile().run({IOS: "RUNNING"}, status="RUNNING"))
    world.now = START + timedelta(minutes=180)
    assert look() == {"reported": [], "running": 1, "late": 0}
    world.now += timedelta(seconds=1)
    assert look() == look() == {"reported": [], "running": 1, "late": 1}
    assert world.recorded == [("RunsStillRunning", "WorkflowName", 1)] * 2
    assert world.messages == []


def test_an_old_run_is_not_reported_by_a_new_watcher(world: World) -> None:
    world.add(mobile().run({IOS: "CANCELLED"}, status="STOPPED"))
    world.now = START + timedelta(minutes=20, days=7, seconds=1)
    assert look()["reported"] == []
    world.now -= timedelta(seconds=1)
    assert look()["reported"] == ["wr_1"]


def test_an_event_waits_for_a_run_that_is_about_to_end(world: World) -> None:
    run = mobile().run(WELL, status="RUNNING")
    world.add(run)
    world.books("wr_1")

    def end(operation: str) -> None:
        if operation == "wait" and world.waits == 2:
            world.add(mobile().run(WELL))

    world.before = end
    assert look(JOB_EVENT)["reported"] == ["wr_1"]
    assert world.waits == 2


def test_an_event_gives_up_after_half_a_minute_and_the_schedule_finds_the_run(world: World) -> None:
    world.add(mobile().run(WELL, status="RUNNING"))
    world.books("wr_1")
    assert look(JOB_EVENT)["reported"] == []
    assert world.waits == 6
    world.add(mobile().run(WELL))
    assert look()["reported"] == ["wr_1"]


@pytest.mark.parametrize(
    ("event", "ends"),
    [(JOB_EVENT, {IOS: "SUCCEEDED"}), (JOB_EVENT, {IOS: "RUNNING"}), (SCHEDULED, WELL)],
)
def test_nobody_waits_where_a_node_is_left_or_the_schedule_looks(
    world: World, event: dict[str, Any], ends: dict[str, Any]
) -> None:
    world.add(mobile().run(ends, status="RUNNING"))
    assert look(event)["reported"] == []
    assert world.waits == 0


# Exactly once.


def test_of_two_at_once_one_reports(world: World) -> None:
    world.add(mobile().run(WELL))
    world.books("wr_1")
    inner: list[dict[str, Any]] = []

    def other(operation: str) -> None:
        if operation == "put_metric_data" and not inner:
            inner.append({})
            inner[0] = look()

    world.before = other
    assert look()["reported"] == ["wr_1"]
    assert inner[0]["reported"] == []
    assert len(world.messages) == 1
    assert len(world.metrics) == 6


class Killed(BaseException):
    """The function's end, which it cannot catch."""


@pytest.mark.parametrize(
    ("at", "metrics"),
    [("get_workflow_run", 6), ("list_objects_v2", 6), ("put_metric_data", 6), ("publish", 6)],
)
def test_one_that_is_killed_is_followed_by_another_when_its_claim_is_over(
    world: World, at: str, metrics: int
) -> None:
    world.add(mobile().run(WELL))
    world.books("wr_1")

    def kill(operation: str) -> None:
        if operation == at:
            raise Killed

    world.before = kill
    with pytest.raises(Killed):
        look()
    world.before = lambda operation: None
    # Its call may last 120 s, and a minute more for clocks that differ.
    world.now += timedelta(seconds=180)
    assert cold_look()["reported"] == []
    world.now += timedelta(seconds=1)
    assert cold_look()["reported"] == ["wr_1"]
    assert cold_look()["reported"] == []
    assert len(world.messages) == 1
    assert len(world.metrics) == metrics


def test_one_that_lost_its_claim_reports_nothing(world: World) -> None:
    world.add(mobile().run(WELL))
    world.books("wr_1")

    def overtake(operation: str) -> None:
        if operation == "put_metric_data":
            world.items["runs/etl-dev-mobile-users/wr_1"]["token"] = "another"  # noqa: S105 (no secret)

    world.before = overtake
    with pytest.raises(watch_workflow.WatchFailed, match=r"^wr_1: ClientError: .*ConditionalCheckFailed"):
        look()
    assert world.messages == []


def test_one_run_that_cannot_be_reported_does_not_hold_back_the_others(world: World) -> None:
    for number in range(3):
        world.add(mobile().run(WELL, run_id=f"wr_{number}", minutes=number))
        world.books(f"wr_{number}")
    world.add(mobile().run({IOS: "RUNNING"}, run_id="wr_9", status="RUNNING", minutes=-600))
    published: list[str] = []

    def refuse(operation: str) -> None:
        if operation == "publish":
            published.append(operation)
            if len(published) == 2:
                raise error("Throttling", "Publish")

    world.before = refuse
    with pytest.raises(watch_workflow.WatchFailed, match=r"^wr_1: ClientError: .*Throttling"):
        look()
    assert len(world.messages) == 2
    assert ("RunsStillRunning", "WorkflowName", 1) in world.recorded
    world.now += timedelta(minutes=5)
    assert look()["reported"] == ["wr_1"]
    assert [name for name, _, _ in world.recorded].count("RunsSucceeded") == 3


def test_a_run_is_asked_for_once_while_the_function_is_warm(world: World) -> None:
    world.add(mobile().run(WELL))
    world.books("wr_1")
    cold_look()
    asked: list[str] = []
    world.before = asked.append
    cold_look()
    assert asked == ["get_workflow_runs", "update_item"]
    asked.clear()
    look()
    assert asked == ["get_workflow_runs"]


def test_importing_asks_no_service_and_settings_are_read_at_the_call() -> None:
    assert "boto3" not in vars(watch_workflow)


# The limits of a message.


def test_the_longest_message_is_taken_by_sns() -> None:
    """Names of 255 characters and errors without end, each of four bytes and escaped in JSON."""
    wide = "\U0001f4a5"

    def part(number: int) -> Part:
        name = str(number) + 250 * '"'
        return Part(
            "job", name, "n" * 255, "FAILED", wide * 5_000, trigger="t" * 255, trigger_state="CREATED"
        )

    parts = tuple(part(number) for number in range(100))
    verdict = Verdict("FAILED", parts, parts, parts, parts, tuple("n" * 255 for _ in parts), wide * 100)
    run = mobile().run({}, status="COMPLETED")
    report = write_report(SETTINGS, Judged(run, run, verdict, None, date(2026, 1, 30)))
    assert len(report.message.encode()) <= MOST_MESSAGE_BYTES
    assert "and 90 more" in report.message
    assert report.message.count(wide * 600 + "…") > 0
    json.loads(report.message.rpartition("\n")[2])


@pytest.mark.parametrize("title", ["Müller", "a\nb", "x" * 300])
def test_a_subject_is_short_and_ascii(title: str) -> None:
    run = mobile().run(WELL)
    report = write_report(SETTINGS | {"title": title}, Judged(run, run, Verdict("SUCCEEDED"), None, None))
    assert report.subject.isascii()
    assert report.subject.isprintable()
    assert len(report.subject) < 100
    assert run_report.MOST_SUBJECT < 100


def test_instants_of_claims_are_in_utc(world: World) -> None:
    world.add(mobile().run(WELL))
    world.books("wr_1")
    look()
    item = world.items["runs/etl-dev-mobile-users/wr_1"]
    assert item["reportedAt"] == item["recordedAt"] == "2026-01-31T15:00:00.000Z"
    assert item["until"] == (datetime(2026, 1, 31, 15, 3, tzinfo=UTC)).timestamp()
