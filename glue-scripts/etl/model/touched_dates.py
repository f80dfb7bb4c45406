"""The dates of a model that a run touches: those of rows that it writes, and of rows that it replaces."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from etl import io
from etl.io import StoredObject
from etl.run.replacing import list_partitions

Touched = Mapping[str, frozenset[date]]  # by the column whose dates they are


def touched_dates(location: str, run_dates: Collection[date], columns: Iterable[str]) -> Touched:
    """The dates of the rows that lie under `location` for these run dates at this moment, for each of
    `columns`, which are partition keys there. A row without a date belongs to none."""
    found = list_partitions(location, run_dates) if run_dates else {}
    files = [file for of_date in found.values() for file in of_date if not io.is_hidden(file)]
    return {
        column: frozenset(day for file in files if (day := date_of(file, column)) is not None)
        for column in columns
    }


def merge(*parts: Touched) -> Touched:
    """All dates of the parts."""
    columns = {column for part in parts for column in part}
    empty: frozenset[date] = frozenset()
    return {column: empty.union(*(part.get(column, empty) for part in parts)) for column in sorted(columns)}


def date_of(file: StoredObject, column: str) -> date | None:
    """The date in the folder `<column>=YYYY-MM-DD` that the file lies in; None where the column is null."""
    folder = re.search(rf"(?:^|/){re.escape(column)}=(\d{{4}}-\d\d-\d\d)/", file.name)
    return None if folder is None else date.fromisoformat(folder[1])
