"""Runs workflows: starts, follows, stops and resumes their runs, and answers how they stand.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-workflow.html
https://docs.aws.amazon.com/glue/latest/dg/running_monitoring_workflow.html
https://docs.aws.amazon.com/glue/latest/dg/workflow-stopping.html
https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html
"""

import copy
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from embedded_aws.core import emulator, snapshots
from embedded_aws.glue.answers import RefusedError, invalid, missing
from embedded_aws.glue.workflows import conditions, graph, pages, triggers
from embedded_aws.glue.workflows.chains import Attempt, Chains, Trigger, last_ends, node_of
from embedded_aws.glue.workflows.definitions import STARTING_TYPES
from embedded_aws.glue.workflows.graph import Node

Data = dict[str, Any]
_MOST_IN_A_PAGE = 1000
_LIVE = ("RUNNING", "STOPPING")


class WorkflowRun:
    """A run as its record, which is saved with the server's state. Names with a leading `_` are not answered.

    `_Triggers` is the snapshot of the workflow's triggers, `_Copied` the attempts of the run that was
    resumed, and `_Redone` the nodes whose copied attempts do not count for conditions.
    """

    names_predecessors = False

    def __init__(self, record: Data) -> None:
        self.record = record
        self.attempts: list[Attempt] = record["_Attempts"]
        self.fired: list[str] = record["_Fired"]
        self.arguments = {
            "--WORKFLOW_NAME": record["Name"],
            "--WORKFLOW_RUN_ID": record["WorkflowRunId"],
        }

    def watching(self) -> list[Trigger]:
        if self.record["Status"] != "RUNNING":
            return []
        return triggers.activated(self.record["_Triggers"], "CONDITIONAL")

    def ends(self) -> dict[Node, str]:
        redone = {Node(*node) for node in self.record["_Redone"]}
        copied = [one for one in self.record["_Copied"] if node_of(one) not in redone]
        return {**last_ends(copied), **last_ends(self.attempts)}

    def over(self) -> None:
        """End the run. It is COMPLETED also if nodes failed or never started."""
        if self.record["Status"] in _LIVE:
            stopped = self.record["Status"] == "STOPPING"
            self.record.update(Status="STOPPED" if stopped else "COMPLETED", CompletedOn=time.time())

    def shown(self, with_graph: bool) -> Data:
        """The run as Glue answers it."""
        details: dict[Node, list[Data]] = {}
        states: list[str] = []
        own = {node_of(one) for one in self.attempts}
        for attempt in [one for one in self.record["_Copied"] if node_of(one) not in own] + self.attempts:
            record = copy.deepcopy(dict(attempt["Record"]))  # its job may be changing it
            details.setdefault(node_of(attempt), []).append(record)
            states.append(str(record["State" if attempt["Type"] == "CRAWLER" else "JobRunState"]))
        snapshot = self.record["_Triggers"]
        answer = {key: copy.deepcopy(value) for key, value in self.record.items() if not key.startswith("_")}
        answer["Statistics"] = conditions.statistics(len(graph.actions(snapshot)), states)
        if with_graph:
            answer["Graph"] = graph.drawn(self.record["Name"], copy.deepcopy(snapshot), details)
        return answer


def answers(chains: Chains) -> dict[str, Callable[[Data], Data]]:
    """The calls on runs of workflows."""
    return {
        "StartWorkflowRun": lambda data: {
            "RunId": start(chains, str(data.get("Name")), data.get("RunProperties"))
        },
        "GetWorkflowRun": lambda data: {"Run": find(data).shown(bool(data.get("IncludeGraph")))},
        "GetWorkflowRuns": _get_runs,
        "GetWorkflowRunProperties": lambda data: {
            "RunProperties": dict(find(data).record["WorkflowRunProperties"])
        },
        "PutWorkflowRunProperties": _put_properties,
        "StopWorkflowRun": lambda data: _stop(chains, data),
        "ResumeWorkflowRun": lambda data: _resume(chains, data),
    }


# -- the runs that there are --


def workflow(name: Any) -> Data:
    """Raises RefusedError if there is no such workflow."""
    found: Data | None = emulator.service("glue")._workflows.get(name)
    if found is None:
        raise missing(f"Workflow with name {name} not found.")
    return found


def runs_of(name: str) -> list[WorkflowRun]:
    """The workflow's runs, the latest first."""
    return [WorkflowRun(one) for one in emulator.service("glue")._workflow_runs.get(name) or []]


def find(data: Data) -> WorkflowRun:
    """The run that a call names. Raises RefusedError."""
    workflow(data.get("Name"))
    for run in runs_of(str(data["Name"])):
        if run.record["WorkflowRunId"] == data.get("RunId"):
            return run
    raise missing(f"Workflow run {data.get('RunId')} of workflow {data['Name']} not found.")


def judge_properties(properties: Any) -> dict[str, str]:
    """Run properties of a call. Raises RefusedError unless they are texts by name."""
    given = properties or {}
    if not all(isinstance(value, str) for value in given.values()):
        raise invalid("Run properties must be a map of string to string")
    return dict(given)


def _get_runs(data: Data) -> Data:
    workflow(data.get("Name"))
    page, more = pages.page(runs_of(str(data["Name"])), data, _MOST_IN_A_PAGE)
    return {"Runs": [one.shown(bool(data.get("IncludeGraph"))) for one in page], **more}


def _put_properties(data: Data) -> Data:
    """Set properties of this run. Others stay, and so do the workflow's defaults."""
    find(data).record["WorkflowRunProperties"].update(judge_properties(data.get("RunProperties")))
    return {}


# -- starts --


def start(chains: Chains, name: str, properties: Any = None, batch: Mapping[str, int] | None = None) -> str:
    """Start a run with these properties besides the workflow's own. Returns its id. Raises RefusedError.

    ``batch`` is the size and the window of the events that start it.
    """
    with chains.lock:
        own = {**(workflow(name).get("DefaultRunProperties") or {}), **judge_properties(properties)}
        snapshot = [triggers.snapshot(one) for one in triggers.of_workflow(name)]
        starting = next((one for one in snapshot if one["Type"] in STARTING_TYPES), None)
        if starting is None:
            raise invalid(f"Workflow {name} has no starting trigger")
        _judge_limit(name)
        record = _record(name, own, snapshot)
        if batch:
            record["StartingEventBatchCondition"] = dict(batch)
        run = _keep(record)
        chains.fire(run, [(starting, None)])
        return str(record["WorkflowRunId"])


def record_failed_start(name: str, properties: dict[str, str]) -> None:
    """Keep a run that a schedule or events could not start because too many are running.

    https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRun.html (ErrorMessage)
    """
    own = {**(workflow(name).get("DefaultRunProperties") or {}), **properties}
    record = _record(name, own, [triggers.snapshot(one) for one in triggers.of_workflow(name)])
    record.update(Status="ERROR", CompletedOn=time.time(), ErrorMessage=_exceeded(name))
    _keep(record)


def _record(name: str, properties: dict[str, str], snapshot: list[Trigger]) -> Data:
    return {
        "Name": name,
        "WorkflowRunId": f"wr_{secrets.token_hex(32)}",
        "WorkflowRunProperties": properties,
        "StartedOn": time.time(),
        "Status": "RUNNING",
        "_Triggers": snapshot,
        "_Attempts": [],
        "_Fired": [],
        "_Copied": [],
        "_Redone": [],
    }


def _keep(record: Data) -> WorkflowRun:
    held = emulator.service("glue")._workflow_runs
    held[record["Name"]] = [record, *(held.get(record["Name"]) or [])]
    snapshots.changed()
    return WorkflowRun(record)


def _judge_limit(name: str) -> None:
    most = workflow(name).get("MaxConcurrentRuns")
    if most and sum(1 for run in runs_of(name) if run.record["Status"] in _LIVE) >= most:
        raise RefusedError("ConcurrentRunsExceededException", _exceeded(name))


def _exceeded(name: str) -> str:
    return f"Concurrent runs exceeded for workflow: {name}."


# -- stop and resume --


def _stop(chains: Chains, data: Data) -> Data:
    with chains.lock:
        run = find(data)
        if run.record["Status"] != "RUNNING":
            raise _illegal(run, "stopped")
        run.record["Status"] = "STOPPING"
        chains.stop(run)
    return {}


def _illegal(run: WorkflowRun, what: str) -> RefusedError:
    words = f"Workflow run {run.record['WorkflowRunId']} is {run.record['Status']} and cannot be {what}"
    return RefusedError("IllegalWorkflowStateException", words)


def _resume(chains: Chains, data: Data) -> Data:
    """Run chosen nodes of a completed run again, and everything downstream of them, as a new run.

    The new run has the old one's triggers and properties. What it does not run is copied from the old one.
    """
    with chains.lock:
        old = find(data)
        if old.record["Status"] != "COMPLETED":
            raise _illegal(old, "resumed")
        snapshot = copy.deepcopy(old.record["_Triggers"])
        last = {node_of(one): one for one in [*old.record["_Copied"], *old.attempts]}
        chosen = _chosen(old, last, data.get("NodeIds") or [])
        after = graph.downstream(snapshot, chosen)
        again = [node for node in chosen if node not in graph.downstream(snapshot, set(chosen) - {node})]
        _judge_limit(old.record["Name"])
        record = _record(old.record["Name"], dict(old.record["WorkflowRunProperties"]), snapshot)
        own = {node_of(one) for one in old.attempts}
        kept = [one for one in old.record["_Copied"] if node_of(one) not in own] + old.attempts
        record.update(
            PreviousRunId=old.record["WorkflowRunId"],
            _Copied=copy.deepcopy([one for one in kept if node_of(one) not in again]),
            _Redone=[list(node) for node in after],
            _Fired=[one for one in old.fired if Node("TRIGGER", one) not in after],
        )
        run = _keep(record)
        by_name = {one["Name"]: one for one in snapshot}
        chains.fire(run, [(by_name[last[node]["Trigger"]], {node}) for node in again])
        ids = [graph.unique_id(old.record["Name"], node) for node in again]
        return {"RunId": record["WorkflowRunId"], "NodeIds": ids}


def _chosen(run: WorkflowRun, attempted: Mapping[Node, Attempt], ids: list[str]) -> list[Node]:
    """The nodes with these ids. Raises RefusedError for the first that was not attempted, or is a trigger."""
    if not ids:
        raise invalid("Node ids cannot be null or empty")
    name = run.record["Name"]
    known = {graph.unique_id(name, node): node for node in graph.nodes(run.record["_Triggers"])}
    for one in ids:
        if one not in known:
            raise missing(f"Node {one} not found in workflow run {run.record['WorkflowRunId']}.")
        if known[one] not in attempted:
            raise invalid(f"Node {one} has no run attempt in workflow run {run.record['WorkflowRunId']}")
    return list(dict.fromkeys(known[one] for one in ids))


# -- restart --


def end_interrupted() -> None:
    """End the runs of an earlier server: what was running has failed, and nothing more starts.

    Such a run is COMPLETED, so that it can be resumed.
    """
    glue = emulator.service("glue")
    for (account, region, _name), records in glue._workflow_runs._data.items():
        for record in records:
            if record["Status"] not in _LIVE:
                continue
            for attempt in record["_Attempts"]:
                if "State" not in attempt:
                    held = glue._job_runs._data.get((account, region, attempt["Name"])) or []
                    _end_interrupted_attempt(attempt, held)
            WorkflowRun(record).over()


def _end_interrupted_attempt(attempt: Attempt, job_runs: list[Data]) -> None:
    record = attempt["Record"]
    ended = {"CompletedOn": time.time(), "ErrorMessage": "The embedded AWS ended while this ran"}
    if attempt["Type"] == "CRAWLER":
        record.update(State="FAILED", **ended)
    else:  # the job may have been deleted with its runs
        lost = {"JobRunState": "FAILED", **ended}
        record.update(next((one for one in job_runs if one["Id"] == record["Id"]), lost))
    attempt["State"] = record["State" if attempt["Type"] == "CRAWLER" else "JobRunState"]
