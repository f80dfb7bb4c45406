"""The deliveries of dates, and their rows. Each file is read once in a run."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce

from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl import io, session
from etl.errors import InvalidDelivery, MissingDelivery
from etl.ingest import reading
from etl.ingest.contract import JSON_LINES, Format
from etl.ingest.proofs import find_left_out, find_open_texts, find_unread
from etl.ingest.starts import MAX_NAMED, refuse_files
from etl.ingest.transforms.skip_lines import is_in_order
from etl.ingest.unpacking import find_broken
from etl.run.log import log
from etl.write.partitions import PARTITION


@dataclass(frozen=True)
class Delivery:
    """The files below `<source>dt=<day>/` that are read, and those that are `left_out` because of their
    names. A delivery without files has no rows."""

    day: date
    source: str
    files: tuple[io.StoredObject, ...]
    left_out: tuple[io.StoredObject, ...] = ()

    @property
    def input_bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def fingerprint(self) -> str:
        """Differs between deliveries by the names and sizes of their files, which a listing knows."""
        files = sorted((file.name, file.size) for file in self.files)
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()[:32]


Deliveries = Mapping[date, Delivery]


def list_deliveries(source: str, first: date, last: date) -> dict[date, Delivery]:
    """The deliveries from `first` to `last`. A date without a delivery is not in the answer."""
    found = io.list_dates(source, io.DELIVERY, first, last)
    return {
        day: Delivery(
            day,
            source,
            tuple(file for file in files if not io.is_hidden(file)),
            tuple(file for file in files if io.is_hidden(file)),
        )
        for day, files in found.items()
    }


def find_deliveries(source: str, first: date, last: date) -> Deliveries:
    """The deliveries from `first` to `last`, which are logged. Raises MissingDelivery if there are none."""
    found = list_deliveries(source, first, last)
    if not found:
        dates = f"{first}" if first == last else f"{first} to {last}"
        raise MissingDelivery(f"no delivery under {source} for {dates}")
    files = sum(len(delivery.files) for delivery in found.values())
    log(f"{len(found)} deliveries: {files} files, {sum(one.input_bytes for one in found.values())} bytes")
    left_out = [file.uri for delivery in found.values() for file in delivery.left_out]
    if left_out:
        shown = ", ".join(left_out[:MAX_NAMED]) + (", …" if len(left_out) > MAX_NAMED else "")
        log(f"{len(left_out)} files are left out, because their names begin with '_' or '.': {shown}")
    return found


@dataclass
class RawRows:
    """Rows of deliveries, judged, kept in memory (then on disk) until `forget`.

    `judge` makes rows of lines (as `reading.read_lines` gives them) and their files; None if these have no
    line. `read` is the number of rows per date, `unreadable` of those with `unreadable_reason`,
    `has_rejected` and `has_wrong_types` say whether there are such rows (of `wrong_types` the reasons);
    `is_scattered` says whether the rows of some date lie in more than one task."""

    spark: SparkSession
    judge: Callable[[DataFrame, Sequence[io.StoredObject]], DataFrame | None]
    format: Format = JSON_LINES
    unreadable_reason: str = ""
    wrong_types: Collection[str] = ()
    read: dict[date, int] = field(default_factory=dict)
    unreadable: dict[date, int] = field(default_factory=dict)
    has_rejected: bool = False
    has_wrong_types: bool = False
    is_scattered: bool = False
    _frames: list[tuple[frozenset[date], DataFrame]] = field(default_factory=list)
    _bytes: int = 0
    _compared_bytes: int = 0

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Reads the deliveries that were not read before. Raises InvalidDelivery with the files that were not
        read to their end, so that no delivered row is lost unnoticed."""
        by_source: dict[str, list[Delivery]] = {}
        for delivery in sorted(deliveries, key=lambda one: one.day):
            if delivery.day not in self.read:
                by_source.setdefault(delivery.source, []).append(delivery)
        for source, of_source in by_source.items():
            self._add(source, of_source)

    @property
    def reads(self) -> int:
        return len(self._frames)

    def of(self, dates: Collection[date]) -> DataFrame | None:
        """The rows of these dates; None if there are no rows."""
        frames = [self._only(dates, days, frame) for days, frame in self._frames if days & set(dates)]
        return reduce(DataFrame.unionByName, frames) if frames else None

    def counts(self, dates: Collection[date]) -> Mapping[date, int]:
        return {day: self.read[day] for day in dates}

    def forget(self) -> None:
        for _, frame in self._frames:
            frame.unpersist()

    def compare_with(self, size: int) -> None:
        """Adds the size, in bytes, of what the rows are compared with: a small delivery to a large table
        is not a small run."""
        self._compared_bytes = max(self._compared_bytes, size)
        self._configure()

    def _configure(self) -> None:
        session.configure(self.spark, self._bytes + self._compared_bytes)

    def _add(self, source: str, deliveries: list[Delivery]) -> None:
        self.read |= dict.fromkeys((delivery.day for delivery in deliveries), 0)
        files = [file for delivery in deliveries for file in delivery.files if file.size > 0]
        if files:
            self._read(source, files)
        empty = [delivery for delivery in deliveries if self.read[delivery.day] == 0]
        refuse_files(find_left_out(file for delivery in empty for file in delivery.left_out))

    def _read(self, source: str, files: list[io.StoredObject]) -> None:
        self._bytes += reading.weigh(files)
        self._configure()
        lines = reading.read_lines(
            self.spark,
            source,
            files,
            number=len(self._frames),
            format_=self.format,
        )
        # Kept, because the input is read once, but its rows are counted, searched for duplicates and written.
        judged = self.judge(lines, files)
        if judged is None:
            refuse_files(find_unread((), files, self.format))
            return
        rows = judged.persist(StorageLevel.MEMORY_AND_DISK)
        counted = self._count(rows, files)
        refuse_files(
            [
                *find_open_texts(counted.open_files, files, self.format),
                *find_unread(counted.files, files, self.format),
            ]
        )
        per_date = {date.fromisoformat(day): count for day, count in counted.per_date.items()}
        self.read |= per_date
        self.unreadable |= {date.fromisoformat(day): count for day, count in counted.unreadable.items()}
        self.has_rejected |= counted.has_rejected
        self.has_wrong_types |= counted.has_wrong_types
        self.is_scattered |= counted.is_scattered or is_in_order(self.format) or self.format.has_records
        self._frames.append((frozenset(per_date), rows))

    def _count(self, rows: DataFrame, files: list[io.StoredObject]) -> reading.Counted:
        """This reads the files. Raises InvalidDelivery with those that cannot be read to their end."""
        try:
            return reading.count_rows(rows, self.unreadable_reason, self.wrong_types)
        except Py4JJavaError as error:
            cause = session.root_cause(error)
            broken = find_broken(files) if cause.startswith(("java.io.", "java.util.zip.")) else []
            if not broken:
                raise
            refuse_files(broken)
            raise InvalidDelivery(cause) from error

    @staticmethod
    def _only(dates: Collection[date], days: frozenset[date], frame: DataFrame) -> DataFrame:
        if days <= set(dates):
            return frame
        wanted = [day.isoformat() for day in days & set(dates)]
        return frame.filter(F.col(PARTITION).isin(wanted))
