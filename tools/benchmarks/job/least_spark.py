"""The least that any Spark program does: the lines read once, with given types, rows without a key and
then duplicates dropped, the others written by delivery date. Nothing that runs on Spark takes less.

usage: least_spark.py IN_DIR OUT_DIR
"""

import json
import sys
import time
from pathlib import Path

from session import open_session

COLUMNS = """event_id string, user_id string, event_type string, timestamp string, country string,
    items array<struct<product_id: string, quantity: bigint, unit_price: double>>, dt string"""


def main(source: str, target: str) -> None:
    spark = open_session()
    started = time.monotonic()
    raw = spark.read.schema(COLUMNS).json(f"{source}/events")
    rows = raw.where("user_id is not null and event_type is not null").dropDuplicates(["event_id"])
    rows.write.mode("overwrite").partitionBy("dt").parquet(target)
    work = time.monotonic() - started
    written = spark.read.parquet(target).count()
    print(json.dumps({"work": work, "files": len(list(Path(target).rglob("*.parquet"))), "rows": written}))


if __name__ == "__main__":
    main(*sys.argv[1:])
