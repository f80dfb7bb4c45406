"""Runs the shipped job on snapshots of products, into a table of every version that may have a history. The
session is started before, and the time without it is printed. `files` are the data files that the run has
added to the table.

usage: run_changes.py IN_DIR OUT_DIR PLAN_FILE FIRST_DAY LAST_DAY
"""

import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GLUE_SCRIPTS = ROOT / "glue-scripts"
sys.path[:0] = [str(GLUE_SCRIPTS), str(GLUE_SCRIPTS / "jobs")]

from session import open_session  # noqa: E402 (the path is set above)


def main(source: str, target: str, plan: str, first: str, last: str) -> None:
    import transform_deliveries

    Path(target).mkdir(parents=True, exist_ok=True)
    spark = open_session(jars=sorted((ROOT / ".setup" / "jars").glob("*.jar")), warehouse=Path(target))
    started = time.monotonic()
    run_id = f"bench-{last}"
    values = {
        "pipeline": "products",
        "source_bucket": source,
        "source_prefix": "",
        "output_bucket": f"{target}/shop",
        "output_prefix": "products/",
        "output_database": "shop",
        "output_table": "products",
        "table_format": "iceberg",
        "write_mode": "changes",
        "quarantine_bucket": f"{target}/quarantine",
        "quarantine_prefix": "products/",
        "books_bucket": f"{target}/processed",
        "books_prefix": "books/products/",
        "plan_uri": plan,
        "from_date": first,
        "to_date": last,
        "run_id": run_id,
    }
    transform_deliveries.main([text for name, value in values.items() for text in (f"--{name}", value)])
    work = time.monotonic() - started
    added = spark.table("glue_catalog.shop.products.snapshots").orderBy("committed_at").collect()[-1]
    spark.stop()
    summary = json.loads(Path(target, f"processed/books/products/{run_id}/summary.json").read_text("utf-8"))
    changes = summary["changes"]
    rows = sum(changes[name] for name in ("inserted", "updated", "deletedByAbsence"))
    print(json.dumps({"work": work, "rows": rows, "files": int(added["summary"].get("added-data-files", 0))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
