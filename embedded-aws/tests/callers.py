"""Roles that the account's owner assumes, to call with their rights; and the lines of a trace."""

import json
from pathlib import Path
from typing import Any, Protocol

from conftest import ACCOUNT


class HasClients(Protocol):
    """A bench, or a test's own maker of clients for one."""

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any: ...


TRUST = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "sts:AssumeRole",
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def make(bench: HasClients, name: str, *statements: dict[str, Any], trust: dict[str, Any] = TRUST) -> str:
    """Make a role with at most one inline policy. Returns its ARN."""
    iam = bench.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document(*statements))
    return role_arn(name)


def taken(bench: HasClients, name: str, session: str = "test") -> dict[str, str]:
    """Credentials of a role, for ``bench.client``."""
    sts = bench.client("sts")
    found = sts.assume_role(RoleArn=role_arn(name), RoleSessionName=session)["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def lines(trace: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
