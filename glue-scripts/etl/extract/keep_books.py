"""The books of an extract: those of every pipeline, with each table as a source."""

from typing import Any

from etl import io
from etl.extract.arguments import ExtractArguments
from etl.extract.run_extract import Delivered, Outcome
from etl.run.books import (
    DateFigures,
    SourceFigures,
    make_books,
    summarise,
    to_json,
)
from etl.run.log import log


def keep_books(arguments: ExtractArguments, outcome: Outcome, seconds: float) -> None:
    """Writes the books, then the summary. Rows read are those that the database counted, rows written those
    in the files. An extract removes no duplicates and rejects no rows: a value that cannot be carried ends
    the run."""
    folder = f"{arguments.books}{arguments.run_id}/"
    books = make_books(
        pipeline=arguments.pipeline,
        run_id=arguments.run_id,
        first=arguments.day,
        last=arguments.day,
        reasons=[],
        dates=[figures_of(arguments, outcome)],
        restated=[],
        quality=quality_of(outcome),
        drift="",
        is_refused=False,
        seconds=seconds,
        uri=f"{folder}books.json",
    )
    books["extract"] = {
        "consistent": outcome.is_consistent,
        "correction": outcome.is_correction,
        "tables": {name: entry_of(one) for name, one in outcome.delivered.items()},
    }
    io.write_text(f"{folder}books.json", to_json(books))
    io.write_text(f"{folder}summary.json", to_json(summarise(books)))
    log(to_json(summarise(books)))


def figures_of(arguments: ExtractArguments, outcome: Outcome) -> DateFigures:
    of = outcome.delivered.values()
    return DateFigures(
        run_date=arguments.day,
        read=sum(one.source.rows for one in of),
        written=sum(one.written.rows for one in of),
        duplicates=0,
        quarantined={},
        input_bytes=0,
        output_bytes=sum(file.size for one in of for file in one.files),
        files=sum(len(one.files) for one in of),
        partitions=len(outcome.delivered),
        sources={one.table.name: SourceFigures(one.source.rows, one.written.rows, 0, {}, 0) for one in of},
    )


def quality_of(outcome: Outcome) -> dict[str, Any]:
    """Every figure of the database was that of the files, or the run would have ended before."""
    same = sum(
        one.source.rows == one.written.rows
        and one.source.values == one.written.values
        and one.source.sums == one.written.sums
        for one in outcome.delivered.values()
    )
    return {
        "verdict": "PASSED",
        "score": 100 * same // len(outcome.delivered),
        "threshold": 100,
        "failed": "",
    }


def entry_of(one: Delivered) -> dict[str, Any]:
    return {
        "mode": "whole" if one.table.mark is None else "mark",
        "rows": one.written.rows,
        "where": one.where,
        "connections": one.connections,
        "figuresCompared": one.source.count,
        "mark": one.source.greatest,
    }
