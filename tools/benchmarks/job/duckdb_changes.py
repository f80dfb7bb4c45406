"""The limit: the same snapshots become the same versions in one process of DuckDB, written as Parquet by day.
Nothing is judged, proved or kept in books.

usage: duckdb_changes.py IN_DIR OUT_DIR
"""

import json
import shutil
import sys
import time
from pathlib import Path

import duckdb


def main(source: str, target: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    Path(target).mkdir(parents=True)
    started = time.monotonic()
    db = duckdb.connect()
    db.execute("set threads = 2")
    db.execute(
        f"""
        copy (
          with rows as (
            select *, dt::varchar as day
            from read_parquet('{source}/*/products.parquet', hive_partitioning = true)
          ), days as (
            select day, lead(day) over (order by day) as next_day from (select distinct day from rows)
          ), states as (
            select product_id, description, unit_price, day, next_day,
                   lag(day) over by_key as day_before, lead(day) over by_key as day_after,
                   lag(description) over by_key as old_description, lag(unit_price) over by_key as old_price
            from rows join days using (day)
            window by_key as (partition by product_id order by day)
          ), told as (
            select *, lag(next_day) over (partition by product_id order by day) as expected from states
          )
          select product_id, description, unit_price, day as run_date,
                 case when day_before is null or expected <> day then 'insert' else 'update' end as change
          from told
          where day_before is null or expected <> day
             or description is distinct from old_description or unit_price is distinct from old_price
          union all
          select product_id, description, unit_price, next_day, 'delete'
          from told where next_day is not null and day_after is distinct from next_day
        ) to '{target}/versions' (format parquet, compression snappy, partition_by (run_date))
        """  # noqa: S608
    )
    work = time.monotonic() - started
    counted = db.execute(f"select count(*) from read_parquet('{target}/versions/*/*.parquet')").fetchone()  # noqa: S608
    files = len(list(Path(target).rglob("*.parquet")))
    print(json.dumps({"work": work, "rows": counted[0] if counted else 0, "files": files}))


if __name__ == "__main__":
    main(*sys.argv[1:])
