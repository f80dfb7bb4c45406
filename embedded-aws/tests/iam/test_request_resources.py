"""The resources that calls are checked on, shown with a role of an archive."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
from archive import Archive, refused
from conftest import ACCOUNT, REGION, Bench, make_role, statement

from embedded_aws.iam import request_resources

GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"


@pytest.fixture(scope="module")
def archive(bench: Bench) -> Iterator[Archive]:
    made = Archive(bench, "resource-librarian")
    place = {"LocationConstraint": REGION}
    bench.client("s3").create_bucket(Bucket="resource-answers", CreateBucketConfiguration=place)
    glue = bench.client("glue")
    glue.create_database(DatabaseInput={"Name": "scans"})
    glue.create_table(
        DatabaseName="scans", TableInput={"Name": "pages", "StorageDescriptor": {"Columns": []}}
    )
    yield made


def test_a_lock_may_be_limited_to_one_partition_key(archive: Archive) -> None:
    made = {"KeySchema": [{"AttributeName": "shelf", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    attributes = [{"AttributeName": "shelf", "AttributeType": "S"}]
    owner = archive.bench.client("dynamodb")
    owner.create_table(TableName="resource-loans", AttributeDefinitions=attributes, **made)
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/resource-loans"
    only = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["maps"]}}
    calls = ["dynamodb:PutItem", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"]
    dynamodb = archive.client("dynamodb", statement(calls, [table], **only))

    def on(shelf: str) -> None:
        key = {"shelf": {"S": shelf}}
        condition = {"KeyConditionExpression": "#s = :s", "ExpressionAttributeNames": {"#s": "shelf"}}
        for call, more in (
            (dynamodb.put_item, {"TableName": "resource-loans", "Item": key}),
            (
                dynamodb.query,
                {
                    "TableName": "resource-loans",
                    **condition,
                    "ExpressionAttributeValues": {":s": key["shelf"]},
                },
            ),
            (
                dynamodb.batch_get_item,
                {"RequestItems": {"resource-loans": {"Keys": [{"shelf": {"S": "maps"}}, key]}}},
            ),
            (
                dynamodb.batch_write_item,
                {"RequestItems": {"resource-loans": [{"PutRequest": {"Item": key}}]}},
            ),
        ):
            if shelf == "maps":
                # A batch must not name a key twice; AWS refuses that for another reason.
                if call != dynamodb.batch_get_item:
                    call(**more)
            else:
                refused(lambda call=call, more=more: call(**more), table)

    on("maps")
    on("seals")
    refused(lambda: dynamodb.get_item(TableName="resource-loans", Key={"shelf": {"S": "maps"}}))


def test_queries_are_checked_on_their_workgroup(archive: Archive) -> None:
    owner = archive.bench.client("athena")
    output = {"ResultConfiguration": {"OutputLocation": "s3://resource-answers/answers/"}}
    for group in ("readers", "staff"):
        owner.create_work_group(Name=group, Configuration=output)
    ids = {
        group: owner.start_query_execution(QueryString="select 1", WorkGroup=group)["QueryExecutionId"]
        for group in ("readers", "staff")
    }
    groups = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup"
    calls = ["athena:GetQueryExecution", "athena:BatchGetQueryExecution", "athena:StopQueryExecution"]
    athena = archive.client("athena", statement(calls, [f"{groups}/readers"]))
    assert (
        athena.get_query_execution(QueryExecutionId=ids["readers"])["QueryExecution"]["WorkGroup"]
        == "readers"
    )
    athena.stop_query_execution(QueryExecutionId=ids["readers"])
    for call in (athena.get_query_execution, athena.stop_query_execution):
        refused(lambda call=call: call(QueryExecutionId=ids["staff"]))
    athena.batch_get_query_execution(QueryExecutionIds=[ids["readers"]])
    refused(lambda: athena.batch_get_query_execution(QueryExecutionIds=list(ids.values())))
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        athena.start_query_execution(QueryString="select 1")  # in the primary workgroup


def test_an_alias_is_checked_as_its_state_machine_with_its_name_as_a_condition(archive: Archive) -> None:
    owner = archive.bench.client("stepfunctions")
    role = make_role(archive.bench, "archive-machine", "states.amazonaws.com", [])
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    made = owner.create_state_machine(name="shelving", definition=definition, roleArn=role, publish=True)
    machine, version = made["stateMachineArn"], made["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    aliases = [
        owner.create_state_machine_alias(name=name, routingConfiguration=routes)["stateMachineAliasArn"]
        for name in ("live", "test")
    ]
    states = archive.client("stepfunctions", statement(["states:StartExecution"], [machine]))
    run = states.start_execution(stateMachineArn=aliases[0])["executionArn"]
    refused(lambda: states.describe_execution(executionArn=run), run)
    live = {"StringEquals": {"states:StateMachineQualifier": "live"}}
    states = archive.client("stepfunctions", statement(["states:StartExecution"], [machine], **live))
    states.start_execution(stateMachineArn=aliases[0])
    for other in (aliases[1], version, machine):
        refused(lambda other=other: states.start_execution(stateMachineArn=other), machine)
    states = archive.client("stepfunctions", statement(["states:StartExecution"], [aliases[0]]))
    refused(lambda: states.start_execution(stateMachineArn=aliases[0]), machine)


def test_the_catalogue_checks_the_ancestors_too(archive: Archive) -> None:
    table, above = f"{GLUE}:table/scans/pages", [f"{GLUE}:database/scans", f"{GLUE}:catalog"]

    def read(*resources: str) -> Any:
        return archive.client("glue", statement(["glue:GetTable"], list(resources))).get_table(
            DatabaseName="scans", Name="pages"
        )

    assert read(table, *above)["Table"]["Name"] == "pages"
    refused(lambda: read(table))
    refused(lambda: read(*above))
    refused(lambda: read(f"{GLUE}:table/scans/other", *above))


def test_crawlers_jobs_and_log_groups_by_their_own_arn(archive: Archive) -> None:
    for allowed, called in (
        (f"{GLUE}:crawler/a", True),
        (f"{GLUE}:crawler/b", False),
        (f"{GLUE}:table/a", False),
    ):
        glue = archive.client("glue", statement(["glue:GetCrawler"], [allowed]))
        if called:
            with pytest.raises(glue.exceptions.EntityNotFoundException):
                glue.get_crawler(Name="a")
        else:
            refused(lambda glue=glue: glue.get_crawler(Name="a"))
    logs = archive.client("logs", statement(["logs:*"], [f"{LOGS}:/archive/a:*"]))
    logs.create_log_group(logGroupName="/archive/a")
    logs.create_log_stream(logGroupName="/archive/a", logStreamName="s")
    refused(lambda: logs.create_log_group(logGroupName="/archive/b"))


@pytest.mark.parametrize(
    ("action", "data", "expected"),
    [
        ("GetTables", {"DatabaseName": "d"}, ["table/d/*", "database/d", "catalog"]),
        (
            "CreateTable",
            {"DatabaseName": "d", "TableInput": {"Name": "t"}},
            ["table/d/t", "database/d", "catalog"],
        ),
        ("CreateDatabase", {"DatabaseInput": {"Name": "d"}}, ["database/d", "catalog"]),
        ("CreateCrawler", {"Name": "c", "DatabaseName": "d"}, ["crawler/c"]),
        ("StartJobRun", {"JobName": "j"}, ["job/j"]),
        ("GetClassifiers", {}, []),
    ],
)
def test_the_resources_of_a_glue_call(action: str, data: dict[str, Any], expected: list[str]) -> None:
    assert request_resources.glue_resources(action, data) == expected


@pytest.mark.parametrize(
    ("action", "data", "expected"),
    [
        ("PutRule", {"Name": "r"}, ["rule/r"]),
        ("PutTargets", {"Rule": "r", "EventBusName": "default"}, ["rule/r"]),
        ("DeleteRule", {"Name": "r", "EventBusName": "own"}, ["rule/own/r"]),
        ("RemoveTargets", {"Rule": "r", "EventBusName": "arn:aws:events:x:y:event-bus/own"}, ["rule/own/r"]),
        ("CreateEventBus", {"Name": "own"}, []),
        ("PutEvents", {"Entries": []}, []),
    ],
)
def test_the_resources_of_a_call_on_a_rule(action: str, data: dict[str, Any], expected: list[str]) -> None:
    assert request_resources.events_resources(action, data) == expected
