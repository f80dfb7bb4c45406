"""Every example of docs/contracts.md is what the job makes of it."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from conftest import Lake
from contract_page import Example, expression_types, read_examples
from etl import io
from etl.errors import InvalidDelivery, MissingDelivery, SourceDrifted
from etl.ingest.contract import Contract
from etl.ingest.deliveries import Delivery, RawRows, list_deliveries
from etl.ingest.dms_files import day_of_name, is_load
from etl.ingest.drift import find_drift
from etl.ingest.plan_run import judge_rows
from etl.ingest.transforms.compute_columns import WHOLE
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.run.no_rows import no_rows
from icebergs import IcebergLake
from plans import NOTHING, contract_of_document, rules_of_text
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from support import only_source

DAY = date(2026, 3, 2)
EXAMPLES = read_examples()
# The columns of the page's table of types.
TYPES = {
    "text": "string",
    "whole": "bigint",
    "amount": "decimal(10,2)",
    "share": "double",
    "day": "date",
    "at": "timestamp",
    "flag": "boolean",
}
# Columns of a version that the page leaves out of its examples.
OF_THE_RUN = ("sequence", "loaded_at", "run_id", "source_file", "row_hash")
_AS_TEXT = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timeZone": "UTC",
    "ignoreNullFields": "false",
}


def of_kind(*kinds: str) -> Iterator[Any]:
    for number, example in enumerate(EXAMPLES):
        if not example.blocks.keys().isdisjoint(kinds):
            yield pytest.param(example, id=f"{number}: {example.heading}")


@pytest.mark.parametrize("example", of_kind("result"))
def test_an_example_gives_its_result(example: Example, spark: SparkSession, tmp_path: Path) -> None:
    contract = contract_of_document(example.contract)
    result = example.blocks["result"]
    if "sources" in example.contract["x-etl"]:
        assert refusal_of_run(tmp_path, example) == one_line(result)
    elif "crawled" in example.blocks:
        assert drift_of(example, contract) == one_line(result)
    elif result.startswith("InvalidDelivery"):
        assert refusal(spark, deliver(tmp_path, example, contract), contract) == one_line(result)
    else:
        raw = read(spark, deliver(tmp_path, example, contract), contract)
        assert results_of(raw, contract) == [wanted(line) for line in result.splitlines()]
        raw.forget()


@pytest.mark.parametrize("example", of_kind("published", "merged", "versions"))
def test_an_example_is_published(example: Example, spark: SparkSession, tmp_path: Path) -> None:
    """By the whole job, on all dates of the example."""
    [kind] = example.blocks.keys() & {"published", "merged", "versions"}
    modes = {"merged": "merge", "versions": "changes"}
    lake = IcebergLake(tmp_path, mode=modes[kind]) if kind in modes else Lake(tmp_path)
    dates = deliver_places(lake, example)
    contract, quality = tmp_path / "page.schema.json", tmp_path / "page.quality.json"
    contract.write_text(json.dumps(example.contract))
    quality.write_text(NOTHING)
    has_sums = "sums" in example.blocks
    sums = {"curated_bucket": f"{tmp_path}/curated", "curated_prefix": "sums/"} if has_sums else {}
    lake.run(dates[0], dates[-1], contract=str(contract), quality=str(quality), **sums)
    if isinstance(lake, IcebergLake):
        table = spark.table(lake.table).drop(*OF_THE_RUN)
        assert published(table, F.concat(F.lit("run_date="), "run_date")) == wanted_in(example, kind)
    else:
        assert files_below(spark, tmp_path / "processed" / "events") == wanted_in(example, "published")
    if has_sums:
        assert files_below(spark, tmp_path / "curated" / "sums") == wanted_in(example, "sums")


def test_expressions_have_the_types_of_the_page(each_spark: SparkSession) -> None:
    rows = expression_types()
    assert len(rows) > 30
    exact = {name: WHOLE if kind == "bigint" else kind for name, kind in TYPES.items()}
    computed = types_of(each_spark, exact, [text for text, _, _ in rows])
    conditions = types_of(each_spark, TYPES, [text for text, _, asked in rows if asked])
    assert [(text, computed[text], conditions.get(text, "")) for text, _, _ in rows] == rows


def types_of(spark: SparkSession, columns: Mapping[str, str], expressions: list[str]) -> dict[str, str]:
    """The type of each expression; a sum is one of a frame that is added up."""
    none = no_rows(spark, columns)
    sums = [text for text in expressions if text.partition("(")[0] in ("count", "max", "min", "sum")]
    single = [text for text in expressions if text not in sums]
    return {
        **dict(none.select(*(F.expr(text).alias(text) for text in single)).dtypes),
        **(dict(none.agg(*(F.expr(text).alias(text) for text in sums)).dtypes) if sums else {}),
    }


def deliver(folder: Path, example: Example, contract: Contract) -> Delivery:
    for name, content in example.delivered.items():
        path = folder / f"dt={DAY}" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return list_deliveries(f"{folder}/", only_source(contract), [DAY])[DAY]


def read(spark: SparkSession, delivery: Delivery, contract: Contract) -> RawRows:
    """The rows of a delivery as the job judges, counts and keeps them."""
    quality = rules_of_text(NOTHING, contract.output_types, contract.reasons)
    raw = RawRows(spark, lambda lines, files, of: judge_rows(lines, files, of, quality))
    raw.add([delivery])
    return raw


def refusal(spark: SparkSession, delivery: Delivery, contract: Contract) -> str:
    """The message with which the job refuses to read a delivery."""
    with pytest.raises(InvalidDelivery) as caught:
        read(spark, delivery, contract)
    return f"InvalidDelivery: {caught.value}".replace(f"{delivery.source}dt={DAY}/", "")


def deliver_places(lake: Lake, example: Example) -> list[str]:
    """Delivers files whose names have their folders, and gives the dates of these in order."""
    dates = set()
    for name, content in example.delivered.items():
        path = lake.root / "raw" / "events" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        days = [layout.day_of(path.parent.name) for layout in io.LAYOUTS.values()]
        if "dms" in example.contract["x-etl"]:
            days.append(day_of_dms(path.name, contract_of_document(example.contract)))
        dates |= {f"{day}" for day in days if day is not None}
    return sorted(dates)


def day_of_dms(name: str, contract: Contract) -> date | None:
    assert contract.dms is not None
    return contract.dms.full_load_date if is_load(name) else day_of_name(name, contract.dms)


def refusal_of_run(folder: Path, example: Example) -> str:
    """The message with which a run on all dates of the example ends."""
    lake = Lake(folder)
    dates = deliver_places(lake, example)
    contract, quality = folder / "page.schema.json", folder / "page.quality.json"
    contract.write_text(json.dumps(example.contract))
    quality.write_text(NOTHING)
    with pytest.raises((InvalidDelivery, MissingDelivery)) as caught:
        lake.run(dates[0], dates[-1], contract=str(contract), quality=str(quality))
    return f"{caught.type.__name__}: {caught.value}".replace(f"{lake.root}/raw/events/", "")


def drift_of(example: Example, contract: Contract) -> str:
    columns = [(name, kind) for name, kind in map(str.split, example.blocks["crawled"].split(", "))]
    with pytest.raises(SourceDrifted) as caught:
        find_drift(columns, contract, "raw.orders")
    return f"SourceDrifted: {caught.value}"


def results_of(raw: RawRows, contract: Contract) -> list[object]:
    """Each row as published, or the reason and the values of a rejected one, in the order of delivery."""
    rows = raw.of([DAY])
    assert rows is not None
    place = ("file_path", "block_start", "row_id", "reason")
    found = rows.filter(F.col("reason").isNull()).select(*place, _json(contract.output).alias("text"))
    if raw.has_rejected:
        values = F.to_json("reason_values", _AS_TEXT).alias("text")
        found = found.unionByName(explain_rejected(rows, contract).select(*place, values))
    in_order = found.orderBy("file_path", "block_start", "row_id").collect()
    return [wanted(f"{row['reason'] or ''} {row['text']}".strip()) for row in in_order]


def files_below(spark: SparkSession, folder: Path) -> list[object]:
    # Without the columns that the names of folders hold.
    rows = spark.read.option("recursiveFileLookup", True).parquet(str(folder))
    below = F.element_at(F.split("_metadata.file_path", f"/{folder.name}/"), -1)
    return published(rows, F.regexp_replace(below, "/[^/]*$", ""))


def published(rows: DataFrame, folder: Column) -> list[object]:
    """Rows with the names of their folders, in some order that is always the same."""
    columns = [name for name in rows.columns if name != "run_date"]
    found = rows.select(folder.alias("folder"), _json(columns).alias("text")).collect()
    return sorted((wanted(f"{unquote(row['folder'])} {row['text']}") for row in found), key=repr)


def wanted_in(example: Example, kind: str) -> list[object]:
    return sorted((wanted(line) for line in example.blocks[kind].splitlines()), key=repr)


def wanted(line: str) -> object:
    """A line of a result: what stands before the JSON, and the JSON with the digits of its numbers and its
    order."""
    parts = re.fullmatch(r"([^{ ]*) ?(.*)", line)
    assert parts is not None
    # A moment has as many decimals as it needs.
    text = re.sub(r'(?:(\.\d*[1-9])|\.)0*Z"', r'\1Z"', parts[2] or "{}")
    return parts[1], json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=list)


def one_line(text: str) -> str:
    return " ".join(text.split())


def _json(columns: Any) -> Column:
    return F.to_json(F.struct(*(F.col(f"`{name}`") for name in columns)), _AS_TEXT)
