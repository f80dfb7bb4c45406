"""Judges the rows of a run before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass

from etl.ingest.drift import find_drift, is_comparable
from etl.ingest.plan import Plan
from etl.ingest.rules import Rules
from etl.run.arguments import Arguments
from etl.run.catalogue import table_columns
from etl.run.log import log
from etl.run.measure_quality import measure_quality
from etl.run.quality import Verdict, judge, judge_dates, nothing_to_judge

_BLIND = "not compared, because the crawl does not show its columns; the headers were checked"


@dataclass(frozen=True)
class Judgement:
    """The findings before anything is written. `drift` is "" if the source is as the contract says, and
    None if a crawl cannot show its columns;
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
    optional = rules.contract.delivered_output if arguments.source_table is not None else ()
    measured = measure_quality(rows, rules.quality, optional)
    run = judge(rules.quality, measured, read, arguments.to_date)
    verdict = judge_dates(rules.quality, run, plan.raw.unreadable, plan.raw.counts(plan.own))
    log(f"quality: {verdict.verdict}, score {verdict.score}{verdict.failed and f'; {verdict.failed}'}")
    drift: str | None = ""
    if arguments.source_table is not None:
        source = arguments.source_table
        crawled = table_columns(source.database, source.name)
        drift = (
            find_drift(crawled, rules.contract, f"{source.database}.{source.name}", measured.absent)
            if is_comparable(crawled, rules.contract)
            else None
        )
        log(f"source: {_BLIND if drift is None else drift or 'as in the contract'}")
    return Judgement(verdict, drift, measured.quarantined)
