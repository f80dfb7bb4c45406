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
    """`written` are the versions that delivered rows have made; `figures` those of the books."""

    written: int
    figures: Mapping[str, int]


def count_versions(table: IcebergTable, plan: Plan, contract: Contract) -> dict[str, Counted]:
    """By date of the plan. Raises BooksDoNotBalance when two versions of a key have one place."""
    assert contract.changes is not None
    dates = [f"{day}" for day in plan.deliveries]
    rows = table.committed().filter(F.col("run_date").isin(dates))
    of_changes = [F.count(F.when(F.col("change") == change, 1)).alias(change) for change in _CHANGES]
    places = F.count_distinct(F.struct(*contract.business_key, "sequence")).alias("places")
    counted: dict[str, dict[str, int]] = {}
    for row in rows.groupBy("run_date").agg(places, *of_changes).collect():
        counted[row["run_date"]] = {change: row[change] for change in _CHANGES}
        if row["places"] != sum(counted[row["run_date"]].values()):
            raise BooksDoNotBalance(
                f"{table.name} has two versions of a key at one place, on {row['run_date']}: roll the table "
                "back to the snapshot before this run"
            )
    return {day: _counted(counted.get(day, {}), day, plan, contract.changes.is_whole) for day in dates}


def _counted(found: Mapping[str, int], day: str, plan: Plan, is_whole: bool) -> Counted:
    versions = plan.versions
    assert versions is not None
    inserted, updated, deletes = (found.get(change, 0) for change in _CHANGES)
    deleted, by_absence = (0, deletes) if is_whole else (deletes, 0)
    return Counted(
        written=inserted + updated + deleted,
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
