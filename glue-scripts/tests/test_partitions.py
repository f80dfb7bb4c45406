"""The number of tasks that read deliveries."""

from pathlib import Path

import pytest
from etl import session
from etl.ingest import reading
from etl.io import StoredObject
from pyspark.sql import SparkSession


def test_packed_files_weigh_what_is_in_them() -> None:
    files = [StoredObject(f"s3://b/{name}", name, 10) for name in ("a.json", "b.json.gz", "c.csv.bz2", "gz")]
    assert reading.weigh(files) == 10 + 80 + 80 + 10
    assert reading.weigh([]) == 0


@pytest.mark.parametrize(
    ("files", "size", "tasks"),
    [
        (1, 0, 1),
        (session.FILES_OF_A_TASK, 0, 1),
        (session.FILES_OF_A_TASK + 1, 0, 2),
        (3, session.OPTIMISED_FROM_BYTES, 2),
    ],
)
def test_a_few_small_files_are_one_task(
    tmp_path: Path, spark: SparkSession, files: int, size: int, tasks: int
) -> None:
    folder = tmp_path / "dt=2010-12-01"
    folder.mkdir()
    paths = [folder / f"{at:02}.json" for at in range(files)]
    for path in paths:
        path.write_text("{}\n")
    listed = [StoredObject(str(path), path.name, size or 3) for path in paths]
    lines = reading.read_lines(spark, f"{tmp_path}/", listed)
    assert lines.rdd.getNumPartitions() == tasks
    assert lines.select("row_id").distinct().count() == files
