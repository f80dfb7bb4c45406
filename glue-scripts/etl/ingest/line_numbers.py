"""Finds the numbers of lines in a delivered file. Spark knows the file of a row, but not its line."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from etl.ingest.contract import Format
from etl.ingest.file_lines import Line, decode, has_text, read_file_lines
from etl.ingest.unpacking import open_unpacked
from etl.io import StoredObject

_SPACE = {True: "\r\n", False: " \t\r\n"}  # around a row of CSV, around one of JSON


def find_lines(file: StoredObject, texts: Iterable[str], format_: Format, most_bytes: int) -> dict[str, int]:
    """The numbers, from 1, of the first rows of a file that are the texts, the space around them aside.
    Reads at most `most_bytes` of it, unpacked. Texts that are not found there are not in the answer. It is
    empty if the file cannot be read."""
    space = _SPACE[format_.is_csv]
    wanted = {text.strip(space): text for text in texts}
    found: dict[str, int] = {}
    try:
        with open_unpacked(file) as lines:
            for number, line in _rows(_first_lines(lines, most_bytes), format_):
                text = wanted.get(decode(line, format_).strip(space))
                if text is not None:
                    found.setdefault(text, number)
                if len(found) == len(wanted):
                    break
    except Exception:  # without a line number the reader must search, but the run goes on
        return {}
    return found


def _rows(lines: Iterable[bytes], format_: Format) -> Iterator[Line]:
    # The end of the file may lie beyond what is read. Lines that are left out there are no rows anyway.
    has_header = format_.is_csv and not format_.columns
    for number, line in read_file_lines(lines, replace(format_, skip_bottom=0)):
        if not has_header:
            yield number, line
        elif has_text(line):
            has_header = False


def _first_lines(lines: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """The lines that end within the first `most_bytes`."""
    read = 0
    for line in lines:
        read += len(line)
        if read > most_bytes:
            return
        yield line
