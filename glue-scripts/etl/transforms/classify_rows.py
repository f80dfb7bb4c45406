"""Rows become good rows or quarantined rows: one reason each, the first that fits, in the contract's order
and then in that of the quality rules that quarantine."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import ArrayType, BooleanType, DataType, MapType, StringType

from etl.contract import Column as ContractColumn
from etl.contract import Contract, Rule
from etl.quality_reader import Rule as QualityRule
from etl.transforms.meet_rule import meets
from etl.transforms.parse_lines import parse_member, readable

_LINE, _REASON = "x-etl-line", "x-etl-reason"  # hyphens: no name that an expression could mean
_NOT_TEXTS: tuple[DataType, ...] = (
    BooleanType(),
    MapType(StringType(), StringType()),
    ArrayType(StringType()),
)


def classify_rows(
    parsed: DataFrame, contract: Contract, quarantine_rules: Sequence[QualityRule] = ()
) -> DataFrame:
    """Judges what `parse_lines` made. `quarantine_rules` take of the rows that meet the contract those that
    break them, with the rule's name as reason.

    Out: the other columns of `parsed`; `reason`, null for a good row; `raw_line`, null for a good row; the
    contract's output columns, null for a quarantined one."""
    made = ("line", "row", "texts", "is_object", "is_clean")
    others = [name for name in parsed.columns if name not in made]
    timed = parsed.select("*", _timestamp(contract).alias("moment"))
    judged = timed.select("*", _reason(contract).alias("reason"))
    is_good = F.col("reason").isNull()
    classified = judged.select(
        *others,
        "reason",
        F.when(~is_good, readable(F.col("line"))).alias("raw_line"),
        *(F.when(is_good, _output(contract, name)).alias(name) for name in contract.output),
        *([F.col("line").alias(_LINE)] if quarantine_rules else []),
    )
    return _apply_rules(classified, contract, quarantine_rules) if quarantine_rules else classified


def _apply_rules(classified: DataFrame, contract: Contract, rules: Sequence[QualityRule]) -> DataFrame:
    """The same columns without the line, after the rules have taken theirs."""
    broken = F.coalesce(*(F.when(~meets(rule), F.lit(rule.name)) for rule in rules))
    judged = classified.select("*", F.coalesce("reason", broken).alias(_REASON))
    is_good = F.col(_REASON).isNull()
    changed = {
        "reason": F.col(_REASON),
        "raw_line": F.when(~is_good, readable(F.col(_LINE))),
        **{name: F.when(is_good, F.col(name)) for name in contract.output},
    }
    names = [name for name in classified.columns if name != _LINE]
    return judged.select(*(changed.get(name, F.col(name)).alias(name) for name in names))


def _reason(contract: Contract) -> Column:
    conditions = [(rule.reason, _fails(rule, contract)) for rule in contract.rules]
    (first, fails), *rest = conditions
    reason = F.when(fails, F.lit(first))
    for name, fails in rest:
        reason = reason.when(fails, F.lit(name))
    return reason


def _fails(rule: Rule, contract: Contract) -> Column:
    if rule.kind == "missing":
        return _is_missing(_text(str(rule.column)))
    if rule.kind == "wrongType":
        return _has_wrong_type(contract)
    if rule.kind == "notATimestamp":
        return F.col("moment").isNull()
    return ~F.col("is_object")


def _text(name: str) -> Column:
    """A string column's text, also where the row as a whole could not be typed."""
    return F.when(F.col("is_clean"), F.col("row")[name]).otherwise(F.col("texts")[name])


def _is_missing(text: Column) -> Column:
    has_something_to_see = text.rlike(r"[^\s\p{Z}]")
    return text.isNull() | ~has_something_to_see


def _has_wrong_type(contract: Contract) -> Column:
    """Not clean means a mismatch that Spark saw. In a string column it sees none, so a text that looks like
    another value is parsed as such a value: only what really is one then comes out."""
    row = F.col("row")
    looks_wrong = _any(_looks_wrong(row[column.name], column) for column in contract.columns)
    is_wrong = _any(_is_wrong(F.col("line"), row[column.name], column) for column in contract.columns)
    return F.when(~F.col("is_clean"), True).when(looks_wrong, is_wrong).otherwise(F.lit(False))


def _looks_wrong(value: Column, column: ContractColumn) -> Column:
    """Cheap, and true of every wrong value of a clean row, but also of texts like '[1]'."""
    if column.type == "array":
        return _any_entry(value, lambda entry: _any(_looks_wrong(entry[f.name], f) for f in column.fields))
    if column.type == "number":
        return _is_infinite(value)
    if column.type == "string":
        looks = value.isin("true", "false") | value.startswith("{") | value.startswith("[")
        return F.coalesce(looks, F.lit(False))
    return F.lit(False)


def _is_wrong(text: Column, value: Column, column: ContractColumn) -> Column:
    """Exact, for a column of a clean row: `text` is the JSON object that holds it, `value` what Spark
    read."""
    if column.type == "array":
        texts = parse_member(text, column.name, ArrayType(StringType()))
        strings = [field for field in column.fields if field.type == "string"]
        numbers = [field for field in column.fields if field.type == "number"]
        return _any_entry(texts, lambda entry: _any(_is_no_text(entry, f) for f in strings)) | _any_entry(
            value, lambda entry: _any(_is_infinite(entry[f.name]) for f in numbers)
        )
    if column.type == "number":
        return _is_infinite(value)
    if column.type == "string":
        return _is_no_text(text, column)
    return F.lit(False)


def _is_no_text(text: Column, column: ContractColumn) -> Column:
    return _any(parse_member(text, column.name, kind).isNotNull() for kind in _NOT_TEXTS)


def _is_infinite(value: Column) -> Column:
    """A number beyond the range of a double is read as infinity, which no JSON number means."""
    return F.coalesce(F.abs(value) == float("inf"), F.lit(False))


def _any(conditions: Iterable[Column]) -> Column:
    return reduce(or_, conditions, F.lit(False))


def _any_entry(entries: Column, condition: Callable[[Column], Column]) -> Column:
    return F.coalesce(F.exists(entries, condition), F.lit(False))


def _timestamp(contract: Contract) -> Column:
    text = _text(contract.timestamp.source)
    return F.coalesce(*(F.try_to_timestamp(text, F.lit(pattern)) for pattern in contract.timestamp.formats))


def _output(contract: Contract, name: str) -> Column:
    if name == contract.timestamp.column:
        return F.col("moment")
    if name == contract.timestamp.date_column:
        return F.to_date("moment")
    if name == contract.category.column:
        return _category(contract)
    return F.col("row")[name]


def _category(contract: Contract) -> Column:
    source = F.col("row")[contract.category.source]
    category = F.lit(contract.category.default)
    by_category: dict[str, list[str]] = {}
    for value, name in contract.category.values.items():
        by_category.setdefault(name, []).append(value)
    for name, values in by_category.items():
        category = F.when(source.isin(values), F.lit(name)).otherwise(category)
    return category
