"""Proves two things about a delivery before its rows are used: that a file without rows is empty, and that no
quoted text goes over the end of a line. Only the files in doubt are read again."""

from collections.abc import Collection, Iterable, Sequence

from etl.ingest.arrays import NOT_WHOLE, read_array
from etl.ingest.contract import Format
from etl.ingest.quotes import find_open_line, is_open_after, open_mistake
from etl.ingest.starts import MAX_NAMED
from etl.ingest.unpacking import BrokenFileError, open_unpacked
from etl.io import StoredObject

_JSON_SPACE = b" \t\r\n"
_BLANK = bytes(range(33))
_BOM = b"\xef\xbb\xbf"
# Writers put these files beside their data to say that it is complete. They hold no rows.
_MARKERS = ("_SUCCESS", "_started", "_committed", "_metadata", "_common_metadata")


def find_open_texts(uris: Collection[str], files: Iterable[StoredObject], format_: Format) -> list[str]:
    """For each file of these URIs, the line where a quoted text begins that does not end, or where its array
    is not whole. Each file is read up to that line, until MAX_NAMED are found."""
    named = sorted((file for file in files if file.uri in uris), key=lambda file: file.uri)
    mistakes: list[str] = []
    for at, file in enumerate(named):
        if len(mistakes) == MAX_NAMED:
            what = "its array may not be whole" if format_.kind == "jsonArray" else "it may have an open text"
            return mistakes + [f"{other.uri}: {what} too" for other in named[at:]]
        if mistake := _open_text(file, format_):
            mistakes.append(f"{file.uri}: {mistake}")
    return mistakes


def _open_text(file: StoredObject, format_: Format) -> str:
    is_multi_line = format_.is_multi_line
    with open_unpacked(file) as lines:
        if format_.kind == "jsonArray":
            return read_array(lines)[0] or NOT_WHOLE
        number = find_open_line(lines, format_.delimiter, is_multi_line=is_multi_line)
    return "" if number is None else open_mistake(number, is_multi_line=is_multi_line)


def find_unread(read: Collection[str], files: Sequence[StoredObject], format_: Format) -> list[str]:
    """The files from which no row was read, although they hold more than blank lines (in CSV: below the
    header). Files without a row are read to their end for this."""
    return [
        f"{file.uri}: {mistake}"
        for file in files
        if file.uri not in read and (mistake := _unread(file, format_))
    ]


def _unread(file: StoredObject, format_: Format) -> str:
    try:
        with open_unpacked(file) as lines:
            if format_.is_csv:
                is_blank = _is_blank_below_header(lines, format_)
            elif format_.kind == "jsonArray":
                mistake, has_elements = read_array(lines)
                if mistake:
                    return mistake
                is_blank = not has_elements
            else:
                is_blank = all(
                    not _without_mark(line, at).strip(_JSON_SPACE) for at, line in enumerate(lines)
                )
    except BrokenFileError as error:
        return str(error)
    if is_blank:
        return ""
    return (
        f"no row was read from its {file.size} bytes, and they are not blank lines: "
        "check the file, then run again"
    )


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
    """The files that are not read because of their names, but may hold rows. Where nothing else was delivered
    for a date, they do not prove that the delivery is empty."""
    return [
        f"{file.uri}: nothing else was delivered, and a name that begins with '_' or '.' is not read: "
        "rename it, or, if the delivery is empty, remove it"
        for file in files
        if file.size > 0 and not _is_marker(file)
    ]


def _is_marker(file: StoredObject) -> bool:
    name = file.name.rpartition("/")[2]
    return name.startswith(_MARKERS) or name.endswith(".crc") or name == ".DS_Store"
