"""The job makes of the calls of mobile-users what the independent model makes of them: of the sample, and
of random days around the ends of local days, in summer and in winter."""

import json
import subprocess
import sys
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import pytest
import transform_deliveries
from conftest import PIPELINES
from mobile_model import PLATFORMS, daily_users, expect
from plans import model_of, plan_of
from pyspark.sql import SparkSession

FOLDER = PIPELINES / "mobile-users"
NAME = "mobile-users"


def generate(root: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, FOLDER / "generate_sample.py", "--into", root / "raw" / NAME, *arguments],
        check=True,
        capture_output=True,
    )


def run(root: Path, first: date, last: date, run_id: str = "run") -> dict[str, Any]:
    (root / "plan.json").write_text(
        plan_of(
            (FOLDER / f"{NAME}.schema.json").read_text("utf-8"),
            (FOLDER / f"{NAME}.quality.json").read_text("utf-8"),
        )
    )
    models = {"modelsVersion": 1, "models": [model_of(FOLDER / "mobile_daily_users.model.json")]}
    (root / "models.json").write_text(json.dumps(models))
    places = {
        zone: str(root / folder)
        for zone, folder in (
            ("source", "raw"),
            ("output", "processed"),
            ("quarantine", "quarantine"),
            ("books", "books"),
        )
    }
    given = {
        "pipeline": NAME,
        **{f"{zone}_bucket": folder for zone, folder in places.items()},
        **{f"{zone}_prefix": f"{NAME}/" for zone in places},
        "models_uri": str(root / "models.json"),
        "models_bucket": str(root / "curated"),
        "plan_uri": str(root / "plan.json"),
        "from_date": str(first),
        "to_date": str(last),
        "run_id": run_id,
    }
    try:
        transform_deliveries.main([part for name, value in given.items() for part in (f"--{name}", value)])
    finally:
        SparkSession.builder.getOrCreate().catalog.clearCache()
    books: dict[str, Any] = json.loads((root / "books" / NAME / run_id / "books.json").read_text("utf-8"))
    return books


def check(spark: SparkSession, root: Path, days: list[date]) -> None:
    """All that lies there is what the model expects of these days."""
    expected = expect(root / "raw" / NAME, days)
    read = spark.read.parquet(str(root / "processed" / NAME))
    text = read.withColumn("local_date", read["local_date"].cast("string"))
    found = [row.asDict() for row in text.collect()]
    for row in found:
        row["event_timestamp"] = row["event_timestamp"].astimezone(UTC).isoformat()
        row["received_at"] = row["received_at"] and row["received_at"].astimezone(UTC).isoformat()
        row["properties"] = row["properties"] and json.loads(
            row["properties"], parse_float=str, parse_int=str
        )
    wanted = [{**row, "local_date": str(row["local_date"])} for row in expected.rows]
    for row in wanted:
        row["event_timestamp"] = row["event_timestamp"].isoformat()
        row["received_at"] = row["received_at"] and row["received_at"].isoformat()
        row["properties"] = row["properties"] and _texts(row["properties"])
    by_id = {row["message_id"]: row for row in found}
    assert len(by_id) == len(found) == len(wanted)
    for row in wanted:
        assert by_id[row["message_id"]] == row
    rejected = spark.read.parquet(str(root / "quarantine" / NAME)).collect()
    assert sorted(
        (row["run_date"], row["source"], row["reason"], row["raw_line"]) for row in rejected
    ) == sorted(expected.rejected)
    made = spark.read.parquet(str(root / "curated" / "mobile_daily_users"))
    daily = made.withColumn("local_date", made["local_date"].cast("string")).collect()
    assert sorted((row.asDict() for row in daily), key=lambda row: str(row["local_date"])) == [
        {**row, "local_date": str(row["local_date"])} for row in daily_users(expected.rows)
    ]
    for day in days:
        book = json.loads((root / "books" / NAME / "by-date" / f"{day}.json").read_text("utf-8"))
        assert _figures(book) == expected.books(str(day))
        for platform in PLATFORMS:
            assert _figures(book["sources"][platform]) == expected.books(str(day), platform)


def _texts(value: Any) -> Any:
    """Numbers as their texts."""
    if isinstance(value, dict):
        return {name: _texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return getattr(value, "text", value)


def _figures(book: dict[str, Any]) -> dict[str, Any]:
    counts = {name: book[name] for name in ("read", "written", "duplicates")}
    return {**counts, "quarantined": {one: rows for one, rows in book["quarantinedByReason"].items() if rows}}


def test_the_sample_at_once_and_day_by_day(tmp_path: Path, spark: SparkSession) -> None:
    days = [date(2025, 11, 20) + timedelta(days=number) for number in range(3)]
    generate(tmp_path)
    run(tmp_path, days[0], days[1])
    run(tmp_path, days[2], days[2], "last")
    check(spark, tmp_path, days)


@pytest.mark.once
@pytest.mark.long
@pytest.mark.parametrize(
    ("first", "seed"),
    [
        pytest.param("2026-03-07", 1, id="a day of 23 hours"),
        pytest.param("2025-11-01", 2, id="a day of 25 hours"),
        pytest.param("2024-02-28", 3, id="a leap day"),
    ],
)
def test_random_days(tmp_path: Path, spark: SparkSession, first: str, seed: int) -> None:
    days = [date.fromisoformat(first) + timedelta(days=number) for number in range(3)]
    generate(tmp_path, "--first-day", first, "--seed", str(seed))
    # The latest day first: what the others take from it is restated.
    run(tmp_path, days[2], days[2])
    run(tmp_path, days[0], days[1], "late")
    check(spark, tmp_path, days)
