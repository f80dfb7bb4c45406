"""The job can run what synth takes: random contracts, which `__tests__/support/any-contracts.ts` makes and
judges, are loaded, and deliveries for them are judged."""

import json
import subprocess
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest
from conftest import CONTRACT
from etl.ingest.contract import Contract, Format, Shape
from etl.ingest.file_lines import encode
from etl.ingest.load_plan import load_plan
from etl.ingest.plan_run import judge_rows
from etl.ingest.reading import read_lines
from etl.ingest.rules import Rules
from etl.ingest.transforms.compute_columns import aggregate_rows
from etl.io import StoredObject
from plans import REPOSITORY, NotCompiledError, contract_of_document
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support import D1

JUDGED = 32  # of those that are loaded, because each costs Spark half a second of computing
TOGETHER = 16  # in one query
JSON = {
    "jsonLines": '{{"key": {0}}}\n{{}}\n',
    "jsonObjects": '{{"key": {0}}}{{}}',
    "jsonArray": '[{{"key": {0}}}, {{}}]',
}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    command = ["node", "node_modules/ts-node/dist/bin.js", "--swc", "__tests__/support/any-contracts.ts"]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_whatever_synth_takes_the_job_loads_and_runs(
    spark: SparkSession, made: dict[str, Any], tmp_path: Path
) -> None:
    rules = [Rules(*load_plan(one["plan"], "the plan")) for one in made["taken"]]
    assert len(rules) >= JUDGED
    assert made["refused"] > 0
    frames: list[DataFrame] = []
    failures = []
    for at, one in enumerate(rules[:JUDGED]):
        try:
            frames.append(judged(spark, tmp_path / str(at), one).withColumn("at", F.lit(at)))
        except Exception as error:
            failures.append((made["taken"][at]["contract"], str(error)[:600]))
    assert not failures
    # The rows of each have a known reason, or none.
    for start in range(0, len(frames), TOGETHER):
        some = reduce(DataFrame.unionAll, frames[start : start + TOGETHER])
        found = {(row["at"], row["reason"]) for row in some.collect()}
        for at in range(start, start + TOGETHER):
            reasons = {reason for place, reason in found if place == at}
            assert reasons
            assert reasons <= {None, *rules[at].contract.reasons}


def test_every_time_zone_that_synth_takes_is_known_to_spark(spark: SparkSession) -> None:
    zones = sorted(filter(is_taken, available_timezones()))
    assert len(zones) > 500
    frame = spark.createDataFrame([(zone,) for zone in zones], "zone string")
    noon = F.to_timestamp(F.lit("2026-01-01 12:00:00"))
    instants = frame.select(F.to_utc_timestamp(noon, F.col("zone")).alias("instant")).collect()
    assert None not in {row["instant"] for row in instants}


def is_taken(zone: str) -> bool:
    document = json.loads(CONTRACT.read_text("utf-8"))
    document["x-etl"]["timestamp"]["timeZone"] = zone
    try:
        return contract_of_document(document) is not None
    except NotCompiledError:
        return False


def judged(spark: SparkSession, folder: Path, rules: Rules) -> DataFrame:
    """The reasons of the rows of a delivery in all shapes of a contract. Spark has analysed everything that
    is published."""
    contract = rules.contract
    files = deliver(folder, contract)
    lines = read_lines(spark, f"{folder}/", files, format_=contract.format)
    rows = judge_rows(lines, files, contract, rules.quality)
    assert rows is not None
    types = {name: rows.schema[name].dataType.simpleString() for name in contract.output}
    assert types == dict(contract.output_types)
    if contract.aggregate is not None:
        sums = aggregate_rows(
            rows.select("run_date", *(f"`{name}`" for name in contract.output)),
            contract.aggregate,
            "run_date",
        )
        assert set(sums.columns) == {
            "run_date",
            *contract.aggregate.group_by,
            *(one.name for one in contract.aggregate.columns),
        }
    return rows.select("reason")


def deliver(folder: Path, contract: Contract) -> Sequence[StoredObject]:
    """A file of two rows in each shape: one of ones, and one of nothing."""
    below = folder / f"dt={D1}"
    below.mkdir(parents=True)
    shapes = contract.shapes if len(contract.shapes) == 1 else contract.shapes[1:]
    contents = (
        [csv_of(shape, contract.format) for shape in shapes]
        if contract.format.is_csv
        else [
            JSON[contract.format.kind].format("1" if contract.columns[0].type != "string" else '"1"').encode()
        ]
    )
    files = []
    for at, content in enumerate(contents):
        name = f"{at}.{'csv' if contract.format.is_csv else 'json'}"
        (below / name).write_bytes(content)
        files.append(StoredObject(str(below / name), f"dt={D1}/{name}", len(content)))
    return files


def csv_of(shape: Shape, format_: Format) -> bytes:
    # A header that begins with the comment character would be a comment.
    names = format_.columns or sorted(shape.sources, key=lambda name: name.startswith(format_.comment or " "))
    lines = [
        *["about"] * format_.skip_top,
        *([] if format_.columns else [names]),
        ["1"] * len(names),
        [""] * len(names),
        *["the end"] * format_.skip_bottom,
    ]
    texts = [
        line if isinstance(line, str) else format_.delimiter.join(field(one, format_) for one in line)
        for line in lines
    ]
    return b"".join(encode(text, format_) + b"\n" for text in texts)


def field(text: str, format_: Format) -> str:
    if format_.escape is not None:
        text = text.replace(format_.escape, format_.escape * 2)
    if format_.has_quotes:
        quote = '""' if format_.escape is None else f'{format_.escape}"'
        return f'"{text.replace(chr(34), quote)}"'
    return (
        text
        if format_.escape is None
        else text.replace(format_.delimiter, format_.escape + format_.delimiter)
    )
