"""Compares the columns that a crawl of the source found with those of the contract.

Types are spelled as in Glue's catalogue: `array<struct<product_id:string,quantity:int>>`
(https://docs.aws.amazon.com/athena/latest/ug/data-types.html). A crawler infers `int` where it is wide
enough, so a whole number of any width is right for bigint and for double. Glue writes names in lower case,
so capitals make no difference. The partition key is not among the columns: the catalogue keeps it apart.

The columns are compared as they are delivered, before they are renamed, cleaned and typed. In JSON, dates and
timestamps are texts. A CSV file may have one of several headers, and a crawler guesses types from its texts:
a column that is read as text, or whose texts are cleaned, may look like anything. In its names only letters
and digits are compared. A crawler does not understand every format
(https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html, "Built-in CSV classifier"). Where it sees no
header there is nothing to compare; the run itself has checked the headers.

Where columns lie inside of objects, the types of these are compared too. A field is known if a column lies
there, inside of it or around it, or if the contract says that it is dropped. What is inside of an object that
is kept as text may come and go."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from etl.errors import SourceDrifted
from etl.ingest.contract import Column, Contract, Format, NumberForm, Source, Step, Words, glue_type

MAX_CHARACTERS = 1000
_MAX_WORD = 120  # characters of one name or type in a message

_WHOLE = ("tinyint", "smallint", "int", "bigint")
_FITS = {"bigint": _WHOLE, "double": (*_WHOLE, "float", "double")}
_LOOKS = ("string", *_FITS["double"], "boolean", "date", "timestamp")
_TEXT = "text"  # the type of a CSV column that is read as text
_OBJECT = "object"  # the type of a JSON column that is kept as text
_ELEMENTS = "[]"
_DELIMITERS = (",", "|", "\t", ";", "\x01")  # that a crawler looks for

Columns = Sequence[tuple[str, str]]
Difference = tuple[str, str]


def find_drift(crawled: Columns, contract: Contract, table: str, absent: Sequence[str] = ()) -> str:
    """The differences as text, "" without any. `crawled` are the columns of `table`. `absent` are the columns
    without a value in any row of the run: a catalogue keeps columns that are no longer delivered. Raises
    SourceDrifted instead if the contract says `onDrift: fail`."""
    if contract.is_flattened:
        compare = _compare_flattened
    else:
        compare = _compare_csv if contract.format.is_csv else _compare_json
    return told(compare(crawled, contract, absent), contract, table)


def told(text: str, contract: Contract, table: str) -> str:
    """The differences as they are. Raises SourceDrifted if there are any and the contract says so."""
    if text and contract.on_drift == "fail":
        raise SourceDrifted(
            f"{table} is not what the contract says ({text}); "
            "correct the delivery, or change the contract, then run again"
        )
    return text


def is_comparable(crawled: Columns, contract: Contract) -> bool:
    """False where a crawl says nothing about the columns: in XML, and in Parquet, whose footers are checked
    in each run; in CSV because the crawler found no table in the files, the format is strange to it, or it
    took the header for a row."""
    format_ = contract.format
    if not format_.has_lines:
        return False
    if not format_.is_csv:
        return True
    if (
        not crawled
        or format_.delimiter not in _DELIMITERS
        or format_.skip_top > 0
        or format_.comment is not None
    ):
        return False
    # It must take each row for a row, or the header for a header.
    return _has_no_names(crawled) == bool(format_.columns)


def _compare_json(crawled: Columns, contract: Contract, absent: Sequence[str]) -> str:
    wanted = [(column.name, _delivered_type(column)) for column in contract.columns]
    dropped = {str(path[0]).lower() for path in contract.dropped if len(path) == 1}
    gone = {name.lower() for name in absent} | dropped
    columns = _columns_of_json(crawled, contract)
    return describe_drift([one for one in columns if one[0].lower() not in gone], wanted)


def _columns_of_json(crawled: Columns, contract: Contract) -> Columns:
    found = _fields_of_entries(crawled[0][1]) if contract.format.kind == "jsonArray" and crawled else None
    return crawled if found is None else found


def _compare_flattened(crawled: Columns, contract: Contract, absent: Sequence[str]) -> str:
    root = _Place()
    for column in contract.columns:
        root.at(column.place).columns.append(column)
    for path in contract.dropped:
        root.at(path).is_dropped = True
    return describe(_differences_inside(root, _columns_of_json(crawled, contract), "", frozenset(absent)))


@dataclass
class _Place:
    """A place in the delivered objects: the columns there, and the places inside of it. All elements of a
    list are one place, under the name `[]`."""

    columns: list[Column] = field(default_factory=list)
    inside: dict[str, "_Place"] = field(default_factory=dict)
    is_dropped: bool = False

    def at(self, path: Sequence[Step]) -> "_Place":
        place = self
        for step in path:
            place = place.inside.setdefault(_ELEMENTS if isinstance(step, int) else step, _Place())
        return place

    @property
    def is_kept(self) -> bool:
        """True if whatever is inside is kept as text."""
        return any(column.type == "object" or "object" in column.accepts for column in self.columns)

    @property
    def is_read(self) -> bool:
        return bool(self.columns) or any(place.is_read for place in self.inside.values())


def _differences_inside(
    place: _Place, fields: Columns, path: str, absent: Collection[str]
) -> Iterator[Difference]:
    there = {name.lower(): (name, kind.strip()) for name, kind in fields}
    for name, inner in place.inside.items():
        at = f"{path}{name}"
        if inner.is_dropped:
            continue
        if name.lower() in there:
            yield from _differences_at(inner, there[name.lower()][1], at, absent)
        elif inner.is_read and not place.is_kept:
            yield "missing", _shown(at)
    known = {name.lower() for name in place.inside}
    for lowered, (name, kind) in there.items():
        if lowered not in known and not place.is_kept:
            yield "new", f"{_shown(path + name)} {_shown(kind)}"


def _differences_at(place: _Place, kind: str, path: str, absent: Collection[str]) -> Iterator[Difference]:
    """Compares what a crawler found at a place."""
    if place.columns and all(column.name in absent for column in place.columns) and not place.inside:
        yield "missing", _shown(path)
        return
    for column in place.columns:
        if not _is_taken(kind.lower(), column):
            wanted = "array" if column.is_count else _delivered_type(column)
            yield "changed", f"{_shown(path)} is {_shown(kind)}, not {_shown(wanted)}"
            return
    entries, fields = _inside(kind, "array<"), _inside(kind, "struct<")
    elements = place.inside.get(_ELEMENTS)
    if elements is not None and entries is not None:
        yield from _differences_at(elements, entries, f"{path}{_ELEMENTS}", absent)
    elif fields is not None and elements is None and place.inside:
        yield from _differences_inside(place, [_field(part) for part in _split(fields)], f"{path}.", absent)
    elif place.inside and not place.columns:
        wanted = "struct" if elements is None else "array"
        yield "changed", f"{_shown(path)} is {_shown(kind)}, not {wanted}"


def _is_taken(crawled: str, column: Column) -> bool:
    """True if a crawler may find that type where the column lies."""
    looks = {
        "string": crawled == "string",
        "number": crawled in _FITS["double"] or crawled.startswith("decimal("),
        "boolean": crawled == "boolean",
        "object": crawled.startswith(("struct<", "map<")),
        "array": crawled.startswith("array<"),
    }
    if column.is_count:
        return looks["array"]
    return _is_fitting(crawled, _delivered_type(column)) or any(looks[kind] for kind in column.accepts)


def _delivered_type(column: Column) -> str:
    """The type that a crawler finds in JSON: texts for dates and timestamps."""
    if column.type == "object":
        return _OBJECT
    if column.formats or column.moments is not None:
        return "string"
    if column.fields:
        fields = (f"{field.name}:{_delivered_type(field)}" for field in column.fields)
        return f"array<struct<{','.join(fields)}>>"
    return glue_type(column)


def _compare_csv(crawled: Columns, contract: Contract, absent: Sequence[str]) -> str:
    """Compares with all shapes whose names are complete, or else with the shape that lacks the fewest."""
    if not is_comparable(crawled, contract):
        return ""
    format_ = contract.format
    found = _named_by_place(crawled, format_) if format_.columns else _named(crawled, contract)
    there = {name.lower() for name, _ in found}
    lacks = [sum(name.lower() not in there for name in shape.sources) for shape in contract.shapes]
    seen = [shape for shape, lack in zip(contract.shapes, lacks, strict=True) if lack == 0]
    sources: dict[str, Source] = {}
    for shape in seen or [contract.shapes[lacks.index(min(lacks))]]:
        sources |= shape.sources
    columns = {column.name: column for column in contract.columns}
    # A column that is known and left out is not drift, whether it is there or not. Of one without a value, a
    # crawler cannot know the type; it is there, because every header was checked.
    gone = {name for name, source in sources.items() if source.column is None or source.column in absent}
    wanted = [
        (name, _look(columns[source.column], source, format_))
        for name, source in sources.items()
        if source.column is not None and name not in gone
    ]
    gone |= {name for name in format_.columns if name not in sources}
    lowered = {name.lower() for name in gone}
    return describe_drift([one for one in found if one[0].lower() not in lowered], wanted)


def _has_no_names(crawled: Columns) -> bool:
    """True if a crawler saw no header, and named the columns by their places."""
    return all(name and _has_no_name(name, at) for at, (name, _) in enumerate(crawled))


def _has_no_name(name: str, at: int) -> bool:
    return name in ("", f"col{at}", f"col{at + 1}")


def _named_by_place(crawled: Columns, format_: Format) -> Columns:
    names = [*format_.columns, *(name for name, _ in crawled[len(format_.columns) :])]
    return [(name, kind) for name, (_, kind) in zip(names, crawled, strict=False)]


def _named(crawled: Columns, contract: Contract) -> Columns:
    """The columns as the contract spells them, capitals aside, without those that have no name at the end of
    the header."""
    encoding = contract.format.encoding
    names = {name.lower() for shape in contract.shapes for name in shape.sources}
    spelled = {_plain(name, encoding): name for name in names} | {name: name for name in names}
    found = [
        (spelled.get(name.lower()) or spelled.get(_plain(name, encoding), name), kind)
        for name, kind in crawled
    ]
    while found and found[-1][0] not in names and _has_no_name(found[-1][0], len(found) - 1):
        found.pop()
    return found


def _plain(name: str, encoding: str) -> str:
    """The name with an underscore for whatever a crawler may replace."""
    replaced = r"[\W_]+" if encoding == "UTF-8" else r"[^a-z0-9]+"
    return re.sub(replaced, "_", name.lower()).strip("_")


def _look(column: Column, source: Source, format_: Format) -> str:
    """The type that the texts of a column look like."""
    is_split_elsewhere = (
        format_.is_multi_line
        or not format_.has_quotes
        or format_.escape is not None
        or format_.skip_bottom > 0
    )
    is_text = column.type == "string" or column.formats or column.moments is not None
    is_changed = source.clean or column.nulls or column.number != NumberForm() or column.words != Words()
    return _TEXT if is_split_elsewhere or is_text or is_changed else glue_type(column)


def describe_drift(crawled: Columns, wanted: Columns) -> str:
    """`new: …; missing: …; changed: …`, sorted, at most MAX_CHARACTERS with a count of what was left out."""
    return describe(_differences(crawled, wanted, ""))


def describe(differences: Iterable[Difference]) -> str:
    """The text of differences, as `describe_drift` gives it."""
    found = sorted(differences, key=lambda difference: difference[1].lower())
    groups = {kind: [text for of, text in found if of == kind] for kind in ("new", "missing", "changed")}
    whole = _join(groups)
    if len(whole) <= MAX_CHARACTERS:
        return whole
    # One of each kind in turn, so that many new columns do not hide a changed one.
    kept: dict[str, list[str]] = {kind: [] for kind in groups}
    places = max(len(texts) for texts in groups.values())
    turns = [(kind, texts[at]) for at in range(places) for kind, texts in groups.items() if at < len(texts)]
    shortened = ""
    for taken, (kind, text) in enumerate(turns, start=1):
        kept[kind].append(text)
        longer = f"{_join(kept)}; and {len(turns) - taken} more"
        if len(longer) > MAX_CHARACTERS:
            break
        shortened = longer
    return shortened


def _join(groups: dict[str, list[str]]) -> str:
    return "; ".join(f"{kind}: {', '.join(texts)}" for kind, texts in groups.items() if texts)


def _differences(crawled: Columns, wanted: Columns, path: str) -> Iterator[Difference]:
    there = {name.lower(): (name, kind.strip()) for name, kind in crawled}
    known = {name.lower() for name, _ in wanted}
    for name, kind in wanted:
        if name.lower() in there:
            yield from _changes(there[name.lower()][1], kind, path + name)
        else:
            yield "missing", _shown(path + name)
    for lowered, (name, kind) in there.items():
        if lowered not in known:
            yield "new", f"{_shown(path + name)} {_shown(kind)}"


def _changes(crawled: str, wanted: str, path: str) -> Iterator[Difference]:
    found, expected = (_fields_of_entries(kind) for kind in (crawled, wanted))
    if found is not None and expected is not None:
        yield from _differences(found, expected, f"{path}.")
    elif not _is_fitting(crawled.lower(), wanted):
        yield "changed", f"{_shown(path)} is {_shown(crawled)}, not {_shown(wanted)}"


def _is_fitting(crawled: str, wanted: str) -> bool:
    """True if a crawler may find that type where `wanted` is delivered."""
    if wanted == _OBJECT:
        return crawled.startswith(("struct<", "map<"))
    if wanted == _TEXT:
        return crawled in _LOOKS
    if wanted.startswith("decimal("):
        return crawled in _FITS["double"]
    found, expected = _inside(crawled, "array<"), _inside(wanted, "array<")
    if found is not None and expected is not None:
        return _is_fitting(found, expected)
    return crawled in _FITS.get(wanted, (wanted,))


def _fields_of_entries(kind: str) -> Columns | None:
    """Names and types of the structs in an array; None for any other type."""
    inner = _inside(kind, "array<")
    fields = None if inner is None else _inside(inner, "struct<")
    return None if fields is None else [_field(part) for part in _split(fields)]


def _inside(kind: str, opening: str) -> str | None:
    is_such = kind[: len(opening)].lower() == opening and kind.endswith(">")
    return kind[len(opening) : -1] if is_such else None


def _field(part: str) -> tuple[str, str]:
    name, _, kind = part.partition(":")
    return name.strip(), kind.strip()


def _split(fields: str) -> list[str]:
    """Splits at the commas outside of brackets."""
    parts, depth = [""], 0
    for character in fields:
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part]


def _shown(word: str) -> str:
    return word if len(word) <= _MAX_WORD else f"{word[: _MAX_WORD - 3]}..."
