"""The columns of a crawl against the contract: every difference by its text, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from conftest import PIPELINES
from etl.errors import SourceDrifted
from etl.ingest.contract import (
    JSON_LINES,
    CleanUp,
    Column,
    Contract,
    Format,
    Moments,
    NumberForm,
    Pattern,
    Shape,
    Source,
    Words,
)
from etl.ingest.drift import MAX_CHARACTERS, describe_drift, find_drift, is_comparable
from plans import contract_of_document, contract_of_text

ITEMS = "array<struct<product_id:string,quantity:int,unit_price:double>>"
CRAWLED = [
    ("event_id", "string"),
    ("user_id", "string"),
    ("event_type", "string"),
    ("timestamp", "string"),
    ("country", "string"),
    ("items", ITEMS),
]


def crawled(**changes: str) -> list[tuple[str, str]]:
    """The columns of the real days; one more, or another type, or left out where the type is ""."""
    columns = dict(CRAWLED) | changes
    return [(name, kind) for name, kind in columns.items() if kind]


def with_items(fields: str) -> list[tuple[str, str]]:
    return crawled(items=f"array<struct<{fields}>>")


SAME = [
    CRAWLED,
    list(reversed(CRAWLED)),
    [(name.upper(), kind) for name, kind in CRAWLED],
    with_items("quantity:bigint,unit_price:int,product_id:string"),
    with_items("Quantity:smallint,UNIT_PRICE:bigint,product_id:string"),
    with_items("quantity:tinyint,unit_price:float,product_id:string"),
    with_items(" product_id : string , quantity : int , unit_price : double "),
    crawled(items=ITEMS.upper().replace("PRODUCT_ID", "product_id")),
]
DIFFERENT = {
    "new: channel string": crawled(channel="string"),
    "new: Channel struct<a:int>": crawled(Channel="struct<a:int>"),
    "missing: country": crawled(country=""),
    "changed: country is bigint, not string": crawled(country="bigint"),
    "changed: user_id is int, not string": crawled(user_id="int"),
    "new: a string, b int; missing: country, items": crawled(b="int", country="", a="string", items=""),
    "changed: country is array<string>, not string, event_type is double, not string": crawled(
        event_type="double", country="array<string>"
    ),
    "changed: items.quantity is string, not bigint": with_items(
        "product_id:string,quantity:string,unit_price:double"
    ),
    "changed: items.quantity is double, not bigint": with_items(
        "product_id:string,quantity:double,unit_price:double"
    ),
    "changed: items.unit_price is decimal(10,2), not double": with_items(
        "product_id:string,unit_price:decimal(10,2),quantity:int"
    ),
    "missing: items.product_id": with_items("quantity:int,unit_price:double"),
    "new: items.options array<struct<key:string,value:string>>": with_items(
        "options:array<struct<key:string,value:string>>,product_id:string,quantity:int,unit_price:double"
    ),
    "new: channel string; missing: items.quantity; changed: items.product_id is int, not string": [
        *with_items("product_id:int,unit_price:int"),
        ("channel", "string"),
    ],
    "changed: items is string, not array<struct<product_id:string,quantity:bigint,unit_price:double>>": (
        crawled(items="string")
    ),
    "changed: items is array<string>, "
    "not array<struct<product_id:string,quantity:bigint,unit_price:double>>": (
        crawled(items="array<string>")
    ),
    "changed: items is struct<product_id:string>, "
    "not array<struct<product_id:string,quantity:bigint,unit_price:double>>": (
        crawled(items="struct<product_id:string>")
    ),
    "missing: country, event_id, event_type, items, timestamp, user_id": [],
}


@pytest.mark.parametrize("columns", SAME)
def test_columns_as_in_the_contract_are_not_drift(columns: list[tuple[str, str]], contract: Contract) -> None:
    assert find_drift(columns, contract, "raw.events") == ""


@pytest.mark.parametrize(("text", "columns"), DIFFERENT.items())
def test_a_difference_is_reported(text: str, columns: list[tuple[str, str]], contract: Contract) -> None:
    assert find_drift(columns, contract, "raw.events") == text


def test_the_contract_may_want_a_failure(contract: Contract) -> None:
    strict = replace(contract, on_drift="fail")
    assert find_drift(CRAWLED, strict, "raw.events") == ""
    with pytest.raises(SourceDrifted) as caught:
        find_drift(crawled(country="bigint", channel="string"), strict, "raw.events")
    assert str(caught.value) == (
        "raw.events is not what the contract says (new: channel string; "
        "changed: country is bigint, not string); "
        "correct the delivery, or change the contract, then run again"
    )


def test_a_long_text_is_cut_and_says_how_much_was_left_out() -> None:
    new = [(f"column_{index:03}", "string") for index in range(200)]
    text = describe_drift([*new, ("n", "string")], [("n", "bigint"), ("gone", "string")])
    assert len(text) <= MAX_CHARACTERS
    assert text.startswith("new: column_000 string, column_001 string, ")
    kept = text.count("column_")
    assert 30 < kept < 60
    assert text.endswith(f"; missing: gone; changed: n is string, not bigint; and {200 - kept} more")


def test_a_text_that_just_fits_is_whole() -> None:
    names = [f"c{index:09}" for index in range(58)]  # with its type and a comma 17 characters each
    text = describe_drift([(name, "date") for name in names], [])
    assert len(text) == 989
    assert "more" not in text
    assert describe_drift([(name, "date") for name in [*names, "d"]], []).endswith(" date, d date")
    assert describe_drift([(name, "date") for name in [*names, "d" * 9]], []).endswith(" date; and 2 more")


def test_long_names_and_types_are_cut() -> None:
    kind = "struct<" + ",".join(f"field_{index}:string" for index in range(100)) + ">"
    name = "x" * 2000
    text = describe_drift([("new", kind), (name, kind)], [(name, "string"), ("y" * 300, "date")])
    assert text == (
        f"new: new {kind[:117]}...; missing: {'y' * 117}...; "
        f"changed: {name[:117]}... is {kind[:117]}..., not string"
    )


def test_a_column_that_no_row_has_a_value_in_is_missing(contract: Contract) -> None:
    text = find_drift(CRAWLED, contract, "raw.events", absent=("country",))
    assert text == "missing: country"
    assert find_drift(CRAWLED, contract, "raw.events", absent=("Country",)) == "missing: country"


def test_a_csv_file_may_have_any_declared_header_and_texts_look_like_anything() -> None:
    sales = contract_of_text((PIPELINES / "sales" / "sales.schema.json").read_text())
    own = [
        ("transaction_id", "bigint"),
        ("customer_id", "double"),
        ("product_id", "string"),
        ("quantity", "bigint"),
        ("unit_price", "double"),
        ("transaction_date", "date"),
        ("region", "string"),
    ]
    retail = [
        ("invoiceno", "string"),
        ("stockcode", "bigint"),
        ("description", "string"),
        ("quantity", "bigint"),
        ("invoicedate", "timestamp"),
        ("unitprice", "double"),
        ("customerid", "double"),
        ("country", "string"),
    ]
    assert find_drift(own, sales, "raw.sales") == ""
    assert find_drift(retail, sales, "raw.sales") == ""
    assert find_drift([*own, *(one for one in retail if one[0] != "quantity")], sales, "raw.sales") == ""
    assert find_drift(retail[:-1], sales, "raw.sales") == "missing: Country"
    changed = [("unitprice", "string"), ("more", "string"), *(one for one in retail if one[0] != "unitprice")]
    expected = "new: more string; changed: UnitPrice is string, not decimal(10,4)"
    assert find_drift(changed, sales, "raw.sales") == expected
    assert find_drift(own[1:], sales, "raw.sales") == "missing: transaction_id"


def contract_of(
    columns: Sequence[Column], format_: Format = JSON_LINES, *, shapes: Sequence[Mapping[str, Source]] = ()
) -> Contract:
    """A contract of these columns; of CSV also under their own names."""
    own = Shape("", {column.name: Source(column.name) for column in columns})
    others = (Shape(f"shape {at}", sources) for at, sources in enumerate(shapes))
    return Contract(
        columns=tuple(columns),
        business_key=(columns[0].name,),
        rules=(),
        timestamp=None,
        category=None,
        output=tuple(column.name for column in columns),
        lookback_days=0,
        on_drift="report",
        format=format_,
        shapes=(own, *others) if format_.is_csv else (),
    )


def types(**columns: str) -> list[tuple[str, str]]:
    return list(columns.items())


MOMENTS = Moments((Pattern("dd.MM.yyyy HH:mm"),), "Europe/Berlin")
CSV = Format("csv", ";")
TYPED = (
    Column("id", "integer"),
    Column("city", "string"),
    Column("amount", "number", decimal=(12, 2)),
    Column("seen", "string", moments=MOMENTS),
    Column("day", "string", formats=("dd.MM.yyyy",)),
    Column("paid", "boolean"),
)
DEFAULT = types(id="bigint", city="string", amount="double", seen="string", day="string", paid="boolean")
RENAMED = {
    "Id": Source("id"),
    "Ort (Stadt)": Source("city", (CleanUp("upper"),)),
    "Betrag": Source("amount", (CleanUp("replace", ",", "."),)),
    "Zeit": Source("seen"),
    "Tag": Source("day"),
    "bezahlt?": Source("paid"),
    "Notiz": Source(None),
}


def typed(**changes: Any) -> list[Column]:
    """The columns of TYPED, of which some are changed."""
    return [replace(column, **changes.get(column.name, {})) for column in TYPED]


NOT_DRIFT: list[tuple[str, Contract, list[tuple[str, str]]]] = [
    ("the names and types of a crawler", contract_of(TYPED, CSV), DEFAULT),
    (
        "texts that look like anything",
        contract_of(TYPED, CSV),
        types(id="bigint", city="bigint", amount="bigint", seen="timestamp", day="date", paid="boolean"),
    ),
    (
        "a shape that renames and cleans",
        contract_of(TYPED, CSV, shapes=[RENAMED]),
        [
            ("id", "bigint"),
            ("ort (stadt)", "bigint"),
            ("betrag", "string"),
            ("zeit", "string"),
            ("tag", "bigint"),
            ("bezahlt?", "boolean"),
            ("notiz", "string"),
        ],
    ),
    (
        "names in which Glue has put underscores",
        contract_of(TYPED, CSV, shapes=[RENAMED]),
        types(
            id="bigint", ort_stadt="string", betrag="string", zeit="string", tag="date", bezahlt_="boolean"
        ),
    ),
    (
        "a decimal comma and thousands",
        contract_of(typed(amount={"number": NumberForm(",", ".")}, id={"number": NumberForm(".", ",")}), CSV),
        types(id="string", city="string", amount="string", seen="string", day="string", paid="boolean"),
    ),
    (
        "words for true and false, and for null",
        contract_of(
            typed(paid={"words": Words(("1",), ("0",))}, id={"nulls": ("-",)}, amount={"nulls": ("NA",)}), CSV
        ),
        types(id="string", city="string", amount="string", seen="string", day="string", paid="bigint"),
    ),
    (
        "names beyond ASCII in another encoding",
        contract_of(
            [Column("größe", "integer"), Column("id", "integer")], Format("csv", encoding="windows-1252")
        ),
        [("gr\ufffd\ufffde", "bigint"), ("id", "bigint")],
    ),
    (
        "an empty name at the end of the header",
        contract_of(TYPED, CSV),
        [*DEFAULT, ("", "string")],
    ),
    ("its place for that name", contract_of(TYPED, CSV), [*DEFAULT, ("col6", "string"), ("col7", "string")]),
    (
        "a header that the crawler took for a row",
        contract_of(TYPED, CSV),
        [(f"col{at}", "string") for at in range(len(TYPED))],
    ),
    (
        "files without a header",
        contract_of(TYPED, replace(CSV, columns=("city", "more", "id", "amount", "paid", "seen", "day"))),
        [
            (f"col{at}", kind)
            for at, kind in enumerate(["string", "string", "bigint", "double", "boolean", "string", "date"])
        ],
    ),
    (
        "files without a header, of which the crawler took a row for one",
        contract_of(TYPED, replace(CSV, columns=tuple(name for name, _ in DEFAULT))),
        types(x="string", bonn="string", y="string", z="string", v="string", w="string"),
    ),
    ("files in which a crawler found no table", contract_of(TYPED, CSV), []),
    ("a delimiter that no crawler knows", contract_of(TYPED, Format("csv", "§")), types(col0="string")),
    (
        "lines above the header",
        contract_of(TYPED, replace(CSV, skip_top=2)),
        types(report="string", x="string"),
    ),
    ("comments", contract_of(TYPED, replace(CSV, comment="#")), types(report="string", x="string")),
    *(
        (
            f"fields that a crawler splits elsewhere: {what}",
            contract_of(TYPED, format_),
            [(name, "string") for name, _ in DEFAULT],
        )
        for what, format_ in {
            "texts over lines": replace(CSV, is_multi_line=True),
            "escapes": replace(CSV, escape="\\"),
            "quotes that are data": replace(CSV, has_quotes=False),
            "lines at the end": replace(CSV, skip_bottom=1),
        }.items()
    ),
    (
        "JSON: texts of times and dates, objects, booleans and arrays of scalars",
        contract_of(
            [
                *TYPED,
                Column("address", "object"),
                Column("tags", "array", entries="string"),
                Column("sizes", "array", entries="integer"),
                Column("ratios", "array", entries="number"),
                Column("flags", "array", entries="boolean"),
            ]
        ),
        types(
            id="int",
            city="string",
            amount="int",
            seen="string",
            day="string",
            paid="boolean",
            address="struct<zip:string,geo:struct<lat:double,lon:double>>",
            tags="array<string>",
            sizes="array<int>",
            ratios="array<double>",
            flags="array<boolean>",
        ),
    ),
    ("a map", contract_of([Column("address", "object")]), types(address="map<string,int>")),
    (
        "one array a file",
        contract_of(
            [Column("id", "integer"), Column("tags", "array", entries="string")], Format("jsonArray")
        ),
        types(array="array<struct<id:int,tags:array<string>>>"),
    ),
]
DRIFT: list[tuple[str, Contract, list[tuple[str, str]]]] = [
    (
        "new: Mehr string; missing: Tag; changed: bezahlt? is string, not boolean",
        contract_of(TYPED, CSV, shapes=[RENAMED]),
        [
            ("id", "bigint"),
            ("ort_stadt_", "bigint"),
            ("betrag", "string"),
            ("zeit", "string"),
            ("Mehr", "string"),
            ("bezahlt?", "string"),
        ],
    ),
    (
        "changed: amount is string, not decimal(12,2), id is double, not bigint",
        contract_of(TYPED, CSV),
        types(id="double", city="string", amount="string", seen="string", day="string", paid="boolean"),
    ),
    (
        "changed: day is array<string>, not text, seen is struct<a:int>, not text",
        contract_of(TYPED, CSV),
        types(
            id="int", city="string", amount="int", seen="struct<a:int>", day="array<string>", paid="boolean"
        ),
    ),
    (
        "new: col2 double; changed: id is string, not bigint",
        contract_of(
            [Column("id", "integer"), Column("city", "string")], replace(CSV, columns=("city", "id"))
        ),
        types(col0="string", col1="string", col2="double"),
    ),
    (
        "missing: id",
        contract_of(
            [Column("id", "integer"), Column("city", "string")], replace(CSV, columns=("city", "x", "id"))
        ),
        types(col0="string", col1="string"),
    ),
    (
        "changed: address is string, not object, seen is bigint, not string, tags is array<int>, not "
        "array<string>",
        contract_of(
            [
                Column("address", "object"),
                Column("seen", "string", moments=MOMENTS),
                Column("tags", "array", entries="string"),
            ]
        ),
        types(address="string", seen="bigint", tags="array<int>"),
    ),
    (
        "changed: flag is string, not boolean, tags is string, not array<bigint>",
        contract_of([Column("flag", "boolean"), Column("tags", "array", entries="integer")]),
        types(flag="string", tags="string"),
    ),
    (
        "new: more int",
        contract_of([Column("id", "integer")], Format("jsonArray")),
        types(array="array<struct<id:int,more:int>>"),
    ),
]


@pytest.mark.parametrize(("what", "contract", "columns"), NOT_DRIFT, ids=[what for what, _, _ in NOT_DRIFT])
def test_what_a_crawler_sees_in_right_files_is_not_drift(
    what: str, contract: Contract, columns: list[tuple[str, str]]
) -> None:
    assert find_drift(columns, contract, "raw.t") == ""


@pytest.mark.parametrize(("text", "contract", "columns"), DRIFT, ids=[text for text, _, _ in DRIFT])
def test_other_columns_and_types_are_drift(
    text: str, contract: Contract, columns: list[tuple[str, str]]
) -> None:
    assert find_drift(columns, contract, "raw.t") == text


def test_a_column_of_csv_without_a_value_is_not_drift() -> None:
    """Its header names it, or the file would have been refused; and a crawler says string of it."""
    columns = types(id="bigint", city="string", amount="string", seen="string", day="string", paid="string")
    assert find_drift(columns, contract_of(TYPED, CSV), "raw.t", ("amount", "paid")) == ""


def test_a_source_that_no_crawler_can_read_is_not_called_right() -> None:
    assert is_comparable(DEFAULT, contract_of(TYPED, CSV))
    assert is_comparable(DEFAULT, contract_of(TYPED))
    assert not is_comparable(DEFAULT, contract_of(TYPED, replace(CSV, skip_top=1)))
    assert not is_comparable(types(col0="string", col1="string"), contract_of(TYPED, CSV))
    assert not is_comparable([], contract_of(TYPED, CSV))
    assert is_comparable(types(col0="string"), contract_of(TYPED, replace(CSV, columns=("id",))))


FLAT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "properties": {
        "id": {"type": "string"},
        "version": {"type": "string", "x-path": "context.app.version"},
        "build": {"type": "string", "x-path": "context.app.build", "x-accepts": ["number"]},
        "wifi": {"type": "boolean", "x-path": "context.network.wifi"},
        "sent": {"type": "string", "x-path": "sentAt", "x-timestamp": {"formats": ["yyyy-MM-dd HH:mm:ss"]}},
        "price": {
            "type": "number",
            "x-path": "properties.price",
            "x-accepts": ["string"],
            "x-decimal": [10, 2],
        },
        "sku": {"type": "string", "x-path": "parts[0].sku"},
        "parts": {"type": "integer", "x-count": True},
        "properties": {"type": "object"},
    },
    "required": ["id"],
    "x-etl": {
        "businessKey": ["id"],
        "lookbackDays": 0,
        "reasons": [
            {"reason": "malformed", "rule": "notAnObject"},
            {"reason": "missing_id", "rule": "missing", "column": "id"},
            {"reason": "wrong_type", "rule": "wrongType"},
        ],
        "dropped": ["integrations", "context.ip", "context.device"],
        "output": ["id", "version", "build", "wifi", "sent", "price", "sku", "parts", "properties"],
    },
}
FLAT_CRAWLED = {
    "id": "string",
    "context": "struct<app:struct<version:string,build:string>,network:struct<wifi:boolean>,ip:string>",
    "sentat": "string",
    "parts": "array<struct<sku:string>>",
    "properties": "struct<price:double,anything:array<int>>",
}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ""),
        ({"integrations": "struct<all:boolean>"}, ""),
        ({"context": "struct<device:struct<id:string>,network:struct<wifi:boolean>,App:struct<"
          "Version:string,build:int>>"}, ""),
        ({"properties": "struct<price:string>"}, ""),
        ({"properties": "struct<>"}, ""),
        ({"writekey": "string"}, "new: writekey string"),
        (
            {"context": "struct<app:struct<version:string,build:string,namespace:string>,"
             "network:struct<wifi:boolean>,os:struct<name:string>>"},
            "new: context.app.namespace string, context.os struct<name:string>",
        ),
        (
            {"context": "struct<app:struct<version:int,build:boolean>>"},
            "missing: context.network; changed: context.app.build is boolean, not string, "
            "context.app.version is int, not string",
        ),
        ({"context": "string"}, "changed: context is string, not struct"),
        ({"context": ""}, "missing: context"),
        ({"parts": "array<string>"}, "changed: parts[] is string, not struct"),
        ({"parts": "struct<sku:string>"}, "changed: parts is struct<sku:string>, not array"),
        ({"parts": "array<struct<sku:string,n:int>>"}, "new: parts[].n int"),
        ({"properties": "struct<price:boolean>"}, "changed: properties.price is boolean, not decimal(10,2)"),
        ({"properties": "string"}, "changed: properties is string, not object"),
        ({"sentat": "bigint"}, "changed: sentAt is bigint, not string"),
    ],
)  # fmt: skip
def test_fields_inside_of_objects_are_compared(changes: Mapping[str, str], text: str) -> None:
    columns = [(name, kind) for name, kind in {**FLAT_CRAWLED, **changes}.items() if kind]
    assert find_drift(columns, contract_of_document(FLAT), "raw.calls") == text


def test_a_field_without_a_value_is_missing() -> None:
    columns = list(FLAT_CRAWLED.items())
    found = find_drift(columns, contract_of_document(FLAT), "raw.calls", absent=("version", "price"))
    assert found == "missing: context.app.version, properties.price"


def test_a_dropped_field_is_known_without_paths(contract: Contract) -> None:
    dropped = replace(contract, dropped=(("channel",),))
    assert find_drift(crawled(channel="string", more="int"), dropped, "raw.events") == "new: more int"
