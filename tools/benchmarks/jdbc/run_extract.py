"""Runs the shipped extract into another folder. The connection, the secret, the marks and the lock are those
of the embedded AWS, the files lie on local disk. The session is started before, and the time without it is
printed.

usage: run_extract.py OUT_DIR EXTRACT_FILE CONNECTION LOCK_TABLE
"""

import json
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GLUE_SCRIPTS = ROOT / "glue-scripts"
sys.path[:0] = [str(GLUE_SCRIPTS), str(GLUE_SCRIPTS / "jobs"), str(ROOT / "tools" / "benchmarks" / "job")]

from session import open_session  # noqa: E402 (the path is set above)

DAY = "2010-12-07"
OWNER = "arn:aws:states:us-east-1:000000000000:execution:bench:bench"
JARS = sorted((ROOT / ".setup" / "jars-jdbc").glob("*postgresql*.jar"))


def main(target: str, document: str, connection: str, locks: str) -> None:
    import extract_tables

    shutil.rmtree(target, ignore_errors=True)
    # A heap that the rows of the largest table do not fit into as objects: they must flow.
    open_session(memory="1g", jars=JARS)
    started = time.monotonic()
    values = {
        "pipeline": "shop",
        "output_bucket": f"{target}/raw",
        "output_prefix": "shop/",
        "books_bucket": f"{target}/processed",
        "books_prefix": "books/shop/",
        "extract_uri": document,
        "connection": connection,
        "from_date": DAY,
        "to_date": DAY,
        "run_id": "bench",
        "lock_table": locks,
        "lock_owner": OWNER,
    }
    extract_tables.main([text for name, value in values.items() for text in (f"--{name}", value)])
    work = time.monotonic() - started
    books = json.loads(Path(target, "processed/books/shop/bench/books.json").read_text("utf-8"))
    connections = books["extract"]["tables"]["invoice_lines"]["connections"]
    print(json.dumps({"work": work, "rows": books["written"], "connections": connections}))


if __name__ == "__main__":
    main(*sys.argv[1:])
