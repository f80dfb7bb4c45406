"""Parses lines to rows whose columns lie anywhere in the delivered objects.

The lines are marked (`transforms/mark_values.py`), and then read at once: Spark is asked for the members that
the contract names, as deep as they lie, and for nothing else. An object that is kept as text, and an element
of a list, is read again where columns lie inside of it. If anything on the way to a column is not the object
or the list that its path says, the line is read a second time, level by level, to find out what it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from etl.ingest.contract import Column as ContractColumn
from etl.ingest.contract import Contract, Step
from etl.ingest.transforms.mark_values import (
    LOST,
    MARKED,
    MARKS,
    bare,
    counted,
    is_of_kind,
    kind_of,
    lost,
    with_marks,
)
from etl.ingest.transforms.parse_lines import (
    STRICT,
    UNPARSED,
    find_lines,
    is_utf8,
    is_whole,
    parsed_type,
    sealed,
    sealed_carefully,
    spark_type,
)

# With hyphens, so that no contract has the names.
_READ, _AGAIN = "x-etl-read-", "x-etl-again-"
_FOUND, _BARE, _KINDS, _IS_READ = "x-etl-found", "x-etl-bare", "x-etl-kinds", "x-etl-is-read"
_TEXT, _VALUE = "x-etl-text-", "x-etl-value-"

_INTEGER = r"^-?(?:0|[1-9][0-9]*)\z"
# The exponent of a decimal has as many digits as one that fits may need. A larger one would take all memory.
_DECIMAL = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?0*[0-9]{1,3})?\z"
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\z"
_MOST_DIGITS = 1000  # Spark reads no longer number in JSON
_BLANK = r"^[\s\p{Z}]*\z"
_UnlessLost = Callable[[Column], Column]
_OWN_KINDS = {"integer": "number", "number": "number", "object": "object", "boolean": "boolean"}


@dataclass
class _Node:
    """A place in the delivered objects: the columns that lie there, and the places inside of it."""

    columns: list[ContractColumn] = field(default_factory=list)
    counts: list[ContractColumn] = field(default_factory=list)
    members: dict[Step, "_Node"] = field(default_factory=dict)
    elements: dict[Step, "_Node"] = field(default_factory=dict)

    @property
    def is_list(self) -> bool:
        return bool(self.elements or self.counts)

    @property
    def is_inner(self) -> bool:
        return bool(self.members) or self.is_list

    def type(self, *, is_deep: bool) -> DataType:
        """The type in which Spark reads the place: a text where a column lies, or is to be read from."""
        if self.columns or not self.is_inner or not is_deep:
            return StringType()
        return ArrayType(StringType()) if self.is_list else StructType(self.fields(is_deep=True))

    def fields(self, *, is_deep: bool) -> list[StructField]:
        return [StructField(str(name), node.type(is_deep=is_deep)) for name, node in self.members.items()]


def flatten_lines(lines: DataFrame, contract: Contract) -> DataFrame:
    """Like `parse_lines`, except that every line has `texts`, and that `is_clean` is exact: every value has
    the declared type, but dates and moments, which are still texts, and decimals, which are not rounded
    yet."""
    columns = list(enumerate(contract.columns))
    root = _tree(contract)
    marked = with_marks(find_lines(lines))
    others = [name for name in marked.columns if name not in (*MARKS, MARKED)]
    fast = _Reading(_READ, is_deep=True)
    read = fast.read(
        marked, root, F.from_json(sealed(MARKED), parsed_type(root.fields(is_deep=True)), STRICT)
    )
    is_sealed = is_whole(F.col(fast.root)) & is_utf8()
    read = read.select("*", reduce(and_, fast.are_read, is_sealed).alias(_IS_READ))
    slow = _Reading(_AGAIN, is_deep=False)
    again = F.from_json(sealed_carefully(MARKED), parsed_type(root.fields(is_deep=False)), STRICT)
    read = slow.read(read, root, F.when(~F.col(_IS_READ), again))
    is_object = F.col(_IS_READ) | (is_whole(F.col(slow.root)) & is_utf8())

    # All of a kind at once, as lists: Spark's time to plan a query grows with the number of its expressions.
    found = F.when(F.col(_IS_READ), fast.list_of(columns)).otherwise(slow.list_of(columns))
    parts = read.select(*others, *MARKS, is_object.alias("is_object"), found.alias(_FOUND))
    with_kinds = parts.select(
        "*", F.transform(_FOUND, bare).alias(_BARE), F.transform(_FOUND, kind_of).alias(_KINDS)
    )
    texts = [_text(at, column).alias(f"{_TEXT}{at}") for at, column in columns]
    with_texts = with_kinds.select(*others, "is_object", _KINDS, *texts)
    claimed = contract.claimed
    values = [
        _value(at, column, is_claimed=column.name in claimed).alias(f"{_VALUE}{at}") for at, column in columns
    ]
    typed = with_texts.select(*others, "is_object", *(f"{_TEXT}{at}" for at, _ in columns), *values)
    fits = [F.col(f"{_TEXT}{at}").isNull() | F.col(f"{_VALUE}{at}").isNotNull() for at, _ in columns]
    return typed.select(
        *others,
        "is_object",
        F.struct(*(F.col(f"{_VALUE}{at}").alias(column.name) for at, column in columns)).alias("row"),
        F.struct(*(F.col(f"{_TEXT}{at}").alias(column.name) for at, column in columns)).alias("texts"),
        reduce(and_, fits, F.col("is_object")).alias("is_clean"),
    )


def _tree(contract: Contract) -> _Node:
    root = _Node()
    for column in contract.columns:
        node = root
        for step in column.place:
            inner = node.elements if isinstance(step, int) else node.members
            node = inner.setdefault(step, _Node())
        (node.counts if column.is_count else node.columns).append(column)
    return root


@dataclass(frozen=True)
class _Inside:
    """The text of an object or a list that is to be read. `unless_lost` gives what is found inside of it,
    unless the way there is lost."""

    node: _Node
    text: Column
    unless_lost: Callable[[Column], Column]

    @property
    def is_right(self) -> Column:
        return is_of_kind(self.text, "array" if self.node.is_list else "object")

    def parsed(self, *, is_deep: bool) -> Column:
        kind: ArrayType | StructType = ArrayType(StringType())
        if not self.node.is_list:
            fields = self.node.fields(is_deep=is_deep)
            kind = StructType([*fields, StructField(UNPARSED, StringType())])
        return F.when(self.is_right, F.from_json(self.text, kind, STRICT))


class _Reading:
    """One way to read the lines: deep, or level by level. `found` has the marked text of each column,
    `are_read` are the conditions under which that is all there is to find."""

    def __init__(self, prefix: str, *, is_deep: bool) -> None:
        self.root = f"{prefix}0"
        self.found: dict[str, Column] = {}
        self.are_read: list[Column] = []
        self._prefix, self._is_deep = prefix, is_deep
        self._next: list[_Inside] = []

    def list_of(self, columns: Sequence[tuple[int, ContractColumn]]) -> Column:
        return F.array(*(self.found[column.name] for _, column in columns))

    def read(self, lines: DataFrame, root: _Node, parsed: Column) -> DataFrame:
        """Adds the columns that `found` and `are_read` need."""
        frame = lines.select("*", parsed.alias(self.root))
        self._visit_members(root, F.col(self.root), lambda text: text)
        number = 1
        while self._next:
            level, self._next = self._next, []
            names = [f"{self._prefix}{at}" for at, _ in enumerate(level, start=number)]
            number += len(level)
            inside = (
                of.parsed(is_deep=self._is_deep).alias(name) for name, of in zip(names, level, strict=True)
            )
            # In a step of its own, so that Spark parses a text once.
            frame = frame.select("*", *inside)
            for name, of in zip(names, level, strict=True):
                self._enter(of, F.col(name))
        return frame

    def _enter(self, of: _Inside, value: Column) -> None:
        text, is_right, unless_lost = of.text, of.is_right, of.unless_lost
        is_read = F.lit(True) if of.node.is_list else value[UNPARSED].isNull()
        self.are_read.append(text.isNull() | (is_right & is_read))
        self._visit_inside(
            of.node, value, lambda found: unless_lost(F.when(~is_right, lost(text)).otherwise(found))
        )

    def _visit_inside(self, node: _Node, value: Column, unless_lost: _UnlessLost) -> None:
        self._visit_members(node, value, unless_lost)
        for at, inner in node.elements.items():
            self._visit(inner, F.get(value, F.lit(at)), unless_lost, is_text=True)
        for column in node.counts:
            size = F.when(value.isNotNull(), counted(F.size(value)))
            self.found[column.name] = unless_lost(size)

    def _visit_members(self, node: _Node, value: Column, unless_lost: _UnlessLost) -> None:
        for name, inner in node.members.items():
            is_text = isinstance(inner.type(is_deep=self._is_deep), StringType)
            self._visit(inner, value[str(name)], unless_lost, is_text=is_text)

    def _visit(self, node: _Node, value: Column, unless_lost: _UnlessLost, *, is_text: bool) -> None:
        """Finds what lies at a place. What is inside of it is found at once, or after its text is read."""
        for column in node.columns:
            self.found[column.name] = unless_lost(value)
        if node.is_inner and is_text:
            self._next.append(_Inside(node, value, unless_lost))
        elif node.is_inner:
            self._visit_inside(node, value, unless_lost)


def _text(at: int, column: ContractColumn) -> Column:
    """The delivered text of a column; null for what means null."""
    text, kind = F.col(_BARE)[at], F.col(_KINDS)[at]
    if column.is_blank_null or (column.type != "string" and "string" in column.accepts):
        text = F.when(~((kind == "string") & text.rlike(_BLANK)), text)
    if column.nulls:
        text = F.when((kind == LOST) | ~text.isin(list(column.nulls)), text)
    return text


def _value(at: int, column: ContractColumn, *, is_claimed: bool) -> Column:
    """The text as its declared type; null if it does not have that type. What a rule notATimestamp claims is
    a text in any case."""
    text = F.col(f"{_TEXT}{at}")
    kinds = _ALL_KINDS if is_claimed else tuple(_kinds(column))
    return F.when(F.col(_KINDS)[at].isin(list(kinds)), _typed(f"{_TEXT}{at}", text, column))


_ALL_KINDS = ("string", "number", "boolean", "object", "array")


def _kinds(column: ContractColumn) -> Iterator[str]:
    """The JSON kinds that a column may have. A number in a column of texts becomes its text."""
    own = ("string", "number") if column.type == "string" else (_OWN_KINDS[column.type],)
    yield from dict.fromkeys((*own, *column.accepts))


def _typed(name: str, text: Column, column: ContractColumn) -> Column:
    if column.type == "boolean":
        return text == "true"
    if column.type == "integer":
        return F.when(text.rlike(_INTEGER), _cast(name, "bigint"))
    if column.decimal is not None:
        is_decimal = text.rlike(_DECIMAL) & (F.length(text) <= _MOST_DIGITS)
        return F.when(is_decimal, _cast(name, spark_type(column).simpleString()))
    if column.type == "number":
        number = F.when(text.rlike(_NUMBER), _cast(name, "double"))
        return F.when(F.abs(number) != float("inf"), number)
    return text


def _cast(name: str, kind: str) -> Column:
    return F.expr(f"try_cast(`{name}` as {kind})")
