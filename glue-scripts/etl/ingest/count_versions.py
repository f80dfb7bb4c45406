"""Counts the versions that lie in the table after the commit, and checks that their order is one."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import functions as F

from etl.errors import BooksDoNotBalance
from etl.ingest.contract import Contract
from etl.ingest.plan import Plan
from etl.ingest.transforms.derive_versions import DELETE, INSERT, UPDATE
from etl.write.iceberg_tables import IcebergTable

_CHANGES = (INSERT, UPDATE, DELETE)


@dataclass(frozen=True)
class Counted:
    """`written` are the versions that delivered rows have made, by source ("" without names); `figures` those
    of the books."""

    written: Mapping[str, int]
    figures: Mapping[str, int]


def count_versions(
    table: IcebergTable, plan: Plan, contract: Contract, source: str | None
) -> dict[str, Counted]:
    """By date of the plan, and by value of the column `source` where there is one. Raises BooksDoNotBalance
    when two versions of a key have one place."""
    assert contract.changes is not None
    dates = [f"{day}" for day in plan.deliveries]
    rows = table.committed().filter(F.col("run_date").isin(dates))
    of_changes = [F.count(F.when(F.col("change") == change, 1)).alias(change) for change in _CHANGES]
    places = F.count_distinct(F.struct(*contract.business_key, "sequence")).alias("places")
    for row in rows.groupBy("run_date").agg(places, F.count(F.lit(1)).alias("versions")).collect():
        if row["places"] != row["versions"]:
            raise BooksDoNotBalance(
                f"{table.name} has two versions of a key at one place, on {row['run_date']}: roll the table "
                "back to the snapshot before this run"
            )
    name = F.lit("") if source is None else F.col(f"`{source}`")
    counted: dict[str, dict[str, dict[str, int]]] = {}
    for row in rows.groupBy("run_date", name.alias("source")).agg(*of_changes).collect():
        counted.setdefault(row["run_date"], {})[row["source"]] = {change: row[change] for change in _CHANGES}
    return {day: _counted(counted.get(day, {}), day, plan, contract.changes.is_whole) for day in dates}


def _counted(by_source: Mapping[str, Mapping[str, int]], day: str, plan: Plan, is_whole: bool) -> Counted:
    versions = plan.versions
    assert versions is not None
    inserted, updated, deletes = (sum(found[change] for found in by_source.values()) for change in _CHANGES)
    deleted, by_absence = (0, deletes) if is_whole else (deletes, 0)
    absent = DELETE if is_whole else ""
    return Counted(
        written={
            source: sum(count for change, count in found.items() if change != absent)
            for source, found in by_source.items()
        },
        figures={
            "inserted": inserted,
            "updated": updated,
            "deleted": deleted,
            "unchanged": versions.counts["unchanged"].get(day, 0),
            "superseded": versions.counts["superseded"].get(day, 0),
            "deletedByAbsence": by_absence,
            "deletedUnknown": versions.counts["orphans"].get(day, 0),
        },
    )
