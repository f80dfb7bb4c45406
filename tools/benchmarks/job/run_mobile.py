"""Runs the shipped job on the calls of mobile-users as one back-fill into another folder. The session is
started before, and the time without it is printed. `reads` are the bytes that the scans of the calls took,
per delivered byte: 1 if no file was read twice.

usage: run_mobile.py IN_DIR OUT_DIR PLAN_FILE MODELS_FILE
"""

import json
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GLUE_SCRIPTS = ROOT / "glue-scripts"
sys.path[:0] = [str(GLUE_SCRIPTS), str(GLUE_SCRIPTS / "jobs")]

from session import open_session  # noqa: E402 (the path is set above)


def main(source: str, target: str, plan: str, models: str) -> None:
    import transform_deliveries

    shutil.rmtree(target, ignore_errors=True)
    events = Path(target, "events")
    events.mkdir(parents=True)
    folders = Path(source, "mobile-users", "segment-logs").glob("*/*")
    days = sorted({datetime.fromtimestamp(int(path.name) / 1000, UTC).date().isoformat() for path in folders})
    spark = open_session(events)
    started = time.monotonic()
    values = {
        "pipeline": "mobile-users",
        "source_bucket": source,
        "source_prefix": "mobile-users/",
        "output_bucket": f"{target}/processed",
        "output_prefix": "mobile-users/",
        "quarantine_bucket": f"{target}/quarantine",
        "quarantine_prefix": "mobile-users/",
        "books_bucket": f"{target}/processed",
        "books_prefix": "books/mobile-users/",
        "models_uri": models,
        "models_bucket": f"{target}/curated",
        "plan_uri": plan,
        "from_date": days[0],
        "to_date": days[-1],
        "run_id": "bench",
    }
    transform_deliveries.main([text for name, value in values.items() for text in (f"--{name}", value)])
    work = time.monotonic() - started
    spark.stop()
    summary = json.loads(Path(target, "processed/books/mobile-users/bench/summary.json").read_text("utf-8"))
    files = len(list(Path(target, "processed", "mobile-users").rglob("*.parquet")))
    reads = bytes_scanned(events) / summary["inputBytes"]
    print(json.dumps({"work": work, "files": files, "rows": summary["written"], "reads": round(reads, 3)}))


def bytes_scanned(events: Path) -> int:
    """The bytes that stages with a scan of text took from files, from Spark's log of events."""
    scanning, found = set(), 0
    for log in events.iterdir():
        for line in log.read_text("utf-8").splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerStageSubmitted":
                scopes = [rdd.get("Scope", "") for rdd in event["Stage Info"]["RDD Info"]]
                if any('"name":"Scan text' in scope for scope in scopes):
                    scanning.add(event["Stage Info"]["Stage ID"])
            if event["Event"] == "SparkListenerTaskEnd" and event["Stage ID"] in scanning:
                found += event["Task Metrics"]["Input Metrics"]["Bytes Read"]
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
