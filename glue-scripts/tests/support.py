"""Checks of the books for several tests, and a delivery with a bit of everything."""

from typing import Any

from conftest import Lake, event
from etl.ingest.contract import Contract
from etl.ingest.sources import DeliverySource, Sources

D1, D2, D3 = "2010-12-01", "2010-12-02", "2010-12-03"


def only_source(contract: Contract) -> Sources:
    """The source of a contract that declares none."""
    return Sources((DeliverySource("", contract),))


def balances(books: dict[str, Any]) -> bool:
    entries = [books, *books["dates"], *books["restatedDates"]]
    return all(
        entry["read"] == entry["written"] + entry["duplicates"] + entry["quarantined"]
        and entry["quarantined"] == sum(entry["quarantinedByReason"].values())
        for entry in entries
    )


def figures(books: dict[str, Any]) -> tuple[int, int, int, int]:
    return books["read"], books["written"], books["duplicates"], books["quarantined"]


def same(books: dict[str, Any]) -> dict[str, Any]:
    """The books without the fields that differ between runs."""
    return {name: value for name, value in books.items() if name not in ("runId", "seconds", "books")}


def deliver_a_mixture(lake: Lake) -> None:
    lake.deliver(
        D1,
        event("a"),
        event("b", event_type="cancellation"),
        event("a", country="again"),
        event("n", user_id=None),
        event("n", user_id=None),
        "broken {",
        "",
        event("t", timestamp=1291191960000),
    )
    lake.deliver(D2, event("c"), event("b"), event(None), event("w", items="x"), event("k", event_type=" "))
