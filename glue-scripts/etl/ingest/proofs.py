"""Proves two things about a delivery before its rows are used: that a file without rows is empty, and that no
text goes over the end of a line where that is not declared. Only the files in doubt are read again."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from etl.ingest.arrays import NOT_WHOLE, read_array
from etl.ingest.contract import Format
from etl.ingest.file_lines import BOM, JSON_SPACE, decode, has_text, read_file_lines
from etl.ingest.quotes import Place, end_of, find_open_text
from etl.ingest.starts import MAX_NAMED
from etl.ingest.unpacking import BrokenFileError, open_unpacked
from etl.io import StoredObject

# Writers put these files beside their data to say that it is complete. They hold no rows.
_MARKERS = ("_SUCCESS", "_started", "_committed", "_metadata", "_common_metadata")


def find_open_texts(uris: Collection[str], files: Iterable[StoredObject], format_: Format) -> list[str]:
    """For each file of these URIs, the line where a text begins that does not end, or where its array is not
    whole. Each file is read up to that line, until MAX_NAMED are found."""
    named = sorted((file for file in files if file.uri in uris), key=lambda file: file.uri)
    mistakes: list[str] = []
    for at, file in enumerate(named):
        if len(mistakes) == MAX_NAMED:
            what = {"jsonArray": "its array may not be whole", "xml": "it may be cut"}.get(
                format_.kind, "it may have an open text"
            )
            return mistakes + [f"{other.uri}: {what} too" for other in named[at:]]
        if mistake := _open_text(file, format_):
            mistakes.append(f"{file.uri}: {mistake}")
    return mistakes


def _open_text(file: StoredObject, format_: Format) -> str:
    if format_.is_xml:
        return (
            f"its XML is cut: an element <{format_.row_tag}> does not end, or that around the rows, "
            "or a comment: deliver it whole"
        )
    with open_unpacked(file) as lines:
        if format_.kind == "jsonArray":
            return read_array(lines)[0] or NOT_WHOLE
        return find_open_text(read_file_lines(lines, format_), format_)


def find_unread(read: Collection[str], files: Sequence[StoredObject], format_: Format) -> list[str]:
    """The files from which no row was read, although they hold more than blank lines (in CSV: than lines that
    are no rows). Files without a row are read to their end for this."""
    return [
        f"{file.uri}: {mistake}"
        for file in files
        if file.uri not in read and (mistake := _unread(file, format_))
    ]


def _unread(file: StoredObject, format_: Format) -> str:
    if format_.is_parquet:
        return ""  # its footer counts its rows
    try:
        with open_unpacked(file) as lines:
            if format_.is_csv and (mistake := _too_few_lines(lines, format_)) is not None:
                return mistake
            if format_.kind == "jsonArray":
                mistake, has_elements = read_array(lines)
                if mistake or not has_elements:
                    return mistake
            elif not format_.is_csv and all(
                not _without_mark(line, at).strip(JSON_SPACE) for at, line in enumerate(lines)
            ):
                return ""
    except BrokenFileError as error:
        return str(error)
    if format_.is_xml:
        return (
            f"it has no element <{format_.row_tag}> (x-etl.format.rowTag): correct the tag or the file; "
            "a delivery without rows is an empty file"
        )
    return (
        f"no row was read from its {file.size} bytes, and they are not blank lines: "
        "check the file, then run again"
    )


def _too_few_lines(lines: Iterable[bytes], format_: Format) -> str | None:
    """None if the file has a line that should be a row. Otherwise "", or why it should have more lines: those
    that are left out must be there."""
    physical = texts = below = 0

    def count() -> Iterator[bytes]:
        nonlocal physical, texts, below
        for line in lines:
            is_text = has_text(_without_mark(line, physical))
            physical += 1
            texts += is_text
            below += is_text and physical > format_.skip_top
            yield line

    has_header, place = bool(format_.columns), Place.BETWEEN
    for _, line in read_file_lines(count(), format_):
        if has_header and place is Place.BETWEEN and has_text(line):
            return None
        if place is not Place.BETWEEN or has_text(line):
            has_header = True
            if format_.is_multi_line:
                place = end_of(decode(line, format_), format_, place)
    leaves_out = format_.skip_top > 0 or format_.skip_bottom > 0
    is_short = physical < format_.skip_top or below < format_.skip_bottom or not has_header
    if texts == 0 or not leaves_out or not is_short:
        return ""
    ends = f"skipTop ({format_.skip_top}) and skipBottom ({format_.skip_bottom})"
    header = "" if format_.columns else ", or leave no header"
    return f"it has {physical} lines, and {ends} of x-etl.format leave out more{header}: check the file"


def _without_mark(line: bytes, at: int) -> bytes:
    return line.removeprefix(BOM) if at == 0 else line


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
