"""A small contract of rides on hired bikes, and models of it: by day and city, and by day. No pipeline has
anything of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conftest import ROOT, Lake
from plans import model_of
from pyspark.sql import Row, SparkSession

CONTRACT = ROOT / "tests" / "cases" / "rides" / "rides.schema.json"
QUALITY = CONTRACT.with_name("rides.quality.json")


BY_CITY = model_of(CONTRACT.with_name("rides_by_city.model.json"))
LONGEST = model_of(CONTRACT.with_name("longest_rides.model.json"))


def ride(
    key: str, started: str, bike: str = "b1", city: str | None = "Köln", minutes: int = 10
) -> dict[str, Any]:
    return {"ride": key, "city": city, "bike": bike, "minutes": minutes, "started": started}


@dataclass(frozen=True)
class Rides:
    """A lake of rides, and the models that its runs recompute."""

    lake: Lake
    models: tuple[Mapping[str, Any], ...] = (BY_CITY, LONGEST)

    def run(self, first: str, last: str = "", run_id: str = "run-1", **others: str) -> dict[str, Any]:
        return self.lake.run(first, last, run_id, **self.arguments(), **others)

    def arguments(self) -> dict[str, str]:
        path = self.lake.root / "models.json"
        path.write_text(json.dumps({"modelsVersion": 1, "models": self.models}))
        return {
            "contract": str(CONTRACT),
            "quality": str(QUALITY),
            "models_uri": str(path),
            "models_bucket": str(self.lake.root / "curated"),
        }

    def made(self, spark: SparkSession, name: str) -> list[tuple[Any, ...]]:
        """The rows of a model, with its columns in alphabetical order; dates are texts."""
        rows = self._rows(spark, f"curated/{name}")
        return sorted((tuple(row[column] for column in sorted(row.asDict())) for row in rows), key=str)

    def _rows(self, spark: SparkSession, folder: str) -> list[Row]:
        if not any((self.lake.root / folder).rglob("*.parquet")):
            return []
        rows = spark.read.parquet(str(self.lake.root / folder))
        return rows.withColumn("ride_date", rows["ride_date"].cast("string")).collect()

    def expected(self, spark: SparkSession, model: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that the model must hold, made in Python of all published rows."""
        groups: dict[tuple[str, str], list[Any]] = {}
        for row in self._rows(spark, "processed/events"):
            city = (row["city"] or "-") if model["name"] == "rides_by_city" else ""
            groups.setdefault((row["ride_date"], city), []).append(row)
        made: list[tuple[Any, ...]] = []
        for (day, city), rows in groups.items():
            minutes = [row["minutes"] for row in rows]
            if city:
                made.append((len({row["bike"] for row in rows}), city, sum(minutes), day, len(rows)))
            else:
                made.append((max(minutes), day))
        return sorted(made, key=str)

    def check(self, spark: SparkSession) -> None:
        """Each model holds what follows from the published rows."""
        for model in self.models:
            made, expected = self.made(spark, str(model["name"])), self.expected(spark, model)
            assert made == expected, f"{made} is not {expected}"

    def files(self, name: str) -> list[str]:
        root = self.lake.root / "curated" / name
        return sorted(str(path.relative_to(root)) for path in root.rglob("*.parquet"))
