"""Parses lines or records of CSV to rows (RFC 4180), each once, without Python in the workers.

`from_csv` alone is too lenient: it accepts a quote that is never closed, and text beside a quoted text. So
the quotes are checked separately: every other piece between quotes is outside of a text, and must begin
and end with a field."""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.contract import KEPT, KEPT_TYPE, CleanUp, Contract, NumberForm
from etl.ingest.contract import Column as ContractColumn
from etl.ingest.headers import Layout, Layouts
from etl.ingest.quotes import ends_open
from etl.ingest.transforms.decode_uri import stored_uri
from etl.ingest.transforms.parse_lines import MAX_LINE_BYTES, UNPARSED, cut, is_utf8

_MOST_FIELDS = 20_480  # Spark's own default
_MADE = "x-etl-fields-"  # with hyphens, so that no contract has the name


def parse_csv(lines: DataFrame, contract: Contract, layouts: Layouts) -> DataFrame:
    """Like `parse_lines`, except that every line has `texts`. `lines` are without the headers, and may be
    records that `join_lines` made; `layouts` has their files.

    - `is_object`: the line has as many fields as its file's header, rightly quoted, in valid UTF-8;
    - `is_clean`: and every value has the declared type, except dates, which are still texts;
    - `is_open`: the line ends inside a quoted text, or is too long to decide."""
    lines = lines if "is_open" in lines.columns else _with_end(lines, contract)
    others = [name for name in lines.columns if name not in ("value", "size")]
    is_cut = F.col("size") > MAX_LINE_BYTES
    trimmed = F.expr("rtrim('\r', value)")
    shown = F.when(is_cut, cut(trimmed, F.col("size"))).otherwise(trimmed)
    stripped = lines.select(*others, is_cut.alias("is_cut"), shown.alias("line"))
    of_layout = _conditions(layouts)
    fields = [
        F.when(condition, _fields(layout, contract)).alias(f"{_MADE}{at}")
        for at, (layout, condition) in enumerate(of_layout)
    ]
    parsed = stripped.select(*others, "is_cut", "line", *fields)
    is_whole = _coalesce(
        [~F.col(_field(at, UNPARSED)).isNotNull() for at in range(len(of_layout))], of_layout
    )
    is_object = F.coalesce(
        ~F.col("is_cut") & is_utf8() & _is_quoted(contract) & _keeps_nuls(contract) & is_whole, F.lit(False)
    )
    texts = F.struct(
        *(_text(column, of_layout).alias(column.name) for column in contract.columns),
        _kept(of_layout).alias(KEPT),
    )
    read = parsed.select(*others, "line", texts.alias("texts"), is_object.alias("is_object"))
    typed = [_typed(column).alias(column.name) for column in contract.columns]
    row = F.struct(*typed, F.col("texts")[KEPT].alias(KEPT))
    rows = read.select("*", row.alias("row"))
    is_clean = reduce(lambda one, other: one & other, map(_fits, contract.columns), F.col("is_object"))
    return rows.select("*", is_clean.alias("is_clean"))


def _with_end(lines: DataFrame, contract: Contract) -> DataFrame:
    """Adds the columns that `join_lines` adds, for lines that are rows by themselves."""
    size = F.octet_length("value")
    # For a line that is cut, the file itself is checked later.
    is_open = F.when(size > MAX_LINE_BYTES, F.col("value").contains('"')).otherwise(
        ends_open(F.col("value"), contract.format.delimiter)
    )
    return lines.select(
        "*", size.alias("size"), (is_open if contract.format.has_quotes else F.lit(False)).alias("is_open")
    )


Conditions = list[tuple[Layout, Column]]


def _conditions(layouts: Layouts) -> Conditions:
    """The layouts, with the most frequent last: it is used for every file that is in no other."""
    by_size = sorted(layouts.items(), key=lambda item: (len(item[1]), item[0].names))
    location = stored_uri(F.col("file_path"))
    conditions = [(layout, location.isin([file.uri for file in files])) for layout, files in by_size]
    return [*conditions[:-1], (conditions[-1][0], F.lit(True))]


def _coalesce(values: list[Column], of_layout: Conditions) -> Column:
    """The value of a line's own layout."""
    chosen = values[-1]
    for value, (_, condition) in zip(reversed(values[:-1]), reversed(of_layout[:-1]), strict=True):
        chosen = F.when(condition, value).otherwise(chosen)
    return chosen


def _fields(layout: Layout, contract: Contract) -> Column:
    if not contract.format.has_quotes:
        return _split(len(layout.names), contract.format.delimiter)
    names = [f"`c{at}` string" for at in range(len(layout.names))]
    options = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": UNPARSED,
        "sep": contract.format.delimiter,
        "quote": '"',
        "escape": '"',
    }
    delimiter = contract.format.delimiter
    most = max(_MOST_FIELDS, len(layout.names))
    fields_at_most = F.length("line") - F.length(F.replace(F.col("line"), F.lit(delimiter), F.lit("")))
    fits = (F.octet_length("line") < most) | (fields_at_most < most)
    # The parser would end the run on a line with too many fields, so such a line is replaced by one with
    # one too many.
    line = F.when(fits, F.col("line")).otherwise(F.lit(delimiter * len(layout.names)))
    return F.from_csv(line, ", ".join([*names, f"`{UNPARSED}` string"]), {**options, "maxColumns": str(most)})


def _split(count: int, delimiter: str) -> Column:
    """The fields of a line in which a quote has no special meaning."""
    parts = F.split("line", f"\\x{ord(delimiter):02x}", -1)
    fields = (F.get(parts, F.lit(at)).alias(f"c{at}") for at in range(count))
    return F.struct(*fields, F.when(F.size(parts) != count, F.col("line")).alias(UNPARSED))


def _field(at: int, name: str) -> str:
    return f"`{_MADE}{at}`.`{name}`"


def _keeps_nuls(contract: Contract) -> Column:
    """False for a NUL in a line with quotes: the parser drops it, and the row would differ from the
    delivery."""
    line = F.col("line")
    return ~(line.contains("\0") & line.contains('"')) if contract.format.has_quotes else F.lit(True)


def _is_quoted(contract: Contract) -> Column:
    """True if only delimiters are beside the quotes that open or close a text, and every quote is closed."""
    if not contract.format.has_quotes:
        return F.lit(True)
    pieces = F.split("line", '"', -1)
    last = F.size(pieces) - 1

    def is_wrong(piece: Column, at: Column) -> Column:
        is_outside = at % 2 == 0
        begins = (at == 0) | piece.startswith(contract.format.delimiter)
        ends = (at == last) | piece.endswith(contract.format.delimiter)
        return is_outside & (piece != "") & ~(begins & ends)

    are_closed = last % 2 == 0
    judged = are_closed & (F.size(F.filter(pieces, is_wrong)) == 0)
    return F.when(F.col("line").contains('"'), judged).otherwise(F.lit(True))


def _text(column: ContractColumn, of_layout: Conditions) -> Column:
    """A column's text as its shape cleans it; null if nothing is left of it, or a text that means null."""
    values = []
    for at, (layout, _) in enumerate(of_layout):
        [(of, source)] = [item for item in layout.shape.sources.items() if item[1].column == column.name]
        value = F.col(_field(at, f"c{layout.names.index(of)}"))
        cleaned = reduce(_clean, source.clean, value)
        is_value = (cleaned != "") & ~cleaned.isin(list(column.nulls)) if column.nulls else cleaned != ""
        values.append(F.when(is_value, cleaned))
    return _coalesce(values, of_layout)


def _clean(text: Column, step: CleanUp) -> Column:
    if step.kind == "replace":
        return F.regexp_replace(text, step.pattern, step.text)
    return {"trim": F.trim, "upper": F.upper, "lower": F.lower}[step.kind](text)


def _kept(of_layout: Conditions) -> Column:
    """The columns that no shape knows, by name; null without any."""
    values = []
    for at, (layout, _) in enumerate(of_layout):
        places = [(name, F.col(_field(at, f"c{layout.names.index(name)}"))) for name in layout.unknown]
        pairs = [part for name, value in places for part in (F.lit(name), value)]
        values.append(F.create_map(*pairs) if pairs else F.lit(None).cast(KEPT_TYPE))
    return _coalesce(values, of_layout)


def _typed(column: ContractColumn) -> Column:
    """The text as its declared type; null if it does not have that type."""
    text = F.col("texts")[column.name]
    if column.type == "string":
        return text
    if column.type == "boolean":
        return F.when(text.isin(list(column.words.true)), True).when(
            text.isin(list(column.words.false)), False
        )
    if column.decimal is not None:
        precision, scale = column.decimal
        return _cast(column, _decimal_pattern(column, precision, scale), f"decimal({precision},{scale})")
    if column.type == "integer":
        return _cast(column, _whole(column, "[0-9]{1,19}"), "bigint")
    number = _cast(column, _double_pattern(column), "double")
    return F.when(F.abs(number) != float("inf"), number)


def _cast(column: ContractColumn, pattern: str, type_: str) -> Column:
    """The text as a number; null unless the whole of it, after a minus, has the pattern."""
    # The dollar sign would also match before a line end.
    is_number = F.col("texts")[column.name].rlike(rf"^-?{pattern}\z")
    text = f"texts.`{column.name.replace('`', '``')}`"
    if column.number != NumberForm():
        # What has no counterpart is left out.
        marks = column.number.decimal + column.number.thousands
        text = f"translate({text}, {_literal(marks)}, '.')"
    return F.when(is_number, F.expr(f"try_cast({text} as {type_})"))


def _double_pattern(column: ContractColumn) -> str:
    whole = _whole(column, "(0|[1-9][0-9]*)", "[1-9][0-9]{0,2}")
    return f"{whole}({_escaped(column.number.decimal)}[0-9]+)?([eE][+-]?[0-9]+)?"


def _decimal_pattern(column: ContractColumn, precision: int, scale: int) -> str:
    """Matches numbers that fit exactly; zeros at either end do not count."""
    whole = precision - scale
    digits = _whole(column, f"0*[0-9]{{1,{whole}}}" if whole else "0+")
    point = _escaped(column.number.decimal)
    decimals = f"({point}[0-9]{{1,{scale}}}0*)?" if scale else f"({point}0+)?"
    return f"{digits}{decimals}"


def _whole(column: ContractColumn, plain: str, first: str = "[0-9]{1,3}") -> str:
    """Matches digits as in `plain`, or in groups of three after those in `first`."""
    mark = _escaped(column.number.thousands)
    return f"(?:{plain}|{first}(?:{mark}[0-9]{{3}})+)" if mark else plain


def _escaped(text: str) -> str:
    """A regular expression that matches the text alone."""
    return "".join(f"\\x{{{ord(character):x}}}" for character in text)


def _literal(text: str) -> str:
    """The text in SQL."""
    units = text.encode("utf-16-be").hex()
    return "'" + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + "'"


def _fits(column: ContractColumn) -> Column:
    return F.col("texts")[column.name].isNull() | F.col("row")[column.name].isNotNull()
