"""The beginning of each delivered file: its kind, and in CSV its first record. Read once, before the rows."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader

from etl.errors import InvalidDelivery
from etl.ingest.arrays import NO_ARRAY
from etl.ingest.contract import Format
from etl.ingest.packings import SEEN_BYTES, find_mistake, packing_of
from etl.ingest.quotes import is_open_after
from etl.ingest.unpacking import BrokenFileError, ends_in_nul, has_whole_end, open_unpacked, read_start
from etl.io import StoredObject

MAX_HEADER_BYTES = 1024 * 1024
MAX_NAMED = 20  # files named in one message

_READERS = 16  # files asked for at a time
_BLANK = bytes(range(33))
_JSON_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Start:
    """`mistake` says why the file is not read; "" when it is read. `record` is the first record of a CSV file
    without its line end; None when the file has only blank lines, or is not CSV. It begins at line
    `number`."""

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
            if mistake := find_mistake(file.name, first, stream.peek()):
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
            return Start(file, _mistake_of_json(stream, format_))
    except (BrokenFileError, ValueError) as error:
        return Start(file, str(error))


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
    piece = stream.read(SEEN_BYTES).removeprefix(_BOM)
    while piece and not piece.strip(_JSON_SPACE):
        piece = stream.read(SEEN_BYTES)
    return piece.strip(_JSON_SPACE)[:1]


def _with_record(file: StoredObject, stream: BufferedReader, format_: Format) -> Start:
    left, number, lines, is_open = MAX_HEADER_BYTES, 0, list[bytes](), False
    while line := stream.readline(left):
        left -= len(line)
        number += 1
        bare = (line.removeprefix(_BOM) if number == 1 else line).removesuffix(b"\n")
        if lines or bare.strip(_BLANK):
            lines.append(bare)
            if left <= 0:
                raise ValueError(f"its header has more than {MAX_HEADER_BYTES} bytes")
            is_open = format_.is_multi_line and is_open_after(bare, format_.delimiter, is_open=is_open)
            if not is_open:
                break
        elif left <= 0:
            raise ValueError(f"its first {MAX_HEADER_BYTES} bytes are blank")
    return Start(file, record=b"\n".join(lines) if lines else None, number=number - max(len(lines) - 1, 0))
