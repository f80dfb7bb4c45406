"""The lines of a delivered file as Python reads them: the same as `reading.read_lines` and
`transforms/skip_lines.py` give in Spark."""

from collections import deque
from collections.abc import Iterable, Iterator

from etl.ingest.contract import Format

BLANK = bytes(range(33))
JSON_SPACE = b" \t\r\n"

BOM = b"\xef\xbb\xbf"
_PYTHON_NAMES = {"UTF-8": "utf-8", "ISO-8859-1": "latin-1", "windows-1252": "cp1252"}

Line = tuple[int, bytes]


def read_file_lines(lines: Iterable[bytes], format_: Format) -> Iterator[Line]:
    """The lines of a file that may be header or rows, with their numbers from 1 and without line feeds: not
    the mark of UTF-8, not what `skip_top`, `skip_bottom` and `comment` leave out."""
    comment = None if format_.comment is None else encode(format_.comment, format_)
    for number, line in _without_bottom(lines, format_.skip_bottom):
        if number > format_.skip_top and not (comment and line.startswith(comment)):
            yield number, line


def _without_bottom(lines: Iterable[bytes], skipped: int) -> Iterator[Line]:
    """All lines but the last `skipped` that are not blank, and what is after them."""
    held: deque[Line] = deque()
    texts = 0
    for number, line in enumerate(lines, 1):
        held.append((number, (line.removeprefix(BOM) if number == 1 else line).removesuffix(b"\n")))
        texts += has_text(held[-1][1])
        while held and texts - has_text(held[0][1]) >= skipped:
            texts -= has_text(held[0][1])
            yield held.popleft()


def has_text(line: bytes) -> bool:
    """True if the line is not blank."""
    return line.strip(BLANK) != b""


def decode(line: bytes, format_: Format, errors: str = "replace") -> str:
    """The line as text. By default a byte that is no character becomes U+FFFD."""
    return line.decode(_PYTHON_NAMES[format_.encoding], errors)


def encode(text: str, format_: Format) -> bytes:
    return text.encode(_PYTHON_NAMES[format_.encoding])
