"""Finds lines of CSV that end inside a quoted text (RFC 4180), in the same way in Spark and in Python.

A quote opens a text only at the beginning of a field; elsewhere it is part of the field. Two quotes side by
side never change whether a text is open, so they are removed first. The rest needs no recursion, however long
the line is."""

import re
from collections.abc import Iterable
from functools import cache

from pyspark.sql import Column
from pyspark.sql import functions as F

_BOM = b"\xef\xbb\xbf"


def ends_open(line: Column, delimiter: str) -> Column:
    """True if the line, which begins outside of a text, ends inside one."""
    single = F.replace(line, F.lit('""'), F.lit(""))
    rest = F.regexp_replace(F.concat(F.lit(delimiter), single), _closed_field(delimiter), "")
    return F.when(line.contains('"'), rest != "").otherwise(F.lit(False))


def is_open_after(line: bytes, delimiter: str, *, is_open: bool = False) -> bool:
    """The same in Python; `is_open` is true if the line begins inside a text."""
    single = _single(line, is_open)
    return b'"' in single and _pattern(delimiter).sub(b"", delimiter.encode() + single) != b""


def find_open_line(lines: Iterable[bytes], delimiter: str, *, is_multi_line: bool) -> int | None:
    """The number, from 1, of the line with a text that does not end: on that line, or with `is_multi_line` at
    all. None if every text ends."""
    is_open, opened = False, 0
    for number, line in enumerate(lines, 1):
        bare = (line.removeprefix(_BOM) if number == 1 else line).rstrip(b"\n")
        was_open, is_open = is_open, is_open_after(bare, delimiter, is_open=is_open)
        # A line that begins inside a text may end it and begin another.
        if is_open and (not was_open or _single(bare, True).count(b'"') > 1):
            opened = number
        if is_open and not is_multi_line:
            break
    return opened if is_open else None


def open_mistake(number: int, *, is_multi_line: bool) -> str:
    """The message about a text that begins on a line and does not end."""
    if is_multi_line:
        return (
            f"the quoted text that begins on line {number} never ends: close it; or, if quotes are data, "
            'say "quote": null instead of "multiLine" in x-etl.format'
        )
    return (
        f"line {number} has a quoted text that does not end on that line: if texts go over several lines, "
        'say "multiLine": true in x-etl.format; if quotes are data, say "quote": null'
    )


def _single(line: bytes, is_open: bool) -> bytes:
    whole = b'"' + line if is_open else line
    return whole.replace(b'""', b"")


def _closed_field(delimiter: str) -> str:
    """A field that ends on its line, with the delimiter before it."""
    of = f"\\x{ord(delimiter):02x}"
    return f'{of}(?:"[^"]*"[^{of}]*|[^"{of}][^{of}]*|(?={of}|$))'


@cache
def _pattern(delimiter: str) -> re.Pattern[bytes]:
    return re.compile(_closed_field(delimiter).encode())
