"""Several sources become one table: rows, books and quarantine of each."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Lake, event
from etl.errors import InvalidDelivery, MissingDelivery
from pyspark.sql import SparkSession
from shops import CALLS, D1, D2, PHONE, SOURCES, TILLS, WEB, Shops, contract_with, till, web
from support import balances, figures, same
from test_reading_deliveries import lines_scanned

pytestmark = pytest.mark.once


@pytest.fixture
def shops(tmp_path: Path, spark: SparkSession) -> Shops:
    return Shops(tmp_path)


def test_two_sources_become_one_table(shops: Shops, spark: SparkSession) -> None:
    shops.deliver_rows(TILLS, D1, till("a", "120.50"), till("b"), till("b"), "c;x;1;20.11.2025")
    shops.deliver_rows(WEB, D1, web("b"), web("d"), {"amount": 1}, "{", web("e", visitor=None))
    books = shops.run(D1)
    assert balances(books)
    assert figures(books) == (9, 4, 2, 3)
    assert {name: figures(of) for name, of in books["sources"].items()} == {
        TILLS: (4, 2, 1, 1),
        WEB: (5, 2, 1, 2),
    }
    rows = {row["receipt"]: row.asDict() for row in shops.rows(spark, "processed")}
    assert {key: row["channel"] for key, row in rows.items()} == {"a": TILLS, "b": TILLS, "d": WEB, "e": WEB}
    assert rows["a"] == {
        "receipt": "a",
        "amount": Decimal("120.50"),
        "channel": TILLS,
        "till": 3,
        "size": "large",
        "sold": date(2025, 11, 20),
        "basket": None,
        "visitor": None,
        "run_date": D1,
    }
    assert rows["d"] == {
        "receipt": "d",
        "amount": Decimal("7.50"),
        "channel": WEB,
        "till": None,
        "size": "small",
        "sold": None,
        "basket": '{"n":1}',
        "visitor": "v",
        "run_date": D1,
    }
    rejected = {(row["source"], row["reason"], row["raw_line"]) for row in shops.rows(spark, "quarantine")}
    assert rejected == {
        (TILLS, "wrong_type", "c;x;1;20.11.2025"),
        (WEB, "missing_receipt", '{"amount": 1}'),
        (WEB, "malformed", "{"),
    }


def test_the_first_row_of_a_key_is_that_of_the_first_object_key_over_all_sources(
    tmp_path: Path, spark: SparkSession
) -> None:
    # Declared last, and its folder comes first.
    shops = Shops(tmp_path, contract=contract_with({PHONE: CALLS}))
    for source, row in ((TILLS, till("a", "1.00")), (WEB, web("a", 2)), (PHONE, web("a", 3))):
        shops.deliver_rows(source, D1, row)
    shops.deliver_rows(TILLS, D2, till("a", "4.00"))
    shops.deliver_rows(WEB, D2, web("b", 5))
    shops.deliver_rows(PHONE, D2)
    books = shops.run(D1, D2)
    rows = [
        (row["run_date"], row["receipt"], row["channel"], int(row["amount"]))
        for row in shops.rows(spark, "processed")
    ]
    assert sorted(rows) == [(D1, "a", PHONE, 3), (D2, "b", WEB, 5)]
    assert {name: figures(of) for name, of in books["sources"].items()} == {
        TILLS: (2, 0, 2, 0),
        WEB: (2, 1, 1, 0),
        PHONE: (1, 1, 0, 0),
    }
    # A delivery that is there and empty is not missing.
    assert books["missingSources"] == []
    empty = books["dates"][1]["sources"][PHONE]
    assert figures(empty) == (0, 0, 0, 0)
    assert empty["quarantinedByReason"] == {"malformed": 0, "missing_receipt": 0, "wrong_type": 0}
    assert empty["inputBytes"] > 0


def test_sources_that_are_read_alike_keep_their_names(tmp_path: Path, spark: SparkSession) -> None:
    """Two that differ in their places only, beside one of another format."""
    alike = {**CALLS, "properties": SOURCES[WEB]["properties"]}
    shops = Shops(tmp_path, contract=contract_with({PHONE: alike}))
    shops.deliver_rows(TILLS, D1, till("a"), "b;x;1;20.11.2025")
    shops.deliver_rows(WEB, D1, web("c"), web("d"), "{")
    shops.deliver_rows(PHONE, D1, web("d"), web("e"), web("f"), {"amount": 1})
    shops.deliver_rows(TILLS, D2, till("g"))
    # On the second day the shop alone.
    shops.deliver_rows(WEB, D2, web("h"), "{")
    books = shops.run(D1, D2)
    assert {name: figures(of) for name, of in books["sources"].items()} == {
        TILLS: (3, 2, 0, 1),
        WEB: (5, 2, 1, 2),
        PHONE: (4, 3, 0, 1),
    }
    assert {row["receipt"]: row["channel"] for row in shops.rows(spark, "processed")} == {
        **dict.fromkeys("ag", TILLS),
        **dict.fromkeys("ch", WEB),
        **dict.fromkeys("def", PHONE),
    }
    rejected = sorted(
        (row["run_date"], row["source"], row["reason"]) for row in shops.rows(spark, "quarantine")
    )
    assert rejected == [
        (D1, PHONE, "missing_receipt"),
        (D1, TILLS, "wrong_type"),
        (D1, WEB, "malformed"),
        (D2, WEB, "malformed"),
    ]
    assert [(one["source"], one["reason"], one["rows"]) for one in books["reasons"]] == [
        (TILLS, "wrong_type", 1),
        (WEB, "malformed", 2),
        (PHONE, "missing_receipt", 1),
    ]
    # The next run restates the second day, whose deliveries are read again.
    shops.deliver_rows(PHONE, D1, web("h"))
    again = shops.run(D1, run_id="late")
    assert again["restated"]["dates"] == [D2]
    assert {row["receipt"]: row["channel"] for row in shops.rows(spark, "processed")} == {
        **dict.fromkeys("ag", TILLS),
        "c": WEB,
        "d": WEB,
        "h": PHONE,
    }


def test_a_source_that_is_missing_is_said_and_its_late_delivery_is_taken(
    tmp_path: Path, spark: SparkSession
) -> None:
    shops = Shops(tmp_path, contract=contract_with({WEB: {"whenMissing": "report"}}))
    shops.deliver_rows(TILLS, D1, till("a"), till("b"))
    books = shops.run(D1)
    assert books["missingSources"] == [{"source": WEB, "date": D1}]
    assert books["missingCount"] == 1
    assert books["dates"][0]["missingSources"] == [WEB]
    assert books["sourcesText"] == (
        "tills: read 2 = written 2 + duplicates 0 + quarantined 0; "
        f"web: read 0 = written 0 + duplicates 0 + quarantined 0; missing: web on {D1}"
    )
    summary = shops.books(name="summary")
    assert {name: summary[name] for name in ("sources", "missingSources", "sourcesText")} == {
        name: books[name] for name in ("sources", "missingSources", "sourcesText")
    }
    # The next day has a key of the source that is still to come, and one that the first day has.
    shops.deliver_rows(TILLS, D2, till("b"), till("c"))
    shops.deliver_rows(WEB, D2, web("d"))
    assert figures(shops.run(D2, run_id="run-2")) == (3, 2, 1, 0)
    shops.deliver_rows(WEB, D1, web("c"), web("b"))
    late = shops.run(D1, run_id="run-3")
    assert figures(late) == (4, 3, 1, 0)
    assert late["missingSources"] == []
    assert late["restated"]["dates"] == [D2]
    rows = {(row["run_date"], row["receipt"], row["channel"]) for row in shops.rows(spark, "processed")}
    assert rows == {(D1, "a", TILLS), (D1, "b", TILLS), (D1, "c", WEB), (D2, "d", WEB)}
    assert shops.books_by_date()[D2]["sources"][TILLS]["duplicates"] == 2


def test_nothing_is_written_where_a_source_is_missing_or_something_is_strange(shops: Shops) -> None:
    shops.deliver_rows(TILLS, D1, till("a"))
    with pytest.raises(MissingDelivery, match=f"^no delivery of source web for {D1} under "):
        shops.run(D1)
    path = shops.deliver_rows(WEB, D1, web("b"))
    strange = shops.raw / "in" / "web-shop" / "today" / "a.json"
    strange.parent.mkdir()
    strange.write_text("{}")
    with pytest.raises(InvalidDelivery, match=r"/in/web-shop/today/: it is no day of source web, "):
        shops.run(D1)
    strange.unlink()
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InvalidDelivery, match=r"a\.json\.gz: its gzip cannot be unpacked to its end"):
        shops.run(D1)
    path.unlink()
    hidden = shops.deliver_rows(WEB, D1, web("b"), file="_a.json")
    with pytest.raises(
        InvalidDelivery, match=r"_a\.json: nothing else was delivered, and a name that begins"
    ):
        shops.run(D1)
    hidden.unlink()
    wrong = shops.deliver_rows(TILLS, D1, file="b.csv")
    wrong.write_text("receipt;amount\n")
    shops.deliver_rows(WEB, D1, web("b"))
    with pytest.raises(
        InvalidDelivery, match=r"b\.csv: its header 'receipt;amount' lacks of the contract's own"
    ):
        shops.run(D1)
    assert not (shops.root / "processed").exists()
    assert not (shops.root / "quarantine").exists()


def test_what_is_skipped_is_in_the_books(tmp_path: Path) -> None:
    skip = {"unknownFolders": "skip"}
    contract = contract_with({TILLS: skip, WEB: skip}, unknownSources="skip")
    shops = Shops(tmp_path, contract=contract)
    shops.deliver_rows(TILLS, D1, till("a"))
    shops.deliver_rows(WEB, D1, web("b"))
    for name in ("in/web-shop/today/a.json", "in/phone/0/a.json"):
        (shops.raw / name).parent.mkdir(parents=True)
        (shops.raw / name).write_text("{}")
    books = shops.run(D1)
    assert figures(books) == (2, 2, 0, 0)
    assert books["skipped"] == [f"{shops.raw}/in/phone/", f"{shops.raw}/in/web-shop/today/"]
    assert books["sourcesText"].endswith("; skipped: 2 folders or files that are no delivery")


def test_sources_below_a_prefix_of_the_run(shops: Shops, spark: SparkSession) -> None:
    shops.deliver_rows(TILLS, D1, till("not-mine"))
    below = replace(shops, below="berlin/")
    below.deliver_rows(TILLS, D1, till("a"))
    below.deliver_rows(WEB, D1, web("b"))
    books = shops.run(D1, source_subprefix="berlin/")
    assert {row["receipt"] for row in shops.rows(spark, "processed")} == {"a", "b"}
    assert {name: figures(of) for name, of in books["sources"].items()} == {
        TILLS: (1, 1, 0, 0),
        WEB: (1, 1, 0, 0),
    }


def test_a_refused_run_has_the_figures_of_each_source_and_names_it(
    tmp_path: Path, spark: SparkSession
) -> None:
    rules = {"threshold": 0, "rules": [{"name": "rows", "type": "rowCount", "atLeast": 1, "action": "halt"}]}
    shops = Shops(tmp_path, rules=rules)
    # A tenth of all rows is bad, and each of the tills'.
    shops.deliver_rows(TILLS, D1, "broken")
    shops.deliver_rows(WEB, D1, *(web(f"w{n}") for n in range(19)), web("x", amount="much"))
    books = shops.run(D1, refused_bucket=str(shops.root / "refused"), refused_prefix="events/")
    assert books["outcome"] == "REFUSED"
    assert {name: figures(of) for name, of in books["sources"].items()} == {
        TILLS: (1, 0, 0, 1),
        WEB: (20, 0, 0, 1),
    }
    assert f"lines_are_readable on {D1} in tills: 1 of 1 rows are malformed" in books["refused"]["text"]
    assert [(one["source"], one["reason"], one["column"], one["line"]) for one in books["reasons"]] == [
        (TILLS, "malformed", "", 2),
        (WEB, "wrong_type", "amount", 20),
    ]
    assert "amount is not a decimal(10,2) (source web) in 1 row" in books["refused"]["text"]
    assert not (shops.root / "processed" / "events").exists()
    rows = {(row["source"], row["reason"]) for row in shops.rows(spark, "refused")}
    assert rows == {(TILLS, "malformed"), (WEB, "wrong_type")}


def test_a_value_that_only_one_source_limits(tmp_path: Path, spark: SparkSession) -> None:
    reasons = [*contract_with()["x-etl"]["reasons"], {"reason": "not_allowed", "rule": "notAllowed"}]
    own = {**SOURCES[TILLS]["properties"], "till": {"type": "integer", "minimum": 3}}
    shops = Shops(tmp_path, contract=contract_with({TILLS: {"properties": own}}, reasons=reasons))
    shops.deliver_rows(TILLS, D1, till("a"), till("b", till=2))
    shops.deliver_rows(WEB, D1, web("c"), web("d", amount="much"))
    shops.run(D1)
    rows = {
        (row["source"], row["reason"], str(row["reason_values"])) for row in shops.rows(spark, "quarantine")
    }
    assert rows == {(TILLS, "not_allowed", "{'till': '2'}"), (WEB, "wrong_type", "{'amount': 'much'}")}


def test_running_twice_changes_nothing(shops: Shops, spark: SparkSession) -> None:
    shops.deliver_rows(TILLS, D1, till("a"), till("b"))
    shops.deliver_rows(WEB, D1, web("b"), web("c"))
    first = shops.run(D1)
    rows = sorted(map(str, shops.rows(spark, "processed")))
    assert first["files"] == 1
    second = shops.run(D1, run_id="run-2")
    assert same(first) == same(second)
    assert sorted(map(str, shops.rows(spark, "processed"))) == rows


def test_each_line_of_each_source_is_read_once(shops: Shops, spark: SparkSession, event_log: Path) -> None:
    shops.deliver_rows(TILLS, D1, *(till(f"t{n}") for n in range(200)), till("t1"))
    shops.deliver_rows(WEB, D1, *(web(f"w{n}") for n in range(300)), "{")
    before = lines_scanned(event_log, spark)
    books = shops.run(D1)
    assert lines_scanned(event_log, spark) - before == books["read"] == 502


def test_books_of_a_pipeline_without_sources_have_no_more_keys(lake: Lake) -> None:
    lake.deliver(D1, event("a"))
    books = lake.run(D1)
    keys = {"sources", "missingSources", "missingCount", "skipped", "sourcesText"}
    assert not keys & (books.keys() | books["dates"][0].keys() | lake.books_by_date()[D1].keys())
