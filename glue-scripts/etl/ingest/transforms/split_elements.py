"""Splits XML into the elements that are rows.

A line is what stands before the end tag of a row (`reading.read_lines`), so that a large file is read by
several tasks. It is cut further behind rows without content, `<row/>`. Then three things are followed through
each file: comments, CDATA and instructions that go on, in which nothing is a tag; the depth, since a row may
have elements of its own name in it; and the element around all rows, which must end.

Whatever stands outside of rows is not read. A file that is cut is marked, and then refused."""

import re

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from etl.ingest.transforms.cut_lines import before, of_file, so_far
from etl.ingest.transforms.parse_lines import MAX_LINE_BYTES, cut
from etl.write.partitions import PARTITION

SPACE = r"[ \t\r\n]"
_CUT = "\0"  # no character of XML
_SECTIONS = r"<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>"
# How a section begins, and how it ends.
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_BEGINS = r"(<!--|<!\[CDATA\[|<\?)"
_QUOTED = r""""[^"]*+"|'[^']*+'"""
_LAST_TAG = rf"</([^<>\s]+){SPACE}*>{SPACE}*\z"


def split_elements(lines: DataFrame, tag: str) -> DataFrame:
    """In: the lines of whole files, as `reading.read_lines` gives them. Out, for each row: its `value`, from
    the start tag to the end tag; its `size` in bytes; `is_open`: its file is cut; and its place, of which
    `block_start` is its number in its file, from 1. A row above MAX_LINE_BYTES is cut. The rows of a file lie
    in one task."""
    pieces = _with_sections(_cut_pieces(lines, tag))
    deep = _with_depth(_with_tags(pieces, tag))
    records = _join(deep)
    is_row = (F.col("starts") > 0) | (F.col("ends") > 0) | F.col("is_open")
    rows = records.filter(is_row).select("*", F.row_number().over(_in_file()).alias("number"))
    shown = F.regexp_replace("value", _outside(tag), "")
    # An end tag without a start is a row too: nobody knows what it belonged to.
    text = F.when(F.col("starts") > 0, shown).otherwise(F.btrim("value", F.lit(" \t\r\n")))
    return rows.select(
        F.when(F.col("size") > MAX_LINE_BYTES, cut(text, F.col("size"))).otherwise(text).alias("value"),
        PARTITION,
        "file_path",
        F.col("number").cast("bigint").alias("block_start"),
        "row_id",
        "size",
        "is_open",
    )


def _in_file() -> WindowSpec:
    return Window.partitionBy("file_path").orderBy("record")


def _cut_pieces(lines: DataFrame, tag: str) -> DataFrame:
    """Adds to each line the end tag behind it, and cuts it behind rows without content. Out: `text`, `number`
    in its file, and `ends`: 1 if it ends a row, unless that stands in a section."""
    close, rest = rf"^{SPACE}*>", F.col("value")
    placed = lines.select(
        "*",
        F.row_number().over(of_file()).alias("line_number"),
        F.lead("value").over(of_file()).alias("next"),
    )
    is_first = F.col("line_number") == 1
    own_close = F.when(is_first, "").otherwise(F.regexp_extract(rest, close, 0))
    # Such a line belongs to the end tag of another name, which begins with the same letters.
    opening = F.when(~is_first & (own_close == ""), F.lit(f"</{tag}")).otherwise("")
    body = F.when(is_first, rest).otherwise(F.regexp_replace(rest, close, ""))
    is_ended = F.coalesce(F.col("next").rlike(close), F.lit(False))
    ending = F.when(is_ended, F.concat(F.lit(f"</{tag}"), F.regexp_extract("next", close, 0))).otherwise("")
    empty = rf"(<{re.escape(tag)}(?:{SPACE}(?:[^<>\"'/]++|/(?!>)|{_QUOTED})*+)?/>)"
    whole = placed.select(
        PARTITION, "file_path", "block_start", "row_id", "line_number",
        is_ended.alias("is_ended"), F.concat(opening, body, ending).alias("whole"),
    )  # fmt: skip
    parts = F.split(F.regexp_replace("whole", empty, f"$1{_CUT}"), _CUT, -1)
    exploded = whole.select("*", F.size(parts).alias("parts"), F.posexplode(parts).alias("at", "text"))
    is_last = F.col("at") == F.col("parts") - 1
    order = Window.partitionBy("file_path").orderBy("line_number", "at")
    return exploded.select(
        PARTITION, "file_path", "row_id", "text",
        F.row_number().over(order).cast("bigint").alias("block_start"),
        F.when(is_last, F.col("is_ended").cast("int")).otherwise(1).alias("may_end"),
        (is_last & F.lead("at").over(order).isNull()).alias("is_end"),
    )  # fmt: skip


def _with_sections(pieces: DataFrame) -> DataFrame:
    """Adds `plain`, the piece without what stands in sections, and `is_inside` and `goes_on`: it begins in a
    section, and it ends in one."""
    begun = pieces.select("*", _begun(F.col("text")).alias("section"))
    is_begun, at = F.col("section") != "", F.col("block_start")
    last_at = F.last(F.when(is_begun, at), ignorenulls=True).over(before())
    last = F.last(F.when(is_begun, F.col("section")), ignorenulls=True).over(before())
    ended_at = F.coalesce(
        *(
            F.when(
                last == begin,
                F.last(F.when(F.col("text").contains(end), at), ignorenulls=True).over(before()),
            )
            for begin, end in _ENDS.items()
        )
    )
    is_inside = F.coalesce(last.isNotNull() & ~F.coalesce(ended_at > last_at, F.lit(False)), F.lit(False))
    entered = begun.select("*", is_inside.alias("is_inside"), last.alias("inside_of"))
    outside = F.col("text")
    for begin, end in _ENDS.items():
        after = F.when(
            outside.contains(end), F.expr(f"substring(text, instr(text, '{end}') + {len(end)})")
        ).otherwise("")
        outside = F.when(F.col("is_inside") & (F.col("inside_of") == begin), after).otherwise(outside)
    left = entered.select("*", outside.alias("outside"))
    goes_on = F.when(
        F.col("is_inside") & (F.col("outside") == "") & ~_is_ended_at_once(), F.lit(True)
    ).otherwise(_begun(F.col("outside")) != "")
    bare = F.regexp_replace("outside", _SECTIONS, "")
    # From the beginning of a section that goes on, nothing is a tag.
    plain = F.regexp_replace(bare, rf"{_BEGINS}[\s\S]*", "")
    return left.select("*", goes_on.alias("goes_on"), plain.alias("plain"))


def _is_ended_at_once() -> Column:
    """True if a section ends with the piece, so that nothing is left of it."""
    ends = [F.when(F.col("inside_of") == begin, F.col("text").endswith(end)) for begin, end in _ENDS.items()]
    return F.coalesce(*ends, F.lit(False))


def _begun(text: Column) -> Column:
    """How the section begins that the text does not end; "" without one."""
    return F.regexp_extract(F.regexp_replace(text, _SECTIONS, ""), _BEGINS, 1)


def _with_tags(pieces: DataFrame, tag: str) -> DataFrame:
    """Adds `starts` and `ends`, the start and end tags of rows in a piece, `rise`, and on the last piece of a
    file `is_cut`: the element around the rows does not end."""
    starts = F.size(F.split("plain", rf"<{re.escape(tag)}(?=[ \t\r\n>/])", -1)) - 1
    ends = F.when(F.col("goes_on"), 0).otherwise(F.col("may_end"))
    tagged = pieces.select("*", starts.alias("starts"), ends.alias("ends"))
    root = F.first(_root(), ignorenulls=True).over(so_far())
    last = F.regexp_extract("plain", _LAST_TAG, 1)
    is_cut = F.col("is_end") & (F.col("goes_on") | ((root != tag) & (last != root)))
    return tagged.select(
        "*", (F.col("starts") - F.col("ends")).alias("rise"), F.coalesce(is_cut, F.lit(False)).alias("is_cut")
    )


def _root() -> Column:
    """The name of the first element of the piece; null without one. One without content needs no end."""
    tag = r"<([^\s<>/!?][^\s<>/]*)[^<>]*?(/?)(?:>|\z)"
    name = F.regexp_extract("plain", tag, 1)
    return F.when((name != "") & (F.regexp_extract("plain", tag, 2) == ""), name)


def _with_depth(pieces: DataFrame) -> DataFrame:
    """Adds whether each piece `begins` a record, and whether its file `is_open` behind it. An end tag too
    many leaves the depth at 0."""
    summed = pieces.select("*", F.sum("rise").over(so_far()).alias("sum"))
    depth = F.col("sum") - F.least(F.lit(0), F.min("sum").over(so_far()))
    deep = summed.select("*", depth.alias("depth"))
    depth_before = F.coalesce(F.lag("depth").over(of_file()), F.lit(0))
    is_open = F.col("is_cut") | (F.col("is_end") & (F.col("depth") > 0))
    return deep.select(
        "*", ((depth_before == 0) & ~F.col("is_inside")).alias("begins"), is_open.alias("is_open")
    )


def _join(pieces: DataFrame) -> DataFrame:
    sized = pieces.select("*", F.octet_length("text").cast("bigint").alias("size"))
    numbered = sized.select(
        "*",
        F.sum(F.col("begins").cast("int")).over(so_far()).alias("record"),
        F.sum("size").over(so_far()).alias("end"),
    )
    begin = F.col("end") - F.col("size")
    first = F.last(F.when(F.col("begins"), begin), ignorenulls=True).over(so_far())
    needed = numbered.select("*", (begin - first <= MAX_LINE_BYTES).alias("is_needed"))
    texts = F.array_sort(F.collect_list(F.when(F.col("is_needed"), F.struct("block_start", "text"))))
    return needed.groupBy(PARTITION, "file_path", "record").agg(
        F.array_join(F.transform(texts, lambda one: one["text"]), "").alias("value"),
        F.sum("size").alias("size"),
        F.min("row_id").alias("row_id"),
        F.sum("starts").alias("starts"),
        F.sum("ends").alias("ends"),
        F.max("is_open").alias("is_open"),
    )


def _outside(tag: str) -> str:
    """Matches what stands before the first row."""
    is_row = rf"{re.escape(tag)}[ \t\r\n>/]"
    return rf"^(?:[^<]++|{_SECTIONS}|<(?!{is_row}|!--|!\[CDATA\[|\?))*+"
