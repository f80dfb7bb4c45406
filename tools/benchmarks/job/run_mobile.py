"""Runs the shipped job on the calls of mobile-users as one back-fill into another folder. The session is
started before, and the time without it is printed. `reads` are the lines that scans of the calls put out, per
delivered line: 1 if no file was read twice.

usage: run_mobile.py IN_DIR OUT_DIR PLAN_FILE MODELS_FILE
"""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
    reads = lines_scanned(events) / summary["read"]
    print(json.dumps({"work": work, "files": files, "rows": summary["written"], "reads": round(reads, 3)}))


def lines_scanned(events: Path) -> int:
    """The lines that scans of text have put out, from Spark's log of events. (The bytes of its tasks would be
    no answer: they count what is taken from memory, too.)"""
    (log,) = events.iterdir()
    # Plans hold characters that splitlines() takes for line ends.
    entries = [json.loads(text) for text in log.read_text("utf-8").split("\n") if text]
    counters = {
        one for entry in entries if "sparkPlanInfo" in entry for one in _counters(entry["sparkPlanInfo"])
    }
    return sum(
        int(update["Update"])
        for entry in entries
        if entry["Event"] == "SparkListenerTaskEnd"
        for update in entry["Task Info"]["Accumulables"]
        if update["ID"] in counters
    )


def _counters(plan: dict[str, Any]) -> Iterator[int]:
    if plan["nodeName"].startswith("Scan text"):
        yield from (
            metric["accumulatorId"] for metric in plan["metrics"] if metric["name"] == "number of output rows"
        )
    for child in plan["children"]:
        yield from _counters(child)


if __name__ == "__main__":
    main(*sys.argv[1:])
