"""The contract: the file itself, and every refusal by its full message, as the synth is held to it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from conftest import CONTRACT, PIPELINES, ROOT, event
from etl.errors import InvalidContract
from etl.ingest.contract import CategoryRule, Column, Rule, TimestampRule
from etl.ingest.java_pattern import find_replacement_mistake
from etl.ingest.parse_contract import parse_contract
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

DOCUMENT: dict[str, Any] = json.loads(CONTRACT.read_text())
CASES = json.loads((ROOT / "tests" / "cases" / "contracts.json").read_text())["cases"]


def refusal(document: object) -> str:
    with pytest.raises(InvalidContract) as caught:
        parse_contract(json.dumps(document), "c.json")
    return str(caught.value).removeprefix("c.json: ")


def changed(case: Mapping[str, Any]) -> dict[str, Any]:
    """A shipped contract with what the case puts into it and takes out of it; parts of a path end in `/`."""
    document: dict[str, Any] = json.loads((PIPELINES / case["of"] / f"{case['of']}.schema.json").read_text())
    for path, value in case.get("put", {}).items():
        node, last = _at(document, path)
        node[last] = value
    for path in case.get("take", []):
        node, last = _at(document, path)
        del node[last]
    return document


def _at(document: Any, path: str) -> tuple[Any, Any]:
    *parents, last = path.split("/")
    node = document
    for name in parents:
        node = node[int(name)] if isinstance(node, list) else node[name]
    return node, int(last) if isinstance(node, list) else last


def test_the_file_is_a_json_schema_that_good_events_meet() -> None:
    Draft202012Validator.check_schema(DOCUMENT)
    validator = Draft202012Validator(DOCUMENT)
    assert validator.is_valid(event())
    assert validator.is_valid(event(country=None, items=None, more={"unknown": 1}))
    assert not validator.is_valid(event(user_id=None))
    assert not validator.is_valid(event(items=[{"quantity": "6"}]))
    assert not validator.is_valid({})


def test_the_file_says_what_the_job_knows() -> None:
    contract = parse_contract(CONTRACT.read_text(), CONTRACT.name)
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
    assert contract.reasons[0] == "malformed"
    assert isinstance(contract.timestamp, TimestampRule)
    assert isinstance(contract.category, CategoryRule)
    assert contract.category.default == "other"
    assert contract.on_drift == "report"
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


@pytest.mark.parametrize(
    "name", sorted(path.name.removesuffix(".schema.json") for path in PIPELINES.glob("*/*.schema.json"))
)
def test_the_shipped_contracts_are_taken(name: str) -> None:
    parse_contract(json.dumps(changed({"of": name})), name)


def test_drift_is_reported_unless_the_contract_wants_a_failure() -> None:
    def on_drift(**change: Any) -> str:
        return parse_contract(json.dumps(changed({"of": "events", **change})), "c.json").on_drift

    assert on_drift(put={"x-etl/onDrift": "fail"}) == "fail"
    assert on_drift(take=["x-etl/onDrift"]) == "report"


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_a_mistake_is_named_as_it_is_at_synth(case: dict[str, Any]) -> None:
    """The synth is held to the same cases: `__tests__/contracts/contract-mistakes.test.ts`."""
    text = refusal(changed(case))
    if "says" in case:
        assert text == "; ".join(case["says"])
    else:
        assert re.findall(r"(?:^|; )'(.+?)' ", text) == case["fields"]


def test_a_wrong_expression_is_named_with_its_text() -> None:
    text = refusal(
        changed({"of": "sales", "put": {"x-etl/computed/total_amount/expression": "quantity / price"}})
    )
    assert text == (
        "'x-etl.computed.total_amount.expression' holds '/ price', which Spark and Athena read differently"
    )


@pytest.mark.parametrize("document", [[], None, 1, "x"])
def test_a_document_that_is_not_an_object_is_refused(document: object) -> None:
    assert refusal(document) == f"must be an object, got {json.dumps(document)}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nothing", "Expecting value: line 1"),
        ('{"x-etl": NaN}', "NaN is not a JSON number"),
        ("\ufeff{}", "Unexpected UTF-8 BOM"),
    ],
)
def test_a_text_that_is_not_json_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidContract, match=rf"^c\.json is not JSON: {why}"):
        parse_contract(text, "c.json")


def test_numbers_of_json_are_of_one_kind() -> None:
    text = json.dumps(DOCUMENT).replace('"lookbackDays": 7', '"lookbackDays": 7.0')
    assert parse_contract(text, "c.json").lookback_days == 7
    with pytest.raises(InvalidContract, match=r"from 0 to 36500, got Infinity$"):
        parse_contract(text.replace("7.0", "1e999"), "c.json")


def test_a_replacement_may_name_groups() -> None:
    assert [find_replacement_mistake(text) for text in ("", "a", "$1-${year}", r"\$", "a\n")] == [None] * 5
    assert all(find_replacement_mistake(text) for text in ("$", "$x", "${1}", "a\\"))
