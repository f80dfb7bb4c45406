"""Declared tables with registered partitions: values as in the rows, only registered folders are read.

https://docs.aws.amazon.com/athena/latest/ug/partitions.html
"""

from decimal import Decimal
from typing import Any

import athena_bench
import pyarrow as pa
import pytest
from athena_bench import BUCKET, DATABASE, ask, make_table, parquet, put, run
from conftest import Bench

ROWS = pa.schema([("ticket", pa.string()), ("fare", pa.decimal128(14, 2))])
FARES = {"ticket": "string", "fare": "decimal(14,2)"}
KEYS = {"day": "date", "pier": "string"}
PLACES = {
    ("2021-03-01", "North Quay"): "day=2021-03-01/pier=North Quay/",
    ("2021-03-01", "Côte d'Azur/Est"): "day=2021-03-01/pier=Côte d%27Azur%2FEst/",
    ("2021-03-02", "100%"): "day=2021-03-02/pier=100%25/",
    ("2021-03-02", "North%20Quay"): "day=2021-03-02/pier=North%20Quay/",
    ("2021-03-02", "__HIVE_DEFAULT_PARTITION__"): "day=2021-03-02/pier=__HIVE_DEFAULT_PARTITION__/",
}
UNREGISTERED = "day=2021-03-03/pier=North Quay/"


@pytest.fixture(scope="module", autouse=True)
def fares(bench: Bench) -> None:
    athena_bench.stock(bench)
    make_table(bench, "fares", FARES, keys=KEYS)
    for number, folder in enumerate((*PLACES.values(), UNREGISTERED)):
        row = {"ticket": f"t{number}", "fare": Decimal("59.98") + number}
        put(bench, f"fares/{folder}part-0.parquet", parquet([row], ROWS))
    glue = bench.client("glue")
    storage = glue.get_table(DatabaseName=DATABASE, Name="fares")["Table"]["StorageDescriptor"]
    inputs: list[dict[str, Any]] = [
        {
            "Values": list(values),
            "StorageDescriptor": {**storage, "Location": f"s3://{BUCKET}/fares/{folder}"},
        }
        for values, folder in PLACES.items()
    ]
    made = glue.batch_create_partition(DatabaseName=DATABASE, TableName="fares", PartitionInputList=inputs)
    assert made["Errors"] == []


def test_values_are_as_registered_and_money_is_exact(bench: Bench) -> None:
    assert ask(bench, "select ticket, fare, day, pier from fares order by ticket") == [
        ["t0", "59.98", "2021-03-01", "North Quay"],
        ["t1", "60.98", "2021-03-01", "Côte d'Azur/Est"],
        ["t2", "61.98", "2021-03-02", "100%"],
        ["t3", "62.98", "2021-03-02", "North%20Quay"],
        ["t4", "63.98", "2021-03-02", None],
    ]
    assert ask(bench, "select sum(fare) from fares") == [["309.90"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("pier = 'North Quay'", ["t0"]),
        ("pier = 'Côte d''Azur/Est'", ["t1"]),
        ("pier = '100%'", ["t2"]),
        ("pier is null", ["t4"]),
        ("day = date '2021-03-02' and pier is not null", ["t2", "t3"]),
        ("day = date '2021-03-03'", []),
    ],
)
def test_a_condition_reads_only_the_partitions_that_meet_it(
    bench: Bench, condition: str, expected: list[str]
) -> None:
    sql = f"select ticket from fares where {condition} order by 1"  # noqa: S608 - written above
    assert [row[0] for row in ask(bench, sql)] == expected
    scanned = run(bench.client("athena"), sql)["Statistics"]["DataScannedInBytes"]
    one = len(parquet([{"ticket": "t0", "fare": Decimal("59.98")}], ROWS))
    assert scanned == len(expected) * one


def test_a_partition_removed_from_the_catalogue_is_not_read(bench: Bench) -> None:
    glue, place = bench.client("glue"), {"DatabaseName": DATABASE, "TableName": "fares"}
    values = ["2021-03-01", "North Quay"]
    entry = glue.get_partition(**place, PartitionValues=values)["Partition"]
    glue.batch_delete_partition(**place, PartitionsToDelete=[{"Values": values}])
    assert ask(bench, "select count(*) from fares") == [["4"]]
    back = {"Values": values, "StorageDescriptor": entry["StorageDescriptor"]}
    glue.batch_create_partition(**place, PartitionInputList=[back])
    assert ask(bench, "select count(*) from fares") == [["5"]]
