"""Judges the rows of a run before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etl.ingest.drift import find_drift, is_comparable
from etl.ingest.parquet_files import find_drift_of_files
from etl.ingest.plan import Plan
from etl.ingest.rules import Rules
from etl.ingest.sources import DeliverySource, Sources
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
    drift = _drift(arguments.source_table, rules.sources, plan, measured.absent)
    log(f"source: {_BLIND if drift is None else drift or 'as in the contract'}")
    return Judgement(verdict, drift, measured.quarantined)


def _optional(sources: Sources) -> list[OptionalColumns]:
    return [
        OptionalColumns(source.contract.delivered_output, source.name, sources.column)
        for source in sources.all
    ]


def _drift(
    table: CatalogueTable | None, sources: Sources, plan: Plan, absent: Mapping[str, Sequence[str]]
) -> str | None:
    """The drift of all sources together, each named. A source that has delivered nothing is not compared, and
    one that cannot be compared is left out; None if none can."""
    told = [
        (source.name, _drift_of_source(table, source, plan, absent.get(source.name, ())))
        for source in sources.all
        if not source.name or any(delivery.files_of(source.name) for delivery in plan.own.values())
    ]
    if all(text is None for _, text in told):
        return None
    return "; ".join(f"{name}: {text}" if name else text for name, text in told if text)


def _drift_of_source(
    table: CatalogueTable | None, source: DeliverySource, plan: Plan, absent: Sequence[str]
) -> str | None:
    """By the footers of Parquet, or by the crawled table; None if neither shows the columns."""
    if source.contract.format.is_parquet:
        files = [file for delivery in plan.own.values() for file in delivery.files_of(source.name)]
        place = f"the Parquet of {min(plan.own)} to {max(plan.own)}"
        return find_drift_of_files(plan.raw.spark, files, source.contract, place)
    if table is None:
        return None
    name = f"{table.name}_{source.table}" if source.name else table.name
    crawled = table_columns(table.database, name)
    if not is_comparable(crawled, source.contract):
        return None
    return find_drift(crawled, source.contract, f"{table.database}.{name}", absent)
