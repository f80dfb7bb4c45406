"""Counts in one aggregation what the quality rules need to know about the rows of a run."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.run.meet_rule import meets
from etl.run.quality import SHARES, Measured, Quality, Rule


def measure_quality(judged: DataFrame, quality: Quality, optional: Sequence[str] = ()) -> Measured:
    """`judged` has what `classify_rows` made of the run's own dates, without the duplicates: rows whose
    `reason` is null are to be published, the others are quarantined. `optional` are the columns that may
    have no value in any row: the catalogue keeps a column for ever, also when it is no longer delivered."""
    is_published = F.col("reason").isNull()
    counted = [rule for rule in quality.rules if rule.type in SHARES]
    dated = [rule for rule in quality.rules if rule.type == "freshness"]
    row = judged.agg(
        _count(is_published),
        *(_count_of(rule, is_published) for rule in counted),
        *(F.unix_micros(F.max(F.when(is_published, F.col(rule.columns[0])))) for rule in dated),
        *(_count(F.col("reason") == reason) for reason in quality.reasons),
        *(_count(is_published & F.col(name).isNotNull()) for name in optional),
    ).collect()[0]
    values = iter(row)
    rows = next(values)
    return Measured(
        rows=rows,
        counts={rule.name: next(values) for rule in counted},
        newest={rule.name: next(values) for rule in dated},
        quarantined={reason: next(values) for reason in quality.reasons},
        absent=tuple(name for name in optional if next(values) == 0 and rows > 0),
    )


def _count_of(rule: Rule, is_published: Column) -> Column:
    if rule.type == "uniqueness":
        # A struct, because a count over several columns leaves out rows with a null.
        return F.count_distinct(F.when(is_published, F.struct(*rule.columns)))
    return _count(is_published & meets(rule))


def _count(condition: Column) -> Column:
    return F.count(F.when(condition, F.lit(1)))
