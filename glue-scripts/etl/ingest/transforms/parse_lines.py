"""Lines of text become rows: strict JSON (RFC 8259), each line parsed once, no Python in the workers.

`from_json` alone is too kind: it stops at the end of the first object and so accepts `{…} rubbish` and
`{…}{…}`. Hence the seal: before the last brace of a line one more member is written, whose value is the hash
of the line. A parser that meets it at the top level has seen the whole line as one object; one that stopped
earlier, or lost count of its braces, has not."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    DataType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from etl.ingest.contract import Contract
from etl.ingest.contract_columns import Column as ContractColumn
from etl.ingest.contract_parts import MAX_PRECISION

SEAL = "x-etl-seal"
UNPARSED = "x-etl-unparsed"

# A longer line is no row but a mishap, and several copies of it would be a worker's end. Athena reads rows of
# at most 32 MB: https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html
MAX_LINE_BYTES = 16 * 1024 * 1024
SHOWN_CHARACTERS = 1_000_000

_JSON_SPACE = " \t\r\n"
# Half of a pair of escapes, which stands for no character (RFC 8259, section 8.2): Spark makes a `?` of it.
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF_A_PAIR = rf"(?<!\\)(?:\\\\)*(?:{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW})"
_TYPES: dict[str, DataType] = {"string": StringType(), "integer": LongType(), "number": DoubleType()}
# Spark's defaults accept single quotes and NaN, which are not JSON; the others are said so that they stay so.
_STRICT = {
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": UNPARSED,
    "allowSingleQuotes": "false",
    "allowNonNumericNumbers": "false",
    "allowComments": "false",
    "allowUnquotedFieldNames": "false",
    "allowNumericLeadingZeros": "false",
    "allowBackslashEscapingAnyCharacter": "false",
    "allowUnquotedControlChars": "false",
}


def spark_type(column: ContractColumn) -> DataType:
    """The type in which a column of the contract is read: bigint for integer, double for number. A decimal
    has all the decimals there is place for, so that one too many is seen; a date is a text so far."""
    if column.decimal is not None:
        precision, scale = column.decimal
        return DecimalType(MAX_PRECISION, MAX_PRECISION - (precision - scale))
    if column.type == "array":
        fields = [StructField(field.name, spark_type(field)) for field in column.fields]
        return ArrayType(StructType(fields))
    return _TYPES[column.type]


def parse_lines(lines: DataFrame, contract: Contract) -> DataFrame:
    """Adds to every line that is not blank what it holds.

    In: `value` and any others. Out: the others, and
    - `line`: the line without the space around it;
    - `row`: the contract's columns, typed; null or partial where a line is not clean;
    - `texts`: the same columns as text where a line is not clean, else null;
    - `is_clean`: the line is one JSON object in valid UTF-8, and every value has the declared type, except
    that Spark takes any JSON value for a string;
    - `is_object`: the line is one JSON object in valid UTF-8.

    A line above MAX_LINE_BYTES is cut, and is no JSON any more; the delivered file has the whole.
    """
    others = [name for name in lines.columns if name != "value"]
    blank_is_no_row = F.col("line") != ""
    limited = lines.select(*others, limit(F.col("value")).alias("value"))
    stripped = limited.select(*others, _strip(F.col("value")).alias("line")).filter(blank_is_no_row)
    typed = stripped.select("*", F.from_json(_seal(), _row_type(contract), _STRICT).alias("row"))
    judged = typed.select("*", (_is_whole("row") & is_utf8()).alias("is_clean"))
    texts = F.when(~F.col("is_clean"), F.from_json(_careful_seal(), _text_type(contract), _STRICT))
    read = judged.select("*", texts.alias("texts"))
    return read.select("*", (F.col("is_clean") | (_is_whole("texts") & is_utf8())).alias("is_object"))


def readable(line: Column) -> Column:
    """The line in valid UTF-8: what was not is replaced by U+FFFD."""
    return F.format_string("%s", line)


def parse_member(text: Column, name: str, kind: DataType) -> Column:
    """The member `name` of the JSON object in `text` when it is of `kind`, else null."""
    return F.from_json(text, StructType([StructField(name, kind)]), _STRICT)[name]


def limit(value: Column) -> Column:
    """The value, of one above MAX_LINE_BYTES the first characters."""
    size = F.octet_length(value)
    return F.when(size > MAX_LINE_BYTES, cut(value, size)).otherwise(value)


def cut(value: Column, size: Column) -> Column:
    """The first characters of a value of so many bytes."""
    return F.concat(F.substring(value, 1, SHOWN_CHARACTERS), F.lit("… (cut: "), size, F.lit(" bytes)"))


def _strip(value: Column) -> Column:
    # The first branch spares nearly every line the search from its end, which costs as much as parsing it.
    is_bare = value.startswith("{") & value.endswith("}")
    return F.when(is_bare, value).otherwise(F.btrim(value, F.lit(_JSON_SPACE)))


def is_utf8() -> Column:
    """Whether `line` is valid UTF-8."""
    return readable(F.col("line")) == F.col("line")


def _seal() -> Column:
    # In bytes: in characters Spark would walk the whole line four times to find its end.
    body = F.expr("substring(cast(line as binary), 1, octet_length(line) - 1)")
    member = F.concat(F.lit(f',"{SEAL}":'), F.xxhash64("line").cast("string"), F.lit("}"))
    sealed = F.concat(body, member.cast("binary")).cast("string")
    return F.when(F.col("line").endswith("}"), sealed).otherwise(F.col("line"))


def _careful_seal() -> Column:
    """For an object without members, which has no place for a comma."""
    only = F.concat(F.lit(f'{{"{SEAL}":'), F.xxhash64("line").cast("string"), F.lit("}"))
    return F.when(F.col("line").rlike(r"^\{[ \t\r\n]*\}$"), only).otherwise(_seal())


def _is_whole(parsed: str) -> Column:
    holds_its_seal = F.col(parsed)[SEAL] == F.xxhash64("line")
    line = F.col("line")
    # Nearly every line is spared the search.
    has_surrogates = line.contains("\\ud") | line.contains("\\uD")
    is_whole = (
        F.col(parsed)[UNPARSED].isNull() & holds_its_seal & ~(has_surrogates & line.rlike(_HALF_A_PAIR))
    )
    return F.coalesce(is_whole, F.lit(False))


def _row_type(contract: Contract) -> StructType:
    return _parsed_type([StructField(column.name, spark_type(column)) for column in contract.columns])


def _text_type(contract: Contract) -> StructType:
    return _parsed_type([StructField(column.name, StringType()) for column in contract.columns])


def _parsed_type(fields: list[StructField]) -> StructType:
    return StructType([*fields, StructField(SEAL, LongType()), StructField(UNPARSED, StringType())])
