"""The questions of contracts, asked of a real Spark: those that have been recorded, and one for each
mistake."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import ask_spark
import pyspark
import pytest
from conftest import ROOT
from pyspark.sql import SparkSession

RECORDS = sorted(
    path for folder in ("pipelines", "examples") for path in (ROOT.parent / folder).rglob("*.spark.json")
)
CASES = json.loads((ROOT / "tests" / "cases" / "quality.json").read_text("utf-8"))["cases"]
COLUMNS = {"country": "string", "n": "bigint", "price": "double", "t": "timestamp", "d": "date"}
MONEY = {"region": "string", "quantity": "bigint", "unit_price": "decimal(10,4)"}


def condition(expression: str, **columns: str) -> dict[str, Any]:
    return {"kind": "condition", "expression": expression, "columns": columns or COLUMNS}


def row(expression: str, **columns: str) -> dict[str, Any]:
    return {"kind": "row", "expression": expression, "columns": columns or MONEY}


def total(expression: str, *group_by: str) -> dict[str, Any]:
    groups = list(group_by or ("region",))
    return {"kind": "aggregate", "expression": expression, "groupBy": groups, "columns": MONEY}


def replace(pattern: str, text: str = "") -> dict[str, Any]:
    return {"kind": "replace", "pattern": pattern, "with": text}


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: str(path.name))
def test_each_recorded_answer_is_given_again(each_spark: SparkSession, path: Path) -> None:
    answers = json.loads(path.read_text("utf-8"))["answers"]
    assert answers
    for recorded in answers:
        wanted = {key: recorded[key] for key in ("type",) if key in recorded}
        assert ask_spark.answer(each_spark, recorded) == wanted, recorded


def test_records_are_found() -> None:
    assert [path.name for path in RECORDS] == [
        "shipments.spark.json",
        "events.spark.json",
        "mobile-users.spark.json",
        "products.spark.json",
        "sales.spark.json",
    ]


TYPES = [
    (row("round(quantity * unit_price, 2)"), "decimal(29,2)"),
    (row("case when quantity < 0 then 'back' else 'sale' end"), "string"),
    (row("length(region) + 1"), "int"),
    (row("quantity"), "decimal(19,0)"),
    (row("Quantity + 1"), "decimal(20,0)"),
    (row("year(d) * 2", d="date"), "int"),
    (row("coalesce(t, timestamp '2010-01-01 00:00:00')", t="timestamp"), "timestamp"),
    ({**row(""), "expression": "'the same in each row'", "columns": {}}, "string"),
    (total("sum(quantity)"), "decimal(29,0)"),
    (total("sum(abs(quantity))"), "decimal(29,0)"),
    (total("count(*)"), "bigint"),
    (total("case when region = 'EU' then min(quantity) else max(quantity) end", "region"), "decimal(19,0)"),
]


def test_an_expression_has_the_type_that_spark_gives_it(each_spark: SparkSession) -> None:
    found = [(one, ask_spark.answer(each_spark, one)) for one, _ in TYPES]
    assert found == [(one, {"type": kind}) for one, kind in TYPES]


def test_good_conditions_are_conditions(each_spark: SparkSession) -> None:
    good = (
        "n > 1.5 and price > 1 and N <> 3",
        "t < date '2010-01-01' or d >= timestamp '2010-01-01 00:00:00' or hour(t) = 1 or year(d) = 2010",
        "case when n = 1 then 'x' else country end = 'x' and nullif(n, 2) is not null",
        "coalesce(country, '') || 'x' like '%x' and not (country = null)",
        "coalesce(null, country) = 'x' or country in (null, 'x') or null = lower(null)",
        "case when n = 1 then null else country end is null",
        "price * 2 + n - 1 between -5 and 100",
    )
    shared = [
        condition(rule["expression"], **case["columns"])
        for case in CASES
        for rule in case["quality"]["rules"]
        if rule["type"] == "customSql"
    ]
    assert len(shared) > 5
    for question in (*map(condition, good), *shared):
        assert ask_spark.answer(each_spark, question) == {"type": "boolean"}, question


NOT_VALID = "is not valid for Spark: "
MIXED = "compares or joins "
MISTAKES = [
    (condition("n +"), f"{NOT_VALID}[PARSE_SYNTAX_ERROR]"),
    (condition("n > 0 country"), f"{NOT_VALID}[PARSE_SYNTAX_ERROR]"),
    (condition("n > 0 and"), f"{NOT_VALID}[PARSE_SYNTAX_ERROR]"),
    (condition("t < timestamp '2010-13-01 00:00:00'"), f"{NOT_VALID}[INVALID_TYPED_LITERAL]"),
    (condition("abs(n, n) = 1"), f"{NOT_VALID}[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]"),
    (condition("nothing > 0"), f"{NOT_VALID}[UNRESOLVED_COLUMN"),
    (condition("n + 1"), "must be true or false, is bigint"),
    (condition("country"), "must be true or false, is string"),
    (condition("null"), "must be true or false, is void"),
    (condition("country > 5"), MIXED),
    (condition("n = country"), f"{MIXED}bigint and string"),
    (condition("n in (1, 2) or n in ('1', '2')"), f"{MIXED}bigint and string"),
    (condition("lower(n) = '5'"), f"{MIXED}bigint and string"),
    (
        condition("t < '2010-01-01'"),
        f"{MIXED}string and timestamp: write the literal in the column's type",
    ),
    (condition("year(country) > 1"), f"{MIXED}date and string"),
    (condition("coalesce(country, n) = 'x'"), f"{MIXED}bigint and string"),
    (row("quantity like"), f"{NOT_VALID}[PARSE_SYNTAX_ERROR]"),
    (row("case when region = 1 then 1 else 2 end"), MIXED),
    (row("concat(region, quantity)"), f"{MIXED}decimal(19,0) and string: write"),
    (
        row("quantity * quantity * unit_price"),
        "computes decimal(38,4), which may not hold the result: use columns with fewer digits",
    ),
    (total("sum(quantity) + region"), MIXED),
    (total("max(quantity) * max(quantity) * max(unit_price)"), "computes decimal(38,4), which may not"),
    (total("sum(quantity * unit_price)"), "computes decimal(38,4), which may not hold the result"),
    (total("sum(length(region))"), "computes bigint, which may not hold the result"),
    (total("unit_price"), f"{NOT_VALID}[MISSING_AGGREGATION]"),
    (total("max(region)", "nothing"), f"{NOT_VALID}[UNRESOLVED_COLUMN"),
]


def test_a_mistake_of_an_expression_is_found(each_spark: SparkSession) -> None:
    for question, mistake in MISTAKES:
        answered = ask_spark.answer(each_spark, question)
        assert answered.get("mistake", "").startswith(mistake), (question, answered)
        assert answered["key"] == "expression"


def test_an_expression_must_be_right_with_ansi_mode_and_without_it(spark: SparkSession) -> None:
    before = spark.conf.get("spark.sql.ansi.enabled")
    (first, second) = (condition("n = true"), condition("n = 1"))
    spark.conf.set("spark.sql.ansi.enabled", "false")
    assert ask_spark.answer(spark, first) == {"type": "boolean"}
    spark.conf.set("spark.sql.ansi.enabled", str(before))
    answered = ask_spark.answer_in_each(spark, first)
    assert answered["mistake"].startswith(f"{NOT_VALID}[DATATYPE_MISMATCH")
    assert ask_spark.answer_in_each(spark, second) == {"type": "boolean"}
    assert spark.conf.get("spark.sql.ansi.enabled") == before


TAKEN = [r"\.0$", r"(?i)a|b", r"(?<year>\d{4})", r"[]a]", r"[^]a]", r"[a[bc]&&[^d]]", r"\Q(*[\E", r"\Q("]
TAKEN += [r"\p{Alpha}", r"\c(", r"(?x) a # (", r"a*+", r"^*", r"(?:a)?", r"\(", r"[(]", r"]", r"(?<=a)b"]
# `contracts/java-pattern.ts` refuses the first ones before Java is asked.
REFUSED = ["(", "a)", "(a", "[a", "[]", "[^]", "[a[b]", "*", "a|+", "(?:a)(?", "(*a)", "a\\"]
REFUSED += [r"\Q\E*", "a{2", "(?<1>a)", r"\p{Nobody}", "a**", r"\k<none>"]


def test_java_takes_a_regular_expression_or_says_why_not(spark: SparkSession) -> None:
    for pattern in TAKEN:
        assert ask_spark.answer(spark, replace(pattern)) == {}, pattern
    for pattern in REFUSED:
        answered = ask_spark.answer(spark, replace(pattern))
        assert answered["mistake"].startswith("is not a regular expression for Java: "), pattern
        assert answered["key"] == "replace"


@pytest.mark.parametrize(
    ("pattern", "text", "mistake"),
    [
        ("(a)", r"\$9$1$0", ""),
        ("(a)", "$12", ""),
        ("(a)", r"\$9$1$2", "names the group 2, and 'replace' has 1"),
        ("a", "$1", "names the group 1, and 'replace' has 0"),
        ("(?<year>a)|b", "${year}-$1", ""),
        ("(?<year>a)", r"\${month}", ""),
        ("(?<year>a)", "${month}", "names the group 'month', which 'replace' does not have"),
        ("(?x) (?<year>a) # ${month}", "${year}", ""),
    ],
)
def test_a_replacement_names_groups_that_exist(
    spark: SparkSession, pattern: str, text: str, mistake: str
) -> None:
    wanted = {"key": "with", "mistake": mistake} if mistake else {}
    assert ask_spark.answer(spark, replace(pattern, text)) == wanted


@pytest.mark.once
def test_an_old_pyspark_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyspark, "__version__", "3.4.1")
    with pytest.raises(SystemExit, match=r"^PySpark 3\.5 or later is needed, found 3\.4\.1$"):
        ask_spark.start_spark()


@pytest.mark.once
def test_pyspark_is_all_it_needs() -> None:
    code = "import sys; sys.modules['boto3'] = None; import ask_spark"
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'compiler'}"},
    )
