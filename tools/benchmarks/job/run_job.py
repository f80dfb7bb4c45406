"""Runs the shipped job on a folder of deliveries as one back-fill into another folder. The session is started
before, and the time without it is printed.

usage: run_job.py IN_DIR OUT_DIR PLAN_FILE
"""

import json
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GLUE_SCRIPTS = ROOT / "glue-scripts"
sys.path[:0] = [str(GLUE_SCRIPTS), str(GLUE_SCRIPTS / "jobs")]

from session import open_session  # noqa: E402 (the path is set above)


def main(source: str, target: str, plan: str) -> None:
    import transform_deliveries

    shutil.rmtree(target, ignore_errors=True)
    days = sorted(path.name.removeprefix("dt=") for path in (Path(source) / "events").glob("dt=*"))
    open_session()
    started = time.monotonic()
    values = {
        "pipeline": "events",
        "source_bucket": source,
        "source_prefix": "events/",
        "output_bucket": f"{target}/processed",
        "output_prefix": "events/",
        "quarantine_bucket": f"{target}/quarantine",
        "quarantine_prefix": "events/",
        "books_bucket": f"{target}/processed",
        "books_prefix": "books/events/",
        "plan_uri": plan,
        "from_date": days[0],
        "to_date": days[-1],
        "run_id": "bench",
    }
    transform_deliveries.main([text for name, value in values.items() for text in (f"--{name}", value)])
    work = time.monotonic() - started
    summary = json.loads(Path(target, "processed/books/events/bench/summary.json").read_text("utf-8"))
    files = len(list(Path(target, "processed", "events").rglob("*.parquet")))
    print(json.dumps({"work": work, "files": files, "rows": summary["written"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
