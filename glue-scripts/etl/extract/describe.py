"""Compares the declared tables with those of the database, before a row is read."""

from collections.abc import Mapping

from etl.errors import SourceDrifted
from etl.extract.columns import SourceColumn, literal, type_mistake
from etl.extract.database import Session
from etl.extract.document import Extract, Table

Described = Mapping[str, Mapping[str, SourceColumn]]


def describe(session: Session, extract: Extract, connection: str) -> Described:
    """The columns of each declared table, by their names. Columns that nobody declared are left alone. Raises
    SourceDrifted naming every table and column that is missing or of another type."""
    found = {table.name: _columns(session, extract.schema, table) for table in extract.tables}
    mistakes = [
        text for table in extract.tables for text in _mistakes(extract.schema, table, found[table.name])
    ]
    if mistakes:
        raise SourceDrifted(
            f"connection {connection}: {'; '.join(mistakes)}; change the declaration, or ask the owner of "
            "the database; nothing was written"
        )
    return found


def _mistakes(schema: str, table: Table, found: Mapping[str, SourceColumn]) -> list[str]:
    place = f"table {schema}.{table.name}"
    if not found:
        return [f"{place} is not there, or may not be seen"]
    gone = [column.name for column in table.columns if column.name not in found]
    mistakes = [f"{place} has no column {', '.join(gone)}"] if gone else []
    for column in table.columns:
        if column.name in found:
            mistake = type_mistake(column, found[column.name])
            if mistake is not None:
                mistakes.append(f"{place}: {mistake}")
    return mistakes


def _columns(session: Session, schema: str, table: Table) -> Mapping[str, SourceColumn]:
    """A domain is described by the type under it. The modifier of a numeric holds precision and scale, whose
    scale has 11 bits with a sign (numeric_typmod_scale in src/backend/utils/adt/numeric.c of PostgreSQL)."""
    # Names of columns are judged; schema and table are quoted as texts.
    where = f"n.nspname = {literal(schema)} and c.relname = {literal(table.name)}"
    rows = session.rows(
        "select a.attname, format_type(a.atttypid, a.atttypmod),"  # noqa: S608 (texts are quoted)
        " coalesce(e.typname, b.typname, t.typname),"
        " (coalesce(b.typcategory, t.typcategory) = 'A')::text,"
        " (coalesce(b.typtype, t.typtype) = 'e')::text,"
        " case when t.typtype = 'd' then t.typtypmod else a.atttypmod end::text"
        " from pg_attribute a join pg_class c on c.oid = a.attrelid"
        " join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid"
        " left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype"
        " left join pg_type e on e.oid = coalesce(b.typelem, t.typelem)"
        "   and coalesce(b.typcategory, t.typcategory) = 'A'"
        f" where {where} and a.attnum > 0 and not a.attisdropped"
        " and has_table_privilege(c.oid, 'select')",
        f"{schema}.{table.name}",
    )
    return {str(row[0]): _column(*(str(value) for value in row)) for row in rows}


def _column(
    name: str, shown: str, kind: str, is_array: str, is_enumeration: str, modifier: str
) -> SourceColumn:
    has_modifier = kind == "numeric" and is_array == "false" and int(modifier) >= 4
    bits = int(modifier) - 4
    return SourceColumn(
        name=name,
        shown=shown,
        type=kind,
        is_array=is_array == "true",
        is_enumeration=is_enumeration == "true",
        precision=bits >> 16 if has_modifier else None,
        scale=((bits & 0x7FF) ^ 1024) - 1024 if has_modifier else None,
    )
