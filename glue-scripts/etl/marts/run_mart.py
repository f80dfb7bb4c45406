"""One run: tables become the tables of a mart."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from etl import io
from etl.errors import StorageError, TooManyRows
from etl.marts.arguments import MartArguments
from etl.marts.inputs import DAY, Inputs, open_inputs
from etl.marts.make import Made, make
from etl.marts.plan import AsOf, Mart
from etl.marts.publish import Publication
from etl.run import lock
from etl.run.books import MAX_ROWS
from etl.run.log import log
from etl.run.measure_quality import measure_quality
from etl.run.quality import Verdict, judge
from etl.session import configure


@dataclass(frozen=True)
class Outcome:
    """`written` are the rows of each table as they lie there, `sizes` its files and bytes; `read` the rows of
    each input, and `snapshots` where they were read. `verdicts` are those of the tables that have rules. An
    `is_unchanged` run has written nothing, because the inputs are those of the run before. `empty_because`
    says why there are no rows."""

    made: Sequence[Made]
    read: Mapping[str, int]
    snapshots: Mapping[str, int | None]
    made_from: str
    verdicts: Mapping[str, Verdict]
    written: Mapping[str, int]
    sizes: Mapping[str, tuple[int, int]]
    is_unchanged: bool = False
    empty_because: str = ""

    @property
    def failed(self) -> dict[str, Verdict]:
        return {name: one for name, one in self.verdicts.items() if one.verdict == "FAILED"}


def run_mart(spark: SparkSession, arguments: MartArguments, mart: Mart, started: datetime) -> Outcome:
    """Reads, makes, judges, publishes, and checks what was published. Raises InputRefused, ModelRefused,
    TableRefused and InvalidArguments before anything is written, MartViolated once all is rolled back."""
    configure(spark, 0)
    inputs = open_inputs(spark, arguments, mart)
    made_from = fingerprint(inputs, mart, arguments)
    publication = Publication(spark, arguments, mart, made_from, started)
    publication.check_targets()
    if is_verified(arguments, made_from) and publication.has_all():
        log(f"the inputs are those of the run before for {arguments.day}: nothing is written")
        return Outcome([], {}, inputs.snapshots(), made_from, {}, {}, {}, is_unchanged=True)
    configure(spark, inputs.bytes())
    made = make(spark, inputs, mart, arguments.day)
    refuse_too_many(made)
    verdicts = judge_rules(made, arguments)
    failed = [name for name, verdict in verdicts.items() if verdict.verdict == "FAILED"]
    # A run that has lost its lock must not touch the tables, nor say in the books what became of them.
    lock.take_lock(arguments.lock.table, arguments.pipeline, arguments.lock.owner)
    written: dict[str, int] = {}
    if not failed:
        publication.publish(made)
        publication.check(inputs)
        written = {one.table.name: publication.written(one) for one in made}
    outcome = Outcome(
        made=made,
        read=inputs.count(),
        snapshots=inputs.snapshots(),
        made_from=made_from,
        verdicts=verdicts,
        written=written,
        sizes={name: target.size() for name, target in publication.targets.items()},
        empty_because=why_empty(inputs, made, arguments),
    )
    for one in made:
        one.forget()
    return outcome


def fingerprint(inputs: Inputs, mart: Mart, arguments: MartArguments) -> str:
    """Changes with the snapshots of inputs, the declaration, and, of as-of tables, with the run date."""
    parts: dict[str, Any] = {"inputs": inputs.snapshots(), "mart": mart.text}
    if mart.depends_on_run_date:
        parts["runDate"] = f"{arguments.day}"
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def note_uri(arguments: MartArguments) -> str:
    """The books of the last run of a run date, which has checked what it published."""
    return f"{arguments.books}by-date/{arguments.day}.json"


def is_verified(arguments: MartArguments, made_from: str) -> bool:
    try:
        note = json.loads(io.read_text(note_uri(arguments)))
    except (StorageError, ValueError):
        return False
    return isinstance(note, dict) and note.get("madeFrom") == made_from


def refuse_too_many(made: Sequence[Made]) -> None:
    rows = sum(one.count for one in made)
    if rows > MAX_ROWS:
        raise TooManyRows(
            f"the tables of the mart have {rows} rows, and the books of a run count to {MAX_ROWS}: make "
            "several marts"
        )


def judge_rules(made: Sequence[Made], arguments: MartArguments) -> dict[str, Verdict]:
    """The verdicts of the tables that have rules, before anything is published."""
    verdicts = {}
    for one in made:
        quality = one.table.quality
        if quality is not None:
            rows = one.rows.withColumn("reason", F.lit(None).cast("string"))
            measured = measure_quality(rows, quality)
            verdicts[one.table.name] = judge(quality, measured, one.count, arguments.day)
    return verdicts


def why_empty(inputs: Inputs, made: Sequence[Made], arguments: MartArguments) -> str:
    """Says why an as-of date has no rows; "" for a mart that has some, or is of other kinds."""
    if any(one.count for one in made):
        return ""
    for one in made:
        if isinstance(one.table.kind, AsOf):
            name = one.table.kind.input
            [first] = inputs.days(name).agg(F.min(DAY)).collect()[0]
            table = inputs.declared[name].table
            if first is None:
                return f"{table} has no rows"
            if arguments.day < first:
                return f"{arguments.day} is before the first version of {table}, which is of {first}"
    return "the inputs give no row"
