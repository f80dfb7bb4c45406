"""The books of a run, in the shape that the state machine reads. Each figure was counted by itself.

No figure of a date is derived from its other figures; sums over dates are the only arithmetic."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

MAX_ROWS = 2_147_483_647  # the arithmetic of a state machine is 32-bit
MOST_REASONS = 20  # with their columns, in the summary: a state has at most 256 KiB
MOST_NAMED = 20  # missing sources, and what was skipped, in the summary

COUNTS = ("read", "written", "duplicates", "quarantined")
# A table of every version has these too. Delivered rows are in the first five; with `quarantined` they add up
# to `read`. The others are deletes that no row says, and deletes by a row of a key that was not there.
CHANGES = (
    *("inserted", "updated", "deleted", "unchanged", "superseded"),
    *("deletedByAbsence", "deletedUnknown"),
)


@dataclass(frozen=True)
class SourceFigures:
    """The rows that one source delivered for a date, and what became of them."""

    read: int
    written: int
    duplicates: int
    quarantined: Mapping[str, int]
    input_bytes: int


@dataclass(frozen=True)
class DateFigures:
    """One delivery date. `files`, `output_bytes` and `partitions` are about the processed zone; bytes are as
    stored. `sources` has the figures of each source that has a name, `missing_sources` those that have not
    delivered. `changes` (of CHANGES) is about a table of every version."""

    run_date: date
    read: int
    written: int
    duplicates: int
    quarantined: Mapping[str, int]
    input_bytes: int
    output_bytes: int
    files: int
    partitions: int
    sources: Mapping[str, SourceFigures] = field(default_factory=dict)
    missing_sources: Sequence[str] = ()
    changes: Mapping[str, int] | None = None


def make_books(
    *,
    pipeline: str,
    run_id: str,
    first: date,
    last: date,
    reasons: Sequence[str],
    dates: Sequence[DateFigures],
    restated: Sequence[DateFigures],
    quality: Mapping[str, Any],
    drift: str | None,
    is_refused: bool,
    seconds: float,
    uri: str,
    rejected: Sequence[Mapping[str, Any]] = (),
    refused: Mapping[str, Any] | None = None,
    skipped: Sequence[str] = (),
    models: Mapping[str, Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """The whole books: the summary's fields, `dates` and `restatedDates`. The figures are those of the run's
    own `dates`; `restated` has those of other dates that it rewrote. A refused run published nothing, because
    its `quality` failed; `refused` explains it. `rejected` are the run's rejected rows by
    reason and column (`etl.run.rejected`), `uri` is where the books will be. `skipped` are URIs of what lies
    beside the deliveries of sources. `models` has the recomputed dates and rows of each model."""
    entries = [_entry(figures, reasons) for figures in dates]
    restated_entries = [_entry(figures, reasons) for figures in restated]
    counts = COUNTS
    sizes = ("inputBytes", "outputBytes", "partitions", "files")
    return {
        "pipeline": pipeline,
        "runId": run_id,
        "outcome": _outcome(dates, is_refused),
        "fromDate": first.isoformat(),
        "toDate": last.isoformat(),
        **{name: sum(entry[name] for entry in entries) for name in counts},
        "quarantinedByReason": {
            reason: sum(entry["quarantinedByReason"][reason] for entry in entries) for reason in reasons
        },
        **{name: sum(entry[name] for entry in entries) for name in sizes},
        "restated": {
            "dates": [entry["runDate"] for entry in restated_entries],
            **{name: sum(entry[name] for entry in restated_entries) for name in counts},
        },
        "reasons": list(rejected),
        "quality": dict(quality),
        "drift": drift,
        "seconds": round(seconds, 1),
        "books": uri,
        **({} if refused is None else {"refused": dict(refused)}),
        **_of_changes(entries),
        **_of_sources(entries, dates, skipped),
        **({"models": {name: dict(made) for name, made in models.items()}} if models else {}),
        "dates": entries,
        "restatedDates": restated_entries,
    }


def _of_changes(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = [entry["changes"] for entry in entries if "changes" in entry]
    return {"changes": {name: sum(one[name] for one in found) for name in CHANGES}} if found else {}


def _of_sources(
    entries: Sequence[Mapping[str, Any]], dates: Sequence[DateFigures], skipped: Sequence[str]
) -> dict[str, Any]:
    """The sums of each source, what is missing and what was skipped; nothing for a pipeline whose sources
    have no names. `sourcesText` says it in words, for the message of the run."""
    names = list(dict.fromkeys(name for entry in entries for name in entry.get("sources", {})))
    if not names:
        return {}
    sums = {name: _sum([entry["sources"][name] for entry in entries]) for name in names}
    missing = [
        {"source": name, "date": figures.run_date.isoformat()}
        for figures in dates
        for name in figures.missing_sources
    ]
    return {
        "sources": sums,
        "missingSources": missing,
        "missingCount": len(missing),
        "skipped": list(skipped),
        "sourcesText": _in_words(sums, missing, len(skipped)),
    }


def _sum(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reasons = entries[0]["quarantinedByReason"]
    return {
        **{name: sum(entry[name] for entry in entries) for name in COUNTS},
        "quarantinedByReason": {
            reason: sum(entry["quarantinedByReason"][reason] for entry in entries) for reason in reasons
        },
        "inputBytes": sum(entry["inputBytes"] for entry in entries),
    }


def _in_words(
    sums: Mapping[str, Mapping[str, Any]], missing: Sequence[Mapping[str, str]], skipped: int
) -> str:
    parts = [
        f"{name}: read {of['read']} = written {of['written']} + duplicates {of['duplicates']} "
        f"+ quarantined {of['quarantined']}"
        for name, of in sums.items()
    ]
    shown = [f"{one['source']} on {one['date']}" for one in missing[:MOST_NAMED]]
    more = len(missing) - len(shown)
    if missing:
        parts.append(f"missing: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}")
    if skipped:
        parts.append(f"skipped: {skipped} folders or files that are no delivery")
    return "; ".join(parts)


def _outcome(dates: Sequence[DateFigures], is_refused: bool) -> str:
    if is_refused:
        return "REFUSED"
    return "SUCCEEDED" if any(figures.read for figures in dates) else "EMPTY"


def summarise(books: Mapping[str, Any]) -> dict[str, Any]:
    """The summary that the state machine reads: the books without the figures per date, and with the first
    MOST_REASONS reasons. It has a few hundred bytes, for a refused run some thousands."""
    summary = {name: value for name, value in books.items() if name not in ("dates", "restatedDates")}
    for name, most, rest in (
        ("reasons", MOST_REASONS, "moreReasons"),
        ("missingSources", MOST_NAMED, "moreMissingSources"),
        ("skipped", MOST_NAMED, "moreSkipped"),
    ):
        more = len(books.get(name, ())) - most
        if more > 0:
            summary |= {name: books[name][:most], rest: more}
    return summary


def _entry(figures: DateFigures, reasons: Sequence[str]) -> dict[str, Any]:
    of_sources: dict[str, Any] = {}
    if figures.sources:
        of_sources = {
            "sources": {
                name: {**_counts(of, reasons), "inputBytes": of.input_bytes}
                for name, of in figures.sources.items()
            },
            "missingSources": list(figures.missing_sources),
        }
    return {
        "runDate": figures.run_date.isoformat(),
        **_counts(figures, reasons),
        "inputBytes": figures.input_bytes,
        "outputBytes": figures.output_bytes,
        "partitions": figures.partitions,
        "files": figures.files,
        **({} if figures.changes is None else {"changes": {name: figures.changes[name] for name in CHANGES}}),
        **of_sources,
    }


def _counts(figures: DateFigures | SourceFigures, reasons: Sequence[str]) -> dict[str, Any]:
    unknown = set(figures.quarantined) - set(reasons)
    if unknown:
        raise ValueError(f"no such reason in the contract: {', '.join(sorted(unknown))}")
    return {
        "read": figures.read,
        "written": figures.written,
        "duplicates": figures.duplicates,
        "quarantined": sum(figures.quarantined.values()),
        "quarantinedByReason": {reason: figures.quarantined.get(reason, 0) for reason in reasons},
    }


def to_json(document: Mapping[str, Any]) -> str:
    """The same text for the same document, indented, so that two of them can be compared."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
