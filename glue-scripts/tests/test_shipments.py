"""The shipments of examples/parcel-scans: the job reads the files of the sample to the last digit."""

from collections import Counter
from pathlib import Path

from plans import REPOSITORY
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F
from sales import SalesLake, figures
from support import balances

SHIPMENTS = REPOSITORY / "examples" / "parcel-scans" / "shipments"
MARCH, OCTOBER = "2026-03-30", "2026-10-26"
TEXTS = ("recipient", "city", "note")
NUMBERS = ("parcels", "kilograms", "goods_value", "insured", "insured_value", "service")
TIMES = ("picked_up_at", "picked_up_on", "delivered_at")
NAMES = {
    "DE-1001": ("Müller, Söhne & Co.", "Köln", "zerbrechlich; nicht stürzen"),
    "DE-1002": ('Bäckerei "Zum Löwen"', "Düsseldorf", None),
    "DE-1003": ("Großhandel Weiß", "München", None),
    "DE-1004": ("Café Übermut", "Würzburg", None),
    "DE-1013": ("Sommerzeit GmbH", "Lübeck", None),
    "DE-2001": ("Frühaufsteher Öhler", "Görlitz", None),
    "DE-2002": ("Mitternachtsdruck", "Köln", None),
    "DE-2003": ("Winterzeit KG", "Nürnberg", None),
    "DE-2004": ("Spätlieferung Höß", "Münster", "Abstellort: Garage; hinten"),
}
AMOUNTS = {
    "DE-1001": ("2", "12.500", "1234.50", "true", "1234.50", "standard"),
    "DE-1002": ("1", "0.850", "49.90", "false", "0.00", "express"),
    "DE-1003": ("12", "1016.000", "9345678.90", "true", "9345678.90", "standard"),
    "DE-1004": ("1", "3.200", None, "false", "0.00", "express"),
    "DE-1013": ("3", "7.125", "300.00", "true", "300.00", "standard"),
    "DE-2001": ("1", "1.500", "20.00", "false", "0.00", "express"),
    "DE-2002": ("4", "40.000", "1000.00", "true", "1000.00", "standard"),
    "DE-2003": ("1", "0.001", "0.01", "false", "0.00", "standard"),
    "DE-2004": ("2", "2.250", "1099.99", "true", "1099.99", "express"),
}
# Instants in UTC; the day is the one in Germany.
MOMENTS = {
    "DE-1001": ("2026-03-28 16:05:00", "2026-03-28", "2026-03-30 07:12:00"),
    "DE-1002": ("2026-03-28 22:59:00", "2026-03-28", "2026-03-29 01:15:00"),
    "DE-1003": ("2026-03-28 05:00:00", "2026-03-28", None),
    "DE-1004": ("2026-03-27 07:30:00", "2026-03-27", "2026-03-28 10:00:00"),
    "DE-1013": ("2026-03-29 01:00:00", "2026-03-29", "2026-03-29 10:00:00"),
    # 02:30 and 02:59 occurred twice on that day, 03:00 once.
    "DE-2001": ("2026-10-25 00:30:00", "2026-10-25", "2026-10-25 00:59:00"),
    "DE-2002": ("2026-10-24 23:59:00", "2026-10-25", "2026-10-26 07:00:00"),
    "DE-2003": ("2026-10-25 02:00:00", "2026-10-25", None),
    "DE-2004": ("2026-10-24 07:15:00", "2026-10-24", "2026-10-26 06:45:00"),
}
REJECTED = {
    "DE-1005": ("invalid_pick_up", {"picked_up": "29.03.2026 02:30"}),
    "DE-1006": ("wrong_type", {"delivered_at": "29.03.2026 02:15"}),
    "DE-1007": ("wrong_type", {"goods_value": "49.90"}),
    "DE-1008": ("not_allowed", {"service": "kurier"}),
    "DE-1009": ("not_allowed", {"kilograms": "0,000"}),
    "": ("missing_shipment_id", {"shipment_id": None}),
    "DE-1010": ("wrong_type", {"insured": "vielleicht"}),
    "DE-1011": ("malformed", {}),
    "DE-1012": (
        "delivered_before_pick_up",
        {"delivered_at": "2026-03-27 11:00:00", "picked_up_at": "2026-03-28 11:00:00"},
    ),
}


def test_the_sample_is_read_as_a_german_office_means_it(each_spark: SparkSession, tmp_path: Path) -> None:
    lake = SalesLake(tmp_path, "shipments")
    for file in SHIPMENTS.rglob("sample/*/*"):
        path = tmp_path / "raw" / "shipments" / file.parent.name / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.read_bytes())
    books = lake.run(
        MARCH,
        OCTOBER,
        contract=str(SHIPMENTS / "shipments.schema.json"),
        quality=str(SHIPMENTS / "shipments.quality.json"),
    )
    assert balances(books)
    assert figures(books) == (20, 9, 2, 9)
    assert [figures(of_date) for of_date in books["dates"]] == [(15, 5, 1, 9), (5, 4, 1, 0)]
    by_reason = {reason: rows for reason, rows in books["quarantinedByReason"].items() if rows}
    assert by_reason == Counter(reason for reason, _ in REJECTED.values())

    rows = read_texts(each_spark, tmp_path / "processed" / "shipments")
    assert {key: tuple(row[name] for name in TEXTS) for key, row in rows.items()} == NAMES
    assert {key: tuple(row[name] for name in NUMBERS) for key, row in rows.items()} == AMOUNTS
    assert {key: tuple(row[name] for name in TIMES) for key, row in rows.items()} == MOMENTS
    rejected = lake.rows(each_spark, "quarantine", "raw_line", "reason", "reason_values")
    assert {line.split(";")[0]: (reason, values) for line, reason, values in rejected} == REJECTED


def read_texts(spark: SparkSession, folder: Path) -> dict[str, Row]:
    """The rows by their key, each value as a text: so no digit is lost, and moments are in UTC."""
    rows = spark.read.parquet(str(folder))
    texts = rows.select(*(F.col(name).cast("string").alias(name) for name in rows.columns))
    return {row["shipment_id"]: row for row in texts.collect()}
