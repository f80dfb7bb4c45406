"""The published keys of dates, from folders of Parquet files or from an Iceberg table."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl import io
from etl.write import partitions
from etl.write.iceberg_tables import IcebergTable


class Keys(Protocol):
    """The published keys of some dates, as they were when this was made."""

    @property
    def size(self) -> int:
        """The bytes of the files that hold them, or more."""

    def of(self, dates: Collection[date]) -> DataFrame | None:
        """Key and `run_date` of the rows of `dates`; None if there are certainly no rows."""

    def beside(self, dates: Collection[date]) -> DataFrame | None:
        """Key and `run_date` of the rows of the other dates."""


class Published(Protocol):
    def keys(self, first: date, last: date) -> Keys:
        """The keys of the dates from `first` to `last`."""


@dataclass(frozen=True)
class ParquetFolders:
    """Folders of Parquet files, `<location>run_date=…/`; `key_types` are the columns of the key."""

    spark: SparkSession
    location: str
    key_types: Mapping[str, str]

    def keys(self, first: date, last: date) -> Keys:
        found = io.list_dates(self.location, partitions.PARTITION, first, last)
        visible = {day: [file for file in files if not io.is_hidden(file)] for day, files in found.items()}
        return _KeysOfFiles(self, visible)


@dataclass(frozen=True)
class _KeysOfFiles:
    folders: ParquetFolders
    files: Mapping[date, list[io.StoredObject]]

    @property
    def size(self) -> int:
        return sum(file.size for of_day in self.files.values() for file in of_day)

    def of(self, dates: Collection[date]) -> DataFrame | None:
        return self._of(lambda day: day in dates)

    def beside(self, dates: Collection[date]) -> DataFrame | None:
        return self._of(lambda day: day not in dates)

    def _of(self, is_wanted: Callable[[date], bool]) -> DataFrame | None:
        files = [file for day, of_day in self.files.items() if is_wanted(day) for file in of_day]
        if not files:
            return None
        folders = self.folders
        return partitions.read_partitions(folders.spark, folders.location, files, folders.key_types)


@dataclass(frozen=True)
class IcebergRows:
    """The rows of an Iceberg table when the run began."""

    table: IcebergTable
    key: tuple[str, ...]

    def keys(self, first: date, last: date) -> Keys:
        rows = self.table.rows()
        if rows is None:
            return _KeysOfRows(None, 0)
        run_date = F.col(partitions.PARTITION)
        within = rows.filter(run_date.between(first.isoformat(), last.isoformat()))
        return _KeysOfRows(within.select(*self.key, partitions.PARTITION), self.table.size)


@dataclass(frozen=True)
class _KeysOfRows:
    rows: DataFrame | None
    size: int

    def of(self, dates: Collection[date]) -> DataFrame | None:
        return None if self.rows is None else self.rows.filter(self._is_of(dates))

    def beside(self, dates: Collection[date]) -> DataFrame | None:
        return None if self.rows is None else self.rows.filter(~self._is_of(dates))

    @staticmethod
    def _is_of(dates: Collection[date]) -> Column:
        return F.col(partitions.PARTITION).isin([day.isoformat() for day in dates])
