"""Judges the rows of a run before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etl.ingest.drift import find_drift, is_comparable
from etl.ingest.plan import Plan
from etl.ingest.rules import Rules
from etl.ingest.sources import Sources
from etl.run.arguments import Arguments, CatalogueTable
from etl.run.catalogue import table_columns
from etl.run.log import log
from etl.run.measure_quality import OptionalColumns, measure_quality
from etl.run.quality import Verdict, judge, judge_dates, judge_sources, nothing_to_judge

_BLIND = "not compared, because no crawl shows its columns; headers and types of files were checked"


@dataclass(frozen=True)
class Judgement:
    """The findings before anything is written. `drift` is "" if the source is as the contract says, and
    None if no crawl shows its columns;
    `quarantined` counts the rejected rows by reason."""

    verdict: Verdict
    drift: str | None
    quarantined: Mapping[str, int]

    @property
    def is_refused(self) -> bool:
        return self.verdict.verdict == "FAILED"


def judge_run(arguments: Arguments, rules: Rules, plan: Plan) -> Judgement:
    """Judges the rows of the run's own dates as they would be published, and the source's columns. Raises
    SourceDrifted if the contract says so."""
    rows = plan.judged_of_own()
    read = sum(plan.raw.counts(plan.own).values())
    if rows is None or read == 0:
        return Judgement(nothing_to_judge(rules.quality), "", {})
    is_compared = arguments.source_table is not None
    measured = measure_quality(rows, rules.quality, _optional(rules.sources) if is_compared else ())
    run = judge(rules.quality, measured, read, arguments.to_date)
    verdict = judge_dates(rules.quality, run, plan.raw.unreadable, plan.raw.counts(plan.own))
    if rules.sources.names:
        read_of = {of: count for of, count in plan.raw.read_of.items() if of[0] in plan.own}
        verdict = judge_sources(rules.quality, verdict, plan.raw.unreadable_of, read_of)
    log(f"quality: {verdict.verdict}, score {verdict.score}{verdict.failed and f'; {verdict.failed}'}")
    drift = None
    if arguments.source_table is not None:
        drift = _drift(arguments.source_table, rules.sources, plan, measured.absent)
    log(f"source: {_BLIND if drift is None else drift or 'as in the contract'}")
    return Judgement(verdict, drift, measured.quarantined)


def _optional(sources: Sources) -> list[OptionalColumns]:
    return [
        OptionalColumns(source.contract.delivered_output, source.name, sources.column)
        for source in sources.all
    ]


def _drift(
    table: CatalogueTable, sources: Sources, plan: Plan, absent: Mapping[str, Sequence[str]]
) -> str | None:
    """The drift of all sources together, each named. A source that has delivered nothing is not compared, and
    one that cannot be compared is left out; None if none can."""
    found: list[str] = []
    is_blind = True
    for source in sources.all:
        name = f"{table.name}_{source.table}" if source.name else table.name
        if source.name and not any(delivery.files_of(source.name) for delivery in plan.own.values()):
            continue
        crawled = table_columns(table.database, name)
        if not is_comparable(crawled, source.contract):
            continue
        is_blind = False
        text = find_drift(crawled, source.contract, f"{table.database}.{name}", absent.get(source.name, ()))
        if text:
            found.append(f"{source.name}: {text}" if source.name else text)
    return None if is_blind else "; ".join(found)
