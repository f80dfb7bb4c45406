"""Checks the books of a run as they lie in the lake, where no state machine does: in a Glue workflow."""

import json
from typing import Any

from etl import io
from etl.errors import BooksDoNotBalance, DataQualityCheckFailed, StorageError

_COUNTS = ("read", "written", "duplicates", "quarantined")


def check_books(books: str, run_id: str) -> None:
    """Raises DataQualityCheckFailed when the run was refused, BooksDoNotBalance when its summary is missing,
    is not of the run, or does not add up: in sum, for the restated dates, for each source."""
    uri = f"{books}{run_id}/summary.json"
    try:
        summary = json.loads(io.read_text(uri))
    except (StorageError, ValueError) as error:
        raise BooksDoNotBalance(f"the books at {uri} are missing or cannot be read: {error}") from error
    if summary.get("runId") != run_id:
        raise BooksDoNotBalance(f"the books at {uri} are of run {summary.get('runId')}, not of {run_id}")
    if summary["outcome"] == "REFUSED":
        raise DataQualityCheckFailed(summary["refused"]["text"])
    sources = summary.get("sources", {})
    parts = {"": summary, "of the restated dates": summary["restated"]}
    parts |= {f"of source {name}": figures for name, figures in sources.items()}
    wrong = [text for where, figures in parts.items() if (text := _imbalance(where, figures))]
    wrong += [
        f"the sources {name} {total} rows, and the books say {summary[name]}"
        for name in _COUNTS
        if sources and (total := sum(figures[name] for figures in sources.values())) != summary[name]
    ]
    if wrong:
        raise BooksDoNotBalance(f"{'; '.join(wrong)}: {uri}")


def _imbalance(where: str, figures: dict[str, Any]) -> str:
    read, *others = (figures[name] for name in _COUNTS)
    if read == sum(others):
        return ""
    written, duplicates, quarantined = others
    return (
        f"{where}{': ' if where else ''}read {read} rows, but written {written} + duplicates {duplicates} "
        f"+ quarantined {quarantined} = {sum(others)}"
    )
