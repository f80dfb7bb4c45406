"""Splits text into the JSON objects in it, which stand one after the other, on one line or over several.

Outside of texts, JSON has `{` only after `[`, `,` or `:`, and after `}` only `,`, `}` or `]`. At any other
place one object ends and another begins, even if one of them is broken. Lines are cut at all such places. A
piece that begins inside a text is joined to the one before it if it can be read from there: after the text
there must be what may follow one. Otherwise the text was never closed, and the piece begins a record."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.transforms.cut_lines import SPACE, before, cut_at, cut_lines, is_inside, without_escapes
from etl.ingest.transforms.join_pieces import join_pieces
from etl.ingest.transforms.parse_lines import MAX_LINE_BYTES, is_one_object, strip
from etl.write.partitions import PARTITION

# The end of an object, and the beginning of one.
_ENDS = rf"(\}}[{SPACE}]*+)(?=[^,}}\]])"
_BEGINS = rf"(\{{)(?<=[^\[,:}}{SPACE}][{SPACE}]{{0,16}}\{{)"
# Between two texts of an object, and after the last of a line: punctuation, with numbers and literals.
_PLAIN = rf"\[\]{{}},:{SPACE}0-9+\-.eEtruefalsn"
_BETWEEN = rf"^[{SPACE}]*[,:}}\]](?:[{_PLAIN}]*[,:\[{{])?[{SPACE}]*\z"
_AFTER = rf"^[{SPACE}]*(?:[,:}}\]][{_PLAIN}]*)?\z"
_OPENING = 200  # bytes of a line in which its first name is looked for
_DOUBT = "\n\n"  # before a doubtful line; otherwise no record has it, because blank lines are left out


def split_objects(lines: DataFrame) -> DataFrame:
    """In: every line of whole files, as `reading.read_lines` gives them. Out: the same columns for each
    object, and for whatever else stands between objects. The rows of a file lie in one task."""
    pieces = cut_lines(lines, lambda line: cut_at(line, f"{_ENDS}|{_BEGINS}", "$1\n$2"))
    may_be_inside = ~F.col("is_first") & (F.col("quotes_before") > 0)
    is_outside = F.col("is_first") | (may_be_inside & ~_may_begin_inside(F.col("piece")))
    opening_before = F.last(_opening(), ignorenulls=True).over(before())
    entered = pieces.select(
        "*", is_inside(is_outside).alias("is_inside"), opening_before.alias("opening_before")
    )
    # A text cannot go on to the next line, so such a bracket does not belong to one.
    opens_line = F.col("is_last") & (F.btrim("piece", F.lit(SPACE)) == "{")
    begins = F.when(F.col("is_first"), _begins_line()).otherwise(~F.col("is_inside") | opens_line)
    begun = entered.select("*", begins.alias("begins"))
    is_doubtful = F.col("is_first") & ~F.col("begins") & _may_begin_record()
    text = F.concat(F.when(is_doubtful, "\n").otherwise(""), "piece")
    place = F.when(is_doubtful, F.struct("number", "block_start", "row_id"))
    records = join_pieces(
        begun.select("*", text.alias("text")), F.array_sort(F.collect_list(place)).alias("places")
    )
    return _split_doubtful(records)


def _begins_line() -> Column:
    sign_before, sign = F.col("sign_before"), F.col("sign")
    opens = (sign == "{") & ~sign_before.isin("[", ",", ":")
    closes = (sign_before == "}") & ~sign.isin(",", "}", "]")
    return sign_before.isNull() | opens | closes


def _may_begin_inside(piece: Column) -> Column:
    """False if the piece, read from inside a text, has something outside of texts that is not JSON."""
    parts = F.split(without_escapes(piece), '"', -1)
    last = F.size(parts) - 1

    def is_wrong(part: Column, at: Column) -> Column:
        is_right = F.when(at == last, part.rlike(_AFTER)).otherwise(part.rlike(_BETWEEN))
        return (at % 2 == 1) & ~is_right

    return F.size(F.filter(parts, is_wrong)) == 0


def _opening() -> Column:
    """How a line begins: with space, or with which first name of an object."""
    piece = F.col("piece")
    name = F.substring_index(F.substring(piece, 1, _OPENING), '"', 2)
    opening = F.when(F.substring(piece, 1, 1) != F.col("sign"), " ").when(piece.startswith("{"), name)
    return F.when(F.col("is_first"), F.coalesce(opening, F.lit("")))


def _may_begin_record() -> Column:
    """True for a line where an object may begin although JSON allows one in an object there, as after
    `"a": [`: it has no space before it, and the line above has some, or begins with the same name."""
    opening_before = F.col("opening_before")
    is_like = (opening_before == " ") | (opening_before == _opening())
    return F.col("piece").startswith("{") & is_like


def _split_doubtful(records: DataFrame) -> DataFrame:
    """Splits a record at such lines unless it is an object."""
    whole = records.withColumn("line", strip(F.replace("value", F.lit(_DOUBT), F.lit("\n"))))
    is_doubtful = F.col("value").contains(_DOUBT) & (F.col("size") <= MAX_LINE_BYTES)
    is_split = F.when(is_doubtful, ~is_one_object()).otherwise(False)
    parts = F.when(is_split, F.split("value", _DOUBT)).otherwise(F.array("line"))
    exploded = whole.select(*records.columns, F.posexplode(parts).alias("at", "part"))
    place = F.get("places", F.col("at") - 1)
    return exploded.select(
        F.col("part").alias("value"),
        PARTITION,
        "file_path",
        *(F.coalesce(place[name], name).alias(name) for name in ("block_start", "row_id")),
    )
