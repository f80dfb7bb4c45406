"""The tables that a mart reads, each at one snapshot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.errors import InputRefused
from etl.marts.arguments import MartArguments
from etl.marts.kinds.as_of import states
from etl.marts.kinds.intervals import Versioned, current, named
from etl.marts.plan import CURRENT, ROWS, STATES, Input, Mart
from etl.run.no_rows import no_rows
from etl.write.mart_tables import InputTable, full_name

DAY = "date"  # the column that the states of days have
# Each table of every version has these; `valid_from` is a date or a timestamp.
_OF_VERSIONS = {"change": "string", "sequence": "int", "run_date": "string"}


@dataclass(frozen=True)
class Inputs:
    """The inputs of a mart by name. A snapshot stays the same while the run reads."""

    declared: Mapping[str, Input]
    tables: Mapping[str, InputTable]

    def snapshots(self) -> dict[str, int | None]:
        return {name: table.snapshot for name, table in self.tables.items()}

    def bytes(self) -> int:
        return sum(table.size for table in self.tables.values())

    def count(self) -> dict[str, int]:
        return {name: table.rows().count() for name, table in self.tables.items()}

    def versioned(self, name: str) -> Versioned:
        declared = self.declared[name]
        return Versioned(self.tables[name].rows(), declared.key, declared.order)

    def days(self, name: str) -> DataFrame:
        """The dates on which a version of the input became valid."""
        return self.tables[name].rows().select(F.to_date("valid_from").alias(DAY))

    def view(self, name: str) -> DataFrame:
        """The declared columns of the rows that a SELECT sees, and for states their day."""
        one = self.declared[name]
        columns = list(one.columns)
        if one.reads == ROWS:
            return self.tables[name].rows().select(*map(named, columns))
        if one.reads == CURRENT:
            return current(self.versioned(name)).select(*map(named, columns))
        if one.reads == STATES:
            return states(self.versioned(name), columns, self._window(one), DAY)
        return self.tables[name].rows().select(*map(named, [*columns, *_OF_VERSIONS, "valid_from"]))

    def _window(self, one: Input) -> DataFrame:
        days = reduce(DataFrame.unionByName, [self.days(name) for name in one.days]).distinct()
        if one.window_days is None:
            return days
        newest = days.agg(F.max(DAY).alias("newest"))
        inside = days.crossJoin(newest).filter(F.date_add(DAY, one.window_days) > named("newest"))
        return inside.select(DAY)


def open_inputs(spark: SparkSession, arguments: MartArguments, mart: Mart) -> Inputs:
    """Raises InputRefused naming every table that is gone, and every column that is missing or of another
    type."""
    tables = {
        name: InputTable(spark, full_name(arguments.databases[one.zone], one.table))
        for name, one in mart.inputs.items()
    }
    mistakes = [text for name, one in mart.inputs.items() for text in _mistakes(spark, one, tables[name])]
    if mistakes:
        raise InputRefused(
            f"{'; '.join(mistakes)}. Nothing was written: run what makes the tables, or declare them as "
            "they are"
        )
    return Inputs(mart.inputs, tables)


def _mistakes(spark: SparkSession, declared: Input, table: InputTable) -> Iterator[str]:
    if not table.is_there():
        yield f"the input {declared.table} does not exist"
        return
    types = table.types
    wanted = dict(declared.columns)
    if declared.reads != ROWS:
        wanted |= _OF_VERSIONS
    # Without a zone, as all tables of this project have their times.
    as_spark = dict(no_rows(spark, {name: _in_table(kind) for name, kind in wanted.items()}).dtypes)
    for name, kind in as_spark.items():
        if name not in types:
            yield f"the input {declared.table} has no column {name}"
        elif types[name] != kind:
            yield f"the input {declared.table} has {name} as {types[name]}, declared as {kind}"
    if declared.reads != ROWS and types.get("valid_from") not in ("date", "timestamp_ntz"):
        found = types.get("valid_from", "nothing")
        yield f"the input {declared.table} has valid_from as {found}, and must have a date or a timestamp_ntz"


def _in_table(kind: str) -> str:
    return "timestamp_ntz" if kind == "timestamp" else kind
