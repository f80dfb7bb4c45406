"""Publishes the tables of a mart: dimensions first, facts after, each in one commit. Then the invariants are
checked in the tables as they lie there; if one is violated, every table is rolled back.

A fact never stands without its dimension row. Where the new version of a dimension lacks a row that facts may
still have, the row stays until the facts are published, and goes in a commit of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.errors import InvalidArguments, MartViolated
from etl.marts.arguments import MartArguments
from etl.marts.inputs import Inputs
from etl.marts.invariants import check_facts, check_key, check_versions
from etl.marts.kinds.intervals import named
from etl.marts.kinds.scd2 import deletes
from etl.marts.make import Made
from etl.marts.plan import AsOf, Facts, Mart, Scd2, Table
from etl.run import lock
from etl.run.log import log
from etl.write.mart_tables import LOADED, MartTable, full_name

_MADE_FROM, _RUN_DATE, _RUN_ID = "etl.made-from", "etl.run-date", "etl.run-id"


@dataclass(frozen=True)
class Commit:
    table: MartTable
    before: int | None
    after: int | None


@dataclass
class Publication:
    """`made_from` is the fingerprint of all that the mart is made from. `commits` are in their order."""

    spark: SparkSession
    arguments: MartArguments
    mart: Mart
    made_from: str
    started: datetime
    commits: list[Commit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.targets = {table.name: self._target(table) for table in self.mart.tables}

    def _target(self, table: Table) -> MartTable:
        columns = {
            **{
                name: "timestamp_ntz" if kind == "timestamp" else kind for name, kind in table.columns.items()
            },
            **LOADED,
        }
        return MartTable(
            self.spark,
            full_name(self.arguments.databases["curated"], table.name),
            f"{self.arguments.output}{table.name}/",
            columns,
            table.partition_by,
        )

    def check_targets(self) -> None:
        """Raises TableRefused where a table cannot be written, InvalidArguments for a run date that is older
        than what an as-of table keeps."""
        for table in self.mart.tables:
            self.targets[table.name].check()
            if isinstance(table.kind, AsOf):
                oldest = self._oldest_kept(table, table.kind)
                if self.arguments.day < oldest:
                    raise InvalidArguments(
                        f"{table.name} keeps {table.kind.retention_days} days, from {oldest} on, and the run "
                        f"date is {self.arguments.day}: nothing was written"
                    )

    def has_all(self) -> bool:
        """Tells whether each table was made from the same inputs, for this run date."""
        return all(self._has(table) for table in self.mart.tables)

    def _has(self, table: Table) -> bool:
        for _, summary in self.targets[table.name].commits():
            if _RUN_ID not in summary:
                continue  # of another job, as a compaction
            is_of_date = summary.get(_RUN_DATE, f"{self.arguments.day}") == f"{self.arguments.day}"
            if is_of_date or not isinstance(table.kind, AsOf):
                return summary.get(_MADE_FROM) == self.made_from
        return False

    def publish(self, made: Sequence[Made]) -> None:
        """Writes the tables that are not yet as they should be."""
        outdated: list[Made] = []
        for one in made:
            target = self.targets[one.table.name]
            target.prepare()
            if self._has(one.table):
                continue
            rows = self._stamped(one.rows)
            vanishing = self._vanishing(one, made)
            if vanishing is None:
                self._commit(one.table, rows, is_final=True)
            else:
                self._commit(one.table, rows.unionByName(vanishing), is_final=False)
                outdated.append(one)
        for one in outdated:
            self._commit(one.table, self._stamped(one.rows), is_final=True)

    def _stamped(self, rows: DataFrame) -> DataFrame:
        moment = F.lit(f"{self.started:%Y-%m-%d %H:%M:%S.%f}").cast("timestamp_ntz")
        return rows.withColumns({"loaded_at": moment, "run_id": F.lit(self.arguments.run_id)})

    def _vanishing(self, one: Made, made: Sequence[Made]) -> DataFrame | None:
        """The rows of a dimension that are no more, while the facts as they lie there may need them."""
        column = next(
            (name for other in made for table, name in _references(other.table) if table == one.table.name),
            None,
        )
        lying = self.targets[one.table.name].rows()
        if column is None or lying.isEmpty():
            return None
        vanishing = lying.join(one.rows.select(column), column, "left_anti").select(*lying.columns)
        return None if vanishing.isEmpty() else vanishing

    def _commit(self, table: Table, rows: DataFrame, *, is_final: bool) -> None:
        target, arguments = self.targets[table.name], self.arguments
        # A run that has lost its lock must not touch the tables.
        lock.take_lock(arguments.lock.table, arguments.pipeline, arguments.lock.owner)
        before = target.current()
        properties = {_RUN_ID: arguments.run_id, _RUN_DATE: f"{arguments.day}"}
        if is_final:
            properties[_MADE_FROM] = self.made_from
        target.overwrite(rows, self._replaced(table), before, properties)
        self.commits.append(Commit(target, before, target.current()))
        log(f"wrote {target.name}")

    def _replaced(self, table: Table) -> Column:
        if not isinstance(table.kind, AsOf):
            return F.lit(True)
        of_date = named(table.kind.day_column) == F.lit(self.arguments.day)
        return of_date | (named(table.kind.day_column) < F.lit(self._oldest_kept(table, table.kind)))

    def _oldest_kept(self, table: Table, kind: AsOf) -> date:
        lying = self.targets[table.name].rows()
        [newest] = lying.agg(F.max(named(kind.day_column))).collect()[0]
        newest = max(newest or self.arguments.day, self.arguments.day)
        return newest - timedelta(days=kind.retention_days - 1)

    def check(self, inputs: Inputs) -> None:
        """Raises MartViolated, and rolls every table back, if an invariant does not hold in the tables."""
        violations = [
            f"{table.name}: {violation}"
            for table in self.mart.tables
            for violation in self._violations(table, inputs)
        ]
        if not violations:
            return
        self._roll_back()
        raise MartViolated(
            f"{'; '.join(violations)} break what always holds. The tables are again as they were before this "
            "run: correct the inputs or the declaration"
        )

    def _violations(self, table: Table, inputs: Inputs) -> list[object]:
        kind, rows = table.kind, self.targets[table.name].rows()
        found: list[object] = list(check_key(rows, table.key))
        if isinstance(kind, Scd2):
            versions = inputs.versioned(kind.input)
            gone = deletes(versions, kind.dimension.kind)
            surrogate = kind.dimension.surrogate
            found += check_versions(rows, versions.key, surrogate, gone, kind.unknown)
        for name, column in _references(table):
            found += check_facts(rows, column, self.targets[name].rows(), name)
        return found

    def _roll_back(self) -> None:
        properties = {_RUN_ID: self.arguments.run_id}
        # Backwards, so that facts lose their new keys before the dimensions do.
        commits = list(reversed(self.commits)) or self._commits_of_last_run()
        for one in commits:
            one.table.roll_back(one.after, one.before, properties)
            log(f"rolled {one.table.name} back")

    def _commits_of_last_run(self) -> list[Commit]:
        """The commits of a run that ended before it could check them, of the last table first."""
        found = []
        for target in reversed(self.targets.values()):
            commits = list(target.commits())
            run = commits[0][1].get(_RUN_ID)
            before = [snapshot for snapshot, summary in commits if summary.get(_RUN_ID, run) != run]
            found.append(Commit(target, before[0] if before else None, commits[0][0]))
        return found

    def written(self, one: Made) -> int:
        """The rows of the table as they lie there, of an as-of table those of the run date."""
        rows = self.targets[one.table.name].rows()
        if isinstance(one.table.kind, AsOf):
            rows = rows.filter(named(one.table.kind.day_column) == F.lit(self.arguments.day))
        return rows.count()


def _references(table: Table) -> list[tuple[str, str]]:
    """The dimensions of a table of facts, and its columns that have their keys."""
    if not isinstance(table.kind, Facts):
        return []
    kind = table.kind
    return [(kind.calendar, kind.date_key), *((one.dimension, one.surrogate) for one in kind.lookups)]
