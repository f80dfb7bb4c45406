"""Finds the shape of each delivered CSV file from its header, or from the declared columns."""

import csv
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from etl.ingest.contract import Contract, Format, Shape
from etl.ingest.dms_files import is_load
from etl.ingest.escapes import hide_text, show_text
from etl.ingest.file_lines import BLANK, decode, encode
from etl.ingest.quotes import find_open_text
from etl.ingest.starts import WITHOUT_FEEDS, Start, read_starts, refuse_files
from etl.io import StoredObject


@dataclass(frozen=True)
class Layout:
    """The names of a header as it was delivered, without the empty ones at its end, and its shape. `spare` is
    the number of those empty names: a row may have fields for them or not. Whatever a row holds, it has the
    values that are `given`, by delivered name."""

    names: tuple[str, ...]
    shape: Shape
    spare: int = 0
    given: tuple[tuple[str, str], ...] = ()

    def __hash__(self) -> int:
        return hash((self.names, self.spare))

    @property
    def width(self) -> int:
        """The most fields that a row may have."""
        return len(self.names) + self.spare

    @property
    def unknown(self) -> Mapping[int, str]:
        """The places and names of the columns that the shape does not know. One without a name is called by
        its place, from 1."""
        names = (*self.names, *[""] * self.spare)
        known = self.shape.sources
        return {at: name or _nameless(at) for at, name in enumerate(names) if name not in known}

    @property
    def nameless(self) -> frozenset[str]:
        """Those of `unknown` that have no name in the header."""
        at_end = range(len(self.names), self.width)
        return frozenset(map(_nameless, (*(at for at, name in enumerate(self.names) if not name), *at_end)))


def _nameless(at: int) -> str:
    return f"column {at + 1}"


Layouts = Mapping[Layout, tuple[StoredObject, ...]]


def find_layouts(files: Iterable[StoredObject], contract: Contract) -> Layouts:
    """The files by their layout. A file of blank lines has no layout, and no rows either. Raises
    InvalidDelivery with every file that is not of a known kind or fits no shape, before a row is read."""
    found: dict[Layout, list[StoredObject]] = {}
    mistakes = []
    for start in read_starts(files, contract.format):
        try:
            if start.mistake:
                raise ValueError(start.mistake)
            if start.record is not None:
                found.setdefault(_layout(start, contract), []).append(start.file)
        except ValueError as error:
            mistakes.append(f"{start.file.uri}: {error}")
    refuse_files(mistakes)
    return {layout: tuple(of_layout) for layout, of_layout in found.items()}


def _layout(start: Start, contract: Contract) -> Layout:
    format_, shapes = contract.format, contract.shapes
    dms = contract.dms
    given: tuple[tuple[str, str], ...] = ()
    if dms is not None and is_load(start.file.name):
        given = dms.load_values
        format_ = replace(format_, columns=_without(format_.columns, dms.load_lacks))
        shapes = tuple(_shape_without(one, dms.load_lacks) for one in shapes)
    names = (
        _checked_columns(start, format_, None if dms is None else dms.added_columns)
        if format_.columns
        else _names(start, format_)
    )
    if dms is not None:
        shapes = tuple(_shape_without(one, set(dms.added_columns) - set(names)) for one in shapes)
    kept = len(names)
    while kept and names[kept - 1] == "":
        kept -= 1
    lacking = {shape.name: [name for name in shape.sources if name not in names] for shape in shapes}
    for shape in shapes:
        if not lacking[shape.name]:
            return _checked(Layout(names[:kept], shape, len(names) - kept, given), format_)
    texts = "; ".join(f"{_called(name)} {', '.join(map(repr, lacks))}" for name, lacks in lacking.items())
    header = f"its header {_shown(start, format_)}"
    if format_.columns:
        raise ValueError(f'"columns" in x-etl.format lack {texts}')
    if any(name in shape.sources for shape in shapes for name in names):
        raise ValueError(f"{header} lacks {texts}")
    raise ValueError(
        f'{header} lacks {texts} (if it is no header, say in x-etl.format which "delimiter" the file has, '
        'how many lines are above its header as "skipTop", or, if it has none, its "columns")'
    )


def _checked(layout: Layout, format_: Format) -> Layout:
    named = [repr(name) for at, name in layout.unknown.items() if at < len(layout.names)]
    if format_.unknown_columns == "refuse" and named:
        raise ValueError(f"its header has unknown columns {', '.join(named)}")
    used = [name for name in layout.names if name in layout.shape.sources]
    if format_.unknown_columns == "keep":
        used += layout.unknown.values()
    twice = sorted({name for name in used if used.count(name) > 1})
    if twice:
        raise ValueError(f"its header names {', '.join(map(repr, twice))} more than once")
    return layout


def _names(start: Start, format_: Format) -> tuple[str, ...]:
    """The fields of the first record, which must be a header."""
    record, comment = start.record or b"", format_.comment
    _refuse_excel(start, format_)
    # Spark would take such a line for a comment where it looks for the header.
    if comment and record.lstrip(BLANK).startswith(encode(comment, format_)):
        raise ValueError(f"its header {_shown(start, format_)} has space before the comment character")
    if mistake := find_open_text(enumerate(record.split(b"\n"), start.number), format_):
        raise ValueError(mistake)
    try:
        return _fields(decode(record, format_, "strict"), format_)
    except (UnicodeDecodeError, csv.Error, StopIteration) as error:
        if b"\r" in record.rstrip(b"\r") and b"\n" not in record:
            raise ValueError(WITHOUT_FEEDS) from error
        advice = (
            '; if it is in another encoding, say "encoding": "windows-1252" or "ISO-8859-1" in x-etl.format'
            if isinstance(error, UnicodeDecodeError) and format_.encoding == "UTF-8"
            else ""
        )
        what = f"its header {_shown(start, format_)} is not a line of CSV in {format_.encoding}"
        raise ValueError(f"{what}: {error}{advice}") from error


def _shape_without(shape: Shape, names: Collection[str]) -> Shape:
    return Shape(shape.name, {of: to for of, to in shape.sources.items() if of not in names})


def _without(names: tuple[str, ...], lacking: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in lacking)


def _checked_columns(start: Start, format_: Format, added: tuple[str, ...] | None) -> tuple[str, ...]:
    """The declared columns, if the first line is not one that names them. Unless `added` is None, it must
    have as many fields, but it may lack the last of the columns that were `added`."""
    _refuse_excel(start, format_)
    try:
        fields = _fields(decode(start.record or b"", format_), format_)
    except (csv.Error, StopIteration):
        return format_.columns
    if fields == format_.columns:
        raise ValueError(
            f'its line {start.number} names the columns: if each file has such a line, say no "columns" in '
            f'x-etl.format, or "skipTop": {start.number}'
        )
    lacking = len(format_.columns) - len(fields)
    if added is not None and 0 < lacking <= len(added):
        return _without(format_.columns, added[-lacking:])
    if added is not None and lacking != 0:
        raise ValueError(
            f"its first row has {len(fields)} fields, and the contract names {len(format_.columns)} columns "
            f"({', '.join(format_.columns)}): the table in the source has changed, or the endpoint. "
            "Name an added column in x-etl.dms.addedColumns, or move the file away"
        )
    return format_.columns


def _refuse_excel(start: Start, format_: Format) -> None:
    """Raises if the first line is one that says to Excel which delimiter the file has."""
    found = re.fullmatch(r'"?sep=(.)"?\r?', decode(start.record or b"", format_), re.IGNORECASE)
    if found is None:
        return
    others = "" if found[1] == format_.delimiter else f', and "delimiter": {json.dumps(found[1])}'
    raise ValueError(
        f"its line {start.number} is {_shown(start, format_)}, which is for Excel: "
        f'say "skipTop": {start.number} in x-etl.format{others}'
    )


def _fields(record: str, format_: Format) -> tuple[str, ...]:
    hidden = hide_text(record, format_).rstrip("\r")
    if format_.has_quotes:
        fields = next(csv.reader([hidden], delimiter=format_.delimiter, strict=True))
    elif "\r" in hidden:
        raise csv.Error("it has a carriage return in it")
    else:
        fields = hidden.split(format_.delimiter)
    return tuple(show_text(field, format_) for field in fields)


def _called(shape: str) -> str:
    return f"of shape '{shape}'" if shape else "of the contract's own names"


def _shown(start: Start, format_: Format) -> str:
    text = decode(start.record or b"", format_)
    return repr(text if len(text) <= 200 else text[:197] + "...")
