"""The files of dates before and after a write, and the removal of those that the write did not replace."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from etl import io
from etl.write.partitions import PARTITION

Objects = Mapping[date, Sequence[io.StoredObject]]


def list_partitions(location: str, dates: Collection[date], partition: str = PARTITION) -> Objects:
    """The files of these dates at this moment, in folders `<partition>=YYYY-MM-DD/`."""
    found = io.list_dates(location, partition, min(dates), max(dates))
    return {day: files for day, files in found.items() if day in dates}


def remove_stale(before: Objects, after: Objects) -> Objects:
    """Removes the files of an earlier run that this one did not replace, because it had no row for that date.
    No file name is used twice, so a file that was there before the write is old. Gives the files that remain
    and are not hidden."""
    old = {file.uri for files in before.values() for file in files}
    io.delete(file for files in after.values() for file in files if file.uri in old)
    fresh = {
        day: [file for file in files if not io.is_hidden(file) and file.uri not in old]
        for day, files in after.items()
    }
    return {day: files for day, files in fresh.items() if files}
