"""Counts in one aggregation what the quality rules need to know about the rows of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.run.meet_rule import meets
from etl.run.quality import SHARES, Measured, Quality, Rule


@dataclass(frozen=True)
class OptionalColumns:
    """Columns that may have no value in any row of a source: the catalogue keeps a column for ever, also when
    it is no longer delivered. The rows of a source are those whose `column` holds its name; all rows, if it
    has none."""

    columns: Sequence[str]
    source: str = ""
    column: str | None = None

    def is_of(self) -> Column:
        return F.lit(True) if self.column is None else F.col(f"`{self.column}`") == self.source


def measure_quality(
    judged: DataFrame, quality: Quality, optional: Sequence[OptionalColumns] = ()
) -> Measured:
    """`judged` has what `classify_rows` made of the run's own dates, without the duplicates: rows whose
    `reason` is null are to be published, the others are quarantined."""
    is_published = F.col("reason").isNull()
    counted = [rule for rule in quality.rules if rule.type in SHARES]
    dated = [rule for rule in quality.rules if rule.type == "freshness"]
    row = judged.agg(
        _count(is_published),
        *(_count_of(rule, is_published) for rule in counted),
        *(F.unix_micros(F.max(F.when(is_published, F.col(rule.columns[0])))) for rule in dated),
        *(_count(F.col("reason") == reason) for reason in quality.reasons),
        *(
            _count(is_published & F.col(name).isNotNull())
            if one.column is None
            else _count(is_published & one.is_of() & F.col(name).isNotNull())
            for one in optional
            for name in one.columns
        ),
        *(_count(is_published & one.is_of()) for one in optional if one.column is not None),
    ).collect()[0]
    values = iter(row)
    rows = next(values)
    return Measured(
        rows=rows,
        counts={rule.name: next(values) for rule in counted},
        newest={rule.name: next(values) for rule in dated},
        quarantined={reason: next(values) for reason in quality.reasons},
        absent=_absent(optional, values, rows),
    )


def _absent(
    optional: Sequence[OptionalColumns], values: Iterator[int], rows: int
) -> dict[str, tuple[str, ...]]:
    counts = {one.source: [(name, next(values)) for name in one.columns] for one in optional}
    of_source = {one.source: rows if one.column is None else next(values) for one in optional}
    return {
        source: tuple(name for name, count in columns if count == 0 and of_source[source] > 0)
        for source, columns in counts.items()
    }


def _count_of(rule: Rule, is_published: Column) -> Column:
    if rule.type == "uniqueness":
        # A struct, because a count over several columns leaves out rows with a null.
        return F.count_distinct(F.when(is_published, F.struct(*rule.columns)))
    return _count(is_published & meets(rule))


def _count(condition: Column) -> Column:
    return F.count(F.when(condition, F.lit(1)))
