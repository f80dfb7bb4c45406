"""A granary's schedules by the bench's clock, and what remains of its workflows after a restart."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from brewery import Brewery, after, node, nodes
from conftest import Bench, wait_for

from embedded_aws.glue.workflows.timer import due_times

CLOCK = "2010-12-02T02:59:48Z"
"""Three o'clock is soon, but there is time for one call."""
AT_THREE = {"Type": "SCHEDULED", "Schedule": "cron(0 3 * * ? *)"}


def prepare(folder: Path) -> None:
    """Workflows and triggers that wait for three o'clock."""
    bench = Bench(folder)
    brewery = Brewery(bench)
    glue = brewery.glue
    for name in ("silo", "barn", "loft"):
        brewery.crawler(name)
    # Their table is there: two first crawls at once would both make it, and one of them would fail.
    glue.start_crawler(Name=brewery.crawler("first"))
    wait_for(lambda: "LastCrawl" in glue.get_crawler(Name="first")["Crawler"])
    for name in ("mill", "press"):
        brewery.job(name, "ferment")
    sow = {**AT_THREE, "Name": "silo-clock", "Actions": [{"CrawlerName": "silo"}, {"JobName": "mill"}]}
    brewery.workflow(
        "silo",
        {**sow, "StartOnCreation": True},
        after("silo-next", [("mill", "FAILED"), ("mill", "STOPPED")], {"CrawlerName": "barn"}, logical="ANY"),
        DefaultRunProperties={"grain": "oats"},
    )
    full = {**AT_THREE, "Name": "full-clock", "Actions": [{"JobName": "press"}], "StartOnCreation": True}
    brewery.workflow("full", full, MaxConcurrentRuns=1)
    alone = {**AT_THREE, "Name": "loft-clock", "Actions": [{"CrawlerName": "loft"}]}
    glue.create_trigger(**alone, StartOnCreation=True)
    glue.create_trigger(**AT_THREE, Name="barn-clock", Actions=[{"CrawlerName": "barn"}])  # not activated
    assert bench.stop() == 0


def test_schedules_fire_and_runs_in_flight_end_with_the_server(tmp_path: Path) -> None:
    prepare(tmp_path)
    bench = Bench(tmp_path, "--schedule-clock", CLOCK)
    glue = bench.client("glue")
    by_hand = glue.start_workflow_run(Name="full")["RunId"]

    def look(workflow: str, run_id: str) -> dict[str, Any]:
        answer = bench.client("glue").get_workflow_run(Name=workflow, RunId=run_id, IncludeGraph=True)
        return dict(answer["Run"])

    def both() -> Any:
        found = glue.get_workflow_runs(Name="full")["Runs"]
        return found if len(found) > 1 else None

    refused, running = wait_for(both)
    assert (running["WorkflowRunId"], running["Status"]) == (by_hand, "RUNNING")
    assert refused["Status"] == "ERROR"
    assert refused["ErrorMessage"] == "Concurrent runs exceeded for workflow: full."
    assert {key: value for key, value in refused["Statistics"].items() if value} == {"TotalActions": 1}
    (run,) = wait_for(lambda: glue.get_workflow_runs(Name="silo")["Runs"])
    run_id = run["WorkflowRunId"]
    wait_for(lambda: "LastCrawl" in glue.get_crawler(Name="loft")["Crawler"])
    wait_for(lambda: nodes(look("silo", run_id)).get("silo") == ["SUCCEEDED"])
    wait_for(lambda: nodes(look("silo", run_id)).get("mill") == ["RUNNING"])
    before = glue.get_workflow(Name="silo", IncludeGraph=True)["Workflow"]["Graph"]
    assert bench.stop() == 0

    bench = Bench(tmp_path)
    try:
        glue = bench.client("glue")
        ended = look("silo", run_id)
        assert (ended["Status"], ended["WorkflowRunProperties"]) == ("COMPLETED", {"grain": "oats"})
        states = nodes(ended)
        assert (states["silo"], states["barn"]) == (["SUCCEEDED"], [])
        assert states["mill"][0] in ("FAILED", "STOPPED")
        (mill,) = node(ended, "mill")["JobDetails"]["JobRuns"]
        assert mill == glue.get_job_run(JobName="mill", RunId=mill["Id"])["JobRun"]
        assert look("full", by_hand)["Status"] == "COMPLETED"
        assert glue.get_workflow(Name="silo", IncludeGraph=True)["Workflow"]["Graph"] == before
        assert glue.get_trigger(Name="loft-clock")["Trigger"]["State"] == "ACTIVATED"
        assert glue.get_trigger(Name="barn-clock")["Trigger"]["State"] == "CREATED"
        assert "LastCrawl" not in glue.get_crawler(Name="barn")["Crawler"]
        again = {"Name": "silo", "RunId": run_id, "NodeIds": [node(ended, "silo")["UniqueId"]]}
        resumed = glue.resume_workflow_run(**again)["RunId"]
        wait_for(lambda: look("silo", resumed)["Status"] == "COMPLETED")
    finally:
        assert bench.stop() == 0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["2026-03-29T03:00", "2026-03-30T03:00"]),  # UTC, whatever clocks do on that day
        ({"State": "CREATED"}, []),
        ({"State": "DEACTIVATED"}, []),
        ({"Type": "ON_DEMAND"}, []),
    ],
)
def test_when_a_scheduled_trigger_fires(change: dict[str, str], expected: list[str]) -> None:
    trigger = {**AT_THREE, "State": "ACTIVATED", **change}
    first, last = (datetime.fromisoformat(f"2026-03-{day}T12:00:00+00:00") for day in (28, 30))
    assert [f"{at:%Y-%m-%dT%H:%M}" for at in due_times(trigger, first, last)] == expected
