"""The columns of a crawl against the contract: every difference by its text, and nothing else."""

import dataclasses

import pytest
from conftest import PIPELINES
from etl.errors import SourceDrifted
from etl.ingest.contract import Contract
from etl.ingest.drift import MAX_CHARACTERS, describe_drift, find_drift
from plans import contract_of_text

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
    strict = dataclasses.replace(contract, on_drift="fail")
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
    assert find_drift(retail, sales, "raw.sales", ("region",)) == "missing: Country"
    changed = [("unitprice", "string"), ("more", "string"), *(one for one in retail if one[0] != "unitprice")]
    expected = "new: more string; changed: UnitPrice is string, not decimal(10,4)"
    assert find_drift(changed, sales, "raw.sales") == expected
    assert find_drift(own[1:], sales, "raw.sales") == "missing: transaction_id"
