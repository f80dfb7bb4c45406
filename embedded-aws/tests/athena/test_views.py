"""A view is its query, in whatever place it is named, with the rights of who asks.

https://docs.aws.amazon.com/athena/latest/ug/views.html
"""

import base64
import json
from typing import Any

import athena_bench
import pytest
from athena_bench import DATABASE, ask, make_table, parquet, put, reason, run
from conftest import ACCOUNT, REGION, Bench, statement

ROWS: list[dict[str, Any]] = [
    {"book": "emma", "reader": "ann", "at": 1},
    {"book": "emma", "reader": "bob", "at": 2},
    {"book": "ulysses", "reader": "ann", "at": 1},
]
LATEST = (
    "SELECT book, reader FROM (SELECT *, row_number() OVER (PARTITION BY book ORDER BY at DESC) AS place "
    "FROM holdings) WHERE place = 1"
)


def text_of(sql: str, columns: dict[str, str], schema: str = DATABASE) -> str:
    view = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": schema,
        "columns": [{"name": name, "type": kind} for name, kind in columns.items()],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(view).encode()).decode()} */"


def make_view(bench: Bench, name: str, text: str, columns: dict[str, str], database: str = DATABASE) -> None:
    storage = {
        "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
        "Location": "",
    }
    table = {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "StorageDescriptor": storage,
        "ViewOriginalText": text,
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
    }
    bench.client("glue").create_table(DatabaseName=database, TableInput=table)


@pytest.fixture(scope="module", autouse=True)
def holdings(bench: Bench) -> None:
    athena_bench.stock(bench)
    make_table(bench, "holdings", {"book": "string", "reader": "string", "at": "bigint"})
    put(bench, "holdings/a.parquet", parquet(ROWS))
    of_two = {"book": "varchar", "holder": "varchar"}
    make_view(bench, "latest", text_of(LATEST, of_two), {"book": "string", "holder": "string"})
    bench.client("glue").create_database(DatabaseInput={"Name": "elsewhere"})
    nested = text_of(
        "SELECT holder, count(*) FROM latest GROUP BY 1", {"holder": "varchar", "books": "bigint"}
    )
    make_view(bench, "busy", nested, {"holder": "string", "books": "bigint"})
    over = text_of("SELECT book FROM lending.holdings", {"book": "varchar"}, "elsewhere")
    make_view(bench, "books", over, {"book": "string"}, "elsewhere")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # The view's own names of its columns.
        ("select * from latest order by book", [["emma", "bob"], ["ulysses", "ann"]]),
        ("select latest.holder from lending.latest where book = 'emma'", [["bob"]]),
        ("select lending.latest.holder from lending.latest where book = 'emma'", [["bob"]]),
        (
            "select l.holder, h.at from latest l join holdings h on h.book = l.book and h.at = 2",
            [["bob", "2"]],
        ),
        ("with a as (select * from latest) select count(*) from a", [["2"]]),
        # A view of a view, and one in another database than its tables.
        ("select * from busy order by 1", [["ann", "1"], ["bob", "1"]]),
        ("select count(*) from elsewhere.books", [["3"]]),
        # A name that WITH defines hides the view.
        ("with latest as (select 1 as one) select one from latest", [["1"]]),
    ],
)
def test_a_view_is_its_query(bench: Bench, sql: str, expected: list[list[str]]) -> None:
    assert ask(bench, sql) == expected


def test_a_view_shows_what_its_tables_hold_now(bench: Bench) -> None:
    put(bench, "holdings/b.parquet", parquet([{"book": "dune", "reader": "eve", "at": 1}]))
    assert ask(bench, "select holder from latest where book = 'dune'") == [["eve"]]


def test_what_cannot_be_read_is_refused_by_name(bench: Bench) -> None:
    columns = {"one": "integer"}
    make_view(bench, "plain", "SELECT 1", columns)
    make_view(bench, "misspelt", text_of("SELEKT 1", columns), columns)
    make_view(bench, "round", text_of("SELECT one FROM round", columns), columns)
    make_view(bench, "dangling", text_of("SELECT one FROM gone", columns), columns)
    assert reason(bench, "select * from plain") == (
        "INVALID_VIEW: line 1:15: View 'lending.plain' is not a view that Athena can read"
    )
    assert reason(bench, "select * from misspelt").startswith(
        "INVALID_VIEW: line 1:15: Failed to parse the query of view 'lending.misspelt': SYNTAX_ERROR"
    )
    assert "View is recursive: lending.round" in reason(bench, "select * from round")
    assert "Table 'awsdatacatalog.lending.gone' does not exist" in reason(bench, "select * from dangling")


def test_a_view_gives_no_right_to_its_table(bench: Bench) -> None:
    """The caller needs the right to the view and to what it reads."""
    glue = f"arn:aws:glue:{REGION}:{ACCOUNT}:"
    held = [f"{glue}catalog", f"{glue}database/{DATABASE}", f"{glue}table/{DATABASE}/latest"]
    allowed = [statement(["athena:*", "s3:*"], ["*"]), statement(["glue:GetDatabase", "glue:GetTable"], held)]
    client = bench.client("athena", athena_bench.as_role(bench, "view-reader", allowed))
    execution = run(client, "select * from latest")
    assert execution["Status"]["State"] == "FAILED"
    reason_given = execution["Status"]["StateChangeReason"]
    assert f"glue:GetTable on resource: {glue}table/{DATABASE}/holdings" in reason_given
