"""The least that any Spark program does with the calls of mobile-users: read once with given types, rows
without a key and then duplicates dropped, the others written by received day and local date.

usage: least_mobile.py IN_DIR OUT_DIR
"""

import json
import sys
import time
from pathlib import Path

from pyspark.sql import functions as F
from session import open_session

COLUMNS = """messageId string, type string, userId string, anonymousId string, event string, name string,
    timestamp string, receivedAt string, properties string,
    context struct<app: struct<version: string, build: string>, os: struct<name: string, version: string>,
        device: struct<manufacturer: string, model: string, type: string>,
        network: struct<carrier: string, wifi: string>, locale: string, timezone: string>"""


def main(source: str, target: str) -> None:
    spark = open_session()
    started = time.monotonic()
    raw = spark.read.schema(COLUMNS).json(f"{source}/mobile-users/segment-logs/*/*")
    moment = F.try_to_timestamp("timestamp")
    calls = (
        raw.withColumn("file", F.input_file_name())
        .where("messageId is not null and type is not null")
        .where("userId is not null or anonymousId is not null")
        .withColumn("event_timestamp", moment)
        .where("event_timestamp is not null")
        .withColumn("local_date", F.to_date(F.from_utc_timestamp("event_timestamp", "America/Los_Angeles")))
        .withColumn("received_day", F.regexp_extract("file", r"/(\d{13})/", 1))
        .select("*", "context.app.*", "context.device.manufacturer", "context.network.*")
        .drop("file", "context")
        .dropDuplicates(["messageId"])
    )
    calls.write.mode("overwrite").partitionBy("received_day", "local_date").parquet(target)
    work = time.monotonic() - started
    written = spark.read.parquet(target).count()
    print(json.dumps({"work": work, "files": len(list(Path(target).rglob("*.parquet"))), "rows": written}))


if __name__ == "__main__":
    main(*sys.argv[1:])
