"""Keeps triggers: creates, changes, activates and deactivates them, and answers what they are.

A change takes a moment, during which the trigger shows a state such as CREATING. What it does counts at once.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-trigger.html
The words on states: https://github.com/hashicorp/terraform-provider-aws/pull/49408
"""

import copy
import time
from collections.abc import Callable, Iterable
from typing import Any

from embedded_aws.core import emulator, snapshots
from embedded_aws.glue.answers import RefusedError, invalid, missing
from embedded_aws.glue.workflows import pages
from embedded_aws.glue.workflows.chains import Chains, Loose, Trigger
from embedded_aws.glue.workflows.definitions import ACTIVATED_TYPES, STARTING_TYPES, judge

Data = dict[str, Any]
_CHANGE_SECONDS = 0.3
_UPDATED = ("Description", "Schedule", "Actions", "Predicate", "EventBatchingCondition")
_MOST_IN_A_PAGE = 200
_CHANGING = "_Changing"


def answers(chains: Chains, start_run: Callable[[str], object]) -> dict[str, Callable[[Data], Data]]:
    """The calls on triggers. ``start_run`` starts a run of the workflow with this name."""
    return {
        "CreateTrigger": _create,
        "UpdateTrigger": _update,
        "DeleteTrigger": _delete,
        "StartTrigger": lambda data: _start(data, chains, start_run),
        "StopTrigger": _stop,
        "GetTrigger": lambda data: {"Trigger": shown(find(data.get("Name")))},
        "GetTriggers": _get_all,
        "ListTriggers": _list,
        "BatchGetTriggers": _get_batch,
    }


# -- the triggers that there are --


def find(name: Any) -> Trigger:
    """Raises RefusedError if there is no such trigger."""
    found: Trigger | None = _held().get(name)
    if found is None:
        raise missing(f"Trigger with name {name} not found.")
    return found


def of_workflow(workflow: str) -> list[Trigger]:
    """The workflow's triggers, in the order of their creation. Without a name, those of no workflow."""
    return [one for one in list(_held().values()) if (one.get("WorkflowName") or "") == workflow]


def activated(triggers: Iterable[Trigger], kind: str) -> list[Trigger]:
    """The triggers of this type that are activated."""
    return [one for one in triggers if one["Type"] == kind and one["State"] == "ACTIVATED"]


def snapshot(trigger: Trigger) -> Trigger:
    """A copy as a run keeps it."""
    return copy.deepcopy({key: value for key, value in trigger.items() if key != _CHANGING})


def shown(trigger: Trigger) -> Trigger:
    """A copy as Glue answers it, with the state that it shows now."""
    copied = snapshot(trigger)
    state, until = trigger.get(_CHANGING) or ("", 0.0)
    if time.time() < until:
        copied["State"] = state
    return copied


def fire_alone(chains: Chains, trigger: Trigger) -> None:
    """Fire a trigger that belongs to no workflow. It begins a chain."""
    chain = Loose(lambda: activated(of_workflow(""), "CONDITIONAL"))
    chains.fire(chain, [(snapshot(trigger), None)])


def _held() -> Any:
    return emulator.service("glue")._triggers


def _change(trigger: Trigger, passing: str, state: str) -> None:
    trigger.update({"State": state, _CHANGING: [passing, time.time() + _CHANGE_SECONDS]})
    snapshots.changed()


# -- changes --


def _create(data: Data) -> Data:
    name, kind = data.get("Name"), str(data.get("Type"))
    if not name:
        raise invalid("Trigger name cannot be null or empty")
    if name in _held():
        raise RefusedError("AlreadyExistsException", f"Trigger with name {name} already exists.")
    judge(kind, data)
    starts = bool(data.get("StartOnCreation"))
    if starts and kind not in ACTIVATED_TYPES:
        raise invalid(f"Starting trigger on create is not supported for {kind} trigger type.")
    _judge_workflow(data.get("WorkflowName"), kind)
    trigger: Trigger = {"Name": name, "Type": kind}
    for key in ("WorkflowName", *_UPDATED):
        if data.get(key):
            trigger[key] = copy.deepcopy(data[key])
    _with_window(trigger)
    _held()[name] = trigger
    _change(trigger, "CREATING", "ACTIVATED" if starts else "CREATED")
    glue = emulator.service("glue")
    if data.get("Tags"):
        glue._tags[glue._arn("trigger", name)] = dict(data["Tags"])
    return {"Name": name}


def _judge_workflow(workflow: Any, kind: str) -> None:
    if not workflow:
        if kind == "EVENT":
            raise invalid("Workflow name cannot be null or empty")
        return
    if workflow not in emulator.service("glue")._workflows:
        raise missing(f"Workflow with name {workflow} not found.")
    starting = [one["Name"] for one in of_workflow(str(workflow)) if one["Type"] in STARTING_TYPES]
    if kind in STARTING_TYPES and starting:
        raise invalid(f"Workflow {workflow} already has the starting trigger {starting[0]}")


def _with_window(trigger: Trigger) -> None:
    if "EventBatchingCondition" in trigger:
        trigger["EventBatchingCondition"].setdefault("BatchWindow", 900)


def _update(data: Data) -> Data:
    """Replace the definition completely, as Glue does. The state stays."""
    trigger = find(data.get("Name"))
    update = data.get("TriggerUpdate") or {}
    judge(trigger["Type"], update)
    for key in _UPDATED:
        trigger.pop(key, None)
        if update.get(key):
            trigger[key] = copy.deepcopy(update[key])
    _with_window(trigger)
    _change(trigger, "UPDATING", trigger["State"])
    return {"Trigger": shown(trigger)}


def _delete(data: Data) -> Data:
    """Delete a trigger. Glue raises nothing for a missing one."""
    glue, name = emulator.service("glue"), data.get("Name")
    _held().pop(name, None)
    glue._tags.pop(glue._arn("trigger", name), None)
    return {"Name": name}


def _start(data: Data, chains: Chains, start_run: Callable[[str], object]) -> Data:
    """Activate a trigger. One on demand fires at once, and keeps its state."""
    trigger = find(data.get("Name"))
    if trigger["Type"] == "EVENT":
        raise invalid("Trigger Type EVENT cannot be started")
    if trigger["Type"] != "ON_DEMAND":
        _change(trigger, "ACTIVATING", "ACTIVATED")
    elif trigger.get("WorkflowName"):
        start_run(str(trigger["WorkflowName"]))
    else:
        fire_alone(chains, trigger)
    return {"Name": trigger["Name"]}


def _stop(data: Data) -> Data:
    trigger = find(data.get("Name"))
    if trigger["State"] != "ACTIVATED":
        raise invalid(f"The operation is not allowed when trigger is in state: {trigger['State']}")
    _change(trigger, "DEACTIVATING", "DEACTIVATED")
    return {"Name": trigger["Name"]}


# -- answers --


def _get_all(data: Data) -> Data:
    page, more = pages.page(_dependent(data), data, _MOST_IN_A_PAGE)
    return {"Triggers": [shown(one) for one in page], **more}


def _list(data: Data) -> Data:
    tags = (data.get("Tags") or {}).items()
    glue = emulator.service("glue")
    names = [
        one["Name"]
        for one in _dependent(data)
        if tags <= (glue._tags.get(glue._arn("trigger", one["Name"])) or {}).items()
    ]
    page, more = pages.page(names, data, _MOST_IN_A_PAGE)
    return {"TriggerNames": page, **more}


def _dependent(data: Data) -> list[Trigger]:
    """The triggers that start the job named in the call; all of them without one."""
    job = data.get("DependentJobName")
    return [
        one
        for one in list(_held().values())
        if not job or any(action.get("JobName") == job for action in one["Actions"])
    ]


def _get_batch(data: Data) -> Data:
    asked = data.get("TriggerNames") or []
    found = [shown(_held()[name]) for name in asked if name in _held()]
    return {"Triggers": found, "TriggersNotFound": [name for name in asked if name not in _held()]}
