"""The contract of the calls of mobile apps: what becomes of a call, by literal rows."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from conftest import PIPELINES
from etl import session
from etl.ingest.contract import Contract
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.transforms.flatten_lines import flatten_lines
from plans import contract_of_text
from pyspark.sql import SparkSession

CONTRACT = PIPELINES / "mobile-users" / "mobile-users.schema.json"
CALL: dict[str, Any] = {
    "messageId": "m-1",
    "type": "track",
    "event": "Order Completed",
    "userId": "u-1",
    "anonymousId": "a-1",
    "timestamp": "2025-11-21T18:00:00.123Z",
    "receivedAt": "2025-11-21T10:00:01-08:00",
    "context": {
        "app": {"name": "Shop", "version": "4.2.0", "build": "412"},
        "device": {"manufacturer": "Apple", "model": "iPhone15,2", "type": "ios"},
        "os": {"name": "iOS", "version": "17.1"},
        "network": {"wifi": True, "carrier": "T-Mobile"},
        "locale": "en-US",
        "timezone": "America/New_York",
    },
    "properties": {"product_id": "P-1", "quantity": 2, "price": 12.5},
    "integrations": {"All": True},
}
ROW: dict[str, Any] = {
    "message_id": "m-1",
    "user_id": "u-1",
    "anonymous_id": "a-1",
    "event_type": "track",
    "event_name": "Order Completed",
    "event_timestamp": "2025-11-21 18:00:00.123",
    "received_at": "2025-11-21 18:00:01",
    "app_version": "4.2.0",
    "app_build": "412",
    "os_name": "iOS",
    "os_version": "17.1",
    "device_manufacturer": "Apple",
    "device_model": "iPhone15,2",
    "device_type": "ios",
    "carrier": "T-Mobile",
    "on_wifi": True,
    "locale": "en-US",
    "time_zone": "America/New_York",
    "product_id": "P-1",
    "quantity": 2,
    "revenue": Decimal("25.00"),
    "properties": '{"product_id":"P-1","quantity":2,"price":12.5}',
    "local_date": "2025-11-21",
}
OF_NO_CONTEXT = dict.fromkeys(
    [
        *("app_version", "app_build", "os_name", "os_version", "device_manufacturer", "device_model"),
        *("device_type", "carrier", "on_wifi", "locale", "time_zone"),
    ]
)
PRODUCTS = [{"product_id": "P-2", "quantity": "3", "price": 9}, {"product_id": "P-3", "quantity": "x"}]


def bought(properties: str, **row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A call with these properties, as JSON, and what it gives that is not null."""
    compact = re.sub("([:,]) ", r"\1", properties)
    found = {"product_id": None, "quantity": None, "revenue": None, **row, "properties": compact}
    return {"properties": Verbatim(properties)}, found


class Verbatim(str):
    """JSON that is delivered as it stands."""


def money(text: str) -> Decimal:
    return Decimal(text)


# The changes of the call, and those of the row.
TAKEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"type": "screen", "event": None, "name": "Home"}, {"event_type": "screen", "event_name": "Home"}),
    ({"type": "group", "event": " ", "name": ""}, {"event_type": "group", "event_name": None}),
    ({"userId": None}, {"user_id": None}),
    ({"userId": "\t", "anonymousId": "a"}, {"user_id": None, "anonymous_id": "a"}),
    ({"userId": 17}, {"user_id": "17"}),
    ({"receivedAt": None}, {"received_at": None}),
    ({"receivedAt": " "}, {"received_at": None}),
    ({"context": None}, OF_NO_CONTEXT),
    ({"context": {"app": None, "network": {}, "new": {"field": 1}}}, OF_NO_CONTEXT),
    (
        {"context": {"app": {"build": 412, "version": ""}, "os": {"version": Verbatim("14.10")}}},
        {**OF_NO_CONTEXT, "app_build": "412", "os_version": "14.10"},
    ),
    # The dates of Los Angeles: the days on which clocks go forward and back, and a leap day.
    *(
        ({"timestamp": moment}, {"event_timestamp": at, "local_date": day})
        for moment, at, day in [
            ("2025-11-22T07:59:59.999Z", "2025-11-22 07:59:59.999", "2025-11-21"),
            ("2025-11-22T08:00:00Z", "2025-11-22 08:00:00", "2025-11-22"),
            ("2026-03-08T07:59:59.999Z", "2026-03-08 07:59:59.999", "2026-03-07"),
            ("2026-03-08T08:00:00Z", "2026-03-08 08:00:00", "2026-03-08"),
            ("2026-03-09T06:59:59.999Z", "2026-03-09 06:59:59.999", "2026-03-08"),
            ("2026-03-09T00:00:00-07:00", "2026-03-09 07:00:00", "2026-03-09"),
            ("2025-11-02T01:30:00-07:00", "2025-11-02 08:30:00", "2025-11-02"),
            ("2025-11-02T01:30:00-08:00", "2025-11-02 09:30:00", "2025-11-02"),
            ("2025-11-03T07:59:59.999Z", "2025-11-03 07:59:59.999", "2025-11-02"),
            ("2025-11-03T08:00:00Z", "2025-11-03 08:00:00", "2025-11-03"),
            ("2024-03-01T07:59:59Z", "2024-03-01 07:59:59", "2024-02-29"),
            ("2025-11-21T18:00:00.5+0530", "2025-11-21 12:30:00.5", "2025-11-21"),
            ("2025-11-21T18:00Z", "2025-11-21 18:00:00", "2025-11-21"),
        ]
    ),
    ({"properties": None}, {"product_id": None, "quantity": None, "revenue": None, "properties": None}),
    bought("{}"),
    bought('{"revenue": 12.345}', revenue=money("12.35")),
    bought('{"revenue": -12.345, "price": 1, "quantity": 1}', revenue=money("-12.35"), quantity=1),
    bought('{"revenue": "12.50"}', revenue=money("12.50")),
    bought('{"revenue": 1e2}', revenue=money("100.00")),
    bought('{"revenue": 9999999999.994999}', revenue=money("9999999999.99")),
    bought('{"revenue": null, "price": "0.105", "quantity": "3"}', revenue=money("0.32"), quantity=3),
    bought('{"revenue": " ", "price": 2.675, "quantity": 1}', revenue=money("2.68"), quantity=1),
    bought(
        '{"price": 0.30000000000000004, "quantity": 999999999}',
        revenue=money("300000000.00") - money("0.30"),
        quantity=999999999,
    ),
    bought('{"price": 3}'),
    bought('{"quantity": -4}', quantity=-4),
    bought('{"price": 3, "products": [{"product_id": "P-2", "quantity": 2}]}', product_id="P-2", quantity=2),
    bought(
        '{"products": [{"product_id": 7, "quantity": "3"}, {"quantity": "x"}, 1]}', product_id="7", quantity=3
    ),
    bought(
        '{"product_id": "P", "products": [{"product_id": "Q", "quantity": 5}]}', product_id="P", quantity=5
    ),
    bought('{"product_id": " ", "products": [{"product_id": "Q"}]}', product_id="Q"),
    bought('{"products": []}'),
    bought('{"products": [null]}'),
    bought('{"products": null, "more": {"a": [1.10, "{"]}}'),
]
# The changes of the call, the reason, and the columns that it names.
REJECTED: list[tuple[dict[str, Any], str, Any]] = [
    ({"messageId": None}, "missing_message_id", {"message_id (messageId)": None}),
    ({"messageId": " ", "type": None, "context": 1}, "missing_message_id", {"message_id (messageId)": None}),
    ({"type": ""}, "missing_type", {"event_type (type)": None}),
    (
        {"userId": None, "anonymousId": " ", "timestamp": None},
        "missing_user",
        {"user_id (userId)": None, "anonymous_id (anonymousId)": None},
    ),
    ({"userId": ["u"]}, "wrong_type", {"user_id (userId)": '["u"]'}),
    ({"userId": True, "anonymousId": None}, "wrong_type", {"user_id (userId)": "true"}),
    ({"event": {"a": 1.10}, "timestamp": None}, "wrong_type", {"event": '{"a":1.1}'}),
    ({"properties": "{}"}, "wrong_type", dict.fromkeys(
        ["own_product_id (properties.product_id)", "own_quantity (properties.quantity)",
         "own_revenue (properties.revenue)", "price (properties.price)", "properties",
         "first_product_id (properties.products[0].product_id)",
         "first_quantity (properties.products[0].quantity)"], "{}")),
    ({"context": {"network": {"wifi": "yes"}}}, "wrong_type", {"on_wifi (context.network.wifi)": "yes"}),
    ({"properties": {"products": {}}}, "wrong_type", {
        "first_product_id (properties.products[0].product_id)": "{}",
        "first_quantity (properties.products[0].quantity)": "{}"}),
    ({"properties": {"quantity": 2.5}}, "wrong_type", {"own_quantity (properties.quantity)": "2.5"}),
    ({"properties": {"quantity": "2.5"}}, "wrong_type", {"own_quantity (properties.quantity)": "2.5"}),
    ({"properties": {"quantity": 10**9}}, "wrong_type", {"own_quantity (properties.quantity)": "1000000000"}),
    ({"properties": {"price": "12,50"}}, "wrong_type", {"price (properties.price)": "12,50"}),
    ({"properties": {"price": True}}, "wrong_type", {"price (properties.price)": "true"}),
    ({"properties": {"revenue": Verbatim("9999999999.995")}}, "wrong_type",
     {"revenue": "9999999999.99500000000000000"}),
    ({"properties": {"revenue": Verbatim("1e400")}}, "wrong_type",
     {"own_revenue (properties.revenue)": "1e400"}),
    *(({"timestamp": value}, "invalid_timestamp", {"timestamp": text}) for value, text in [
        (None, None), ("", ""), (1763748000000, "1763748000000"),
        ("2025-11-21T18:00:00", "2025-11-21T18:00:00"),
        ("2025-02-29T18:00:00Z", "2025-02-29T18:00:00Z"), (True, "true"), ({"at": "now"}, '{"at":"now"}')]),
    *(({"receivedAt": value}, "invalid_timestamp", {"received_at (receivedAt)": text}) for value, text in [
        (1763748000000, "1763748000000"), ("yesterday", "yesterday"), (False, "false"), ([], "[]")]),
    ({"timestamp": "now", "receivedAt": "then"}, "invalid_timestamp",
     {"timestamp": "now", "received_at (receivedAt)": "then"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def mobile() -> Contract:
    return contract_of_text(CONTRACT.read_text("utf-8"))


def line(changes: Mapping[str, Any]) -> str:
    """The call with these changes, as JSON."""
    verbatim: list[str] = []

    def named(value: Any) -> Any:
        if isinstance(value, Verbatim):
            verbatim.append(value)
            return f"\x7f{len(verbatim) - 1}\x7f"
        if isinstance(value, dict):
            return {name: named(of) for name, of in value.items()}
        return value

    text = json.dumps(named({**CALL, **changes}))
    for at, of in enumerate(verbatim):
        text = text.replace(f'"\x7f{at}\x7f"', of).replace(f'"\\u007f{at}\\u007f"', of)
    return text


def judged(spark: SparkSession, contract: Contract, lines: list[str]) -> tuple[list[Any], dict[int, Any]]:
    session.configure(spark, 1)
    frame = spark.createDataFrame(list(enumerate(lines)), "row_id int, value string").coalesce(1)
    rows = classify_rows(flatten_lines(frame, contract), contract).persist()
    found = sorted(rows.collect(), key=lambda row: row["row_id"])
    values = {row["row_id"]: row["reason_values"] for row in explain_rejected(rows, contract).collect()}
    as_text = [f"cast({name} as string) {name}" for name in ("event_timestamp", "received_at", "local_date")]
    texts = {row["row_id"]: row for row in rows.selectExpr("row_id", *as_text).collect()}
    rows.unpersist()
    others = [
        name for name in contract.output if name not in ("event_timestamp", "received_at", "local_date")
    ]
    made = [
        {"reason": row["reason"], **{name: row[name] for name in others}, **texts[row["row_id"]].asDict()}
        for row in found
    ]
    return made, values


def test_calls_become_rows(each_spark: SparkSession, mobile: Contract) -> None:
    rows, _ = judged(each_spark, mobile, [line(changes) for changes, _ in TAKEN])
    for row, (changes, wanted) in zip(rows, TAKEN, strict=True):
        found = {name: row[name] for name in ROW}
        assert row["reason"] is None, (changes, row["reason"])
        assert found == {**ROW, **wanted}, changes


def test_calls_are_rejected(each_spark: SparkSession, mobile: Contract) -> None:
    rows, values = judged(each_spark, mobile, [line(changes) for changes, _, _ in REJECTED])
    for at, (row, (changes, reason, named)) in enumerate(zip(rows, REJECTED, strict=True)):
        assert (row["reason"], values.get(at)) == (reason, named), changes


def test_the_output_has_the_columns_of_the_table(mobile: Contract) -> None:
    # The contract is that of the first source, and `platform` is its name.
    assert list(mobile.output_types) == ["message_id", "platform", *list(ROW)[1:]]
    assert mobile.output_types["revenue"] == "decimal(12,2)"
    assert mobile.output_types["quantity"] == "bigint"
