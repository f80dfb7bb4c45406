"""Marks the values of a JSON text, so that a parser that gives every value as a text tells its kind.

Spark gives a number, `true` and a text alike as text, and rounds numbers to doubles on the way. Therefore
each number, true and false of a line is made a text between marks, with its characters as they were
delivered, and a text that begins like an object or a list gets a mark before it. What is not strict JSON
stays as it is, and the parser refuses it."""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# The columns of the marks. They begin with the hash of the line, which no line holds except by intent.
MARK, VALUE_MARK, TEXT_MARK, LOST_MARK = MARKS = (
    "x-etl-mark",
    "x-etl-value-mark",
    "x-etl-text-mark",
    "x-etl-lost-mark",
)
MARKED = "x-etl-marked"  # the column of the marked line
LOST = "lost"  # the kind of what is `lost`

_REST = r'(?:[^"\\]++|\\.)*+"'  # of a text, behind its first quote
_TEXT = rf'"{_REST}'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
# Each match goes on where the last one ended (\G), over whole texts, so that it never begins inside of one.
# The quantifiers are possessive: Java repeats these in a loop, and others by recursion, which overflows.
_VALUE = rf'\G((?:[^"0-9tf-]++|{_TEXT})*+)({_NUMBER}|true|false)(?=[ \t\r\n]*+[,}}\]])'
# A text that begins with a brace or a bracket, also where these are escaped. A member's name stays.
_STRUCTURE = r"(?=[{\[]|\\u00[57][bB])"
_OTHERS = rf'(?:[^"]++|"(?!{_STRUCTURE}){_REST}|{_TEXT}(?=[ \t\r\n]*+:))*+'
_TEXT_LIKE_A_STRUCTURE = rf'\G({_OTHERS})"{_STRUCTURE}({_REST})'
_OPENINGS = {"object": "{", "array": "["}
_SIGNS = {VALUE_MARK: "-", TEXT_MARK: "=", LOST_MARK: "!"}


def with_marks(lines: DataFrame) -> DataFrame:
    """Adds MARKS and MARKED of `line`, which is to be one JSON object."""
    hashed = F.concat(F.lit("x-etl-"), F.xxhash64("line").cast("string"))
    hashes = lines.select("*", hashed.alias(MARK))
    marks = (F.concat(F.col(MARK), F.lit(sign)).alias(name) for name, sign in _SIGNS.items())
    with_mark = hashes.select("*", *marks)
    line = F.col("line")
    may_look_like = line.contains('"{') | line.contains('"[') | line.contains('"\\u00')
    texts = F.regexp_replace(
        line, F.lit(_TEXT_LIKE_A_STRUCTURE), F.concat(F.lit('$1"'), F.col(TEXT_MARK), F.lit("$2"))
    )
    with_texts = with_mark.select("*", F.when(may_look_like, texts).otherwise(line).alias(MARKED))
    value = F.concat(F.lit('$1"'), F.col(VALUE_MARK), F.lit("$2"), F.col(VALUE_MARK), F.lit('"'))
    marked = F.regexp_replace(F.col(MARKED), F.lit(_VALUE), value)
    return with_texts.withColumn(MARKED, marked)


def lost(text: Column) -> Column:
    """A marked text in whose place the path of a column has no way on."""
    return F.concat(F.col(LOST_MARK), text)


def counted(size: Column) -> Column:
    """A number as the marked text of it."""
    return F.concat(F.col(VALUE_MARK), size.cast("string"), F.col(VALUE_MARK))


def bare(text: Column) -> Column:
    """The value of a marked text as it was delivered: of an object or a list, its JSON."""
    mark = F.col(VALUE_MARK)
    inside = F.replace(
        F.replace(text, F.concat(F.lit('"'), mark), F.lit("")), F.concat(mark, F.lit('"')), F.lit("")
    )
    stripped = reduce(lambda of, mark: F.replace(of, F.col(mark), F.lit("")), _SIGNS, inside)
    return F.when(text.contains(F.col(MARK)), stripped).otherwise(text)


def is_of_kind(text: Column, kind: str) -> Column:
    """True if a marked text is an object, or an array. Null for null, and false for what is `lost`."""
    return text.startswith(_OPENINGS[kind])


def kind_of(text: Column) -> Column:
    """The JSON kind of a marked text: string, number, boolean, object or array; LOST for what is `lost`, null
    for null."""
    is_value = text.startswith(F.col(VALUE_MARK))
    is_boolean = text.endswith(F.concat(F.lit("e"), F.col(VALUE_MARK)))
    return (
        F.when(is_value & is_boolean, "boolean")
        .when(is_value, "number")
        .when(is_of_kind(text, "object"), "object")
        .when(is_of_kind(text, "array"), "array")
        .when(text.startswith(F.col(LOST_MARK)), LOST)
        .when(text.isNotNull(), "string")
    )
