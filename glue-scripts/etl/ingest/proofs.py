"""What must be proved before a delivery is taken as it was read: that a file without rows has nothing in it,
and that no quoted text of it went over the end of a line. Only the files in doubt are read again."""

from collections.abc import Collection, Iterable, Sequence

from etl.ingest.contract_parts import Format
from etl.ingest.quotes import find_open_line, is_open_after, open_mistake
from etl.ingest.starts import MAX_NAMED
from etl.ingest.unpacking import BrokenFileError, open_unpacked
from etl.io import StoredObject

_JSON_SPACE = b" \t\r\n"
_BLANK = bytes(range(33))
_BOM = b"\xef\xbb\xbf"
# What writers put beside their data to say that it is whole; it holds no rows.
_MARKERS = ("_SUCCESS", "_started", "_committed", "_metadata", "_common_metadata")


def find_open_texts(uris: Collection[str], files: Iterable[StoredObject], format_: Format) -> list[str]:
    """The files of these URIs with the line where a quoted text begins that does not end. Each is read up to
    that line, until MAX_NAMED are found."""
    named = sorted((file for file in files if file.uri in uris), key=lambda file: file.uri)
    mistakes: list[str] = []
    for at, file in enumerate(named):
        if len(mistakes) == MAX_NAMED:
            return mistakes + [f"{other.uri}: it may have such a text too" for other in named[at:]]
        if told := _open_text(file, format_):
            mistakes.append(f"{file.uri}: {told}")
    return mistakes


def _open_text(file: StoredObject, format_: Format) -> str:
    is_multi_line = format_.is_multi_line
    with open_unpacked(file) as lines:
        number = find_open_line(lines, format_.delimiter, is_multi_line=is_multi_line)
    return "" if number is None else open_mistake(number, is_multi_line=is_multi_line)


def find_unread(read: Collection[str], files: Sequence[StoredObject], format_: Format) -> list[str]:
    """The files with bytes of which no row was read although they hold more than blank lines (of CSV: below
    the header). Reads those without a row to their end."""
    return [
        f"{file.uri}: {told}" for file in files if file.uri not in read and (told := _unread(file, format_))
    ]


def _unread(file: StoredObject, format_: Format) -> str:
    try:
        with open_unpacked(file) as lines:
            if format_.is_csv:
                is_blank = _is_blank_below_header(lines, format_)
            else:
                is_blank = all(
                    not _without_mark(line, at).strip(_JSON_SPACE) for at, line in enumerate(lines)
                )
    except BrokenFileError as error:
        return str(error)
    return "" if is_blank else f"no row was read from its {file.size} bytes, and they are no blank lines"


def _is_blank_below_header(lines: Iterable[bytes], format_: Format) -> bool:
    has_header, is_open = False, False
    for at, line in enumerate(lines):
        bare = _without_mark(line, at)
        if has_header and not is_open and bare.strip(_BLANK):
            return False
        if is_open or bare.strip(_BLANK):
            has_header = True
            is_open = format_.is_multi_line and is_open_after(
                bare.removesuffix(b"\n"), format_.delimiter, is_open=is_open
            )
    return True


def _without_mark(line: bytes, at: int) -> bytes:
    return line.removeprefix(_BOM) if at == 0 else line


def find_left_out(files: Iterable[StoredObject]) -> list[str]:
    """Of files whose names say that nobody reads them, those that may hold rows all the same: where nothing
    else was delivered, they are no proof that nothing was."""
    return [
        f"{file.uri}: nothing else was delivered, and a name that begins with '_' or '.' is not read: "
        "rename it, or, if the delivery is empty, take it away"
        for file in files
        if file.size > 0 and not _is_marker(file)
    ]


def _is_marker(file: StoredObject) -> bool:
    name = file.name.rpartition("/")[2]
    return name.startswith(_MARKERS) or name.endswith(".crc") or name == ".DS_Store"
