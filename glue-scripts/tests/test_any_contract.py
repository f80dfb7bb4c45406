"""What synth takes the job can run: random contracts, made and judged by `__tests__/support/any-contracts.ts`,
are loaded, and deliveries of theirs are judged."""

import json
import subprocess
from collections.abc import Iterator
from functools import reduce
from itertools import batched
from pathlib import Path
from typing import Any

import pytest
from plans import REPOSITORY
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.ingest.contract import Contract, Format
from etl.ingest.file_lines import encode
from etl.ingest.load_plan import load_plan
from etl.ingest.plan_run import judge_rows
from etl.ingest.reading import read_lines
from etl.ingest.rules import Rules
from etl.io import StoredObject

JUDGED = 200  # of those that are loaded


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    command = ["node", "node_modules/ts-node/dist/bin.js", "--swc", "__tests__/support/any-contracts.ts"]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_any_contract_that_synth_takes_is_loaded_and_judges_its_deliveries(
    spark: SparkSession, made: dict[str, Any], tmp_path: Path
) -> None:
    assert made["refused"] > JUDGED / 2
    rules = [Rules(*load_plan(one["plan"], "the plan")) for one in made["taken"]]
    assert len(rules) >= JUDGED
    ...
