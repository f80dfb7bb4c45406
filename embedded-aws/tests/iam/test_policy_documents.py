"""IAM accepts ARNs and `*` as a policy's resources."""

import json
from typing import Any

import botocore.exceptions
import pytest
from callers import TRUST, document
from conftest import ACCOUNT, Bench, statement

GOOD = [
    "*",
    "arn:aws:s3:::museum/*",
    f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:dust:7",
    "arn:*:s3:::museum",
]


@pytest.fixture(scope="module")
def iam(bench: Bench) -> Any:
    client = bench.client("iam")
    client.create_role(RoleName="curator", AssumeRolePolicyDocument=document(TRUST))
    return client


@pytest.mark.parametrize("resource", ["dust", "dust:*", "arn:aws:s3", "arn:aws:lambda:dust", ""])
def test_a_resource_that_is_not_an_arn_is_refused(iam: Any, resource: str) -> None:
    policy = document(
        statement(["s3:GetObject"], GOOD), statement(["lambda:InvokeFunction"], [GOOD[1], resource])
    )
    name = {"PolicyName": "refused", "PolicyDocument": policy}
    for put, more in ((iam.put_role_policy, {"RoleName": "curator"}), (iam.create_policy, {})):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            put(**name, **more)
        error = refused.value.response["Error"]
        assert error["Code"] == "MalformedPolicyDocument"
        assert error["Message"] == f'Resource {resource} must be in ARN format or "*".'


def test_one_arn_and_a_list_of_arns_are_accepted(iam: Any) -> None:
    for resource in (*GOOD, GOOD):
        allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}
        policy = json.dumps({"Version": "2012-10-17", "Statement": allow})
        iam.put_role_policy(RoleName="curator", PolicyName="own", PolicyDocument=policy)
