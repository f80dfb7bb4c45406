"""Finds the role that a request passes to a service. The caller needs `iam:PassRole` on it for that service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from typing import Any, NamedTuple


class Passed(NamedTuple):
    """A role's ARN, and the service that `iam:PassedToService` names."""

    role: str
    service: str


_JOBS = frozenset({"CreateJob", "UpdateJob"})
_CRAWLERS = frozenset({"CreateCrawler", "UpdateCrawler"})
_MACHINES = frozenset({"CreateStateMachine", "UpdateStateMachine"})


def passed_roles(service: str, action: str, data: dict[str, Any], account: str) -> tuple[Passed, ...]:
    """The roles that a call of a JSON service passes. Glue also accepts a role's name."""
    named: list[Any] = []
    if service == "glue" and action in _JOBS | _CRAWLERS:
        named = [(data.get("JobUpdate") or data).get("Role")]
    elif service == "states" and action in _MACHINES:
        named = [data.get("roleArn")]
    elif service == "events" and action == "PutTargets":
        named = [target.get("RoleArn") for target in data.get("Targets") or []]
    elif service == "lambda":
        named = [data.get("Role")]
    elif service == "scheduler":
        named = [(data.get("Target") or {}).get("RoleArn")]
    principal = f"{service}.amazonaws.com"
    arns = [
        str(name) if str(name).startswith("arn:") else f"arn:aws:iam::{account}:role/{name}"
        for name in named
        if name
    ]
    return tuple(Passed(arn, principal) for arn in dict.fromkeys(arns))
