"""Views of the catalogue: the query of a view in place of its name, with the rights of the query's caller.

Athena keeps a view as a table of type VIRTUAL_VIEW, whose text is ``/* Presto View: <base64 of JSON> */``.
https://docs.aws.amazon.com/athena/latest/ug/views.html
https://trino.io/docs/current/connector/hive.html (Hive views)
"""

import base64
import binascii
import json
import re
from typing import Any

from sqlglot import exp

from embedded_aws.athena import sql as athena_sql
from embedded_aws.athena.catalogue import Catalogue
from embedded_aws.athena.failures import QueryFailedError, position
from embedded_aws.athena.sql import Scan

_TEXT = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")
_DEEPEST = 100  # views of views; one that names itself would never end


def expand(query: exp.Query, database: str, catalogue: Catalogue, depth: int = 0) -> None:
    """Put the query of each view in place of its name, also where views name views.

    Raises QueryFailedError for a name that is not in the catalogue, and for a view that cannot be read.
    """
    found: set[tuple[str, str]] = set()
    for table in athena_sql.tables_of(query):
        if not isinstance(table.this, exp.Identifier) or table.catalog.lower() not in ("", "awsdatacatalog"):
            continue  # refused when the query is bound
        place = position(table.this)
        of = Scan("", (table.db or database).lower(), table.name.lower(), place)
        entry = catalogue.table(of)
        if entry.get("TableType") != "VIRTUAL_VIEW":
            continue
        if depth == _DEEPEST:
            raise QueryFailedError(f"INVALID_VIEW: {place}: View is recursive: {of.database}.{of.table}")
        inner, schema, columns = _read(entry, of)
        expand(inner, schema, catalogue, depth + 1)
        for named in athena_sql.tables_of(inner):
            if not named.db:
                named.set("db", exp.to_identifier(schema))
        names = [exp.to_identifier(column, quoted=True) for column in columns]
        alias = exp.TableAlias(this=exp.to_identifier(table.alias or table.name), columns=names)
        table.replace(exp.Subquery(this=inner, alias=alias))
        found.add((of.database, of.table))
    athena_sql.drop_databases(query, found)


def _read(entry: dict[str, Any], of: Scan) -> tuple[exp.Query, str, list[str]]:
    """The view's query, the database of the names in it, and the view's columns."""
    match = _TEXT.fullmatch(str(entry.get("ViewOriginalText") or "").strip())
    try:
        held = json.loads(base64.b64decode(match.group(1), validate=True)) if match else {}
        text, schema = str(held["originalSql"]), str(held["schema"])
        columns = [str(column["name"]) for column in held["columns"]]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        words = f"View '{of.database}.{of.table}' is not a view that Athena can read"
        raise QueryFailedError(f"INVALID_VIEW: {of.place}: {words}") from error
    try:
        return athena_sql.parse(text), schema, columns
    except QueryFailedError as error:
        words = f"Failed to parse the query of view '{of.database}.{of.table}': {error}"
        raise QueryFailedError(f"INVALID_VIEW: {of.place}: {words}") from error
