"""Athena through its API: Trino's SQL and its refusals, parameters, the catalogue's types."""

import athena_bench as library
import pytest
from athena_bench import ask, reason, run
from conftest import Bench


@pytest.fixture(scope="module")
def shelf(bench: Bench) -> Bench:
    library.stock(bench)
    return bench


SELECTS = [
    (
        "select format('%s', date_diff('day', timestamp '2020-01-01 23:00', timestamp '2020-01-02 01:00'))",
        ["0"],
    ),
    (
        "select count_if(pages > 7), count(distinct row(id, tags)), count(distinct id) from loans",
        ["1", "3", "2"],
    ),
    ("select concat_ws(', ', id, null, 'z') , coalesce(pages, 0) from loans where id = 'b'", ["b, z", "0"]),
    ("select 7 / 2, -7 / 2, 1 + 7 / 2 * 3, 7 / 2.0e0, 7 % 4", ["3", "-3", "10", "3.5", "3"]),
    ("select floor(100 * sum(pages) / 7), avg(pages) from loans", ["242", "8.5"]),
    (
        "select cast(pages as varchar) || 'p', case when pages is null then 'none' end from loans "
        "where id = 'b'",
        [None, "none"],
    ),
    (
        "select date_add('day', 1, date '2020-01-31'), date '2020-01-31' + interval '1' month",
        ["2020-02-01", "2020-02-29"],
    ),
    ("select date_diff('day', timestamp '2020-01-01 23:45:00', max(taken)) from loans", ["2"]),
    (
        "select max(taken) < timestamp '2020-01-05 00:00:00', max(taken) from loans",
        ["true", "2020-01-04 23:30:00.000"],
    ),
    (
        "select count(*) from loans where taken between timestamp '2020-01-01 00:00:00' and "
        "timestamp '2020-01-04 00:00:00'",
        ["1"],
    ),
    (
        "with a as (select id, count(*) as c from loans group by id) select id from a where c = "
        "(select max(c) from a)",
        ["a"],
    ),
    (
        "select a.c, b.c from (select count(*) c from loans) a cross join (select count(distinct "
        "id) c from loans) b",
        ["3", "2"],
    ),
    (
        "select element_at(tags, 2), element_at(tags, 9), cardinality(tags) from loans where pages = 7",
        ["red", None, "2"],
    ),
    ("select count(*), max(tag) from loans cross join unnest(tags) as t(tag)", ["3", "red"]),
    ("select max(sku), sum(qty) from orders cross join unnest(items) as t(sku, qty)", ["y", "5"]),
    ('select count(*) from "lending"."loans" where "loans"."ID" = \'a\'', ["2"]),
    ("select lending.loans.id from awsdatacatalog.lending.loans where pages = 7", ["a"]),
    ("select lending.loans.place.aisle from lending.loans where loans.place.aisle > 1", ["2"]),
    (
        "select format('%s is %d%%', price, pages), date_format(taken, '%Y/%m/%d %H:%i') from loans "
        "where pages = 7",
        ["2.5 is 7%", "2020/01/03 11:00"],
    ),
    (
        "select from_iso8601_timestamp('2020-01-01T02:00:00+02:00'), to_iso8601(date '2020-01-01')",
        ["2020-01-01 00:00:00.000 UTC", "2020-01-01"],
    ),
    (
        "select orderid, n, gone, items from orders order by 1 limit 1",
        ["1", "5", None, "[{sku=x, qty=2}, {sku=y, qty=3}]"],
    ),
    ("select sku, price from prices where price is null", ["y", None]),
    (
        "select price, nan(), 1e10, true, cast(1.50 as decimal(5,2)), array[1, null] from loans "
        "where id = 'b'",
        ["1.0E7", "NaN", "1.0E10", "true", "1.50", "[1, null]"],
    ),
    ("select array_join(array_agg(x order by x), '; ') from (values 'b', 'a') as v(x)", ["a; b"]),
]


@pytest.mark.parametrize(("sql", "expected"), SELECTS, ids=[sql[:40] for sql, _ in SELECTS])
def test_trinos_sql_gives_trinos_result(shelf: Bench, sql: str, expected: list[str | None]) -> None:
    assert ask(shelf, sql) == [expected]


REFUSED = [
    ("selec 1", "SYNTAX_ERROR: line 1:7: Invalid expression / Unexpected token at '1'"),
    ("select 1 from", "SYNTAX_ERROR: line 1:13: Expected table name at 'from'"),
    ("select 1; select 2", "SYNTAX_ERROR: line 1:1: Only one sql statement is allowed"),
    (
        "select * from nowhere",
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.lending.nowhere' does not exist",
    ),
    ("select * from zoo.loans", "SCHEMA_NOT_FOUND: line 1:19: Schema 'zoo' does not exist"),
    (
        "select * from read_text('/etc/hostname')",
        "FUNCTION_NOT_FOUND: line 1:15: READ_TEXT('/etc/hostname') is not registered",
    ),
    (
        "select nope from loans",
        "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved or requester is not "
        "authorized to access "
        "requested resources",
    ),
    (
        "select pages as p from loans where p > 1",
        "COLUMN_NOT_FOUND: line 1:36: Column 'p' cannot be resolved or requester is not authorized "
        "to access "
        "requested resources",
    ),
    (
        "select count(*) from orders where more = 1",  # in the file, but not in the catalogue
        "COLUMN_NOT_FOUND: line 1:35: Column 'more' cannot be resolved or requester is not "
        "authorized to access "
        "requested resources",
    ),
    (
        "select id from loans where id = 5",
        "TYPE_MISMATCH: line 1:28: Cannot apply operator: varchar = integer",
    ),
    (
        "select n from visits where day = date '2020-01-01'",
        "TYPE_MISMATCH: line 1:28: Cannot apply operator: varchar = date",
    ),
    (
        "select n from visits where hall = '1'",
        "TYPE_MISMATCH: line 1:28: Cannot apply operator: integer = varchar",
    ),
    (
        "select n from visits where day between 1 and 2",
        "TYPE_MISMATCH: line 1:28: Cannot check if varchar is BETWEEN integer and integer",
    ),
    (
        "select id || pages from loans",
        "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar, integer) for function concat",
    ),
    (
        "select t.sku from orders cross join unnest(items) as t(sku)",
        "MISMATCHED_COLUMN_ALIASES: line 1:44: Column alias list has 1 entries but 't' has 2 "
        "columns available",
    ),
    ("select pages / 0 from loans", "DIVISION_BY_ZERO: Division by zero"),
    ("select cast(id as bigint) from loans", "INVALID_CAST_ARGUMENT: Cannot cast 'a' to BIGINT"),
    ("select nosuch(id) from loans", "FUNCTION_NOT_FOUND: line 1:1: Function 'nosuch' not registered"),
    (
        "select id, count(*) from loans",
        "EXPRESSION_NOT_AGGREGATE: line 1:1: 'id' must be an aggregate expression or appear in "
        "GROUP BY clause",
    ),
]


@pytest.mark.parametrize(("sql", "expected"), REFUSED, ids=[sql[:40] for sql, _ in REFUSED])
def test_a_query_that_athena_refuses_fails_with_its_reason(shelf: Bench, sql: str, expected: str) -> None:
    assert reason(shelf, sql) == expected


def test_parameters_are_literals_in_order(shelf: Bench) -> None:
    sql = "select count(*), '?' from visits where day between ? and ? and hall = ? -- ?"
    assert ask(shelf, sql, "'2020-01-01'", "'2020-01-02'", "1") == [["100", "?"]]
    assert ask(shelf, "select id from loans where id = ? limit 1", "'it''s'") == []
    expected = "TYPE_MISMATCH: line 1:30: Cannot check if varchar is BETWEEN integer and varchar"
    unquoted = reason(shelf, "select count(*) from visits where day between ? and ?", "2020-01-01", "'x'")
    assert unquoted.partition(": Cannot")[2] == expected.partition(": Cannot")[2]
    assert reason(shelf, "select ? from loans", "1", "2") == (
        "INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 1 but found 2"
    )
    assert reason(shelf, "select id from loans where pages = ?").endswith("expected 1 but found 0")
    for value in ("pages", "(select 1)", "1; select 2"):
        expected = f"INVALID_PARAMETER_USAGE: line 1:1: '{value}' is not a constant"
        assert reason(shelf, "select id from loans where pages = ?", value) == expected
    execution = run(shelf.client("athena"), "select id from loans where pages = ?", ["7"])
    assert (execution["Query"], execution["ExecutionParameters"]) == (
        "select id from loans where pages = ?",
        ["7"],
    )
