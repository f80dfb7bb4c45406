"""CSV files: the shapes of headers, the values of lines, and that no line is lost, split or shifted."""

import bz2
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from etl import session
from etl.errors import InvalidDelivery
from etl.ingest import reading
from etl.ingest.contract import Contract
from etl.ingest.headers import find_layouts
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.parse_csv import parse_csv
from etl.io import StoredObject
from plans import contract_of_document
from pyspark.sql import Row, SparkSession
from sales import D1, D2, D3, HEADER, RETAIL, SalesLake, csv_of, figures, retail_line, sale
from test_reading_deliveries import lines_scanned


def contract_of(delimiter: str = ",", unknown: str = "ignore") -> Contract:
    """Three columns, of which the last need not be there."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {
            "key": {"type": "string"},
            "text": {"type": ["string", "null"]},
            "number": {"type": ["integer", "null"]},
        },
        "required": ["key"],
        "x-etl": {
            "format": {"kind": "csv", "delimiter": delimiter, "unknownColumns": unknown},
            "shapes": {
                "other": {"K": {"column": "key", "clean": ["trim", "lower"]}, "T": "text", "N": "number"}
            },
            "businessKey": ["key"],
            "lookbackDays": 0,
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "missing_key", "rule": "missing", "column": "key"},
                {"reason": "wrong_type", "rule": "wrongType"},
            ],
            "output": ["key", "text", "number", *(["unknown_columns"] if unknown == "keep" else [])],
        },
    }
    return contract_of_document(document)


def read(spark: SparkSession, contract: Contract, *files: Path) -> list[Row]:
    session.configure(spark, 1)
    stored = [StoredObject(str(file), file.name, file.stat().st_size) for file in files]
    lines = reading.read_lines(spark, str(files[0].parent.parent), stored, format_=contract.format)
    rows = classify_rows(parse_csv(lines, contract, find_layouts(stored, contract)), contract)
    return rows.orderBy("file_path", "row_id").collect()


def put(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / f"dt={D1}" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def good(*rows: Row) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in ("key", "text", "number")) for row in rows if row["reason"] is None]


def bad(*rows: Row) -> list[tuple[str, str]]:
    return [(row["raw_line"], row["reason"]) for row in rows if row["reason"] is not None]


GOOD_LINES = [
    ("a,b,1", ("a", "b", 1)),
    ('"a","b","1"', ("a", "b", 1)),
    ('a,"b, c",1', ("a", "b, c", 1)),
    ('a,"say ""b""",1', ("a", 'say "b"', 1)),
    ('a,"""",1', ("a", '"', 1)),
    ('a,"",1', ("a", None, 1)),
    ("a,,", ("a", None, None)),
    (" a , b,1", (" a ", " b", 1)),
    ("a,b\\,1", ("a", "b\\", 1)),
    ('a,"b\\",1', ("a", "b\\", 1)),
    ("#a,'b',1", ("#a", "'b'", 1)),
    ("é,日本,-1", ("é", "日本", -1)),
    ("key,text,1", ("key", "text", 1)),
    ("a\x00,\x01,1", ("a\x00", "\x01", 1)),
    ("a,b\f,1", ("a", "b\f", 1)),
]
BAD_LINES = [
    ("a,b", "malformed"),
    ("a,b,1,", "malformed"),
    ("a", "malformed"),
    ('a,b,"1', "malformed"),
    ('"a,b,1', "malformed"),
    ('a,b"c",1', "malformed"),
    ('a,"b"c,1', "malformed"),
    ('a, "b",1', "malformed"),
    ("b\xff,c,1", "malformed"),
    ('a,"b\x00",1', "malformed"),
    ("a," + "," * 20_600, "malformed"),
    (",b,1", "missing_key"),
    (" ,b,1", "missing_key"),
    ("a,b,1.0", "wrong_type"),
    ("a,b, 1", "wrong_type"),
    ("a,b,one", "wrong_type"),
    ("key,text,number", "wrong_type"),
]


def test_each_line_is_a_row_or_quarantined_as_it_was_delivered(
    each_spark: SparkSession, tmp_path: Path
) -> None:
    lines = [line for line, _ in GOOD_LINES] + [line for line, _ in BAD_LINES]
    data = "\n".join(["key,text,number", *lines]).encode().replace("\xff".encode(), b"\xff")
    rows = read(each_spark, contract_of(), put(tmp_path, data))
    assert good(*rows) == [row for _, row in GOOD_LINES]
    assert bad(*rows) == [(line.replace("\xff", "\ufffd"), reason) for line, reason in BAD_LINES]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_blank_lines_and_line_ends_are_not_rows(spark: SparkSession, tmp_path: Path, end: str) -> None:
    lines = ["", " ", 'text,"key",number', "", "b,a,1", " \t", '"d","c","2"', ""]
    content = b"\xef\xbb\xbf" + end.join(lines).encode()
    rows = read(spark, contract_of(), put(tmp_path, content))
    assert (good(*rows), bad(*rows)) == ([("a", "b", 1), ("c", "d", 2)], [])


def test_a_form_feed_at_the_end_of_a_line_is_kept(spark: SparkSession, tmp_path: Path) -> None:
    rows = read(spark, contract_of(), put(tmp_path, "number,key,text\n1,a,b\f\n2,b,\f\n"))
    assert good(*rows) == [("a", "b\f", 1), ("b", "\f", 2)]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter(spark: SparkSession, tmp_path: Path, delimiter: str) -> None:
    lines = [["key", "text", "number"], ["a", f'"b{delimiter}c"', "1"], ["a,b", '"c"', "2"]]
    content = "\n".join(delimiter.join(line) for line in lines)
    rows = read(spark, contract_of(delimiter), put(tmp_path, content))
    assert good(*rows) == [("a", f"b{delimiter}c", 1), ("a,b", "c", 2)]


def test_each_file_is_read_by_its_own_header(spark: SparkSession, tmp_path: Path) -> None:
    files = [
        put(tmp_path, "number,key,more,text\n1,a,?,b\n", "a b%20+.csv"),
        put(tmp_path, bz2.compress(b"N,T,K\n2,t, KEY \nx,y\n"), "b.csv.bz2"),
        put(tmp_path, "key,text,number\nc,d,3\n", "c.csv"),
        put(tmp_path, "key,text,number\ne,f,4\n", "d.csv"),
        put(tmp_path, "\n \n", "e.csv"),
        put(tmp_path, "key,text,number", "f.csv"),
    ]
    rows = read(spark, contract_of(unknown="keep"), *files)
    assert good(*rows) == [("a", "b", 1), ("key", "t", 2), ("c", "d", 3), ("e", "f", 4)]
    assert bad(*rows) == [("x,y", "malformed")]
    assert [row["unknown_columns"] for row in rows] == [{"more": "?"}, None, None, None, None]


def refusal(tmp_path: Path, contract: Contract, contents: Sequence[str | bytes]) -> str:
    files = [put(tmp_path, content, f"{at}.csv") for at, content in enumerate(contents)]
    with pytest.raises(InvalidDelivery) as caught:
        find_layouts([StoredObject(str(file), file.name, 1) for file in files], contract)
    return str(caught.value).replace(f"{tmp_path}/dt={D1}/", "")


def test_headers_that_fit_nothing_are_refused_all_at_once(tmp_path: Path) -> None:
    contents: list[str | bytes] = [
        "key,text\n",
        "K,T\na,b\n",
        "key,text,number,text,key\n",
        "key;text;number",
        b"key,\xff",
        'a,"b',
        "key,text,number\ra,b,1\r",
        'a,"b"c',
    ]
    own = "of the contract's own names"
    assert refusal(tmp_path, contract_of(), contents).split("; 1.csv")[0] == (
        f"0.csv: its header 'key,text' lacks {own} 'number'; of shape 'other' 'K', 'T', 'N'"
    )
    text = refusal(tmp_path, contract_of(), contents)
    assert f"1.csv: its header 'K,T' lacks {own} 'key', 'text', 'number'; of shape 'other' 'N'" in text
    assert "2.csv: its header names 'key', 'text' more than once" in text
    assert "3.csv: its header 'key;text;number' lacks" in text
    assert "4.csv: its header 'key,\ufffd' is not a line of CSV in UTF-8: " in text
    assert "5.csv: line 1 has a quoted text that does not end on that line: if texts go over" in text
    assert "6.csv: its lines end with a carriage return and no line feed: convert it, e.g. tr '\\r'" in text
    assert "7.csv: its header 'a,\"b\"c' is not a line of CSV in UTF-8: " in text


def test_unknown_columns_are_refused_where_the_contract_says_so(tmp_path: Path) -> None:
    text = refusal(tmp_path, contract_of(unknown="refuse"), ["key,text,number,a,b\n"])
    assert text == "0.csv: its header has unknown columns 'a', 'b'"


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession) -> SalesLake:
    return SalesLake(tmp_path)


def test_a_missing_column_ends_the_run_before_anything_is_written(lake: SalesLake) -> None:
    lake.deliver(D1, csv_of(sale("T1")))
    wrong = lake.deliver(D2, csv_of(sale("T2"), header=HEADER.replace("region", "area")))
    with pytest.raises(InvalidDelivery, match=rf"^{wrong}: its header '.*,area' lacks .* 'region'; of shape"):
        lake.run(D1, D2)
    assert lake.folders() + lake.folders("quarantine") + lake.folders("curated") == []


def test_packed_empty_and_headless_deliveries(lake: SalesLake, spark: SparkSession) -> None:
    lake.deliver(D1, csv_of(sale("T1"), end="\r\n").encode("utf-8-sig"), "a.csv.gz")
    lake.deliver(D1, csv_of(retail_line(InvoiceNo="1"), header=RETAIL), "b.csv")
    lake.deliver(D1, csv_of(retail_line(InvoiceNo="2"), header=RETAIL), "c.csv")
    lake.deliver(D1, b"", "d.csv")
    lake.deliver(D2, csv_of())
    lake.deliver(D3, b"\xef\xbb\xbf\r\n", "e.csv")
    books = lake.run(D1, D3)
    assert figures(books) == (3, 3, 0, 0)
    assert [row["transaction_id"] for row in lake.rows(spark, "processed", "transaction_id")] == [
        "1",
        "2",
        "T1",
    ]
    assert lake.run(D2, D3, "run-2")["outcome"] == "EMPTY"


def test_the_lines_are_scanned_once(lake: SalesLake, spark: SparkSession, event_log: Path) -> None:
    lines = [*(sale(f"T{at}") for at in range(500)), "bad", sale("T1")]
    lake.deliver(D1, csv_of(*lines))
    before = lines_scanned(event_log, spark)
    assert figures(lake.run(D1)) == (502, 500, 1, 1)
    assert lines_scanned(event_log, spark) - before == 502
