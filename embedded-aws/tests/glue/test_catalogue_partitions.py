"""Partitions in the catalogue: expressions, limits, refusals and rights.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-partitions.html
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import callers
import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION, Bench

from embedded_aws.glue.catalogue import partition_expressions

DATABASE = "ferries"
TABLE = {"DatabaseName": DATABASE, "TableName": "crossings"}
DAYS = [str(date(2021, 3, 1) + timedelta(days=day)) for day in range(60)]
PIERS = ("North Quay", "a%2Fb", "__HIVE_DEFAULT_PARTITION__")
KEYS = [{"Name": "Day", "Type": "date"}, {"Name": "pier", "Type": "string"}, {"Name": "berth", "Type": "int"}]


def crossing(day: str, pier: str, berth: int = 9) -> dict[str, Any]:
    return {
        "Values": [day, pier, str(berth)],
        "StorageDescriptor": {"Location": f"s3://ferries/{day}/{pier}/", "Columns": [{"Name": "n"}]},
    }


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    told = error.value.response["Error"]
    return str(told["Code"]), str(told["Message"])


@pytest.fixture(scope="module")
def glue(bench: Bench) -> Any:
    client = bench.client("glue")
    client.create_database(DatabaseInput={"Name": DATABASE})
    for name in ("crossings", "others"):
        client.create_table(DatabaseName=DATABASE, TableInput={"Name": name, "PartitionKeys": KEYS})
    return client


@pytest.fixture(autouse=True)
def none_left(glue: Any) -> None:
    while found := glue.get_partitions(**TABLE, MaxResults=25)["Partitions"]:
        gone = [{"Values": entry["Values"]} for entry in found]
        assert glue.batch_delete_partition(**TABLE, PartitionsToDelete=gone)["Errors"] == []


def values(partitions: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(entry["Values"]) for entry in partitions]


# -- expressions --

HELD = [crossing("2021-03-01", "North Quay", 9), crossing("2021-03-02", "O'Hara", 10)]
HELD += [crossing("2021-03-10", "a%2Fb", 11), crossing("2021-03-11", "north quay", 2)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("day in ('2021-03-01', '2021-03-10', '1999-01-01')", [0, 2]),
        ("DAY = '2021-03-02'", [1]),
        ("day between '2021-03-02' and '2021-03-10'", [1, 2]),
        ("day > '2021-03-02' and not day >= '2021-03-11'", [2]),
        ("pier = 'North Quay'", [0]),
        ("pier = 'O''Hara' or pier <> 'North Quay' and berth < 9", [1, 3]),
        ("pier like 'a\u0025\u00252F_'", [2]),
        ("(berth >= 10)", [1, 2]),
        ("berth = 9 and day is null", []),
        ("day not in ('2021-03-01')", [1, 2, 3]),
        ("pier is not null", [0, 1, 2, 3]),
    ],
)
def test_an_expression_compares_in_the_types_of_the_keys(expression: str, expected: list[int]) -> None:
    found = partition_expressions.meeting(HELD, KEYS, expression)
    assert found == [HELD[number] for number in expected]


@pytest.mark.parametrize(
    "expression",
    [
        "harbour = 'North Quay'",
        "day in (",
        "day",
        "lower(pier) = 'north quay'",
        "day in (select 1)",
        "day = 'yesterday'",
        "1",
        "day = '2021-03-01'; drop table x",
    ],
)
def test_undocumented_expressions_are_refused(glue: Any, expression: str) -> None:
    glue.batch_create_partition(**TABLE, PartitionInputList=[crossing(DAYS[0], "x")])
    refused = refusal(glue.get_partitions, **TABLE, Expression=expression)
    assert refused == ("InvalidInputException", "Invalid partition expression!")


def test_an_expression_has_at_most_2048_characters_and_keys_some_types(glue: Any) -> None:
    most = "day in ('2021-03-01')".ljust(2048)
    assert glue.get_partitions(**TABLE, Expression=most)["Partitions"] == []
    assert refusal(glue.get_partitions, **TABLE, Expression=f"{most} ")[0] == "InvalidInputException"
    with pytest.raises(partition_expressions.ExpressionError, match="double"):
        partition_expressions.meeting(HELD, [{"Name": "day", "Type": "double"}], "day = 1")


def test_an_expression_selects_registered_partitions(glue: Any) -> None:
    made = [crossing(day, pier) for day in DAYS[:3] for pier in PIERS]
    assert glue.batch_create_partition(**TABLE, PartitionInputList=made)["Errors"] == []
    pages = glue.get_paginator("get_partitions").paginate(
        **TABLE, Expression=f"day in ('{DAYS[1]}')", PaginationConfig={"PageSize": 2}
    )
    found = [page["Partitions"] for page in pages]
    assert [len(page) for page in found] == [2, 1]
    assert values(found[0] + found[1]) == [(DAYS[1], pier, "9") for pier in PIERS]
    # The value is unescaped, the location is the folder's name.
    assert found[0][1]["StorageDescriptor"]["Location"] == f"s3://ferries/{DAYS[1]}/a%2Fb/"
    assert found[0][1]["CatalogId"] == ACCOUNT


def test_segments_together_have_all_partitions_once(glue: Any) -> None:
    glue.batch_create_partition(**TABLE, PartitionInputList=[crossing(day, "x") for day in DAYS])
    shares = [
        glue.get_partitions(**TABLE, Segment={"SegmentNumber": number, "TotalSegments": 3})["Partitions"]
        for number in range(3)
    ]
    assert sorted(values([one for share in shares for one in share])) == [(day, "x", "9") for day in DAYS]
    bare = glue.get_partitions(**TABLE, ExcludeColumnSchema=True, MaxResults=1)["Partitions"]
    assert bare[0]["StorageDescriptor"] == {"Location": f"s3://ferries/{DAYS[0]}/x/"}


# -- limits and errors --


def test_at_most_a_hundred_are_created_and_twenty_five_deleted_at_a_time(glue: Any) -> None:
    made = [crossing(day, pier) for day in DAYS for pier in PIERS][:101]
    code, words = refusal(glue.batch_create_partition, **TABLE, PartitionInputList=made)
    assert code == "ValidationException"
    assert "at 'partitionInputList' failed to satisfy constraint: " in words
    assert words.endswith("Member must have length less than or equal to 100")
    assert glue.get_partitions(**TABLE)["Partitions"] == []
    assert glue.batch_create_partition(**TABLE, PartitionInputList=made[:100])["Errors"] == []
    gone = [{"Values": entry["Values"]} for entry in made[:26]]
    code, words = refusal(glue.batch_delete_partition, **TABLE, PartitionsToDelete=gone)
    assert (code, words[-3:]) == ("ValidationException", " 25")
    assert len(glue.get_partitions(**TABLE)["Partitions"]) == 100
    assert glue.batch_delete_partition(**TABLE, PartitionsToDelete=gone[:25])["Errors"] == []
    assert len(glue.get_partitions(**TABLE)["Partitions"]) == 75


def test_duplicate_and_missing_partitions_are_reported_and_the_rest_is_done(glue: Any) -> None:
    one, two = crossing(DAYS[0], "x"), crossing(DAYS[1], "x")
    glue.create_partition(**TABLE, PartitionInput=one)
    assert refusal(glue.create_partition, **TABLE, PartitionInput=one)[0] == "AlreadyExistsException"
    twice = glue.batch_create_partition(**TABLE, PartitionInputList=[one, two, two])["Errors"]
    assert [(error["PartitionValues"], error["ErrorDetail"]["ErrorCode"]) for error in twice] == [
        (one["Values"], "AlreadyExistsException"),
        (two["Values"], "AlreadyExistsException"),
    ]
    gone = [{"Values": one["Values"]}, {"Values": ["2000-01-01", "x", "9"]}, {"Values": one["Values"]}]
    missing = glue.batch_delete_partition(**TABLE, PartitionsToDelete=gone)["Errors"]
    assert [(error["PartitionValues"], error["ErrorDetail"]["ErrorCode"]) for error in missing] == [
        (["2000-01-01", "x", "9"], "EntityNotFoundException"),
        (one["Values"], "EntityNotFoundException"),
    ]
    assert values(glue.get_partitions(**TABLE)["Partitions"]) == [tuple(two["Values"])]
    glue.delete_partition(**TABLE, PartitionValues=two["Values"])
    again = refusal(glue.delete_partition, **TABLE, PartitionValues=two["Values"])
    assert again == ("EntityNotFoundException", "Partition not found.")


def test_a_partition_needs_an_existing_table_and_a_value_for_each_key(glue: Any) -> None:
    short = {**crossing(DAYS[0], "x"), "Values": [DAYS[0]]}
    refused = refusal(glue.batch_create_partition, **TABLE, PartitionInputList=[short])
    assert refused == (
        "InvalidInputException",
        "The number of partition keys do not match the number of partition values",
    )
    nowhere = {"DatabaseName": DATABASE, "TableName": "nowhere"}
    for call, request in (
        (glue.get_partitions, {}),
        (glue.batch_create_partition, {"PartitionInputList": [crossing(DAYS[0], "x")]}),
        (glue.batch_delete_partition, {"PartitionsToDelete": [{"Values": ["x"]}]}),
    ):
        assert refusal(call, **nowhere, **request)[0] == "EntityNotFoundException"


# -- rights --


def test_each_call_needs_its_right_on_the_table_its_database_and_the_catalogue(
    bench: Bench, glue: Any
) -> None:
    above = [f"arn:aws:glue:{REGION}:{ACCOUNT}:{name}" for name in ("catalog", f"database/{DATABASE}")]
    table = f"arn:aws:glue:{REGION}:{ACCOUNT}:table/{DATABASE}/crossings"
    actions = ["glue:GetPartitions", "glue:BatchCreatePartition", "glue:BatchDeletePartition"]

    def caller(name: str, resources: list[str]) -> Any:
        callers.make(bench, name, {"Effect": "Allow", "Action": actions, "Resource": resources})
        return bench.client("glue", callers.taken(bench, name))

    def calls(client: Any) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
        new = [crossing(DAYS[0], "x")]
        return [
            (client.batch_create_partition, {"PartitionInputList": new}),
            (client.get_partitions, {"Expression": f"day = '{DAYS[0]}'"}),
            (client.batch_delete_partition, {"PartitionsToDelete": [{"Values": new[0]["Values"]}]}),
        ]

    allowed = caller("harbour-master", [*above, table])
    for call, request in calls(allowed):
        assert call(**TABLE, **request).get("Errors", []) == []
    others = {**TABLE, "TableName": "others"}
    for action, (call, request) in zip((actions[1], actions[0], actions[2]), calls(allowed), strict=True):
        code, words = refusal(call, **others, **request)
        assert code == "AccessDeniedException"
        assert f"not authorized to perform: {action} on resource: " in words
        assert words.partition("on resource: ")[2].startswith(table.replace("crossings", "others"))
    for number, missing in enumerate(above):
        known = caller(f"deckhand-{number}", [one for one in (*above, table) if one != missing])
        for call, request in calls(known):
            assert refusal(call, **TABLE, **request)[0] == "AccessDeniedException"
