"""A typical first script on plain Spark: count, drop rows without a key, derive columns, drop duplicates,
count again, write by day of the event. It has no quarantine, no books and no quality rules, and cannot safely
be repeated.

usage: plain_spark.py IN_DIR OUT_DIR
"""

import json
import sys
import time
from pathlib import Path

from pyspark.sql import functions as F
from session import open_session


def main(source: str, target: str) -> None:
    spark = open_session()
    started = time.monotonic()
    raw = spark.read.json(f"{source}/events/dt=*/*.json")
    raw.count()
    moment = F.to_timestamp("timestamp")
    events = (
        raw.where("user_id is not null and event_type is not null")
        .withColumn("event_timestamp", moment)
        .withColumn("year", F.year(moment))
        .withColumn("month", F.month(moment))
        .withColumn("day", F.dayofmonth(moment))
        .withColumn("event_category", F.expr("if(event_type = 'purchase', 'commerce', 'other')"))
        .drop("timestamp")
        .dropDuplicates(["event_id"])
    )
    rows = events.count()
    events.write.mode("overwrite").partitionBy("year", "month", "day").parquet(target)
    work = time.monotonic() - started
    print(json.dumps({"work": work, "files": len(list(Path(target).rglob("*.parquet"))), "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
