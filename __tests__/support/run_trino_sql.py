"""Runs queries in Trino's dialect on small tables, in DuckDB.

Reads a JSON list of runs from standard input and writes as many answers to standard output:
`{"sql", "parameters": [SQL literal, …], "tables": [{"database", "name", "columns": {name: Glue type},
"rows": [[…], …]}, …]}` becomes `{"columns": […], "rows": [[…], …], "scans": ["<database>.<table>", …]}`, or
`{"error"}`. Moments and dates are ISO texts; a moment with a zone becomes one of UTC, as Spark writes it.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

Run = dict[str, Any]
TYPES = {"string": "VARCHAR", "array": "BIGINT[]"}


def answer(connection: duckdb.DuckDBPyConnection, run: Run) -> Run:
    """Runs one query on its own tables."""
    try:
        query = sqlglot.parse_one(with_parameters(run["sql"], run["parameters"]), read="trino")
        for table in run["tables"]:
            create(connection, table)
        found = connection.execute(query.sql("duckdb"))
        columns = [column[0] for column in found.description or []]
        rows = [list(row) for row in found.fetchall()]
    except (sqlglot.errors.SqlglotError, duckdb.Error, ValueError) as error:
        return {"error": str(error)}
    scans = [f"{table.db}.{table.name}" for table in query.find_all(exp.Table)]
    return {"columns": columns, "rows": rows, "scans": sorted(scans)}


def with_parameters(sql: str, literals: Sequence[str]) -> str:
    """The query with each `?` outside of quotes replaced, as Athena's ExecutionParameters are."""
    tokens = sqlglot.tokenize(sql, read="trino")
    marks = [token.start for token in tokens if token.text == "?" and sql[token.start] == "?"]
    for mark, literal in reversed(list(zip(marks, literals, strict=True))):
        sql = f"{sql[:mark]}{literal}{sql[mark + 1 :]}"
    return sql


def create(connection: duckdb.DuckDBPyConnection, table: Run) -> None:
    """Makes a table with its rows, instead of an earlier run's."""
    database, name = (quoted(table[key]) for key in ("database", "name"))
    kinds = list(table["columns"].values())
    columns = [f"{quoted(column)} {TYPES.get(kind, kind)}" for column, kind in table["columns"].items()]
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {database}")
    connection.execute(f"CREATE OR REPLACE TABLE {database}.{name} ({', '.join(columns)})")
    rows = table["rows"]
    if rows:
        values = [value_of(value, kind) for row in rows for value, kind in zip(row, kinds, strict=True)]
        marks = ", ".join([f"({', '.join('?' for _ in kinds)})"] * len(rows))
        connection.execute(f"INSERT INTO {database}.{name} VALUES {marks}", values)  # noqa: S608 (names of a test)


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def value_of(value: Any, kind: str) -> Any:
    """A value of JSON in its Glue type."""
    if value is None or kind not in ("timestamp", "date"):
        return value
    if kind == "date":
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


if __name__ == "__main__":
    with duckdb.connect() as memory:
        json.dump([answer(memory, run) for run in json.load(sys.stdin)], sys.stdout)
