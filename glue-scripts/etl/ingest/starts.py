"""The beginning of each delivered file: its kind, and in CSV its first record. Read once, before the rows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import BufferedReader

from etl.errors import InvalidDelivery
from etl.ingest.arrays import NO_ARRAY
from etl.ingest.contract import Format
from etl.ingest.file_lines import BOM, JSON_SPACE, decode, has_text, read_file_lines
from etl.ingest.packings import SEEN_BYTES, find_mistake, packing_of
from etl.ingest.quotes import Place, end_of
from etl.ingest.unpacking import BrokenFileError, ends_in_nul, has_whole_end, open_unpacked, read_start
from etl.io import StoredObject

MAX_HEADER_BYTES = 1024 * 1024
MAX_NAMED = 20  # files named in one message

WITHOUT_FEEDS = (
    "its lines end with a carriage return and no line feed: convert it, e.g. tr '\\r' '\\n' < old > new"
)
_READERS = 16  # files asked for at a time


@dataclass(frozen=True)
class Start:
    """`mistake` says why the file is not read; "" when it is read. `record` is the header of a CSV file or,
    where files have none, the beginning of its first row, without the line end; None when the file has
    neither, or is not CSV. It begins at line `number`."""

    file: StoredObject
    mistake: str = ""
    record: bytes | None = None
    number: int = 1


def read_starts(files: Iterable[StoredObject], format_: Format) -> list[Start]:
    """Reads a little of each file, and of some its end too. Raises StorageError."""
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda file: _read(file, format_), files))


def check_files(files: Iterable[StoredObject], format_: Format) -> None:
    """Raises InvalidDelivery with every file that is not of a known kind."""
    refuse_files(
        [f"{start.file.uri}: {start.mistake}" for start in read_starts(files, format_) if start.mistake]
    )


def refuse_files(mistakes: Sequence[str]) -> None:
    """Raises InvalidDelivery if there is a mistake, with the first MAX_NAMED and the number of the others."""
    if not mistakes:
        return
    more = len(mistakes) - MAX_NAMED
    raise InvalidDelivery(
        "; ".join([*mistakes[:MAX_NAMED], *([f"and {more} more files"] if more > 0 else [])])
    )


def _read(file: StoredObject, format_: Format) -> Start:
    if file.name.endswith("/"):
        return Start(file, "its name ends in '/', which readers take for a folder: rename it")
    first = read_start(file)
    try:
        with open_unpacked(file, first) as stream:
            if mistake := find_mistake(file.name, first, stream.peek(), format_):
                return Start(file, mistake)
            packing = packing_of(first)
            if packing is None and ends_in_nul(file, first):
                return Start(file, "it ends in NUL bytes, so it was not written to its end: deliver it whole")
            if packing is not None and packing.name == "bzip2" and not has_whole_end(file):
                return Start(
                    file, "its bzip2 is cut, or something follows it: deliver it whole, with nothing after it"
                )
            if format_.is_csv:
                return _with_record(file, stream, format_)
            if format_.is_xml:
                return Start(file, mistake_of_declaration(stream.peek()[:SEEN_BYTES], format_))
            return Start(file, _mistake_of_json(stream, format_))
    except (BrokenFileError, ValueError) as error:
        return Start(file, str(error))


def mistake_of_declaration(first: bytes, format_: Format) -> str:
    """Says so if the file declares another encoding than the contract. A parser of rows does not see what
    stands at the beginning of the file."""
    found = re.match(rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"'>]+)", first.removeprefix(BOM))
    if found is None:
        return ""
    declared = found[1].decode("latin-1")
    name = {"us-ascii": "utf-8", "latin1": "iso-8859-1", "cp1252": "windows-1252"}.get(
        declared.lower(), declared.lower()
    )
    if name == format_.encoding.lower():
        return ""
    return (
        f"it says that its encoding is {declared}, and x-etl.format says {format_.encoding}: "
        "correct the contract, or convert the file"
    )


def _mistake_of_json(stream: BufferedReader, format_: Format) -> str:
    if format_.kind == "jsonLines":
        return ""
    first, is_array = _first_sign(stream), format_.kind == "jsonArray"
    if not first or (first == b"[") is is_array:
        return ""
    if is_array:
        return (
            f'{NO_ARRAY}: check it; for objects one after the other say "kind": "jsonObjects" in x-etl.format'
        )
    return 'it begins with \'[\': for one array of objects a file say "kind": "jsonArray" in x-etl.format'


def _first_sign(stream: BufferedReader) -> bytes:
    """The first byte that is not space."""
    piece = stream.read(SEEN_BYTES).removeprefix(BOM)
    while piece and not piece.strip(JSON_SPACE):
        piece = stream.read(SEEN_BYTES)
    return piece.strip(JSON_SPACE)[:1]


def _with_record(file: StoredObject, stream: BufferedReader, format_: Format) -> Start:
    if format_.columns and _has_no_feeds(stream.peek(), format_):
        return Start(file, WITHOUT_FEEDS)
    # The end of the file is not looked for here.
    lines = read_file_lines(_first_lines(stream, format_), replace(format_, skip_bottom=0))
    begun, record, place = 1, list[bytes](), Place.BETWEEN
    for number, line in lines:
        if record or has_text(line):
            begun = begun if record else number
            record.append(line)
            if format_.is_multi_line and not format_.columns:
                place = end_of(decode(line, format_), format_, place)
            if place is Place.BETWEEN:
                break
    return Start(file, record=b"\n".join(record) if record else None, number=begun)


def _first_lines(stream: BufferedReader, format_: Format) -> Iterator[bytes]:
    """The first lines of the file. A header must be among them whole, of a row only the beginning."""
    left = MAX_HEADER_BYTES
    while line := stream.readline(left):
        left -= len(line)
        if left > 0 or format_.columns:
            yield line
        if left <= 0:
            what = "line that is a row" if format_.columns else "whole header"
            raise ValueError(f"its first {MAX_HEADER_BYTES} bytes do not hold a {what}")


def _has_no_feeds(first: bytes, format_: Format) -> bool:
    """True if the file has carriage returns where line ends would be. Where there is a header, its fields
    show that."""
    lines = [decode(line, format_) for line in first.rstrip(b"\r").split(b"\r")]
    widths = {line.count(format_.delimiter) for line in lines[: max(len(lines) - 1, 2)]}
    return b"\n" not in first and len(lines) > 1 and widths == {len(format_.columns) - 1}
