"""The plan as the job loads it: what the shipped files say, compiled, and plans that are refused."""

import json
from typing import Any

import pytest
from conftest import CONTRACT, LENIENT, PIPELINES, event
from etl.errors import PlanRefused
from etl.ingest.contract import (
    Aggregate,
    Bounds,
    CategoryRule,
    CleanUp,
    Column,
    Computed,
    Format,
    Moments,
    NumberForm,
    Pattern,
    Rule,
    Source,
    TimestampRule,
    Words,
)
from etl.ingest.load_plan import load_plan
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from plans import contract_of_document, contract_of_text, plan_of

NAMES = sorted(path.parent.name for path in PIPELINES.glob("*/*.schema.json"))


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_files_are_json_schemas_whose_plan_the_job_loads(name: str) -> None:
    text = (PIPELINES / name / f"{name}.schema.json").read_text()
    Draft202012Validator.check_schema(json.loads(text))
    quality = (PIPELINES / name / f"{name}.quality.json").read_text()
    sources, rules = load_plan(plan_of(text, quality), name)
    contract = sources.contract
    assert contract.key_types.keys() == set(contract.business_key)
    assert len(rules.rules) >= len(json.loads(quality)["rules"])
    assert rules.reasons[: len(contract.reasons)] == contract.reasons


def test_good_events_meet_the_schema() -> None:
    validator = Draft202012Validator(json.loads(CONTRACT.read_text()))
    assert validator.is_valid(event())
    assert validator.is_valid(event(country=None, items=None, more={"unknown": 1}))
    assert not validator.is_valid(event(user_id=None))
    assert not validator.is_valid(event(items=[{"quantity": "6"}]))
    assert not validator.is_valid({})


def test_what_the_contract_of_events_says_arrives() -> None:
    contract = contract_of_text(CONTRACT.read_text())
    item = (Column("product_id", "string"), Column("quantity", "integer"), Column("unit_price", "number"))
    names = ("event_id", "user_id", "event_type", "timestamp", "country")
    assert contract.columns == (*(Column(name, "string") for name in names), Column("items", "array", item))
    assert contract.business_key == ("event_id",)
    assert contract.lookback_days == 7
    assert contract.rules == (
        Rule("malformed", "notAnObject", None),
        Rule("missing_event_id", "missing", "event_id"),
        Rule("missing_user_id", "missing", "user_id"),
        Rule("missing_event_type", "missing", "event_type"),
        Rule("wrong_type", "wrongType", None),
        Rule("invalid_timestamp", "notATimestamp", "timestamp"),
    )
    assert isinstance(contract.timestamp, TimestampRule)
    assert isinstance(contract.category, CategoryRule)
    assert contract.category.default == "other"
    assert contract.on_drift == "report"
    assert contract.shapes == ()
    assert contract.output_types == {
        "event_id": "string",
        "user_id": "string",
        "event_type": "string",
        "event_timestamp": "timestamp",
        "event_date": "date",
        "event_category": "string",
        "country": "string",
        "items": "array<struct<product_id:string,quantity:bigint,unit_price:double>>",
    }


def test_what_the_contract_of_sales_says_arrives() -> None:
    contract = contract_of_text((PIPELINES / "sales" / "sales.schema.json").read_text())
    own, shape = contract.shapes
    assert contract.format == Format("csv", ",", "ignore")
    assert (own.name, own.sources["region"]) == ("", Source("region"))
    assert shape.sources["CustomerID"] == Source(
        "customer_id", (CleanUp("trim"), CleanUp("replace", r"\.0$", ""))
    )
    assert shape.sources["Description"] == Source(None)
    assert contract.partition_by == ("region",)
    assert contract.computed[0] == Computed(
        "total_amount", "round(quantity * unit_price, 2)", "decimal(14,2)"
    )
    assert isinstance(contract.aggregate, Aggregate)
    assert contract.aggregate.group_by == ("transaction_date", "region", "product_id")
    assert contract.output_types == {
        "transaction_id": "string",
        "customer_id": "string",
        "product_id": "string",
        "quantity": "bigint",
        "unit_price": "decimal(10,4)",
        "transaction_date": "date",
        "transaction_time": "timestamp",
        "transaction_type": "string",
        "total_amount": "decimal(14,2)",
        "region": "string",
    }


def tiny(columns: dict[str, Any], format_: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"id": {"type": "string"}, **columns},
        "required": ["id"],
        "x-etl": {
            "format": format_,
            "businessKey": ["id"],
            "lookbackDays": 0,
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "missing_id", "rule": "missing", "column": "id"},
                {"reason": "wrong_type", "rule": "wrongType"},
                {"reason": "not_allowed", "rule": "notAllowed"},
            ],
            "output": ["id", *columns],
            **others,
        },
    }


def test_every_word_of_csv_arrives() -> None:
    format_ = {
        "kind": "csv",
        "delimiter": "\u0001",
        "quote": None,
        "escape": "\\",
        "unknownColumns": "keep",
        "encoding": "windows-1252",
        "skipTop": 2,
        "skipBottom": 1,
        "comment": "#",
        "columns": ["id", "amount", "n", "paid", "at"],
    }
    columns = {
        "amount": {
            "type": ["number", "null"],
            "x-decimal": [8, 2],
            "x-number": {"decimal": ",", "thousands": "."},
            "minimum": 0.1,
            "exclusiveMaximum": 5,
        },
        "n": {"type": "integer", "enum": [1, 2, None], "x-null": ["-"]},
        "paid": {"type": "boolean", "x-boolean": {"true": ["J"], "false": ["N", "0"]}},
        "at": {
            "type": ["string", "null"],
            "x-timestamp": {
                "formats": ["yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mmXXX"],
                "timeZone": "Europe/Berlin",
                "ambiguous": "second",
                "nonexistent": "later",
            },
        },
    }
    document = tiny(columns, format_)
    document["x-etl"]["output"].append("unknown_columns")
    contract = contract_of_document(document)
    assert contract.format == Format(
        kind="csv",
        delimiter="\u0001",
        unknown_columns="keep",
        has_quotes=False,
        escape="\\",
        encoding="windows-1252",
        skip_top=2,
        skip_bottom=1,
        comment="#",
        columns=("id", "amount", "n", "paid", "at"),
    )
    patterns = (Pattern("yyyy-MM-dd HH:mm"), Pattern("yyyy-MM-dd HH:mmXXX", has_zone=True))
    assert contract.columns[1:] == (
        Column(
            "amount",
            "number",
            decimal=(8, 2),
            number=NumberForm(",", "."),
            bounds=Bounds(minimum="0.1", exclusive_maximum="5"),
        ),
        Column("n", "integer", nulls=("-",), allowed=(1, 2)),
        Column("paid", "boolean", words=Words(("J",), ("N", "0"))),
        Column("at", "string", moments=Moments(patterns, "Europe/Berlin", "second", "later")),
    )
    assert contract.output_types == {
        "id": "string",
        "amount": "decimal(8,2)",
        "n": "bigint",
        "paid": "boolean",
        "at": "timestamp",
        "unknown_columns": "map<string,string>",
    }


def test_every_word_of_json_arrives() -> None:
    columns = {
        "kind": {"type": "string", "enum": ["a", "b"], "x-null": ["none"]},
        "is_new": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": ["integer", "null"]}},
        "geo": {"type": "object"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"ok": {"type": "boolean"}}}},
    }
    contract = contract_of_document(tiny(columns, {"kind": "jsonObjects"}))
    assert contract.format == Format("jsonObjects")
    assert contract.columns[1:] == (
        Column("kind", "string", allowed=("a", "b"), nulls=("none",)),
        Column("is_new", "boolean"),
        Column("tags", "array", entries="integer"),
        Column("geo", "object"),
        Column("lines", "array", (Column("ok", "boolean"),)),
    )
    assert list(contract.output_types.values())[1:] == [
        *("string", "boolean", "array<bigint>", "string"),
        "array<struct<ok:boolean>>",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"planVersion": 1}', "p.json has version 1, and this job reads 4: "),
        ("{}", "p.json has version None, and this job reads 4: "),
        ("[]", "p.json is not a plan ("),
        ("nothing", "p.json is not a plan ("),
        ('{"planVersion": 4, "contract": {}}', "p.json is not a whole plan (KeyError('sources')): "),
        ('{"planVersion": 4}', "p.json is not a whole plan (KeyError('contract')): "),
    ],
)
def test_another_plan_is_refused(text: str, message: str) -> None:
    with pytest.raises(PlanRefused) as caught:
        load_plan(text, "p.json")
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("compile the contract again with the release that this job is of")


def test_nothing_in_a_plan_may_be_missing() -> None:
    """Every default is written out: without any one key of it a plan is not whole, unless the key is of a
    note."""
    plan = json.loads(plan_of(CONTRACT.read_text(), LENIENT.read_text()))
    for key in plan["contract"]:
        lacking = {**plan, "contract": {name: one for name, one in plan["contract"].items() if name != key}}
        with pytest.raises(PlanRefused, match=key):
            load_plan(json.dumps(lacking), "p.json")
