"""Keeps workflows: creates, changes and deletes them, and answers what they are.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-workflow.html
"""

import time
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.glue.answers import RefusedError, invalid
from embedded_aws.glue.workflows import graph, pages, runs, triggers

Data = dict[str, Any]
_UPDATED = ("Description", "DefaultRunProperties", "MaxConcurrentRuns")
_MOST_IN_A_PAGE = 25


def answers() -> dict[str, Callable[[Data], Data]]:
    """The calls on workflows."""
    return {
        "CreateWorkflow": _create,
        "UpdateWorkflow": _update,
        "DeleteWorkflow": _delete,
        "GetWorkflow": lambda data: {
            "Workflow": _shown(runs.workflow(data.get("Name")), bool(data.get("IncludeGraph")))
        },
        "ListWorkflows": _list,
        "BatchGetWorkflows": _get_batch,
    }


def _create(data: Data) -> Data:
    glue, name = emulator.service("glue"), data.get("Name")
    if not name:
        raise invalid("Workflow name cannot be null or empty")
    if name in glue._workflows:
        raise RefusedError("AlreadyExistsException", f"Workflow with name {name} already exists.")
    workflow = {"Name": name, "CreatedOn": time.time()}
    _define(workflow, data)
    glue._workflows[name] = workflow
    glue._workflow_runs[name] = []
    if data.get("Tags"):
        glue._tags[glue._arn("workflow", name)] = dict(data["Tags"])
    return {"Name": name}


def _define(workflow: Data, data: Data) -> None:
    """Replace the definition completely. Glue documents this of jobs and triggers, not of workflows."""
    most = data.get("MaxConcurrentRuns")
    if most is not None and most < 1:
        raise invalid("MaxConcurrentRuns should be greater than or equal to 1 if present.")
    properties = runs.judge_properties(data.get("DefaultRunProperties"))
    for key in _UPDATED:
        workflow.pop(key, None)
        if data.get(key):
            workflow[key] = data[key]
    workflow.update(DefaultRunProperties=properties, LastModifiedOn=time.time())


def _update(data: Data) -> Data:
    _define(runs.workflow(data.get("Name")), data)
    return {"Name": data["Name"]}


def _delete(data: Data) -> Data:
    """Delete a workflow with its runs. Glue raises nothing for a missing one."""
    glue, name = emulator.service("glue"), data.get("Name")
    glue._workflows.pop(name, None)
    glue._workflow_runs.pop(name, None)
    glue._tags.pop(glue._arn("workflow", name), None)
    return {"Name": name}


def _shown(workflow: Data, with_graph: bool) -> Data:
    name = workflow["Name"]
    answer = dict(workflow)
    latest = next(iter(runs.runs_of(name)), None)
    if latest:
        answer["LastRun"] = latest.shown(with_graph)
    if with_graph:
        own = [triggers.shown(one) for one in triggers.of_workflow(name)]
        answer["Graph"] = graph.drawn(name, own, {})
    return answer


def _list(data: Data) -> Data:
    names = sorted(emulator.service("glue")._workflows)
    page, more = pages.page(names, data, _MOST_IN_A_PAGE)
    return {"Workflows": page, **more}


def _get_batch(data: Data) -> Data:
    held = emulator.service("glue")._workflows
    asked = data.get("Names") or []
    found = [_shown(held[name], bool(data.get("IncludeGraph"))) for name in asked if name in held]
    return {"Workflows": found, "MissingWorkflows": [name for name in asked if name not in held]}
