"""The rows of a table that a run reads, and how several connections share them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from etl.extract.columns import (
    SourceColumn,
    carried_type,
    expression,
    literal,
    qualified,
    quoted,
    written,
)
from etl.extract.database import DRIVER, Database, Session, cause_of, unavailable
from etl.extract.document import Extract, Table

SHARED_FROM_ROWS = 10_000  # below, a second connection takes longer than it saves
_SAMPLED_FROM_ROWS = 1_000_000
_SAMPLED_ROWS = 300_000
PARTITION = "etl_partition"


@dataclass(frozen=True)
class Span:
    """The values of a mark's column that a run reads; a bound that is None does not limit. `after` is
    exclusive."""

    after: datetime | None = None
    first: datetime | None = None
    before: datetime | None = None


def span_of(after: datetime | None, overlap_minutes: int) -> Span:
    """From the mark of an earlier run on, with the overlap: a row that was committed late has a value before
    the mark."""
    return Span(after=None if after is None else after - timedelta(minutes=overlap_minutes))


def span_of_day(day: date) -> Span:
    start = datetime(day.year, day.month, day.day)
    return Span(first=start, before=start + timedelta(days=1))


def condition(table: Table, span: Span) -> str:
    """The SQL of the rows that a run reads. A row whose mark is null is read by every run. The day of a span
    is one of the session's time zone, a mark is an instant in UTC or a time without zone."""
    if table.mark is None or span == Span():
        return "true"
    name = quoted(table.mark.column)
    zone = "+00" if table.by_name[table.mark.column].type == "instant" else ""
    bounds = ((">", span.after, zone), (">=", span.first, ""), ("<", span.before, ""))
    parts = [
        f"{name} {sign} {literal(value.isoformat(sep=' ') + suffix)}"
        for sign, value, suffix in bounds
        if value is not None
    ]
    return f"(({' and '.join(parts)}) or {name} is null)"


def shares(
    session: Session, extract: Extract, table: Table, where: str, rows: int, connections: int
) -> list[str]:
    """Conditions that share the rows between at most `connections` connections: each row meets one of them.
    The bounds are quantiles that the table itself gives, so that values which lie close together, or are
    missing, do not all fall to one connection. Values that are null have a share of their own."""
    wanted = min(connections, -(-rows // SHARED_FROM_ROWS))
    if table.partition_column is None or wanted < 2:
        return []
    has_nulls = _has_nulls(session, extract, table, where)
    parts = wanted - 1 if has_nulls else wanted
    bounds = _quantiles(session, extract, table, where, rows, parts) if parts > 1 else []
    above = [f"{PARTITION} > {literal(bound)}" for bound in bounds]
    upto = [f"{PARTITION} <= {literal(bound)}" for bound in bounds]
    between = [" and ".join(pair) for pair in zip(above, upto[1:], strict=False)]
    ranges = [*upto[:1], *between, *above[-1:]] or [f"{PARTITION} is not null"]
    return [f"{PARTITION} is null", *ranges] if has_nulls else ranges


def _has_nulls(session: Session, extract: Extract, table: Table, where: str) -> bool:
    source = qualified(extract.schema, table.name)
    name = quoted(str(table.partition_column))
    nulls = f"select from {source} where {where} and {name} is null"
    question = f"select exists ({nulls})::text"
    [(answer,)] = session.rows(question, f"{extract.schema}.{table.name}")
    return answer == "true"


def _quantiles(
    session: Session, extract: Extract, table: Table, where: str, rows: int, parts: int
) -> list[str]:
    """Bounds between `parts` parts, each once. A large table is sampled by its pages: bounds decide how even
    the shares are, and nothing else."""
    source = qualified(extract.schema, table.name)
    name = quoted(str(table.partition_column))
    place = f"{extract.schema}.{table.name}"
    shares_of = ", ".join(f"{number / parts:.6f}" for number in range(1, parts))
    sample = ""
    if rows >= _SAMPLED_FROM_ROWS and _has_pages(session, extract, table):
        sample = f" tablesample system ({100 * _SAMPLED_ROWS / rows:.4f}) repeatable (1)"
    quantiles = f"percentile_disc(array[{shares_of}]::float8[]) within group (order by {name})"
    question = (
        f"select unnest({quantiles})::text"  # noqa: S608 (names are quoted)
        f" from {source}{sample} where {where} and {name} is not null"
    )
    found = [value for (value,) in session.rows(question, place) if value is not None]
    return list(dict.fromkeys(found))


def _has_pages(session: Session, extract: Extract, table: Table) -> bool:
    """A view has no pages to sample."""
    found = session.rows(
        "select c.relkind"  # noqa: S608 (texts are quoted)
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        f" where n.nspname = {literal(extract.schema)} and c.relname = {literal(table.name)}"
    )
    return found == [("r",)]


@dataclass(frozen=True)
class Reading:
    """The rows that a run reads of a table."""

    table: Table
    columns: Mapping[str, SourceColumn]
    where: str
    shares: Sequence[str]


def read(
    spark: SparkSession, database: Database, session: Session, extract: Extract, reading: Reading
) -> DataFrame:
    """The rows as they are written. Each share is read by a connection of its own, at the session's point in
    time."""
    table = reading.table
    fields = [
        f"{expression(column, reading.columns[column.name])} as {quoted(column.name)}"
        for column in table.columns
    ]
    if reading.shares:
        fields.append(f"{quoted(str(table.partition_column))} as {PARTITION}")
    source = qualified(extract.schema, table.name)
    selected = f"select {', '.join(fields)} from {source} where {reading.where}"  # noqa: S608 (names are quoted)
    rows = f"({selected}) as rows"
    types = ", ".join(f"`{column.name}` {carried_type(column)}" for column in table.columns)
    properties = {
        **database.properties("extract"),
        "driver": DRIVER,
        # PostgreSQL sends rows in pieces only within a transaction, which Spark begins for this.
        "fetchsize": str(extract.fetch_size),
        "sessionInitStatement": session.init_statement,
        "customSchema": types,
    }
    shared = list(reading.shares)
    frame = (
        spark.read.jdbc(database.jdbc_url, rows, predicates=shared, properties=properties)
        if shared
        else spark.read.jdbc(database.jdbc_url, rows, properties=properties)
    )
    return frame.select(*(written(column) for column in table.columns))


@contextmanager
def database_errors_named(database: Database, place: str) -> Iterator[None]:
    """Within it, an error of the database becomes SourceUnavailable with the connection and the table."""
    try:
        yield
    except Py4JJavaError as error:
        raise unavailable(database, place, cause_of(error)) from error
