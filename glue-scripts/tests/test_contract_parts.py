"""Format, shapes, decimals, dates, computed columns, partitions and aggregate of a contract, and what Java
says of its patterns. Every refusal is among the cases of `test_contract.py`."""

import copy
import json
import re
from typing import Any

import pytest
from conftest import CONTRACT, PIPELINES, event
from etl import session
from etl.errors import InvalidContract
from etl.ingest.contract import Aggregate, CleanUp, Computed, Contract, Format, Source
from etl.ingest.parse_contract import parse_contract
from etl.ingest.transforms.check_patterns import check_patterns
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.parse_lines import parse_lines
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pyspark.errors import IllegalArgumentException
from pyspark.sql import SparkSession

SALES: dict[str, Any] = json.loads((PIPELINES / "sales" / "sales.schema.json").read_text())


@pytest.mark.parametrize("name", ["sales", "customers", "products"])
def test_the_files_are_json_schemas_that_the_job_reads(name: str) -> None:
    text = (PIPELINES / name / f"{name}.schema.json").read_text()
    Draft202012Validator.check_schema(json.loads(text))
    contract = parse_contract(text, name)
    assert contract.format.is_csv
    assert contract.key_types.keys() == set(contract.business_key)


def test_the_file_says_what_the_job_knows_of_sales() -> None:
    contract = parse_contract(json.dumps(SALES), "sales")
    assert contract.format == Format("csv", ",", "ignore")
    (shape,) = contract.shapes
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


TAKEN = [r"\.0$", r"(?i)a|b", r"(?<year>\d{4})", r"[]a]", r"[^]a]", r"[a[bc]&&[^d]]", r"\Q(*[\E", r"\Q("]
TAKEN += [r"\p{Alpha}", r"\c(", r"(?x) a # (", r"a*+", r"^*", r"(?:a)?", r"\(", r"[(]", r"]", r"(?<=a)b"]
REFUSED = ["(", "a)", "(a", "[a", "[]", "[^]", "[a[b]", "*", "a|+", "(?:a)(?", "(*a)", "a\\"]
ONLY_JAVA = [r"\Q\E*", "a{2", "(?<1>a)", r"\p{Nobody}", "a**", r"\k<none>"]


def cleaned(pattern: str, text: str = "") -> Contract:
    """The contract of sales with this replace."""
    document = copy.deepcopy(SALES)
    source = document["x-etl"]["shapes"]["online_retail"]["CustomerID"]
    source["clean"] = ["trim", {"replace": pattern, "with": text}]
    return parse_contract(json.dumps(document), "c.json")


def test_java_accepts_what_is_accepted_and_refuses_more(spark: SparkSession) -> None:
    for pattern in TAKEN:
        check_patterns(spark, cleaned(pattern))
    field = "'x-etl.shapes.online_retail.CustomerID.clean[1]."
    for pattern in (*REFUSED, *ONLY_JAVA):
        with pytest.raises(InvalidContract, match=re.escape(f"{field}replace' ")) as caught:
            check_patterns(spark, cleaned(pattern))
        assert ("not a regular expression for Java" in str(caught.value)) == (pattern in ONLY_JAVA), pattern
    with pytest.raises(
        InvalidContract, match=re.escape(f"{field}with' names the group 2, and 'replace' has 1")
    ):
        check_patterns(spark, cleaned("(a)", r"\$9$1$2"))


def test_java_refuses_what_is_refused_before_it_is_asked(spark: SparkSession) -> None:
    assert spark.sparkContext._jvm is not None
    for pattern in REFUSED:
        with pytest.raises(IllegalArgumentException, match=r"near index|Unexpected"):
            spark.sparkContext._jvm.java.util.regex.Pattern.compile(pattern)


def events_with(**changes: Any) -> Contract:
    document = json.loads(CONTRACT.read_text())
    document["properties"] |= {
        "amount": {"type": ["number", "null"], "x-decimal": [6, 2]},
        "due": {"type": ["string", "null"], "x-date": ["yyyy-MM-dd", "dd.MM.yyyy"]},
    }
    document["x-etl"]["output"] += ["amount", "due"]
    document["x-etl"] |= changes
    return parse_contract(json.dumps(document), "c.json")


def test_decimals_and_dates_of_json_lines_are_exact_too(each_spark: SparkSession) -> None:
    values = [
        ("amount", "12.30", "12.30"),
        ("amount", "1e2", "100.00"),
        ("amount", "-9999.99", "-9999.99"),
        ("amount", "1.10000", "1.10"),
        ("amount", "0.1000000000000000055511151231257827", None),
        ("amount", "1.005", None),
        ("amount", "9999.999", None),
        ("amount", "10000", None),
        ("amount", '"1.10"', None),
        ("amount", "true", None),
        ("due", '"2020-02-29"', "2020-02-29"),
        ("due", '"29.02.2020"', "2020-02-29"),
        ("due", '"2019-02-29"', None),
        ("due", '"2020-02-29 10:00"', None),
        ("due", "20200229", None),
    ]
    good = json.dumps(event())[:-1]
    lines = [(at, f'{good}, "{name}": {text}}}') for at, (name, text, _) in enumerate(values)]
    contract = events_with()
    session.configure(each_spark, 1)
    parsed = parse_lines(each_spark.createDataFrame(lines, "at int, value string"), contract)
    rows = classify_rows(parsed, contract).orderBy("at").collect()
    found = [
        (name, text, None if row["reason"] else str(row[name]))
        for row, (name, text, _) in zip(rows, values, strict=True)
    ]
    assert found == values
    assert {row["reason"] for row in rows} == {None, "wrong_type"}
