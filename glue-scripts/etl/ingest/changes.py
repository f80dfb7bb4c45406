"""Plans the versions that a run writes to a table of every version of every key. Only reads.

The history is a function of the deliveries, in order of their dates (of increments with an order column, in
order of its values). A run derives the versions of its own dates from their rows, over the versions that lie
in the table. Where the state of a key changes, a later date may hold a row that was no change before, or is
one no more: such dates are read and derived again, until nothing differs. They are the restated dates. All
of it is one commit.

A snapshot gives the state of every key, so that the next one after a change is enough, unless rejected rows
keep a key's state open. Of increments in order of delivery all later ones are read. In an order by a column
nothing but repeated events is missing in the table, which matters only where an event is taken back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl import session
from etl.errors import InvalidDelivery
from etl.ingest.by_date import History, ProcessedDeliveries, read_history
from etl.ingest.completeness import check_files_of_proof, check_floor, check_hidden_keys
from etl.ingest.contract import Changes, Contract
from etl.ingest.deliveries import Deliveries, Delivery, RawRows, list_deliveries
from etl.ingest.dms_files import check_gone, is_ongoing
from etl.ingest.plan import Plan, Result, Versions, without
from etl.ingest.sources import Sources
from etl.ingest.transforms.classify_rows import REJECTED_KEY
from etl.ingest.transforms.decode_uri import decode_uri, stored_uri
from etl.ingest.transforms.derive_versions import DELETE, derive_versions
from etl.run.arguments import Arguments
from etl.run.log import log
from etl.run.no_rows import no_rows
from etl.write.iceberg_tables import IcebergTable

_PLACE = ("run_date", "sequence")
_DISK = StorageLevel.MEMORY_AND_DISK


def plan_changes(
    raw: RawRows,
    own: Deliveries,
    table: IcebergTable,
    sources: Sources,
    arguments: Arguments,
    started: datetime,
) -> Plan:
    """`raw` holds the rows of the `own` deliveries; the run began at `started` (UTC). Raises InvalidDelivery
    where a delivery is not proved to be complete, and where one that must be derived again is gone or has
    changed."""
    contract = sources.contract
    history = read_history(arguments.books, min(own))
    around = _Around(arguments, sources, history)
    chosen = {**around.unfinished(own), **own}
    while True:
        raw.add(chosen.values())
        raw.compare_with(table.size)
        derived = _Derivation(raw, chosen, table, contract)
        derived.check_files()
        further = around.find(derived.further(history.processed) - set(chosen))
        if not further:
            break
        derived.forget()
        chosen |= further
    derived.check_completeness()
    restated = {day for day in {*derived.differing, *around.left} if day not in own}
    if restated:
        log(f"restates {', '.join(map(str, sorted(restated)))}")
    return Plan(
        own=own,
        restated={day: chosen[day] for day in sorted(restated)},
        raw=raw,
        result=derived.result(),
        is_noted=True,
        passed_over={},
        history=history,
        versions=derived.versions(arguments.run_id, started),
    )


@dataclass
class _Around:
    """Finds the deliveries of other dates. `left` are the dates that a killed run may have written."""

    arguments: Arguments
    sources: Sources
    history: History
    left: frozenset[date] = frozenset()

    def unfinished(self, own: Collection[date]) -> dict[date, Delivery]:
        self.left = frozenset(self.history.unfinished - set(own))
        found = list_deliveries(self.arguments.source, self.sources, self.left - self.history.processed)
        gone = self.left - self.history.processed - set(found)
        self._refuse(
            dict.fromkeys(gone, "its delivery is gone, and a killed run may have written its versions")
        )
        return {**found, **self.find(self.left & self.history.processed)}

    def find(self, days: Collection[date]) -> dict[date, Delivery]:
        processed = ProcessedDeliveries(self.arguments.books, self.sources)
        found = processed.find(days)
        self._refuse(processed.passed_over)
        return found

    @staticmethod
    def _refuse(reasons: Mapping[date, str]) -> None:
        if reasons:
            shown = "; ".join(f"{day}: {reason}" for day, reason in sorted(reasons.items()))
            raise InvalidDelivery(
                f"versions of other dates follow from this run, and cannot be derived again: {shown}. "
                "Nothing was written: run these dates in one run, or deliver them again"
            )


@dataclass
class _Derivation:
    """The versions of the keys that the `chosen` deliveries touch, and where they differ from the table."""

    raw: RawRows
    chosen: Deliveries
    table: IcebergTable
    contract: Contract
    differing: frozenset[date] = frozenset()
    lost: frozenset[date] = frozenset()  # dates of the table's versions that are versions no more
    _kept: list[DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keys = list(self.contract.business_key)
        lying = self.table.rows()
        self._lying = _empty(self.table) if lying is None else self.table.fitting(lying)
        self._rows = self.raw.of(self.chosen)
        delivered = self._delivered()
        self._read = self._keep(delivered.filter("is_state"))
        self._superseded = delivered.filter("not is_state").select("run_date", "row_id")
        self._old = self._keep(self._touched())
        events = [self._of_table(self._old.filter(~self._is_chosen())), self._read.drop("is_state")]
        if self._changes.is_whole:
            events.append(self._absent())
        together = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), events)
        self._derived = self._keep(derive_versions(together, self.contract))
        self._find_differing()

    @property
    def _changes(self) -> Changes:
        assert self.contract.changes is not None
        return self.contract.changes

    def _keep(self, frame: DataFrame) -> DataFrame:
        kept = frame.persist(_DISK)
        self._kept.append(kept)
        return kept

    def forget(self) -> None:
        for frame in self._kept:
            frame.unpersist()

    def _is_chosen(self) -> Column:
        return F.col("run_date").isin([f"{day}" for day in self.chosen])

    def _delivered(self) -> DataFrame:
        """The good rows as events. Of several rows of a key, a snapshot's last one is its state."""
        rows = self._rows
        types = self.table.columns
        if rows is None:
            empty = {
                **{name: types[name] for name in self.contract.output},
                "run_date": "string",
                "sequence": "int",
                "source_file": "string",
                "row_id": "bigint",
                "is_delete": "boolean",
                "is_absent": "boolean",
                "is_state": "boolean",
                "own_from": types["valid_from"],
            }
            return no_rows(self.table.spark, empty)
        good = rows.filter(F.col("reason").isNull()).select(
            *(_named(name).cast(types[name]).alias(name) for name in self.contract.output),
            *("run_date", "file_path", "block_start", "row_id"),
        )
        if self.raw.reads > 1:
            good = session.without_plan(good)
        of_file = [*self._file_order(), F.col("block_start"), F.col("row_id")]
        place = [*map(_named, self._changes.order), *of_file]
        of_key = Window.partitionBy(*self._keys, "run_date").orderBy(*place)
        whole_day = of_key.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
        number, last = F.row_number().over(of_key), F.count(F.lit(1)).over(whole_day)
        is_whole = self._changes.is_whole
        numbered = good.withColumn("number", number).withColumn("last", last)
        return numbered.select(
            *map(_named, self.contract.output),
            "run_date",
            (F.lit(1) if is_whole else F.col("number")).cast("int").alias("sequence"),
            stored_uri(F.col("file_path")).alias("source_file"),
            "row_id",
            self._is_delete().alias("is_delete"),
            F.lit(False).alias("is_absent"),
            (F.col("number") == F.col("last") if is_whole else F.lit(True)).alias("is_state"),
            self._own_from().alias("own_from"),
        )

    def _file_order(self) -> list[Column]:
        path = decode_uri(F.col("file_path"))
        return [path] if self.contract.dms is None else [is_ongoing(path), path]

    def _is_delete(self) -> Column:
        op = self._changes.op_column
        return F.lit(False) if op is None else _named(op).isin(list(self._changes.op_values))

    def _own_from(self) -> Column:
        kind = self.table.columns["valid_from"]
        business_time = self._changes.valid_from
        return F.to_date("run_date").cast(kind) if business_time is None else _named(business_time).cast(kind)

    def _touched(self) -> DataFrame:
        """The versions in the table of the keys that are touched; of snapshots those of all keys."""
        if self._changes.is_whole:
            return self._lying
        replaced = self._lying.filter(self._is_chosen()).select(*self._keys)
        keys = self._read.select(*self._keys).unionByName(replaced).distinct()
        return self._lying.join(keys, self._keys, "left_semi")

    def _of_table(self, versions: DataFrame) -> DataFrame:
        is_delete = F.col("change") == DELETE
        own_from = self._own_from()
        if self._changes.is_whole:
            of_absence = F.to_date("run_date").cast(self.table.columns["valid_from"])
            own_from = F.when(is_delete, of_absence).otherwise(own_from)
        return versions.select(
            *map(_named, self.contract.output),
            *_PLACE,
            "source_file",
            is_delete.alias("is_delete"),
            (is_delete & F.lit(self._changes.is_whole)).alias("is_absent"),
            own_from.alias("own_from"),
        )

    def _absent(self) -> DataFrame:
        """Each known key on each chosen date whose snapshot lacks it. A rejected row keeps its key as it
        was."""
        spark = self.table.spark
        days = spark.createDataFrame([(f"{day}",) for day in sorted(self.chosen)], "run_date string")
        known = self._old.select(*self._keys).unionByName(self._read.select(*self._keys)).distinct()
        seen = self._read.select(*self._keys, "run_date")
        rejected = self._rejected_keys()
        if rejected is not None:
            seen = seen.unionByName(rejected.filter("is_whole_key").select(*self._keys, "run_date"))
        absent = known.crossJoin(F.broadcast(days)).join(seen, [*self._keys, "run_date"], "left_anti")
        return absent.select(
            *self._keys,
            "run_date",
            F.lit(1).alias("sequence"),
            F.lit(True).alias("is_delete"),
            F.lit(True).alias("is_absent"),
            F.to_date("run_date").cast(self.table.columns["valid_from"]).alias("own_from"),
        )

    def _rejected_keys(self) -> DataFrame | None:
        """The key of each rejected row, as far as it can be read, and whether that is all of it."""
        if self._rows is None or not self.raw.has_rejected:
            return None
        types = self.table.columns
        keys = [F.col(f"`{REJECTED_KEY}`")[name].cast(types[name]).alias(name) for name in self._keys]
        rejected = self._rows.filter(F.col("reason").isNotNull()).select(*keys, "run_date", "reason")
        is_whole = reduce(Column.__and__, (_named(name).isNotNull() for name in self._keys))
        return rejected.withColumn("is_whole_key", is_whole)

    def _find_differing(self) -> None:
        found = (
            self._compared()
            .filter(~F.col("is_same"))
            .groupBy("run_date")
            .agg(F.max(F.col("new").isNull()).alias("is_lost"))
            .collect()
        )
        self.differing = frozenset(date.fromisoformat(row["run_date"]) for row in found)
        self.lost = frozenset(date.fromisoformat(row["run_date"]) for row in found if row["is_lost"])

    def _compared(self) -> DataFrame:
        """Versions as they should be (`new`) beside those that lie there (`old`)."""
        contents: list[Column | str] = [
            *map(_named, self.contract.output),
            "change",
            "valid_from",
            "source_file",
        ]
        new = self._derived.filter("is_version").select(
            *self._keys, *_PLACE, F.struct(*contents).alias("new"), F.col("row_hash").alias("new_hash")
        )
        old = self._old.select(
            *self._keys, *_PLACE, F.struct(*contents).alias("old"), "loaded_at", "run_id", "row_hash"
        )
        both = new.join(old, [*self._keys, *_PLACE], "full_outer")
        return both.withColumn("is_same", F.col("new").eqNullSafe(F.col("old")))

    def further(self, processed: Collection[date]) -> set[date]:
        """The dates that must be derived again because of what differs."""
        further = set(self.differing)
        if self._changes.is_whole:
            open_days = {day for day in self.chosen if self._has_rejected(day)} if self.differing else set()
            for day in {*(self.differing & set(self.chosen)), *open_days}:
                later = [other for other in processed if other > day]
                further |= {min(later)} if later else set()
            return further
        cause = self.lost if self._changes.order else self.differing
        if cause:
            further |= {day for day in processed if day > min(cause)}
        return further

    def _has_rejected(self, day: date) -> bool:
        return self.raw.has_rejected and day in self._days_with_rejected

    @property
    def _days_with_rejected(self) -> set[date]:
        assert self._rows is not None
        days = self._rows.filter(F.col("reason").isNotNull()).select("run_date").distinct().collect()
        return {date.fromisoformat(row["run_date"]) for row in days}

    def check_files(self) -> None:
        """Raises InvalidDelivery where AWS DMS has removed files whose changes lie in the table."""
        if self.contract.dms is None:
            return
        lying = self._lying.filter(self._is_chosen()).select("run_date", "source_file").distinct().collect()
        check_gone(
            [(date.fromisoformat(row["run_date"]), row["source_file"]) for row in lying],
            {day: [file.uri for file in delivery.files] for day, delivery in self.chosen.items()},
        )

    def check_completeness(self) -> None:
        """Raises InvalidDelivery where keys would count as deleted and the delivery is not proved."""
        proof = self._changes.proof
        if proof is None:
            return
        check_files_of_proof(proof, self.chosen, self.raw.read)
        rejected = self._rejected_keys()
        if rejected is not None:
            of_key = {
                one.reason
                for one in self.contract.rules
                if one.kind == "missing" and _is_of(one.names, self._keys)
            }
            hidden = rejected.filter(~F.col("is_whole_key") & ~F.col("reason").isin(list(of_key)))
            absent = self._derived.filter("is_version and is_absent").filter(self._is_chosen())
            check_hidden_keys(_by_date(hidden), _by_date(absent))
        if proof.by == "floor":
            delivered = {**dict.fromkeys(self.chosen, 0), **_by_date(self._read)}
            check_floor(proof, delivered, self._present())

    def _present(self) -> dict[date, int]:
        """The keys that are there before each chosen date."""
        of_key = Window.partitionBy(*self._keys).orderBy(*_PLACE)
        spans = self._derived.filter("is_version").select(
            "change", "run_date", F.lead("run_date").over(of_key).alias("next_date")
        )
        counts = [
            F.count(
                F.when(
                    (F.col("run_date") < f"{day}")
                    & (F.col("next_date").isNull() | (F.col("next_date") >= f"{day}")),
                    1,
                )
            )
            for day in self.chosen
        ]
        [found] = spans.filter(F.col("change") != DELETE).agg(*counts).collect()
        return dict(zip(self.chosen, found, strict=True))

    def result(self) -> Result:
        if self._rows is None:
            return Result(None, None, None, {})
        return without(self.raw, self._rows, self._unchanged().unionByName(self._superseded))

    def _unchanged(self) -> DataFrame:
        dropped = self._derived.filter(F.col("row_id").isNotNull() & ~F.col("is_version"))
        return dropped.select("run_date", "row_id")

    def versions(self, run_id: str, started: datetime) -> Versions:
        dates = self.differing
        of_dates = F.col("run_date").isin([f"{day}" for day in dates])
        compared = self._compared().filter(of_dates & F.col("new").isNotNull())
        is_same = F.col("is_same")
        moment = F.lit(f"{started:%Y-%m-%d %H:%M:%S.%f}").cast("timestamp_ntz")
        rows = compared.select(
            *(F.col("new")[name].alias(name) for name in self.contract.output),
            *(F.col("new")[name].alias(name) for name in ("change", "valid_from", "source_file")),
            *_PLACE,
            F.when(is_same, F.col("loaded_at")).otherwise(moment).alias("loaded_at"),
            F.when(is_same, F.col("run_id")).otherwise(F.lit(run_id)).alias("run_id"),
            F.when(is_same, F.col("row_hash")).otherwise(F.col("new_hash")).alias("row_hash"),
        )
        if not self._changes.is_whole:
            others = self._lying.filter(of_dates).join(
                self._old.select(*self._keys).distinct(), self._keys, "left_anti"
            )
            rows = rows.unionByName(others)
        return Versions(rows, dates, self._counts(), tuple(self._kept))

    def _counts(self) -> dict[str, dict[str, int]]:
        """Rows that make no version, and deletes of nothing, by date."""
        kinds = {
            "unchanged": self._unchanged(),
            "superseded": self._superseded,
            "orphans": self._derived.filter("is_orphan"),
        }
        frames = [frame.select("run_date", F.lit(kind).alias("kind")) for kind, frame in kinds.items()]
        found: dict[str, dict[str, int]] = {kind: {} for kind in kinds}
        for row in reduce(DataFrame.unionByName, frames).groupBy("kind", "run_date").count().collect():
            found[row["kind"]][row["run_date"]] = row["count"]
        return found


def _empty(table: IcebergTable) -> DataFrame:
    return no_rows(table.spark, table.columns)


def _is_of(names: Collection[str], keys: Collection[str]) -> bool:
    return set(names) <= set(keys)


def _by_date(frame: DataFrame) -> dict[date, int]:
    counted = frame.groupBy("run_date").count().collect()
    return {date.fromisoformat(row["run_date"]): row["count"] for row in counted}


def _named(name: str) -> Column:
    return F.col(f"`{name}`")
