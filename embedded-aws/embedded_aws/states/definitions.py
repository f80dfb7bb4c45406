"""ValidateStateMachineDefinition refuses invalid definitions; MiniStack's own answers OK to everything.

Integrations are checked if this server knows the service. For other services everything is accepted.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html
"""

import functools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session

from embedded_aws.core import emulator
from embedded_aws.states import services, tasks

_BEHAVIOUR = "validation of definitions"
_TERMINAL = ("Succeed", "Fail", "Choice")
_TYPES = (*_TERMINAL, "Map", "Parallel", "Pass", "Task", "Wait")
_WITH_TOKEN = ("lambda", "sns", "sqs", "states")
_WORKER_ARN = re.compile(r"arn:[^:]+:(lambda:[^:]+:\d{12}:function|states:[^:]+:\d{12}:activity):.+")
_SERVICE_ARN = re.compile(
    r"arn:[^:]+:states:::(aws-sdk:)?([a-zA-Z0-9-]+):([a-zA-Z0-9]+)(\.[a-zA-Z]+(?::2)?)?"
)

Problem = tuple[str, str, str]
"""A diagnostic's code, message and location."""


def install() -> None:
    """Replace the call."""

    def make(original: Any) -> Callable[..., Any]:
        del original
        return _validate

    emulator.replace(
        "services.stepfunctions", "_validate_state_machine_definition", ("data",), make, _BEHAVIOUR
    )


def _validate(data: dict[str, Any]) -> Any:
    most = int(data.get("maxResults") or 100)
    found = problems(str(data.get("definition") or ""))
    diagnostics = [
        {"severity": "ERROR", "code": code, "message": message, "location": location}
        for code, message, location in found[:most]
    ]
    answer = {"result": "FAIL" if found else "OK", "diagnostics": diagnostics, "truncated": len(found) > most}
    return emulator.module("core.responses").json_response(answer)


def problems(definition: str) -> list[Problem]:
    """The reasons why AWS would refuse a definition; empty if there are none."""
    if not definition.strip():
        return [("MISSING_DESCRIPTION", "The definition is empty", "")]
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [("INVALID_JSON_DESCRIPTION", f"The definition is not JSON: {error}", "")]
    return list(_of_machine(machine, ""))


def _schema(message: str, place: str) -> Problem:
    return "SCHEMA_VALIDATION_FAILED", message, place


def _of_machine(machine: Any, place: str) -> Iterator[Problem]:
    """Problems of a machine, or of a branch of a Parallel or Map state, which has state names of its own."""
    states = machine.get("States") if isinstance(machine, dict) else None
    if not isinstance(states, dict) or not states:
        yield _schema("The field States is required and must hold states", f"{place}/States")
        return
    start = machine.get("StartAt")
    if not isinstance(start, str):
        yield _schema("The field StartAt is required", f"{place}/StartAt")
    targets = {start}
    for name, state in states.items():
        here = f"{place}/States/{name}"
        if not isinstance(state, dict) or state.get("Type") not in _TYPES:
            kind = state.get("Type") if isinstance(state, dict) else state
            yield _schema(f"The state type {kind!r} does not exist", f"{here}/Type")
            continue
        yield from _of_state(state, here)
        for target, where in _targets(state, here):
            targets.add(target)
            if target not in states:
                yield "MISSING_TRANSITION_TARGET", f"Missing 'Next' target: {target}", where
    if isinstance(start, str) and start not in states:
        yield "MISSING_TRANSITION_TARGET", f"Missing 'StartAt' target: {start}", f"{place}/StartAt"
    for name in states:
        if name not in targets:
            yield "MISSING_TRANSITION_TARGET", f'State "{name}" is not reachable.', f"{place}/States/{name}"


def _of_state(state: dict[str, Any], place: str) -> Iterator[Problem]:
    kind = state["Type"]
    if kind not in _TERMINAL and ("Next" in state) == (state.get("End") is True):
        yield _schema("A state has either a field Next, or End, which is true", place)
    if kind == "Choice" and not isinstance(state.get("Choices"), list):
        yield _schema("The field Choices is required", f"{place}/Choices")
    if kind == "Task":
        yield from _of_resource(state.get("Resource"), f"{place}/Resource")
    if kind == "Map":
        field = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        yield from _of_machine(state.get(field), f"{place}/{field}")
    if kind == "Parallel":
        branches = state.get("Branches")
        if not isinstance(branches, list) or not branches:
            yield _schema("The field Branches is required", f"{place}/Branches")
            return
        for number, branch in enumerate(branches):
            yield from _of_machine(branch, f"{place}/Branches[{number}]")


def _targets(state: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """The states that a state leads to, and the place of each reference."""
    for field in ("Next", "Default"):
        if field in state:
            yield str(state[field]), f"{place}/{field}"
    for field in ("Choices", "Catch"):
        for number, item in enumerate(state.get(field) or []):
            if isinstance(item, dict) and "Next" in item:
                yield str(item["Next"]), f"{place}/{field}[{number}]/Next"


def _of_resource(resource: Any, place: str) -> Iterator[Problem]:
    if not isinstance(resource, str):
        yield _schema("The field Resource is required", place)
        return
    found = _SERVICE_ARN.fullmatch(resource)
    known = _exists(*found.groups()) if found else bool(_WORKER_ARN.fullmatch(resource))
    if not known:
        message = f"The resource provided {resource} is not recognized."
        yield "INVALID_RESOURCE", message, place


def _exists(sdk: str | None, name: str, action: str, pattern: str | None) -> bool:
    """True if an integration exists, or its service is unknown here."""
    token = pattern == ".waitForTaskToken"
    if sdk:
        service = services.SDK.get(name)
        if pattern and not token:
            return False  # SDK integrations cannot be waited for
        return service is None or action.lower() in _operations(service.client)
    if name not in services.OPTIMISED:
        return True
    patterns = tasks.patterns(name, action)
    return (pattern or "") in patterns or (token and bool(patterns) and name in _WITH_TOKEN)


@functools.cache
def _operations(client: str) -> frozenset[str]:
    model = botocore.session.get_session().get_service_model(client)
    return frozenset(name.lower() for name in model.operation_names)
