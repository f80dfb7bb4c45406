"""Plans what a run writes: the rows of its own dates, and of the later dates that these change. Only reads.

A date agrees with the tables if its output holds exactly those keys of its delivery that no earlier date, at
most `lookback_days` before, holds. So when a key appears on a date or disappears from it, every later
processed date with that key in its delivery is rebuilt too. That may change further dates, and so on until
nothing more changes. Dates without such a key stay as they are.

All dates to be rebuilt are one write, which may be killed half-way. The next run would then compare its dates
with half of an output. Therefore a note (`etl.ingest.by_date`) makes it rebuild every date in doubt."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl import session
from etl.ingest.by_date import NO_HISTORY, History, ProcessedDeliveries, read_history
from etl.ingest.contract import Contract
from etl.ingest.deliveries import Deliveries, RawRows
from etl.ingest.reading import read_number
from etl.ingest.sources import Sources
from etl.ingest.transforms.find_duplicates import ORDER, find_duplicates, find_repeated
from etl.ingest.transforms.find_touched_dates import find_changed_keys, find_touched_dates
from etl.write.partitions import PARTITION
from etl.write.published import Keys, Published

BROADCAST_ROWS = 1_000_000  # row ids of eight bytes that each worker can hold


@dataclass(frozen=True)
class Result:
    """The rows of some dates, rebuilt together, over what stays in the output."""

    rows: DataFrame | None  # all, judged; None if there are no rows
    kept: DataFrame | None  # the good ones that are no duplicates
    removed: DataFrame | None  # `run_date` and `row_id` of the duplicates; persisted
    duplicates: Mapping[str, int]  # by date
    duplicates_of: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by date and source's name

    @property
    def is_broadcast(self) -> bool:
        return sum(self.duplicates.values()) <= BROADCAST_ROWS

    def without_duplicates(self, rows: DataFrame) -> DataFrame:
        if self.removed is None:
            return rows
        ids = self.removed.select("row_id")
        return rows.join(session.broadcast(ids) if self.is_broadcast else ids, on="row_id", how="left_anti")

    def forget(self) -> None:
        if self.removed is not None:
            self.removed.unpersist()


@dataclass(frozen=True)
class Versions:
    """The versions of keys that a run writes: `rows` are all those of `dates`. `counts` are by date delivered
    rows that are `unchanged`, rows that a later one of the same snapshot has `superseded`, and `orphans`,
    deletes of keys that were not there. `kept` are frames in memory."""

    rows: DataFrame
    dates: frozenset[date]
    counts: Mapping[str, Mapping[str, int]]
    kept: tuple[DataFrame, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`own` are the dates of the run, `restated` others that must follow them; `is_noted` is true if a
    kill would leave dates in doubt; `passed_over` are dates that may need to be restated and cannot be;
    `history` is what earlier runs left; `versions` is for a table of every version."""

    own: Deliveries
    restated: Deliveries
    raw: RawRows
    result: Result
    is_noted: bool
    passed_over: Mapping[date, str]
    history: History = NO_HISTORY
    versions: Versions | None = None

    @property
    def deliveries(self) -> Deliveries:
        return {**self.own, **self.restated}

    def judged_of_own(self) -> DataFrame | None:
        """All rows of the run's own dates except the duplicates. Those whose `reason` is null are about to be
        published. None if there are no rows."""
        rows = self.rows_of_own()
        if rows is None or not self.result.duplicates:
            return rows
        return self.result.without_duplicates(rows)

    def rows_of_own(self) -> DataFrame | None:
        """All rows of the run's own dates, judged; None if there are no rows."""
        return _of(self.result.rows, self.own)

    def quarantined_of_own(self) -> dict[tuple[str, str], dict[str, int]]:
        """The quarantined rows of the run's own dates, counted by date and source, then by reason."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for alike in self.raw.alike(self.own):
            rejected = alike.rows.filter(F.col("reason").isNotNull())
            for row in rejected.groupBy("run_date", alike.source_name, "reason").count().collect():
                day, source, reason, count = row
                found.setdefault((day, source), {})[reason] = count
        return found

    def forget(self) -> None:
        self.result.forget()
        for frame in () if self.versions is None else self.versions.kept:
            frame.unpersist()
        self.raw.forget()


def make_plan(raw: RawRows, own: Deliveries, published: Published, books: str, sources: Sources) -> Plan:
    """`raw` holds the rows of the `own` deliveries. In an ordinary run, with no later date processed before,
    restating costs one listing."""
    contract = sources.contract
    history = read_history(books, min(own))
    processed = ProcessedDeliveries(books, sources)
    chosen = dict(own) | processed.find(history.doubtful(contract.lookback_days) - set(own))
    while True:
        raw.add(chosen.values())
        keys = published.keys(min(chosen) - timedelta(days=contract.lookback_days), max(chosen))
        raw.compare_with(keys.size)
        result = _rebuild(raw, chosen, keys, contract)
        touched = _find_touched(raw, chosen, result, keys, history, processed, contract)
        if not touched:
            break
        result.forget()
        chosen |= touched
    return Plan(
        own=own,
        restated={day: chosen[day] for day in sorted(chosen) if day not in own},
        raw=raw,
        result=result,
        is_noted=bool(history.unfinished or history.reach(chosen, contract.lookback_days)),
        passed_over=processed.passed_over,
        history=history,
    )


def _rebuild(raw: RawRows, chosen: Deliveries, keys: Keys, contract: Contract) -> Result:
    rows = raw.of(chosen)
    if rows is None:
        return Result(None, None, None, {})
    # Without the chosen dates, whose output is about to be replaced.
    earlier = keys.beside(chosen)
    good = rows.filter(F.col("reason").isNull())
    places = good.select(*contract.business_key, PARTITION, *ORDER)
    if raw.reads > 1:
        places = session.without_plan(places)
    repeated = find_repeated(places, earlier, contract.business_key).persist(StorageLevel.MEMORY_AND_DISK)
    if repeated.count() == 0:
        repeated.unpersist()
        return Result(rows, good, None, {})
    again = find_duplicates(places, earlier, repeated, contract.business_key, contract.lookback_days)
    result = without(raw, rows, again)
    repeated.unpersist()
    return result


def without(raw: RawRows, rows: DataFrame, again: DataFrame) -> Result:
    """The result for `rows`, in which the rows that `again` names by `run_date` and `row_id` are
    duplicates."""
    good = rows.filter(F.col("reason").isNull())
    removed = again.persist(StorageLevel.MEMORY_AND_DISK)
    duplicates, duplicates_of = _count_by_source(raw, removed)
    result = Result(rows, good, removed, duplicates, duplicates_of)
    if not duplicates:
        return result
    ids = removed.select("row_id")
    if raw.reads > 1:
        ids = session.without_plan(ids)
    kept = good.join(session.broadcast(ids) if result.is_broadcast else ids, on="row_id", how="left_anti")
    return Result(rows, kept, removed, duplicates, duplicates_of)


def _count_by_source(raw: RawRows, removed: DataFrame) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """The rows by date; and by date and source where sources have names."""
    by_read = [read_number().alias("read")] if raw.has_names else []
    by_date: dict[str, int] = {}
    by_source: dict[tuple[str, str], int] = {}
    for row in removed.groupBy("run_date", *by_read).count().collect():
        day = row["run_date"]
        by_date[day] = by_date.get(day, 0) + row["count"]
        if by_read:
            of = (day, raw.name_of(row["read"]))
            by_source[of] = by_source.get(of, 0) + row["count"]
    return by_date, by_source


def _find_touched(
    raw: RawRows,
    chosen: Deliveries,
    result: Result,
    keys: Keys,
    history: History,
    processed: ProcessedDeliveries,
    contract: Contract,
) -> Deliveries:
    """The deliveries that must be chosen too, because of a change on a chosen date."""
    key, lookback_days = contract.business_key, contract.lookback_days

    if not history.reach(chosen, lookback_days) - set(chosen):
        return {}
    changes = find_changed_keys(keys.of(chosen), result.kept, key)
    if changes is None:
        return {}
    changes = changes.persist(StorageLevel.MEMORY_AND_DISK)
    changed = [date.fromisoformat(row["run_date"]) for row in changes.select("run_date").distinct().collect()]
    candidates = processed.find(history.reach(changed, lookback_days) - set(chosen))
    raw.add(candidates.values())
    rows = raw.of(candidates)
    touched: set[date] = set()
    if rows is not None:
        good = rows.filter(F.col("reason").isNull())
        touched = find_touched_dates(session.without_plan(changes), good, key, lookback_days)
    changes.unpersist()
    return {day: candidates[day] for day in sorted(touched)}


def _of(frame: DataFrame | None, dates: Collection[date]) -> DataFrame | None:
    if frame is None:
        return None
    return frame.filter(F.col(PARTITION).isin([day.isoformat() for day in dates]))
