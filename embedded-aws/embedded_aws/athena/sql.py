"""Reads Athena's SQL in Trino's dialect, binds it to the catalogue's columns and types, writes it for DuckDB.

https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from embedded_aws.athena import rewrites
from embedded_aws.athena import types as athena_types
from embedded_aws.athena.failures import QueryFailedError, position

_DIALECT = "trino"
_UNNAMED = "_unnamed_"
logging.getLogger("sqlglot").setLevel(logging.ERROR)  # SQL that it cannot write fails visibly in DuckDB


@dataclass(frozen=True)
class Scan:
    """One place in a query where a table is read."""

    name: str
    """The view that the query reads instead."""
    database: str
    table: str
    place: str
    """Its position in the query, as ``line 1:15``."""


@dataclass
class Bound:
    """A query with resolved names and types."""

    duckdb: str
    columns: list[str]
    """The result's header."""
    filters: dict[str, list[str]] = field(default_factory=dict)
    """By scan: conditions in DuckDB's SQL on its partition columns only. A row must meet all of them."""
    times: dict[str, int] = field(default_factory=dict)
    """By scan: how often it is read. A scan inside WITH is read each time the query names that WITH."""


def with_parameters(sql: str, values: Sequence[str]) -> str:
    """The query with each ``?`` replaced in order by a SQL literal (a string includes its quotes).

    https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html

    Raises QueryFailedError when the counts differ or a value is not a single constant.
    """
    try:
        marks = [
            token
            for token in sqlglot.tokenize(sql, read=_DIALECT)
            if token.text == "?" and sql[token.start] == "?"  # not one in quotes
        ]
    except SqlglotError as error:
        raise _syntax_error(error) from error
    if len(marks) != len(values):
        text = f"Incorrect number of parameters: expected {len(marks)} but found {len(values)}"
        raise QueryFailedError(f"INVALID_PARAMETER_USAGE: line 1:1: {text}")
    for mark, value in reversed(list(zip(marks, values, strict=True))):
        sql = sql[: mark.start] + _constant(value) + sql[mark.end + 1 :]
    return sql


def _constant(value: str) -> str:
    try:
        parsed = sqlglot.parse(value, read=_DIALECT)
    except SqlglotError as error:
        raise _syntax_error(error) from error
    node = parsed[0] if len(parsed) == 1 else None
    if node is None or next(node.find_all(exp.Column, exp.Query, exp.Placeholder, exp.Star), None):
        raise QueryFailedError(f"INVALID_PARAMETER_USAGE: line 1:1: '{value}' is not a constant")
    return f"({value})" if isinstance(node, exp.Binary | exp.Unary) else value


def parse(sql: str) -> exp.Query:
    """The query in a text. Raises QueryFailedError with SYNTAX_ERROR unless it is exactly one."""
    try:
        found = [statement for statement in sqlglot.parse(sql, read=_DIALECT) if statement is not None]
    except SqlglotError as error:
        raise _syntax_error(error) from error
    if len(found) != 1:
        raise QueryFailedError("SYNTAX_ERROR: line 1:1: Only one sql statement is allowed")
    query = found[0]
    if not isinstance(query, exp.Query):
        raise QueryFailedError("SYNTAX_ERROR: line 1:1: Queries of this type are not supported")
    return query


def _syntax_error(error: SqlglotError) -> QueryFailedError:
    first: dict[str, object] = dict(next(iter(getattr(error, "errors", [])), {}))
    place = f"line {first.get('line') or 1}:{first.get('col') or 1}"
    # The rest of sqlglot's message names its own tokens.
    text = str(first.get("description") or error).partition(" but got <Token")[0].rstrip(". ")
    near = str(first.get("highlight") or "")
    return QueryFailedError(f"SYNTAX_ERROR: {place}: {text}" + (f" at '{near}'" if near else ""))


def scans_of(query: exp.Query, database: str) -> list[Scan]:
    """Every place where the query reads a table. Replaces the tables in the query by the scans' names."""
    scans: list[Scan] = []
    for table in tables_of(query):
        name, place = f"scan_{len(scans)}", position(table.this)
        if not isinstance(table.this, exp.Identifier):
            raise QueryFailedError(
                f"FUNCTION_NOT_FOUND: {place}: {table.this.sql(_DIALECT)} is not registered"
            )
        catalogue = table.catalog.lower()
        if catalogue not in ("", "awsdatacatalog"):
            raise QueryFailedError(f"CATALOG_NOT_FOUND: {place}: Catalog '{catalogue}' does not exist")
        scans.append(Scan(name, (table.db or database).lower(), table.name.lower(), place))
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
        table.set("this", exp.to_identifier(name))
        table.set("db", None)
        table.set("catalog", None)
    drop_databases(query, {(scan.database, scan.table) for scan in scans})
    return scans


def drop_databases(query: exp.Query, tables: set[tuple[str, str]]) -> None:
    """Shorten ``database.table.column`` to ``table.column``: the scans have no database."""
    for column in query.find_all(exp.Column):
        catalogue, database, table = (column.text(part).lower() for part in ("catalog", "db", "table"))
        if (database, table) in tables:
            column.set("db", None)
            column.set("catalog", None)
        elif (catalogue, database) in tables:  # database.table.column.field
            column.set("catalog", None)


def tables_of(query: exp.Query) -> list[exp.Table]:
    """The tables of the catalogue, without the names that WITH defines."""
    found: dict[int, exp.Table] = {}
    try:
        for scope in traverse_scope(query):
            for _, source in scope.references:
                if isinstance(source, exp.Table):
                    known = None if source.db else scope.sources.get(source.name)
                    if not isinstance(known, Scope):
                        found[id(source)] = source
    except OptimizeError as error:
        raise QueryFailedError(f"SYNTAX_ERROR: line 1:1: {error}") from error
    return list(found.values())


def bind(
    query: exp.Query, columns: Mapping[str, Mapping[str, str]], partitions: Mapping[str, Iterable[str]]
) -> Bound:
    """Resolve names and types and write the query for DuckDB.

    ``columns``: by scan, the catalogue's columns with their Hive types, partition keys last.
    ``partitions``: by scan, the names of the partition keys.

    Raises QueryFailedError as Athena would: COLUMN_NOT_FOUND, TYPE_MISMATCH, SYNTAX_ERROR.
    """
    types: dict[str, object] = {
        scan: {name: athena_types.of_catalogue(kind) for name, kind in held.items()}
        for scan, held in columns.items()
    }
    schema = MappingSchema(types, dialect=_DIALECT)
    written = _name_outputs(query)
    try:
        bound = qualify(
            query, schema=schema, dialect=_DIALECT, expand_alias_refs=False, quote_identifiers=True
        )
        bound = annotate_types(bound, schema=schema, dialect=_DIALECT)
    except OptimizeError as error:
        raise _unresolved(error, query) from error
    except SqlglotError as error:
        raise _syntax_error(error) from error
    if not isinstance(bound, exp.Query):
        raise QueryFailedError("SYNTAX_ERROR: line 1:1: Queries of this type are not supported")
    athena_types.check(bound)
    names = [
        f"_col{number}" if name.startswith(_UNNAMED) else written.get(name, name)
        for number, name in enumerate(projection.alias_or_name for projection in bound.selects)
    ]
    result = Bound("", names, _filters(bound, partitions), _times(bound, columns))
    result.duckdb = rewrites.for_duckdb(bound).sql("duckdb")
    return result


def _name_outputs(query: exp.Query) -> dict[str, str]:
    """Mark the outputs without a name. Returns the spelling of the other names, by their lower case.

    An expression without an alias is ``_col<position>`` in Athena's answers.
    """
    first: exp.Expr = query
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    written: dict[str, str] = {}
    for number, output in enumerate(first.args.get("expressions") or [] if first else []):
        if isinstance(output, exp.Alias):
            written[output.alias.lower()] = output.alias
        elif not isinstance(output, exp.Column | exp.Star | exp.Dot):
            output.replace(exp.alias_(output.copy(), f"{_UNNAMED}{number}", quoted=True))
    return written


_UNRESOLVED = re.compile(r"Column '\"?([^'\"]+)\"?' could not be resolved(?: for table: '([^']+)')?")
_WHERE = re.compile(r"Line: (\d+), Col: (\d+)")


def _unresolved(error: OptimizeError, query: exp.Query) -> QueryFailedError:
    text = str(error)
    found = _UNRESOLVED.search(text)
    unknown = re.search(r"Unknown (?:column|output column): (\S+)", text)
    where = _WHERE.search(text)
    ambiguous = re.search(r"Column '?\"?([^'\" ]+)\"?'? (?:is|was) ambiguous|[Aa]mbiguous .*?: ?(\S+)", text)
    if ambiguous:
        name = ambiguous.group(1) or ambiguous.group(2)
        return QueryFailedError(f"AMBIGUOUS_NAME: line 1:1: Column '{name}' is ambiguous")
    if not found and not unknown:
        return QueryFailedError(f"SYNTAX_ERROR: line 1:1: {text}")
    column = found.group(1) if found else unknown.group(1) if unknown else ""
    # sqlglot reports where the name ends, or no place.
    named = next((node for node in query.find_all(exp.Column) if node.name == column), query)
    place = (
        f"line {where.group(1)}:{max(int(where.group(2)) - len(column) + 1, 1)}" if where else position(named)
    )
    name = f"{found.group(2)}.{column}" if found and found.group(2) else column
    more = "cannot be resolved or requester is not authorized to access requested resources"
    return QueryFailedError(f"COLUMN_NOT_FOUND: {place}: Column '{name}' {more}")


def _filters(query: exp.Query, partitions: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """The conditions of every WHERE that use only one scan's partition columns.

    A scope with an outer join is skipped, because a missing row becomes a row of nulls there.
    """
    filters: dict[str, list[str]] = {}
    for scope in traverse_scope(query):
        select = scope.expression
        where = select.args.get("where")
        joins = select.args.get("joins") or []
        if where is None or any(join.side for join in joins):
            continue
        for alias, (_, source) in scope.selected_sources.items():
            if not isinstance(source, exp.Table):
                continue
            keys = set(partitions.get(source.name, ()))
            for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
                if _is_about(condition, alias, keys):
                    filters.setdefault(source.name, []).append(_unqualified(condition))
    return filters


def _is_about(condition: exp.Expr, alias: str, keys: set[str]) -> bool:
    columns = list(condition.find_all(exp.Column))
    own = all(column.table == alias and column.name in keys for column in columns)
    return bool(columns) and own and condition.find(exp.Query) is None


def _unqualified(condition: exp.Expr) -> str:
    def bare(node: exp.Expr) -> exp.Expr:
        return exp.column(node.name, quoted=True) if isinstance(node, exp.Column) else node

    return rewrites.for_duckdb(condition.copy()).transform(bare).sql("duckdb")


def _times(query: exp.Query, scans: Iterable[str]) -> dict[str, int]:
    """The number of reads of each scan. Trino inlines a WITH wherever it is named."""
    tables = list(query.find_all(exp.Table))
    named: dict[str, int] = {}

    def reads(table: exp.Table) -> int:
        inside = table.find_ancestor(exp.CTE)
        if inside is None:
            return 1
        if inside.alias not in named:
            named[inside.alias] = 0  # a recursive one names itself
            named[inside.alias] = sum(reads(other) for other in tables if other.name == inside.alias)
        return named[inside.alias]

    return {table.name: reads(table) for table in tables if table.name in set(scans)}
