"""The limit: the rows of the events pipeline parsed, checked, quarantined with a reason, deduplicated and
written by delivery date in one process of DuckDB. No books, no quality, no look at other dates.

usage: duckdb_limit.py IN_DIR OUT_DIR
"""

import json
import shutil
import sys
import time
from pathlib import Path

import duckdb

ITEMS = '[{"product_id": "VARCHAR", "quantity": "INTEGER", "unit_price": "DOUBLE"}]'


def main(source: str, target: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    Path(target).mkdir(parents=True)
    started = time.monotonic()
    db = duckdb.connect()
    db.execute("set threads = 2")
    # One column for the whole line: the separator does not occur in the data.
    db.execute(
        """
        create temp table lines as
        select line, json_valid(line) as is_json, regexp_extract(filename, 'dt=([^/]*)', 1) as run_date
        from read_csv(?, columns = {'line': 'varchar'}, delim = '\x01', quote = '', escape = '',
                      header = false, filename = true, max_line_size = 20000000)
        where line <> ''
        """,
        [f"{source}/events/dt=*/*.json"],
    )
    db.execute(
        """
        create temp table rows as
        select *, case when not is_json then 'malformed'
                       when event_id is null then 'missing_event_id'
                       when user_id is null then 'missing_user_id'
                       when event_type is null then 'missing_event_type'
                       when event_timestamp is null then 'invalid_timestamp' end as reason
        from (select line, is_json, run_date,
                     case when is_json then line ->> 'event_id' end as event_id,
                     case when is_json then line ->> 'user_id' end as user_id,
                     case when is_json then line ->> 'event_type' end as event_type,
                     case when is_json then try_cast(line ->> 'timestamp' as timestamp) end
                       as event_timestamp,
                     case when is_json then line ->> 'country' end as country,
                     case when is_json then line -> 'items' end as items
              from lines)
        """
    )
    db.execute(
        f"""
        copy (select distinct on (event_id) event_id, user_id, event_type, event_timestamp, country,
                     from_json(items, '{ITEMS}') as items,
                     event_timestamp::date as event_date,
                     if(event_type = 'purchase', 'commerce', 'other') as event_category, run_date
              from rows where reason is null order by event_id, run_date)
        to '{target}/processed' (format parquet, compression snappy, partition_by (run_date))
        """  # noqa: S608
    )
    db.execute(
        f"""
        copy (select line as raw_line, reason, run_date from rows where reason is not null)
        to '{target}/quarantine' (format parquet, compression snappy, partition_by (run_date))
        """  # noqa: S608
    )
    work = time.monotonic() - started
    counted = db.execute("select count(distinct event_id) from rows where reason is null").fetchone()
    files = len(list(Path(target, "processed").rglob("*.parquet")))
    print(json.dumps({"work": work, "files": files, "rows": counted[0] if counted else 0}))


if __name__ == "__main__":
    main(*sys.argv[1:])
