"""One run: the tables of a database become the deliveries of a date, all of them or none."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import SparkSession

from etl import io
from etl.errors import TooManyRows
from etl.extract import marks as of_marks
from etl.extract.arguments import ExtractArguments
from etl.extract.columns import written_type
from etl.extract.database import Database, Session, find_database, open_session
from etl.extract.describe import Described, describe
from etl.extract.document import Extract, Table
from etl.extract.figures import Figures, figures_of_files, figures_of_source, reconcile
from etl.extract.publish import (
    Place,
    clear_aside,
    publish,
    read_aside,
    write_aside,
)
from etl.extract.reading import (
    Reading,
    condition,
    database_errors_named,
    read,
    shares,
)
from etl.run import lock
from etl.run.books import MAX_ROWS
from etl.session import configure

_BYTES_OF_A_ROW = 100  # about, as they are stored


@dataclass(frozen=True)
class Delivered:
    """A table's delivery: what the database had, what the files have, and how it was read."""

    table: Table
    source: Figures
    written: Figures
    files: list[io.StoredObject]
    connections: int
    where: str


@dataclass(frozen=True)
class Outcome:
    """`is_correction`: the run was of a date before the last one."""

    delivered: Mapping[str, Delivered]
    is_consistent: bool
    is_correction: bool


def run_extract(spark: SparkSession, arguments: ExtractArguments, extract: Extract) -> Outcome:
    """Reads, checks, publishes, and then moves the marks. Raises SourceUnavailable, SourceDrifted,
    ValueRefused, TooManyRows and BooksDoNotBalance before anything is published."""
    database = find_database(arguments.connection)
    before = of_marks.read_marks(arguments.lock.table, arguments.pipeline)
    place = Place(arguments.output, arguments.day, arguments.run_id)
    configure(spark, 0)
    with open_session(spark, database, extract, f"{arguments.pipeline} {arguments.run_id}"[:63]) as session:
        described = describe(session, extract, arguments.connection)
        source = figures(session, extract, described, before, arguments)
        refuse_too_many(sum(one.rows for one in source.values()))
        readings = {
            table.name: plan(session, extract, table, described, before, arguments, source[table.name])
            for table in extract.tables
        }
        configure(spark, sum(one.rows for one in source.values()) * _BYTES_OF_A_ROW)
        take_lock(arguments)
        clear_aside(place)
        for reading in readings.values():
            write(spark, database, session, extract, reading, place)
    written = check(spark, extract, place, source)
    # A run that has lost its lock must not touch what others read.
    take_lock(arguments)
    files = publish(place, {table.name: source[table.name].rows for table in extract.tables})
    greatest = {table.name: source[table.name].greatest for table in extract.tables if table.mark is not None}
    after = of_marks.marks_after(before, arguments.day, arguments.run_id, greatest)
    if after != before:
        of_marks.write_marks(arguments.lock.table, arguments.pipeline, before, after)
    clear_aside(place)
    return Outcome(
        {
            table.name: Delivered(
                table,
                source[table.name],
                written[table.name],
                files[table.name],
                max(1, len(readings[table.name].shares)),
                readings[table.name].where,
            )
            for table in extract.tables
        },
        is_consistent=extract.is_consistent,
        is_correction=before.run_date is not None and arguments.day < before.run_date,
    )


def refuse_too_many(rows: int) -> None:
    """Raises TooManyRows, before anything is written."""
    if rows > MAX_ROWS:
        raise TooManyRows(
            f"the tables have {rows} rows, and the books of a run count to {MAX_ROWS}: make several extracts"
        )


def figures(
    session: Session,
    extract: Extract,
    described: Described,
    marks: of_marks.Marks,
    arguments: ExtractArguments,
) -> dict[str, Figures]:
    return {
        table.name: figures_of_source(
            session, extract, table, described[table.name], where_of(table, marks, arguments)
        )
        for table in extract.tables
    }


def where_of(table: Table, marks: of_marks.Marks, arguments: ExtractArguments) -> str:
    return condition(table, of_marks.span_for(table, marks, arguments.day))


def plan(
    session: Session,
    extract: Extract,
    table: Table,
    described: Described,
    marks: of_marks.Marks,
    arguments: ExtractArguments,
    source: Figures,
) -> Reading:
    """One of the connections is the session's own, which lends its point in time."""
    where = where_of(table, marks, arguments)
    own = shares(session, extract, table, where, source.rows, extract.max_connections - 1)
    return Reading(table, described[table.name], where, own)


def write(
    spark: SparkSession,
    database: Database,
    session: Session,
    extract: Extract,
    reading: Reading,
    place: Place,
) -> None:
    name = reading.table.name
    with database_errors_named(database, f"{extract.schema}.{name}"):
        write_aside(read(spark, database, session, extract, reading), place, name)


def check(
    spark: SparkSession, extract: Extract, place: Place, source: Mapping[str, Figures]
) -> dict[str, Figures]:
    """The figures of the files that lie aside, which must be those of the database."""
    found = {}
    for table in extract.tables:
        schema = ", ".join(f"`{column.name}` {written_type(column)}" for column in table.columns)
        found[table.name] = figures_of_files(read_aside(spark, place, table.name, schema), table)
        reconcile(f"{extract.schema}.{table.name}", source[table.name], found[table.name])
    return found


def take_lock(arguments: ExtractArguments) -> None:
    lock.take_lock(arguments.lock.table, arguments.pipeline, arguments.lock.owner)
