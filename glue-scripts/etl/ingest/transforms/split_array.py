"""Splits the one JSON array of each file into its elements.

The commas at depth 1 are between elements. Lines are cut before commas that may be such, but so that few
pieces are made: in an array of objects such a comma follows `}`, or `{` follows it. Where a piece begins with
another value, it is cut before each comma. Lines are also cut behind a closing bracket that neither a comma
nor another closing bracket follows, as at the end of an array.

A file that is not one whole array is marked, and then refused, so that its pieces need not be right."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.transforms.cut_lines import (
    SPACE,
    count,
    cut_at,
    cut_lines,
    is_inside,
    of_file,
    so_far,
    without_escapes,
)
from etl.ingest.transforms.join_pieces import join_pieces

_AFTER_OBJECT = rf"(\}}[{SPACE}]*+)(?=[^}}\]])"
_AFTER_OBJECTS = rf"(?<=\}}[{SPACE}\]]{{1,16}}),"
_AFTER_ARRAY = rf"(\][{SPACE}]*+)(?=[^,}}\]]|,[{SPACE}]*+\z|{_AFTER_OBJECTS})"
_BEFORE_OBJECT = rf"(,)(?<!\}},)(?=[{SPACE}\[]*+\{{)"
_CUTS = f"{_AFTER_OBJECT}|{_AFTER_ARRAY}|{_BEFORE_OBJECT}"
_COMMAS = rf"(?<=[^{SPACE}])(?=[{SPACE}]*+,)"
# A piece that begins with, or inside of, a text that is not a name, or with another value.
_NO_NAME = rf'[^"]*(?:\z|"[{SPACE}]*(?:[,\]]|\z))'
_OTHER_VALUE = rf'^(?:[{SPACE},\[\]]*(?:[^{SPACE},\[\]{{"}}]|"{_NO_NAME})|{_NO_NAME})'
_TEXT = '"[^"]*"?'
_COMMA_AFTER_ARRAY = rf"(?<=\])[{SPACE}]*+,"


def split_array(lines: DataFrame) -> DataFrame:
    """In: every line of whole files, as `reading.read_lines` gives them. Out: the same columns for each
    element, and `is_open`: its file is not one whole array. An element of which nothing was delivered, as
    between two commas, has the value `,`. The rows of a file lie in one task."""
    pieces = _with_depth(cut_lines(lines, _cut))
    is_opening, is_closing = F.col("number") == 1, F.col("is_end") & (F.col("depth") == 0)
    is_after_comma = ~F.col("is_inside") & (F.col("depth_before") == 1) & (F.col("sign") == ",")
    text = F.when(is_after_comma, F.regexp_replace("piece", f"^[{SPACE}]*,", ""))
    text = text.when(is_opening, F.regexp_replace("piece", rf"^[{SPACE}]*\[", "")).otherwise(F.col("piece"))
    text = F.when(is_closing, F.regexp_replace(text, rf"\][{SPACE}]*\z", "")).otherwise(text)
    records = join_pieces(
        pieces.select("*", (is_opening | is_after_comma).alias("begins"), text.alias("text")),
        F.max("is_broken").alias("is_open"),
        (F.max(is_opening) & F.max(is_closing)).alias("is_all"),
    )
    is_blank = ~F.col("value").rlike(r"[^ \t\r\n]")
    is_element = F.col("is_open") | ~(is_blank & F.col("is_all"))
    others = [name for name in (*lines.columns, "is_open") if name != "value"]
    return records.filter(is_element).select(
        F.when(is_blank, ",").otherwise(F.col("value")).alias("value"), *others
    )


def _cut(line: Column) -> Column:
    def cut_further(piece: Column) -> Column:
        is_other = without_escapes(piece).rlike(_OTHER_VALUE)
        return F.when(is_other, F.split(piece, _COMMAS, -1)).otherwise(F.array(piece))

    return F.flatten(F.transform(cut_at(line, _CUTS, "$1$2\n$3"), cut_further))


def _with_depth(pieces: DataFrame) -> DataFrame:
    """Adds the depth before and after each piece, whether it begins inside a text, whether it is the end of
    its file, and `is_broken`: by this piece the file is not one whole array."""
    entered = pieces.select(
        "*",
        is_inside(F.col("is_first")).alias("is_inside"),
        F.lead("number").over(of_file()).isNull().alias("is_end"),
    )
    quote = F.when(F.col("is_inside"), '"').otherwise("")
    plain = F.regexp_replace(F.concat(quote, without_escapes(F.col("piece"))), _TEXT, "")
    bared = entered.select("*", plain.alias("plain"))
    risen = bared.select("*", _rise(F.col("plain")).alias("rise"), _lowest(F.col("plain")).alias("lowest"))
    deep = risen.select("*", F.sum("rise").over(so_far()).alias("depth")).drop("plain")
    depth_before = F.col("depth") - F.col("rise")
    is_whole = (F.col("depth") == 0) & (F.col("last_sign") == "]")
    begins = (F.col("number") > 1) | (F.col("sign") == "[")
    goes_on = F.coalesce(depth_before + F.col("lowest") > 0, F.lit(True))
    ends = F.when(F.col("is_end"), is_whole).otherwise(F.col("depth") > 0)
    ends_inside = F.col("is_last") & (F.col("is_inside") != (F.col("quotes") == 1))
    is_broken = ~(begins & goes_on & ends) | ends_inside
    return deep.select("*", depth_before.alias("depth_before"), is_broken.alias("is_broken"))


def _rise(plain: Column) -> Column:
    return count(plain, "[") + count(plain, "{") - count(plain, "]") - count(plain, "}")


def _lowest(plain: Column) -> Column:
    """The lowest depth at a comma after `]` within the piece, from the depth before it; null without one.
    Where `}` is before a comma, the line is cut anyway."""
    parts = F.split(plain, _COMMA_AFTER_ARRAY, -1)

    def walk(at: Column, part: Column) -> Column:
        depth = at["depth"] + _rise(part)
        return F.struct(depth.alias("depth"), F.least(at["lowest"], depth).alias("lowest"))

    start = F.struct(F.lit(0).alias("depth"), F.lit(None).cast("int").alias("lowest"))
    lowest = F.aggregate(F.slice(parts, 1, F.size(parts) - 1), start, walk)["lowest"]
    return F.when(F.size(parts) > 1, lowest)
