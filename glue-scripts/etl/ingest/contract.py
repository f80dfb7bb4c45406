"""A compiled contract as data. `contracts/` (TypeScript) is the only judge of a contract: what arrives here
is right, and every default is written out. A number in JSON is bigint or double, a list of objects is an
array of structs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

KEPT = "unknown_columns"  # the output column that holds what `keep` keeps
KEPT_TYPE = "map<string,string>"
MAX_PRECISION = 38

# A step into a delivered object: the name of a member, or the number of an element, from 0.
Step = str | int

_GLUE_SCALARS = {"string": "string", "integer": "bigint", "number": "double", "boolean": "boolean"}


@dataclass(frozen=True)
class Format:
    """How a file is read. `kind` is csv, jsonLines (one object a line), jsonObjects (objects one after the
    other, on one line or over several), jsonArray (one array of objects a file), xml or parquet. The rest is
    about CSV, but `row_tag`, the name of the elements of XML that are rows, and `encoding`, which XML has
    too.

    `delimiter` is one character. `unknown_columns` says what becomes of a column of the header that the
    file's shape does not name. `is_multi_line` lets a quoted text hold line ends; without `has_quotes` a
    quote is a character like others. `escape` is the character that takes the meaning from the next one.
    `encoding` is UTF-8, ISO-8859-1 or windows-1252. The first `skip_top` lines and the last `skip_bottom`
    lines that are not blank are left out; so are lines that begin with `comment`. `columns` are the delivered
    names, in order, where files have no header line."""

    kind: str = "jsonLines"
    delimiter: str = ","
    unknown_columns: str = "ignore"
    is_multi_line: bool = False
    has_quotes: bool = True
    escape: str | None = None
    encoding: str = "UTF-8"
    skip_top: int = 0
    skip_bottom: int = 0
    comment: str | None = None
    columns: tuple[str, ...] = ()
    row_tag: str = ""

    @property
    def is_csv(self) -> bool:
        return self.kind == "csv"

    @property
    def is_xml(self) -> bool:
        return self.kind == "xml"

    @property
    def is_parquet(self) -> bool:
        return self.kind == "parquet"

    @property
    def has_lines(self) -> bool:
        """False if the place of a row is its number in its file, from 1, and not that of a line."""
        return not (self.is_xml or self.is_parquet)

    @property
    def has_records(self) -> bool:
        """True if a row may go over several lines, or share its line with others."""
        return self.is_multi_line or self.kind in ("jsonObjects", "jsonArray", "xml")


JSON_LINES = Format()


@dataclass(frozen=True)
class Pattern:
    """A datetime pattern of Spark. `has_zone` is true if a text that fits it says its zone or offset."""

    text: str
    has_zone: bool = False


@dataclass(frozen=True)
class Moments:
    """How a text becomes an instant: in the first of the patterns that fits. A text without a zone is a local
    time in `time_zone` (IANA). `ambiguous` (a local time that occurs twice) is first, second or quarantine;
    `nonexistent` (one that is skipped) is quarantine or later (the clock goes on as if it had not been put
    forward)."""

    patterns: tuple[Pattern, ...]
    time_zone: str = "UTC"
    ambiguous: str = "first"
    nonexistent: str = "quarantine"


@dataclass(frozen=True)
class NumberForm:
    """How a CSV column writes its numbers: the decimal mark, and what separates thousands ("" for
    nothing)."""

    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True)
class Words:
    """The texts of a CSV column that mean true and false."""

    true: tuple[str, ...] = ("true",)
    false: tuple[str, ...] = ("false",)


@dataclass(frozen=True)
class Bounds:
    """The range of a number, as in JSON Schema; the texts are decimal numbers. None: no bound."""

    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: str | None = None
    exclusive_maximum: str | None = None


@dataclass(frozen=True)
class Column:
    """A delivered column. `type` is string, integer, number, boolean, array, or object (kept as JSON text).

    An array has either `fields`, what each of its objects holds, or `entries`, the scalar type of its
    entries. `decimal` is precision and scale of an exact number. `formats` (Spark datetime patterns) are
    those of a date, `moments` those of a timestamp; both are delivered as texts. Texts in `nulls` mean null.
    `allowed` are the only values, all strings or all integers; empty: any.

    `path` is where the value lies in the delivered object: names of members, and numbers of elements from 0.
    `accepts` are JSON kinds (string, number, boolean, object, array) that are taken besides the column's own.
    A column that `is_count` is the length of a list. With `is_blank_null` a text that is empty or only space
    is null."""

    name: str
    type: str
    fields: tuple["Column", ...] = ()
    decimal: tuple[int, int] | None = None
    formats: tuple[str, ...] = ()
    entries: str = ""
    moments: Moments | None = None
    nulls: tuple[str, ...] = ()
    number: NumberForm = NumberForm()
    words: Words = Words()
    allowed: tuple[str | int, ...] = ()
    bounds: Bounds = Bounds()
    path: tuple[Step, ...] = ()
    is_count: bool = False
    accepts: tuple[str, ...] = ()
    is_blank_null: bool = False

    @property
    def place(self) -> tuple[Step, ...]:
        """The place of the value in the delivered object."""
        return self.path or (self.name,)

    @property
    def is_flattened(self) -> bool:
        """True if the column says more of its place, or of its JSON kinds, than its name and its type."""
        return self.place != (self.name,) or self.is_count or bool(self.accepts) or self.is_blank_null

    @property
    def label(self) -> str:
        """The name, with the path where that is another: `app_version (context.app.version)`."""
        return self.name if self.place == (self.name,) else f"{self.name} ({path_text(self.place)})"


def path_text(path: Sequence[Step]) -> str:
    """A path as a contract writes it: `products[0].id`, or `context['a.b']`."""
    return "".join(_step_text(step, at) for at, step in enumerate(path))


def _step_text(step: Step, at: int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if re.search(r"[.\[\]'\"]", step):
        doubled = step.replace("'", "''")
        return f"['{doubled}']"
    return f".{step}" if at else step


def digits_of(column: Column) -> int | None:
    """The digits of an integer between two bounds; None for other columns. `contracts/contract-types.ts`
    tells Spark the same when it judges an expression."""
    bounds = column.bounds
    low = bounds.minimum if bounds.minimum is not None else bounds.exclusive_minimum
    high = bounds.maximum if bounds.maximum is not None else bounds.exclusive_maximum
    if column.type != "integer" or low is None or high is None:
        return None
    return len(str(int(max(abs(Fraction(low)), abs(Fraction(high))))))


def glue_type(column: Column) -> str:
    """The type as Glue's catalogue spells it: bigint for integer, double for number, an array of structs."""
    if column.decimal is not None:
        return f"decimal({column.decimal[0]},{column.decimal[1]})"
    if column.formats:
        return "date"
    if column.moments is not None:
        return "timestamp"
    if column.type == "object":
        return "string"
    if column.entries:
        return f"array<{_GLUE_SCALARS[column.entries]}>"
    if column.type == "array":
        return f"array<struct<{','.join(f'{field.name}:{glue_type(field)}' for field in column.fields)}>>"
    return _GLUE_SCALARS[column.type]


@dataclass(frozen=True)
class CleanUp:
    """`kind` is trim, upper, lower or replace; `pattern` (a Java regular expression) and `text` are what a
    replace looks for and puts there."""

    kind: str
    pattern: str = ""
    text: str = ""


@dataclass(frozen=True)
class Source:
    """The target of a delivered column, and how its texts are cleaned. Without a target it is known, and left
    out."""

    column: str | None
    clean: tuple[CleanUp, ...] = ()


@dataclass(frozen=True)
class Shape:
    """A header that is accepted: the names that it must hold, in any order. The name "" is that of the
    contract's own names."""

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


@dataclass(frozen=True)
class Rule:
    """Rows that meet `kind` are quarantined with `reason`, unless an earlier rule took them. `kind` is
    notAnObject, missing, wrongType, notATimestamp or notAllowed (a value that is not in its list, or out of
    its range). `missing` is about one `column`, or about several `columns` that are all missing.
    `notATimestamp` is about the source of the contract's timestamp, which a row must have, or about another
    column with `moments`, which a row may lack."""

    reason: str
    kind: str
    column: str | None
    columns: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that the rule names."""
        return self.columns if self.column is None else (self.column,)


@dataclass(frozen=True)
class TimestampRule:
    """`source` read by `moments` gives `column`, and `date_column` is its date in the time zone of `moments`.
    In one of `date_formats` it gives the date alone. The date may have the source's name, and is then
    published in its place."""

    source: str
    column: str
    date_column: str
    moments: Moments
    date_formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class CategoryRule:
    """`source` looked up in `values`, else `default`, gives `column`."""

    source: str
    column: str
    values: Mapping[str, str]
    default: str


@dataclass(frozen=True)
class Given:
    """A column that the source does not deliver, of a type as Glue spells it. All its rows have `value`; it
    is None for a column that only other sources deliver. Where several sources are read together, `of_reads`
    has the value of each, by the number of its read, in place of `value`."""

    name: str
    type: str
    value: str | None
    of_reads: tuple[tuple[int, str | None], ...] = ()


@dataclass(frozen=True)
class Proof:
    """The proof that a whole delivery is complete. `by` is count (`file` is JSON, and its `member` the
    number of rows), marker (`file` is there) or floor (the delivery has at least `share`, in millionths, of
    the present keys)."""

    by: str
    file: str = ""
    member: str = ""
    share: int = 0


@dataclass(frozen=True)
class Changes:
    """How deliveries become versions of keys. `delivery` is whole or increment. The rows of a key are ordered
    by the columns in `order`, then by date, file name and line. `valid_from` is the column with the business
    time. A row that differs in `compare` is another version. Rows whose `op_column` has one of `op_values`
    are deletes."""

    delivery: str
    order: tuple[str, ...]
    valid_from: str | None
    compare: tuple[str, ...]
    proof: Proof | None = None
    op_column: str | None = None
    op_values: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.delivery == "whole"


@dataclass(frozen=True)
class Dms:
    """How AWS DMS lays down the files of a table. `full_load_date` is the date of its LOAD files, None for a
    task without a full load. `date_sequence` names the parts of the folders of dates, such as YYYYMMDDHH, ""
    for files without such folders, and `date_delimiter` stands between them. LOAD files do not have the
    columns in `load_lacks`, and whatever they hold, their rows have `load_values`, by delivered name.
    Files may lack the `added_columns`, from the last one on."""

    full_load_date: date | None
    date_sequence: str = ""
    date_delimiter: str = ""
    load_lacks: tuple[str, ...] = ()
    load_values: tuple[tuple[str, str], ...] = ()
    added_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """The contract as the rows of one source see it. `on_drift` is report or fail; in a merge, `order_column`
    decides which of two rows with one key is newer. `shapes` are the accepted headers of CSV, in the order in
    which they are tried. `given` are the columns that the source does not deliver, `dropped` places in the
    delivered objects that are known, and not read. `changes` is for a table of every version, `dms` for files
    that AWS DMS has written."""

    columns: tuple[Column, ...]
    business_key: tuple[str, ...]
    rules: tuple[Rule, ...]
    timestamp: TimestampRule | None
    category: CategoryRule | None
    output: tuple[str, ...]
    lookback_days: int
    on_drift: str
    format: Format = Format()
    shapes: tuple[Shape, ...] = ()
    computed: tuple[Computed, ...] = ()
    partition_by: tuple[str, ...] = ()
    aggregate: Aggregate | None = None
    order_column: str | None = None
    given: tuple[Given, ...] = ()
    dropped: tuple[tuple[Step, ...], ...] = ()
    changes: Changes | None = None
    dms: Dms | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each once, in the order of the rules, which may share one."""
        return tuple(dict.fromkeys(rule.reason for rule in self.rules))

    @property
    def is_flattened(self) -> bool:
        """True if the columns lie anywhere in the delivered objects (`transforms/flatten_lines.py`)."""
        is_json = not (self.format.is_csv or self.format.is_xml)
        return is_json and any(column.is_flattened for column in self.columns)

    @property
    def has_exact_texts(self) -> bool:
        """True if a row has the text of each column, and a clean row has right values only. Where Spark
        types the values of a line itself, some have to be looked at again."""
        return self.format.is_csv or self.format.is_xml or self.is_flattened

    @property
    def claimed(self) -> frozenset[str]:
        """The columns with moments that a rule notATimestamp judges, and so not the rule wrongType."""
        named = {rule.column for rule in self.rules if rule.kind == "notATimestamp"}
        return frozenset(one.name for one in self.columns if one.moments is not None and one.name in named)

    def label(self, name: str) -> str:
        """The label of the delivered column of that name."""
        return next(column.label for column in self.columns if column.name == name)

    @property
    def output_types(self) -> Mapping[str, str]:
        """The columns that are published, in order, with their types as Glue spells them."""
        types = {**self.base_types, **{one.name: one.type for one in self.computed}}
        return {name: types[name] for name in self.output}

    @property
    def delivered_output(self) -> tuple[str, ...]:
        """The published columns that are delivered as they are."""
        delivered = {column.name for column in self.columns}
        return tuple(name for name in self.output if name in delivered)

    @property
    def base_types(self) -> Mapping[str, str]:
        """The columns that are there before any is computed."""
        types = {column.name: glue_type(column) for column in self.columns}
        if self.timestamp is not None:
            types |= {self.timestamp.column: "timestamp", self.timestamp.date_column: "date"}
        if self.category is not None:
            types[self.category.column] = "string"
        if self.format.unknown_columns == "keep":
            types[KEPT] = KEPT_TYPE
        return types | {one.name: one.type for one in self.given}

    def reads_like(self, other: "Contract") -> bool:
        """True if the rows of both sources can be read and judged together."""
        columns, others = ([(one.name, one.type) for one in of.given] for of in (self, other))
        return columns == others and replace(self, given=()) == replace(other, given=())

    def of_reads(self, contracts: Mapping[int, "Contract"]) -> "Contract":
        """The contract for rows of sources that are read alike, by the number of each read."""
        if len(contracts) < 2:
            return self
        values = [
            tuple((number, one.given[at].value) for number, one in contracts.items())
            for at in range(len(self.given))
        ]
        given = (replace(one, value=None, of_reads=of) for one, of in zip(self.given, values, strict=True))
        return replace(self, given=tuple(given))

    @property
    def key_types(self) -> Mapping[str, str]:
        """The columns of the business key with their types."""
        types = self.output_types
        return {name: types[name] for name in self.business_key}
