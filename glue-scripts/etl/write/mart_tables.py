"""The Iceberg tables of marts: each write is one commit, which says from what it was made.

A table is replaced whole, or in the partitions of one date. Input tables are read at one snapshot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.errors import TableRefused
from etl.write.iceberg_tables import CATALOGUE

LOADED = {"loaded_at": "timestamp_ntz", "run_id": "string"}  # at the end of each mart
_PROPERTY = "snapshot-property."
_MARK = "etl.mart"  # on tables that this job has made
_PROPERTIES = {
    "format-version": "2",
    "write.delete.mode": "copy-on-write",
    "write.update.mode": "copy-on-write",
    "write.merge.mode": "copy-on-write",
    _MARK: "1",
}


def full_name(database: str, table: str) -> str:
    return ".".join(_quoted(part) for part in (CATALOGUE, database, table))


@dataclass(frozen=True)
class InputTable:
    """A table that a mart reads. Nobody writes to it meanwhile, as far as the run sees."""

    spark: SparkSession
    name: str

    def is_there(self) -> bool:
        return self.spark.catalog.tableExists(self.name)

    @cached_property
    def snapshot(self) -> int | None:
        """The snapshot that was current when this was first asked; None for a table without a commit."""
        return _current(self.spark, self.name)

    @cached_property
    def types(self) -> Mapping[str, str]:
        return dict(self.spark.table(self.name).dtypes)

    @cached_property
    def size(self) -> int:
        """The bytes of the files in `snapshot`."""
        if self.snapshot is None:
            return 0
        found = self.spark.table(f"{self.name}.snapshots").filter(f"snapshot_id = {self.snapshot}")
        return int(found.select("summary").collect()[0][0].get("total-files-size", 0))

    def rows(self) -> DataFrame:
        """The rows of `snapshot`."""
        if self.snapshot is None:
            return _no_rows(self.spark, self.types)
        return self.spark.read.option("versionAsOf", str(self.snapshot)).table(self.name)


@dataclass(frozen=True)
class MartTable:
    """A table that may not be there yet. `columns` are all of them, with types of Spark."""

    spark: SparkSession
    name: str
    location: str
    columns: Mapping[str, str]
    partition_by: tuple[str, ...]

    def check(self) -> None:
        """Raises TableRefused when the table that is there has other columns, or is not a mart."""
        if not self.is_there():
            return
        found = {
            row["key"]: row["value"] for row in self.spark.sql(f"SHOW TBLPROPERTIES {self.name}").collect()
        }
        mistakes = [] if _MARK in found else ["a mart's job has not made it"]
        types = dict(self.spark.table(self.name).dtypes)
        wanted = dict(_no_rows(self.spark, self.columns).dtypes)
        mistakes += [
            f"its column {name} is {types.get(name, 'missing')}, and the mart's {wanted.get(name, 'missing')}"
            for name in {**wanted, **types}
            if types.get(name) != wanted.get(name)
        ]
        if mistakes:
            raise TableRefused(
                f"the table {self.name} does not fit the mart: {'; '.join(mistakes)}. Use a new table"
            )

    def is_there(self) -> bool:
        return self.spark.catalog.tableExists(self.name)

    def prepare(self) -> None:
        """Makes the table if it does not exist."""
        if self.is_there():
            return
        columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in self.columns.items())
        shown = ", ".join(f"'{name}' = '{value}'" for name, value in _PROPERTIES.items())
        keys = ", ".join(map(_quoted, self.partition_by))
        by = f"PARTITIONED BY ({keys}) " if keys else ""
        self.spark.sql(
            f"CREATE TABLE {self.name} ({columns}) USING iceberg {by}"
            f"LOCATION '{self.location.rstrip('/')}' TBLPROPERTIES ({shown})"
        )

    def current(self) -> int | None:
        return _current(self.spark, self.name) if self.is_there() else None

    def commits(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Snapshot and summary of the commits that the table's present is made of, the last one first."""
        if self.current() is None:
            return
        history = self.spark.table(f"{self.name}.history").filter("is_current_ancestor")
        snapshots = self.spark.table(f"{self.name}.snapshots").select("snapshot_id", "summary")
        found = history.join(snapshots, "snapshot_id").orderBy(F.desc("made_current_at"))
        for row in found.select("snapshot_id", "summary").collect():
            yield row["snapshot_id"], row["summary"]

    def rows(self) -> DataFrame:
        """The rows as they lie there now."""
        if not self.is_there():
            return _no_rows(self.spark, self.columns)
        self.spark.catalog.refreshTable(self.name)
        return self.spark.table(self.name)

    def overwrite(
        self, rows: DataFrame, condition: Column, base: int | None, properties: Mapping[str, str]
    ) -> None:
        """Replaces the rows that meet the condition, in one commit that has these properties. Raises
        TableRefused when another run has written since the snapshot `base`."""
        if self.current() != base:
            raise TableRefused(
                f"another run has written to {self.name} since this one began: nothing was written to it, "
                "run again"
            )
        writer = rows.select(
            *(F.col(_quoted(name)).cast(kind).alias(name) for name, kind in self.columns.items())
        ).writeTo(self.name)
        for name, value in properties.items():
            writer = writer.option(f"{_PROPERTY}{name}", value)
        if base is not None:
            writer = writer.option("isolation-level", "serializable")
            writer = writer.option("validate-from-snapshot-id", str(base))
        writer.overwrite(condition)

    def roll_back(self, written: int | None, before: int | None, properties: Mapping[str, str]) -> None:
        """Makes the snapshot `before` the present again, unless another run has written since `written`. A
        table that had no snapshot gets one without rows, with these properties."""
        now = self.current()
        if now == before or now != written:
            return
        if before is None:
            self.overwrite(_no_rows(self.spark, self.columns), F.lit(True), now, properties)
            return
        catalogue, name = self.name.split(".", 1)
        plain = name.replace("`", "")
        self.spark.sql(f"CALL {catalogue}.system.rollback_to_snapshot('{plain}', {before})")

    def size(self) -> tuple[int, int]:
        """The files of the present, and their bytes."""
        if not self.is_there():
            return 0, 0
        files = self.spark.table(f"{self.name}.files")
        [found] = files.agg(F.count(F.lit(1)), F.coalesce(F.sum("file_size_in_bytes"), F.lit(0))).collect()
        return int(found[0]), int(found[1])


def _current(spark: SparkSession, name: str) -> int | None:
    spark.catalog.refreshTable(name)
    found = spark.table(f"{name}.refs").filter("name = 'main'").select("snapshot_id").collect()
    return int(found[0][0]) if found else None


def _no_rows(spark: SparkSession, columns: Mapping[str, str]) -> DataFrame:
    return spark.createDataFrame([], ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items()))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
