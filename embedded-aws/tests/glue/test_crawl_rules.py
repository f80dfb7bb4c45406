"""The rules of crawls, on small invented files."""

import gzip
import json
import re

import pytest

from embedded_aws.glue.crawls import classify, source, types
from embedded_aws.glue.crawls import tables as crawl_tables


def classified(data: bytes) -> classify.Classified:
    kind = classify.classify(data, complete=True)
    assert kind is not None
    return kind


def columns(data: bytes) -> dict[str, str]:
    return {name: types.text(kind) for name, kind in classified(data).columns.items()}


def test_json_lines() -> None:
    rows = [
        {"Id": 1, "big": 5_000_000_000, "price": 1.5, "ok": True, "none": None, "tags": ["a"], "empty": []},
        {
            "Id": 2,
            "price": 3,
            "who": {"Name": "x", "age": 3},
            "lines": [{"sku": "s"}, {"qty": 2}],
            "tags": [],
        },
    ]
    data = "\n".join(json.dumps(row) for row in rows).encode() + b"\n{broken\n\n"
    assert columns(data) == {
        "id": "int",
        "big": "bigint",
        "price": "double",
        "ok": "boolean",
        "none": "string",
        "tags": "array<string>",
        "empty": "array<string>",
        "who": "struct<Name:string,age:int>",
        "lines": "array<struct<sku:string,qty:int>>",
    }
    assert (classified(data).classification, classified(data).records) == ("json", 2)
    assert columns(gzip.compress(data)) == columns(data)
    assert classified(gzip.compress(data)).compression == "gzip"


def test_json_that_spans_lines_and_json_arrays() -> None:
    assert columns(b'{\n "a": 1,\n "b": "x"\n}\n{\n "a": 2.5\n}') == {"a": "double", "b": "string"}
    assert columns(b'[{"a": 1}, {"a": 2}]') == {"array": "array<struct<a:int>>"}


def test_conflicting_types_become_a_string() -> None:
    assert columns(b'{"a": 1}\n{"a": "x"}\n{"a": {"b": 1}}') == {"a": "string"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"id;amount;paid;day\n1;2.5;true;2024-01-01\n2;3;false;2024-01-02\n",
         {"id": "bigint", "amount": "double", "paid": "boolean", "day": "string"}),
        (b"1\t2.5\n2\t3.5\n", {"col0": "bigint", "col1": "double"}),
        (b"name,town\nann,paris\nbob,rome\n", {"col0": "string", "col1": "string"}),
        (b'"id","note"\n1,"a, b"\n2,"c"\n', {"id": "bigint", "note": "string"}),
    ],
)  # fmt: skip
def test_csv(data: bytes, expected: dict[str, str]) -> None:
    assert columns(data) == expected
    assert ("skip.header.line.count" in classified(data).details) == ("col0" not in expected)


def test_csv_in_gzip_with_a_byte_order_mark_windows_lines_and_quoted_breaks() -> None:
    text = '\ufeffno,name,price\r\n1,"lamp, red\r\n""big""",2.50\r\n2,"",3\r\n3,cup,1.25\r\n'
    plain = classified(text.encode())
    assert plain.columns == {"no": "bigint", "name": "string", "price": "double"}
    assert (plain.compression, plain.records) == ("none", 3)
    packed = classified(gzip.compress(text.encode()))
    assert (packed.columns, packed.compression, packed.records) == (plain.columns, "gzip", 3)


def test_a_file_that_no_classifier_recognises() -> None:
    assert classify.classify(bytes(range(256)) * 8, complete=True) is None
    assert classify.classify(b"one column only\nand no more\n", complete=True) is None


def test_a_cut_off_file_is_read_to_its_last_whole_line() -> None:
    cut = gzip.compress(b"".join(b'{"n": %d}\n' % n for n in range(100_000)))[:50_000]
    kind = classify.classify(cut, complete=False)
    assert kind is not None
    assert kind.columns == {"n": "int"}


@pytest.mark.parametrize(
    ("key", "pattern", "expected"),
    [
        ("a.tmp", "*.tmp", True),
        ("x/a.tmp", "*.tmp", False),
        ("x/a.tmp", "**.tmp", True),
        ("x/_SUCCESS", "**/_SUCCESS", True),
        ("x/_temporary/0/a", "**/_temporary/**", True),
        ("2024-1.csv", "2024-[0-9].{csv,json}", True),
        ("2024-x.csv", "2024-[!a-z].csv", False),
        ("a*b", r"a\*b", True),
        ("axb", r"a\*b", False),
    ],
)
def test_exclusions(key: str, pattern: str, expected: bool) -> None:
    assert source.excluded(key, pattern) is expected


def found(key: str, data: bytes = b'{"a": 1}') -> crawl_tables.FoundFile:
    return crawl_tables.FoundFile(key, len(data), classified(data))


def shape(tables: list[crawl_tables.Table]) -> list[tuple[str, str, list[str], list[tuple[str, ...]]]]:
    return [(table.name, table.location, table.keys, list(table.partitions)) for table in tables]


def test_folders_named_key_and_value_are_partitions() -> None:
    files = [found("sales/year=2019/month=Jan/x.json"), found("sales/year=2019/month=Feb/x.json")]
    expected = [("sales", "sales/", ["year", "month"], [("2019", "Feb"), ("2019", "Jan")])]
    assert shape(crawl_tables.find_tables("bucket", "sales/", files)) == expected
    assert shape(crawl_tables.find_tables("bucket", "", files)) == expected
    one = crawl_tables.find_tables("bucket", "Sales-2/", [found("Sales-2/year=2019/x.json")])
    assert shape(one) == [("sales_2", "Sales-2/", ["year"], [("2019",)])]


def test_folders_of_another_schema_are_tables() -> None:
    files = [found("crm/customers/1.json"), found("crm/orders/1.json", b'{"b": 1, "c": 2}')]
    tables = crawl_tables.find_tables("bucket", "crm/", files)
    assert [table.name for table in tables] == ["customers", "orders"]


def test_similar_folders_without_names_are_numbered_partitions() -> None:
    files = [found("f/table1/p1/x.json"), found("f/table1/p2/x.json"), found("f/table2/p4/x.json")]
    expected = [
        ("f", "f/", ["partition_0", "partition_1"], [("table1", "p1"), ("table1", "p2"), ("table2", "p4")])
    ]
    assert shape(crawl_tables.find_tables("bucket", "f/", files)) == expected


def test_the_grouping_policy_of_aws_own_example() -> None:
    files = [found("table1/year=2017/data1.json", b'{"A": 1, "B": 2}')]
    files.append(found("table1/year=2018/data2.json", b'{"C": 3, "D": 4}'))
    apart = crawl_tables.find_tables("bucket", "table1/", files)
    assert [table.name for table in apart] == ["year_2017", "year_2018"]
    (together,) = crawl_tables.find_tables("bucket", "table1/", files, combine=True)
    assert (together.name, together.keys, list(together.columns)) == (
        "table1",
        ["year"],
        ["a", "b", "c", "d"],
    )


def test_the_table_level() -> None:
    files = [found("x/a/t1/dt=1/f.json"), found("x/a/t2/dt=1/f.json"), found("x/b/t3/dt=1/f.json")]
    tables = crawl_tables.find_tables("bucket", "x/", files, level=4)
    assert [(table.name, table.keys) for table in tables] == [("t1", ["dt"]), ("t2", ["dt"]), ("t3", ["dt"])]


def test_files_that_do_not_fit_together_in_one_folder_are_tables() -> None:
    files = [found("mixed/a.json"), found("mixed/b.csv", b"id,n\n1,2\n3,4\n")]
    assert [table.name for table in crawl_tables.find_tables("bucket", "mixed/", files)] == [
        "a_json",
        "b_csv",
    ]


def test_another_compression_is_another_table() -> None:
    plain = [found(f"e/dt={day}/f.json") for day in (1, 2)]
    packed = found("e/dt=3/f.json.gz", gzip.compress(b'{"a": 1}'))
    tables = crawl_tables.find_tables("bucket", "e/", [*plain, packed], combine=True)
    assert shape(tables) == [("e", "e/", ["dt"], [("1",), ("2",)]), ("dt_3", "e/dt=3/", [], [])]


def test_a_taken_name_gets_a_hash_of_the_tables_location() -> None:
    name = crawl_tables.unique_name("events", "s3://b/x/")
    assert name != crawl_tables.unique_name("events", "s3://b/y/")
    assert re.fullmatch(r"events_[0-9a-f]{32}", name)


def test_days_of_csv_that_gain_a_column_are_one_table_with_a_schema_for_each_day() -> None:
    days = [
        found("fares/dt=1/1.csv", b"id,price,pier,boat\n1,2.5,Rome,a\n2,3,Bonn,b\n"),
        found("fares/dt=2/2.csv", b"id,price,pier,boat,note\n3,x,Rome,a,1\n4,3,Bonn,b,\n"),
        found("fares/dt=3/3.csv", b"boat,pier,id,price\na,Rome,5,2\nb,Bonn,6,4\n"),
    ]
    (table,) = crawl_tables.find_tables("bucket", "fares/", days, combine=True)
    assert (table.name, table.keys, list(table.partitions)) == ("fares", ["dt"], [("1",), ("2",), ("3",)])
    told = {name: types.text(kind) for name, kind in table.columns.items()}
    assert told == {"id": "bigint", "price": "string", "pier": "string", "boat": "string", "note": "bigint"}
    assert [list(partition.columns) for partition in table.partitions.values()] == [
        ["id", "price", "pier", "boat"],
        ["id", "price", "pier", "boat", "note"],
        ["boat", "pier", "id", "price"],
    ]


def test_a_day_of_csv_under_other_names_is_another_table_unless_combined() -> None:
    days = [
        found("fares/dt=1/1.csv", b"id,price,pier\n1,2.5,Rome\n2,3,Bonn\n"),
        found("fares/dt=2/2.csv", b"id,price,pier\n1,2.5,Rome\n2,3,Bonn\n"),
        found("fares/dt=3/3.csv", b"Ticket No,Fare,Landing\n3,2.5,Rome\n4,3,Bonn\n"),
    ]
    apart = crawl_tables.find_tables("bucket", "fares/", days)
    assert [(table.name, list(table.columns)) for table in apart] == [
        ("fares", ["id", "price", "pier"]),
        ("dt_3", ["ticket no", "fare", "landing"]),
    ]
    (together,) = crawl_tables.find_tables("bucket", "fares/", days, combine=True)
    assert list(together.columns) == ["id", "price", "pier", "ticket no", "fare", "landing"]
