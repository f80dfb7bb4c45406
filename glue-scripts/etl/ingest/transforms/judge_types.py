"""Finds values that do not have the type that the contract declares, for each column by itself, so that a
rejected row can name its columns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DoubleType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from etl.ingest.contract import Column as ContractColumn
from etl.ingest.contract import Contract
from etl.ingest.transforms.compute_columns import computed_text, is_too_large
from etl.ingest.transforms.parse_lines import parse_member
from etl.ingest.transforms.read_moments import read_moment

# The value of a partition's column becomes the name of a folder, in which a byte may take three characters. A
# file system allows 255, with the column's name.
MAX_PARTITION_BYTES = 70
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"  # the folder of rows without a value
_MOMENT = "x-etl-moment-"
# The text that Spark makes of a number beyond the range of a double.
_TOO_LARGE = ('"Infinity"', '"-Infinity"')
_OBJECT = MapType(StringType(), StringType())
_NOT_TEXTS: tuple[DataType, ...] = (BooleanType(), _OBJECT, ArrayType(StringType()))


@dataclass(frozen=True)
class Part:
    """A part of a row that may have a wrong value: `name` as `etl.ingest.reasons` describes it, whether it is
    wrong, and its text as delivered. `is_wrong` is never null."""

    name: str
    is_wrong: Column
    text: Column


def has_wrong_type(contract: Contract, outputs: Mapping[str, Column]) -> Column:
    """True if any value of a row, parsed by `parse_lines` or `parse_csv`, is wrong. `outputs` are the values
    that would name its partitions.

    A row that is not clean has a mismatch that Spark saw. In a string column Spark sees none. So a text that
    looks like another JSON value is parsed as one, which succeeds only if it really is one."""
    row = F.col("row")
    does_not_fit = _does_not_fit(contract, outputs)
    if contract.has_exact_texts:
        return F.when(~F.col("is_clean"), True).otherwise(does_not_fit)
    columns = [column for column in contract.columns if column.name not in contract.claimed]
    looks_wrong = any_of(_looks_wrong(row[column.name], column) for column in columns)
    is_wrong = any_of(_is_wrong(F.col("line"), row[column.name], column) for column in columns)
    return F.when(~F.col("is_clean"), True).when(looks_wrong, is_wrong | does_not_fit).otherwise(does_not_fit)


def find_wrong_parts(contract: Contract, outputs: Mapping[str, Column]) -> Sequence[Part]:
    """All parts of a row that may be wrong: the columns of the contract, for an array also the fields of its
    entries (`items[].quantity`), then what is computed, then what names a partition. Each name occurs
    once. This costs more than `has_wrong_type`, and is for rows with a wrong type only."""
    delivered = [part for column in contract.columns for part in _parts(contract, column)]
    computed = [Part(one.name, is_too_large(one), computed_text(one)) for one in contract.computed]
    names = [Part(name, _is_no_folder(outputs[name]), outputs[name]) for name in contract.partition_by]
    return join_parts((*delivered, *computed, *names))


def join_parts(parts: Iterable[Part]) -> Sequence[Part]:
    """The parts, one of each name: wrong if one of that name is."""
    found: dict[str, Part] = {}
    for part in parts:
        before = found.get(part.name)
        found[part.name] = (
            part if before is None else Part(part.name, before.is_wrong | part.is_wrong, before.text)
        )
    return tuple(found.values())


def text_of(name: str) -> Column:
    """The text of a scalar column, also for a row that could not be typed."""
    return F.when(F.col("is_clean"), F.col("row")[name].cast("string")).otherwise(F.col("texts")[name])


def moment_of(column: ContractColumn) -> str:
    """The name of the column that has the moments of a column with `moments`."""
    return f"{_MOMENT}{column.name}"


def value_of(column: ContractColumn) -> Column:
    """A clean row's value in the type that is published."""
    value = F.col("row")[column.name]
    if column.moments is not None:
        return F.col(f"`{moment_of(column)}`")
    if column.formats:
        return F.to_date(read_moment(value, column.formats))
    if column.decimal is not None:
        precision, scale = column.decimal
        name = column.name.replace("`", "``")
        return F.expr(f"try_cast(row.`{name}` as decimal({precision},{scale}))")
    return value


def any_of(conditions: Iterable[Column]) -> Column:
    return reduce(or_, conditions, F.lit(False))


def _does_not_fit(contract: Contract, outputs: Mapping[str, Column]) -> Column:
    """True for a clean row with a date or moment that does not exist, a decimal that would be rounded, a
    computed value that is too long, or a partition's value that a folder's name cannot keep."""
    values = (_does_not_fit_itself(column) for column in contract.columns if _may_not_fit(contract, column))
    computed = map(is_too_large, contract.computed)
    names = (_is_no_folder(outputs[name]) for name in contract.partition_by)
    return any_of((*values, *computed, *names))


def _may_not_fit(contract: Contract, column: ContractColumn) -> bool:
    if column.moments is not None:
        return column.name not in contract.claimed
    return bool(column.formats or column.decimal)


def _does_not_fit_itself(column: ContractColumn) -> Column:
    value, made = F.col("row")[column.name], value_of(column)
    if column.decimal is None:
        return value.isNotNull() & made.isNull()
    return value.isNotNull() & F.coalesce(value != made, F.lit(True))


def _is_no_folder(value: Column) -> Column:
    text = value.cast("string")  # a date is compared as its text, not the text as a date
    is_too_long = F.octet_length(text) > MAX_PARTITION_BYTES
    return F.coalesce(is_too_long | (text == NULL_PARTITION) | text.contains("\0"), F.lit(False))


def delivered_text(contract: Contract, column: ContractColumn) -> Column:
    """The text that was delivered for a column."""
    read = F.col("texts")[column.name]
    if contract.has_exact_texts:
        return read
    # A clean row has no texts.
    return F.coalesce(read, parse_member(F.col("line"), column.name, StringType()))


def _parts(contract: Contract, column: ContractColumn) -> list[Part]:
    """The column as a whole, then the fields of its entries."""
    value, read = F.col("row")[column.name], F.col("texts")[column.name]
    is_lost = ~F.col("is_clean") & value.isNull() & read.isNotNull()
    text = delivered_text(contract, column)
    if column.entries:
        # Spark leaves out the entries that it cannot read.
        delivered = F.size(F.from_json(read, ArrayType(StringType())))
        is_short = ~F.col("is_clean") & read.isNotNull() & F.coalesce(delivered != F.size(value), F.lit(True))
        is_wrong = F.when(_looks_wrong(value, column), _is_wrong(F.col("line"), value, column))
        return [Part(column.name, is_lost | is_short | F.coalesce(is_wrong, F.lit(False)), text)]
    if column.type != "array":
        wrong = [is_lost]
        if not contract.has_exact_texts and column.name not in contract.claimed:
            looks = _looks_wrong(value, column)
            wrong.append(F.when(looks, _is_wrong(F.col("line"), value, column)).otherwise(False))
        if _may_not_fit(contract, column):
            wrong.append(_does_not_fit_itself(column))
        return [Part(column.label, reduce(or_, wrong), text)]
    fields = [
        Part(f"{column.name}[].{field.name}", _is_wrong_in_an_entry(column, field), text)
        for field in column.fields
    ]
    return [Part(column.name, is_lost, text), *fields]


def _is_wrong_in_an_entry(column: ContractColumn, field: ContractColumn) -> Column:
    line, entries = F.col("line"), F.col("row")[column.name]
    if field.type == "string":
        texts = parse_member(line, column.name, ArrayType(StringType()))
        return _any_entry(texts, lambda entry: _is_no_text(entry, field))
    kind = ArrayType(StructType([StructField(field.name, StringType())]))
    texts = parse_member(line, column.name, kind)
    are_lost = F.zip_with(
        entries, texts, lambda read, text: read[field.name].isNull() & text[field.name].isNotNull()
    )
    lost = _any_entry(are_lost, lambda is_lost: is_lost)
    if field.type == "number":
        return lost | _any_entry(entries, lambda entry: _is_infinite(entry[field.name]))
    return lost


def _looks_wrong(value: Column, column: ContractColumn) -> Column:
    """A cheap test: true for every wrong value of a clean row, but also for texts like '[1]'."""
    if column.entries:
        return _any_entry(
            value, lambda entry: _looks_wrong(entry, replace(column, type=column.entries, entries=""))
        )
    if column.type == "object":
        line = F.col("line")
        # A text that begins with a brace is written in one of these ways.
        may_be_text = line.contains('"{') | line.contains("\\u007b") | line.contains("\\u007B")
        return value.isNotNull() & (~value.startswith("{") | may_be_text)
    if column.type == "array":
        return _any_entry(value, lambda entry: any_of(_looks_wrong(entry[f.name], f) for f in column.fields))
    if column.decimal is not None:
        return value.isNotNull()
    if column.type == "number":
        return _is_infinite(value)
    if column.type == "string":
        looks = value.isin("true", "false", *_TOO_LARGE) | value.startswith("{") | value.startswith("[")
        return F.coalesce(looks, F.lit(False))
    return F.lit(False)


def _is_wrong(text: Column, value: Column, column: ContractColumn) -> Column:
    """Exact, for a column of a clean row: `text` is the JSON object that holds it, `value` what Spark
    read."""
    if column.entries == "string":
        array = parse_member(text, column.name, StringType())
        # Read again, a number that is too large has no quotes around it.
        is_other = F.from_json(array, ArrayType(StringType())) != value
        return F.coalesce(_has_others(array) | is_other, F.lit(False))
    if column.entries:
        return _looks_wrong(value, column)
    if column.type == "object":
        return value.isNotNull() & parse_member(text, column.name, _OBJECT).isNull()
    if column.type == "array":
        texts = parse_member(text, column.name, ArrayType(StringType()))
        strings = [field for field in column.fields if field.type == "string"]
        numbers = [field for field in column.fields if field.type == "number"]
        return _any_entry(texts, lambda entry: any_of(_is_no_text(entry, f) for f in strings)) | _any_entry(
            value, lambda entry: any_of(_is_infinite(entry[f.name]) for f in numbers)
        )
    if column.decimal is not None:
        # Spark reads a decimal from a text too, but not a double.
        return parse_member(text, column.name, DoubleType()).isNull() & value.isNotNull()
    if column.type == "number":
        return _is_infinite(value)
    if column.type == "string":
        is_number = parse_member(text, column.name, DoubleType()).isNotNull()
        return _is_no_text(text, column) | (value.isin(*_TOO_LARGE) & is_number)
    return F.lit(False)


def _has_others(array: Column) -> Column:
    """True if an array, as JSON text, has entries that are neither texts nor numbers nor null."""
    bare = F.replace(F.replace(array, F.lit("\\\\"), F.lit("")), F.lit('\\"'), F.lit(""))
    without_texts = F.regexp_replace(bare, '"[^"]*"', "")
    return without_texts.rlike(r"[tf{]|.\[")


def _is_no_text(text: Column, column: ContractColumn) -> Column:
    return any_of(parse_member(text, column.name, kind).isNotNull() for kind in _NOT_TEXTS)


def _is_infinite(value: Column) -> Column:
    """A number beyond the range of a double is read as infinity, which no JSON number means."""
    return F.coalesce(F.abs(value) == float("inf"), F.lit(False))


def _any_entry(entries: Column, condition: Callable[[Column], Column]) -> Column:
    return F.coalesce(F.exists(entries, condition), F.lit(False))
