"""The books of a mart: those of every pipeline, with each table as a source, and what it was made from."""

from typing import Any

from etl import io
from etl.marts.arguments import MartArguments
from etl.marts.plan import Mart
from etl.marts.run_mart import Outcome, note_uri
from etl.run.books import DateFigures, SourceFigures, make_books, summarise, to_json
from etl.run.log import log


def keep_books(arguments: MartArguments, mart: Mart, outcome: Outcome, seconds: float) -> None:
    """Writes the books, then the summary. Rows read are those that were made of the inputs, rows written
    those in the tables after the write. Then it notes that the run has checked what it published."""
    folder = f"{arguments.books}{arguments.run_id}/"
    failed = outcome.failed
    books = make_books(
        pipeline=arguments.pipeline,
        run_id=arguments.run_id,
        first=arguments.day,
        last=arguments.day,
        reasons=[],
        dates=[figures_of(arguments, mart, outcome)],
        restated=[],
        quality=quality_of(outcome),
        drift="",
        is_refused=bool(failed),
        seconds=seconds,
        uri=f"{folder}books.json",
        refused=explain(outcome) if failed else None,
    )
    if outcome.is_unchanged:
        # Nothing was read or written, and yet the tables have rows.
        books["outcome"] = "SUCCEEDED"
    books["mart"] = entry_of(mart, outcome)
    books["madeFrom"] = outcome.made_from
    io.write_text(f"{folder}books.json", to_json(books))
    io.write_text(f"{folder}summary.json", to_json(summarise(books)))
    if not failed and not outcome.is_unchanged:
        io.write_text(note_uri(arguments), to_json(books))
    log(to_json(summarise(books)))


def figures_of(arguments: MartArguments, mart: Mart, outcome: Outcome) -> DateFigures:
    """A run that published nothing has no rows of any table."""
    is_published = bool(outcome.written)
    names = [table.name for table in mart.tables]
    made = {one.table.name: one.count for one in outcome.made if is_published}
    sizes = outcome.sizes.values() if is_published else []
    return DateFigures(
        run_date=arguments.day,
        read=sum(made.values()),
        written=sum(outcome.written.values()),
        duplicates=0,
        quarantined={},
        input_bytes=0,
        output_bytes=sum(size for _, size in sizes),
        files=sum(count for count, _ in sizes),
        partitions=len(made),
        sources={
            name: SourceFigures(made.get(name, 0), outcome.written.get(name, 0), 0, {}, 0) for name in names
        },
    )


def quality_of(outcome: Outcome) -> dict[str, Any]:
    """The worst verdict speaks for all tables; without rules there is nothing to fail."""
    if not outcome.verdicts:
        return {"verdict": "PASSED", "score": 100, "threshold": 0, "failed": ""}
    order = ("FAILED", "WARNED", "PASSED")
    worst = min(outcome.verdicts.values(), key=lambda one: (order.index(one.verdict), one.score))
    failed = "; ".join(f"{name}: {one.failed}" for name, one in outcome.verdicts.items() if one.failed)
    return {**worst.summary(), "failed": failed}


def explain(outcome: Outcome) -> dict[str, Any]:
    """The message of a refused run. It names rules and counts, and no value."""
    failed = "; ".join(f"{name}: {one.failed}" for name, one in outcome.failed.items())
    cause = f"the rows of the mart fail their rules ({failed})."
    text = (
        f"{cause} Nothing was published, and what earlier runs published is as it was. Correct the inputs or "
        "the rules, then run the date again."
    )
    return {"text": text, "cause": cause}


def entry_of(mart: Mart, outcome: Outcome) -> dict[str, Any]:
    return {
        "unchanged": outcome.is_unchanged,
        "emptyBecause": outcome.empty_because,
        "inputs": {
            name: {
                "table": one.table,
                "snapshot": None if outcome.snapshots[name] is None else str(outcome.snapshots[name]),
                "rows": outcome.read.get(name),
            }
            for name, one in mart.inputs.items()
        },
        "tables": {
            one.table.name: {
                "rows": one.count,
                "counts": dict(one.counts),
                "unknown": dict(one.unknown),
                "undated": one.undated,
            }
            for one in outcome.made
        },
        "built": "whole",
    }
