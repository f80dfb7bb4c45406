"""The contract: the file itself, and every refusal by its full message."""

import copy
import json
from typing import Any

import pytest
from conftest import CONTRACT, event
from etl.contract import CategoryRule, Column, Rule, TimestampRule, parse_contract
from etl.errors import InvalidContract
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

DOCUMENT: dict[str, Any] = json.loads(CONTRACT.read_text())


def refusal(document: object) -> str:
    with pytest.raises(InvalidContract) as caught:
        parse_contract(json.dumps(document), "c.json")
    return str(caught.value)


def changed(path: str, value: object) -> dict[str, Any]:
    """The contract with the value at a dotted path replaced, or taken out when it is None."""
    document = copy.deepcopy(DOCUMENT)
    *parents, last = path.split(".")
    node: Any = document
    for name in parents:
        node = node[int(name)] if name.isdigit() else node[name]
    if value is None:
        del node[last]
    else:
        node[int(last) if last.isdigit() else last] = value
    return document


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


def test_drift_is_reported_unless_the_contract_wants_a_failure() -> None:
    def on_drift(value: object) -> str:
        return parse_contract(json.dumps(changed("x-etl.onDrift", value)), "c.json").on_drift

    assert on_drift("fail") == "fail"
    assert on_drift(None) == "report"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "$schema",
            "http://json-schema.org/draft-07/schema#",
            "'$schema' must be 'https://json-schema.org/draft/2020-12/schema', "
            'got "http://json-schema.org/draft-07/schema#"',
        ),
        ("x-etl", None, None),
        ("type", "array", '\'type\' must be "object" or left out, got "array"'),
        ("additionalProperties", False, "'additionalProperties' must be true or left out, got false"),
        ("oneOf", [], "the contract says oneOf, which the job would not check"),
        (
            "properties.country.type",
            "boolean",
            "'properties.country.type' must be one of string, integer, number, array, got \"boolean\"",
        ),
        (
            "properties.country.type",
            ["string", "integer"],
            "'properties.country.type' must be one of string, integer, number, array, "
            'got ["string", "integer"]',
        ),
        ("properties.country.enum", ["x"], "'properties.country' says enum, which the job would not check"),
        (
            "properties.items.items.properties.quantity.type",
            "array",
            "'properties.items.items.properties.quantity.type' must be one of string, integer, number, "
            'got "array"',
        ),
        ("properties.items.items", None, None),
        ("required", ["event_id", "nobody"], None),
        (
            "x-etl.lookbackDays",
            -1,
            "'x-etl.lookbackDays' must be a whole number of at least 0, got -1",
        ),
        (
            "x-etl.onDrift",
            "ignore",
            "'x-etl.onDrift' must be report or fail, or left out, got \"ignore\"",
        ),
        ("x-etl.onDirft", "fail", "'x-etl' says onDirft, which the job would not check"),
        (
            "x-etl.businessKey",
            [],
            "'x-etl.businessKey' must be a list with at least one entry, got []",
        ),
        (
            "x-etl.businessKey",
            ["items"],
            "'x-etl.businessKey' names 'items', which must be a string, an integer or a decimal, is array; "
            "'items' must be there, so 'x-etl.reasons' needs a rule for it",
        ),
        (
            "x-etl.reasons.1.rule",
            "lost",
            "'x-etl.reasons[1].rule' must be one of notAnObject, wrongType, missing, notATimestamp, "
            'got "lost"',
        ),
        (
            "x-etl.reasons.0",
            {"reason": "first", "rule": "wrongType"},
            "'x-etl.reasons' must begin with rule 'notAnObject': no other can judge such a line",
        ),
        ("x-etl.reasons.2.reason", "malformed", "'x-etl.reasons' gives the reason 'malformed' twice"),
        (
            "x-etl.reasons.1.column",
            "user_id",
            "'event_id' must be there, so 'x-etl.reasons' needs a rule for it; "
            "'event_id' must be there, so 'x-etl.reasons' needs a rule for it",
        ),
        ("x-etl.reasons.4.rule", "notAnObject", "'x-etl.reasons' needs a reason for rule 'wrongType'"),
        ("x-etl.timestamp.column", "country", None),
        ("x-etl.timestamp.formats", [1], "'x-etl.timestamp.formats' must hold texts, got [1]"),
        (
            "x-etl.category.values.purchase",
            7,
            "'x-etl.category.values.purchase' must be a text, got 7",
        ),
        ("x-etl.category.default", None, "'x-etl.category.default' must be a text, got null"),
        (
            "x-etl.output.0",
            "nobody",
            "'x-etl.output' names 'nobody', which is neither delivered nor derived; "
            "'x-etl.output' must hold 'event_id' of the business key",
        ),
    ],
)
def test_a_mistake_is_named_with_what_it_got(path: str, value: object, message: str | None) -> None:
    text = refusal(changed(path, value))
    assert text.startswith("c.json: ")
    if message is not None:
        assert text == f"c.json: {message}"


def test_all_mistakes_are_told_at_once() -> None:
    document = changed("x-etl.lookbackDays", "seven")
    document["x-etl"]["output"] = "all"
    document["properties"]["country"] = "text"
    message = refusal(document)
    for part in (
        "'x-etl.lookbackDays' must be a whole number of at least 0, got \"seven\"",
        "'x-etl.output' must be a list with at least one entry, got \"all\"",
        "'properties.country' must be an object, got \"text\"",
    ):
        assert part in message


@pytest.mark.parametrize("document", [[], None, 1, {}, {"x-etl": []}])
def test_what_is_no_contract_at_all_is_refused(document: object) -> None:
    assert "must be" in refusal(document)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidContract, match=r"^c\.json is not JSON: Expecting value: line 1"):
        parse_contract("nothing", "c.json")
