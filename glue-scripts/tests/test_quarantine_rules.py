"""Rows that meet the contract and break a quality rule that quarantines."""

import json

from conftest import event
from etl import session
from etl.ingest.contract import Contract
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.transforms.parse_lines import parse_lines
from etl.run.quality import Rule
from plans import rules_of_text
from pyspark.sql import DataFrame, Row, SparkSession


def having(**values: object) -> str:
    return json.dumps(event(**values))


def classified(spark: SparkSession, contract: Contract, rules: tuple[Rule, ...]) -> DataFrame:
    """The classified rows of RULED, in its order."""
    session.configure(spark, 0)
    lines = spark.createDataFrame([(at, line) for at, (line, _) in enumerate(RULED)], "at int, value string")
    return classify_rows(parse_lines(lines, contract), contract, rules).orderBy("at").persist()


def classify(spark: SparkSession, contract: Contract, rules: tuple[Rule, ...]) -> list[Row]:
    return classified(spark, contract, rules).collect()


def quarantine_rules(contract: Contract) -> tuple[Rule, ...]:
    rules: list[dict[str, object]] = [
        {"name": "countries", "type": "allowedValues", "column": "country", "values": ["France", "it's"]},
        {
            "name": "moments",
            "type": "customSql",
            "expression": "year(event_timestamp) = 2010 or country = 'x'",
        },
        {"name": "items_are_there", "type": "completeness", "column": "items"},
        {"name": "users", "type": "customSql", "expression": "nullif(user_id, '0') <> 'anonymous'"},
    ]
    document = {"threshold": 0, "rules": [rule | {"action": "quarantine"} for rule in rules]}
    text = json.dumps(document)
    return rules_of_text(text, contract.output_types, contract.reasons).quarantine_rules


RULED = [
    (having(country="France"), None),
    (having(country="it's"), None),
    (having(country=None), None),
    (having(country="france"), "countries"),
    (having(country="Spain", timestamp="1999-01-01T00:00:00Z", items=None), "countries"),
    (having(country=None, timestamp="1999-01-01T00:00:00Z", items=None), "moments"),
    (having(country="France", timestamp="2010-12-31T23:59:59-01:00"), "moments"),
    (having(country="France", items=None, user_id="0"), "items_are_there"),
    (having(country="France", items=[]), None),
    (having(country="France", user_id="0"), "users"),  # a condition that is null is not true
    (having(country="France", user_id="anonymous"), "users"),
    (having(country="Spain", user_id=None), "missing_user_id"),
    (having(country="Spain", timestamp="never"), "invalid_timestamp"),
    ("Spain", "malformed"),
]


def test_rules_that_quarantine_come_after_the_contract_in_their_order(
    each_spark: SparkSession, contract: Contract
) -> None:
    rows = classify(each_spark, contract, quarantine_rules(contract))
    assert [(row["raw_line"], row["reason"]) for row in rows] == [
        (line if reason else None, reason) for line, reason in RULED
    ]


def test_what_a_rule_took_has_only_its_line_and_the_others_are_as_without_rules(
    spark: SparkSession, contract: Contract
) -> None:
    plain = classify(spark, contract, ())
    ruled = classify(spark, contract, quarantine_rules(contract))
    taken = {rule.name for rule in quarantine_rules(contract)}
    for before, after in zip(plain, ruled, strict=True):
        assert list(before.asDict()) == list(after.asDict())
        if after["reason"] in taken:
            assert [after[name] for name in contract.output] == [None] * len(contract.output)
        else:
            assert after == before


def test_what_a_rule_took_is_explained_by_the_columns_of_the_rule(
    each_spark: SparkSession, contract: Contract
) -> None:
    rules = quarantine_rules(contract)
    rows = explain_rejected(classified(each_spark, contract, rules), contract, rules).collect()
    assert [(row["reason"], row["reason_values"]) for row in rows] == [
        ("countries", {"country": "france"}),
        ("countries", {"country": "Spain"}),
        ("moments", {"event_timestamp": "1999-01-01 00:00:00", "country": None}),
        ("moments", {"event_timestamp": "2011-01-01 00:59:59", "country": "France"}),
        ("items_are_there", {"items": None}),
        ("users", {"user_id": "0"}),
        ("users", {"user_id": "anonymous"}),
        ("missing_user_id", {"user_id": None}),
        ("invalid_timestamp", {"timestamp": "never"}),
        ("malformed", {}),
    ]
