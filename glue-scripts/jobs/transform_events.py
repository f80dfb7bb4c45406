"""The events pipeline's job: raw JSON lines of some delivery dates become Parquet, each date replacing what
an earlier run wrote for it; what does not meet the contract goes to quarantine; the books say where every row
went."""

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from etl import io, partitions
from etl.arguments import Arguments, read_arguments
from etl.books import MAX_ROWS, DateFigures, make_books, summarise, to_json
from etl.contract import Contract, parse_contract
from etl.errors import MissingDelivery, SparkFailed, TooManyRows
from etl.transforms.classify_rows import classify_rows
from etl.transforms.decode_uri import decode_uri
from etl.transforms.find_duplicates import find_duplicates
from etl.transforms.parse_lines import parse_lines
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

Objects = Mapping[date, Sequence[io.StoredObject]]
Counts = Mapping[str, int]

BROADCAST_ROWS = 1_000_000  # row ids, eight bytes each, that every worker can hold


def main(argv: Sequence[str]) -> None:
    started = time.monotonic()
    arguments = read_arguments(argv)
    contract = parse_contract(io.read_text(arguments.contract_uri), arguments.contract_uri)
    deliveries = find_deliveries(arguments)
    try:
        figures = rebuild(open_session(arguments.pipeline), arguments, contract, deliveries)
    except Py4JJavaError as error:
        raise SparkFailed(partitions.root_cause(error)) from error
    keep_books(arguments, contract, figures, time.monotonic() - started)


def open_session(pipeline: str) -> SparkSession:
    """The session of Glue, whose context must exist for its observability metrics; elsewhere Spark's own."""
    spark = SparkSession.builder.appName(pipeline).getOrCreate()
    try:
        from awsglue.context import GlueContext  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return spark
    session: SparkSession = GlueContext(spark.sparkContext).spark_session
    return session


def find_deliveries(arguments: Arguments) -> Objects:
    """Per date the files to read; a date without a delivery is not there. Raises MissingDelivery."""
    first, last = arguments.from_date, arguments.to_date
    found = io.list_dates(arguments.source, partitions.DELIVERY, first, last)
    if not found:
        dates = f"{first}" if first == last else f"{first} to {last}"
        raise MissingDelivery(f"no delivery under {arguments.source} for {dates}")
    return {day: visible(files) for day, files in found.items()}


def rebuild(
    spark: SparkSession, arguments: Arguments, contract: Contract, deliveries: Objects
) -> list[DateFigures]:
    """Reads the deliveries once and replaces their dates in the output and in quarantine. Gives their
    figures."""
    files = [file for day in sorted(deliveries) for file in deliveries[day] if file.size > 0]
    input_bytes = sum(file.size for file in files)
    tell(f"{len(deliveries)} deliveries: {len(files)} files, {input_bytes} bytes")
    partitions.configure(spark, input_bytes)
    for location in (arguments.output, arguments.quarantine):
        io.delete_leftovers(location)
    old_output = list_partitions(arguments.output, deliveries)
    old_quarantine = list_partitions(arguments.quarantine, deliveries)

    read: Counts = {}
    duplicates: Counts = {}
    if files:
        lines = partitions.read_lines(spark, arguments.source, files)
        # Kept, because the input is read once: to be counted, searched for duplicates, and written twice
        # over.
        rows = classify_rows(parse_lines(lines, contract), contract).persist(StorageLevel.MEMORY_AND_DISK)
        read, is_scattered = partitions.count_rows(rows)
        check_size(sum(read.values()))
        if read:
            earlier = read_earlier(spark, arguments, contract, set(deliveries))
            duplicates = write_good_rows(arguments, contract, rows, earlier, is_scattered)
            write_quarantine(arguments, rows, is_scattered)
        rows.unpersist()
    output = remove_stale(old_output, list_partitions(arguments.output, deliveries))
    quarantine = remove_stale(old_quarantine, list_partitions(arguments.quarantine, deliveries))

    written = partitions.count_rows_of_files(spark, arguments.output, output)
    quarantined = partitions.count_rows_of_files(spark, arguments.quarantine, quarantine, "reason")
    return [
        DateFigures(
            run_date=day,
            read=read.get(day.isoformat(), 0),
            written=written.get((day.isoformat(), ""), 0),
            duplicates=duplicates.get(day.isoformat(), 0),
            quarantined={
                reason: rows for (of_day, reason), rows in quarantined.items() if of_day == day.isoformat()
            },
            input_bytes=sum(file.size for file in deliveries[day]),
            output_bytes=sum(file.size for file in output.get(day, [])),
            files=len(output.get(day, [])),
        )
        for day in sorted(deliveries)
    ]


def check_size(rows: int) -> None:
    tell(f"read {rows} rows")
    if rows > MAX_ROWS:
        raise TooManyRows(f"{rows} rows in one run, at most {MAX_ROWS}: run fewer dates at a time")


def read_earlier(
    spark: SparkSession, arguments: Arguments, contract: Contract, rebuilt: set[date]
) -> DataFrame | None:
    """The keys that stay in the output and lie inside the look-back window of some date of this run."""
    first = arguments.from_date - timedelta(days=contract.lookback_days)
    found = io.list_dates(arguments.output, partitions.PARTITION, first, arguments.to_date)
    # Not the dates of this run: what lies there is about to be replaced.
    stays = [file for day, files in found.items() if day not in rebuilt for file in visible(files)]
    if not stays:
        return None
    return partitions.read_partitions(spark, arguments.output, stays, contract.business_key)


def write_good_rows(
    arguments: Arguments, contract: Contract, rows: DataFrame, earlier: DataFrame | None, is_scattered: bool
) -> Counts:
    """Writes the good rows that are no duplicates. Gives the number of rows removed, per date."""
    good = rows.filter(F.col("reason").isNull())
    found = find_duplicates(good, earlier, contract.business_key, contract.lookback_days)
    removed = found.persist(StorageLevel.MEMORY_AND_DISK)
    duplicates = {row["run_date"]: row["count"] for row in removed.groupBy("run_date").count().collect()}
    is_few = sum(duplicates.values()) <= BROADCAST_ROWS
    if duplicates:
        ids = removed.select("row_id")
        good = good.join(F.broadcast(ids) if is_few else ids, on="row_id", how="left_anti")
    partitions.write_partitions(
        good.select("run_date", "row_id", *contract.output),
        arguments.output,
        order="row_id",
        is_scattered=is_scattered or not is_few,
    )
    removed.unpersist()
    tell(f"removed {sum(duplicates.values())} duplicates, wrote the others to {arguments.output}")
    return duplicates


def write_quarantine(arguments: Arguments, rows: DataFrame, is_scattered: bool) -> None:
    bad = rows.filter(F.col("reason").isNotNull()).select(
        "run_date",
        "row_id",
        "raw_line",
        "reason",
        decode_uri(F.col("file_path")).alias("source_file"),
        F.lit(arguments.run_id).alias("run_id"),
    )
    partitions.write_partitions(bad, arguments.quarantine, order="row_id", is_scattered=is_scattered)


def list_partitions(location: str, dates: Mapping[date, object]) -> Objects:
    """The files of the run's dates as they lie now."""
    found = io.list_dates(location, partitions.PARTITION, min(dates), max(dates))
    return {day: files for day, files in found.items() if day in dates}


def remove_stale(before: Objects, after: Objects) -> Objects:
    """Removes what an earlier run wrote and this one did not replace, for it had no row for that date. A file
    name is never used twice, so what was there before and still is, is old. Gives what remains and can be
    read."""
    old = {file.uri for files in before.values() for file in files}
    io.delete(file for files in after.values() for file in files if file.uri in old)
    fresh = {day: [file for file in visible(files) if file.uri not in old] for day, files in after.items()}
    return {day: files for day, files in fresh.items() if files}


def visible(files: Sequence[io.StoredObject]) -> Sequence[io.StoredObject]:
    return [file for file in files if not io.is_hidden(file)]


def keep_books(
    arguments: Arguments, contract: Contract, figures: Sequence[DateFigures], seconds: float
) -> None:
    """Writes the books, then the summary: whoever finds the summary finds the books."""
    folder = f"{arguments.books}{arguments.run_id}/"
    books = make_books(
        pipeline=arguments.pipeline,
        run_id=arguments.run_id,
        first=arguments.from_date,
        last=arguments.to_date,
        reasons=contract.reasons,
        dates=figures,
        seconds=seconds,
        uri=f"{folder}books.json",
    )
    io.write_text(f"{folder}books.json", to_json(books))
    io.write_text(f"{folder}summary.json", to_json(summarise(books)))
    tell(to_json(summarise(books)))


def tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
