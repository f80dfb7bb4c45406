"""Iceberg tables; no other file knows Iceberg. Each write is one commit: a reader sees the table before it or
after it, and so does the run that follows a killed one.

The first run that writes to a table makes it, at the output's location. It is written in one mode for ever. A
run reads from the snapshot that was current when it began.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-iceberg.html
Athena reads version 2 and not 3: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from py4j.protocol import Py4JJavaError
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.errors import InvalidArguments, TableRefused
from etl.io import StoredObject
from etl.session import root_cause, without_plan
from etl.write.partitions import PARTITION

CATALOGUE = "glue_catalog"  # as Glue's documentation calls it in --conf
REBUILD, MERGE, APPEND, CHANGES = WRITE_MODES = ("rebuild", "merge", "append", "changes")
SOURCE_COLUMNS = ("source_file", "source_version")  # of each row where objects are taken once
# Each version of a key has these. `valid_from` has the type of the business time; without one it is a date.
VERSION_COLUMNS = {
    "change": "string",
    "valid_from": "date",
    "sequence": "int",
    "loaded_at": "timestamp",
    "run_id": "string",
    "source_file": "string",
    "row_hash": "string",
}

_MODE, _ORDER = "etl.write-mode", "etl.order-column"
_FORMAT = "2"
_PROPERTIES = {
    "format-version": _FORMAT,
    # Whole files are replaced, so that there are no files which say what to leave out.
    "write.delete.mode": "copy-on-write",
    "write.update.mode": "copy-on-write",
    "write.merge.mode": "copy-on-write",
}


@dataclass(frozen=True)
class IcebergTable:
    """A table that may not be there yet. `columns` are all of them with their types; `order` is the column
    by which rows of a key are older or newer, None where the mode asks for none."""

    spark: SparkSession
    name: str
    location: str
    columns: Mapping[str, str]
    partition_by: tuple[str, ...]
    mode: str
    order: str | None = None

    @cached_property
    def snapshot(self) -> int | None:
        """The snapshot that was current when this was first asked; None for a table without a commit."""
        return self._current() if self._is_there() else None

    @cached_property
    def size(self) -> int:
        """The bytes of the files in `snapshot`."""
        if self.snapshot is None:
            return 0
        snapshots = self.spark.table(f"{self.name}.snapshots").filter(f"snapshot_id = {self.snapshot}")
        return int(snapshots.select("summary").collect()[0][0].get("total-files-size", 0))

    def rows(self) -> DataFrame | None:
        """The rows of `snapshot`; None when there are none."""
        if self.snapshot is None:
            return None
        return self.spark.read.option("versionAsOf", str(self.snapshot)).table(self.name)

    def of_dates(self, dates: Collection[date]) -> DataFrame | None:
        rows = self.rows()
        return None if rows is None else rows.filter(_is_of(dates))

    def committed(self) -> DataFrame:
        """The rows as the table has them now."""
        self.spark.catalog.refreshTable(self.name)
        return self.spark.table(self.name)

    def check(self) -> None:
        """Raises TableRefused when the table that is there cannot be written by this run."""
        if not self._is_there():
            return
        found = {
            row["key"]: row["value"] for row in self.spark.sql(f"SHOW TBLPROPERTIES {self.name}").collect()
        }
        mistakes = [
            f"{what} {found.get(key) or 'nothing'}, and this run's {wanted or 'nothing'}"
            for key, wanted, what in (
                ("format-version", _FORMAT, "its version of the format is"),
                (_MODE, self.mode, "its write mode is"),
                (_ORDER, self.order or "", "its order column is"),
            )
            if found.get(key, "") != wanted
        ]
        present = dict(self.spark.table(self.name).dtypes)
        mistakes += [
            f"its column {name} is {kind}, and the contract's {self._spark_types.get(name, 'not there')}"
            for name, kind in present.items()
            if self._spark_types.get(name) != kind
        ]
        if mistakes:
            raise TableRefused(
                f"the table {self.name} does not fit this run: {'; '.join(mistakes)}. Use a new table"
            )

    def prepare(self) -> None:
        """Makes the table if it does not exist, and adds the columns that are new in the contract. Raises
        TableRefused when the catalogue has something else under its name, as after a crawl of Parquet."""
        if not self._is_there():
            self._create()
            return
        present = set(self.spark.table(self.name).columns)
        new = [f"{_quoted(name)} {kind}" for name, kind in self.columns.items() if name not in present]
        if new:
            self.spark.sql(f"ALTER TABLE {self.name} ADD COLUMNS ({', '.join(new)})")

    def overwrite(self, rows: DataFrame, dates: Collection[date]) -> None:
        """Replaces the rows of `dates`, also where `rows` has none."""
        writer = self._fitting(rows).writeTo(self.name)
        if self.snapshot is not None:
            writer = writer.option("isolation-level", "serializable")
            writer = writer.option("validate-from-snapshot-id", str(self.snapshot))
        writer.overwrite(_is_of(dates))

    def append(self, rows: DataFrame) -> None:
        """Adds rows. Raises TableRefused when another run has written since `snapshot`: it may have added
        them."""
        if self._current() != self.snapshot:
            raise TableRefused(
                f"another run has written to {self.name} since this one began: nothing was written, run again"
            )
        self._fitting(rows).writeTo(self.name).append()

    def merge(self, rows: DataFrame, key: Sequence[str]) -> None:
        """Replaces the row of each key by the given one, unless the row in the table is newer. `rows` has one
        row per key."""
        view = "rows_to_merge"
        # Spark refuses a merge whose plan numbers rows, and these were numbered when they were read.
        without_plan(self._fitting(rows)).createOrReplaceTempView(view)
        same = " AND ".join(f"old.{_quoted(name)} <=> new.{_quoted(name)}" for name in key)
        self.spark.sql(
            f"MERGE INTO {self.name} AS old USING {view} AS new ON {same} "
            f"WHEN MATCHED AND {self._age('new')} >= {self._age('old')} THEN UPDATE SET * "
            "WHEN NOT MATCHED THEN INSERT *"
        )
        self.spark.catalog.dropTempView(view)

    def files(self, dates: Collection[date]) -> dict[date, list[StoredObject]]:
        """The data files of `dates` as the table has them now; their names begin with their partitions."""
        files = self.spark.table(f"{self.name}.files").filter(
            F.col(f"partition.{PARTITION}").isin([day.isoformat() for day in dates])
        )
        found: dict[date, list[StoredObject]] = {}
        for row in files.select(f"partition.{PARTITION}", "file_path", "file_size_in_bytes").collect():
            path = row["file_path"]
            stored = StoredObject(path, path.rpartition("/data/")[2], row["file_size_in_bytes"])
            found.setdefault(date.fromisoformat(row[PARTITION]), []).append(stored)
        return found

    def age(self) -> Column:
        """Orders the rows of a key; a row without a value in the order column is the oldest."""
        return F.struct(*(F.col(_quoted(name)).cast(self.columns[name]) for name in _age_columns(self.order)))

    def _age(self, alias: str) -> str:
        return f"struct({', '.join(f'{alias}.{_quoted(name)}' for name in _age_columns(self.order))})"

    @cached_property
    def _spark_types(self) -> dict[str, str]:
        ddl = ", ".join(f"{_quoted(name)} {kind}" for name, kind in self.columns.items())
        return dict(self.spark.createDataFrame([], ddl).dtypes)

    def fitting(self, rows: DataFrame) -> DataFrame:
        """The columns of the table with their types; a column that the rows lack is null."""
        present = set(rows.columns)
        lacking = {name: F.lit(None) for name in self.columns if name not in present}
        return self._fitting(rows.withColumns(lacking) if lacking else rows)

    def _fitting(self, rows: DataFrame) -> DataFrame:
        return rows.select(
            *(F.col(_quoted(name)).cast(kind).alias(name) for name, kind in self.columns.items())
        )

    def _is_there(self) -> bool:
        return self.spark.catalog.tableExists(self.name)

    def _current(self) -> int | None:
        self.spark.catalog.refreshTable(self.name)
        found = self.spark.table(f"{self.name}.refs").filter("name = 'main'").select("snapshot_id").collect()
        return int(found[0][0]) if found else None

    def _create(self) -> None:
        columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in self.columns.items())
        properties = {**_PROPERTIES, _MODE: self.mode, **({_ORDER: self.order} if self.order else {})}
        shown = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
        keys = ", ".join(map(_quoted, self.partition_by))
        statement = (
            f"CREATE TABLE {self.name} ({columns}) USING iceberg PARTITIONED BY ({keys}) "
            f"LOCATION '{self.location.rstrip('/')}' TBLPROPERTIES ({shown})"
        )
        try:
            self.spark.sql(statement)
        except Py4JJavaError as error:
            # Spark does not see a table of another kind until somebody tries to create one of its name.
            if "NoSuchIcebergTableException" not in root_cause(error):
                raise
            raise TableRefused(
                f"the table {self.name} is not an Iceberg table. Take its entry out of the catalogue (its "
                "files stay) and run its dates again, or use a new table"
            ) from error


def open_iceberg(
    spark: SparkSession,
    database: str,
    table: str,
    *,
    location: str,
    types: Mapping[str, str],
    partition_by: Sequence[str],
    mode: str,
    order: str | None,
    valid_from: str | None = None,
) -> IcebergTable:
    """The table of a pipeline, with columns of these `types`, partitioned by `run_date` and `partition_by`.
    `valid_from` is the column of the business time of versions.
    Raises InvalidArguments where Spark has no such catalogue, TableRefused where the table there is another
    one."""
    if spark.conf.get(f"spark.sql.catalog.{CATALOGUE}", "") == "":
        raise InvalidArguments(
            f"--table_format 'iceberg' needs Spark's catalogue {CATALOGUE}, which the job's --conf sets: "
            f"spark.sql.catalog.{CATALOGUE} is not set"
        )
    all_types = {**types, PARTITION: "string"}
    if mode == APPEND:
        all_types |= dict.fromkeys(SOURCE_COLUMNS, "string")
    elif mode == CHANGES:
        all_types |= {**VERSION_COLUMNS, "valid_from": types.get(valid_from or "", "date")}
    # Without a zone, as a Parquet table shows it: all times are UTC.
    columns = {name: "timestamp_ntz" if kind == "timestamp" else kind for name, kind in all_types.items()}
    # First by delivery, so that a file never holds rows of two deliveries.
    keys = (PARTITION, *partition_by)
    name = ".".join(map(_quoted, (CATALOGUE, database, table)))
    found = IcebergTable(spark, name, location, columns, keys, mode, order)
    found.check()
    return found


def _age_columns(order: str | None) -> list[str]:
    return list(dict.fromkeys((order or PARTITION, PARTITION)))


def _is_of(dates: Collection[date]) -> Column:
    return F.col(PARTITION).isin([day.isoformat() for day in sorted(dates)])


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
