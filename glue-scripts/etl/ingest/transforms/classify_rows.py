"""Rows become good rows or quarantined rows: one reason each, the first that fits, in the contract's order
and then in that of the quality rules that quarantine."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.contract import CategoryRule, Contract, Rule, TimestampRule
from etl.ingest.transforms.compute_columns import WHOLE, compute_columns, made
from etl.ingest.transforms.judge_types import find_wrong_parts, has_wrong_type, read_moment, text_of, value_of
from etl.ingest.transforms.parse_lines import readable
from etl.run.meet_rule import meets
from etl.run.quality_reader import Rule as QualityRule
from etl.run.quality_reader import columns_of_rule

MAX_VALUE_CHARACTERS = 200  # of a wrong value; the line has the whole
_LINE, _REASON = "x-etl-line", "x-etl-reason"  # hyphens: no name that an expression could mean


def classify_rows(
    parsed: DataFrame, contract: Contract, quarantine_rules: Sequence[QualityRule] = ()
) -> DataFrame:
    """Judges what `parse_lines` made. `quarantine_rules` take of the rows that meet the contract those that
    break them, with the rule's name as reason.

    Out: the other columns of `parsed`; `reason`, null for a good row; `reason_values`, null for a good row,
    else the columns that the reason is about, each with what was delivered for it (the first
    MAX_VALUE_CHARACTERS); `raw_line`, null for a good row; the contract's output columns, null for a
    quarantined one."""
    of_parsing = ("line", "row", "texts", "is_object", "is_clean")
    others = [name for name in parsed.columns if name not in of_parsing]
    timed = parsed if contract.timestamp is None else _with_moments(parsed, contract.timestamp)
    computed = compute_columns(timed, _usable(contract), contract.computed)
    judged = computed.select("*", _reason(contract).alias("reason"))
    is_good = F.col("reason").isNull()
    classified = judged.select(
        *others,
        "reason",
        F.when(~is_good, _reason_values(contract)).alias("reason_values"),
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
    values = F.coalesce(*(F.when(~meets(rule), _values_of(rule, contract)) for rule in rules))
    changed = {
        "reason": F.col(_REASON),
        "reason_values": F.when(F.col("reason").isNotNull(), F.col("reason_values")).otherwise(
            F.when(~is_good, values)
        ),
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


def _reason_values(contract: Contract) -> Column:
    """Of a rejected row: the columns that its reason is about, with what was delivered for them."""
    values = _map({})
    for rule in contract.rules:
        if rule.kind == "missing":
            of_rule = _map({str(rule.column): text_of(str(rule.column))})
        elif rule.kind == "notATimestamp" and contract.timestamp is not None:
            of_rule = _map({contract.timestamp.source: text_of(contract.timestamp.source)})
        elif rule.kind == "wrongType":
            of_rule = _wrong_values(contract)
        else:
            continue
        values = F.when(F.col("reason") == rule.reason, of_rule).otherwise(values)
    return values


def _wrong_values(contract: Contract) -> Column:
    parts = find_wrong_parts(contract, _partition_values(contract))
    entries = (F.when(part.is_wrong, F.struct(F.lit(part.name), _shown(part.text))) for part in parts)
    return F.map_from_entries(F.filter(F.array(*entries), lambda entry: entry.isNotNull()))


def _values_of(rule: QualityRule, contract: Contract) -> Column:
    return _map({name: F.col(name).cast("string") for name in columns_of_rule(rule, contract.output_types)})


def _map(values: Mapping[str, Column]) -> Column:
    pairs = [part for name, text in values.items() for part in (F.lit(name), _shown(text))]
    return F.create_map(*pairs).cast("map<string,string>")


def _shown(text: Column) -> Column:
    return F.substring(text, 1, MAX_VALUE_CHARACTERS)


def _fails(rule: Rule, contract: Contract) -> Column:
    if rule.kind == "missing":
        return _is_missing(text_of(str(rule.column)))
    if rule.kind == "wrongType":
        return has_wrong_type(contract, _partition_values(contract))
    if rule.kind == "notATimestamp":
        return F.col("day").isNull()
    return ~F.col("is_object")


def _is_missing(text: Column) -> Column:
    has_something_to_see = text.rlike(r"[^\s\p{Z}]")
    return text.isNull() | ~has_something_to_see


def _with_moments(parsed: DataFrame, rule: TimestampRule) -> DataFrame:
    """Adds `moment` and `day`, null where the text is in none of the formats."""
    text = text_of(rule.source)
    timed = parsed.select("*", read_moment(text, rule.formats).alias("moment"))
    day = F.to_date("moment")
    if rule.date_formats:
        day = F.coalesce(day, F.to_date(read_moment(text, rule.date_formats)))
    return timed.select("*", day.alias("day"))


def _usable(contract: Contract) -> dict[str, Column]:
    """The columns that an expression may use."""
    types = contract.base_types
    values = {name: _base(contract, name) for name, type_ in types.items() if "<" not in type_}
    clean = F.col("is_clean")
    return {
        name: F.when(clean, value.cast(WHOLE) if types[name] == "bigint" else value)
        for name, value in values.items()
    }


def _partition_values(contract: Contract) -> dict[str, Column]:
    """The values that name partitions."""
    return {name: _output(contract, name) for name in contract.partition_by}


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
            return value_of(column)
    return F.col("row")[name]


def _category(rule: CategoryRule) -> Column:
    source = F.col("row")[rule.source]
    category = F.lit(rule.default)
    by_category: dict[str, list[str]] = {}
    for value, name in rule.values.items():
        by_category.setdefault(name, []).append(value)
    for name, values in by_category.items():
        category = F.when(source.isin(values), F.lit(name)).otherwise(category)
    return category
