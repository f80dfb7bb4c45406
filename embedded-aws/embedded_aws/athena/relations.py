"""A table's files as a view in DuckDB with the catalogue's columns and types.

https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
"""

from pathlib import Path
from typing import Any

from sqlglot import exp

from embedded_aws.athena import types as athena_types
from embedded_aws.athena.catalogue import columns_of, data_columns
from embedded_aws.athena.failures import QueryFailedError
from embedded_aws.athena.files import Object
from embedded_aws.athena.iceberg import is_iceberg
from embedded_aws.athena.partitions import keys_of, value_of
from embedded_aws.core import emulator

_FILE = "athena file"  # no column of the catalogue has a blank in its name
_DUCKDB = "duckdb"


def create_view(duck: Any, name: str, table: dict[str, Any], found: list[tuple[Object, Path]]) -> None:
    """Make ``name`` a view of the files. Raises QueryFailedError when they do not fit the table."""
    if not found:
        nothing = ", ".join(_typed("NULL", column, kind) for column, kind in columns_of(table).items())
        duck.execute(f"CREATE VIEW {name} AS SELECT {nothing or '1'} WHERE FALSE")
        return
    files = _list([str(path) for _, path in found])
    # An Iceberg table comes here with Parquet files only.
    kind = "parquet" if is_iceberg(table) else emulator.service("athena")._data_format(table)
    if kind == "parquet":
        source, columns = _parquet(duck, table, files, found[0][0])
    elif kind == "json":
        source, columns = _json(duck, table, files)
    elif kind == "csv":
        source, columns = _csv(table, files)
    else:
        raise QueryFailedError(f"HIVE_UNSUPPORTED_FORMAT: Tables of {kind} files cannot be read here")
    keys = keys_of(table)
    types = columns_of(table)
    columns += [_typed(value_of(f'p."{key}"'), key, types[key]) for key in keys]
    join = ""
    if keys:
        parts = f"{name}_partitions"
        named = ", ".join(f'"{key}" VARCHAR' for key in keys)
        duck.execute(f"CREATE TABLE {parts} (file VARCHAR, {named})")
        marks = ", ".join("?" for _ in range(len(keys) + 1))
        rows = [[str(path), *item.values] for item, path in found]
        duck.executemany(f"INSERT INTO {parts} VALUES ({marks})", rows)  # noqa: S608 - names made here
        join = f' JOIN {parts} AS p ON f."{_FILE}" = p.file'
    duck.execute(f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {source} AS f{join}")  # noqa: S608 - names made here


def _typed(value: str, column: str, kind: str) -> str:
    return f'CAST({value} AS {athena_types.for_duckdb(kind)}) AS "{column}"'


def _list(texts: list[str]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _described(duck: Any, source: str) -> dict[str, tuple[str, str]]:
    """By lower-case name: the name in the files, and the type that DuckDB sees."""
    rows = duck.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - the source is made here
    return {row[0].lower(): (row[0], row[1]) for row in rows}


def _parquet(duck: Any, table: dict[str, Any], files: str, first: Object) -> tuple[str, list[str]]:
    """Columns by name, as Athena reads Parquet; a type that cannot be read as the table's is refused."""
    source = f"read_parquet({files}, union_by_name = true, hive_partitioning = false, filename = '{_FILE}')"
    held = _described(duck, source)
    columns = []
    for name, kind in data_columns(table).items():
        own = held.get(name)
        if own and not _fits(own[1], kind):
            raise QueryFailedError(
                f"HIVE_BAD_DATA: Field {name}'s type {own[1]} in parquet file {first.uri} is incompatible "
                f"with type {kind} defined in table schema"
            )
        columns.append(_typed(f'f."{own[0]}"' if own else "NULL", name, kind))
    return source, columns


def _fits(held: str, told: str) -> bool:
    return _class(exp.DataType.build(held, dialect=_DUCKDB)) in ("", _class(athena_types.of_catalogue(told)))


def _class(kind: exp.DataType) -> str:
    """Types of the same class can be read as one another. Rows, arrays and maps are not compared inside."""
    if kind.is_type(*exp.DataType.INTEGER_TYPES):
        return "whole"
    if kind.is_type(*exp.DataType.FLOAT_TYPES):
        return "real"
    if kind.is_type(exp.DataType.Type.DECIMAL):
        return "decimal"
    if kind.is_type(exp.DataType.Type.DATE):
        return "date"
    node = exp.Null()
    node.type = kind
    return athena_types.kind(exp.Paren(this=node)) or _plain(kind)


def _plain(kind: exp.DataType) -> str:
    if kind.is_type(*exp.DataType.TEXT_TYPES):
        return "text"
    if kind.is_type(exp.DataType.Type.BOOLEAN):
        return "boolean"
    return "moment" if kind.is_type(*exp.DataType.TEMPORAL_TYPES) else ""


def _json(duck: Any, table: dict[str, Any], files: str) -> tuple[str, list[str]]:
    """Keys in any case, as with the OpenX SerDe. Plain types are the table's, rows are as found."""
    serde = ((table.get("StorageDescriptor") or {}).get("SerdeInfo") or {}).get("Parameters") or {}
    lenient = str(serde.get("ignore.malformed.json", "")).lower() == "true"
    more = ", ignore_errors = true, format = 'newline_delimited'" if lenient else ""
    more += f", filename = '{_FILE}', hive_partitioning = false"
    held = _described(duck, f"read_json_auto({files}, union_by_name = true, sample_size = -1{more})")
    wanted, columns = [], []
    for name, kind in data_columns(table).items():
        own = held.get(name)
        columns.append(_typed(f'f."{own[0]}"' if own else "NULL", name, kind))
        if own:
            nested = "<" in kind
            read_as = own[1] if nested else athena_types.for_duckdb(kind)
            wanted.append(f"{_text(own[0])}: {_text(read_as)}")
    source = f"{{{', '.join(wanted) or _text(' ') + ': ' + _text('VARCHAR')}}}"
    return f"read_json({files}, columns = {source}{more})", columns


def _csv(table: dict[str, Any], files: str) -> tuple[str, list[str]]:
    """Columns by position. A value that is not of the column's type becomes null."""
    storage = table.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    told = serde.get("Parameters") or {}
    library = str(serde.get("SerializationLibrary") or "")
    if "OpenCSVSerde" in library:
        delimiter, quote = told.get("separatorChar", ","), told.get("quoteChar", '"')
    elif "LazySimpleSerDe" in library:
        # LazySimpleSerDe splits on Ctrl-A by default, and reads quotes as text.
        delimiter, quote = told.get("field.delim", told.get("serialization.format", "\x01")), ""
        delimiter = "\x01" if delimiter == "1" else delimiter
    else:
        delimiter, quote = told.get("field.delim", ","), '"'
    skipped = str((table.get("Parameters") or {}).get("skip.header.line.count", "0"))
    types = data_columns(table)
    raw = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(types)))
    source = (
        f"read_csv({files}, auto_detect = false, header = false, skip = {int(skipped or 0)}, "
        f"delim = {_text(delimiter)}, quote = {_text(quote)}, escape = {_text(quote)}, columns = {{{raw}}}, "
        f"null_padding = true, strict_mode = false, hive_partitioning = false, filename = '{_FILE}')"
    )
    columns = [
        f'TRY_CAST(f.c{place} AS {athena_types.for_duckdb(kind)}) AS "{name}"'
        for place, (name, kind) in enumerate(types.items())
    ]
    return source, columns
