"""Makes the rows of the tables of a mart from its inputs. Nothing is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.errors import ModelRefused
from etl.marts.inputs import Inputs
from etl.marts.invariants import check_key
from etl.marts.kinds.as_of import as_of
from etl.marts.kinds.intervals import named
from etl.marts.kinds.scd2 import scd2
from etl.marts.kinds.star import CALENDAR, calendar, date_key, with_keys, with_unknown
from etl.marts.plan import AsOf, Calendar, Facts, Mart, Scd2, Select, Table
from etl.run.no_rows import no_rows


@dataclass(frozen=True)
class Made:
    """The rows that a table is to have (of the run date, if it is an as-of table), kept until `forget`.
    `counts` has the conditions that the declaration asks about; `unknown` the facts with an unknown member,
    by dimension; `undated` are facts without a moment, which are left out."""

    table: Table
    rows: DataFrame
    count: int
    counts: Mapping[str, int]
    unknown: Mapping[str, int]
    undated: int

    def forget(self) -> None:
        self.rows.unpersist()


def make(spark: SparkSession, inputs: Inputs, mart: Mart, day: date) -> list[Made]:
    """The tables in their order. Raises ModelRefused where a SELECT gives other columns than declared, or
    several rows with one key."""
    if any(isinstance(table.kind, Select | Facts) for table in mart.tables):
        for name in inputs.declared:
            inputs.view(name).createOrReplaceTempView(name)
        _check_selects(spark, mart.tables)
    made: dict[str, Made] = {}
    for table in mart.tables:
        made[table.name] = _make(spark, inputs, table, made, day)
    return list(made.values())


def _make(spark: SparkSession, inputs: Inputs, table: Table, made: Mapping[str, Made], day: date) -> Made:
    kind = table.kind
    counts: Mapping[str, int] = {}
    unknown: Mapping[str, int] = {}
    undated = 0
    if isinstance(kind, Facts):
        selected = spark.sql(kind.select.sql).persist(StorageLevel.MEMORY_AND_DISK)
        counts = _count_conditions(selected, kind.select)
        [undated] = selected.agg(F.count(F.when(named(kind.moment).isNull(), 1))).collect()[0]
        rows = _keep(_facts(selected, kind, made), table)
        unknown = _count_unknown(rows, kind)
        selected.unpersist()
    elif isinstance(kind, Select):
        rows = _keep(spark.sql(kind.sql), table)
        counts = _count_conditions(rows, kind)
    else:
        rows = _keep(_of_kind(spark, inputs, kind, table, day), table)
    if isinstance(kind, Facts | Select):
        violations = check_key(rows, table.key)
        if violations:
            raise ModelRefused(
                f"{table.name}: {'; '.join(map(str, violations))} break this: group or filter by the key, or "
                "declare another"
            )
    return Made(table, rows, rows.count(), counts, unknown, undated)


def _keep(rows: DataFrame, table: Table) -> DataFrame:
    columns = [
        named(name).cast("timestamp_ntz" if kind == "timestamp" else kind).alias(name)
        for name, kind in table.columns.items()
    ]
    return rows.select(*columns).persist(StorageLevel.MEMORY_AND_DISK)


def _of_kind(
    spark: SparkSession, inputs: Inputs, kind: AsOf | Scd2 | Calendar, table: Table, day: date
) -> DataFrame:
    if isinstance(kind, AsOf):
        columns = [name for name in table.columns if name != kind.day_column]
        return as_of(inputs.versioned(kind.input), columns, day, kind.day_column)
    if isinstance(kind, Scd2):
        rows = scd2(inputs.versioned(kind.input), kind.dimension)
        return rows if kind.unknown is None else with_unknown(rows, kind.dimension.surrogate, kind.unknown)
    found = inputs.view(kind.input).agg(
        F.to_date(F.min(named(kind.column))), F.to_date(F.max(named(kind.column)))
    )
    first, last = found.collect()[0]
    return no_rows(spark, CALENDAR) if first is None else calendar(spark, first, last, kind.fiscal)


def _facts(selected: DataFrame, kind: Facts, made: Mapping[str, Made]) -> DataFrame:
    dated = selected.filter(named(kind.moment).isNotNull())
    keyed = dated.withColumn(kind.date_key, date_key(F.to_date(named(kind.moment))))
    lookups = [(one, made[one.dimension].rows) for one in kind.lookups]
    return with_keys(keyed, named(kind.moment), lookups)


def _count_conditions(rows: DataFrame, select: Select) -> dict[str, int]:
    if not select.counts:
        return {}
    counted = [F.count(F.when(F.expr(f"({text})"), 1)) for text in select.counts.values()]
    return dict(zip(select.counts, rows.agg(*counted).collect()[0], strict=True))


def _count_unknown(rows: DataFrame, kind: Facts) -> dict[str, int]:
    if not kind.lookups:
        return {}
    counted = [F.count(F.when(named(one.surrogate) == one.unknown, 1)) for one in kind.lookups]
    names = [one.dimension for one in kind.lookups]
    return dict(zip(names, rows.agg(*counted).collect()[0], strict=True))


def _check_selects(spark: SparkSession, tables: Sequence[Table]) -> None:
    mistakes = [f"{table.name}: {mistake}" for table in tables for mistake in _mistakes(spark, table)]
    if mistakes:
        raise ModelRefused("; ".join(mistakes))


def _mistakes(spark: SparkSession, table: Table) -> Iterator[str]:
    """The columns that a SELECT lacks, has too many of, or gives with another type."""
    kind = table.kind
    if not isinstance(kind, Select | Facts):
        return
    select = kind.select if isinstance(kind, Facts) else kind
    made_here = (
        {kind.date_key, *(one.surrogate for one in kind.lookups)} if isinstance(kind, Facts) else set()
    )
    try:
        found = spark.sql(select.sql).dtypes
    except PySparkException as error:
        yield f"its SELECT cannot be computed: {str(error).strip().splitlines()[0]}"
        return
    types = dict(found)
    wanted = {name: one for name, one in table.columns.items() if name not in made_here}
    as_spark = dict(
        no_rows(
            spark, {name: "timestamp_ntz" if one == "timestamp" else one for name, one in wanted.items()}
        ).dtypes
    )
    for name, declared in as_spark.items():
        if name not in types:
            yield f"its SELECT gives no column {name}, which is declared as {declared}"
        elif types[name] != declared:
            yield f"{name} must be {declared}, and its SELECT gives {types[name]}: cast it, or declare that"
    helping = set()
    if isinstance(kind, Facts):
        helping = {kind.moment, *(other for one in kind.lookups for other in one.by.values())}
        for name in sorted(helping - set(types)):
            yield f"its SELECT gives no column {name}, by which the facts find their dimensions"
    for name in types:
        if name not in as_spark and name not in helping:
            yield f"its SELECT gives the column {name}, which is not declared"
        if [other for other, _ in found].count(name) > 1:
            yield f"its SELECT gives the column {name} several times"
