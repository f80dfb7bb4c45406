"""Events of Glue's job runs and crawls, and runs of a workflow that a rule's events start."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

import pytest
from brewery import on_demand
from conftest import ACCOUNT, REGION, Bench, make_role, queue_policy, statement, wait_for

BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:rule"
WORKFLOW = f"arn:aws:glue:{REGION}:{ACCOUNT}:workflow"

DRY = b"""
import time
import boto3
s3 = boto3.client("s3")
while "Contents" not in s3.list_objects_v2(Bucket="hopyard", Prefix="dried"):
    time.sleep(0.2)
"""


class Hopyard:
    """A bench, and a queue that gets every event of Glue."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.glue, self.events = bench, bench.client("glue"), bench.client("events")
        self.sqs = bench.client("sqs")
        self.url = self.sqs.create_queue(
            QueueName="hopyard", Attributes={"Policy": queue_policy("hopyard", "hopyard-all")}
        )["QueueUrl"]
        self.seen: list[dict[str, Any]] = []
        s3 = bench.client("s3")
        s3.create_bucket(Bucket="hopyard", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="hopyard", Key="cones/a.json", Body=b'{"weight": 2}')
        s3.put_object(Bucket="hopyard", Key="code/dry.py", Body=DRY)
        self.glue.create_database(DatabaseInput={"Name": "hopyard"})
        everything = statement(["s3:*", "glue:*", "logs:*"], ["*"])
        self.role = make_role(bench, "hop-picker", "glue.amazonaws.com", [everything])
        self.rule("hopyard-all", {"source": ["aws.glue"]})
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:hopyard"
        self.events.put_targets(Rule="hopyard-all", Targets=[{"Id": "q", "Arn": queue}])

    def rule(self, name: str, pattern: dict[str, Any]) -> None:
        self.events.put_rule(Name=name, EventPattern=json.dumps(pattern))

    def crawler(self, name: str, role: str = "") -> None:
        target = {"S3Targets": [{"Path": "s3://hopyard/cones/"}]}
        self.glue.create_crawler(Name=name, Role=role or self.role, DatabaseName="hopyard", Targets=target)

    def await_events(self, wanted: Callable[[dict[str, Any]], bool], count: int) -> list[dict[str, Any]]:
        """So many events, oldest first."""

        def look() -> list[dict[str, Any]] | None:
            for message in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
                "Messages", []
            ):
                self.seen.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            found = [one for one in self.seen if wanted(one)]
            return found if len(found) >= count else None

        return list(wait_for(look))


@pytest.fixture(scope="module")
def hopyard(bench: Bench) -> Iterator[Hopyard]:
    yield Hopyard(bench)
    bench.client("events").disable_rule(Name="hopyard-all")


def test_crawls_of_a_workflow_emit_their_start_and_end(hopyard: Hopyard) -> None:
    blind = make_role(hopyard.bench, "hop-blind", "glue.amazonaws.com", [])
    hopyard.crawler("cones")
    hopyard.crawler("cones-blind", blind)
    hopyard.glue.create_workflow(Name="picking")
    actions = ({"CrawlerName": "cones"}, {"CrawlerName": "cones-blind"})
    hopyard.glue.create_trigger(**on_demand("picking-start", *actions, WorkflowName="picking"))
    hopyard.glue.start_workflow_run(Name="picking")
    found = hopyard.await_events(lambda one: one["detail"].get("crawlerName", "").startswith("cones"), 4)
    assert {one["detail-type"] for one in found} == {"Glue Crawler State Change"}
    by_name: dict[str, list[Any]] = {}
    for one in found:
        by_name.setdefault(one["detail"]["crawlerName"], []).append(one["detail"])
    assert [one["state"] for one in by_name["cones"]] == ["Started", "Succeeded"]
    assert [one["state"] for one in by_name["cones-blind"]] == ["Started", "Failed"]
    done = by_name["cones"][1]
    assert (done["tablesCreated"], done["partitionsCreated"], done["message"]) == (
        "1",
        "0",
        "Crawler Succeeded",
    )
    assert "not authorized" in by_name["cones-blind"][1]["errorMessage"]


def test_job_runs_emit_a_notice_of_delay_and_their_end(hopyard: Hopyard) -> None:
    """The job ends once the notice has come."""
    command = {"Name": "glueetl", "ScriptLocation": "s3://hopyard/code/dry.py"}
    hopyard.glue.create_job(Name="dry", Role=hopyard.role, Command=command, GlueVersion="5.1")
    action = {"JobName": "dry", "NotificationProperty": {"NotifyDelayAfter": 1}, "Timeout": 60}
    hopyard.glue.create_trigger(**on_demand("dry-start", action))
    hopyard.glue.start_trigger(Name="dry-start")
    (late,) = hopyard.await_events(lambda one: one["detail-type"] == "Glue Job Run Status", 1)
    hopyard.bench.client("s3").put_object(Bucket="hopyard", Key="dried", Body=b"")
    (run,) = hopyard.glue.get_job_runs(JobName="dry")["JobRuns"]
    assert run["NotificationProperty"] == {"NotifyDelayAfter": 1}
    assert late["detail"] == {
        "jobName": "dry",
        "severity": "INFO",
        "notificationCondition": {"NotifyDelayAfter": 1},
        "state": "RUNNING",
        "jobRunId": run["Id"],
        "message": "Job is in RUNNING state",
        "startedOn": f"{run['StartedOn'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    (end,) = hopyard.await_events(
        lambda one: one["detail-type"] == "Glue Job State Change" and one["detail"]["jobName"] == "dry", 1
    )
    assert (end["source"], end["account"], end["region"]) == ("aws.glue", ACCOUNT, REGION)
    assert end["detail"] == {
        "jobName": "dry",
        "severity": "INFO",
        "state": "SUCCEEDED",
        "jobRunId": run["Id"],
        "message": "Job run succeeded",
    }


def test_no_event_tells_of_a_workflow_or_a_trigger(hopyard: Hopyard) -> None:
    kinds = {"Glue Crawler State Change", "Glue Job State Change", "Glue Job Run Status"}
    assert {one["detail-type"] for one in hopyard.seen} <= kinds


# -- runs that events start --


def notify(hopyard: Hopyard, name: str, *rights: dict[str, Any], **batch: int) -> Callable[[int], list[str]]:
    """A workflow with an EVENT trigger and a rule for it. Returns a function that puts so many events."""
    hopyard.glue.create_workflow(Name=name, MaxConcurrentRuns=5)
    trigger: dict[str, Any] = {"Name": f"{name}-came", "Type": "EVENT", "WorkflowName": name}
    if batch:
        trigger["EventBatchingCondition"] = batch
    hopyard.glue.create_trigger(**trigger, Actions=[{"CrawlerName": f"{name}-none"}])
    role = make_role(hopyard.bench, f"{name}-rule", "events.amazonaws.com", list(rights))
    hopyard.rule(name, {"source": [f"hopyard.{name}"]})
    target = {"Id": "w", "Arn": f"{WORKFLOW}/{name}", "RoleArn": role}
    hopyard.events.put_targets(Rule=name, Targets=[target])

    def put(count: int) -> list[str]:
        entry = {"Source": f"hopyard.{name}", "DetailType": "truck", "Detail": "{}"}
        return [one["EventId"] for one in hopyard.events.put_events(Entries=[entry] * count)["Entries"]]

    return put


def may_notify(name: str) -> dict[str, Any]:
    return statement(["glue:NotifyEvent"], [f"{WORKFLOW}/{name}"])


def runs(hopyard: Hopyard, name: str, count: int) -> list[dict[str, Any]]:
    def look() -> Any:
        found = hopyard.glue.get_workflow_runs(Name=name)["Runs"]
        return found if len(found) >= count else None

    return list(wait_for(look))


def test_one_event_starts_one_run_by_default(hopyard: Hopyard) -> None:
    put = notify(hopyard, "truck", may_notify("truck"))
    ids = put(1)
    (run,) = runs(hopyard, "truck", 1)
    assert json.loads(run["WorkflowRunProperties"]["aws:eventIds"]) == ids
    assert run["StartingEventBatchCondition"]["BatchSize"] == 1


def test_a_full_batch_starts_one_run(hopyard: Hopyard) -> None:
    put = notify(hopyard, "convoy", may_notify("convoy"), BatchSize=3, BatchWindow=900)
    ids = put(2)
    assert hopyard.glue.get_workflow_runs(Name="convoy")["Runs"] == []
    ids += put(1)
    (run,) = runs(hopyard, "convoy", 1)
    assert sorted(json.loads(run["WorkflowRunProperties"]["aws:eventIds"])) == sorted(ids)
    assert run["StartingEventBatchCondition"]["BatchSize"] == 3


def test_a_window_starts_a_run_with_fewer_events(hopyard: Hopyard) -> None:
    put = notify(hopyard, "straggler", may_notify("straggler"), BatchSize=9, BatchWindow=1)
    ids = put(2)
    (run,) = runs(hopyard, "straggler", 1)
    assert sorted(json.loads(run["WorkflowRunProperties"]["aws:eventIds"])) == sorted(ids)
    assert run["StartingEventBatchCondition"]["BatchSize"] == 2


def test_a_rule_without_the_right_starts_nothing(hopyard: Hopyard) -> None:
    put = notify(hopyard, "thief", may_notify("truck"))
    put(1)
    words = "is not authorized to perform: glue:NotifyEvent on resource"
    wait_for(lambda: f"{words}: {WORKFLOW}/thief" in hopyard.bench.log())
    assert hopyard.glue.get_workflow_runs(Name="thief")["Runs"] == []
