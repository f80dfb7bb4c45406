"""The job of every pipeline that has a contract. The raw files of some delivery dates become a table: each
date replaces what an earlier run wrote for it, and later dates follow where that changes them. Rows that do
not meet the contract go to quarantine. Rows that fail the quality rules are not published at all. What the
contract adds up goes to the curated zone, and so do the models of what was published. The books say where
every row went."""

import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime

from etl.ingest.deliveries import find_deliveries
from etl.ingest.find_rejected import find_rejected_of_run
from etl.ingest.judge_run import judge_run
from etl.ingest.keep_books import keep_books
from etl.ingest.plan import Plan
from etl.ingest.plan_run import plan_run
from etl.ingest.publish import publish, refuse
from etl.ingest.rules import Rules, read_rules
from etl.ingest.sources import find_unknown
from etl.ingest.tables import Tables, open_iceberg_table, open_tables
from etl.model.check_models import check_models
from etl.model.recompute import recompute
from etl.model.targets import Target, open_targets
from etl.model.touched_dates import merge, touched_dates
from etl.run import lock
from etl.run.arguments import Arguments, read_arguments
from etl.run.books import DateFigures
from etl.run.check_books import check_books
from etl.run.java_classes import remember_classes
from etl.run.workflow_run import with_workflow_run
from etl.session import spark_failures_named
from pyspark.sql import SparkSession


def main(argv: Sequence[str]) -> None:
    arguments = read_arguments(with_workflow_run(argv))
    if not arguments.is_in_workflow:
        run(arguments)
        return
    with hold_own_lock(arguments):
        run(arguments)
        check_books(arguments.books, arguments.run_id)


def hold_own_lock(arguments: Arguments) -> AbstractContextManager[None]:
    if arguments.lock is None:
        return nullcontext()
    return lock.hold_lock(arguments.lock.table, arguments.pipeline, arguments.lock.owner)


def run(arguments: Arguments) -> None:
    started, began = datetime.now(UTC), time.monotonic()
    rules = read_rules(arguments)
    tables = open_tables(arguments, rules.contract)
    targets = open_targets(arguments)
    skipped = find_unknown(arguments.source, rules.sources)
    deliveries = find_deliveries(arguments.source, rules.sources, arguments.from_date, arguments.to_date)
    with ThreadPoolExecutor(max_workers=1) as beside, spark_failures_named():
        spark = open_session(arguments.pipeline)
        # Spark plans a query in one thread, so the models are checked while the rows are read.
        models = [target.model for target in targets]
        checked = beside.submit(check_models, spark, models, rules.contract.output_types)
        table = open_iceberg_table(spark, arguments, rules.contract)
        plan = plan_run(spark, arguments, rules, deliveries, table, started)
        checked.result()
        judgement = judge_run(arguments, rules, plan)
        rejected = find_rejected_of_run(plan, rules, judgement.quarantined, with_places=judgement.is_refused)
        # Nothing has been written or removed so far. A run that has lost its lock must not touch the tables.
        if arguments.lock is not None:
            lock.take_lock(arguments.lock.table, arguments.pipeline, arguments.lock.owner)
        modelled = None
        if judgement.is_refused:
            figures = refuse(arguments, rules, plan)
        elif targets:
            figures, modelled = publish_with_models(spark, arguments, rules, plan, tables, targets)
        else:
            figures = publish(arguments, rules, plan, tables, table)
    seconds = time.monotonic() - began
    keep_books(arguments, rules, plan, judgement, figures, rejected, seconds, skipped, modelled)


def publish_with_models(
    spark: SparkSession,
    arguments: Arguments,
    rules: Rules,
    plan: Plan,
    tables: Tables,
    targets: Sequence[Target],
) -> tuple[dict[date, DateFigures], Mapping[str, Mapping[str, int]]]:
    """Publishes, and then recomputes the models for the dates of rows that were replaced, those of rows
    that were written, and those that a killed run has left. Gives the figures of both."""
    location, own, history = arguments.output, plan.deliveries, plan.history
    columns = {target.model.by for target in targets}
    replaced = touched_dates(location, {*own, *history.unfinished}, columns)
    touched = merge(history.touched, replaced)
    figures = publish(arguments, rules, plan, tables, None, touched)
    touched = merge(touched, touched_dates(location, own, columns))
    return figures, recompute(spark, targets, location, rules.contract.output_types, touched)


def open_session(pipeline: str) -> SparkSession:
    """The session of Glue, whose context must exist for its observability metrics; elsewhere Spark's own."""
    spark = SparkSession.builder.appName(pipeline).getOrCreate()
    remember_classes(spark)
    try:
        from awsglue.context import GlueContext  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return spark
    session: SparkSession = GlueContext(spark.sparkContext).spark_session
    return session


if __name__ == "__main__":
    main(sys.argv[1:])
