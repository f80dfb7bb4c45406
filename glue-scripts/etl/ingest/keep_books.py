"""Writes the books of a run."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from etl import io
from etl.ingest import by_date
from etl.ingest.judge_run import Judgement
from etl.ingest.plan import Plan
from etl.ingest.rules import Rules
from etl.ingest.sources import Skipped
from etl.run.arguments import Arguments
from etl.run.books import DateFigures, make_books, summarise, to_json
from etl.run.log import log
from etl.run.refusal import Evidence, explain_refusal
from etl.run.rejected import Rejected


def keep_books(
    arguments: Arguments,
    rules: Rules,
    plan: Plan,
    judgement: Judgement,
    figures: Mapping[date, DateFigures],
    rejected: Sequence[Rejected],
    seconds: float,
    skipped: Sequence[Skipped] = (),
    models: Mapping[str, Mapping[str, int]] | None = None,
) -> None:
    """Writes the books by date, then the books and the list of the files that were read, then the summary, so
    that with a summary the others exist."""
    folder = f"{arguments.books}{arguments.run_id}/"
    books = make_books(
        pipeline=arguments.pipeline,
        run_id=arguments.run_id,
        first=arguments.from_date,
        last=arguments.to_date,
        reasons=rules.quality.reasons,
        dates=[figures[day] for day in sorted(plan.own)],
        restated=[figures[day] for day in sorted(plan.restated) if day in figures],
        quality=judgement.verdict.summary(),
        drift=judgement.drift,
        is_refused=judgement.is_refused,
        seconds=seconds,
        uri=f"{folder}books.json",
        rejected=[one.entry(with_value=arguments.shows_values) for one in rejected],
        refused=explain(arguments, rules, plan, judgement, figures, rejected),
        skipped=[one.uri for one in skipped],
        models=models,
    )
    if not judgement.is_refused:
        keep_books_by_date(arguments, plan, books)
        io.write_text(f"{folder}files.json", files_text(plan))
    io.write_text(f"{folder}books.json", to_json(books))
    io.write_text(f"{folder}summary.json", to_json(summarise(books)))
    log(to_json(summarise(books)))
    if (plan.is_noted or models) and not judgement.is_refused:
        by_date.remove_note(arguments.books)


def files_text(plan: Plan) -> str:
    """The files of the run's own dates as JSON, one a line: by URI the version (`io.version_of`) that was
    listed before they were read. `leftOut` are those that are not read because of their names."""
    own = [plan.own[day] for day in sorted(plan.own)]
    lists = {
        "files": [file for delivery in own for file in delivery.files],
        "leftOut": [file for delivery in own for file in delivery.left_out],
    }
    versions = {name: {file.uri: io.version_of(file) for file in files} for name, files in lists.items()}
    return json.dumps(versions, indent=0, ensure_ascii=False) + "\n"


def explain(
    arguments: Arguments,
    rules: Rules,
    plan: Plan,
    judgement: Judgement,
    figures: Mapping[date, DateFigures],
    rejected: Sequence[Rejected],
) -> dict[str, Any] | None:
    """The refusal as the books have it: the text that the execution fails with, and how to see the rejected
    rows. None for a run that publishes."""
    if not judgement.is_refused:
        return None
    of_own = [figures[day] for day in plan.own]
    rows = sum(sum(of_date.quarantined.values()) for of_date in of_own)
    table = arguments.refused_table
    evidence = None
    if arguments.refused is not None:
        name = "" if table is None else f"{table.database}.{table.name}"
        evidence = Evidence(arguments.refused, rows, name, arguments.workgroup, arguments.refused_days)
    return explain_refusal(
        run_id=arguments.run_id,
        read=sum(of_date.read for of_date in of_own),
        first=arguments.from_date,
        last=arguments.to_date,
        quality=rules.quality,
        verdict=judgement.verdict,
        rejected=rejected,
        evidence=evidence,
        shows_values=arguments.shows_values,
    )


def keep_books_by_date(arguments: Arguments, plan: Plan, books: Mapping[str, Any]) -> None:
    for name, is_restated in (("dates", False), ("restatedDates", True)):
        for entry in books[name]:
            delivery = plan.deliveries[date.fromisoformat(entry["runDate"])]
            by_date.put_book(arguments.books, arguments.run_id, delivery, entry, is_restated=is_restated)
