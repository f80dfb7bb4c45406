"""The rules of a plan as the job loads them, and the verdict's arithmetic."""

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from etl.ingest.contract import Contract
from etl.run.quality import Measured, Quality, Rule, Verdict, judge, nothing_to_judge
from plans import rules_of_text

FILE = Path(__file__).parents[2] / "pipelines" / "events" / "events.quality.json"
COLUMNS = {"country": "string", "n": "bigint", "t": "timestamp", "items": "array<struct<a:string>>"}
REASONS = ["malformed", "missing_user_id"]
DOCUMENT: dict[str, Any] = {
    "threshold": 80,
    "rules": [
        {"name": "there", "type": "completeness", "column": "items", "atLeast": 0.95, "action": "warn"},
        {"name": "unique", "type": "uniqueness", "columns": ["country", "n"], "atLeast": 1, "action": "halt"},
        {"name": "rows", "type": "rowCount", "atLeast": 1, "action": "halt", "weight": 7},
        {"name": "recent", "type": "freshness", "column": "t", "atMostHours": 72, "action": "warn"},
        {
            "name": "known",
            "type": "allowedValues",
            "column": "country",
            "values": ["a", "it's"],
            "action": "quarantine",
        },
        {"name": "few", "type": "quarantineLimit", "reason": "malformed", "atMost": 0.01, "action": "halt"},
        {"name": "right", "type": "customSql", "expression": "n > 0", "atLeast": 0.5, "action": "warn"},
    ],
}


def parse(document: object) -> Quality:
    return rules_of_text(json.dumps(document), COLUMNS, REASONS)


def changed(index: int, **values: object) -> dict[str, Any]:
    """The document with keys of one rule changed, or taken out when they are None."""
    document = copy.deepcopy(DOCUMENT)
    rule = document["rules"][index]
    rule.update(values)
    document["rules"][index] = {key: value for key, value in rule.items() if value is not None}
    return document


def test_all_that_is_said_is_read() -> None:
    assert parse(DOCUMENT) == Quality(
        80,
        (
            Rule("there", "completeness", "warn", columns=("items",), at_least=950_000),
            Rule("unique", "uniqueness", "halt", columns=("country", "n"), at_least=1_000_000),
            Rule("rows", "rowCount", "halt", weight=7, at_least=1),
            Rule("recent", "freshness", "warn", columns=("t",), at_most_hours=72),
            Rule(
                "known",
                "allowedValues",
                "quarantine",
                columns=("country",),
                values=("a", "it's"),
                at_least=1_000_000,
            ),
            Rule("few", "quarantineLimit", "halt", reason="malformed", at_most=10_000),
            Rule("right", "customSql", "warn", columns=("n",), expression="n > 0", at_least=500_000),
        ),
        ("malformed", "missing_user_id", "known"),
    )
    assert [rule.name for rule in parse(DOCUMENT).quarantine_rules] == ["known"]


@pytest.mark.parametrize(
    ("share", "millionths"), [(0, 0), (1, 1_000_000), (1.0, 1_000_000), (0.07, 70_000), (0.000001, 1)]
)
def test_shares_are_whole_millionths(share: float, millionths: int) -> None:
    assert parse(changed(0, atLeast=share)).rules[0].at_least == millionths


def test_a_limit_may_be_of_a_rule_that_quarantines() -> None:
    assert parse(changed(5, reason="known")).rules[5].reason == "known"


def test_the_file_of_the_events_pipeline_is_right(contract: Contract) -> None:
    quality = rules_of_text(FILE.read_text(), contract.output_types, contract.reasons)
    limits = {rule.reason: rule.at_most for rule in quality.rules if rule.type == "quarantineLimit"}
    assert (limits["missing_user_id"], limits["malformed"]) == (600_000, 10_000)
    assert len({rule.type for rule in quality.rules}) >= 5


<<<<<<< HEAD
=======
@pytest.mark.parametrize(
    ("index", "values", "message"),
    [
        (
            0,
            {"name": "rows_are_visible"},
            "'rules[0].name' is 'rows_are_visible', a name that the query uses for its own check",
        ),
        (
            0,
            {"name": "lines_are_readable"},
            "'rules[0].name' is 'lines_are_readable', the name of the default limit",
        ),
        (
            0,
            {"name": "Bad name"},
            "'rules[0].name' must be at most 60 small letters, digits and '_', beginning with a letter, "
            'got "Bad name"',
        ),
        (
            0,
            {"name": "a" * 61},
            "'rules[0].name' must be at most 60 small letters, digits and '_', beginning with a letter, "
            'got "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...',
        ),
        (1, {"name": "there"}, "'rules[1].name' is 'there', the name of another rule"),
        (1, {"name": "malformed"}, "'rules[1].name' is 'malformed', which is a reason of the contract"),
        (
            0,
            {"type": "complete"},
            "'rules[0].type' must be one of completeness, uniqueness, rowCount, freshness, allowedValues, "
            'quarantineLimit, customSql, got "complete"',
        ),
        (
            0,
            {"action": "fail"},
            "'rules[0].action' must be warn or halt or quarantine for completeness, got \"fail\"",
        ),
        (
            2,
            {"action": "quarantine"},
            "'rules[2].action' must be warn or halt for rowCount, got \"quarantine\"",
        ),
        (0, {"weight": 0}, "'rules[0].weight' must be a whole number from 1 to 100, got 0"),
        (0, {"weight": 1.5}, "'rules[0].weight' must be a whole number from 1 to 100, got 1.5"),
        (0, {"weight": True}, "'rules[0].weight' must be a whole number from 1 to 100, got true"),
        (
            0,
            {"atleast": 1},
            "'rules[0]' holds atleast, which is unknown; it may hold "
            "name, type, action, weight, column, atLeast",
        ),
        (
            4,
            {"atLeast": 1},
            "'rules[4]' holds atLeast, which is unknown; it may hold "
            "name, type, action, weight, column, values",
        ),
        (0, {"column": "nobody"}, f"'rules[0].column' must be one of {ALL_COLUMNS}, got \"nobody\""),
        (0, {"column": None}, f"'rules[0].column' must be one of {ALL_COLUMNS}, got null"),
        (0, {"atLeast": None}, "'rules[0].atLeast' must be from 0 to 1 with at most six decimals, got null"),
        (0, {"atLeast": 1.1}, "'rules[0].atLeast' must be from 0 to 1 with at most six decimals, got 1.1"),
        (0, {"atLeast": -1}, "'rules[0].atLeast' must be from 0 to 1 with at most six decimals, got -1"),
        (0, {"atLeast": True}, "'rules[0].atLeast' must be from 0 to 1 with at most six decimals, got true"),
        (
            0,
            {"atLeast": 0.1234567},
            "'rules[0].atLeast' must be from 0 to 1 with at most six decimals, got 0.1234567",
        ),
        (1, {"columns": []}, "'rules[1].columns' must be a list of at least one text, got []"),
        (1, {"columns": "n"}, "'rules[1].columns' must be a list of at least one text, got \"n\""),
        (1, {"columns": ["n", "n"]}, '\'rules[1].columns\' says something twice, got ["n", "n"]'),
        (1, {"columns": ["n", "x"]}, f"'rules[1].columns' must be one of {ALL_COLUMNS}, got \"x\""),
        (
            1,
            {"columns": ["items"]},
            "'rules[1].columns' names 'items', which must be string or bigint or double or decimal or "
            "boolean or timestamp or date and is array",
        ),
        (2, {"atLeast": None}, "'rules[2]' needs atLeast, atMost or both"),
        (2, {"atLeast": 0.5}, "'rules[2].atLeast' must be a whole number from 0 to 2147483647, got 0.5"),
        (2, {"atLeast": 5, "atMost": 4}, "'rules[2].atLeast' must not be above atMost, got 5 and 4"),
        (
            3,
            {"column": "country"},
            "'rules[3].column' names 'country', which must be timestamp and is string",
        ),
        (
            3,
            {"atMostHours": 1.5},
            "'rules[3].atMostHours' must be a whole number from 0 to 1000000, got 1.5",
        ),
        (4, {"column": "n"}, "'rules[4].column' names 'n', which must be string and is bigint"),
        (4, {"values": [1]}, "'rules[4].values' must be a list of at least one text, got [1]"),
        (
            5,
            {"reason": "lost"},
            "'rules[5].reason' must be one of malformed, missing_user_id, known, got \"lost\"",
        ),
        (5, {"atMost": 2}, "'rules[5].atMost' must be from 0 to 1 with at most six decimals, got 2"),
        (6, {"expression": 1}, "'rules[6].expression' must be a text, got 1"),
        (6, {"expression": "n > 0; n"}, "'rules[6].expression' of rule 'right' holds ';'"),
    ],
)
def test_a_mistake_is_named_with_what_it_got(index: int, values: dict[str, object], message: str) -> None:
    assert refusal(changed(index, **values)) == f"q.json: {message}"


@pytest.mark.parametrize("threshold", [-1, 101, 79.5, "80", True, None])
def test_the_threshold_is_a_whole_percent(threshold: object) -> None:
    assert refusal(DOCUMENT | {"threshold": threshold}) == (
        f"q.json: 'threshold' must be a whole number from 0 to 100, got {json.dumps(threshold)}"
    )


@pytest.mark.parametrize("rules", [[], None, {}, "all"])
def test_no_rules_are_refused(rules: object) -> None:
    assert refusal({"threshold": 80, "rules": rules}) == (
        f"q.json: 'rules' must be a list with at least one rule, got {json.dumps(rules)}"
    )


def test_more_rules_than_a_query_can_ask_are_refused() -> None:
    assert "'rules' must be a list of at most 100 rules, got 101" in refusal(
        DOCUMENT | {"rules": [DOCUMENT["rules"][0]] * 101}
    )


def test_all_mistakes_are_reported_at_once() -> None:
    document = changed(0, column="x", weight=0)
    document["rules"][3] = "recent"
    assert refusal(document | {"threshhold": 80, "threshold": 200}) == (
        "q.json: the quality file holds threshhold, which is unknown; it may hold threshold, rules; "
        "'threshold' must be a whole number from 0 to 100, got 200; "
        "'rules[3]' must be an object, got \"recent\"; "
        "'rules[3].name' must be at most 60 small letters, digits and '_', beginning with a letter, "
        "got null; "
        "'rules[0].weight' must be a whole number from 1 to 100, got 0; "
        f"'rules[0].column' must be one of {ALL_COLUMNS}, got \"x\""
    )


@pytest.mark.parametrize("text", ["", "nothing", '{"threshold": NaN}', '{"threshold": Infinity}'])
def test_a_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuality, match=r"^q\.json is not JSON: "):
        parse_quality(text, "q.json", COLUMNS, REASONS)


@pytest.mark.parametrize("document", [[], None, 1, {}])
def test_a_document_of_another_kind_is_refused(document: object) -> None:
    assert refusal(document).startswith("q.json: the quality file must be an object, got ")


>>>>>>> h15-values
LAST = date(2010, 12, 3)
END = 1_291_420_800_000_000  # microseconds: 2010-12-04T00:00:00Z


def verdict(index: int, rows: int = 10, read: int = 10, **found: Any) -> Verdict:
    quality = Quality(0, (parse(DOCUMENT).rules[index],), ())
    given = {"counts": {}, "newest": {}, "quarantined": {}} | found
    return judge(quality, Measured(rows=rows, **given), read, LAST)


def test_shares_do_not_round() -> None:
    many = 2_147_483_647
    enough = -(-many * 95 // 100)
    assert verdict(0, rows=many, counts={"there": enough}).rules["there"][2]
    assert not verdict(0, rows=many, counts={"there": enough - 1}).rules["there"][2]
    assert verdict(5, read=100 * many, quarantined={"malformed": many}).verdict == "PASSED"
    assert verdict(5, read=100 * many, quarantined={"malformed": many + 1}).failed == (
        f"few: {many + 1} of {100 * many}"
    )


@pytest.mark.parametrize(
    ("newest", "is_fresh"),
    [(END - 72 * 3600 * 10**6, True), (END - 72 * 3600 * 10**6 - 1, False), (END * 2, True), (None, False)],
)
def test_age_is_taken_at_the_end_of_the_last_date(newest: int | None, is_fresh: bool) -> None:
    assert verdict(3, newest={"recent": newest}).rules == {"recent": (int(is_fresh), 1, is_fresh)}


def test_an_empty_delivery_has_nothing_wrong() -> None:
    assert nothing_to_judge(parse(DOCUMENT)).summary() == {
        "verdict": "PASSED",
        "score": 100,
        "threshold": 80,
        "failed": "",
    }
