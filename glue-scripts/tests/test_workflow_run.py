"""The run of a Glue workflow as arguments of the job: its dates, its lock, its books."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from etl import clients
from etl.errors import BooksDoNotBalance, DataQualityCheckFailed, InvalidArguments, LockLost, StorageError
from etl.run.check_books import check_books
from etl.run.lock import hold_lock
from etl.run.workflow_run import MOST_RESUMES, with_workflow_run

ACCOUNT = "arn:aws:glue:eu-west-1:000000000000"
WORKFLOW = f"{ACCOUNT}:workflow/calls"
IN_RUN = ["--workflow_arn", WORKFLOW, "--WORKFLOW_NAME", "calls", "--WORKFLOW_RUN_ID", "wr_3"]
EXECUTION = "arn:aws:states:eu-west-1:000000000000:execution:calls:one"


class Glue:
    """Workflow runs and job runs by id."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.job_runs: dict[str, str] = {}

    def add(self, run_id: str, started: str, *, resumes: str = "", **properties: str) -> None:
        previous = {"PreviousRunId": resumes} if resumes else {}
        self.runs[run_id] = {
            "WorkflowRunId": run_id,
            "StartedOn": datetime.fromisoformat(started),
            "WorkflowRunProperties": properties,
            "Status": "RUNNING",
            **previous,
        }

    def get_workflow_run(self, **asked: str) -> dict[str, Any]:
        if asked["Name"] != "calls" or asked["RunId"] not in self.runs:
            error = {"Code": "EntityNotFoundException", "Message": "Entity not found"}
            raise ClientError({"Error": error}, "GetWorkflowRun")
        return {"Run": self.runs[asked["RunId"]]}

    def get_job_run(self, **asked: str) -> dict[str, Any]:
        return {"JobRun": {"JobRunState": self.job_runs[f"{asked['JobName']}:{asked['RunId']}"]}}


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> Glue:
    fake = Glue()
    monkeypatch.setitem(clients._clients, "glue", fake)
    return fake


def derived(argv: Sequence[str]) -> dict[str, str]:
    """The arguments that are added."""
    added = with_workflow_run(argv)[len(argv) :]
    return dict(part.removeprefix("--").split("=", 1) for part in added)


def test_a_job_outside_of_workflows_has_what_it_was_given() -> None:
    given = ["--pipeline", "calls", "--run_id=one", "--WORKFLOW_RUN_ID", "wr_3"]
    assert with_workflow_run(given) == given


def test_a_scheduled_run_has_its_start(glue: Glue) -> None:
    glue.add("wr_3", "2025-11-22T13:00:04.250+00:00")
    assert derived(IN_RUN) == {
        "run_id": "wr_3",
        "lock_owner": f"{WORKFLOW}:wr_3",
        "run_mode": "daily",
        "scheduled_time": "2025-11-22T13:00:04Z",
    }


def test_a_start_in_another_zone_is_the_same_instant(glue: Glue) -> None:
    glue.add("wr_3", "2025-11-22T05:00:04-08:00")
    assert derived(IN_RUN)["scheduled_time"] == "2025-11-22T13:00:04Z"


def test_a_resumed_run_has_the_start_of_the_first(glue: Glue) -> None:
    glue.add("wr_1", "2025-11-22T13:00:04+00:00")
    glue.add("wr_2", "2025-11-23T09:00:00+00:00", resumes="wr_1")
    glue.add("wr_3", "2025-11-25T09:00:00+00:00", resumes="wr_2")
    found = derived(IN_RUN)
    assert (found["run_id"], found["scheduled_time"]) == ("wr_3", "2025-11-22T13:00:04Z")


@pytest.mark.parametrize(
    ("properties", "dates"),
    [
        (
            {"run_date": "2025-11-01"},
            {"run_mode": "daily", "from_date": "2025-11-01", "to_date": "2025-11-01"},
        ),
        (
            {"from_date": "2025-11-01", "to_date": "2025-11-03"},
            {"run_mode": "backfill", "from_date": "2025-11-01", "to_date": "2025-11-03"},
        ),
        (
            {"run_date": "2025-11-01", "source_subprefix": "again/", "aws:eventIds": "[]", "owner": "me"},
            {
                "run_mode": "daily",
                "from_date": "2025-11-01",
                "to_date": "2025-11-01",
                "source_subprefix": "again/",
            },
        ),
    ],
)
@pytest.mark.parametrize("is_resumed", [False, True])
def test_properties_give_the_dates(
    glue: Glue, properties: dict[str, str], dates: dict[str, str], is_resumed: bool
) -> None:
    if is_resumed:
        glue.add("wr_2", "2025-11-22T13:00:04+00:00", **properties)
        glue.add("wr_3", "2025-11-25T09:00:00+00:00", resumes="wr_2")
    else:
        glue.add("wr_3", "2025-11-22T13:00:04+00:00", **properties)
    assert derived(IN_RUN) == {"run_id": "wr_3", "lock_owner": f"{WORKFLOW}:wr_3", **dates}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"from_date": "2025-11-01"},
            "the properties of workflow run wr_3 must have run_date, or from_date and to_date, got "
            "from_date=2025-11-01",
        ),
        (
            {"run_date": "2025-11-01", "to_date": "2025-11-03"},
            "the properties of workflow run wr_3 must have run_date, or from_date and to_date, got "
            "run_date=2025-11-01, to_date=2025-11-03",
        ),
        (
            {"source_subprefix": "again/"},
            "the properties of workflow run wr_3 must have run_date, or from_date and to_date, got "
            "source_subprefix=again/",
        ),
        (
            {"Run-Date": "2025-11-01"},
            "the workflow run has a property 'Run-Date'; it must be spelt 'run_date': one date, YYYY-MM-DD",
        ),
    ],
)
def test_properties_that_say_half_are_refused(glue: Glue, properties: dict[str, str], message: str) -> None:
    glue.add("wr_3", "2025-11-22T13:00:04+00:00", **properties)
    with pytest.raises(InvalidArguments) as caught:
        with_workflow_run(IN_RUN)
    assert str(caught.value) == message


def test_a_trigger_may_give_the_dates_itself(glue: Glue) -> None:
    given = [*IN_RUN, "--from_date", "2025-11-01", "--to_date", "2025-11-01"]
    assert derived(given) == {"run_id": "wr_3", "lock_owner": f"{WORKFLOW}:wr_3"}


def test_a_job_run_by_hand_owns_its_lock_itself() -> None:
    given = [
        "--workflow_arn",
        WORKFLOW,
        "--JOB_NAME",
        "daily",
        "--JOB_RUN_ID",
        "jr_1",
        "--from_date=2025-11-01",
    ]
    assert derived(given) == {"run_id": "jr_1", "lock_owner": f"{ACCOUNT}:job/daily:jr_1"}
    assert derived([*given, "--run_id", "again"]) == {"lock_owner": f"{ACCOUNT}:job/daily:jr_1"}


def test_a_script_outside_of_glue_needs_everything() -> None:
    assert derived(["--workflow_arn", WORKFLOW]) == {}


def test_a_run_that_cannot_be_read_is_named(glue: Glue) -> None:
    with pytest.raises(
        StorageError, match=r"^cannot read run wr_3 of workflow calls: EntityNotFoundException: "
    ):
        with_workflow_run(IN_RUN)


def test_a_chain_without_end_is_refused(glue: Glue) -> None:
    glue.add("wr_3", "2025-11-22T13:00:04+00:00", resumes="wr_3")
    with pytest.raises(InvalidArguments, match=f"resumes more than {MOST_RESUMES} runs"):
        with_workflow_run(IN_RUN)


class Locks:
    """A table that judges the three conditions of the lock."""

    def __init__(self) -> None:
        self.owner: str | None = None
        self.asked: list[str] = []
        self.before_put: Any = None

    def put_item(self, **asked: Any) -> None:
        if self.before_put is not None and "stale" in asked["ConditionExpression"]:
            self.before_put()
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        right = {
            "attribute_not_exists(#owner) OR #owner = :me": (None, values[":me"]),
            "#owner = :stale OR #owner = :me": (values.get(":stale"), values[":me"]),
        }[asked["ConditionExpression"]]
        if self.owner not in right:
            error = {"Code": "ConditionalCheckFailedException", "Message": "no"}
            held = {"Item": {"owner": {"S": self.owner}}}
            raise ClientError({"Error": error, **held}, "PutItem")
        self.owner = asked["Item"]["owner"]["S"]

    def delete_item(self, **asked: Any) -> None:
        assert asked["ConditionExpression"] == "#owner = :me"
        if self.owner != asked["ExpressionAttributeValues"][":me"]["S"]:
            error = {"Code": "ConditionalCheckFailedException", "Message": "no"}
            raise ClientError({"Error": error}, "DeleteItem")
        self.owner = None


class Executions:
    status = "RUNNING"

    def describe_execution(self, **asked: str) -> dict[str, str]:
        if self.status == "":
            error = {"Code": "ExecutionDoesNotExist", "Message": asked["executionArn"]}
            raise ClientError({"Error": error}, "DescribeExecution")
        return {"status": self.status}


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Locks:
    fake = Locks()
    monkeypatch.setitem(clients._clients, "dynamodb", fake)
    return fake


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> Executions:
    fake = Executions()
    monkeypatch.setitem(clients._clients, "stepfunctions", fake)
    return fake


ME = f"{WORKFLOW}:wr_9"


def test_a_free_lock_is_held_and_released(locks: Locks) -> None:
    with hold_lock("locks", "calls", ME):
        assert locks.owner == ME
    assert locks.owner is None


def test_a_failure_releases_the_lock(locks: Locks) -> None:
    with pytest.raises(ZeroDivisionError), hold_lock("locks", "calls", ME):
        raise ZeroDivisionError
    assert locks.owner is None


def test_a_lock_that_another_took_meanwhile_is_left(locks: Locks) -> None:
    with hold_lock("locks", "calls", ME):
        locks.owner = EXECUTION
    assert locks.owner == EXECUTION


@pytest.mark.parametrize(
    ("owner", "status", "is_taken"),
    [
        (EXECUTION, "RUNNING", False),
        (EXECUTION, "PENDING_REDRIVE", False),
        (EXECUTION, "FAILED", True),
        (EXECUTION, "", True),
        (f"{WORKFLOW}:wr_3", "RUNNING", False),
        (f"{WORKFLOW}:wr_3", "STOPPING", False),
        (f"{WORKFLOW}:wr_3", "COMPLETED", True),
        (f"{WORKFLOW}:wr_3", "ERROR", True),
        (f"{WORKFLOW}:wr_4", "", True),
        (f"{ACCOUNT}:job/daily:jr_1", "RUNNING", False),
        (f"{ACCOUNT}:job/daily:jr_1", "WAITING", False),
        (f"{ACCOUNT}:job/daily:jr_1", "TIMEOUT", True),
        ("somebody", "", False),
    ],
)
def test_the_lock_of_an_owner_that_ended_is_taken_over(
    locks: Locks, glue: Glue, executions: Executions, owner: str, status: str, is_taken: bool
) -> None:
    locks.owner, executions.status = owner, status
    glue.add("wr_3", "2025-11-22T13:00:04+00:00")
    glue.runs["wr_3"]["Status"] = status
    glue.job_runs["daily:jr_1"] = status
    if is_taken:
        with hold_lock("locks", "calls", ME):
            assert locks.owner == ME
        assert locks.owner is None
        return
    with pytest.raises(LockLost) as caught, hold_lock("locks", "calls", ME):
        raise AssertionError("the lock is not ours")
    assert str(caught.value) == (
        f"pipeline calls is owned by {owner}, not by {ME}; "
        "nothing was written: once that run has ended, run this one again"
    )
    assert locks.owner == owner


def test_a_lock_that_another_took_over_first_is_lost(
    locks: Locks, glue: Glue, executions: Executions
) -> None:
    locks.owner, executions.status = f"{WORKFLOW}:wr_4", ""
    locks.before_put = lambda: setattr(locks, "owner", EXECUTION)
    with pytest.raises(LockLost, match=f"owned by {EXECUTION}"), hold_lock("locks", "calls", ME):
        raise AssertionError("the lock is not ours")
    assert locks.owner == EXECUTION


COUNTS = {"read": 10, "written": 7, "duplicates": 2, "quarantined": 1}
NOTHING = dict.fromkeys(COUNTS, 0)


def put_summary(folder: Path, **changes: Any) -> str:
    summary = {"runId": "wr_3", "outcome": "SUCCEEDED", **COUNTS, "restated": NOTHING, **changes}
    (folder / "wr_3").mkdir()
    (folder / "wr_3" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return f"{folder}/"


def test_books_that_add_up_are_right(tmp_path: Path) -> None:
    check_books(put_summary(tmp_path, sources={"ios": COUNTS, "android": NOTHING}), "wr_3")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"written": 6},
            "read 10 rows, but written 6 + duplicates 2 + quarantined 1 = 9",
        ),
        (
            {"restated": COUNTS | {"read": 11}},
            "of the restated dates: read 11 rows, but written 7 + duplicates 2 + quarantined 1 = 10",
        ),
        (
            {"sources": {"ios": COUNTS | {"duplicates": 1}, "android": NOTHING}},
            "of source ios: read 10 rows, but written 7 + duplicates 1 + quarantined 1 = 9; "
            "the sources duplicates 1 rows, and the books say 2",
        ),
        (
            {"sources": {"ios": COUNTS, "android": NOTHING | {"read": 1, "written": 1}}},
            "the sources read 11 rows, and the books say 10; the sources written 8 rows, and the books say 7",
        ),
    ],
)
def test_books_that_do_not_add_up_are_refused(tmp_path: Path, changes: Any, message: str) -> None:
    books = put_summary(tmp_path, **changes)
    with pytest.raises(BooksDoNotBalance) as caught:
        check_books(books, "wr_3")
    assert str(caught.value) == f"{message}: {books}wr_3/summary.json"


def test_missing_books_and_those_of_another_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BooksDoNotBalance, match=r"^the books at .*wr_3/summary.json are missing or cannot be "
    ):
        check_books(f"{tmp_path}/", "wr_3")
    books = put_summary(tmp_path, runId="wr_2")
    with pytest.raises(BooksDoNotBalance, match=r"are of run wr_2, not of wr_3$"):
        check_books(books, "wr_3")


def test_a_refused_run_fails_with_its_text(tmp_path: Path) -> None:
    books = put_summary(tmp_path, outcome="REFUSED", refused={"text": "the 10 rows read fail their rules"})
    with pytest.raises(DataQualityCheckFailed, match=r"^the 10 rows read fail their rules$"):
        check_books(books, "wr_3")
