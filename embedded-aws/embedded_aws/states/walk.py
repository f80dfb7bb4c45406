"""Runs an attempt of an execution state by state, and records the current one.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-states.html
"""

import copy
import json
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.states import branches, history
from embedded_aws.states.execution import Ended, Execution, failure

MOST_BYTES = 262_144
"""The largest state input or output: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


def run_states(execution: Execution) -> str:
    """Run the definition from its start, or from where a redrive continues. Returns the output as JSON."""
    ctx = _context(execution)
    return run_machine(execution.definition, execution.record, ctx["Execution"]["Input"], execution, ctx)


def run_machine(
    machine: dict[str, Any], holder: dict[str, Any], data: Any, execution: Execution, ctx: dict[str, Any]
) -> str:
    """Run a machine, or a branch of one, from the holder's ``place`` or its start. Returns its output, JSON.

    The place is the running state (``event``: its Entered event, ``children``: its branches or items) or the
    next one (no event yet). It is JSON, so a redrive can continue there after a restart.
    """
    place: dict[str, Any] = holder.get("place") or _place(machine.get("StartAt"), json.dumps(data), {})
    while place["state"]:
        name = place["state"]
        state = machine.get("States", {}).get(name)
        if state is None:
            raise failure("States.Runtime", f"State '{name}' is not in the definition")
        kind = state.get("Type")
        if (
            place["event"] is None or kind == "Fail"
        ):  # a redrive continues within a state, but enters a Fail state again
            place["entered"] = emulator.service("stepfunctions").now_iso()
            place["event"] = history.entered(execution.record, kind, name, place["input"])
            if not execution.live:
                raise Ended
        holder["place"] = place
        ctx["variables"] = copy.deepcopy(place["variables"])
        ctx["State"] = {"Name": name, "EnteredTime": place["entered"], "RetryCount": 0}
        output, after = _run_entered(kind, state, place, execution, ctx)
        holder["place"] = place = _place(after, output, copy.deepcopy(ctx["variables"]))
    return str(place["input"])


def _place(state: Any, text: str, variables: dict[str, Any]) -> dict[str, Any]:
    """All keys from the beginning: the state of the server may be saved at any moment."""
    return {
        "state": state,
        "event": None,
        "entered": None,
        "input": text,
        "variables": variables,
        "children": None,
    }


def _run_entered(
    kind: Any, state: dict[str, Any], place: dict[str, Any], execution: Execution, ctx: dict[str, Any]
) -> tuple[str, str | None]:
    """Run the entered state and record that it was left. Returns its output and the next state's name."""
    states = emulator.service("stepfunctions")
    name = place["state"]
    try:
        data, after = _run_state(kind, state, place, execution, ctx)
    except states._ExecutionError as error:
        if error.error == "States.Runtime" and kind != "Fail":
            where = f"while executing the state '{name}' (entered at the event id #{place['event']})."
            error.cause = f"An error occurred {where} {error.cause}"
        raise
    if not execution.live:
        raise Ended
    text = json.dumps(data)
    if len(text.encode()) > MOST_BYTES:
        cause = f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes"
        raise failure("States.DataLimitExceeded", cause)
    history.exited(execution.record, kind, name, text)
    return text, after


def _run_state(
    kind: Any, state: dict[str, Any], place: dict[str, Any], execution: Execution, ctx: dict[str, Any]
) -> tuple[Any, str | None]:
    states = emulator.service("stepfunctions")
    data = json.loads(place["input"])
    if kind == "Succeed":
        return states._apply_output_path(state, states._apply_input_path(state, data, ctx), ctx), None
    if kind == "Fail":
        raise states._ExecutionError(*states._fail_state_error(state, data, ctx))
    simple = {"Pass": states._execute_pass, "Choice": states._execute_choice, "Wait": states._execute_wait}
    if kind in simple:
        answer = simple[kind](state, data, ctx)
    elif kind == "Parallel" or (kind == "Map" and not branches.is_distributed(state)):
        answer = branches.run(state, data, place, execution, ctx, run_machine)
    elif kind in ("Task", "Map"):
        if "TimeoutSecondsPath" in state:
            state = {**state, "TimeoutSeconds": states._resolve_path(state["TimeoutSecondsPath"], data)}
        run = states._execute_task if kind == "Task" else states._execute_map
        answer = run(state, data, execution.record, ctx)
    else:
        raise failure("States.Runtime", f"Unknown state type: {kind}")
    return answer[0], answer[1]


def _context(execution: Execution) -> dict[str, Any]:
    """The context object: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html"""
    record, machine = execution.record, execution.machine
    try:
        data = json.loads(record["input"])
    except ValueError:
        data = {}
    redriven = {"RedriveTime": record["redriveDate"]} if record.get("redriveDate") else {}
    return {
        "QueryLanguage": execution.definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": record["executionArn"],
            "Input": data,
            "Name": record["name"],
            "RoleArn": machine["roleArn"],
            "StartTime": record["startDate"],
            "RedriveCount": record.get("redriveCount", 0),
            **redriven,
        },
        "StateMachine": {"Id": record["stateMachineArn"], "Name": machine["name"]},
        "variables": {},
    }
