"""XML by a declared row tag: each row is read with what it holds, or quarantined as it was delivered; a file
that is not whole ends the run by its name."""

import bz2
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Lake
from etl import session
from etl.errors import InvalidDelivery
from etl.ingest import reading
from etl.ingest.load_plan import load_plan
from etl.ingest.plan_run import judge_rows
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.io import StoredObject
from kinds import contract_of, put, quality_of
from plans import plan_of
from pyspark.sql import Row, SparkSession
from support import D1, D2, figures

COLUMNS: dict[str, Any] = {
    "id": {"type": "integer", "x-path": "@id"},
    "name": {"type": ["string", "null"]},
    "price": {"type": ["number", "null"], "x-decimal": [10, 2], "x-path": "amount"},
    "currency": {"type": ["string", "null"], "x-path": "amount.@currency"},
    "city": {"type": ["string", "null"], "x-path": "origin.city"},
    "second": {"type": ["string", "null"], "x-path": "tags.tag[1]"},
    "since": {"type": ["string", "null"], "x-date": ["yyyy-MM-dd"]},
}


def xml_contract(lake: Lake, row_tag: str = "row", encoding: str = "UTF-8", **columns: Any) -> str:
    format_ = {"kind": "xml", "rowTag": row_tag, "encoding": encoding}
    return contract_of(lake, format_, columns=columns or COLUMNS)


def given_of(lake: Lake, **contract: Any) -> dict[str, str]:
    anything = {
        "name": "few",
        "type": "quarantineLimit",
        "reason": "malformed",
        "atMost": 1,
        "action": "warn",
    }
    return {"contract": xml_contract(lake, **contract), "quality": quality_of(lake, anything)}


@dataclass(frozen=True)
class Case:
    """The text between the tags of the root, the rows that are written (without what is null), and the
    quarantined ones: the reason, the columns and the raw text."""

    name: str
    inside: str
    rows: tuple[dict[str, Any], ...] = ()
    rejected: tuple[tuple[str, tuple[str, ...], str], ...] = ()


def bad(raw: str, reason: str = "malformed", *columns: str) -> tuple[str, tuple[str, ...], str]:
    return (reason, columns, raw)


CASES = [
    Case(
        "attributes and nested elements",
        '<row id="1"><name>a</name><amount currency="EUR">12.50</amount><origin><city>Köln</city></origin>'
        "<tags><tag>x</tag><tag>y</tag></tags><since>2010-12-01</since></row>",
        (
            {
                "id": 1,
                "name": "a",
                "price": "12.50",
                "currency": "EUR",
                "city": "Köln",
                "second": "y",
                "since": "2010-12-01",
            },
        ),
    ),
    Case("what is missing is null", '<row id="1"/><row id="2"></row>', ({"id": 1}, {"id": 2})),
    Case(
        "empty elements are null, space is text",
        '<row id="1"><name/><amount></amount></row><row id="2"><name> a </name><amount>\n 1 </amount></row>',
        ({"id": 1}, {"id": 2, "name": " a ", "price": "1.00"}),
    ),
    Case(
        "CDATA and entities",
        '<row id="1"><name><![CDATA[<b> & ]]>&lt;&amp;&#228;&#x1F98A;</name></row>',
        ({"id": 1, "name": "<b> & <&ä🦊"},),
    ),
    Case(
        "the tag of a row in CDATA and comments",
        '<!-- <row id="7"/> --><row id="1"><name><![CDATA[</row><row id="8"/>]]></name></row>'
        '<!-- <row id="9"><name>old</name></row>\n<row id="10"></row> --><row id="2"/>',
        ({"id": 1, "name": '</row><row id="8"/>'}, {"id": 2}),
    ),
    Case(
        "a comment in a row, an instruction between rows",
        '<row id="1"><name>a<!-- </row> -->b</name></row><?go <row id="5"/> ?><row id="2"/>',
        ({"id": 1, "name": "ab"}, {"id": 2}),
    ),
    Case(
        "a row with an element of its own name, and names that begin alike",
        '<rows><row id="1"><row>x</row><name>a</name></row></rows><rowing id="3"></rowing><row id="2"/>',
        ({"id": 1, "name": "a"}, {"id": 2}),
    ),
    Case(
        "prefixes of namespaces",
        '<row xmlns:p="urn:p" p:id="1"><p:name>a</p:name></row>'
        '<row xmlns="urn:q" id="2"><name>b</name></row>',
        ({"id": 1, "name": "a"}, {"id": 2, "name": "b"}),
    ),
    Case(
        "space in tags, and signs in attributes",
        "<row\n id=\"1\" note=\"a > b /> c\"\n><name >a</name\n></row \n><row id='2' note='/row>' />",
        ({"id": 1, "name": "a"}, {"id": 2}),
    ),
    Case(
        "a malformed row beside good ones",
        '<row id="1"/><row id="2"><name>a</row><row id="3"><name>&nope;</name></row><row id="4"/>',
        ({"id": 1}, {"id": 4}),
        (bad('<row id="2"><name>a</row>'), bad('<row id="3"><name>&nope;</name></row>')),
    ),
    Case(
        "an end without a start",
        '<row id="1"/></name></row><row id="2"/>',
        ({"id": 1}, {"id": 2}),
        (bad("</name></row>"),),
    ),
    Case(
        "wrong values, by column",
        '<row id="1"><amount>cheap</amount><since>2010-02-30</since></row><row id="x"/><row id="1.5"/>',
        (),
        (
            bad(
                '<row id="1"><amount>cheap</amount><since>2010-02-30</since></row>',
                "wrong_type",
                "price (amount)",
                "since",
            ),
            bad('<row id="x"/>', "wrong_type", "id (@id)"),
            bad('<row id="1.5"/>', "wrong_type", "id (@id)"),
        ),
    ),
    Case(
        "a missing key",
        "<row><name>a</name></row>",
        (),
        (bad("<row><name>a</name></row>", "missing_id", "id (@id)"),),
    ),
    Case(
        "two elements in the place of one",
        '<row id="1"><name>a</name><name>b</name></row>'
        '<row id="2"><origin/><origin><city>c</city></origin></row>',
        (),
        (
            bad('<row id="1"><name>a</name><name>b</name></row>', "wrong_type", "name"),
            bad(
                '<row id="2"><origin/><origin><city>c</city></origin></row>',
                "wrong_type",
                "city (origin.city)",
            ),
        ),
    ),
]


def shown(row: Any) -> dict[str, Any]:
    values = {name: row[name] for name in COLUMNS}
    return {
        name: value if isinstance(value, int | str) else str(value)
        for name, value in values.items()
        if value is not None
    }


@pytest.fixture(scope="module")
def judged(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """The rows of each case, a file of its own, in the order of their numbers."""
    folder = tmp_path_factory.mktemp("cases") / f"dt={D1}"
    folder.mkdir()
    files = []
    for number, case in enumerate(CASES):
        path = folder / f"{number}.xml"
        path.write_text(f"<?xml version='1.0'?>\n<rows>{case.inside}</rows>\n", "utf-8")
        files.append(StoredObject(str(path), path.name, path.stat().st_size))
    lake = Lake(folder.parent)
    sources, quality = load_plan(
        plan_of(*(Path(given_of(lake)[one]).read_text() for one in ("contract", "quality"))), "it"
    )
    session.configure(spark, 1)
    lines = reading.read_lines(spark, f"{folder.parent}/", files, format_=sources.contract.format)
    rows = judge_rows(lines, files, sources.contract, quality)
    assert rows is not None
    rows.persist()
    good = rows.filter("reason is null").collect()
    rejected = explain_rejected(rows, sources.contract).collect()
    found: dict[str, list[Row]] = {case.name: [] for case in CASES}
    for row in sorted([*good, *rejected], key=lambda row: row["block_start"]):
        found[CASES[int(Path(row["file_path"]).stem)].name].append(row)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_rows(judged: dict[str, list[Row]], case: Case) -> None:
    rows = judged[case.name]
    assert [shown(row) for row in rows if row["reason"] is None] == list(case.rows)
    rejected = [row for row in rows if row["reason"] is not None]
    assert [
        (row["reason"], tuple(sorted(row["reason_values"])), row["raw_line"]) for row in rejected
    ] == list(case.rejected)
    assert [row["block_start"] for row in rows] == list(range(1, len(rows) + 1))


def xml(*rows: str, declaration: str = "") -> bytes:
    return f"{declaration}<rows>\n{''.join(rows)}</rows>\n".encode()


GOOD = xml(*(f'<row id="{number}"><name>n{number}</name></row>\n' for number in range(1, 4)))
# A delivered text, and the beginning of the message.
REFUSED: dict[str, tuple[bytes, str]] = {
    "1-no-row-tag.xml": (b"<prices><price/></prices>", "it has no element <row> (x-etl.format.rowTag)"),
    "2-no-rows.xml": (b"<rows/>", "it has no element <row> (x-etl.format.rowTag)"),
    "3-text.xml": (b"id,name\n1,a\n", "it has no element <row> (x-etl.format.rowTag)"),
    "4-encoding.xml": (
        xml('<row id="1"/>', declaration='<?xml version="1.0" encoding="ISO-8859-1"?>'),
        "it says that its encoding is ISO-8859-1, and x-etl.format says UTF-8",
    ),
    "5-utf-16.xml": ('<rows><row id="1"/></rows>'.encode("utf-16"), "it is text in UTF-16"),
    "6-cut.xml.bz2": (bz2.compress(GOOD)[:-9], "its bzip2 is cut"),
}
CUT = {
    "1-in-a-row.xml": GOOD[: GOOD.rindex(b"</row>") + 3],
    "2-in-a-tag.xml": GOOD[: GOOD.rindex(b"</row>") + 5],
    "3-between-rows.xml": GOOD[: GOOD.rindex(b"</row>") + 7],
    "4-in-a-comment.xml": GOOD[:-8] + b"<!-- ",
    "5-in-the-last-tag.xml.gz": gzip.compress(GOOD[:-3]),
}


def test_files_that_are_no_xml_of_the_contract_end_the_run_by_name(lake: Lake) -> None:
    given = given_of(lake)
    put(lake, D1, "good.xml", GOOD)
    paths = {name: put(lake, D1, name, content) for name, (content, _) in REFUSED.items()}
    # The first three are known only once the rows are read.
    for names in (list(REFUSED)[3:], list(REFUSED)[:3]):
        with pytest.raises(InvalidDelivery) as refused:
            lake.run(D1, **given)
        told = str(refused.value).split("; /")
        assert len(told) == len(names)
        for name in names:
            assert f"{paths[name]}: {REFUSED[name][1]}" in str(refused.value)
            paths[name].unlink()
    paths = {name: put(lake, D1, name, content) for name, content in CUT.items()}
    with pytest.raises(InvalidDelivery) as refused:
        lake.run(D1, **given)
    mistakes = [one.partition(": ") for one in str(refused.value).split("; ")]
    assert [path for path, _, _ in mistakes] == sorted(map(str, paths.values()))
    assert all(why.startswith("its XML is cut: an element <row> does not end") for _, _, why in mistakes)
    assert not lake.files("processed")
    assert not lake.files("quarantine")


def test_packed_files_other_encodings_and_empty_ones(lake: Lake, spark: SparkSession) -> None:
    given = given_of(lake, row_tag="p:row", encoding="windows-1252", id=COLUMNS["id"], name=COLUMNS["name"])

    def delivered(number: int, name: str) -> bytes:
        row = f'<p:row id="{number}"><p:name>{name}</p:name></p:row>'
        text = f'<?xml version="1.0" encoding="Windows-1252"?><p:rows>{row}</p:rows>'
        return text.encode("cp1252")

    put(lake, D1, "a.xml", delivered(1, "Åsa €"))
    put(lake, D1, "b.xml.gz", gzip.compress(delivered(2, "two")))
    put(lake, D1, "c.xml.bz2", bz2.compress(delivered(3, "three") + b"\n"))
    put(lake, D1, "d.xml", delivered(1, "again"))
    put(lake, D1, "empty.xml", b"")
    put(lake, D1, "blank.xml", b" \r\n")
    put(lake, D2, "empty.xml", b"\n")
    books = lake.run(D1, D2, **given)
    rows = {row["id"]: row["name"] for row in lake.rows(spark, "processed")}
    assert rows == {1: "Åsa €", 2: "two", 3: "three"}
    assert figures(books) == (4, 3, 1, 0)
    assert {entry["runDate"]: entry["read"] for entry in books["dates"]} == {D1: 4, D2: 0}
