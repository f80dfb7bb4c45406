"""The deliveries of dates, and their rows. Each file is read once in a run."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from typing import TypeVar

from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl import io, session
from etl.errors import InvalidDelivery, MissingDelivery
from etl.ingest import dms_files, reading
from etl.ingest.contract import Contract, Format
from etl.ingest.parquet_files import find_unreadable
from etl.ingest.proofs import find_left_out, find_open_texts, find_unread
from etl.ingest.sources import SKIP, DeliverySource, Sources, days_between
from etl.ingest.starts import MAX_NAMED, refuse_files
from etl.ingest.transforms.find_duplicates import ORDER
from etl.ingest.transforms.skip_lines import is_in_order
from etl.ingest.unpacking import find_broken
from etl.run.log import log
from etl.write.partitions import PARTITION

_T = TypeVar("_T")


@dataclass(frozen=True)
class Part:
    """The delivery of one source for a day: the files below its folder of that day, below `location`, that
    are read, and those that are `left_out` because of their names. `strangers` lie there too, and have no
    ending of a source."""

    source: DeliverySource
    location: str
    files: tuple[io.StoredObject, ...]
    left_out: tuple[io.StoredObject, ...] = ()
    strangers: tuple[io.StoredObject, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """A day's delivery below `source`, the location of all sources: a part of each source that has delivered,
    and the names of those that have not. A delivery without files has no rows."""

    day: date
    source: str
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[io.StoredObject, ...]:
        """The files that are read."""
        return tuple(file for part in self.parts for file in part.files)

    def files_of(self, source: str) -> tuple[io.StoredObject, ...]:
        return tuple(file for part in self.parts if part.source.name == source for file in part.files)

    @property
    def left_out(self) -> tuple[io.StoredObject, ...]:
        return tuple(file for part in self.parts for file in part.left_out)

    @property
    def input_bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def fingerprint(self) -> str:
        """Differs between deliveries by the names and sizes of their files, which a listing knows, and by the
        sources that have delivered."""
        present = sorted(
            part.source.name for part in self.parts if part.source.name and not part.source.endings
        )
        files = sorted(
            (part.source.folder + file.name, file.size) for part in self.parts for file in part.files
        )
        return hashlib.sha256(json.dumps([*present, *files]).encode()).hexdigest()[:32]


Deliveries = Mapping[date, Delivery]


def list_deliveries(location: str, sources: Sources, days: Collection[date]) -> dict[date, Delivery]:
    """The deliveries of these days. A day on which no source has delivered is not in the answer."""
    parts: dict[date, list[Part]] = {}
    listed: dict[tuple[str, str], dict[date, list[io.StoredObject]]] = {}
    for source in sources.all:
        place = f"{location}{source.folder}"
        is_first = (place, source.layout) not in listed
        if is_first:
            dms = source.contract.dms
            listed[place, source.layout] = (
                io.list_days(place, source.layout, days)
                if dms is None
                else dms_files.list_days(place, dms, days)
            )
        beside = [one for one in sources.all if one.folder == source.folder]
        for day, files in listed[place, source.layout].items():
            part = _part(source, place, files, beside if is_first else ())
            if part.files or part.left_out or part.strangers or not source.endings:
                parts.setdefault(day, []).append(part)
    return {
        day: Delivery(day, location, tuple(found), _lacking(sources, found))
        for day, found in sorted(parts.items())
    }


def _part(
    source: DeliverySource, place: str, files: Sequence[io.StoredObject], beside: Collection[DeliverySource]
) -> Part:
    """The files of a source. What no source of its folder has is given to the first, which has all of them
    `beside` it."""
    own = [file for file in files if source.has(file.name)]
    strangers = [file for file in files if beside and not any(one.has(file.name) for one in beside)]
    return Part(
        source,
        place,
        tuple(file for file in own if not io.is_hidden(file)),
        tuple(file for file in (*own, *strangers) if io.is_hidden(file)),
        tuple(file for file in strangers if not io.is_hidden(file)),
    )


def _refuse_strangers(sources: Sources, found: Deliveries) -> None:
    """Raises InvalidDelivery with the files that have no ending of a source, or logs them."""
    endings = ", ".join(ending for source in sources.all for ending in source.endings)
    why = f"its name has no ending of a source ({endings})"
    parts = [part for delivery in found.values() for part in delivery.parts]
    refused = [file for part in parts if part.source.unknown_folders != SKIP for file in part.strangers]
    skipped = [file for part in parts if part.source.unknown_folders == SKIP for file in part.strangers]
    advice = 'rename it, move it away, or say "unknownFolders": "skip" in x-etl.sources'
    refuse_files([f"{file.uri}: {why}: {advice}" for file in refused])
    for file in skipped[:MAX_NAMED]:
        log(f"skipped {file.uri}: {why}")
    if len(skipped) > MAX_NAMED:
        log(f"skipped {len(skipped) - MAX_NAMED} more")


def _lacking(sources: Sources, parts: Sequence[Part]) -> tuple[str, ...]:
    present = {one.source.name for one in parts if one.files or one.left_out or not one.source.endings}
    return tuple(name for name in sources.names if name not in present)


def find_deliveries(location: str, sources: Sources, first: date, last: date) -> Deliveries:
    """The deliveries from `first` to `last`, which are logged. Raises MissingDelivery if there are none, and
    where a source lacks on a day of others and may not."""
    found = list_deliveries(location, sources, days_between(first, last))
    if not found:
        for source in sources.all:
            if source.contract.dms is not None:
                dms_files.check_folder(f"{location}{source.folder}")
        dates = f"{first}" if first == last else f"{first} to {last}"
        of = f" of any source ({', '.join(sources.names)})" if sources.names else ""
        raise MissingDelivery(f"no delivery{of} under {location} for {dates}")
    _refuse_strangers(sources, found)
    _refuse_missing(location, sources, found)
    files = sum(len(delivery.files) for delivery in found.values())
    log(f"{len(found)} deliveries: {files} files, {sum(one.input_bytes for one in found.values())} bytes")
    left_out = [file.uri for delivery in found.values() for file in delivery.left_out]
    if left_out:
        shown = ", ".join(left_out[:MAX_NAMED]) + (", …" if len(left_out) > MAX_NAMED else "")
        log(f"{len(left_out)} files are left out, because their names begin with '_' or '.': {shown}")
    return found


def _refuse_missing(location: str, sources: Sources, found: Deliveries) -> None:
    """Raises MissingDelivery with the sources that must not lack, and logs the others."""
    mistakes = []
    for day, delivery in found.items():
        for name in delivery.missing:
            source = sources.of(name)
            folder = f"{location}{source.folder}{io.LAYOUTS[source.layout].folder_of(day)}/"
            if source.when_missing == "fail":
                mistakes.append(f"no delivery of source {name} for {day} under {folder}")
            else:
                log(f"missing: source {name} has not delivered {day}, and the run goes on without it")
    if mistakes:
        more = len(mistakes) - MAX_NAMED
        shown = [*mistakes[:MAX_NAMED], *([f"and {more} more"] if more > 0 else [])]
        raise MissingDelivery("; ".join(shown))


@dataclass(frozen=True)
class _Frame:
    """Rows that were read together: of one source, or of several that are read alike. `sources` and `days`
    are those of each read, by its number."""

    sources: Mapping[int, DeliverySource]
    days: Mapping[int, frozenset[date]]
    rows: DataFrame

    @property
    def all_days(self) -> frozenset[date]:
        return frozenset[date]().union(*self.days.values())

    @property
    def contract(self) -> Contract:
        """The contract of the first source; those of the others are like it."""
        return next(iter(self.sources.values())).contract


@dataclass(frozen=True)
class Alike:
    """Rows of sources that are read alike, and the sources by the numbers of their reads."""

    sources: Mapping[int, DeliverySource]
    rows: DataFrame

    @property
    def contract(self) -> Contract:
        """The contract of all of them."""
        contracts = {number: source.contract for number, source in self.sources.items()}
        return next(iter(contracts.values())).of_reads(contracts)

    @property
    def source_name(self) -> Column:
        """The name of a row's source."""
        names = {source.name for source in self.sources.values()}
        if len(names) == 1:
            return F.lit(*names)
        of_reads = self.sources.items()
        return F.coalesce(*(F.when(reading.read_number() == at, F.lit(of.name)) for at, of in of_reads))


@dataclass(frozen=True)
class _Read:
    """Files of a source, all below one location."""

    source: DeliverySource
    location: str
    files: Sequence[io.StoredObject]


@dataclass
class RawRows:
    """Rows of deliveries, judged, kept in memory (then on disk) until `forget`.

    `judge` makes rows of lines (as `reading.read_lines` gives them) and their files, by a contract; None if
    these have no line. `read` is the number of rows per date, `read_of` per date and source; `unreadable`
    of those with `unreadable_reason`; `has_rejected` and `has_wrong_types` say whether there are such rows
    (of `wrong_types` the reasons); `is_scattered` says whether the rows of some date lie in more than one
    task."""

    spark: SparkSession
    judge: Callable[[DataFrame, Sequence[io.StoredObject], Contract], DataFrame | None]
    unreadable_reason: str = ""
    wrong_types: Collection[str] = ()
    read: dict[date, int] = field(default_factory=dict)
    read_of: dict[tuple[date, str], int] = field(default_factory=dict)
    unreadable: dict[date, int] = field(default_factory=dict)
    unreadable_of: dict[tuple[date, str], int] = field(default_factory=dict)
    has_rejected: bool = False
    has_wrong_types: bool = False
    is_scattered: bool = False
    _frames: list[_Frame] = field(default_factory=list)
    _sources: dict[int, DeliverySource] = field(default_factory=dict)  # of each read, by its number
    _bytes: int = 0
    _compared_bytes: int = 0

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Reads the deliveries that were not read before. Raises InvalidDelivery with the files that were not
        read to their end, so that no delivered row is lost unnoticed."""
        new = [one for one in sorted(deliveries, key=lambda one: one.day) if one.day not in self.read]
        self.read |= dict.fromkeys((delivery.day for delivery in new), 0)
        parts = [(delivery.day, part) for delivery in new for part in delivery.parts]
        self.read_of |= {(day, part.source.name): 0 for day, part in parts}
        for alike in _together([part for _, part in parts]):
            self._read(alike)
        empty = [part for day, part in parts if self.read_of[day, part.source.name] == 0]
        refuse_files(
            find_left_out(
                file for part in empty for file in part.left_out if not _is_proof(file, part.source)
            )
        )

    @property
    def reads(self) -> int:
        """How many times more was read after the first deliveries, plus one; 0 if nothing was read."""
        times = Counter(source.name for frame in self._frames for source in frame.sources.values())
        return max(times.values(), default=0)

    @property
    def has_names(self) -> bool:
        """True if rows belong to sources with names."""
        return any(source.name for source in self._sources.values())

    def name_of(self, read: int) -> str:
        """The name of the source of which a read was (`reading.read_number`)."""
        return self._sources[read].name

    def of(self, dates: Collection[date]) -> DataFrame | None:
        """The rows of these dates; None if there are no rows. Of sources that are not read alike, without
        what only `explain_rejected` needs, which differs between them."""
        groups = self.alike(dates)
        if len(groups) < 2:
            return groups[0].rows if groups else None
        return reduce(DataFrame.unionByName, [_alike(one.rows, one.contract) for one in groups])

    def alike(self, dates: Collection[date]) -> list[Alike]:
        """The rows of these dates, of sources that are read alike together. Sources without rows are left
        out."""
        frames_with_rows = [frame for frame in self._frames if frame.all_days & set(dates)]
        return [
            Alike(
                {number: source for frame in frames for number, source in frame.sources.items()},
                reduce(DataFrame.unionByName, [self._only(dates, one.all_days, one.rows) for one in frames]),
            )
            for frames in _grouped(frames_with_rows, lambda frame: frame.contract)
        ]

    def counts(self, dates: Collection[date]) -> Mapping[date, int]:
        return {day: self.read[day] for day in dates}

    def forget(self) -> None:
        for frame in self._frames:
            frame.rows.unpersist()

    def compare_with(self, size: int) -> None:
        """Adds the size, in bytes, of what the rows are compared with: a small delivery to a large table
        is not a small run."""
        self._compared_bytes = max(self._compared_bytes, size)
        self._configure()

    def _configure(self) -> None:
        session.configure(self.spark, self._bytes + self._compared_bytes)

    def _read(self, reads: Sequence[_Read]) -> None:
        """Reads files of sources that are read alike, in one query."""
        files = [file for one in reads for file in one.files]
        contract = reads[0].source.contract
        self._bytes += reading.weigh(files)
        self._configure()
        format_ = contract.format
        numbers = {len(self._sources) + at: one for at, one in enumerate(reads)}
        self._sources |= {number: one.source for number, one in numbers.items()}
        lines = [
            reading.read_lines(
                self.spark,
                one.location,
                one.files,
                number=number,
                format_=format_,
                layout=one.source.layout,
                dms=one.source.contract.dms,
            )
            for number, one in numbers.items()
        ]
        of_reads = contract.of_reads({number: one.source.contract for number, one in numbers.items()})
        # Kept, because the input is read once, but its rows are counted, searched for duplicates and written.
        judged = self.judge(reduce(DataFrame.unionByName, lines), files, of_reads)
        if judged is None:
            refuse_files(find_unread((), files, format_))
            return
        rows = judged.persist(StorageLevel.MEMORY_AND_DISK)
        counted = self._count(rows, files, format_)
        refuse_files(
            [
                *find_open_texts(counted.open_files, files, format_),
                *find_unread(counted.files, files, format_),
            ]
        )
        days: dict[int, set[date]] = {number: set() for number in numbers}
        for (number, text), count in counted.rows.items():
            day, source = date.fromisoformat(text), numbers[number].source
            days[number].add(day)
            # The rows of another source lie in other tasks.
            self.is_scattered |= self.read[day] > 0
            self.read[day] += count
            self.read_of[day, source.name] += count
            unreadable = counted.unreadable[number, text]
            self.unreadable[day] = self.unreadable.get(day, 0) + unreadable
            self.unreadable_of[day, source.name] = unreadable
        self.has_rejected |= counted.has_rejected
        self.has_wrong_types |= counted.has_wrong_types
        self.is_scattered |= counted.is_scattered or is_in_order(format_) or format_.has_records
        self._frames.append(
            _Frame(
                {number: one.source for number, one in numbers.items()},
                {number: frozenset(found) for number, found in days.items()},
                rows,
            )
        )

    def _count(self, rows: DataFrame, files: list[io.StoredObject], format_: Format) -> reading.Counted:
        """This reads the files. Raises InvalidDelivery with those that cannot be read to their end."""
        try:
            return reading.count_rows(rows, self.unreadable_reason, self.wrong_types)
        except Py4JJavaError as error:
            cause = session.root_cause(error)
            if format_.is_parquet:
                broken = find_unreadable(self.spark, files)
            else:
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


def _is_proof(file: io.StoredObject, source: DeliverySource) -> bool:
    """True for the file that proves a delivery complete, also one without rows."""
    changes = source.contract.changes
    proof = None if changes is None else changes.proof
    return proof is not None and file.name.rpartition("/")[2] == proof.file


def _alike(rows: DataFrame, contract: Contract) -> DataFrame:
    """The columns that the rows of every source have."""
    output = (f"`{name}`" for name in contract.output)
    return rows.select(PARTITION, *ORDER, "reason", "raw_line", *output)


def _together(parts: Iterable[Part]) -> list[list[_Read]]:
    """The files of the parts, by source and location; in lists of those that are read alike."""
    by_place: dict[tuple[str, str], tuple[DeliverySource, list[io.StoredObject]]] = {}
    for part in parts:
        _, files = by_place.setdefault((part.source.name, part.location), (part.source, []))
        files += [file for file in part.files if file.size > 0]
    reads = [_Read(source, location, files) for (_, location), (source, files) in by_place.items() if files]
    return _grouped(reads, lambda read: read.source.contract)


def _grouped(found: Iterable[_T], contract_of: Callable[[_T], Contract]) -> list[list[_T]]:
    """Lists of those whose contracts are read alike, in their order."""
    groups: list[list[_T]] = []
    for one in found:
        alike = (group for group in groups if contract_of(group[0]).reads_like(contract_of(one)))
        group = next(alike, None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups
