"""Which shape of the contract each delivered CSV file has, told by its header line."""

import codecs
import csv
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from etl.contract import Contract
from etl.contract_parts import Shape, Source
from etl.errors import InvalidDelivery
from etl.io import StoredObject, read_first_line

_READERS = 16  # headers asked for at a time
_MAX_TOLD = 20  # files named in one message


@dataclass(frozen=True)
class Layout:
    """A header as it was delivered, and the shape that it has."""

    names: tuple[str, ...]
    shape: Shape

    def __hash__(self) -> int:
        return hash(self.names)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names that the shape does not know."""
        return tuple(name for name in self.names if name not in self.shape.sources)


Layouts = Mapping[Layout, tuple[StoredObject, ...]]


def own_shape(contract: Contract) -> Shape:
    """The header that has the contract's own names."""
    return Shape("", {column.name: Source(column.name) for column in contract.columns})


def find_layouts(files: Iterable[StoredObject], contract: Contract) -> Layouts:
    """The files by their layout. A file without a line is in none: it has no rows either. Raises
    InvalidDelivery with every file that fits no shape, before a row is read."""
    chosen = list(files)
    with ThreadPoolExecutor(_READERS) as pool:
        lines = list(pool.map(lambda file: read_first_line(file.uri), chosen))
    found: dict[Layout, list[StoredObject]] = {}
    mistakes = []
    for file, line in zip(chosen, lines, strict=True):
        if line is None:
            continue
        try:
            found.setdefault(_layout(line, contract), []).append(file)
        except ValueError as error:
            mistakes.append(f"{file.uri}: {error}")
    if mistakes:
        more = len(mistakes) - _MAX_TOLD
        told = [*mistakes[:_MAX_TOLD], *([f"and {more} more files"] if more > 0 else [])]
        raise InvalidDelivery("; ".join(told))
    return {layout: tuple(of_layout) for layout, of_layout in found.items()}


def _layout(line: bytes, contract: Contract) -> Layout:
    names = _names(line, contract.format.delimiter)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"its header names {', '.join(map(repr, twice))} more than once")
    shapes = (own_shape(contract), *contract.shapes)
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


def _names(line: bytes, delimiter: str) -> tuple[str, ...]:
    try:
        text = line.removeprefix(codecs.BOM_UTF8).decode("utf-8").rstrip("\r")
        return tuple(next(csv.reader([text], delimiter=delimiter, strict=True)))
    except (UnicodeDecodeError, csv.Error, StopIteration) as error:
        raise ValueError(f"its header {_shown(line)} is no line of CSV in UTF-8: {error}") from error


def _called(shape: str) -> str:
    return f"of shape '{shape}'" if shape else "of the contract's own names"


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= 200 else text[:197] + "...")
