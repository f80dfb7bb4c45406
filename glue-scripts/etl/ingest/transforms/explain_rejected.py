"""Says for each rejected row which columns its reason is about, and what was delivered for them.

This is done when the rejected rows are written or counted, and for them alone. As a part of the
classification it would slow down every run, also one without a rejected row."""

from collections.abc import Mapping, Sequence
from itertools import chain

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.contract import Contract
from etl.ingest.contract import Rule as ContractRule
from etl.ingest.transforms.classify_rows import EVIDENCE, fails, output_of, partition_values
from etl.ingest.transforms.judge_allowed import find_parts_not_allowed
from etl.ingest.transforms.judge_types import Part, find_wrong_parts, join_parts, text_of
from etl.run.quality import Rule

MAX_VALUE_CHARACTERS = 200  # of a wrong value; the line has the whole


def explain_rejected(
    rows: DataFrame, contract: Contract, rules: Sequence[Rule] = (), *, has_wrong_types: bool = True
) -> DataFrame:
    """`rows` are what `classify_rows` made with these `rules`. Gives the rejected ones without the output
    columns and with `reason_values`: the columns that the reason is about, each with the first
    MAX_VALUE_CHARACTERS of what was delivered for it. Without `has_wrong_types` no row has a
    wrong type, and Spark is spared the longest of the expressions."""
    others = [name for name in rows.columns if name not in (*contract.output, EVIDENCE)]
    # A line that has columns to speak of is valid UTF-8, so that `raw_line` is the line.
    rejected = rows.filter(F.col("reason").isNotNull()).select(
        *others, F.col("raw_line").alias("line"), f"`{EVIDENCE}`.*"
    )
    return rejected.select(*others, _reason_values(contract, rules, has_wrong_types).alias("reason_values"))


def _reason_values(contract: Contract, rules: Sequence[Rule], has_wrong_types: bool) -> Column:
    values = _map({})
    for reason in contract.reasons:
        of_reason = [rule for rule in contract.rules if rule.reason == reason]
        parts = [_parts_of(rule, contract, has_wrong_types) for rule in of_reason]
        if not any(parts):
            continue
        if len(of_reason) == 1 and of_reason[0].names:
            found = _map({part.name: part.text for part in parts[0]})
        else:
            found = _values_of_parts(join_parts(chain.from_iterable(parts)))
        values = F.when(F.col("reason") == reason, found).otherwise(values)
    for quality_rule in rules:
        of_rule = _values_of(quality_rule, contract)
        values = F.when(F.col("reason") == quality_rule.name, of_rule).otherwise(values)
    return values


def _parts_of(rule: ContractRule, contract: Contract, has_wrong_types: bool) -> Sequence[Part]:
    """The parts of a row that a rule is about, and which of them it rejects."""
    if rule.kind == "wrongType":
        return find_wrong_parts(contract, partition_values(contract)) if has_wrong_types else ()
    if rule.kind == "notAllowed":
        return find_parts_not_allowed(contract)
    if not rule.names:
        return ()
    is_rejected = fails(rule, contract)
    return [Part(contract.label(name), is_rejected, text_of(name)) for name in rule.names]


def _values_of_parts(parts: Sequence[Part]) -> Column:
    """The parts that are wrong. A source may have none that could be."""
    if not parts:
        return _map({})
    entries = (F.when(part.is_wrong, F.struct(F.lit(part.name), _shown(part.text))) for part in parts)
    return F.map_from_entries(F.filter(F.array(*entries), lambda entry: entry.isNotNull()))


def _values_of(rule: Rule, contract: Contract) -> Column:
    return _map({name: output_of(contract, name).cast("string") for name in rule.columns})


def _map(values: Mapping[str, Column]) -> Column:
    pairs = [part for name, text in values.items() for part in (F.lit(name), _shown(text))]
    return F.create_map(*pairs).cast("map<string,string>")


def _shown(text: Column) -> Column:
    return F.substring(text, 1, MAX_VALUE_CHARACTERS)
