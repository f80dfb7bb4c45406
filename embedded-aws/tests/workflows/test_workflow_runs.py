"""Runs of a brewery's workflows: real crawls and job runs that triggers chain."""

import pytest
from brewery import Brewery, after, node, nodes, on_demand
from conftest import Bench


@pytest.fixture(scope="module")
def brewery(bench: Bench) -> Brewery:
    return Brewery(bench)


def test_a_crawl_fires_a_job_within_the_run(brewery: Brewery) -> None:
    crawler, job = brewery.crawler("malt-crawler"), brewery.job("malt-job")
    brewery.workflow(
        "malt",
        on_demand("malt-start", {"CrawlerName": crawler}),
        after("malt-crawled", [("crawler:malt-crawler", "SUCCEEDED")], {"JobName": job}),
    )
    run = brewery.finish("malt")
    assert run["Status"] == "COMPLETED"
    assert run["WorkflowRunId"].startswith("wr_")
    assert nodes(run) == {"malt-crawler": ["SUCCEEDED"], "malt-job": ["SUCCEEDED"]}
    assert run["Statistics"] == {
        "TotalActions": 2,
        "TimeoutActions": 0,
        "FailedActions": 0,
        "StoppedActions": 0,
        "SucceededActions": 2,
        "RunningActions": 0,
        "ErroredActions": 0,
        "WaitingActions": 0,
    }
    names = {one["UniqueId"]: one["Name"] for one in run["Graph"]["Nodes"]}
    arrows = [(names[one["SourceId"]], names[one["DestinationId"]]) for one in run["Graph"]["Edges"]]
    assert arrows == [
        ("malt-start", "malt-crawler"),
        ("malt-crawler", "malt-crawled"),
        ("malt-crawled", "malt-job"),
    ]
    (job_run,) = node(run, "malt-job")["JobDetails"]["JobRuns"]
    assert (job_run["TriggerName"], job_run["PredecessorRuns"]) == ("malt-crawled", [])
    table = brewery.glue.get_table(DatabaseName="cellar", Name="brews")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["hop"]
