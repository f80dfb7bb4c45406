"""Hides what an escape protects from those who look for quotes, delimiters and line ends, in the same way in
Spark and in Python.

An escape takes the meaning from the next character, inside of quotes and outside: a delimiter, a quote, a
line end or a second escape becomes part of the field. Before any other character the escape is left out, as
Python's csv does: `C:\\tmp` is `C:tmp`. A carriage return and the line feed after it are one line end.

Whatever is protected is replaced by two characters that mean nothing, and put back in the fields. The first
of the two is hidden itself, so that no text is changed. Nothing here recurses, however long a line is."""

import re
from collections.abc import Callable
from functools import cache, reduce
from typing import TypeVar

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.ingest.contract import Format

# Noncharacters of Unicode, which are hardly ever in a text.
_SIGNS = tuple(map(chr, range(0xFDD0, 0xFDF0)))
_AT_END = r"\r?(?![\s\S])"
_Text = TypeVar("_Text", str, Column)
_Replace = Callable[[_Text, str, str], _Text]


def hide(line: Column, format_: Format) -> Column:
    """The line, or the record, with what its escapes protect hidden. An escape at its end stays."""
    if format_.escape is None:
        return line
    hidden = F.regexp_replace(_hide(line, format_, _replace), _without_effect(format_), _codes(format_)[-1])
    return F.when(line.contains(format_.escape) | line.contains(mark(format_)), hidden).otherwise(line)


def hide_text(line: str, format_: Format) -> str:
    """The same in Python."""
    if format_.escape is None:
        return line
    return re.sub(_without_effect(format_), _codes(format_)[-1], _hide(line, format_, str.replace))


def show(field: Column, format_: Format) -> Column:
    """A field of a hidden line as it is meant."""
    if format_.escape is None:
        return field
    return F.when(field.contains(mark(format_)), _show(field, format_, _replace)).otherwise(field)


def show_text(field: str, format_: Format) -> str:
    """The same in Python."""
    return field if format_.escape is None else _show(field, format_, str.replace)


def ends_escaped(hidden: Column, format_: Format) -> Column:
    """True if an escape protects the end of the line."""
    return F.lit(False) if format_.escape is None else hidden.rlike(re.escape(format_.escape) + _AT_END)


def ends_text_escaped(hidden: str, format_: Format) -> bool:
    """The same in Python."""
    return format_.escape is not None and bool(re.search(re.escape(format_.escape) + _AT_END, hidden))


def mark(format_: Format) -> str:
    """A character without a meaning in a hidden line."""
    return _codes(format_)[0][0]


def _hide(text: _Text, format_: Format, replace: _Replace[_Text]) -> _Text:
    escape = format_.escape or ""
    own, twice, quote, delimiter, feed, carriage_return, _ = _codes(format_)
    # Escapes pair from the left, so two of them come before one and another character.
    pairs = [
        (mark(format_), own),
        (escape * 2, twice),
        (f'{escape}"', quote),
        (f"{escape}{format_.delimiter}", delimiter),
        (f"{escape}\r\n", f"\r{feed}"),
        (f"{escape}\n", feed),
        (f"{escape}\r\r", f"{carriage_return}\r"),
    ]
    return reduce(lambda hidden, pair: replace(hidden, *pair), pairs, text)


def _show(text: _Text, format_: Format, replace: _Replace[_Text]) -> _Text:
    meant = (mark(format_), format_.escape or "", '"', format_.delimiter, "\n", "\r", "")
    pairs = zip(_codes(format_), meant, strict=True)
    return reduce(lambda shown, pair: replace(shown, *pair), reversed(list(pairs)), text)


def _replace(text: Column, old: str, new: str) -> Column:
    return F.replace(text, F.lit(old), F.lit(new))


def _without_effect(format_: Format) -> str:
    return f"{re.escape(format_.escape or '')}(?!{_AT_END})"


@cache
def _codes(format_: Format) -> tuple[str, ...]:
    """The codes of the mark itself, an escape, a quote, a delimiter, a line feed, a carriage return, and an
    escape that is left out."""
    used = (format_.delimiter, format_.escape, format_.comment)
    first, *others = (sign for sign in _SIGNS if sign not in used)
    return tuple(first + other for other in others[:7])
