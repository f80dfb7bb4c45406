"""Parses lines or records of CSV to rows (RFC 4180), each once, without Python in the workers.

`from_csv` alone is too lenient: it accepts a quote that is never closed, and text beside a quoted text. So
the quotes are checked separately: every other piece between quotes is outside of a text, and must begin
and end with a field."""

import re
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.contract import KEPT, KEPT_TYPE, CleanUp, Contract, Format, NumberForm
from etl.ingest.contract import Column as ContractColumn
from etl.ingest.escapes import ends_escaped, hide, hide_text, show
from etl.ingest.headers import Layout, Layouts
from etl.ingest.quotes import ends_open
from etl.ingest.transforms.decode_uri import stored_uri
from etl.ingest.transforms.parse_lines import MAX_LINE_BYTES, UNPARSED, cut, is_utf8

_MOST_FIELDS = 20_480  # Spark's own default
_MADE = "x-etl-fields-"  # with hyphens, so that no contract has the name
_BARE = "x-etl-bare"  # the line with its escapes hidden


def parse_csv(lines: DataFrame, contract: Contract, layouts: Layouts) -> DataFrame:
    """Like `parse_lines`, except that every line has `texts`. `lines` are without the headers, and may be
    records that `join_lines` made; `layouts` has their files.

    - `is_object`: the line has as many fields as its file's header, rightly quoted, in valid UTF-8;
    - `is_clean`: and every value has the declared type, except dates, which are still texts;
    - `is_open`: the line ends inside a quoted text, or is too long to decide."""
    format_ = contract.format
    lines = lines if "is_open" in lines.columns else _with_end(lines, format_)
    others = [name for name in lines.columns if name not in ("value", "size")]
    is_cut = F.col("size") > MAX_LINE_BYTES
    trimmed = F.expr("rtrim('\r', value)")
    shown = F.when(is_cut, cut(trimmed, F.col("size"))).otherwise(trimmed)
    stripped = lines.select(*others, is_cut.alias("is_cut"), shown.alias("line"), *_bare(is_cut, format_))
    of_layout = _conditions(layouts)
    fields = [
        F.when(condition, _fields(layout, format_)).alias(f"{_MADE}{at}")
        for at, (layout, condition) in enumerate(of_layout)
    ]
    parsed = stripped.select("*", *fields)
    is_whole = _coalesce(
        [_is_whole(at, layout, format_) for at, (layout, _) in enumerate(of_layout)], of_layout
    )
    is_object = F.coalesce(
        ~F.col("is_cut")
        & is_in_its_encoding(format_)
        & _is_quoted(format_)
        & _keeps_nuls(format_)
        & is_whole,
        F.lit(False),
    )
    texts = F.struct(
        *(_text(column, of_layout, format_).alias(column.name) for column in contract.columns),
        _kept(of_layout, format_).alias(KEPT),
    )
    read = parsed.select(*others, "line", texts.alias("texts"), is_object.alias("is_object"))
    typed = [typed_text(column).alias(column.name) for column in contract.columns]
    row = F.struct(*typed, F.col("texts")[KEPT].alias(KEPT))
    rows = read.select("*", row.alias("row"))
    is_clean = reduce(lambda one, other: one & other, map(fits, contract.columns), F.col("is_object"))
    return rows.select("*", is_clean.alias("is_clean"))


def _with_end(lines: DataFrame, format_: Format) -> DataFrame:
    """Adds the columns that `join_lines` adds, for lines that are rows by themselves."""
    value, size = F.col("value"), F.octet_length("value")
    is_open, may_be_open = F.lit(False), F.lit(False)
    if format_.has_quotes:
        is_open, may_be_open = ends_open(hide(value, format_), format_), value.contains('"')
    if format_.escape is not None:
        is_open = is_open | ends_escaped(hide(value, format_), format_)
        may_be_open = may_be_open | value.contains(format_.escape)
    # For a line that is cut, the file itself is checked later.
    is_open = F.when(size > MAX_LINE_BYTES, may_be_open).otherwise(is_open)
    return lines.select("*", size.alias("size"), is_open.alias("is_open"))


def _bare(is_cut: Column, format_: Format) -> list[Column]:
    """The line with its escapes hidden, where there may be any. A line that is cut is no row anyway."""
    if format_.escape is None:
        return []
    hidden = hide(F.when(is_cut, F.lit("")).otherwise(F.col("value")), format_)
    return [F.call_function("rtrim", F.lit("\r"), hidden).alias(_BARE)]


def _of_line(format_: Format) -> Column:
    """The text that is split into fields."""
    return F.col("line" if format_.escape is None else _BARE)


Conditions = list[tuple[Layout, Column]]


def _conditions(layouts: Layouts) -> Conditions:
    """The layouts, with the most frequent last: it is used for every file that is in no other."""
    by_size = sorted(layouts.items(), key=lambda item: (len(item[1]), item[0].names, item[0].spare))
    location = stored_uri(F.col("file_path"))
    conditions = [(layout, location.isin([file.uri for file in files])) for layout, files in by_size]
    return [*conditions[:-1], (conditions[-1][0], F.lit(True))]


def _coalesce(values: list[Column], of_layout: Conditions) -> Column:
    """The value of a line's own layout."""
    chosen = values[-1]
    for value, (_, condition) in zip(reversed(values[:-1]), reversed(of_layout[:-1]), strict=True):
        chosen = F.when(condition, value).otherwise(chosen)
    return chosen


def _fields(layout: Layout, format_: Format) -> Column:
    if not format_.has_quotes:
        return _split(layout.width, format_)
    names = [f"`c{at}` string" for at in range(layout.width)]
    options = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": UNPARSED,
        # In this option a backslash begins a code such as \\t.
        "sep": format_.delimiter.replace("\\", "\\\\"),
        "quote": '"',
        "escape": '"',
    }
    line, most = _of_line(format_), max(_MOST_FIELDS, layout.width)
    fits = (F.octet_length(line) < most) | (_count(format_.delimiter, line) < most)
    # The parser would end the run on a line with too many fields, so such a line is replaced by one with
    # one too many.
    parsed = F.when(fits, line).otherwise(F.lit(format_.delimiter * layout.width))
    schema = ", ".join([*names, f"`{UNPARSED}` string"])
    return F.from_csv(parsed, schema, {**options, "maxColumns": str(most)})


def _split(count: int, format_: Format) -> Column:
    """The fields of a line in which a quote has no special meaning."""
    parts = F.split(_of_line(format_), re.escape(format_.delimiter), -1)
    fields = (F.get(parts, F.lit(at)).alias(f"c{at}") for at in range(count))
    return F.struct(*fields, F.when(F.size(parts) != count, F.col("line")).alias(UNPARSED))


def _count(character: str, text: Column) -> Column:
    return F.length(text) - F.length(F.replace(text, F.lit(character), F.lit("")))


def _field(at: int, name: str) -> Column:
    return F.col(f"`{_MADE}{at}`.`{name}`")


def _is_whole(at: int, layout: Layout, format_: Format) -> Column:
    """True if the line has as many fields as its header. Those below empty names at the end of the header may
    be left out."""
    if layout.spare == 0:
        return ~_field(at, UNPARSED).isNotNull()
    line = _of_line(format_)
    if format_.has_quotes:
        # Every other piece between quotes is outside of a text.
        line = F.array_join(F.filter(F.split(line, '"', -1), lambda _, number: number % 2 == 0), "")
    is_whole = (_count(format_.delimiter, line) + 1).between(len(layout.names), layout.width)
    if format_.unknown_columns != "refuse":
        return is_whole
    spare = (_field(at, f"c{place}") for place in range(len(layout.names), layout.width))
    return reduce(lambda whole, field: whole & (F.coalesce(field, F.lit("")) == ""), spare, is_whole)


def is_in_its_encoding(format_: Format) -> Column:
    """True if `line` has only characters of the encoding."""
    if format_.encoding == "UTF-8":
        return is_utf8()
    # In windows-1252 some bytes are no characters.
    return ~F.col("line").contains("\ufffd") if format_.encoding == "windows-1252" else F.lit(True)


def _keeps_nuls(format_: Format) -> Column:
    """False for a NUL in a line with quotes: the parser drops it, and the row would differ from the
    delivery."""
    line = _of_line(format_)
    return ~(line.contains("\0") & line.contains('"')) if format_.has_quotes else F.lit(True)


def _is_quoted(format_: Format) -> Column:
    """True if only delimiters are beside the quotes that open or close a text, and every quote is closed."""
    if not format_.has_quotes:
        return F.lit(True)
    line = _of_line(format_)
    pieces = F.split(line, '"', -1)
    last = F.size(pieces) - 1

    def is_wrong(piece: Column, at: Column) -> Column:
        is_outside = at % 2 == 0
        begins = (at == 0) | piece.startswith(format_.delimiter)
        ends = (at == last) | piece.endswith(format_.delimiter)
        return is_outside & (piece != "") & ~(begins & ends)

    are_closed = last % 2 == 0
    judged = are_closed & (F.size(F.filter(pieces, is_wrong)) == 0)
    return F.when(line.contains('"'), judged).otherwise(F.lit(True))


def _text(column: ContractColumn, of_layout: Conditions, format_: Format) -> Column:
    """A column's text as its shape cleans it; null if nothing is left of it, or a text that means null."""
    values = []
    for at, (layout, _) in enumerate(of_layout):
        given = dict(layout.given).get(column.name)
        if given is not None:
            values.append(F.lit(given))
            continue
        found = [item for item in layout.shape.sources.items() if item[1].column == column.name]
        if not found:
            values.append(F.lit(None).cast("string"))
            continue
        [(of, source)] = found
        field = _without_escaped_nulls(_field(at, f"c{layout.names.index(of)}"), column, format_)
        cleaned = reduce(_clean, source.clean, show(field, format_))
        is_value = (cleaned != "") & ~cleaned.isin(list(column.nulls)) if column.nulls else cleaned != ""
        values.append(F.when(is_value, cleaned))
    return _coalesce(values, of_layout)


def _without_escaped_nulls(field: Column, column: ContractColumn, format_: Format) -> Column:
    """The field, or null if it is a word for null that is written with the escape, such as `\\N`."""
    words = [word for word in column.nulls if format_.escape is not None and format_.escape in word]
    return F.when(~field.isin([hide_text(word, format_) for word in words]), field) if words else field


def _clean(text: Column, step: CleanUp) -> Column:
    if step.kind == "replace":
        return F.regexp_replace(text, step.pattern, step.text)
    return {"trim": F.trim, "upper": F.upper, "lower": F.lower}[step.kind](text)


def _kept(of_layout: Conditions, format_: Format) -> Column:
    """The columns that no shape knows, by name; null without any. A column without a name is kept only where
    it has a value."""
    values = []
    for at, (layout, _) in enumerate(of_layout):
        fields = {name: show(_field(at, f"c{place}"), format_) for place, name in layout.unknown.items()}
        pairs = [part for name, field in fields.items() for part in (F.lit(name), field)]
        kept = F.create_map(*pairs) if pairs else F.lit(None).cast(KEPT_TYPE)
        if layout.nameless:
            kept = _with_values(kept, sorted(layout.nameless))
        values.append(kept)
    return _coalesce(values, of_layout)


def _with_values(kept: Column, nameless: list[str]) -> Column:
    filled = F.map_filter(kept, lambda name, field: ~name.isin(nameless) | (field != ""))
    return F.when(F.size(filled) > 0, filled)


def typed_text(column: ContractColumn) -> Column:
    """The text in `texts` as its declared type; null if it does not have that type."""
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
        # A mark without a counterpart is left out.
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


def fits(column: ContractColumn) -> Column:
    """True if the text in `texts` has become a value in `row`, or there is no text."""
    return F.col("texts")[column.name].isNull() | F.col("row")[column.name].isNotNull()
