"""Reads the deliveries of a run, and plans what it is going to write."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession

from etl import io, session
from etl.errors import TooManyRows
from etl.ingest import reading
from etl.ingest.changes import plan_changes
from etl.ingest.contract import Contract
from etl.ingest.deliveries import Deliveries, RawRows
from etl.ingest.dms_files import check_ends
from etl.ingest.headers import find_layouts
from etl.ingest.parquet_files import check_parquet
from etl.ingest.plan import Plan, make_plan
from etl.ingest.reading import is_below_header
from etl.ingest.reasons import wrong_types
from etl.ingest.rules import Rules
from etl.ingest.starts import check_files
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.flatten_lines import flatten_lines
from etl.ingest.transforms.join_lines import join_lines
from etl.ingest.transforms.parse_csv import parse_csv
from etl.ingest.transforms.parse_lines import parse_lines
from etl.ingest.transforms.parse_xml import parse_xml
from etl.ingest.transforms.skip_lines import skip_lines
from etl.ingest.transforms.split_array import split_array
from etl.ingest.transforms.split_elements import split_elements
from etl.ingest.transforms.split_objects import split_objects
from etl.ingest.upserts import plan_upsert
from etl.run.arguments import Arguments
from etl.run.books import MAX_ROWS
from etl.run.log import log
from etl.run.quality import Quality
from etl.write.iceberg_tables import CHANGES, REBUILD, IcebergTable
from etl.write.published import IcebergRows, ParquetFolders, Published

# JSON formats in which a row is not a line.
_SPLITS = {"jsonObjects": split_objects, "jsonArray": split_array}


def plan_run(
    spark: SparkSession,
    arguments: Arguments,
    rules: Rules,
    own: Deliveries,
    table: IcebergTable | None = None,
    started: datetime | None = None,
) -> Plan:
    """Reads the deliveries once, and finds their duplicates and the later dates that they change. The run
    began at `started` (UTC)."""
    session.configure(spark, reading.weigh(file for one in own.values() for file in one.files))
    raw = RawRows(
        spark,
        lambda lines, files, contract: judge_rows(lines, files, contract, rules.quality),
        rules.quality.unreadable_reason,
        wrong_types(rules.contract),
    )
    raw.add(own.values())
    check_size(sum(raw.counts(own).values()), "in one run", "run fewer dates at a time")
    if table is not None and table.mode == CHANGES:
        now = started or datetime.now(UTC)
        derived = plan_changes(raw, own, table, rules.sources, arguments, now)
        check_size(sum(raw.read.values()), "with the dates that follow from it", "run fewer dates at a time")
        return derived
    if table is not None and table.mode != REBUILD:
        return plan_upsert(raw, own, table, rules.contract)
    published: Published = (
        ParquetFolders(spark, arguments.output, rules.contract.key_types)
        if table is None
        else IcebergRows(table, rules.contract.business_key)
    )
    plan = make_plan(raw, own, published, arguments.books, rules.sources)
    for day, reason in sorted(plan.passed_over.items()):
        log(f"{day} was not checked for a restatement: {reason}")
    if plan.restated:
        log(f"restates {', '.join(map(str, plan.restated))}")
        rows = sum(raw.counts(plan.restated).values())
        check_size(rows, "in the later dates that it changes", "correct fewer dates at a time")
    return plan


def judge_rows(
    lines: DataFrame, files: Sequence[io.StoredObject], contract: Contract, quality: Quality
) -> DataFrame | None:
    """Makes rows of lines, each of them good or with the reason why it goes to quarantine. None when the
    files hold no line."""
    parsed = parse_files(lines, files, contract)
    if parsed is None:
        return None
    return classify_rows(parsed, contract, quality.quarantine_rules)


def parse_files(lines: DataFrame, files: Sequence[io.StoredObject], contract: Contract) -> DataFrame | None:
    """The rows of the files. Raises InvalidDelivery with every file that is not of a known kind."""
    if contract.format.is_parquet:
        check_parquet(lines.sparkSession, files, contract)
    if contract.format.is_xml:
        check_files(files, contract.format)
        return parse_xml(split_elements(lines, contract.format.row_tag), contract)
    if not contract.format.is_csv:
        if not contract.format.is_parquet:
            check_files(files, contract.format)
        split = _SPLITS.get(contract.format.kind)
        parse = flatten_lines if contract.is_flattened else parse_lines
        return parse(split(lines) if split else lines, contract)
    if contract.dms is not None:
        check_ends(files)
    layouts = find_layouts(files, contract)
    rows = lines if is_below_header(contract.format) else skip_lines(lines, contract.format)
    records = join_lines(rows, contract.format) if contract.format.is_multi_line else rows
    return parse_csv(records, contract, layouts) if layouts else None


def check_size(rows: int, where: str, advice: str) -> None:
    log(f"read {rows} rows {where}")
    if rows > MAX_ROWS:
        raise TooManyRows(f"{rows} rows {where}, at most {MAX_ROWS}: {advice}")
