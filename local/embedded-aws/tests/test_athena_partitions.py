"""Which files a query reads."""

from typing import Any

import athena_partitions
import pytest

FILES = ["/tmp/q/day=1/a.parquet", "/tmp/q/day=10/a.parquet", "/tmp/q/day=2/b.parquet"]  # noqa: S108
KEYS = [{"Name": "day", "Type": "string"}]
PLACE = {"Location": "s3://zoo/visits"}


@pytest.mark.parametrize(
    ("table", "locations", "expected"),
    [
        ({"StorageDescriptor": PLACE}, [], FILES),
        ({"StorageDescriptor": PLACE, "PartitionKeys": KEYS}, [], []),
        ({"StorageDescriptor": PLACE, "PartitionKeys": KEYS}, ["s3://zoo/visits/day=1/"], FILES[:1]),
        ({"StorageDescriptor": PLACE, "PartitionKeys": KEYS}, ["s3://zoo/visits/day=2"], FILES[2:]),
        ({"StorageDescriptor": PLACE, "PartitionKeys": KEYS}, ["s3://elsewhere/day=1/"], []),
        (
            {
                "StorageDescriptor": PLACE,
                "PartitionKeys": KEYS,
                "Parameters": {"projection.enabled": "true"},
            },
            [],
            FILES,
        ),
    ],
)
def test_registered_or_projected_partitions_only(
    table: dict[str, Any], locations: list[str], expected: list[str]
) -> None:
    assert athena_partitions.visible(table, FILES, locations) == expected
