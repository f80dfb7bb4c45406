"""Publishes the rows of a plan, or keeps those that a refused run rejected."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl import io
from etl.ingest import by_date
from etl.ingest.contract import Contract
from etl.ingest.count_versions import count_versions
from etl.ingest.deliveries import Alike, Delivery
from etl.ingest.plan import Plan
from etl.ingest.rules import Rules
from etl.ingest.tables import Tables
from etl.ingest.transforms.compute_columns import aggregate_rows
from etl.ingest.transforms.decode_uri import decode_uri
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.upserts import count_current, rows_to_append
from etl.run.arguments import Arguments
from etl.run.books import DateFigures, SourceFigures
from etl.run.catalogue import register_partitions
from etl.run.log import log
from etl.run.no_rows import no_rows
from etl.run.replacing import Objects, list_partitions, remove_stale
from etl.write import partitions
from etl.write.iceberg_tables import APPEND, MERGE, REBUILD, IcebergTable

QUARANTINED_SOURCE = "source"  # the column with the name of a rejected row's source


def publish(
    arguments: Arguments,
    rules: Rules,
    plan: Plan,
    tables: Tables,
    table: IcebergTable | None,
    touched: Mapping[str, Collection[date]] | None = None,
) -> dict[date, DateFigures]:
    """Replaces the dates of the plan in the output, in quarantine and in the aggregate. An Iceberg output may
    be merged or appended to instead. Gives the figures of the dates. `touched` are the dates of models that
    must be recomputed because of what is replaced; None without models."""
    contract, dates = rules.contract, plan.deliveries
    if plan.is_noted or touched is not None:
        by_date.put_note(arguments.books, arguments.run_id, dates, touched)
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
    write_rejected(arguments, rules, plan, dates, arguments.quarantine)
    write_aggregate(arguments, contract, plan, table)
    source = rules.sources.column
    of_changes = None
    counted = None
    if plan.versions is not None and table is not None:
        of_changes = count_versions(table, plan, contract, source)
        counted = {
            (day, name): rows for day, counts in of_changes.items() for name, rows in counts.written.items()
        }
    elif table is not None:
        counted = count_current(table, plan, contract, source)
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
    figures = count_figures(arguments, rules, plan, files, now[arguments.quarantine], counted)
    if of_changes is None:
        return figures
    return {day: replace(one, changes=of_changes[f"{day}"].figures) for day, one in figures.items()}


def write_table(table: IcebergTable, contract: Contract, plan: Plan) -> None:
    """Writes the good rows that are not duplicates, in one commit, if there is anything to change."""
    table.prepare()
    kept = plan.result.kept
    if table.mode == REBUILD:
        rows = no_rows(table.spark, table.columns) if kept is None else kept
        table.overwrite(rows, plan.deliveries)
    elif plan.versions is not None:
        if plan.versions.dates:
            table.overwrite(plan.versions.rows, plan.versions.dates)
    elif kept is not None and table.mode == MERGE:
        table.merge(kept, contract.business_key)
    elif kept is not None:
        table.append(rows_to_append(kept, table, plan.own))
    log(f"removed {sum(plan.result.duplicates.values())} duplicates, {table.mode}: {table.name}")


def write_good_rows(arguments: Arguments, contract: Contract, plan: Plan) -> None:
    """Writes the good rows that are not duplicates."""
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
    log(f"removed {sum(result.duplicates.values())} duplicates, wrote the others to {arguments.output}")


def write_rejected(
    arguments: Arguments,
    rules: Rules,
    plan: Plan,
    dates: Collection[date],
    location: str,
) -> None:
    """Writes the rejected rows of these dates. Sources with names have them in the column `source`."""
    together = plan.raw.alike(dates)
    if not together:
        return
    columns = [_rejected(arguments, rules, plan, alike) for alike in together]
    # Each source's rows lie in tasks of their own.
    is_scattered = plan.raw.is_scattered or len(together) > 1
    partitions.write_partitions(
        reduce(DataFrame.unionByName, columns), location, order="row_id", is_scattered=is_scattered
    )


def _rejected(arguments: Arguments, rules: Rules, plan: Plan, alike: Alike) -> DataFrame:
    rows = alike.rows
    if plan.raw.has_rejected:
        rejected = explain_rejected(
            rows,
            alike.contract,
            rules.quality.quarantine_rules,
            has_wrong_types=plan.raw.has_wrong_types,
        )
    else:
        # To explain no row would take longer than to write none.
        rejected = rows.limit(0).withColumn("reason_values", F.lit(None).cast("map<string,string>"))
    return rejected.select(
        "run_date",
        "row_id",
        "raw_line",
        "reason",
        decode_uri(F.col("file_path")).alias("source_file"),
        F.lit(arguments.run_id).alias("run_id"),
        "reason_values",
        *([alike.source_name.alias(QUARANTINED_SOURCE)] if plan.raw.has_names else []),
    )


def write_aggregate(arguments: Arguments, contract: Contract, plan: Plan, table: IcebergTable | None) -> None:
    """Adds up the rows of each date, from the rows that go to the output. In append mode the rows of earlier
    runs count too."""
    kept, aggregate = plan.result.kept, contract.aggregate
    if table is not None and table.mode == APPEND:
        kept = table.committed().filter(F.col("run_date").isin([f"{day}" for day in plan.own]))
    if kept is None or aggregate is None or arguments.curated is None:
        return
    rows = aggregate_rows(kept.select("run_date", *contract.output), aggregate, "run_date")
    in_order = rows.withColumn("row_id", F.struct(*aggregate.group_by))
    partitions.write_partitions(in_order, arguments.curated, order="row_id", is_scattered=True)
    log(f"added them up in {arguments.curated}")


def refuse(arguments: Arguments, rules: Rules, plan: Plan) -> dict[date, DateFigures]:
    """Keeps the rejected rows of the run's own dates, in place of those of an earlier refusal. Publishes
    nothing. Gives the figures of the dates."""
    if arguments.refused is not None:
        io.delete_leftovers(arguments.refused)
        before = list_partitions(arguments.refused, plan.own)
        write_rejected(arguments, rules, plan, plan.own, arguments.refused)
        remove_stale(before, list_partitions(arguments.refused, plan.own))
        log(f"refused: its rejected rows are in {arguments.refused}")
    return count_refused(rules, plan)


def forget_refused(arguments: Arguments, plan: Plan) -> None:
    """Removes the rows that an earlier refusal kept for the dates that are published now."""
    if arguments.refused is None:
        return
    io.delete_leftovers(arguments.refused)
    kept = list_partitions(arguments.refused, plan.own)
    io.delete(file for files in kept.values() for file in files)


def count_figures(
    arguments: Arguments,
    rules: Rules,
    plan: Plan,
    output: Objects,
    quarantine: Objects,
    counted: Mapping[tuple[str, str], int] | None,
) -> dict[date, DateFigures]:
    """The figures of each date. Written rows are counted from the files, or given as `counted` in a table by
    date and source."""
    has_names = bool(rules.sources.names)
    written, quarantined = partitions.count_rows_of_files(
        plan.raw.spark,
        partitions.Written(arguments.output, output if counted is None else {}, source=rules.sources.column),
        partitions.Written(
            arguments.quarantine, quarantine, "reason", QUARANTINED_SOURCE if has_names else None
        ),
    )
    of_output = {(day, source): rows for (day, _, source), rows in written.items()}
    of_quarantine: dict[tuple[str, str], dict[str, int]] = {}
    for (day, reason, source), rows in quarantined.items():
        of_quarantine.setdefault((day, source), {})[reason] = rows
    made = _Made(of_output if counted is None else counted, of_quarantine)
    return {
        day: _figures(rules, plan, delivery, made, output.get(day, ()))
        for day, delivery in plan.deliveries.items()
    }


def count_refused(rules: Rules, plan: Plan) -> dict[date, DateFigures]:
    """The figures of dates whose rows are not published: nothing was written."""
    made = _Made({}, plan.quarantined_of_own())
    figures = {day: _figures(rules, plan, delivery, made, ()) for day, delivery in plan.own.items()}
    plan.forget()
    return figures


@dataclass(frozen=True)
class _Made:
    """Rows by date and source: those written, and those quarantined by reason."""

    written: Mapping[tuple[str, str], int]
    quarantined: Mapping[tuple[str, str], Mapping[str, int]]


def _figures(
    rules: Rules, plan: Plan, delivery: Delivery, made: _Made, output: Sequence[io.StoredObject]
) -> DateFigures:
    day = f"{delivery.day}"
    quarantined: dict[str, int] = {}
    for (of_day, _), by_reason in made.quarantined.items():
        for reason, rows in by_reason.items() if of_day == day else ():
            quarantined[reason] = quarantined.get(reason, 0) + rows
    return DateFigures(
        run_date=delivery.day,
        read=plan.raw.read[delivery.day],
        written=sum(rows for (of_day, _), rows in made.written.items() if of_day == day),
        duplicates=plan.result.duplicates.get(day, 0),
        quarantined=quarantined,
        input_bytes=delivery.input_bytes,
        output_bytes=sum(file.size for file in output),
        files=len(output),
        partitions=len({file.name.rpartition("/")[0] for file in output}),
        sources={
            name: SourceFigures(
                read=plan.raw.read_of.get((delivery.day, name), 0),
                written=made.written.get((day, name), 0),
                duplicates=plan.result.duplicates_of.get((day, name), 0),
                quarantined=made.quarantined.get((day, name), {}),
                input_bytes=sum(file.size for file in delivery.files_of(name)),
            )
            for name in rules.sources.names
        },
        missing_sources=delivery.missing,
    )
