"""Runs of a brewery's workflows: real crawls and job runs that triggers chain."""

import json
from typing import Any

import pytest
from brewery import Brewery, after, node, nodes, on_demand
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for
from job_ends import ended


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
    table = brewery.glue.get_table(DatabaseName="brewery", Name="brews")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["hop"]


def test_failures_fire_what_watches_them_and_the_run_is_completed_all_the_same(brewery: Brewery) -> None:
    """The crawler lacks a right; one job has a foreign role, one is at its limit, and one is gone."""
    brewery.crawler("hop-crawler", brewery.blind)
    brewery.job("hop-stranger", Role=brewery.stranger)
    brewery.job("hop-full", ExecutionProperty={"MaxConcurrentRuns": 0})
    failed = [("crawler:hop-crawler", "FAILED"), ("hop-stranger", "FAILED"), ("hop-full", "FAILED")]
    brewery.workflow(
        "hops",
        on_demand("hop-start", *({"JobName": f"hop-{name}"} for name in ("stranger", "full", "gone"))),
        after("hop-crawls", [("hop-full", "FAILED")], {"CrawlerName": "hop-crawler"}),
        after("hop-report", failed, {"JobName": "hop-notice"}),
        after("hop-fine", [("crawler:hop-crawler", "SUCCEEDED")], {"JobName": "hop-never"}),
        {
            **after("hop-asleep", [("hop-full", "FAILED")], {"JobName": "hop-never"}),
            "StartOnCreation": False,
        },
    )
    brewery.job("hop-notice")
    run = brewery.finish("hops")
    assert run["Status"] == "COMPLETED"
    assert nodes(run) == {
        "hop-stranger": ["FAILED"],
        "hop-full": ["FAILED"],
        "hop-gone": ["ERROR"],
        "hop-crawler": ["FAILED"],
        "hop-notice": ["SUCCEEDED"],
        "hop-never": [],
    }
    counted = {key: value for key, value in run["Statistics"].items() if value}
    assert counted == {"TotalActions": 6, "FailedActions": 3, "ErroredActions": 1, "SucceededActions": 1}

    def message(name: str) -> str:
        return str(node(run, name)["JobDetails"]["JobRuns"][0]["ErrorMessage"])

    assert message("hop-full") == "Max concurrent runs exceeded"
    assert "does not trust glue.amazonaws.com" in message("hop-stranger")
    assert "hop-gone not found" in message("hop-gone")
    assert "s3:ListBucket" in node(run, "hop-crawler")["CrawlerDetails"]["Crawls"][0]["ErrorMessage"]
    refused = brewery.glue.get_job_runs(JobName="hop-full")["JobRuns"][0]
    assert (refused["JobRunState"], refused["TriggerName"]) == ("FAILED", "hop-start")


def test_properties_and_arguments_reach_the_jobs(brewery: Brewery) -> None:
    brewery.job("stout-label", "label", DefaultArguments={"--hop": "default"})
    brewery.job("stout-brew", NonOverridableArguments={"--fixed": "kept"}, Timeout=7)
    action = {"JobName": "stout-brew", "Arguments": {"--outcome": "sour", "--fixed": "lost"}, "Timeout": 9}
    brewery.workflow(
        "stout",
        on_demand("stout-start", {"JobName": "stout-label", "Arguments": {"--hop": "fuggle"}}),
        after("stout-labelled", [("stout-label", "SUCCEEDED")], action),
        DefaultRunProperties={"beer": "ale", "cask": "oak"},
    )
    run = brewery.finish("stout", RunProperties={"beer": "stout"})
    properties = {"beer": "stout", "cask": "oak", "label": "stout with fuggle"}
    assert run["WorkflowRunProperties"] == properties
    which = {"Name": "stout", "RunId": run["WorkflowRunId"]}
    assert brewery.glue.get_workflow_run_properties(**which)["RunProperties"] == properties
    workflow = brewery.glue.get_workflow(Name="stout", IncludeGraph=True)["Workflow"]
    assert workflow["DefaultRunProperties"] == {"beer": "ale", "cask": "oak"}
    assert workflow["LastRun"]["WorkflowRunId"] == run["WorkflowRunId"]
    assert nodes(workflow) == {"stout-label": [], "stout-brew": []}
    assert nodes(run) == {"stout-label": ["SUCCEEDED"], "stout-brew": ["FAILED"]}
    (brewed,) = node(run, "stout-brew")["JobDetails"]["JobRuns"]
    assert "ValueError: sour" in brewed["ErrorMessage"]
    assert (brewed["Timeout"], brewed["Arguments"]["--outcome"]) == (9, "sour")
    stream = {"logGroupName": "/aws-glue/jobs/output", "logStreamName": brewed["Id"]}
    events = brewery.bench.client("logs").get_log_events(**stream)["events"]
    (line,) = [one["message"] for one in events if one["message"].startswith("arguments")]
    for word in ("--WORKFLOW_NAME", "'stout'", "--WORKFLOW_RUN_ID", f"'{run['WorkflowRunId']}'", "'kept'"):
        assert word in line
    assert "lost" not in line


def test_a_stopped_run_stops_its_jobs_and_starts_no_more(brewery: Brewery) -> None:
    glue = brewery.glue
    brewery.job("lager-tank", "ferment")
    brewery.workflow(
        "lager",
        on_demand("lager-start", {"JobName": "lager-tank"}),
        after("lager-stopped", [("lager-tank", "STOPPED")], {"JobName": "lager-after"}),
        MaxConcurrentRuns=1,
    )
    run_id = glue.start_workflow_run(Name="lager")["RunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException, match="for workflow: lager"):
        glue.start_workflow_run(Name="lager")
    with pytest.raises(glue.exceptions.IllegalWorkflowStateException):
        glue.resume_workflow_run(Name="lager", RunId=run_id, NodeIds=["wnode_1"])
    running = brewery.run("lager", run_id)
    assert (running["Status"], running["Statistics"]["RunningActions"]) == ("RUNNING", 1)
    assert "CompletedOn" not in running
    glue.stop_workflow_run(Name="lager", RunId=run_id)
    run = brewery.ended("lager", run_id, 60)
    assert (run["Status"], nodes(run)) == ("STOPPED", {"lager-tank": ["STOPPED"], "lager-after": []})
    for call, more in ((glue.stop_workflow_run, {}), (glue.resume_workflow_run, {"NodeIds": ["wnode_1"]})):
        with pytest.raises(glue.exceptions.IllegalWorkflowStateException):
            call(Name="lager", RunId=run_id, **more)
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.stop_workflow_run(Name="lager", RunId="wr_other")


def test_a_resumed_run_runs_the_chosen_nodes_and_what_follows_them(brewery: Brewery) -> None:
    """`first` and the crawl ran; `second` failed and is repaired. Only it and its followers run again."""
    glue = brewery.glue
    brewery.crawler("porter-crawler")
    brewery.job("porter-second", DefaultArguments={"--outcome": "burnt"})
    brewery.job("porter-third")
    brewery.workflow(
        "porter",
        on_demand("porter-start", {"CrawlerName": "porter-crawler"}),
        after("porter-two", [("crawler:porter-crawler", "SUCCEEDED")], {"JobName": "porter-second"}),
        after(
            "porter-three",
            [("crawler:porter-crawler", "SUCCEEDED"), ("porter-second", "SUCCEEDED")],
            {"JobName": "porter-third"},
        ),
        after("porter-failed", [("porter-second", "FAILED")], {"CrawlerName": "porter-notice"}),
        DefaultRunProperties={"malt": "brown"},
    )
    old = brewery.finish("porter")
    assert nodes(old) == {
        "porter-crawler": ["SUCCEEDED"],
        "porter-second": ["FAILED"],
        "porter-third": [],
        "porter-notice": ["ERROR"],
    }
    which = {"Name": "porter", "RunId": old["WorkflowRunId"]}
    glue.put_workflow_run_properties(**which, RunProperties={"day": "3"})
    ids = {one["Name"]: one["UniqueId"] for one in old["Graph"]["Nodes"]}
    for wrong in ("porter-third", "porter-two"):  # never attempted; a trigger
        with pytest.raises(glue.exceptions.InvalidInputException, match="no run attempt"):
            glue.resume_workflow_run(**which, NodeIds=[ids[wrong]])
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.resume_workflow_run(**which, NodeIds=["wnode_unknown"])
    repaired = glue.get_job(JobName="porter-second")["Job"]
    kept = {key: repaired[key] for key in ("Role", "Command", "GlueVersion")}
    glue.update_job(JobName="porter-second", JobUpdate={**kept, "DefaultArguments": {"--outcome": "fine"}})
    answer = glue.resume_workflow_run(**which, NodeIds=[ids["porter-notice"], ids["porter-second"]])
    assert answer["NodeIds"] == [ids["porter-second"]]  # the other one is downstream of it
    run = brewery.ended("porter", answer["RunId"])
    assert (run["Status"], run["PreviousRunId"]) == ("COMPLETED", old["WorkflowRunId"])
    assert run["WorkflowRunId"] != old["WorkflowRunId"]
    assert run["WorkflowRunProperties"] == {"malt": "brown", "day": "3"}
    assert nodes(run) == {
        "porter-crawler": ["SUCCEEDED"],
        "porter-second": ["SUCCEEDED"],
        "porter-third": ["SUCCEEDED"],
        "porter-notice": ["ERROR"],
    }
    copied = node(run, "porter-crawler")["CrawlerDetails"]["Crawls"]
    assert copied == node(old, "porter-crawler")["CrawlerDetails"]["Crawls"]
    assert len(glue.get_job_runs(JobName="porter-second")["JobRuns"]) == 2
    again = brewery.run("porter", old["WorkflowRunId"])
    assert nodes(again) == nodes(old)
    runs = glue.get_workflow_runs(Name="porter")["Runs"]
    assert [one["WorkflowRunId"] for one in runs] == [run["WorkflowRunId"], old["WorkflowRunId"]]


def test_triggers_of_a_run_are_those_of_its_start(brewery: Brewery) -> None:
    glue = brewery.glue
    brewery.job("pils-tank", "ferment")
    brewery.crawler("pils-old")
    brewery.crawler("pils-new")
    next_one = after("pils-next", [("pils-tank", "STOPPED")], {"CrawlerName": "pils-old"})
    brewery.workflow("pils", on_demand("pils-start", {"JobName": "pils-tank"}), next_one)
    run_id = glue.start_workflow_run(Name="pils")["RunId"]
    changed = {"Predicate": next_one["Predicate"], "Actions": [{"CrawlerName": "pils-new"}]}
    glue.update_trigger(Name="pils-next", TriggerUpdate=changed)
    (job_run,) = node(brewery.run("pils", run_id), "pils-tank")["JobDetails"]["JobRuns"]
    glue.batch_stop_job_run(JobName="pils-tank", JobRunIds=[job_run["Id"]])
    assert nodes(brewery.ended("pils", run_id)) == {"pils-tank": ["STOPPED"], "pils-old": ["SUCCEEDED"]}
    assert nodes(glue.get_workflow(Name="pils", IncludeGraph=True)["Workflow"]) == {
        "pils-tank": [],
        "pils-new": [],
    }


def test_crawls_fire_only_the_triggers_of_their_own_chain(brewery: Brewery) -> None:
    """A crawler is watched inside and outside of a workflow."""
    glue = brewery.glue
    for name in ("wheat", "wheat-inside", "wheat-outside"):
        brewery.crawler(name)
    watch = [("crawler:wheat", "SUCCEEDED")]
    brewery.workflow(
        "wheat",
        on_demand("wheat-start", {"CrawlerName": "wheat"}),
        after("wheat-in", watch, {"CrawlerName": "wheat-inside"}),
    )
    glue.create_trigger(**on_demand("wheat-alone", {"CrawlerName": "wheat"}))
    glue.create_trigger(**after("wheat-out", watch, {"CrawlerName": "wheat-outside"}))

    def crawls() -> dict[str, Any]:
        found = {}
        for name in ("wheat-inside", "wheat-outside"):
            last = glue.get_crawler(Name=name)["Crawler"].get("LastCrawl")
            found[name.removeprefix("wheat-")] = last["MessagePrefix"] if last else None
        return found

    def idle() -> bool:
        return all(one["State"] == "READY" for one in glue.get_crawlers()["Crawlers"])

    glue.start_crawler(Name="wheat")
    wait_for(idle)
    assert crawls() == {"inside": None, "outside": None}
    brewery.finish("wheat")
    first = crawls()
    assert first["inside"] and first["outside"] is None
    glue.start_trigger(Name="wheat-alone")
    wait_for(lambda: crawls()["outside"])
    assert crawls()["inside"] == first["inside"]
    assert len(glue.get_workflow_runs(Name="wheat")["Runs"]) == 1


def test_a_chain_without_a_workflow_names_the_jobs_before(brewery: Brewery) -> None:
    glue = brewery.glue
    for name in ("rye-1", "rye-2"):
        brewery.job(name)
    glue.create_trigger(**on_demand("rye-start", {"JobName": "rye-1"}))
    glue.create_trigger(**after("rye-next", [("rye-1", "SUCCEEDED")], {"JobName": "rye-2"}))
    glue.start_trigger(Name="rye-start")
    assert glue.get_trigger(Name="rye-start")["Trigger"]["State"] in ("CREATING", "CREATED")
    (second,) = wait_for(lambda: glue.get_job_runs(JobName="rye-2")["JobRuns"])
    (first,) = glue.get_job_runs(JobName="rye-1")["JobRuns"]
    assert second["PredecessorRuns"] == [{"JobName": "rye-1", "RunId": first["Id"]}]
    assert (first["TriggerName"], second["TriggerName"]) == ("rye-start", "rye-next")
    assert not any(name.startswith("--WORKFLOW") for name in second["Arguments"])
    wait_for(lambda: ended(brewery.bench, "rye-2", second["Id"]))


def test_a_state_machine_starts_a_workflow_and_reads_its_statistics(brewery: Brewery) -> None:
    brewery.crawler("cider-crawler")
    brewery.workflow("cider", on_demand("cider-start", {"CrawlerName": "cider-crawler"}))
    states = {
        "Start": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:startWorkflowRun",
            "Parameters": {"Name": "cider", "RunProperties": {"apple": "cox"}},
            "ResultPath": "$.started",
            "Next": "Look",
        },
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:getWorkflowRun",
            "Parameters": {"Name": "cider", "RunId.$": "$.started.RunId"},
            "ResultPath": "$.seen",
            "Next": "Done?",
        },
        "Done?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.seen.Run.Status", "StringEquals": "RUNNING", "Next": "Wait"}],
            "Default": "Done",
        },
        "Wait": {"Type": "Wait", "Seconds": 10, "Next": "Look"},
        "Done": {"Type": "Pass", "InputPath": "$.seen.Run", "End": True},
    }
    rights = statement(
        ["glue:StartWorkflowRun", "glue:GetWorkflowRun"],
        [f"arn:aws:glue:{REGION}:{ACCOUNT}:workflow/cider"],
    )
    role = make_role(brewery.bench, "cider-machine", "states.amazonaws.com", [rights])
    sfn = brewery.bench.client("stepfunctions")
    definition = json.dumps({"StartAt": "Start", "States": states})
    made = sfn.create_state_machine(name="cider", definition=definition, roleArn=role)
    arn = sfn.start_execution(stateMachineArn=made["stateMachineArn"], input="{}")["executionArn"]

    def over() -> Any:
        seen = sfn.describe_execution(executionArn=arn)
        return seen if seen["status"] != "RUNNING" else None

    done = wait_for(over)
    assert done["status"] == "SUCCEEDED", done
    run = json.loads(done["output"])
    assert (run["Status"], run["Statistics"]["SucceededActions"]) == ("COMPLETED", 1)
    assert run["WorkflowRunProperties"] == {"apple": "cox"}
