"""The job of marts: what it publishes is what the model says, in whatever order changes come; readers never
see a fact without its dimension row; and what is wrong ends the run before or without a trace."""

from pathlib import Path
from typing import Any

import pytest
from etl import clients
from etl.errors import InputRefused, MartViolated, ModelRefused
from etl.marts import publish
from etl.marts.invariants import Violation
from etl.write.mart_tables import MartTable
from mart_shop import Shop, day, three_days
from pyspark.sql import SparkSession
from restating import Killed, killed_before

STAR = ("dim_product", "dim_customer", "fact_sales")


class Locks:
    """The table of locks: as much of DynamoDB as a run asks of it."""

    def put_item(self, **asked: Any) -> dict[str, Any]:
        return {}


@pytest.fixture
def shop(tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setitem(clients._clients, "dynamodb", Locks())
    root = tmp_path / f"shop_{tmp_path.parent.name}_{tmp_path.name}".replace("-", "_")
    root.mkdir()
    found = Shop(spark, root)
    three_days(found)
    found.put()
    return found


def is_as_expected(shop: Shop, *tables: str) -> bool:
    for table in tables:
        assert shop.rows(table) == shop.expected(table), table
    return True


def test_a_star_is_that_of_the_model_and_follows_a_late_change(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = shop.run("star", 2)
    assert is_as_expected(shop, *STAR)
    assert [row[:2] for row in shop.rows("dim_date")] == [
        (int(f"{day(number):%Y%m%d}"), day(number)) for number in range(3)
    ]
    assert books["outcome"] == "SUCCEEDED"
    assert books["read"] == books["written"] == sum(len(shop.rows(table)) for table in (*STAR, "dim_date"))
    assert books["mart"]["tables"]["fact_sales"] == {
        "rows": 5,
        "counts": {"without_invoice": 1, "without_customer": 3},
        "unknown": {"dim_customer": 2, "dim_product": 1},
        "undated": 1,
    }
    assert books["mart"]["inputs"]["lines"]["rows"] == 6
    again = shop.run("star", 2)
    assert (again["mart"]["unchanged"], again["written"], again["outcome"]) == (True, 0, "SUCCEEDED")
    assert shop.commits("fact_sales") == 1
    # The price of day 1 comes a day earlier, so that the version of day 1 is gone, which facts have.
    [late] = [one for one in shop.staged["stg_products"] if one.change == "update" and one.key == ("A",)]
    shop.staged["stg_products"].remove(late)
    [first] = [one for one in shop.staged["stg_products"] if one.key == ("A",) and one.change == "insert"]
    shop.staged["stg_products"].remove(first)
    shop.stage("stg_products", 0, *late.key, *late.compared, change="insert")
    shop.put("stg_products")
    orphans = readers_see(monkeypatch, shop)
    shop.run("star", 2)
    assert is_as_expected(shop, *STAR)
    # Once more for the dimension, which kept the old row until the facts had lost it.
    assert orphans == [0] * 5
    assert (shop.commits("dim_product"), shop.commits("fact_sales")) == (3, 2)


def readers_see(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> list[int]:
    """The facts without a row of dim_product that a reader finds behind each commit."""
    found: list[int] = []
    honest = MartTable.overwrite

    def noted(self: MartTable, *given: Any) -> None:
        honest(self, *given)
        facts, dimension = shop.rows("fact_sales"), shop.rows("dim_product")
        found.append(len({row[4] for row in facts} - {row[-1] for row in dimension}))

    monkeypatch.setattr(MartTable, "overwrite", noted)
    return found


def test_a_mart_of_each_other_kind_is_that_of_the_model(shop: Shop) -> None:
    for mart, table in (
        ("customers-scd2", "customers_scd2"),
        ("prices-history", "prices_history"),
    ):
        books = shop.run(mart, 2)
        assert is_as_expected(shop, table)
        assert books["written"] == len(shop.rows(table))
    assert books["mart"]["tables"]["prices_history"]["counts"] == {"without_list_price": 2}


def test_an_as_of_date_is_replaced_and_the_others_stay(shop: Shop) -> None:
    shop.run("products-as-of", 2)
    shop.run("products-as-of", 0)
    two = [(day(0), "A", "lamp"), (day(0), "B", None), (day(2), "B", "box")]
    assert [row[:3] for row in shop.rows("products_as_of")] == two
    early = shop.run("products-as-of", -1)
    assert (early["outcome"], early["written"]) == ("EMPTY", 0)
    assert early["mart"]["emptyBecause"] == (
        "2010-11-30 is before the first version of stg_products, which is of 2010-12-01"
    )
    shop.stage("stg_products", 0, "C", "cup", None, change="insert")
    shop.put("stg_products")
    shop.run("products-as-of", 0)
    assert [row[:3] for row in shop.rows("products_as_of")] == [*two[:2], (day(0), "C", "cup"), two[2]]


@pytest.mark.once
def test_inputs_that_do_not_fit_are_named_before_anything_is_written(shop: Shop, spark: SparkSession) -> None:
    spark.sql(f"ALTER TABLE {shop.name('stg_products')} DROP COLUMN description")
    spark.sql(f"DROP TABLE {shop.name('stg_invoices')}")
    spark.sql(f"ALTER TABLE {shop.name('stg_invoice_lines')} ALTER COLUMN quantity TYPE bigint")
    with pytest.raises(InputRefused) as refused:
        shop.run("star", 2)
    assert f"{refused.value}".split(". ")[0] == (
        "the input stg_products has no column description; the input stg_invoices does not exist; "
        "the input stg_invoice_lines has quantity as bigint, declared as int"
    )
    assert not spark.catalog.tableExists(shop.name("dim_date"))


@pytest.mark.once
def test_a_violated_invariant_rolls_every_table_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run("star", 2)
    before = {table: shop.rows(table) for table in STAR}
    shop.stage("stg_products", 3, "A", "lamp", None, change="insert")
    shop.put("stg_products")
    with monkeypatch.context() as broken:
        broken.setattr(publish, "check_facts", lambda *_: [Violation("each fact has a row of it", 7)])
        with pytest.raises(MartViolated, match="fact_sales: each fact has a row of it: 7 rows"):
            shop.run("star", 2)
    assert {table: shop.rows(table) for table in STAR} == before
    shop.run("star", 2)
    assert is_as_expected(shop, *STAR)


@pytest.mark.once
def test_rows_that_fail_their_rules_are_not_published(shop: Shop) -> None:
    tables = {
        "prices_history": {
            "kind": "select",
            "key": ["product_id", "date"],
            "columns": {
                "product_id": {"type": "string"},
                "date": {"type": "date"},
                "shop_price": {"type": "decimal(10,4)"},
                "list_price": {"type": "decimal(10,2)"},
                "supplier": {"type": "string"},
            },
            "quality": {
                "threshold": 0,
                "rules": [
                    {
                        "name": "prices_are_listed",
                        "type": "completeness",
                        "column": "list_price",
                        "atLeast": 1,
                        "action": "halt",
                    }
                ],
            },
        }
    }
    shop.run("prices-history", 2)
    shop.stage("stg_price_lists", 1, "A", "BOLT", day(1), None, change="insert")
    shop.put("stg_price_lists")
    before = shop.rows("prices_history")
    books = shop.run("prices-history", 2, tables=tables)
    assert (books["outcome"], books["written"]) == ("REFUSED", 0)
    assert "prices_history: prices_are_listed: 1 of 3" in books["refused"]["text"]
    assert shop.rows("prices_history") == before
    tables["prices_history"]["key"] = ["shop_price"]
    del tables["prices_history"]["quality"]
    with pytest.raises(ModelRefused, match="no two rows have the same shop_price: 1 rows"):
        shop.run("prices-history", 2, tables=tables)


@pytest.mark.long
@pytest.mark.parametrize("step", range(10))
def test_a_run_that_was_killed_is_finished_by_the_next(shop: Shop, step: int) -> None:
    shop.run("star", 2)
    shop.stage("stg_products", 3, "A", "lamp", None, change="insert")
    shop.put("stg_products")
    steps = [(MartTable, "prepare"), (MartTable, "overwrite")]
    try:
        with killed_before(step, steps):
            shop.run("star", 2)
    except Killed:
        pass
    shop.run("star", 2)
    assert is_as_expected(shop, *STAR)
