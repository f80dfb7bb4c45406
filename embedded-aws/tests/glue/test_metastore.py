"""The Thrift face of the Data Catalog, asked by a Thrift client, with a stand-in for Glue."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions
import pytest
from pymetastore.hive_metastore import ThriftHiveMetastore, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport

from embedded_aws.glue.sessions.metastore import Metastore

MADE = datetime(2020, 1, 1, tzinfo=UTC)
TABLES: list[dict[str, Any]] = [
    {
        "Name": "tides",
        "DatabaseName": "coast",
        "CreateTime": MADE,
        "PartitionKeys": [{"Name": "port", "Type": "string"}, {"Name": "day", "Type": "date"}],
        "StorageDescriptor": {"Columns": [{"Name": "height", "Type": "double", "Comment": "metres"}]},
        "Parameters": {"classification": "parquet"},
    },
    {"Name": "tide_view", "DatabaseName": "coast", "TableType": "VIRTUAL_VIEW"},
]
PARTITIONS = [
    {"Values": [port, day], "DatabaseName": "coast", "TableName": "tides"}
    for port in ("Brest", "St. Malo/Quay")
    for day in ("2020-01-01", "2020-01-02")
]


class Glue:
    """As many pages as there are entries. Who asks for the database `secret` is refused."""

    def get_paginator(self, call: str) -> Any:
        return type("Pages", (), {"paginate": lambda _, **asked: self.pages(call, asked)})()

    def pages(self, call: str, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
        if call == "get_databases":
            yield from ({"DatabaseList": [{"Name": name}]} for name in ("coast", "desert"))
        elif call == "get_tables":
            yield from (
                {"TableList": [one]} for one in TABLES if one["DatabaseName"] == asked["DatabaseName"]
            )
        else:
            yield from ({"Partitions": [one]} for one in PARTITIONS)

    def get_database(self, Name: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        if Name == "secret":
            raise refusal("AccessDeniedException", "you may not glue:GetDatabase")
        if Name != "coast":
            raise refusal("EntityNotFoundException", f"Database {Name} not found.")
        return {"Database": {"Name": Name, "LocationUri": "s3://coast/"}}

    def get_table(self, DatabaseName: str, Name: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        if DatabaseName == "secret":
            raise refusal("AccessDeniedException", "you may not glue:GetTable")
        for one in TABLES:
            if one["Name"] == Name:
                return {"Table": one}
        raise refusal("EntityNotFoundException", f"Table {Name} not found.")


def refusal(code: str, message: str) -> Any:
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": message}}, "Get")


@pytest.fixture
def hive() -> Iterator[Any]:
    metastore = Metastore(Glue())
    host, port = metastore.uri.removeprefix("thrift://").split(":")
    assert host == "127.0.0.1"
    transport = TBufferedTransport(TSocket(host, int(port)))
    transport.open()
    yield ThriftHiveMetastore.Client(TBinaryProtocol(transport))
    transport.close()
    metastore.close()


def test_databases(hive: Any) -> None:
    assert hive.get_all_databases() == ["coast", "default", "desert"]
    assert hive.get_databases("des*|co*") == ["coast", "desert"]
    assert hive.get_database("coast").locationUri == "s3://coast/"
    assert hive.get_database("default").name == "default"
    for missing in ("global_temp", "lake"):
        with pytest.raises(ttypes.NoSuchObjectException):
            hive.get_database(missing)


def test_who_may_not_see_a_database_is_told_once_and_gets_its_name(
    hive: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert hive.get_database("secret").name == "secret"
    assert capfd.readouterr().err.count("would refuse this: you may not glue:GetDatabase") == 1
    with pytest.raises(ttypes.MetaException) as caught:
        hive.get_table("secret", "tides")
    assert caught.value.message == "AccessDeniedException: you may not glue:GetTable"


def test_tables(hive: Any) -> None:
    assert hive.get_all_tables("coast") == ["tides", "tide_view"]
    assert hive.get_all_tables("default") == []
    assert hive.get_tables("coast", "tide_*") == ["tide_view"]
    assert hive.get_tables_by_type("coast", "*", "VIRTUAL_VIEW") == ["tide_view"]
    asked = ttypes.GetTablesRequest(dbName="coast", tblNames=["TIDES"])
    assert [one.tableName for one in hive.get_table_objects_by_name_req(asked).tables] == ["tides"]
    table = hive.get_table_req(ttypes.GetTableRequest(dbName="coast", tblName="tides")).table
    assert (table.tableType, table.createTime) == ("EXTERNAL_TABLE", int(MADE.timestamp()))
    assert [(one.name, one.type, one.comment) for one in table.sd.cols] == [("height", "double", "metres")]
    assert [one.name for one in table.partitionKeys] == ["port", "day"]
    with pytest.raises(ttypes.NoSuchObjectException):
        hive.get_table("coast", "waves")


@pytest.mark.parametrize(
    ("first", "most", "expected"),
    [
        ([], -1, [0, 1, 2, 3]),
        ([], 3, [0, 1, 2]),
        (["Brest"], -1, [0, 1]),
        (["", "2020-01-02"], -1, [1, 3]),
        (["Nantes"], -1, []),
    ],
)
def test_partitions_by_their_first_values(
    hive: Any, first: list[str], most: int, expected: list[int]
) -> None:
    found = hive.get_partitions_ps("coast", "tides", first, most)
    assert [one.values for one in found] == [PARTITIONS[index]["Values"] for index in expected]
    names = hive.get_partition_names_ps("coast", "tides", first, most)
    by_names = hive.get_partitions_by_names("coast", "tides", names)
    assert [one.values for one in by_names] == [one.values for one in found]


def test_names_of_partitions_are_encoded(hive: Any) -> None:
    assert hive.get_partition_names("coast", "tides", -1)[2] == "port=St.%20Malo%2FQuay/day=2020-01-01"


@pytest.mark.parametrize(
    "change",
    [
        lambda hive: hive.drop_table("coast", "tides", False),
        lambda hive: hive.create_database(ttypes.Database(name="x")),
        lambda hive: hive.create_table(ttypes.Table(tableName="x")),
    ],
    ids=["drop_table", "create_database", "create_table"],
)
def test_changes_are_refused_and_the_connection_serves_on(hive: Any, change: Any) -> None:
    with pytest.raises(ttypes.MetaException) as caught:
        change(hive)
    assert "a session changes only Iceberg tables" in caught.value.message
    assert hive.get_all_tables("coast")
