"""Finds lines of CSV that end inside a quoted text (RFC 4180), or whose end is escaped, in the same way in
Spark and in Python.

A quote opens a text only at the beginning of a field; elsewhere it is part of the field. Two quotes side by
side never change whether a text is open, so they are removed first. The rest needs no recursion, however long
the line is."""

import re
from collections.abc import Iterable
from enum import Enum
from functools import cache

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.ingest.contract import Format
from etl.ingest.escapes import ends_text_escaped, hide_text, mark
from etl.ingest.file_lines import Line, decode


class Place(Enum):
    """The place where a line ends: between two records, inside a quoted text, or in a field whose next
    character is the line end, because that is escaped."""

    BETWEEN = "between"
    TEXT = "text"
    FIELD = "field"


def ends_open(hidden: Column, format_: Format) -> Column:
    """True if the line, which begins outside of a text, ends inside one. Its escapes are hidden."""
    if not format_.has_quotes:
        return F.lit(False)
    single = F.replace(hidden, F.lit('""'), F.lit(""))
    rest = F.regexp_replace(F.concat(F.lit(format_.delimiter), single), _closed_field(format_.delimiter), "")
    return F.when(hidden.contains('"'), rest != "").otherwise(F.lit(False))


def end_of(line: str, format_: Format, start: Place = Place.BETWEEN) -> Place:
    """The place where a line ends that begins at `start`."""
    hidden = hide_text(line, format_)
    if format_.has_quotes and _ends_in_text(_single(hidden, format_, start), format_.delimiter):
        return Place.TEXT
    return Place.FIELD if ends_text_escaped(hidden, format_) else Place.BETWEEN


def find_open_text(lines: Iterable[Line], format_: Format) -> str:
    """The message about the first text that does not end: on its line, or with `multiLine` at all. "" if
    every text ends."""
    place, begun = Place.BETWEEN, 0
    for number, line in lines:
        text = decode(line, format_)
        start, place = place, end_of(text, format_, place)
        # A line that begins inside a text may end it and begin another.
        is_another = _single(hide_text(text, format_), format_, start).count('"') > 1
        if place is not start or place is Place.FIELD or is_another:
            begun = number
        if place is not Place.BETWEEN and not format_.is_multi_line:
            break
    return "" if place is Place.BETWEEN else _mistake(begun, place, format_)


def _mistake(number: int, place: Place, format_: Format) -> str:
    is_data = 'if the escape character is data, say no "escape"'
    if place is Place.FIELD:
        what = f"line {number} ends with the escape character, so that the line end is part of its last field"
        if format_.is_multi_line:
            return f"{what}, and no line follows: deliver the file whole; or, {is_data}"
        return f'{what}: if that is so, say "multiLine": true in x-etl.format; {is_data}'
    or_data = "" if format_.escape is None else f"; {is_data}"
    if format_.is_multi_line:
        return (
            f"the quoted text that begins on line {number} never ends: close it; or, if quotes are data, "
            f'say "quote": null instead of "multiLine" in x-etl.format{or_data}'
        )
    return (
        f"line {number} has a quoted text that does not end on that line: if texts go over several lines, "
        f'say "multiLine": true in x-etl.format; if quotes are data, say "quote": null{or_data}'
    )


def _single(hidden: str, format_: Format, start: Place) -> str:
    beginning = '"' if start is Place.TEXT else mark(format_) if start is Place.FIELD else ""
    return (beginning + hidden).replace('""', "")


def _ends_in_text(single: str, delimiter: str) -> bool:
    return '"' in single and _pattern(delimiter).sub("", delimiter + single) != ""


def _closed_field(delimiter: str) -> str:
    """A field that ends on its line, with the delimiter before it."""
    of = re.escape(delimiter)
    return f'{of}(?:"[^"]*"[^{of}]*|[^"{of}][^{of}]*|(?={of}|$))'


@cache
def _pattern(delimiter: str) -> re.Pattern[str]:
    return re.compile(_closed_field(delimiter))
