"""Replaces the files of dates: what lies there before a write, and what of it the write has not replaced."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from etl import io
from etl.write.partitions import PARTITION

Objects = Mapping[date, Sequence[io.StoredObject]]


def list_partitions(location: str, dates: Collection[date]) -> Objects:
    """The files of these dates as they lie now."""
    found = io.list_dates(location, PARTITION, min(dates), max(dates))
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
