"""Decides which rows are good and which go to quarantine. A quarantined row has one reason, the first that
fits: in the order of the contract, then of the quality rules that quarantine."""

from collections.abc import Collection, Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.ingest.contract import CategoryRule, Contract, Given, Rule, digits_of
from etl.ingest.contract import Column as ContractColumn
from etl.ingest.reading import read_number
from etl.ingest.transforms.compute_columns import WHOLE, compute_columns, made
from etl.ingest.transforms.judge_allowed import has_value_not_allowed
from etl.ingest.transforms.judge_types import has_wrong_type, moment_of, text_of, value_of
from etl.ingest.transforms.parse_lines import SEAL, UNPARSED, readable
from etl.ingest.transforms.read_moments import local_date, read_moment, with_moments
from etl.run.meet_rule import meets
from etl.run.quality import Rule as QualityRule

# With hyphens, so that no expression can name them.
EVIDENCE = "x-etl-evidence"
# The key of a rejected row, as far as it can be read, where a whole delivery becomes versions.
REJECTED_KEY = "x-etl-key"
_LINE, _PARTS, _IS_ROW = "x-etl-line", "x-etl-parts", "x-etl-is-row"
_OF_PARSING = ("line", "row", "texts", "is_object", "is_clean")
_OF_THE_PARSER = (SEAL, UNPARSED)


def classify_rows(
    parsed: DataFrame, contract: Contract, quarantine_rules: Sequence[QualityRule] = ()
) -> DataFrame:
    """Judges what `parse_lines` made. `quarantine_rules` reject those of the rows that meet the contract but
    break a rule, with the rule's name as reason.

    Out: the other columns of `parsed`; `reason`, null for a good row; `raw_line`, null for a good row;
    EVIDENCE, from which `explain_rejected` says what is wrong, null for a good row and for a line that is no
    row; REJECTED_KEY in a contract of whole deliveries that become versions; the contract's output columns,
    null for a quarantined one."""
    others = [name for name in parsed.columns if name not in _OF_PARSING]
    timed = _with_times(parsed, contract)
    computed = compute_columns(timed, _usable(contract), contract.computed)
    judged = computed.select("*", _reason(contract).alias("reason"))
    is_good = F.col("reason").isNull()
    classified = judged.select(
        *others,
        "reason",
        F.col("line").alias(_LINE),
        F.struct(_row_alone(parsed), *_parts(computed, others)).alias(_PARTS),
        F.col("is_object").alias(_IS_ROW),
        *_rejected_key(contract),
        *(F.when(is_good, output_of(contract, name)).alias(name) for name in contract.output),
    )
    if quarantine_rules:
        broken = F.coalesce(*(F.when(~meets(rule), F.lit(rule.name)) for rule in quarantine_rules))
        classified = classified.withColumn("reason", F.coalesce("reason", broken))
    return classified.select(
        *others,
        "reason",
        F.when(~is_good, readable(F.col(_LINE))).alias("raw_line"),
        F.when(~is_good & F.col(_IS_ROW), F.col(_PARTS)).alias(EVIDENCE),
        *([F.when(~is_good, F.col(REJECTED_KEY)).alias(REJECTED_KEY)] if _rejected_key(contract) else []),
        *(F.when(is_good, F.col(name)).alias(name) for name in contract.output),
    )


def _rejected_key(contract: Contract) -> list[Column]:
    if contract.changes is None or not contract.changes.is_whole:
        return []
    return [
        F.struct(*(output_of(contract, name).alias(name) for name in contract.business_key)).alias(
            REJECTED_KEY
        )
    ]


def _row_alone(parsed: DataFrame) -> Column:
    """`row` without the columns in which the parser keeps the whole line."""
    kind = parsed.schema["row"].dataType
    assert isinstance(kind, StructType)
    names = [name for name in kind.fieldNames() if name not in _OF_THE_PARSER]
    return F.struct(*(F.col("row")[name].alias(name) for name in names)).alias("row")


def _parts(computed: DataFrame, others: Collection[str]) -> list[Column]:
    names = [name for name in computed.columns if name not in (*others, "line", "row", "is_object")]
    return [F.col(f"`{name}`") for name in names]


def _reason(contract: Contract) -> Column:
    conditions = [(rule.reason, _applies(rule, contract) & fails(rule, contract)) for rule in contract.rules]
    (first, is_first), *rest = conditions
    reason = F.when(is_first, F.lit(first))
    for name, is_rejected in rest:
        reason = reason.when(is_rejected, F.lit(name))
    return reason


def _applies(rule: Rule, contract: Contract) -> Column:
    """False for a delete of AWS DMS that need not have the columns of the rule: it may hold its key alone."""
    changes = contract.changes
    if contract.dms is None or changes is None or changes.op_column is None:
        return F.lit(True)
    needed = {*contract.business_key, *changes.order, changes.op_column, changes.valid_from}
    is_about_others = rule.kind in ("missing", "notATimestamp") and needed.isdisjoint(rule.names)
    if not is_about_others:
        return F.lit(True)
    is_delete = text_of(changes.op_column).isin(list(changes.op_values))
    return ~F.coalesce(is_delete, F.lit(False))


def fails(rule: Rule, contract: Contract) -> Column:
    """True for a row that the rule rejects, unless an earlier one did."""
    if rule.kind == "missing":
        return reduce(and_, (is_missing(text_of(name)) for name in rule.names))
    if rule.kind == "wrongType":
        return has_wrong_type(contract, partition_values(contract))
    if rule.kind == "notATimestamp":
        return is_no_timestamp(rule, contract)
    if rule.kind == "notAllowed":
        return has_value_not_allowed(contract)
    return ~F.col("is_object")


def is_missing(text: Column) -> Column:
    has_something_to_see = text.rlike(r"[^\s\p{Z}]")
    return text.isNull() | ~has_something_to_see


def is_no_timestamp(rule: Rule, contract: Contract) -> Column:
    """True for a row that a rule notATimestamp rejects. A row must have the contract's timestamp."""
    if contract.timestamp is not None and rule.column == contract.timestamp.source:
        return F.col("day").isNull()
    [column] = [one for one in contract.columns if one.name == rule.column]
    return ~is_missing(text_of(column.name)) & F.col(f"`{moment_of(column)}`").isNull()


def _with_times(parsed: DataFrame, contract: Contract) -> DataFrame:
    """Adds the moments of the columns that have them, and `moment` and `day` of the contract's timestamp,
    null where a text is in none of the formats."""
    texts = {
        moment_of(column): (F.col("row")[column.name], column.moments)
        for column in contract.columns
        if column.moments is not None
    }
    if contract.timestamp is None:
        return with_moments(parsed, texts) if texts else parsed
    rule = contract.timestamp
    text = text_of(rule.source)
    timed = with_moments(parsed, {**texts, "moment": (text, rule.moments)})
    day = local_date(F.col("moment"), rule.moments.time_zone)
    if rule.date_formats:
        day = F.coalesce(day, F.to_date(read_moment(text, rule.date_formats)))
    return timed.select("*", day.alias("day"))


def _usable(contract: Contract) -> dict[str, Column]:
    """The columns that an expression may use."""
    types = contract.base_types
    values = {name: _base(contract, name) for name, type_ in types.items() if "<" not in type_}
    whole = {column.name: _whole(column) for column in contract.columns if types[column.name] == "bigint"}
    clean = F.col("is_clean")
    return {name: F.when(clean, whole.get(name, value)) for name, value in values.items()}


def _whole(column: ContractColumn) -> Column:
    """A whole number as a decimal of as many digits as its range has. Beyond its range it is null: such a row
    is rejected."""
    value = F.col("row")[column.name]
    digits = digits_of(column)
    if digits is None:
        return value.cast(WHOLE)
    is_within = F.abs(value.cast(WHOLE)) < F.lit(f"1{'0' * digits}").cast(f"decimal({digits + 1},0)")
    return F.when(is_within, value.cast(f"decimal({digits},0)"))


def partition_values(contract: Contract) -> dict[str, Column]:
    """The values that name partitions, as texts."""
    types = contract.output_types
    values = {name: output_of(contract, name) for name in contract.partition_by}
    return {
        name: value if types[name] == "string" else value.cast("string") for name, value in values.items()
    }


def output_of(contract: Contract, name: str) -> Column:
    """The value of an output column, before it is known whether its row is good."""
    if name in {one.name for one in contract.computed}:
        return made(name)
    return _base(contract, name)


def _base(contract: Contract, name: str) -> Column:
    if contract.timestamp is not None:
        if name == contract.timestamp.column:
            return F.col("moment")
        if name == contract.timestamp.date_column:
            return F.col("day")
    if contract.category is not None and name == contract.category.column:
        return _category(contract.category)
    for column in contract.columns:
        if column.name == name:
            return value_of(column)
    for given in contract.given:
        if given.name == name:
            return _given(given).cast(given.type)
    return F.col("row")[name]


def _given(given: Given) -> Column:
    if not given.of_reads:
        return F.lit(given.value)
    return F.coalesce(*(F.when(read_number() == read, F.lit(value)) for read, value in given.of_reads))


def _category(rule: CategoryRule) -> Column:
    source = F.col("row")[rule.source]
    category = F.lit(rule.default)
    by_category: dict[str, list[str]] = {}
    for value, name in rule.values.items():
        by_category.setdefault(name, []).append(value)
    for name, values in by_category.items():
        category = F.when(source.isin(values), F.lit(name)).otherwise(category)
    return category
