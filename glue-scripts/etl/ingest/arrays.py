"""Says why a file is not one whole JSON array. `transforms.split_array` finds such files by the same rule."""

import re
from collections.abc import Iterable

from etl.ingest.file_lines import BOM, JSON_SPACE

NO_ARRAY = "it does not begin with '[' as an array does"
NOT_WHOLE = "its array is not whole"

_TEXT = re.compile(rb'"[^"]*"?')
_BRACKET = re.compile(rb"[\[\]{}]")


def read_array(lines: Iterable[bytes]) -> tuple[str, bool]:
    """The mistake in the array of these lines, and its place; "" if it is whole, or if all lines are blank.
    Also whether something stands in the array."""
    depth, signs, last = 0, 0, 0
    for number, line in enumerate(lines, 1):
        bare = (line.removeprefix(BOM) if number == 1 else line).strip(JSON_SPACE)
        if not bare:
            continue
        if signs == 0 and not bare.startswith(b"["):
            return NO_ARRAY, False
        if signs > 0 and depth == 0:
            return _follows(number), True
        signs += len(bare.translate(None, JSON_SPACE))
        depth, mistake = _walk(bare, depth, number)
        if mistake:
            return mistake, True
        last = number
    return f"its array does not end, up to line {last}: deliver it whole" if depth > 0 else "", signs > 2


def _walk(line: bytes, depth: int, number: int) -> tuple[int, str]:
    """The depth after a line, and what is wrong with it."""
    quotes = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    plain = _TEXT.sub(b'"', quotes)
    for bracket in _BRACKET.finditer(plain):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth == 0 and bracket[0] != b"]":
            return 0, f"its array ends with '}}' on line {number}: correct it"
        if depth == 0 and plain[bracket.end() :].strip(JSON_SPACE):
            return 0, _follows(number)
    # It is not known which of its brackets are in a text.
    if quotes.count(b'"') % 2 == 1:
        return depth, f"line {number} has a text that does not end on that line: correct it"
    return depth, ""


def _follows(number: int) -> str:
    return f"something follows the end of its array on line {number}: deliver one array a file"
