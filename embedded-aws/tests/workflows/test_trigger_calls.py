"""Calls on a cooperage's workflows and triggers: what they keep and answer, their states and rights."""

from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import callers
import pytest
from brewery import after, on_demand
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for

from embedded_aws.iam import request_resources

GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
SAW = {"JobName": "saw"}
DRIED = [("crawler:dry", "SUCCEEDED")]


@pytest.fixture(scope="module")
def glue(bench: Bench) -> Iterator[Any]:
    client = bench.client("glue")
    client.create_workflow(Name="staves", Tags={"wood": "oak"})
    yield client


def state(glue: Any, name: str) -> str:
    return str(glue.get_trigger(Name=name)["Trigger"]["State"])


def settled(glue: Any, name: str, wanted: str) -> None:
    wait_for(lambda: state(glue, name) == wanted)


def refused(call: Any, words: str, code: str = "InvalidInputException", **request: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    assert words in str(caught.value)


def test_a_workflow_is_kept_updated_and_deleted(glue: Any) -> None:
    made = {"Description": "barrels", "DefaultRunProperties": {"litres": "225"}, "MaxConcurrentRuns": 2}
    glue.create_workflow(Name="barrels", **made)
    refused(glue.create_workflow, "already exists", "AlreadyExistsException", Name="barrels")
    workflow = glue.get_workflow(Name="barrels")["Workflow"]
    assert {key: workflow[key] for key in made} == made
    assert "LastRun" not in workflow
    assert "Graph" not in workflow
    glue.update_workflow(Name="barrels", Description="casks")
    workflow = glue.get_workflow(Name="barrels", IncludeGraph=True)["Workflow"]
    assert workflow["LastModifiedOn"] >= workflow["CreatedOn"]
    assert {key: workflow.get(key) for key in made} == {
        "Description": "casks",
        "DefaultRunProperties": {},
        "MaxConcurrentRuns": None,
    }
    assert workflow["Graph"] == {"Nodes": [], "Edges": []}
    least = "MaxConcurrentRuns should be greater than or equal to 1 if present."
    refused(glue.update_workflow, least, Name="barrels", MaxConcurrentRuns=0)
    refused(glue.start_workflow_run, "has no starting trigger", Name="barrels")
    got = glue.batch_get_workflows(Names=["barrels", "nothing"])
    assert [one["Name"] for one in got["Workflows"]] == ["barrels"]
    assert got["MissingWorkflows"] == ["nothing"]
    for _ in range(2):  # Glue raises nothing the second time
        assert glue.delete_workflow(Name="barrels")["Name"] == "barrels"
    for call in (glue.get_workflow, glue.start_workflow_run, glue.get_workflow_runs):
        refused(call, "barrels not found", "EntityNotFoundException", Name="barrels")


def test_workflows_are_listed_in_pages(glue: Any) -> None:
    for number in range(3):
        glue.create_workflow(Name=f"page-{number}")
    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        answer = glue.list_workflows(MaxResults=2, **token)
        pages.append(answer["Workflows"])
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    names = [name for page in pages for name in page]
    assert names == sorted(glue.list_workflows()["Workflows"])
    assert all(len(page) <= 2 for page in pages)
    assert len(pages) > 1


def test_tags_of_both(glue: Any) -> None:
    glue.create_trigger(**on_demand("tagged", SAW, Tags={"wood": "ash"}))
    for kind, name, tags in (("workflow", "staves", {"wood": "oak"}), ("trigger", "tagged", {"wood": "ash"})):
        arn = f"{GLUE}:{kind}/{name}"
        assert glue.get_tags(ResourceArn=arn)["Tags"] == tags
        glue.tag_resource(ResourceArn=arn, TagsToAdd={"year": "3"})
        assert glue.get_tags(ResourceArn=arn)["Tags"] == {**tags, "year": "3"}
    assert glue.list_triggers(Tags={"wood": "ash"})["TriggerNames"] == ["tagged"]


@pytest.mark.parametrize(
    ("trigger", "at_last"),
    [
        (on_demand("state-demand", SAW), "CREATED"),
        (after("state-watch", DRIED, SAW), "ACTIVATED"),
        ({**after("state-idle", DRIED, SAW), "StartOnCreation": False}, "CREATED"),
        (
            {
                "Name": "state-clock",
                "Type": "SCHEDULED",
                "Schedule": "cron(0 4 1 1 ? 2199)",
                "Actions": [SAW],
                "StartOnCreation": True,
            },
            "ACTIVATED",
        ),
    ],
)
def test_the_state_of_a_new_trigger(glue: Any, trigger: dict[str, Any], at_last: str) -> None:
    glue.create_trigger(**trigger)
    assert state(glue, trigger["Name"]) in ("CREATING", at_last)
    settled(glue, trigger["Name"], at_last)
    kept = glue.get_trigger(Name=trigger["Name"])["Trigger"]
    asked = {key: value for key, value in trigger.items() if key != "StartOnCreation"}
    assert {key: value for key, value in kept.items() if key != "State"} == asked


def test_a_trigger_is_activated_deactivated_and_updated(glue: Any) -> None:
    glue.create_trigger(**{**after("bend", DRIED, SAW), "StartOnCreation": False}, Description="slowly")
    stop = "The operation is not allowed when trigger is in state: "
    refused(glue.stop_trigger, f"{stop}CREATED", Name="bend")
    glue.start_trigger(Name="bend")
    settled(glue, "bend", "ACTIVATED")
    update = {"Predicate": after("x", [("plane", "TIMEOUT")])["Predicate"], "Actions": [{"JobName": "toast"}]}
    answer = glue.update_trigger(Name="bend", TriggerUpdate=update)["Trigger"]
    assert answer["State"] in ("UPDATING", "ACTIVATED")
    settled(glue, "bend", "ACTIVATED")
    kept = glue.get_trigger(Name="bend")["Trigger"]
    assert (kept["Actions"], kept["Predicate"]) == (update["Actions"], update["Predicate"])
    assert "Description" not in kept
    same = {**update, "Actions": [{"JobName": "plane"}]}
    refused(glue.update_trigger, "Job cannot be a Predicate and Action", Name="bend", TriggerUpdate=same)
    glue.stop_trigger(Name="bend")
    settled(glue, "bend", "DEACTIVATED")
    refused(glue.stop_trigger, f"{stop}DEACTIVATED", Name="bend")
    for _ in range(2):  # Glue raises nothing the second time
        glue.delete_trigger(Name="bend")
    refused(glue.get_trigger, "bend not found", "EntityNotFoundException", Name="bend")
    refused(glue.start_trigger, "bend not found", "EntityNotFoundException", Name="bend")


def test_a_workflow_has_one_starting_trigger_and_must_exist(glue: Any) -> None:
    glue.create_trigger(**on_demand("staves-start", SAW, WorkflowName="staves"))
    schedule = {"Type": "SCHEDULED", "Schedule": "cron(0 4 * * ? *)", "Actions": [SAW]}
    second: dict[str, Any] = {"Name": "staves-clock", "WorkflowName": "staves", **schedule}
    refused(glue.create_trigger, "already has the starting trigger staves-start", **second)
    glue.create_trigger(**after("staves-next", DRIED, SAW, WorkflowName="staves"))
    lost = on_demand("lost", SAW, WorkflowName="nowhere")
    refused(glue.create_trigger, "nowhere not found", "EntityNotFoundException", **lost)
    again = on_demand("staves-start", SAW)
    refused(glue.create_trigger, "already exists", "AlreadyExistsException", **again)


def test_only_schedules_and_conditions_start_on_creation(glue: Any) -> None:
    words = "Starting trigger on create is not supported for {} trigger type."
    refused(glue.create_trigger, words.format("ON_DEMAND"), **on_demand("early", SAW, StartOnCreation=True))
    glue.create_workflow(Name="arrivals")
    event: dict[str, Any] = {
        "Name": "logs-came",
        "Type": "EVENT",
        "Actions": [SAW],
        "WorkflowName": "arrivals",
    }
    refused(glue.create_trigger, words.format("EVENT"), **event, StartOnCreation=True)
    alone = {key: value for key, value in event.items() if key != "WorkflowName"}
    refused(glue.create_trigger, "Workflow name cannot be null or empty", **alone)
    glue.create_trigger(**event, EventBatchingCondition={"BatchSize": 5})
    kept = glue.get_trigger(Name="logs-came")["Trigger"]
    assert kept["EventBatchingCondition"] == {"BatchSize": 5, "BatchWindow": 900}
    refused(glue.start_trigger, "Trigger Type EVENT cannot be started", Name="logs-came")
    settled(glue, "logs-came", "CREATED")


def test_triggers_are_found_by_the_job_that_they_start(glue: Any) -> None:
    glue.create_trigger(**on_demand("find-1", {"JobName": "char"}))
    glue.create_trigger(**on_demand("find-2", {"CrawlerName": "dry"}, {"JobName": "char"}))
    assert glue.list_triggers(DependentJobName="char")["TriggerNames"] == ["find-1", "find-2"]
    found = glue.get_triggers(DependentJobName="char", MaxResults=1)
    assert [one["Name"] for one in found["Triggers"]] == ["find-1"]
    rest = glue.get_triggers(DependentJobName="char", NextToken=found["NextToken"])
    assert [one["Name"] for one in rest["Triggers"]] == ["find-2"]
    assert "NextToken" not in rest
    got = glue.batch_get_triggers(TriggerNames=["find-2", "none"])
    assert [one["Name"] for one in got["Triggers"]] == ["find-2"]
    assert got["TriggersNotFound"] == ["none"]


def test_run_properties_are_texts(bench: Bench) -> None:
    """The SDK refuses other values itself, so the call is made as it would be sent."""
    glue = bench.client("glue")
    glue.create_workflow(Name="numbers")

    def as_number(request: Any, **_: Any) -> None:
        request.data = request.data.replace(b'"7"', b"7")

    glue.meta.events.register("before-sign.glue.CreateWorkflow", as_number)
    refused(glue.create_workflow, "map of string to string", Name="n", DefaultRunProperties={"day": "7"})


@pytest.mark.parametrize(
    ("action", "data", "expected"),
    [
        ("StartWorkflowRun", {"Name": "w"}, ["workflow/w"]),
        ("GetWorkflowRunProperties", {"Name": "w", "RunId": "wr_1"}, ["workflow/w"]),
        ("BatchGetWorkflows", {"Names": ["v", "w"]}, ["workflow/v", "workflow/w"]),
        ("ListWorkflows", {}, ["*"]),
        ("CreateTrigger", {"Name": "t", "WorkflowName": "w"}, ["trigger/t"]),
        ("BatchGetTriggers", {"TriggerNames": ["s", "t"]}, ["trigger/s", "trigger/t"]),
        ("GetTriggers", {"DependentJobName": "j"}, ["*"]),
    ],
)
def test_the_resources_of_a_call(action: str, data: dict[str, Any], expected: list[str]) -> None:
    assert request_resources.glue_resources(action, data) == expected


def test_rights_are_asked_for_on_the_workflow_and_the_trigger(bench: Bench, glue: Any) -> None:
    glue.create_workflow(Name="rights")
    glue.create_trigger(**on_demand("rights-start", {"CrawlerName": "none"}, WorkflowName="rights"))
    allowed: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": ["glue:StartWorkflowRun", "glue:GetWorkflowRun*"],
         "Resource": f"{GLUE}:workflow/rights"},
        {"Effect": "Allow", "Action": "glue:StartTrigger", "Resource": f"{GLUE}:trigger/rights-start"},
    ]  # fmt: skip
    callers.make(bench, "cooper", *allowed)
    cooper = bench.client("glue", callers.taken(bench, "cooper"))
    run_id = cooper.start_workflow_run(Name="rights")["RunId"]
    cooper.start_trigger(Name="rights-start")  # starts a run of the workflow, too
    assert len(cooper.get_workflow_runs(Name="rights")["Runs"]) == 2
    which = {"Name": "rights", "RunId": run_id}
    cooper.get_workflow_run(**which)
    cooper.get_workflow_run_properties(**which)
    for call, request, resource in (
        (cooper.stop_workflow_run, which, "workflow/rights"),
        (cooper.put_workflow_run_properties, {**which, "RunProperties": {}}, "workflow/rights"),
        (cooper.start_workflow_run, {"Name": "staves"}, "workflow/staves"),
        (cooper.start_trigger, {"Name": "staves-start"}, "trigger/staves-start"),
        (cooper.list_workflows, {}, "*"),
        (cooper.get_triggers, {}, "*"),
    ):
        refused(call, f"resource: {GLUE}:{resource}" if resource != "*" else "resource: *",
                "AccessDeniedException", **request)  # fmt: skip


def test_a_started_job_needs_no_right_of_who_starts_the_workflow(bench: Bench, glue: Any) -> None:
    """Glue starts it, with the job's own role."""
    role = make_role(bench, "cooper-stranger", "lambda.amazonaws.com", [statement(["logs:*"], ["*"])])
    command = {"Name": "glueetl", "ScriptLocation": "s3://none/none.py"}
    glue.create_job(Name="plane-staves", Role=role, Command=command)
    start = on_demand("plane-start", {"JobName": "plane-staves"}, WorkflowName="planing")
    glue.create_workflow(Name="planing")
    glue.create_trigger(**start)
    allow = {"Effect": "Allow", "Action": "glue:StartWorkflowRun", "Resource": f"{GLUE}:workflow/planing"}
    callers.make(bench, "planer", allow)
    planer = bench.client("glue", callers.taken(bench, "planer"))
    planer.start_workflow_run(Name="planing")
    (run,) = glue.get_job_runs(JobName="plane-staves")["JobRuns"]
    assert "does not trust glue.amazonaws.com" in run["ErrorMessage"]
