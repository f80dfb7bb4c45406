"""Makes whole snapshots of the shop's products, from its days: `OUT/dt=<date>/products.parquet` with
`_count.json` beside it. Each copy has ids of its own. More days than there are files repeat the files, a week
later each time, so that products come and go. Prints the days as JSON, and the rows in sum.

usage: make_snapshots.py INPUT OUT DAYS COPIES
"""

import json
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "pipelines" / "shop"))

from shop_days import Shop, day_files  # noqa: E402 (the path is set above)

SCHEMA = pa.schema(
    [
        ("product_id", pa.string()),
        ("description", pa.string()),
        ("unit_price", pa.decimal128(10, 4)),
        ("updated_at", pa.timestamp("us", tz="UTC")),
    ]
)


def main(source: str, target: str, wanted: str, copies: str) -> None:
    files = [path for _, path in day_files(Path(source))]
    shop, day, days, rows = Shop(), date(2010, 1, 1), [], 0
    for number in range(int(wanted)):
        shop.apply(day, files[number % len(files)])
        folder = Path(target, f"dt={day}")
        folder.mkdir(parents=True)
        products = [
            (f"{row.product_id}#{copy}", row.description, row.unit_price, row.updated_at)
            for copy in range(int(copies))
            for row in shop.products.values()
        ]
        columns = [
            pa.array(values, field.type)
            for values, field in zip(zip(*products, strict=True), SCHEMA, strict=True)
        ]
        parquet.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), folder / "products.parquet")
        (folder / "_count.json").write_text(json.dumps({"rows": len(products)}))
        rows += len(products)
        days.append(day.isoformat())
        day += timedelta(days=3)
    print(json.dumps({"days": days, "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
