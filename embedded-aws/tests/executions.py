"""Makes, runs and reads state machines for tests, through boto3 only."""

import json
from typing import Any

from callers import HasClients
from conftest import ACCOUNT, wait_for


def task(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A final Task state of an integration, for example ``glue:startJobRun.sync``."""
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Parameters": parameters,
        "End": True,
        **more,
    }


def chain(**states: dict[str, Any]) -> dict[str, Any]:
    """States in this order. A state without an end of its own leads to the next one."""
    names = list(states)
    linked = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = {key: value for key, value in states[name].items() if key != "End"}
        ends = state["Type"] in ("Succeed", "Fail", "Choice") or "Next" in state
        after: dict[str, Any] = {"Next": following} if following else {"End": True}
        linked[name] = state if ends else {**state, **after}
    return linked


def machine(bench: HasClients, name: str, states: dict[str, Any], role: str = "manager", **top: Any) -> str:
    """Make a state machine that begins with the first of these states. Returns its ARN."""
    definition = json.dumps({"StartAt": next(iter(states)), "States": states, **top})
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    answer = bench.client("stepfunctions").create_state_machine(
        name=name, definition=definition, roleArn=role_arn
    )
    return str(answer["stateMachineArn"])


def start(bench: HasClients, arn: str, data: Any = None) -> str:
    """Start an execution. Returns its ARN."""
    states = bench.client("stepfunctions")
    return str(states.start_execution(stateMachineArn=arn, input=json.dumps(data or {}))["executionArn"])


def execute(bench: HasClients, arn: str, data: Any = None, seconds: float = 30) -> dict[str, Any]:
    """Start an execution and wait for its end. Returns its description."""
    return wait_until_ended(bench, start(bench, arn, data), seconds)


def wait_until_ended(bench: HasClients, run: str, seconds: float = 30) -> dict[str, Any]:
    """The description of an execution after its end."""
    return dict(wait_for(lambda: ended(bench, run), seconds))


def ended(bench: HasClients, run: str) -> dict[str, Any] | None:
    """The description of an execution that has ended; None while it runs."""
    execution = bench.client("stepfunctions").describe_execution(executionArn=run)
    return execution if execution["status"] != "RUNNING" else None


def history(bench: HasClients, run: str) -> list[dict[str, Any]]:
    """All events of an execution."""
    pages = bench.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=run)
    return [event for page in pages for event in page["events"]]


def kinds(bench: HasClients, run: str) -> list[str]:
    """The types of an execution's events."""
    return [event["type"] for event in history(bench, run)]


def submitted(bench: HasClients, run: str, key: str) -> str | None:
    """The id, under this key, of the work that the latest `.sync` Task started; None before it starts."""
    for event in reversed(history(bench, run)):
        if event["type"] == "TaskSubmitted":
            return str(json.loads(event["taskSubmittedEventDetails"]["output"])[key])
    return None
