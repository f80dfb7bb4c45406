"""The parts of a contract that say how files are read and what is made of their columns: format, shapes,
computed columns, aggregate. Each may be left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from etl.contract_nodes import NodeReader, shown

KINDS = ("jsonLines", "csv")
UNKNOWN_COLUMNS = ("ignore", "keep", "refuse")
KEPT = "unknown_columns"  # the output column that holds what `keep` keeps
KEPT_TYPE = "map<string,string>"
MAX_PRECISION = 38
TYPES = ("string", "bigint", "double", "date", "timestamp")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")


@dataclass(frozen=True)
class Format:
    """`delimiter` is one character; `unknown_columns` says what becomes of a column of a CSV header that the
    file's shape does not name."""

    kind: str = KINDS[0]
    delimiter: str = ","
    unknown_columns: str = UNKNOWN_COLUMNS[0]

    @property
    def is_csv(self) -> bool:
        return self.kind == "csv"


JSON_LINES = Format()


@dataclass(frozen=True)
class CleanUp:
    """`kind` is trim, upper, lower or replace; `pattern` (a Java regular expression) and `text` are what a
    replace looks for and puts there."""

    kind: str
    pattern: str = ""
    text: str = ""


@dataclass(frozen=True)
class Source:
    """Where a delivered column goes, and what is done to its texts on the way. To none: it is known, and left
    out."""

    column: str | None
    clean: tuple[CleanUp, ...] = ()


@dataclass(frozen=True)
class Shape:
    """A header that is accepted: the names that it must hold, in any order."""

    name: str
    sources: Mapping[str, Source]


@dataclass(frozen=True)
class Computed:
    """A column made by an SQL expression, of a type as Glue spells it."""

    name: str
    expression: str
    type: str


@dataclass(frozen=True)
class Aggregate:
    """Rows of a date with the same `group_by`, as one row with `columns`."""

    group_by: tuple[str, ...]
    columns: tuple[Computed, ...]


def decimal_of(type_: str) -> tuple[int, int] | None:
    """Precision and scale of `decimal(p,s)`; None of anything else."""
    match = _DECIMAL.fullmatch(type_)
    return (int(match[1]), int(match[2])) if match else None


def is_decimal(precision: object, scale: object) -> bool:
    if not isinstance(precision, int) or not isinstance(scale, int):
        return False
    are_numbers = not isinstance(precision, bool) and not isinstance(scale, bool)
    return are_numbers and 1 <= precision <= MAX_PRECISION and 0 <= scale <= precision


class PartsReader(NodeReader):
    """Reads the parts; what they name is checked once all is read."""

    def _format(self, value: object) -> Format:
        where = "x-etl.format"
        node = self._object(value, f"'{where}'")
        kind = self._one_of(node.get("kind"), KINDS, f"{where}.kind")
        if kind != "csv":
            self._refuse_others(node, f"'{where}'", ("kind",))
            return JSON_LINES
        self._refuse_others(node, f"'{where}'", ("kind", "delimiter", "unknownColumns"))
        delimiter = node.get("delimiter", ",")
        if not isinstance(delimiter, str) or not re.fullmatch(r"[\t -~]", delimiter) or delimiter in '"\\':
            demand = "one character of ASCII that is no quote and no backslash"
            self.mistakes.append(f"'{where}.delimiter' must be {demand}, got {shown(delimiter)}")
            delimiter = ","
        unknown = node.get("unknownColumns", UNKNOWN_COLUMNS[0])
        return Format(kind, delimiter, self._one_of(unknown, UNKNOWN_COLUMNS, f"{where}.unknownColumns"))

    def _shapes(self, value: object) -> tuple[Shape, ...]:
        shapes = []
        for name, node in self._object(value, "'x-etl.shapes'").items():
            here = f"x-etl.shapes.{name}"
            columns = self._object(node, f"'{here}'")
            sources = {of: self._source(entry, f"{here}.{of}") for of, entry in columns.items()}
            shapes.append(Shape(name, sources))
        return tuple(shapes)

    def _source(self, value: object, where: str) -> Source:
        if value is None:
            return Source(None)
        if isinstance(value, str):
            return Source(value)
        node = self._object(value, f"'{where}'")
        self._refuse_others(node, f"'{where}'", ("column", "clean"))
        steps = self._list(node["clean"], f"{where}.clean") if "clean" in node else []
        clean = (self._clean_up(step, f"{where}.clean[{index}]") for index, step in enumerate(steps))
        return Source(self._text(node, "column", where), tuple(clean))

    def _clean_up(self, value: object, where: str) -> CleanUp:
        if not isinstance(value, dict):
            return CleanUp(self._one_of(value, ("trim", "upper", "lower"), where))
        self._refuse_others(value, f"'{where}'", ("replace", "with"))
        pattern, text = self._text(value, "replace", where), value.get("with")
        if not isinstance(text, str):
            self.mistakes.append(f"'{where}.with' must be a text, it may be empty, got {shown(text)}")
            text = ""
        try:
            re.compile(pattern)
        except re.error as error:
            self.mistakes.append(f"'{where}.replace' is no regular expression, got {shown(pattern)}: {error}")
        return CleanUp("replace", pattern, text)

    def _computed(self, value: object, where: str) -> tuple[Computed, ...]:
        found = []
        for name, entry in self._object(value, f"'{where}'").items():
            here = f"{where}.{name}"
            node = self._object(entry, f"'{here}'")
            self._refuse_others(node, f"'{here}'", ("expression", "type"))
            if not _NAME.fullmatch(name):
                self.mistakes.append(f"'{here}' must be named with small letters, digits and '_'")
            type_ = node.get("type")
            if type_ not in TYPES and not is_decimal(*(decimal_of(str(type_)) or (0, 0))):
                demand = f"one of {', '.join(TYPES)}, decimal(precision,scale)"
                self.mistakes.append(f"'{here}.type' must be {demand}, got {shown(type_)}")
            found.append(Computed(name, self._text(node, "expression", here), str(type_)))
        return tuple(found)

    def _aggregate(self, value: object) -> Aggregate:
        where = "x-etl.aggregate"
        node = self._object(value, f"'{where}'")
        self._refuse_others(node, f"'{where}'", ("groupBy", "columns"))
        group_by = self._texts(node.get("groupBy"), f"{where}.groupBy")
        columns = self._computed(node.get("columns"), f"{where}.columns")
        if not columns:
            self.mistakes.append(f"'{where}.columns' must hold at least one column")
        for name in {one.name for one in columns} & set(group_by):
            self.mistakes.append(f"'{where}' both groups by '{name}' and computes it")
        return Aggregate(group_by, columns)
