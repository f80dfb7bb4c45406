"""Words the report on a run as the messages of state machines are worded: subject, message, command. Pure."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from run_verdict import FAILED, STOPPED, SUCCEEDED, Part, Run, Verdict

MOST_SUBJECT = 99  # ASCII, fewer than 100: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MOST_MESSAGE_BYTES = 262_144
MOST_ERROR = 600  # of a node, in characters
MOST_NODES = 10

_MISSING = "MissingDelivery: "


@dataclass(frozen=True)
class Report:
    subject: str
    message: str


@dataclass(frozen=True)
class Judged:
    """A run, the first of its chain (itself if it resumes none), and what is known of it. `run_date` is the
    date of a run without properties, None if nobody says how it follows."""

    run: Run
    first: Run
    verdict: Verdict
    summary: Mapping[str, Any] | None
    run_date: date | None


def write_report(settings: Mapping[str, Any], judged: Judged) -> Report:
    """The subject and the message. The last line of the message is JSON for programs."""
    outcome = _outcome(judged)
    title = f"{settings['title']}: {outcome}"
    lines, fields = (
        _success(settings, judged, outcome)
        if judged.verdict.outcome == SUCCEEDED
        else _failure(settings, judged, outcome)
    )
    text = "\n\n".join([title, *lines])
    return Report(
        re.sub(r"[^\x20-\x7e]", "?", title)[:MOST_SUBJECT],
        f"{text}\n\n--- JSON ---\n{json.dumps(fields, ensure_ascii=False)}",
    )


def _outcome(judged: Judged) -> str:
    verdict, summary = judged.verdict, judged.summary or {}
    if verdict.outcome == SUCCEEDED:
        return str(summary.get("outcome", SUCCEEDED))
    is_missing = any(_MISSING in (part.message or "") for part in verdict.failed)
    return "MISSING" if verdict.outcome == FAILED and is_missing else verdict.outcome


def _common(settings: Mapping[str, Any], judged: Judged, outcome: str) -> dict[str, Any]:
    return {
        "pipeline": settings["pipeline"],
        "environment": settings["environment"],
        "status": judged.run["Status"],
        "outcome": outcome,
        "workflow": settings["workflow"],
        "runId": judged.run["WorkflowRunId"],
        "previousRunId": judged.run.get("PreviousRunId"),
        "firstRunId": judged.first["WorkflowRunId"],
    }


def _success(settings: Mapping[str, Any], judged: Judged, outcome: str) -> tuple[list[str], dict[str, Any]]:
    warnings = [_ended(part) for part in judged.verdict.warnings]
    figures = [] if judged.summary is None else _figures(judged.summary)
    lines = [
        *figures,
        *(f"Warning: {warning}. The run went on without it." for warning in _few(warnings)),
        _run_line(settings, judged),
    ]
    fields = _common(settings, judged, outcome) | {
        "warnings": _few(warnings),
        "console": settings["console"],
        "books": judged.summary,
    }
    return lines, fields


def _figures(books: Mapping[str, Any]) -> list[str]:
    """The sum, and the figures of each source where the books have them."""
    together = (
        f"Run dates {books['fromDate']} to {books['toDate']}: read {books['read']} = "
        f"written {books['written']} + duplicates {books['duplicates']} + quarantined {books['quarantined']}."
    )
    return [together, *(f"{text}." for text in (books.get("sourcesText"),) if text)]


def _failure(settings: Mapping[str, Any], judged: Judged, outcome: str) -> tuple[list[str], dict[str, Any]]:
    verdict = judged.verdict
    cause = _cause(verdict)
    advice, commands = _advice(settings, judged, outcome)
    warnings = _few([_ended(part) for part in verdict.warnings])
    runbook = settings["runbook"]["missing" if outcome == "MISSING" else "failed"]
    lines = [
        f"Cause: {cause}",
        *(f"Warning: {warning}." for warning in warnings),
        _run_line(settings, judged),
        f"To do: {advice}",
        "Command:\n" + "\n".join(commands),
        f"Runbook: {runbook}",
    ]
    fields = _common(settings, judged, outcome) | {
        "cause": cause,
        "failed": [_fields(part) for part in _few_parts(verdict.failed)],
        "neverStarted": [part.name for part in _few_parts(verdict.never_started)],
        "notReached": [part.name for part in _few_parts(verdict.not_reached)],
        "warnings": warnings,
        "console": settings["console"],
        "advice": advice,
        "command": "\n".join(commands),
        "runbook": runbook,
    }
    return lines, fields


def _run_line(settings: Mapping[str, Any], judged: Judged) -> str:
    run_id, first = judged.run["WorkflowRunId"], judged.first["WorkflowRunId"]
    resumed = "" if run_id == first else f", which resumes {first}"
    return f"Run: {run_id}{resumed}\n{settings['console']}"


def _cause(verdict: Verdict) -> str:
    ended = _few([_ended(part) for part in verdict.failed])
    unstarted = _few([_unstarted(part) for part in verdict.never_started])
    behind = _few([_named(part) for part in verdict.not_reached])
    sentences = [
        *([] if verdict.reason is None else [verdict.reason.rstrip(".")]),
        *(["somebody stopped the run"] if verdict.outcome == STOPPED else []),
        *ended,
        *unstarted,
        *([f"not run for this reason: {', '.join(behind)}"] if behind else []),
    ]
    return "; ".join(sentences)


def _named(part: Part) -> str:
    return f"the job {part.name}" if part.kind == "job" else f"the crawl of {part.name}"


def _ended(part: Part) -> str:
    earlier = "" if part.is_here else " in an earlier run"
    reason = "" if part.message is None else f": {_short(part.message)}"
    return f"{_named(part)} ended {part.state}{earlier}{reason}"


def _unstarted(part: Part) -> str:
    trigger = "" if part.trigger is None else f", although its trigger {part.trigger} was due"
    state = f" ({part.trigger_state})" if _is_off(part) else ""
    return f"{_named(part)} was never started{trigger}{state}"


def _is_off(part: Part) -> bool:
    return part.trigger_state in ("CREATED", "DEACTIVATED", "DEACTIVATING")


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= MOST_ERROR else f"{line[:MOST_ERROR]}…"


def _few(texts: Sequence[str]) -> list[str]:
    more = len(texts) - MOST_NODES
    return list(texts) if more <= 0 else [*texts[:MOST_NODES], f"and {more} more"]


def _few_parts(parts: Sequence[Part]) -> Sequence[Part]:
    return parts[:MOST_NODES]


def _fields(part: Part) -> dict[str, Any]:
    message = None if part.message is None else _short(part.message)
    return {"kind": part.kind, "name": part.name, "node": part.node_id, "state": part.state, "error": message}


def _advice(settings: Mapping[str, Any], judged: Judged, outcome: str) -> tuple[str, list[str]]:
    run, verdict = judged.run, judged.verdict
    cause = "Fix the cause"
    if outcome == "MISSING":
        cause = "Nothing was delivered for these dates. Ask the source; once the delivery has arrived"
    if verdict.resume:
        advice = (
            f"{cause}, then resume the run: it starts the nodes of the command and all behind them again, "
            "as a run of its own that keeps the run date."
        )
        return advice, [_resume(settings, run["WorkflowRunId"], verdict.resume)]
    start = _start(settings, judged)
    activate = [
        f"aws glue start-trigger --region {settings['region']} --name {shlex.quote(str(part.trigger))}"
        for part in verdict.never_started
        if _is_off(part) and part.trigger is not None
    ]
    unless_off = " Activate the trigger first, with the first command." if activate else ""
    return f"{_why_new(judged, cause)}{unless_off}{_date_hint(judged)}", [*dict.fromkeys(activate), start]


def _why_new(judged: Judged, cause: str) -> str:
    status = judged.run["Status"]
    if status == "STOPPED":
        return (
            "Ask who stopped the run, and whether its dates must still be run; if so, start a new run: "
            "Glue cannot resume a stopped one."
        )
    if status == "ERROR" and "concurrent" in (judged.verdict.reason or "").lower():
        return (
            "Another run was under way, and the workflow has one at a time. "
            "Start a new run once that has ended."
        )
    if status == "ERROR":
        return f"{cause}, then start a new run: Glue cannot resume this one."
    return f"{cause}, then start a new run: resuming this one would not start all that did not run."


def _date_hint(judged: Judged) -> str:
    is_dated = judged.run_date is not None or _properties(judged) != {}
    return (
        ""
        if is_dated
        else " Its date follows from its start: set it in --run-properties if it must be another."
    )


def _resume(settings: Mapping[str, Any], run_id: str, node_ids: Sequence[str]) -> str:
    ids = " ".join(shlex.quote(node_id) for node_id in node_ids)
    return (
        f"aws glue resume-workflow-run --region {settings['region']} --name {settings['workflow']} "
        f"--run-id {run_id} --node-ids {ids}"
    )


def _start(settings: Mapping[str, Any], judged: Judged) -> str:
    properties = _properties(judged)
    if not properties and judged.run_date is not None:
        properties = {"run_date": judged.run_date.isoformat()}
    given = (
        "" if not properties else f" --run-properties {shlex.quote(json.dumps(properties, sort_keys=True))}"
    )
    return f"aws glue start-workflow-run --region {settings['region']} --name {settings['workflow']}{given}"


def _properties(judged: Judged) -> dict[str, str]:
    """The properties that a person gave; Glue adds some of its own, such as `aws:eventIds`."""
    given = judged.run.get("WorkflowRunProperties") or {}
    return {name: value for name, value in given.items() if not name.startswith("aws:")}
