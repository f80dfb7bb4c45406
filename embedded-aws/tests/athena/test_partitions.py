"""The partitions of a projected table by the folders of its objects, and locations."""

from datetime import UTC, datetime
from typing import Any

import pytest

from embedded_aws.athena import partitions
from embedded_aws.athena.failures import QueryFailedError

NOW = datetime(2020, 2, 1, 12, 0, tzinfo=UTC)


def projection(keys: list[str], location: str = "s3://zoo/visits/", **parameters: str) -> Any:
    table = {
        "StorageDescriptor": {"Location": location},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
        "Parameters": {"projection.enabled": "true"}
        | {name.replace("__", "."): text for name, text in parameters.items()},
    }
    assert partitions.is_projected(table)
    return partitions.Projection(table, NOW)


DAYS = {
    "projection__day__type": "date",
    "projection__day__format": "yyyy-MM-dd",
    "projection__day__range": "2020-01-01,NOW+1DAYS",
}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("visits/day=2020-01-01/a.json", ("2020-01-01",)),
        ("visits/day=2020-02-02/deeper/a.json", ("2020-02-02",)),
        ("visits/day=2020-02-03/a.json", None),
        ("visits/day=2019-12-31/a.json", None),
        ("visits/day=January/a.json", None),
        ("visits/2020-01-01/a.json", None),
        ("visits/a.json", None),
    ],
)
def test_a_range_of_days(key: str, expected: tuple[str, ...] | None) -> None:
    days = projection(["day"], **DAYS)
    assert days.place == partitions.Place("zoo", "visits/")
    assert days.values(key) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("visits/hall=07/kind=owl/a", ("07", "owl")),
        ("visits/hall=10/kind=bat/a", ("10", "bat")),
        ("visits/hall=11/kind=bat/a", None),
        ("visits/hall=7/kind=owl/a", None),
        ("visits/hall=07/kind=cow/a", None),
        ("visits/kind=owl/hall=07/a", None),
    ],
)
def test_a_range_of_numbers_and_a_list(key: str, expected: tuple[str, ...] | None) -> None:
    settings = {
        "projection__hall__type": "integer",
        "projection__hall__range": "1,10",
        "projection__hall__digits": "2",
        "projection__kind__type": "enum",
        "projection__kind__values": "owl, bat",
    }
    assert projection(["hall", "kind"], **settings).values(key) == expected


def test_folders_of_a_template() -> None:
    template = "s3://zoo/tours.v1/${day}/${guide}/files/"
    tours = projection(
        ["day", "guide"], storage__location__template=template, projection__guide__type="injected", **DAYS
    )
    assert tours.place == partitions.Place("zoo", "tours.v1/")
    assert tours.values("tours.v1/2020-01-05/ann/files/a.json") == ("2020-01-05", "ann")
    assert tours.values("tours.v1/2020-01-05/ann/others/a.json") is None
    assert tours.values("toursXv1/2020-01-05/ann/files/a.json") is None


@pytest.mark.parametrize(
    ("edge", "first"),
    [
        ("NOW", "2020-02-01"),
        ("NOW-3DAYS", "2020-01-29"),
        ("NOW-1WEEKS", "2020-01-25"),
        ("NOW-24HOURS", "2020-01-31"),
        ("NOW-1MONTH", "2020-01-02"),
    ],
)
def test_ranges_from_now(edge: str, first: str) -> None:
    day = datetime.strptime(first, "%Y-%m-%d").toordinal()
    settings = {**DAYS, "projection__day__range": f"{edge},2030-01-01"}
    days = projection(["day"], **settings)
    # Midnight is before the edge itself.
    shown = [days.values(f"visits/day={datetime.fromordinal(day + more):%Y-%m-%d}/a") for more in (0, 1)]
    assert [values is not None for values in shown] == [False, True]


def test_a_table_is_projected_if_its_properties_say_so_and_it_has_keys() -> None:
    assert not partitions.is_projected({"Parameters": {"projection.enabled": "true"}})
    keys = [{"Name": "day", "Type": "string"}]
    assert not partitions.is_projected({"PartitionKeys": keys})
    assert not partitions.is_projected({"PartitionKeys": keys, "Parameters": {"projection.enabled": "false"}})


def test_locations() -> None:
    assert partitions.place_of("s3://zoo") == partitions.Place("zoo", "")
    assert partitions.place_of("s3://zoo/a/b/", ("1",)) == partitions.Place("zoo", "a/b/", ("1",))
    with pytest.raises(QueryFailedError, match="'hdfs://zoo/a' is not a location in S3"):
        partitions.place_of("hdfs://zoo/a")
