"""Keeps what MiniStack forgets of a state machine, so that a second plan shows only what changed."""

from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator

_BEHAVIOUR = "details of state machines"


def install() -> None:
    """Wrap the creation, update and description of a state machine."""
    one, states = ("data",), "services.stepfunctions"
    emulator.replace(states, "_create_state_machine", one, _tracing, _BEHAVIOUR)
    emulator.replace(states, "_update_state_machine", one, _tracing, _BEHAVIOUR)
    emulator.replace(states, "_describe_state_machine", one, _describe, _BEHAVIOUR)


def _tracing(original: Any) -> Callable[..., Any]:
    def change(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] < 400:
            states = emulator.service("stepfunctions")
            arn = data.get("stateMachineArn") or states.json.loads(answer[2])["stateMachineArn"]
            tracing = data.get("tracingConfiguration")
            if tracing is not None and arn in states._state_machines:
                states._state_machines[arn]["tracingConfiguration"] = tracing
        return answer

    return change


def _describe(original: Any) -> Callable[..., Any]:
    def describe(data: dict[str, Any]) -> Any:
        status, headers, body = original(data)
        states = emulator.service("stepfunctions")
        base = states._resolve_state_machine_arn(data.get("stateMachineArn"))
        tracing = (states._state_machines.get(base) or {}).get("tracingConfiguration") if base else None
        if status >= 400 or tracing is None:
            return status, headers, body
        return states.json_response({**states.json.loads(body), "tracingConfiguration": tracing})

    return describe
