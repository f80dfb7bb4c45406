"""A chain of shops for the tests of sources: tills write CSV in folders `dt=`, and the web shop JSON in
folders of milliseconds. Both make one table."""

import csv
import gzip
import io as streams
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from conftest import Lake

D1, D2, D3, D4 = "2025-11-20", "2025-11-21", "2025-11-22", "2025-11-23"
TILLS, WEB, PHONE = "tills", "web", "phone"

SOURCES: dict[str, Any] = {
    TILLS: {
        "folder": "in/tills/",
        "format": {"kind": "csv", "delimiter": ";"},
        "properties": {"till": {"type": "integer"}, "sold": {"type": "string", "x-date": ["dd.MM.yyyy"]}},
    },
    WEB: {
        "folder": "in/web-shop/",
        "layout": "epochMillis",
        "properties": {"basket": {"type": "object"}, "visitor": {"type": ["string", "null"]}},
    },
}
PROPERTIES = {"receipt": {"type": "string"}, "amount": {"type": "number", "x-decimal": [10, 2]}}
# A third source, whose folder comes before those of the others.
CALLS: dict[str, Any] = {"folder": "calls/", "layout": "epochMillis", "whenMissing": "report"}
FOLDERS = {TILLS: "in/tills", WEB: "in/web-shop", PHONE: "calls"}
OUTPUT = ("receipt", "amount", "channel", "till", "sold", "basket", "visitor", "size")


def contract_with(
    sources: Mapping[str, Mapping[str, Any]] | None = None, **extension: object
) -> dict[str, Any]:
    """The contract of the chain, in which sources have more keys, and so has `x-etl`."""
    changes = sources or {}
    more = [name for name in changes if name not in SOURCES]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": PROPERTIES,
        "required": ["receipt"],
        "x-etl": {
            "businessKey": ["receipt"],
            "lookbackDays": 7,
            "sourceColumn": "channel",
            "sources": {
                name: {**SOURCES.get(name, {}), **changes.get(name, {})} for name in (*SOURCES, *more)
            },
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "missing_receipt", "rule": "missing", "column": "receipt"},
                {"reason": "wrong_type", "rule": "wrongType"},
            ],
            "computed": {
                "size": {
                    "expression": "case when amount > 100 then 'large' else 'small' end",
                    "type": "string",
                }
            },
            "output": list(OUTPUT),
            **extension,
        },
    }


def millis(day: str) -> str:
    return str(int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()) * 1000)


# Few rows, and most of them may be bad.
RULES = {
    "threshold": 0,
    "rules": [
        {
            "name": "readable",
            "type": "quarantineLimit",
            "reason": "malformed",
            "atMost": 0.999999,
            "action": "halt",
        }
    ],
}


@dataclass(frozen=True)
class Shops(Lake):
    """A lake with the deliveries of the chain."""

    contract: dict[str, Any] | None = None
    rules: dict[str, Any] | None = None
    below: str = ""  # a prefix below the pipeline's own

    @property
    def raw(self) -> Path:
        return self.root / "raw" / "events"

    def place(self, source: str, day: str) -> Path:
        return self.raw / self.below / FOLDERS[source] / folder_of(source, day)

    def deliver_rows(self, source: str, day: str, *rows: object, file: str = "") -> Path:
        """Rows as objects; texts as they are. Tills write a header."""
        if source == TILLS:
            content = csv_text(rows)
            path = self.place(source, day) / (file or "a.csv")
        else:
            texts = (row if isinstance(row, str) else json.dumps(row) for row in rows)
            content = "".join(f"{text}\n" for text in texts)
            path = self.place(source, day) / (file or "a.json.gz")
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode()
        path.write_bytes(gzip.compress(data, mtime=0) if path.name.endswith(".gz") else data)
        return path

    def run(self, first: str, last: str = "", run_id: str = "run-1", **others: str) -> dict[str, Any]:
        contract, rules = self.root / "shops.schema.json", self.root / "shops.quality.json"
        contract.write_text(json.dumps(self.contract or contract_with()))
        rules.write_text(json.dumps(self.rules or RULES))
        return super().run(
            first, last, run_id, **{"contract": str(contract), "quality": str(rules), **others}
        )


def folder_of(source: str, day: str) -> str:
    return f"dt={day}" if source == TILLS else millis(day)


def csv_text(rows: Sequence[object]) -> str:
    out = streams.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(("receipt", "amount", "till", "sold"))
    for row in rows:
        if isinstance(row, str):
            out.write(f"{row}\n")
        else:
            assert isinstance(row, Mapping)
            writer.writerow([row.get(name, "") for name in ("receipt", "amount", "till", "sold")])
    return out.getvalue()


def till(receipt: str, amount: str = "5.00", **others: object) -> dict[str, Any]:
    return {"receipt": receipt, "amount": amount, "till": 3, "sold": "20.11.2025", **others}


def web(receipt: str | None, amount: object = 7.5, **others: object) -> dict[str, Any]:
    return {"receipt": receipt, "amount": amount, "basket": {"n": 1}, "visitor": "v", **others}
