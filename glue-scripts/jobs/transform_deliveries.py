"""The job of every pipeline that has a contract: the raw files of some delivery dates become Parquet, each
date replacing what an earlier run wrote for it, and later dates following where that changes them; what does
not meet the contract goes to quarantine; rows that fail the quality rules are not published at all; what the
contract adds up goes to the curated zone; the books say where every row went."""

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl import io
from etl.errors import InvalidArguments, MissingDelivery, SparkFailed, TooManyRows
from etl.ingest import by_date
from etl.ingest.contract import Contract, parse_contract
from etl.ingest.contract_checks import order_mistake
from etl.ingest.deliveries import Delivery, RawRows, list_deliveries
from etl.ingest.drift import find_drift
from etl.ingest.headers import find_layouts
from etl.ingest.plan import Plan, make_plan
from etl.ingest.reasons import Rejected
from etl.ingest.rejected import find_rejected
from etl.ingest.starts import MAX_NAMED, check_files
from etl.ingest.transforms.check_patterns import check_patterns
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.compute_columns import aggregate_rows, check_computed
from etl.ingest.transforms.decode_uri import decode_uri
from etl.ingest.transforms.join_lines import join_lines
from etl.ingest.transforms.parse_csv import parse_csv
from etl.ingest.transforms.parse_lines import parse_lines
from etl.ingest.upserts import count_current, plan_upsert, rows_to_append
from etl.run import lock
from etl.run.arguments import Arguments, read_arguments
from etl.run.books import MAX_ROWS, DateFigures, make_books, summarise, to_json
from etl.run.catalogue import PartitionedTable, open_table, register_partitions, table_columns
from etl.run.java_classes import remember_classes
from etl.run.measure_quality import measure_quality
from etl.run.meet_rule import check_expressions
from etl.run.no_rows import no_rows
from etl.run.quality import Quality, Verdict, judge, judge_dates, nothing_to_judge, parse_quality
from etl.run.refusal import Evidence, explain_refusal
from etl.write import partitions
from etl.write.iceberg_tables import APPEND, MERGE, REBUILD, IcebergTable, open_iceberg
from etl.write.published import IcebergRows, ParquetFolders, Published
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

Deliveries = Mapping[date, Delivery]
Objects = Mapping[date, Sequence[io.StoredObject]]
Tables = Mapping[str, PartitionedTable]


def main(argv: Sequence[str]) -> None:
    started = time.monotonic()
    arguments = read_arguments(argv)
    rules = read_rules(arguments)
    check_write_mode(arguments, rules.contract)
    tables = open_tables(arguments, rules.contract)
    deliveries = find_deliveries(arguments)
    try:
        spark = open_session(arguments.pipeline)
        table = open_iceberg_table(spark, arguments, rules.contract)
        plan = plan_run(spark, arguments, rules, deliveries, table)
        judgement = judge_run(arguments, rules, plan)
        rejected = find_rejected(
            plan.rows_of_own(),
            rules.contract,
            rules.quality.quarantine_rules,
            judgement.quarantined,
            files=[file for delivery in deliveries.values() for file in delivery.files],
            with_places=judgement.is_refused,
        )
        # Nothing has been written or removed so far.
        take_lock(arguments)
        if judgement.is_refused:
            figures = refuse(arguments, plan)
        else:
            figures = publish(arguments, rules.contract, plan, tables, table)
    except Py4JJavaError as error:
        raise SparkFailed(partitions.root_cause(error)) from error
    except PySparkException as error:
        raise SparkFailed(str(error).strip().splitlines()[0]) from error
    keep_books(arguments, rules, plan, judgement, figures, rejected, time.monotonic() - started)


@dataclass(frozen=True)
class Rules:
    """What the rows are held to."""

    contract: Contract
    quality: Quality


@dataclass(frozen=True)
class Judgement:
    """What was found before anything was written. `drift` is "" where the source is as the contract says;
    `quarantined` has the rejected rows by reason."""

    verdict: Verdict
    drift: str
    quarantined: Mapping[str, int]

    @property
    def is_refused(self) -> bool:
        return self.verdict.verdict == "FAILED"


def read_rules(arguments: Arguments) -> Rules:
    contract = parse_contract(io.read_text(arguments.contract_uri), arguments.contract_uri)
    if (contract.aggregate is None) != (arguments.curated is None):
        has = "no" if contract.aggregate is None else "an"
        raise InvalidArguments(
            "--curated_bucket and --curated_prefix say where an aggregate goes, "
            f"and {arguments.contract_uri} has {has} x-etl.aggregate"
        )
    text = io.read_text(arguments.quality_uri)
    return Rules(
        contract, parse_quality(text, arguments.quality_uri, contract.output_types, contract.reasons)
    )


def check_write_mode(arguments: Arguments, contract: Contract) -> None:
    """What would lose or double rows. Raises InvalidArguments."""
    if arguments.write_mode != MERGE:
        return
    if contract.aggregate is not None:
        raise InvalidArguments(
            f"--write_mode 'merge' takes rows from dates that {arguments.contract_uri} has added up "
            "(x-etl.aggregate): rebuild, or append, or leave the aggregate to a query"
        )
    declared, given = contract.order_column, arguments.order_column
    if declared is None and given is None:
        raise InvalidArguments(
            f"--write_mode 'merge' needs to know which row of a key is the latest: {arguments.contract_uri} "
            "has no x-etl.orderColumn, and --order_column is missing ('run_date' means by delivery)"
        )
    if declared is not None and given is not None and declared != given:
        raise InvalidArguments(
            f"--order_column '{given}' is not '{declared}', the x-etl.orderColumn of {arguments.contract_uri}"
        )
    if given is not None and (mistake := order_mistake(given, contract.output_types)):
        raise InvalidArguments(f"--order_column {mistake}")


def open_iceberg_table(spark: SparkSession, arguments: Arguments, contract: Contract) -> IcebergTable | None:
    """The output where it is a table of Iceberg."""
    if not arguments.is_iceberg or arguments.output_table is None:
        return None
    order = (contract.order_column or arguments.order_column) if arguments.write_mode == MERGE else None
    return open_iceberg(
        spark,
        arguments.output_table.database,
        arguments.output_table.name,
        location=arguments.output,
        contract=contract,
        mode=arguments.write_mode,
        order=order,
    )


def open_tables(arguments: Arguments, contract: Contract) -> Tables:
    """The declared tables whose partitions are registered, by where their rows lie."""
    keys = (partitions.PARTITION, *contract.partition_by)
    output_table = None if arguments.is_iceberg else arguments.output_table
    declared = (
        (arguments.output, output_table, keys),
        (arguments.curated, arguments.curated_table, (partitions.PARTITION,)),
    )
    return {
        location: open_table(table.database, table.name, keys_of_table)
        for location, table, keys_of_table in declared
        if location is not None and table is not None
    }


def open_session(pipeline: str) -> SparkSession:
    """The session of Glue, whose context must exist for its observability metrics; elsewhere Spark's own."""
    spark = SparkSession.builder.appName(pipeline).getOrCreate()
    remember_classes(spark)
    try:
        from awsglue.context import GlueContext  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return spark
    session: SparkSession = GlueContext(spark.sparkContext).spark_session
    return session


def find_deliveries(arguments: Arguments) -> Deliveries:
    """Per date what was delivered; a date without a delivery is not there. Raises MissingDelivery."""
    first, last = arguments.from_date, arguments.to_date
    found = list_deliveries(arguments.source, first, last)
    if not found:
        dates = f"{first}" if first == last else f"{first} to {last}"
        raise MissingDelivery(f"no delivery under {arguments.source} for {dates}")
    files = sum(len(delivery.files) for delivery in found.values())
    tell(f"{len(found)} deliveries: {files} files, {sum(one.input_bytes for one in found.values())} bytes")
    left_out = [file.uri for delivery in found.values() for file in delivery.left_out]
    if left_out:
        shown = ", ".join(left_out[:MAX_NAMED]) + (", …" if len(left_out) > MAX_NAMED else "")
        tell(f"{len(left_out)} files are left out, for their names begin with '_' or '.': {shown}")
    return found


def plan_run(
    spark: SparkSession,
    arguments: Arguments,
    rules: Rules,
    own: Deliveries,
    table: IcebergTable | None = None,
) -> Plan:
    """Reads the deliveries once, and finds their duplicates and the later dates that they change."""
    partitions.configure(spark, partitions.weigh(file for one in own.values() for file in one.files))
    check_computed(spark, rules.contract)
    check_patterns(spark, rules.contract)
    raw = RawRows(
        spark,
        lambda lines, files: judge_rows(lines, files, rules),
        rules.contract.format,
        rules.quality.unreadable_reason,
    )
    raw.add(own.values())
    check_size(sum(raw.counts(own).values()), "in one run", "run fewer dates at a time")
    if table is not None and table.mode != REBUILD:
        return plan_upsert(raw, own, table, rules.contract)
    published: Published = (
        ParquetFolders(spark, arguments.output, rules.contract.key_types)
        if table is None
        else IcebergRows(table, rules.contract.business_key)
    )
    plan = make_plan(raw, own, published, arguments.books, rules.contract)
    for day, reason in sorted(plan.passed_over.items()):
        tell(f"{day} was not looked at, whether it must be restated: {reason}")
    if plan.restated:
        tell(f"restates {', '.join(map(str, plan.restated))}")
        rows = sum(raw.counts(plan.restated).values())
        check_size(rows, "in the later dates that it changes", "correct fewer dates at a time")
    return plan


def judge_rows(lines: DataFrame, files: Sequence[io.StoredObject], rules: Rules) -> DataFrame | None:
    """Lines become rows, each of them good or with the reason why it goes to quarantine. None when the files
    hold no line."""
    parsed = parse_files(lines, files, rules.contract)
    if parsed is None:
        return None
    check_expressions(no_rows(lines.sparkSession, rules.contract.output_types), rules.quality)
    return classify_rows(parsed, rules.contract, rules.quality.quarantine_rules)


def parse_files(lines: DataFrame, files: Sequence[io.StoredObject], contract: Contract) -> DataFrame | None:
    """The rows of the files. Raises InvalidDelivery with every file that is of no kind that is read."""
    if not contract.format.is_csv:
        check_files(files, contract.format)
        return parse_lines(lines, contract)
    layouts = find_layouts(files, contract)
    records = join_lines(lines, contract.format.delimiter) if contract.format.is_multi_line else lines
    return parse_csv(records, contract, layouts) if layouts else None


def judge_run(arguments: Arguments, rules: Rules, plan: Plan) -> Judgement:
    """Judges the rows of the run's own dates as they would be published, and the source's columns. Raises
    SourceDrifted where the contract says so."""
    rows = plan.judged_of_own()
    read = sum(plan.raw.counts(plan.own).values())
    if rows is None or read == 0:
        return Judgement(nothing_to_judge(rules.quality), "", {})
    optional = rules.contract.delivered_output if arguments.source_table is not None else ()
    measured = measure_quality(rows, rules.quality, optional)
    run = judge(rules.quality, measured, read, arguments.to_date)
    verdict = judge_dates(rules.quality, run, plan.raw.unreadable, plan.raw.counts(plan.own))
    tell(f"quality: {verdict.verdict}, score {verdict.score}{verdict.failed and f'; {verdict.failed}'}")
    drift = ""
    if arguments.source_table is not None:
        source = arguments.source_table
        crawled = table_columns(source.database, source.name)
        drift = find_drift(crawled, rules.contract, f"{source.database}.{source.name}", measured.absent)
        tell(f"source: {drift or 'as in the contract'}")
    return Judgement(verdict, drift, measured.quarantined)


def take_lock(arguments: Arguments) -> None:
    """The fence before the first write: a run that has lost its lock meanwhile must not touch the tables."""
    if arguments.lock is not None:
        lock.take_lock(arguments.lock.table, arguments.pipeline, arguments.lock.owner)


def refuse(arguments: Arguments, plan: Plan) -> dict[date, DateFigures]:
    """Keeps the rejected rows of the run's own dates where they can be looked at, in place of those of an
    earlier refusal; publishes nothing. Gives the figures of the dates."""
    rows = plan.rows_of_own()
    if arguments.refused is not None:
        io.delete_leftovers(arguments.refused)
        before = list_partitions(arguments.refused, plan.own)
        if rows is not None:
            write_rejected(arguments, plan, rows, arguments.refused)
        remove_stale(before, list_partitions(arguments.refused, plan.own))
        tell(f"refused: its rejected rows are in {arguments.refused}")
    return count_refused(plan)


def forget_refused(arguments: Arguments, plan: Plan) -> None:
    """Removes what an earlier refusal kept of the dates that are published now."""
    if arguments.refused is None:
        return
    io.delete_leftovers(arguments.refused)
    kept = list_partitions(arguments.refused, plan.own)
    io.delete(file for files in kept.values() for file in files)


def count_refused(plan: Plan) -> dict[date, DateFigures]:
    """The figures of dates whose rows are not published: what was found, and that nothing was written."""
    quarantined = plan.quarantined_of_own()
    read = plan.raw.counts(plan.own)
    figures = {
        day: DateFigures(
            run_date=day,
            read=read[day],
            written=0,
            duplicates=plan.result.duplicates.get(day.isoformat(), 0),
            quarantined=quarantined.get(day.isoformat(), {}),
            input_bytes=delivery.input_bytes,
            output_bytes=0,
            files=0,
            partitions=0,
        )
        for day, delivery in plan.own.items()
    }
    plan.forget()
    return figures


def check_size(rows: int, where: str, advice: str) -> None:
    tell(f"read {rows} rows {where}")
    if rows > MAX_ROWS:
        raise TooManyRows(f"{rows} rows {where}, at most {MAX_ROWS}: {advice}")


def publish(
    arguments: Arguments, contract: Contract, plan: Plan, tables: Tables, table: IcebergTable | None
) -> dict[date, DateFigures]:
    """Replaces the dates of the plan in the output, in quarantine and in what is added up; or merges or
    appends them, in an output of Iceberg. Gives their figures."""
    dates = plan.deliveries
    if plan.is_noted:
        by_date.put_note(arguments.books, arguments.run_id, dates)
    output = [] if table is not None else [arguments.output]
    curated = [] if arguments.curated is None else [arguments.curated]
    locations = (*output, arguments.quarantine, *curated)
    for location in locations:
        io.delete_leftovers(location)
    before = {location: list_partitions(location, dates) for location in locations}
    if table is None:
        write_good_rows(arguments, contract, plan)
    else:
        write_table(table, contract, plan)
    if plan.result.rows is not None:
        write_rejected(arguments, plan, plan.result.rows, arguments.quarantine)
    write_aggregate(arguments, contract, plan, table)
    counted = None if table is None else count_current(table, plan, contract)
    plan.forget()
    now = {
        location: remove_stale(before[location], list_partitions(location, dates)) for location in locations
    }
    for location, declared in tables.items():
        register_partitions(
            declared, location, dates, [file for files in now[location].values() for file in files]
        )
    forget_refused(arguments, plan)
    files = now[arguments.output] if table is None else table.files(dates)
    return count_figures(arguments, plan, files, now[arguments.quarantine], counted)


def write_table(table: IcebergTable, contract: Contract, plan: Plan) -> None:
    """Writes the good rows that are no duplicates, in one commit; none where there is nothing to change."""
    table.prepare()
    kept = plan.result.kept
    if table.mode == REBUILD:
        rows = no_rows(table.spark, table.columns) if kept is None else kept
        table.overwrite(rows, plan.deliveries)
    elif kept is not None and table.mode == MERGE:
        table.merge(kept, contract.business_key)
    elif kept is not None:
        table.append(rows_to_append(kept, table, plan.own))
    tell(f"removed {sum(plan.result.duplicates.values())} duplicates, {table.mode}: {table.name}")


def write_good_rows(arguments: Arguments, contract: Contract, plan: Plan) -> None:
    """Writes the good rows that are no duplicates."""
    result = plan.result
    if result.kept is None:
        return
    partitions.write_partitions(
        result.kept.select("run_date", "row_id", *contract.output),
        arguments.output,
        order="row_id",
        is_scattered=plan.raw.is_scattered or not result.is_broadcast,
        by=contract.partition_by,
    )
    tell(f"removed {sum(result.duplicates.values())} duplicates, wrote the others to {arguments.output}")


def write_rejected(arguments: Arguments, plan: Plan, rows: DataFrame, location: str) -> None:
    bad = rows.filter(F.col("reason").isNotNull()).select(
        "run_date",
        "row_id",
        "raw_line",
        "reason",
        decode_uri(F.col("file_path")).alias("source_file"),
        F.lit(arguments.run_id).alias("run_id"),
        "reason_values",
    )
    partitions.write_partitions(bad, location, order="row_id", is_scattered=plan.raw.is_scattered)


def write_aggregate(arguments: Arguments, contract: Contract, plan: Plan, table: IcebergTable | None) -> None:
    """Adds up the rows of each date that are written: of the same rows as the output, so that neither waits
    for the other. Where runs append, those of earlier ones count too."""
    kept, aggregate = plan.result.kept, contract.aggregate
    if table is not None and table.mode == APPEND:
        kept = table.committed().filter(F.col("run_date").isin([f"{day}" for day in plan.own]))
    if kept is None or aggregate is None or arguments.curated is None:
        return
    rows = aggregate_rows(kept.select("run_date", *contract.output), aggregate, "run_date")
    in_order = rows.withColumn("row_id", F.struct(*aggregate.group_by))
    partitions.write_partitions(in_order, arguments.curated, order="row_id", is_scattered=True)
    tell(f"added them up in {arguments.curated}")


def list_partitions(location: str, dates: Collection[date]) -> Objects:
    """The files of these dates as they lie now."""
    found = io.list_dates(location, partitions.PARTITION, min(dates), max(dates))
    return {day: files for day, files in found.items() if day in dates}


def remove_stale(before: Objects, after: Objects) -> Objects:
    """Removes what an earlier run wrote and this one did not replace, for it had no row for that date. A file
    name is never used twice, so what was there before and still is, is old. Gives what remains and can be
    read."""
    old = {file.uri for files in before.values() for file in files}
    io.delete(file for files in after.values() for file in files if file.uri in old)
    fresh = {
        day: [file for file in files if not io.is_hidden(file) and file.uri not in old]
        for day, files in after.items()
    }
    return {day: files for day, files in fresh.items() if files}


def count_figures(
    arguments: Arguments,
    plan: Plan,
    output: Objects,
    quarantine: Objects,
    counted: Mapping[str, int] | None,
) -> dict[date, DateFigures]:
    """The figures of each date. What was written is counted from the files, or was `counted` in the table."""
    written, quarantined = partitions.count_rows_of_files(
        plan.raw.spark,
        partitions.Written(arguments.output, output if counted is None else {}),
        partitions.Written(arguments.quarantine, quarantine, "reason"),
    )
    if counted is not None:
        written = {(day, ""): rows for day, rows in counted.items()}
    read = plan.raw.counts(plan.deliveries)
    return {
        day: DateFigures(
            run_date=day,
            read=read[day],
            written=written.get((day.isoformat(), ""), 0),
            duplicates=plan.result.duplicates.get(day.isoformat(), 0),
            quarantined={
                reason: rows for (of_day, reason), rows in quarantined.items() if of_day == day.isoformat()
            },
            input_bytes=delivery.input_bytes,
            output_bytes=sum(file.size for file in output.get(day, [])),
            files=len(output.get(day, [])),
            partitions=len({file.name.rpartition("/")[0] for file in output.get(day, [])}),
        )
        for day, delivery in plan.deliveries.items()
    }


def keep_books(
    arguments: Arguments,
    rules: Rules,
    plan: Plan,
    judgement: Judgement,
    figures: Mapping[date, DateFigures],
    rejected: Sequence[Rejected],
    seconds: float,
) -> None:
    """Writes the books by date, the books, then the summary: whoever finds the summary finds the others."""
    folder = f"{arguments.books}{arguments.run_id}/"
    books = make_books(
        pipeline=arguments.pipeline,
        run_id=arguments.run_id,
        first=arguments.from_date,
        last=arguments.to_date,
        reasons=rules.quality.reasons,
        dates=[figures[day] for day in sorted(plan.own)],
        restated=[figures[day] for day in sorted(plan.restated) if day in figures],
        quality=judgement.verdict.summary(),
        drift=judgement.drift,
        is_refused=judgement.is_refused,
        seconds=seconds,
        uri=f"{folder}books.json",
        rejected=[one.entry(with_value=arguments.shows_values) for one in rejected],
        refused=explain(arguments, rules, plan, judgement, figures, rejected),
    )
    if not judgement.is_refused:
        keep_books_by_date(arguments, plan, books)
    io.write_text(f"{folder}books.json", to_json(books))
    io.write_text(f"{folder}summary.json", to_json(summarise(books)))
    tell(to_json(summarise(books)))
    if plan.is_noted and not judgement.is_refused:
        by_date.remove_note(arguments.books)


def explain(
    arguments: Arguments,
    rules: Rules,
    plan: Plan,
    judgement: Judgement,
    figures: Mapping[date, DateFigures],
    rejected: Sequence[Rejected],
) -> dict[str, Any] | None:
    """What the books tell of a refusal: the text that the execution fails with, and how its rejected rows can
    be seen. None of a run that publishes."""
    if not judgement.is_refused:
        return None
    of_own = [figures[day] for day in plan.own]
    rows = sum(sum(of_date.quarantined.values()) for of_date in of_own)
    table = arguments.refused_table
    evidence = None
    if arguments.refused is not None:
        name = "" if table is None else f"{table.database}.{table.name}"
        evidence = Evidence(arguments.refused, rows, name, arguments.workgroup, arguments.refused_days)
    return explain_refusal(
        run_id=arguments.run_id,
        read=sum(of_date.read for of_date in of_own),
        first=arguments.from_date,
        last=arguments.to_date,
        quality=rules.quality,
        verdict=judgement.verdict,
        rejected=rejected,
        evidence=evidence,
        shows_values=arguments.shows_values,
    )


def keep_books_by_date(arguments: Arguments, plan: Plan, books: Mapping[str, Any]) -> None:
    for name, is_restated in (("dates", False), ("restatedDates", True)):
        for entry in books[name]:
            delivery = plan.deliveries[date.fromisoformat(entry["runDate"])]
            by_date.put_book(arguments.books, arguments.run_id, delivery, entry, is_restated=is_restated)


def tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
