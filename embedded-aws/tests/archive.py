"""An archive's role. The account's owner assumes it, with the rights that a test gives it."""

import json
from typing import Any

import botocore.exceptions
import pytest
from conftest import ACCOUNT, Bench


class Archive:
    """A role that the account's owner assumes, with the rights that a test gives it."""

    def __init__(self, bench: Bench, role: str) -> None:
        self.bench = bench
        self.role = role
        self.keys = [bench.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        bench.client("iam").create_role(RoleName=self.role, AssumeRolePolicyDocument=document)

    def client(self, service: str, *statements: dict[str, Any]) -> Any:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.bench.client("iam").put_role_policy(RoleName=self.role, PolicyName="all", PolicyDocument=policy)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{self.role}"
        taken = self.bench.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        keys = {
            "aws_access_key_id": taken["AccessKeyId"],
            "aws_secret_access_key": taken["SecretAccessKey"],
            "aws_session_token": taken["SessionToken"],
        }
        return self.bench.client(service, keys)


def refused(call: Any, *what: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call()
    assert "AccessDenied" in str(caught.value) or "AuthorizationError" in str(caught.value)
    for word in what:
        assert word in str(caught.value)
