"""Compares the columns that a crawl of the source found with those of the contract.

Types are spelled as in Glue's catalogue: `array<struct<product_id:string,quantity:int>>`
(https://docs.aws.amazon.com/athena/latest/ug/data-types.html). A crawler infers `int` where it is wide
enough, so a whole number of any width is right for bigint and for double. Glue writes names in lower case,
so capitals make no difference. The partition key is not among the columns: the catalogue keeps it apart.

A CSV file may have one of several headers, and a crawler guesses types from its texts: a column that is
read as text may look like a number, and a decimal like a double."""

from collections.abc import Iterator, Sequence

from etl.errors import SourceDrifted
from etl.ingest.contract import Column, Contract, NumberForm, glue_type

MAX_CHARACTERS = 1000
_MAX_WORD = 120  # characters of one name or type in a message

_WHOLE = ("tinyint", "smallint", "int", "bigint")
_FITS = {"bigint": _WHOLE, "double": (*_WHOLE, "float", "double")}
_LOOKS = ("string", *_FITS["double"], "boolean", "date", "timestamp")
_TEXT = "text"  # the type of a CSV column that is read as text

Columns = Sequence[tuple[str, str]]
Difference = tuple[str, str]


def find_drift(crawled: Columns, contract: Contract, table: str, absent: Sequence[str] = ()) -> str:
    """The differences as text, "" without any. `crawled` are the columns of `table`. `absent` are the columns
    without a value in any row of the run: a catalogue keeps columns that are no longer delivered. Raises
    SourceDrifted instead if the contract says `onDrift: fail`."""
    compare = _compare_csv if contract.format.is_csv else _compare_json
    text = compare(crawled, contract, absent)
    if text and contract.on_drift == "fail":
        raise SourceDrifted(
            f"{table} is not what the contract says ({text}); "
            "correct the delivery, or change the contract, then run again"
        )
    return text


def _compare_json(crawled: Columns, contract: Contract, absent: Sequence[str]) -> str:
    wanted = [
        (column.name, "string" if column.formats or column.moments else glue_type(column))
        for column in contract.columns
    ]
    gone = {name.lower() for name in absent}
    return describe_drift([one for one in crawled if one[0].lower() not in gone], wanted)


def _compare_csv(crawled: Columns, contract: Contract, absent: Sequence[str]) -> str:
    """Compares with all shapes whose names are complete, or else with the shape that lacks the fewest."""
    there = {name.lower() for name, _ in crawled}
    shapes = contract.shapes
    lacks = [sum(name.lower() not in there for name in shape.sources) for shape in shapes]
    seen = [shape for shape, lack in zip(shapes, lacks, strict=True) if lack == 0]
    sources: dict[str, str | None] = {}
    for shape in seen or [shapes[lacks.index(min(lacks))]]:
        sources |= {name: source.column for name, source in shape.sources.items()}
    types = {column.name: _type_in_csv(column) for column in contract.columns}
    wanted = [(name, types[column]) for name, column in sources.items() if column is not None]
    # A column that is known and left out is not drift, whether it is there or not.
    gone = {name.lower() for name, column in sources.items() if column is None or column in absent}
    return describe_drift([one for one in crawled if one[0].lower() not in gone], wanted)


def _type_in_csv(column: Column) -> str:
    """The type that a crawler can see: it does not know a contract's words and marks."""
    type_ = glue_type(column)
    is_text = type_ in ("string", "boolean", "date", "timestamp")
    return _TEXT if is_text or column.nulls or column.number != NumberForm() else type_


def describe_drift(crawled: Columns, wanted: Columns) -> str:
    """`new: …; missing: …; changed: …`, sorted, at most MAX_CHARACTERS with a count of what was left out."""
    found = sorted(_differences(crawled, wanted, ""), key=lambda difference: difference[1].lower())
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
    elif crawled.lower() not in _fitting(wanted):
        yield "changed", f"{_shown(path)} is {_shown(crawled)}, not {_shown(wanted)}"


def _fitting(wanted: str) -> tuple[str, ...]:
    """The types that a crawler may find where `wanted` is delivered."""
    if wanted == _TEXT:
        return _LOOKS
    return _FITS["double"] if wanted.startswith("decimal(") else _FITS.get(wanted, (wanted,))


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
