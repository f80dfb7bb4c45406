"""Format, shapes, decimals, dates, computed columns, partitions and aggregate of a contract: every refusal by
its full message, all at once."""

import copy
import json
from typing import Any

import pytest
from conftest import CONTRACT, ROOT, event
from etl import partitions
from etl.contract import Contract, parse_contract
from etl.contract_parts import Aggregate, CleanUp, Computed, Format, Source
from etl.errors import InvalidContract
from etl.transforms.classify_rows import classify_rows
from etl.transforms.parse_lines import parse_lines
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

SALES: dict[str, Any] = json.loads((ROOT / "contracts" / "sales.schema.json").read_text())


def changed(path: str, value: object, document: dict[str, Any] = SALES) -> dict[str, Any]:
    """The contract with the value at a path (parts after `/`) put there, or taken out when it is None."""
    found = copy.deepcopy(document)
    *parents, last = path.split("/")
    node: Any = found
    for name in parents:
        node = node[int(name)] if isinstance(node, list) else node[name]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return found


def refusal(document: object) -> str:
    with pytest.raises(InvalidContract) as caught:
        parse_contract(json.dumps(document), "c.json")
    return str(caught.value).removeprefix("c.json: ")


@pytest.mark.parametrize("name", ["sales", "customers", "products"])
def test_the_files_are_json_schemas_that_the_job_reads(name: str) -> None:
    text = (ROOT / "contracts" / f"{name}.schema.json").read_text()
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


X = "x-etl"
KEYS = "transaction_id, customer_id, product_id, quantity, unit_price, transaction_date, region"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{X}/format", {"kind": "xml"}, "'x-etl.format.kind' must be one of jsonLines, csv, got \"xml\""),
        (
            f"{X}/format/delimiter",
            '"',
            "'x-etl.format.delimiter' must be one character of ASCII that is no quote and no backslash, "
            'got "\\""',
        ),
        (f"{X}/format/header", True, "'x-etl.format' says header, which the job would not check"),
        (
            f"{X}/format/unknownColumns",
            "drop",
            "'x-etl.format.unknownColumns' must be one of ignore, keep, refuse, got \"drop\"",
        ),
        (
            f"{X}/format/unknownColumns",
            "keep",
            "'x-etl.output' must hold 'unknown_columns', where unknown columns are kept",
        ),
        (f"{X}/format", None, "'x-etl.shapes' are of CSV headers, but x-etl.format is jsonLines"),
        (f"{X}/shapes/online_retail/Country", None, "'x-etl.shapes.online_retail' gives no 'region'"),
        (
            f"{X}/shapes/online_retail/Description",
            "region",
            "'x-etl.shapes.online_retail' gives 'region' twice",
        ),
        (
            f"{X}/shapes/online_retail/Description",
            "words",
            "'x-etl.shapes.online_retail' gives 'words'; the properties are "
            + ", ".join(sorted(KEYS.split(", "))),
        ),
        (
            f"{X}/shapes/online_retail/CustomerID/clean",
            ["strip", {"replace": "(", "with": 1, "flags": "i"}],
            "'x-etl.shapes.online_retail.CustomerID.clean[0]' must be one of trim, upper, lower, "
            'got "strip"; '
            "'x-etl.shapes.online_retail.CustomerID.clean[1]' says flags, which the job would not check; "
            "'x-etl.shapes.online_retail.CustomerID.clean[1].with' must be a text, it may be empty, got 1; "
            "'x-etl.shapes.online_retail.CustomerID.clean[1].replace' is no regular expression, got \"(\": "
            "missing ), unterminated subpattern at position 0",
        ),
        (
            "properties/unit_price/x-decimal",
            [2, 4],
            "'properties.unit_price.x-decimal' must be [precision, scale] with 1 to 38 digits, of them at "
            "most all decimals, got [2, 4]",
        ),
        (
            "properties/quantity/x-decimal",
            [9, 0],
            "'properties.quantity' says x-decimal, which the job would not check",
        ),
        ("properties/region/x-date", "d", "'properties.region.x-date' must be a list with at least one "
         "entry, "
         "got \"d\""),
        (
            f"{X}/computed/total_amount/type",
            "decimal(39,2)",
            "'x-etl.computed.total_amount.type' must be one of string, bigint, double, date, timestamp, "
            'decimal(precision,scale), got "decimal(39,2)"',
        ),
        (
            f"{X}/computed/total_amount/expression",
            "quantity / price",
            "'x-etl.computed.total_amount.expression' holds '/ price', which Spark and Athena do not "
            "read alike",
        ),
        (
            f"{X}/computed/Total",
            {"expression": "1", "type": "bigint"},
            "'x-etl.computed.Total' must be named with small letters, digits and '_'",
        ),
        (
            f"{X}/computed/region",
            {"expression": "'x'", "type": "string"},
            "'region' is both computed and delivered or derived",
        ),
        (
            f"{X}/computed/reason",
            {"expression": "'x'", "type": "string"},
            "'x-etl.computed.reason' is a column of the job's own",
        ),
        (
            f"{X}/partitionBy",
            ["quantity", "nobody", "product_id"],
            "'x-etl.partitionBy' names 'quantity', which must be a string of x-etl.output, is bigint; "
            "'x-etl.partitionBy' names 'quantity', which is of the business key; "
            "'x-etl.partitionBy' names 'nobody', which must be a string of x-etl.output, is not there; "
            "'x-etl.partitionBy' names 'product_id', which is of the business key",
        ),
        (
            f"{X}/aggregate/groupBy",
            ["nobody"],
            "'x-etl.aggregate.groupBy' names 'nobody', which must be a column of x-etl.output that is no "
            "double and no list",
        ),
        (
            f"{X}/aggregate/columns",
            {"region": {"expression": "max(quantity)", "type": "bigint"}},
            "'x-etl.aggregate' both groups by 'region' and computes it",
        ),
        (f"{X}/aggregate/having", "x", "'x-etl.aggregate' says having, which the job would not check"),
        (
            f"{X}/timestamp",
            None,
            "'x-etl.output' names 'transaction_time', which is neither delivered nor derived; "
            "'x-etl.reasons' has a rule 'notATimestamp', but there is no x-etl.timestamp",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_it_got(path: str, value: object, message: str) -> None:
    assert refusal(changed(path, value)) == message


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
    partitions.configure(each_spark, 1)
    parsed = parse_lines(each_spark.createDataFrame(lines, "at int, value string"), contract)
    rows = classify_rows(parsed, contract).orderBy("at").collect()
    found = [
        (name, text, None if row["reason"] else str(row[name]))
        for row, (name, text, _) in zip(rows, values, strict=True)
    ]
    assert found == values
    assert {row["reason"] for row in rows} == {None, "wrong_type"}
