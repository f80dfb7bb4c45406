"""Gives the objects that a contract keeps as text with the numbers that were delivered.

Spark reads numbers as doubles when it writes the text of an object: 1.10 becomes 1.1, a long fraction is
rounded, and 1e400 becomes a text. Therefore each number of the line is made a text between marks, and a
number again in the text of the object."""

from pyspark.sql import Column
from pyspark.sql import functions as F

_NUMBER = "-?[0-9][0-9.eE+-]*"
# No line that is JSON holds these characters.
_ESCAPES = (("\\\\", "\x01"), ('\\"', "\x02"))


def marked(line: Column) -> Column:
    """The line, a JSON object, with each number as a text between marks."""
    for escape, sign in _ESCAPES:
        line = F.replace(line, F.lit(escape), F.lit(sign))
    number = F.concat(F.lit('"'), _mark(), F.lit("$0"), _mark(), F.lit('"'))

    def mark(part: Column, at: Column) -> Column:
        return F.when(at % 2 == 0, F.regexp_replace(part, _NUMBER, number)).otherwise(part)

    # Every other part is outside of texts.
    parts = F.array_join(F.transform(F.split(line, '"', -1), mark), '"')
    for escape, sign in _ESCAPES:
        parts = F.replace(parts, F.lit(sign), F.lit(escape))
    return parts


def unmarked(text: Column) -> Column:
    """The text of an object from a marked line, with its numbers."""
    begin, end = F.concat(F.lit('"'), _mark()), F.concat(_mark(), F.lit('"'))
    return F.replace(F.replace(text, begin, F.lit("")), end, F.lit(""))


def _mark() -> Column:
    """No line holds its own hash, except by intent."""
    return F.concat(F.lit("x-etl-"), F.xxhash64("line").cast("string"), F.lit("-"))
