"""Plans what a run merges or appends. Only reads.

Neither restates other dates. A merged table holds for each key the latest row of all deliveries, in whatever
order they were run. Appended rows stay, so that a key belongs to the delivery that was run first."""

from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl import io
from etl.errors import Redelivered
from etl.ingest.contract import Contract
from etl.ingest.deliveries import Deliveries, RawRows
from etl.ingest.plan import Plan, Result, without
from etl.ingest.transforms.find_appended import find_repetitions, source_file
from etl.ingest.transforms.find_duplicates import ORDER
from etl.ingest.transforms.find_superseded import find_superseded
from etl.write.iceberg_tables import MERGE, IcebergTable


def plan_upsert(raw: RawRows, own: Deliveries, table: IcebergTable, contract: Contract) -> Plan:
    """`raw` holds the rows of the `own` deliveries. Raises Redelivered."""
    raw.compare_with(table.size)
    find = _merged if table.mode == MERGE else _appended
    result = find(raw, own, table, contract)
    return Plan(own=own, restated={}, raw=raw, result=result, is_noted=False, passed_over={})


def _merged(raw: RawRows, own: Deliveries, table: IcebergTable, contract: Contract) -> Result:
    rows = raw.of(own)
    if rows is None:
        return Result(None, None, None, {})
    key = contract.business_key
    good = rows.filter(F.col("reason").isNull())
    places = good.select(*key, table.age().alias("age"), "run_date", *ORDER)
    lying = table.rows()
    old = None if lying is None else lying.select(*key, table.age().alias("age"))
    return without(raw, rows, find_superseded(places, old, key))


def _appended(raw: RawRows, own: Deliveries, table: IcebergTable, contract: Contract) -> Result:
    taken = taken_objects(table, own)
    rows = raw.of(own)
    if rows is None:
        return Result(None, None, None, {})
    key, days = contract.business_key, timedelta(days=contract.lookback_days)
    good = rows.filter(F.col("reason").isNull())
    places = good.select(*key, "run_date", source_file().alias("source_file"), *ORDER)
    lying = table.rows()
    old = None
    if lying is not None:
        near = F.col("run_date").between(f"{min(own) - days}", f"{max(own) + days}")
        old = lying.filter(near).select(*key, "run_date", "source_file")
    marked = places.withColumn("is_taken", F.col("source_file").isin(sorted(taken)))
    return without(raw, rows, find_repetitions(marked, old, key, contract.lookback_days))


def taken_objects(table: IcebergTable, own: Deliveries) -> set[str]:
    """The manifest: the objects of the deliveries that have rows in the table. The commit that brings the
    rows also writes it. Raises Redelivered when one of the objects has changed."""
    rows = table.of_dates(own)
    if rows is None:
        return set()
    found = rows.select("source_file", "source_version").distinct().collect()
    versions = {row["source_file"]: row["source_version"] for row in found}
    present = [file for delivery in own.values() for file in delivery.files if file.uri in versions]
    changed = [file.uri for file in present if io.version_of(file) != versions[file.uri]]
    if changed:
        raise Redelivered(
            f"{', '.join(sorted(changed))}: appended by an earlier run, and changed since. Nothing was "
            "written: remove the new version, so that the earlier one is back, and deliver the new rows "
            "under another name; or write the table by merge or rebuild"
        )
    return {file.uri for file in present}


def rows_to_append(rows: DataFrame, table: IcebergTable, own: Deliveries) -> DataFrame:
    """The good rows of new objects, each with the name and version of its object."""
    taken = taken_objects(table, own)
    new = [file for delivery in own.values() for file in delivery.files if file.uri not in taken]
    versions = rows.sparkSession.createDataFrame(
        [(file.uri, io.version_of(file)) for file in new], "source_file string, source_version string"
    )
    named = rows.withColumn("source_file", source_file())
    return named.join(F.broadcast(versions), "source_file", "inner")


def count_current(
    table: IcebergTable, plan: Plan, contract: Contract, source: str | None
) -> dict[tuple[str, str], int]:
    """Counts the rows that the table has now for the dates of the plan, by date and value of the column
    `source` ("" if it is None). After a rebuild these are all rows
    of a date, after an append the rows of the delivered objects, after a merge the rows of this run that
    are still current."""
    dates = [day.isoformat() for day in plan.deliveries]
    rows = table.committed().filter(F.col("run_date").isin(dates))
    if table.mode == MERGE:
        if plan.result.kept is None:
            return {}
        brought = plan.result.kept.select(
            *(F.col(name).alias(f"old_{name}") for name in contract.business_key),
            table.age().alias("old_age"),
        )
        is_it = F.lit(True)
        for name in contract.business_key:
            is_it &= F.col(name).eqNullSafe(F.col(f"old_{name}"))
        is_it &= table.age() == F.col("old_age")
        rows = rows.join(brought, is_it, "left_semi")
    elif table.mode != "rebuild":
        files = [file.uri for delivery in plan.deliveries.values() for file in delivery.files]
        rows = rows.filter(F.col("source_file").isin(files))
    by_source = [] if source is None else [F.col(f"`{source}`").alias("source")]
    counted = rows.groupBy("run_date", *by_source).count().collect()
    return {(row["run_date"], row["source"] if by_source else ""): row["count"] for row in counted}
