"""The lock and the crawled table: the job's two questions to tables, with stand-ins that answer as botocore
does, from its own descriptions of the services."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from etl import clients
from etl.errors import LockLost, StorageError
from etl.run.catalogue import table_columns
from etl.run.lock import take_lock

ME = "arn:aws:states:eu-west-1:000000000000:execution:etl-dev-events:me"
OTHER = "arn:aws:states:eu-west-1:000000000000:execution:etl-dev-events:other"


class Locks:
    """A table that keeps the one condition the lock is about; refuses any other request."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.tells_the_owner = True

    def put_item(self, **asked: Any) -> dict[str, Any]:
        assert asked["TableName"] == "etl-dev-locks"
        assert asked["ConditionExpression"] == "attribute_not_exists(#owner) OR #owner = :me"
        assert asked["ExpressionAttributeNames"] == {"#owner": "owner"}
        assert asked["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
        item = asked["Item"]
        held = self.items.get(item["pipeline"]["S"], {})
        if "owner" in held and held["owner"] != asked["ExpressionAttributeValues"][":me"]:
            error = {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}
            old = {"Item": held} if self.tells_the_owner else {}
            raise ClientError({"Error": error, **old}, "PutItem")
        self.items[item["pipeline"]["S"]] = item
        return {}


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Locks:
    fake = Locks()
    monkeypatch.setitem(clients._clients, "dynamodb", fake)
    return fake


@pytest.fixture(params=["dynamodb", "glue"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """A real client whose requests and answers are held against the service's description."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    client = boto3.client(request.param, region_name="eu-west-1")
    monkeypatch.setitem(clients._clients, request.param, client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("service", [name], indirect=True)


def test_a_free_lock_is_taken(locks: Locks) -> None:
    take_lock("etl-dev-locks", "events", ME)
    item = locks.items["events"]
    assert (item["pipeline"], item["owner"]) == ({"S": "events"}, {"S": ME})
    since = item["since"]["S"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", since)
    assert abs(datetime.fromisoformat(since) - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_item_without_an_owner_is_free(locks: Locks) -> None:
    locks.items["events"] = {"pipeline": {"S": "events"}}
    take_lock("etl-dev-locks", "events", ME)
    assert locks.items["events"]["owner"] == {"S": ME}


def test_ones_own_lock_is_taken_again(locks: Locks) -> None:
    take_lock("etl-dev-locks", "events", ME)
    take_lock("etl-dev-locks", "events", ME)
    assert locks.items["events"]["owner"] == {"S": ME}


def test_each_pipeline_has_its_own_lock(locks: Locks) -> None:
    take_lock("etl-dev-locks", "mobile", OTHER)
    take_lock("etl-dev-locks", "events", ME)
    assert {name: item["owner"]["S"] for name, item in locks.items.items()} == {"mobile": OTHER, "events": ME}


def test_anothers_lock_is_lost_and_left_alone(locks: Locks) -> None:
    take_lock("etl-dev-locks", "events", OTHER)
    before = dict(locks.items["events"])
    with pytest.raises(LockLost) as caught:
        take_lock("etl-dev-locks", "events", ME)
    assert str(caught.value) == (
        f"pipeline events is owned by {OTHER}, not by {ME}; "
        "nothing was written: once that run has ended, redrive this one"
    )
    assert locks.items["events"] == before
    assert f"{type(caught.value).__module__}.{type(caught.value).__name__}" == "builtins.LockLost"


def test_an_owner_that_is_not_told_is_still_another(locks: Locks) -> None:
    take_lock("etl-dev-locks", "events", OTHER)
    locks.tells_the_owner = False
    with pytest.raises(LockLost, match=r"^pipeline events is owned by another run, not by arn:"):
        take_lock("etl-dev-locks", "events", ME)


@of("dynamodb")
def test_the_service_knows_the_request_and_names_the_owner(service: Stubber) -> None:
    service.add_response("put_item", {})
    take_lock("etl-dev-locks", "events", ME)
    service.add_client_error(
        "put_item",
        "ConditionalCheckFailedException",
        modeled_fields={"Item": {"pipeline": {"S": "events"}, "owner": {"S": OTHER}}},
    )
    with pytest.raises(LockLost, match=f"owned by {OTHER}, not by {ME}"):
        take_lock("etl-dev-locks", "events", ME)


@of("dynamodb")
def test_a_table_that_cannot_be_asked_is_no_lost_lock(service: Stubber) -> None:
    service.add_client_error("put_item", "ResourceNotFoundException", "Requested resource not found")
    with pytest.raises(StorageError) as caught:
        take_lock("etl-dev-locks", "events", ME)
    assert str(caught.value) == (
        "cannot take the lock of events in table etl-dev-locks: An error occurred "
        "(ResourceNotFoundException) when calling the PutItem operation: Requested resource not found"
    )


COLUMNS = [{"Name": "event_id", "Type": "string"}, {"Name": "items", "Type": "array<struct<a:int>>"}]


@of("glue")
def test_columns_are_those_of_the_table_without_its_partition_keys(service: Stubber) -> None:
    table = {
        "Name": "events",
        "StorageDescriptor": {"Columns": COLUMNS},
        "PartitionKeys": [{"Name": "dt", "Type": "string"}],
    }
    service.add_response("get_table", {"Table": table}, {"DatabaseName": "raw", "Name": "events"})
    assert table_columns("raw", "events") == [("event_id", "string"), ("items", "array<struct<a:int>>")]


@of("glue")
def test_a_table_without_columns_or_no_table_has_none(service: Stubber) -> None:
    service.add_response("get_table", {"Table": {"Name": "events"}})
    assert table_columns("raw", "events") == []
    service.add_client_error("get_table", "EntityNotFoundException", "Entity Not Found")
    assert table_columns("raw", "events") == []


@of("glue")
def test_a_catalogue_that_refuses_is_told(service: Stubber) -> None:
    service.add_client_error("get_table", "AccessDeniedException", "not authorized")
    with pytest.raises(StorageError, match=r"^cannot read the columns of raw\.events: .*not authorized$"):
        table_columns("raw", "events")


def test_each_client_is_made_once_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_clients", {})
    for name, value in (
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
    ):
        monkeypatch.setenv(name, value)
    for name in ("s3", "dynamodb", "glue"):
        client = clients.client(name)
        assert client is clients.client(name)
        assert client.meta.endpoint_url == "http://127.0.0.1:9"
        assert client.meta.service_model.service_name == name
