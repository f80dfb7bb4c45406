"""Finds the shape of each delivered CSV file from its header line."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from etl.ingest.contract import Contract, Format, Shape
from etl.ingest.quotes import find_open_line, open_mistake
from etl.ingest.starts import Start, read_starts, refuse_files
from etl.io import StoredObject


@dataclass(frozen=True)
class Layout:
    """A header as it was delivered, and its shape."""

    names: tuple[str, ...]
    shape: Shape

    def __hash__(self) -> int:
        return hash(self.names)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names that the shape does not know."""
        return tuple(name for name in self.names if name not in self.shape.sources)


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
    line = start.record or b""
    names = _names(start, contract.format)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"its header names {', '.join(map(repr, twice))} more than once")
    shapes = contract.shapes
    lacking = {shape.name: [name for name in shape.sources if name not in names] for shape in shapes}
    for shape in shapes:
        if not lacking[shape.name]:
            return _checked(Layout(names, shape), contract)
    texts = (f"{_called(name)} {', '.join(map(repr, lacks))}" for name, lacks in lacking.items())
    raise ValueError(f"its header {_shown(line)} lacks {'; '.join(texts)}")


def _checked(layout: Layout, contract: Contract) -> Layout:
    if contract.format.unknown_columns == "refuse" and layout.unknown:
        raise ValueError(f"its header has unknown columns {', '.join(map(repr, layout.unknown))}")
    return layout


def _names(start: Start, format_: Format) -> tuple[str, ...]:
    line = start.record or b""
    is_multi_line = format_.is_multi_line
    opened = find_open_line(line.split(b"\n"), format_.delimiter, is_multi_line=is_multi_line)
    if format_.has_quotes and opened is not None:
        raise ValueError(open_mistake(start.number + opened - 1, is_multi_line=is_multi_line))
    try:
        text = line.decode("utf-8").rstrip("\r")
        if not format_.has_quotes:
            return tuple(text.split(format_.delimiter))
        return tuple(next(csv.reader([text], delimiter=format_.delimiter, strict=True)))
    except (UnicodeDecodeError, csv.Error, StopIteration) as error:
        if b"\r" in line.rstrip(b"\r") and b"\n" not in line:
            advice = "convert it, e.g. tr '\\r' '\\n' < old > new"
            raise ValueError(f"its lines end with a carriage return and no line feed: {advice}") from error
        raise ValueError(f"its header {_shown(line)} is not a line of CSV in UTF-8: {error}") from error


def _called(shape: str) -> str:
    return f"of shape '{shape}'" if shape else "of the contract's own names"


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= 200 else text[:197] + "...")
