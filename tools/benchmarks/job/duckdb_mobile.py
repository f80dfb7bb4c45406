"""The limit: the calls of mobile-users read, flattened, checked, quarantined with a reason, deduplicated,
written by received day and local date, and counted by local date, in one process of DuckDB. No books, no
quality, no look at other dates.

usage: duckdb_mobile.py IN_DIR OUT_DIR
"""

import json
import shutil
import sys
import time
from pathlib import Path

import duckdb

# Missing: absent, null, empty or only space.
TEXT = "nullif(trim(line ->> '{}'), '')"
PATHS = {
    "app_version": "$.context.app.version",
    "app_build": "$.context.app.build",
    "os_name": "$.context.os.name",
    "os_version": "$.context.os.version",
    "device_manufacturer": "$.context.device.manufacturer",
    "device_model": "$.context.device.model",
    "device_type": "$.context.device.type",
    "carrier": "$.context.network.carrier",
    "locale": "$.context.locale",
    "time_zone": "$.context.timezone",
}
NUMBERS = ("revenue", "price", "quantity")


def main(source: str, target: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    Path(target).mkdir(parents=True)
    started = time.monotonic()
    db = duckdb.connect()
    db.execute("set threads = 2; set TimeZone = 'UTC'")
    root = Path(source, "mobile-users", "segment-logs")
    files = [str(path) for path in sorted(root.glob("*/*/*.gz")) if path.stat().st_size > 0]
    # One column for the whole line: the separator does not occur in the data.
    db.execute(
        """
        create temp table lines as
        select line, filename as file, row_number() over () as number,
               try(json_type(line) = 'OBJECT') as is_object,
               regexp_extract(filename, '/segment-logs/([^/]*)/', 1) as platform,
               epoch_ms(regexp_extract(filename, '/(\\d{13})/', 1)::bigint)::date as run_date
        from read_csv(?, columns = {'line': 'varchar'}, delim = '\x01', quote = '', escape = '',
                      header = false, filename = true, max_line_size = 20000000)
        where line <> ''
        """,
        [files],
    )
    texts = ", ".join(f"{TEXT.format(path)} as {name}" for name, path in PATHS.items())
    numbers = ", ".join(
        f"try_cast(line ->> '$.properties.{name}' as decimal(27, 10)) as {name}, "
        f"line -> '$.properties.{name}' as {name}_as_delivered"
        for name in NUMBERS
    )
    wrong = " or ".join(
        f"({name} is null and coalesce({name}_as_delivered, 'null') <> 'null') "
        f"or {name}_as_delivered in ('true', 'false')"
        for name in NUMBERS
    )
    is_instant = "regexp_full_match({0}, '\\d{{4}}-.*T.*(Z|[+-]\\d\\d:\\d\\d)')"
    stamp = f"case when {is_instant} then try_cast({{0}} as timestamptz) end"
    db.execute(
        f"""
        create temp table calls as
        select *, case when not coalesce(is_object, false) then 'malformed'
                       when message_id is null then 'missing_message_id'
                       when event_type is null then 'missing_type'
                       when user_id is null and anonymous_id is null then 'missing_user'
                       when user_type not in ('VARCHAR', 'UBIGINT', 'NULL') or {wrong}
                         or quantity <> floor(quantity) or wifi_type not in ('BOOLEAN', 'NULL')
                         then 'wrong_type'
                       when event_timestamp is null or (received is not null and received_at is null)
                         then 'invalid_timestamp' end as reason
        from (select *, {stamp.format("stamp")} as event_timestamp, {stamp.format("received")} as received_at
              from (select *, {TEXT.format("$.messageId")} as message_id,
                           {TEXT.format("$.type")} as event_type, {TEXT.format("$.userId")} as user_id,
                           {TEXT.format("$.anonymousId")} as anonymous_id,
                           coalesce({TEXT.format("$.event")}, {TEXT.format("$.name")}) as event_name,
                           line ->> '$.timestamp' as stamp, {TEXT.format("$.receivedAt")} as received,
                           coalesce(json_type(line, '$.userId'), 'NULL') as user_type,
                           coalesce(json_type(line, '$.context.network.wifi'), 'NULL') as wifi_type,
                           line ->> '$.context.network.wifi' as on_wifi,
                           coalesce({TEXT.format("$.properties.product_id")},
                                    {TEXT.format("$.properties.products[0].product_id")}) as product_id,
                           line -> '$.properties' as properties, {texts}, {numbers}
                    from (select * replace (case when is_object then line end as line) from lines)))
        """  # noqa: S608
    )
    db.execute(
        f"""
        copy (select * exclude (line, number, is_object, reason, stamp, received, user_type, wifi_type),
                     timezone('America/Los_Angeles', event_timestamp)::date as local_date
              from calls where reason is null
              qualify row_number() over (partition by message_id order by run_date, file, number) = 1)
        to '{target}/processed' (format parquet, compression snappy, partition_by (run_date, local_date))
        """  # noqa: S608
    )
    db.execute(
        f"""
        copy (select calls.reason, calls.run_date, lines.line from calls join lines using (number)
              where reason is not null)
        to '{target}/quarantine' (format parquet, compression snappy, partition_by (run_date))
        """  # noqa: S608
    )
    db.execute(
        f"""
        copy (select local_date, count(distinct person) as users,
                     count(distinct person) filter (platform = 'ios') as ios_users,
                     count(distinct person) filter (platform = 'android') as android_users,
                     count(*) as events
              from (select *, coalesce(user_id, anonymous_id) as person
                    from read_parquet('{target}/processed/*/*/*.parquet'))
              group by local_date)
        to '{target}/daily.parquet' (format parquet)
        """  # noqa: S608
    )
    work = time.monotonic() - started
    written_rows = f"select count(*) from read_parquet('{target}/processed/*/*/*.parquet')"  # noqa: S608
    counted = db.execute(written_rows).fetchone()
    written = len(list(Path(target, "processed").rglob("*.parquet")))
    print(json.dumps({"work": work, "files": written, "rows": counted[0] if counted else 0}))


if __name__ == "__main__":
    main(*sys.argv[1:])
