"""Rows become good rows or quarantined rows: one reason each, the first that fits, in the contract's order
and then in that of the quality rules that quarantine."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, DataType, DoubleType, MapType, StringType

from etl.contract import CategoryRule, Contract, Rule, TimestampRule
from etl.contract_columns import Column as ContractColumn
from etl.quality_reader import Rule as QualityRule
from etl.transforms.compute_columns import WHOLE, compute_columns, is_too_large, made
from etl.transforms.meet_rule import meets
from etl.transforms.parse_lines import parse_member, readable

# The value of a partition's column becomes the name of a folder, each of its bytes at most three: of these,
# with the column's name, a file system takes 255.
MAX_PARTITION_BYTES = 70
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
    of_parsing = ("line", "row", "texts", "is_object", "is_clean")
    others = [name for name in parsed.columns if name not in of_parsing]
    timed = parsed if contract.timestamp is None else _with_moments(parsed, contract.timestamp)
    computed = compute_columns(timed, _usable(contract), contract.computed)
    judged = computed.select("*", _reason(contract).alias("reason"))
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
        return F.col("day").isNull()
    return ~F.col("is_object")


def _text(name: str) -> Column:
    """A scalar column's text, also where the row as a whole could not be typed."""
    return F.when(F.col("is_clean"), F.col("row")[name].cast("string")).otherwise(F.col("texts")[name])


def _is_missing(text: Column) -> Column:
    has_something_to_see = text.rlike(r"[^\s\p{Z}]")
    return text.isNull() | ~has_something_to_see


def _has_wrong_type(contract: Contract) -> Column:
    """Not clean means a mismatch that Spark saw. In a string column it sees none, so a text that looks like
    another value is parsed as such a value: only what really is one then comes out."""
    row = F.col("row")
    does_not_fit = _does_not_fit(contract)
    if contract.format.is_csv:
        return F.when(~F.col("is_clean"), True).otherwise(does_not_fit)
    looks_wrong = _any(_looks_wrong(row[column.name], column) for column in contract.columns)
    is_wrong = _any(_is_wrong(F.col("line"), row[column.name], column) for column in contract.columns)
    return F.when(~F.col("is_clean"), True).when(looks_wrong, is_wrong | does_not_fit).otherwise(does_not_fit)


def _does_not_fit(contract: Contract) -> Column:
    """Of a clean row: no such date, a decimal that would have to be rounded, a computed value or a
    partition's name that is too long."""
    dates = (_is_lost(F.col("row")[c.name], _value(c)) for c in contract.columns if c.formats)
    decimals = (_is_rounded(F.col("row")[c.name], _value(c)) for c in contract.columns if c.decimal)
    computed = map(is_too_large, contract.computed)
    names = (_is_too_long(_output(contract, name)) for name in contract.partition_by)
    return _any((*dates, *decimals, *computed, *names))


def _is_lost(value: Column, made: Column) -> Column:
    return value.isNotNull() & made.isNull()


def _is_rounded(value: Column, made: Column) -> Column:
    return value.isNotNull() & F.coalesce(value != made, F.lit(True))


def _is_too_long(name: Column) -> Column:
    return F.coalesce(F.octet_length(name) > MAX_PARTITION_BYTES, F.lit(False))


def _looks_wrong(value: Column, column: ContractColumn) -> Column:
    """Cheap, and true of every wrong value of a clean row, but also of texts like '[1]'."""
    if column.type == "array":
        return _any_entry(value, lambda entry: _any(_looks_wrong(entry[f.name], f) for f in column.fields))
    if column.decimal is not None:
        return value.isNotNull()
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
    if column.decimal is not None:
        # Spark reads a decimal from a text too, a double not.
        return parse_member(text, column.name, DoubleType()).isNull() & value.isNotNull()
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


def _with_moments(parsed: DataFrame, rule: TimestampRule) -> DataFrame:
    """Adds `moment` and `day`, null where the text is in none of the formats."""
    text = _text(rule.source)
    timed = parsed.select("*", _moment(text, rule.formats).alias("moment"))
    days = [F.to_date("moment"), *([_date(text, rule.date_formats)] if rule.date_formats else [])]
    return timed.select("*", F.coalesce(*days).alias("day"))


def _moment(text: Column, formats: Sequence[str]) -> Column:
    return F.coalesce(*(F.try_to_timestamp(text, F.lit(pattern)) for pattern in formats))


def _date(text: Column, formats: Sequence[str]) -> Column:
    return F.to_date(_moment(text, formats))


def _usable(contract: Contract) -> dict[str, Column]:
    """The columns that an expression may use."""
    types = contract.base_types
    values = {name: _base(contract, name) for name, type_ in types.items() if "<" not in type_}
    clean = F.col("is_clean")
    return {
        name: F.when(clean, value.cast(WHOLE) if types[name] == "bigint" else value)
        for name, value in values.items()
    }


def _output(contract: Contract, name: str) -> Column:
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
            return _value(column)
    return F.col("row")[name]


def _value(column: ContractColumn) -> Column:
    """A clean row's value in the type that is published."""
    value = F.col("row")[column.name]
    if column.formats:
        return _date(value, column.formats)
    if column.decimal is not None:
        precision, scale = column.decimal
        name = column.name.replace("`", "``")
        return F.expr(f"try_cast(row.`{name}` as decimal({precision},{scale}))")
    return value


def _category(rule: CategoryRule) -> Column:
    source = F.col("row")[rule.source]
    category = F.lit(rule.default)
    by_category: dict[str, list[str]] = {}
    for value, name in rule.values.items():
        by_category.setdefault(name, []).append(value)
    for name, values in by_category.items():
        category = F.when(source.isin(values), F.lit(name)).otherwise(category)
    return category
