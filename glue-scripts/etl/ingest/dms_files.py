"""Files of AWS DMS in S3: the names that it gives them, the day that each belongs to, and their order.

A full load is `LOAD00000001.csv` and further parts, whose number is hexadecimal. Ongoing changes are
`20141029-1134010000.csv`, named by the time of writing in UTC, or lie in folders of their commit's date. See
https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl import io
from etl.errors import InvalidDelivery
from etl.ingest.contract import Dms
from etl.ingest.packings import ENDINGS
from etl.ingest.starts import refuse_files
from etl.ingest.transforms.decode_uri import decode_uri

_LOAD = "LOAD"
_LOAD_FILE = re.compile(r"LOAD[0-9A-F]{8,}\.[A-Za-z0-9.]+")
_ONGOING_FILE = re.compile(r"(\d{4})(\d\d)(\d\d)-\d+\.[A-Za-z0-9.]+", re.ASCII)
_PARTS = {"YYYY": r"(\d{4})", "MM": r"(\d\d)", "DD": r"(\d\d)", "HH": r"\d\d"}
_GONE = (
    "nothing was written. AWS DMS removes files when the source table is truncated, dropped or loaded again: "
    "bring them back from a backup, or load into another folder and another table"
)


def is_load(name: str) -> bool:
    """True for a part of a full load."""
    return name.rpartition("/")[2].startswith(_LOAD)


def is_ongoing(path: Column) -> Column:
    """False for a part of a full load, which comes before all ongoing changes of its date."""
    return ~F.substring_index(path, "/", -1).startswith(_LOAD)


def list_days(location: str, dms: Dms, days: Collection[date]) -> dict[date, list[io.StoredObject]]:
    """The files of these days below `location`, the folder of the table. One listing for each day, and one
    for the full load. Raises InvalidDelivery with files that belong to no day."""
    found: dict[date, list[io.StoredObject]] = {}
    loaded = [] if not days else _named(location, _LOAD)
    _refuse_loads(loaded, dms, days)
    if dms.full_load_date is not None and dms.full_load_date in days and loaded:
        found[dms.full_load_date] = loaded
    for day in sorted(days):
        ongoing = _named(location, _start_of(day, dms))
        strangers = [file for file in ongoing if day_of_name(file.name, dms) != day]
        refuse_files(
            [
                f"{file.uri}: it lies among the files of {day}, and AWS DMS gives no such name: move it away"
                for file in strangers
            ]
        )
        if ongoing and dms.full_load_date is not None and day < dms.full_load_date:
            raise InvalidDelivery(
                f"{ongoing[0].uri}: ongoing changes of {day} lie before the full load, which "
                f"x-etl.dms.fullLoadDate puts on {dms.full_load_date}: name the day on which the task began"
            )
        if ongoing:
            found[day] = [*found.get(day, []), *ongoing]
    return found


def _refuse_loads(loaded: Sequence[io.StoredObject], dms: Dms, days: Collection[date]) -> None:
    if loaded and dms.full_load_date is None:
        raise InvalidDelivery(
            f"{loaded[0].uri}: it is part of a full load, and the contract knows of none: "
            "say x-etl.dms.fullLoadDate, the day on which the task began"
        )
    if dms.full_load_date in days:
        refuse_files(
            [
                f"{file.uri}: AWS DMS gives no such name to a part of a full load: move it away"
                for file in loaded
                if not _LOAD_FILE.fullmatch(file.name)
            ]
        )


def _named(location: str, start: str) -> list[io.StoredObject]:
    return [
        file
        for file in io.list_beginning(location, start)
        if not file.name.rpartition("/")[2].startswith(("_", "."))
    ]


def day_of_name(name: str, dms: Dms) -> date | None:
    """The day of a file of ongoing changes, by its name below the folder of the table; None if it has
    none."""
    own = _ONGOING_FILE.fullmatch(name.rpartition("/")[2])
    if own is None or ("/" in name and not dms.date_sequence):
        return None
    found = re.fullmatch(_folder_pattern(dms), name, re.ASCII) if dms.date_sequence else own
    if found is None:
        return None
    order = _order_of_groups(dms) if dms.date_sequence else (1, 2, 3)
    try:
        return date(*(int(found[at]) for at in order))
    except ValueError:
        return None


def day_of(dms: Dms) -> Column:
    """The day of a row's file as text."""
    path = decode_uri(F.col("file_path"))
    if dms.date_sequence:
        pattern = f"(?:^|/){_folder_pattern(dms)}$"
        parts = [F.regexp_extract(path, pattern, at) for at in _order_of_groups(dms)]
    else:
        name = F.substring_index(path, "/", -1)
        parts = [F.substring(name, at, size) for at, size in ((1, 4), (5, 2), (7, 2))]
    day = F.concat_ws("-", *parts)
    if dms.full_load_date is None:
        return day
    return F.when(is_ongoing(path), day).otherwise(F.lit(f"{dms.full_load_date}"))


def _parts_of(dms: Dms) -> list[str]:
    return re.findall("YYYY|MM|DD|HH", dms.date_sequence)


def _folder_pattern(dms: Dms) -> str:
    return re.escape(dms.date_delimiter).join(_PARTS[part] for part in _parts_of(dms)) + "/[^/]+"


def _order_of_groups(dms: Dms) -> tuple[int, int, int]:
    """The numbers of the groups of year, month and day."""
    parts = [part for part in _parts_of(dms) if part != "HH"]
    year, month, day = (parts.index(part) + 1 for part in ("YYYY", "MM", "DD"))
    return year, month, day


def _start_of(day: date, dms: Dms) -> str:
    """The beginning of the names of a day's files of ongoing changes."""
    if not dms.date_sequence:
        return f"{day:%Y%m%d}-"
    values = {"YYYY": f"{day:%Y}", "MM": f"{day:%m}", "DD": f"{day:%d}"}
    parts = _parts_of(dms)
    text = dms.date_delimiter.join(values[part] for part in parts if part != "HH")
    return text + (dms.date_delimiter if parts[-1] == "HH" else "/")


def check_folder(location: str) -> None:
    """Raises InvalidDelivery if the folder of the table has no file at all. It is for a run without files."""
    if not io.list_folder(location):
        raise InvalidDelivery(f"{location} has no file at all, where AWS DMS should write the table: {_GONE}")


def check_ends(files: Iterable[io.StoredObject]) -> None:
    """Raises InvalidDelivery with every file of CSV whose last line has no end: AWS DMS ends each row. A
    compressed file shows by itself that it is whole."""
    refuse_files(
        [
            f"{file.uri}: its last row has no line end, so it was cut off: deliver it whole"
            for file in files
            if file.size > 0
            and not file.uri.endswith(ENDINGS)
            and io.read_bytes(file, file.size - 1, 1) != b"\n"
        ]
    )


def check_gone(written: Collection[tuple[date, str]], delivered: Mapping[date, Collection[str]]) -> None:
    """`written` are dates and files whose changes lie in the table, `delivered` the files that lie in the
    source. Raises InvalidDelivery with the files that are gone."""
    present = {day: {uri.rpartition("/")[2] for uri in uris} for day, uris in delivered.items()}
    gone = sorted(uri for day, uri in written if uri.rpartition("/")[2] not in present[day])
    if gone:
        shown = ", ".join(gone[:20]) + (f" and {len(gone) - 20} more" if len(gone) > 20 else "")
        raise InvalidDelivery(f"files whose changes lie in the table are gone: {shown}: {_GONE}")
