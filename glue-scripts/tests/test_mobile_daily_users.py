"""The SELECT of mobile_daily_users gives what the independent model counts, over the rows of the sample and
over random ones."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from conftest import PIPELINES
from etl.model.check_models import check_models, select_rows
from etl.model.models import Model, load_models
from mobile_model import daily_users, expect
from plans import model_of
from pyspark.sql import SparkSession

FOLDER = PIPELINES / "mobile-users"
DAYS = [date(2025, 11, 20) + timedelta(days=number) for number in range(3)]
# The columns of the table that the SELECT may name.
COLUMNS = {
    "message_id": "string",
    "platform": "string",
    "user_id": "string",
    "anonymous_id": "string",
    "event_name": "string",
    "local_date": "date",
}


@pytest.fixture(scope="module")
def model() -> Model:
    document = model_of(FOLDER / "mobile_daily_users.model.json")
    return load_models(json.dumps({"modelsVersion": 1, "models": [document]}), "models.json")[0]


def made(spark: SparkSession, model: Model, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    schema = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    frame = spark.createDataFrame([tuple(row.get(name) for name in COLUMNS) for row in rows], schema)
    found = [row.asDict() for row in select_rows(frame, model).collect()]
    return sorted(found, key=lambda row: str(row["local_date"]))


def test_the_select_gives_the_declared_table(each_spark: SparkSession, model: Model) -> None:
    check_models(each_spark, [model], COLUMNS)


def test_the_sample(each_spark: SparkSession, model: Model) -> None:
    rows = expect(FOLDER / "sample", DAYS).rows
    assert made(each_spark, model, rows) == daily_users(rows)


@pytest.mark.once
@pytest.mark.parametrize("seed", range(5))
def test_random_rows(spark: SparkSession, model: Model, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 (not for a secret)
    rows = [
        {
            "platform": dice.choice(["ios", "android"]),
            "user_id": dice.choice([None, "a", "b", "c"]),
            "anonymous_id": dice.choice(["a", "1", "2"]),
            "local_date": dice.choice(DAYS),
        }
        for _ in range(dice.randrange(40))
    ]
    assert made(spark, model, rows) == daily_users(rows)
