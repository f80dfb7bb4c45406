"""Parses lines to rows: strict JSON (RFC 8259), each line once, without Python in the workers.

`from_json` alone is too lenient: it stops at the end of the first object and so accepts `{…} rubbish` and
`{…}{…}`. Therefore a seal is written before the last brace of a line: one more member, whose value is the
hash of the line. If the parser finds it at the top level, it has read the whole line as one object. If it
stopped earlier, or lost count of the braces, it does not find it."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from etl.ingest.contract import MAX_PRECISION, Contract
from etl.ingest.contract import Column as ContractColumn
from etl.ingest.transforms.exact_objects import marked, unmarked

SEAL = "x-etl-seal"
UNPARSED = "x-etl-unparsed"
_EXACT = "x-etl-exact"

# A longer line is a mistake, and several copies of it would exhaust a worker's memory. Athena reads rows of
# at most 32 MB: https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html
MAX_LINE_BYTES = 16 * 1024 * 1024
SHOWN_CHARACTERS = 1_000_000

_JSON_SPACE = " \t\r\n"
# Half of a surrogate pair in escapes is not a character (RFC 8259, section 8.2); Spark would make a `?` of
# it.
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF_A_PAIR = rf"(?<!\\)(?:\\\\)*(?:{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW})"
_TYPES: dict[str, DataType] = {
    "string": StringType(),
    "integer": LongType(),
    "number": DoubleType(),
    "boolean": BooleanType(),
    "object": StringType(),  # Spark gives an object as its JSON text
}
# Spark accepts single quotes and NaN by default, which are not JSON. The other options fix its defaults.
STRICT = {
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
    """The type in which a column of the contract is read: bigint for integer, double for number, a text for
    an object. A decimal has as many decimals as possible, so that one too many is noticed; dates and moments
    are still texts."""
    if column.decimal is not None:
        precision, scale = column.decimal
        return DecimalType(MAX_PRECISION, MAX_PRECISION - (precision - scale))
    if column.entries:
        return ArrayType(_TYPES[column.entries])
    if column.type == "array":
        fields = [StructField(field.name, spark_type(field)) for field in column.fields]
        return ArrayType(StructType(fields))
    return _TYPES[column.type]


def parse_lines(lines: DataFrame, contract: Contract) -> DataFrame:
    """Parses every line that is not blank.

    In: `value` and any other columns. Out: the others, and
    - `line`: the line without the space around it;
    - `row`: the contract's columns, typed; null or partial where a line is not clean;
    - `texts`: the same columns as text where a line is not clean, else null;
    - `is_clean`: the line is one JSON object in valid UTF-8, and every value has the declared type, except
    that Spark takes any JSON value for a string;
    - `is_object`: the line is one JSON object in valid UTF-8.

    A line above MAX_LINE_BYTES is cut, and so is not JSON any more; the delivered file has all of it.
    """
    typed = find_lines(lines).select(
        "*", F.from_json(sealed("line"), _row_type(contract), STRICT).alias("row")
    )
    judged = typed.select("*", (is_whole(F.col("row")) & is_utf8()).alias("is_clean"))
    texts = F.when(~F.col("is_clean"), F.from_json(sealed_carefully("line"), _text_type(contract), STRICT))
    read = judged.select("*", texts.alias("texts"))
    is_object = F.col("is_clean") | (is_whole(F.col("texts")) & is_utf8())
    rows = read.select("*", is_object.alias("is_object"))
    return _with_nulls(_with_exact_objects(rows, contract), contract)


def find_lines(lines: DataFrame) -> DataFrame:
    """The lines that are not blank: `line` in place of `value`."""
    others = [name for name in lines.columns if name != "value"]
    blank_is_no_row = F.col("line") != ""
    limited = lines.select(*others, limit(F.col("value")).alias("value"))
    return limited.select(*others, strip(F.col("value")).alias("line")).filter(blank_is_no_row)


def is_one_object() -> Column:
    """True if `line` is one JSON object in valid UTF-8, without space around it."""
    return is_whole(F.from_json(sealed_carefully("line"), parsed_type([]), STRICT)) & is_utf8()


def _with_exact_objects(rows: DataFrame, contract: Contract) -> DataFrame:
    """Replaces the objects that Spark wrote by what was delivered, without the space in it."""
    names = [column.name for column in contract.columns if column.type == "object"]
    if not names:
        return rows
    kind = StructType([StructField(name, StringType()) for name in names])
    exact = F.when(F.col("is_clean"), F.from_json(marked(F.col("line")), kind, STRICT))
    read = rows.select("*", exact.alias(_EXACT))
    made = F.col("row")
    for name in names:
        value = F.col("row")[name]
        is_read = F.col("is_clean") & value.isNotNull()
        text = F.when(is_read, unmarked(F.col(f"`{_EXACT}`")[name])).otherwise(value)
        made = made.withField(f"`{name}`", text)
    return read.withColumn("row", made).drop(_EXACT)


def _with_nulls(rows: DataFrame, contract: Contract) -> DataFrame:
    """Makes nulls of the texts that mean null."""
    nulls = {column.name: list(column.nulls) for column in contract.columns if column.nulls}
    for parsed in ("row", "texts") if nulls else ():
        made = F.col(parsed)
        for name, words in nulls.items():
            text = F.col(parsed)[name]
            made = made.withField(f"`{name}`", F.when(~text.isin(words), text))
        rows = rows.withColumn(parsed, made)
    return rows


def readable(line: Column) -> Column:
    """The line in valid UTF-8: invalid bytes are replaced by U+FFFD."""
    return F.format_string("%s", line)


def parse_member(text: Column, name: str, kind: DataType) -> Column:
    """The member `name` of the JSON object in `text` if it is of `kind`, else null."""
    return F.from_json(text, StructType([StructField(name, kind)]), STRICT)[name]


def limit(value: Column) -> Column:
    """The value; if it is above MAX_LINE_BYTES, its first characters."""
    size = F.octet_length(value)
    return F.when(size > MAX_LINE_BYTES, cut(value, size)).otherwise(value)


def cut(value: Column, size: Column) -> Column:
    """The first characters of a value of so many bytes."""
    return F.concat(F.substring(value, 1, SHOWN_CHARACTERS), F.lit("… (cut: "), size, F.lit(" bytes)"))


def strip(value: Column) -> Column:
    """The value without the space of JSON around it."""
    # Trimming costs as much as parsing, and nearly no line needs it.
    is_bare = value.startswith("{") & value.endswith("}")
    return F.when(is_bare, value).otherwise(F.btrim(value, F.lit(_JSON_SPACE)))


def is_utf8() -> Column:
    """True if `line` is valid UTF-8."""
    return readable(F.col("line")) == F.col("line")


def sealed(column: str) -> Column:
    """The text in a column, which is `line` or made of it, with the seal."""
    # In bytes, because in characters Spark would walk the whole line four times to find its end.
    body = F.expr(f"substring(cast(`{column}` as binary), 1, octet_length(`{column}`) - 1)")
    member = F.concat(F.lit(f',"{SEAL}":'), F.xxhash64("line").cast("string"), F.lit("}"))
    with_seal = F.concat(body, member.cast("binary")).cast("string")
    return F.when(F.col(column).endswith("}"), with_seal).otherwise(F.col(column))


def sealed_carefully(column: str) -> Column:
    """The seal also for an object without members, where it must not have a comma."""
    only = F.concat(F.lit(f'{{"{SEAL}":'), F.xxhash64("line").cast("string"), F.lit("}"))
    return F.when(F.col(column).rlike(r"^\{[ \t\r\n]*\}$"), only).otherwise(sealed(column))


def is_whole(parsed: Column) -> Column:
    """True if the parser has read the sealed line as one object."""
    holds_its_seal = parsed[SEAL] == F.xxhash64("line")
    line = F.col("line")
    # Most lines have no escape of this kind, so the slow search is skipped.
    has_surrogates = line.contains("\\ud") | line.contains("\\uD")
    is_read = parsed[UNPARSED].isNull() & holds_its_seal & ~(has_surrogates & line.rlike(_HALF_A_PAIR))
    return F.coalesce(is_read, F.lit(False))


def _row_type(contract: Contract) -> StructType:
    return parsed_type([StructField(column.name, spark_type(column)) for column in contract.columns])


def _text_type(contract: Contract) -> StructType:
    return parsed_type([StructField(column.name, StringType()) for column in contract.columns])


def parsed_type(fields: list[StructField]) -> StructType:
    """The type of what is parsed: these fields, the seal, and what could not be parsed."""
    return StructType([*fields, StructField(SEAL, LongType()), StructField(UNPARSED, StringType())])
