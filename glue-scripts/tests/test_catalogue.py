"""The partitions of a declared table: a stand-in keeps them as Glue does, and botocore's own description of
the service is held against every request."""

from datetime import date
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from botocore.validate import validate_parameters
from etl import clients, io
from etl.errors import StorageError
from etl.run import catalogue
from etl.run.catalogue import PartitionedTable, open_table, register_partitions

D1, D2, D3 = date(2010, 12, 1), date(2010, 12, 2), date(2010, 12, 3)
PLACE = "s3://processed/sales/"
STORAGE = {"Location": PLACE, "Columns": [{"Name": "quantity", "Type": "bigint"}]}
TABLE = PartitionedTable("processed", "sales", ("run_date", "region"), STORAGE)


class Glue:
    """Partitions by their values; refuses what is there twice, or not, or too much at a time."""

    def __init__(self) -> None:
        self.partitions: dict[tuple[str, ...], dict[str, Any]] = {}
        self.calls: list[str] = []
        self.model = boto3.client("glue", "eu-west-1").meta.service_model

    def get_paginator(self, name: str) -> "Glue":
        assert name == "get_partitions"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        self.check("GetPartitions", asked)
        assert len(asked["Expression"]) <= 2048
        dates = asked["Expression"].removeprefix("run_date in (").removesuffix(")").split(", ")
        found = [one for values, one in self.partitions.items() if f"'{values[0]}'" in dates]
        return [{"Partitions": found[:1]}, {"Partitions": found[1:]}]

    def batch_create_partition(self, **asked: Any) -> dict[str, Any]:
        self.check("BatchCreatePartition", asked)
        assert len(asked["PartitionInputList"]) <= 100
        for one in asked["PartitionInputList"]:
            assert tuple(one["Values"]) not in self.partitions
            self.partitions[tuple(one["Values"])] = one
        return {}

    def batch_delete_partition(self, **asked: Any) -> dict[str, Any]:
        self.check("BatchDeletePartition", asked)
        assert len(asked["PartitionsToDelete"]) <= 25
        for one in asked["PartitionsToDelete"]:
            del self.partitions[tuple(one["Values"])]
        return {}

    def check(self, operation: str, asked: dict[str, Any]) -> None:
        self.calls.append(operation)
        validate_parameters(asked, self.model.operation_model(operation).input_shape)

    def places(self) -> dict[tuple[str, ...], str]:
        return {values: one["StorageDescriptor"]["Location"] for values, one in self.partitions.items()}


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> Glue:
    fake = Glue()
    monkeypatch.setitem(clients._clients, "glue", fake)
    return fake


def files(*folders: str) -> list[io.StoredObject]:
    names = [f"{folder}/{part}.parquet" for folder in folders for part in ("a", "b")]
    return [io.StoredObject(PLACE + name, name, 1) for name in names]


def test_values_are_as_in_the_rows_and_locations_as_in_the_bucket(glue: Glue) -> None:
    there = files(
        f"run_date={D1}/region=a%2Fb", f"run_date={D1}/region=100%25", f"run_date={D1}/region=Côte d'Ivoire"
    )
    there += files(f"run_date={D1}/region=__HIVE_DEFAULT_PARTITION__", f"run_date={D1}/region=a=b+c")
    register_partitions(TABLE, PLACE, [D1], there)
    assert glue.places() == {
        (str(D1), "a/b"): f"{PLACE}run_date={D1}/region=a%2Fb/",
        (str(D1), "100%"): f"{PLACE}run_date={D1}/region=100%25/",
        (str(D1), "Côte d'Ivoire"): f"{PLACE}run_date={D1}/region=Côte d'Ivoire/",
        (str(D1), "__HIVE_DEFAULT_PARTITION__"): f"{PLACE}run_date={D1}/region=__HIVE_DEFAULT_PARTITION__/",
        (str(D1), "a=b+c"): f"{PLACE}run_date={D1}/region=a=b+c/",
    }
    assert {str(one["StorageDescriptor"]["Columns"]) for one in glue.partitions.values()} == {
        str(STORAGE["Columns"])
    }


def test_only_what_is_not_so_already_is_changed_and_of_no_other_date(glue: Glue) -> None:
    both = files(f"run_date={D1}/region=EU", f"run_date={D1}/region=US", f"run_date={D2}/region=EU")
    register_partitions(TABLE, PLACE, [D1, D2], both)
    glue.partitions[str(D1), "US"]["StorageDescriptor"]["Location"] = "s3://elsewhere/"
    glue.calls.clear()
    register_partitions(TABLE, PLACE, [D1], files(f"run_date={D1}/region=US", f"run_date={D1}/region=JP"))
    assert glue.calls == ["GetPartitions", "BatchDeletePartition", "BatchCreatePartition"]
    assert glue.places() == {
        (str(D1), "US"): f"{PLACE}run_date={D1}/region=US/",
        (str(D1), "JP"): f"{PLACE}run_date={D1}/region=JP/",
        (str(D2), "EU"): f"{PLACE}run_date={D2}/region=EU/",
    }
    glue.calls.clear()
    register_partitions(TABLE, PLACE, [D1], files(f"run_date={D1}/region=US", f"run_date={D1}/region=JP"))
    assert glue.calls == ["GetPartitions"]
    register_partitions(TABLE, PLACE, [D1, D2, D3], [])
    assert glue.places() == {}


def test_many_are_sent_in_batches(glue: Glue) -> None:
    days = [date.fromordinal(D1.toordinal() + at) for at in range(120)]
    many = files(*(f"run_date={day}/region={region}" for day in days for region in ("EU", "US")))
    register_partitions(TABLE, PLACE, days, many)
    assert len(glue.partitions) == 240
    assert glue.calls == ["GetPartitions"] * 3 + ["BatchCreatePartition"] * 3
    register_partitions(TABLE, PLACE, days, [])
    assert (len(glue.partitions), glue.calls.count("BatchDeletePartition")) == (0, 10)


def test_the_table_must_be_there_and_have_the_keys_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("glue", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106
    monkeypatch.setitem(clients._clients, "glue", client)
    asked = {"DatabaseName": "processed", "Name": "sales"}
    table = {"Name": "sales", "StorageDescriptor": STORAGE, "PartitionKeys": [{"Name": "run_date"}]}
    keys = [{"Name": name, "Type": "string"} for name in TABLE.keys]
    with Stubber(client) as stubber:
        stubber.add_response("get_table", {"Table": {**table, "PartitionKeys": keys}}, asked)
        assert open_table("processed", "sales", ("run_date", "region")) == TABLE
        stubber.add_response("get_table", {"Table": table}, asked)
        with pytest.raises(StorageError) as caught:
            open_table("processed", "sales", ("run_date", "region"))
        stubber.add_client_error("get_table", "EntityNotFoundException", "no such table")
        with pytest.raises(StorageError, match=r"^cannot read the table processed.sales: .*no such table"):
            open_table("processed", "sales", ("run_date",))
    assert str(caught.value) == (
        "the table processed.sales is partitioned by run_date, its rows by run_date, region: "
        "declare these keys"
    )


def test_a_partition_that_glue_refuses_ends_the_run(glue: Glue, monkeypatch: pytest.MonkeyPatch) -> None:
    detail = {"ErrorCode": "InternalServiceException", "ErrorMessage": "try again"}
    answer = {"Errors": [{"PartitionValues": [str(D1), "EU"], "ErrorDetail": detail}]}
    monkeypatch.setattr(glue, "batch_create_partition", lambda **_: answer)
    with pytest.raises(StorageError) as caught:
        register_partitions(TABLE, PLACE, [D1], files(f"run_date={D1}/region=EU"))
    assert str(caught.value) == (
        "cannot change partition 2010-12-01/EU of processed.sales: InternalServiceException: try again"
    )
    assert catalogue.CREATED_AT_A_TIME == 100
