"""Watches the runs of a Glue workflow: judges each that has ended, reports it once on a topic, records
metrics, and counts runs that take too long. Glue's events start it, which are best effort, and a schedule."""

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from run_report import Judged, write_report
from run_verdict import FAILED, STOPPED, SUCCEEDED, Run, has_succeeded_job, is_over, judge, without_books

LOOK_BACK = timedelta(days=7)  # older runs are not reported, so that a new watcher does not report a history
LEASE_SECONDS = 60  # beyond the end of the call that holds it
WAIT_SECONDS, WAITS = 5, 6

_ENDED = ("COMPLETED", "STOPPED", "ERROR")
_reported: set[str] = set()  # run ids, kept while the function is warm, so that it asks for each only once


class WatchFailed(Exception):
    """Some runs could not be reported; the others were. The next look tries again."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Takes an event of Glue, or that of the schedule. Returns the ids of the runs that it reported, and how
    many are under way and late. Raises WatchFailed with each run that could not be reported, and why."""
    settings = _settings()
    runs = _list_runs(settings)
    if event.get("source") == "aws.glue" and _is_ending(settings, runs):
        runs = _list_runs(settings)
    reported, errors = [], []
    for run in _ended(runs):
        try:
            if _report(settings, run["WorkflowRunId"], runs, context):
                reported.append(run["WorkflowRunId"])
        except Exception as error:
            errors.append(f"{run['WorkflowRunId']}: {type(error).__name__}: {error}")
    running = [run for run in runs if run["Status"] not in _ENDED]
    late = _count_late(settings, running)
    if errors:
        raise WatchFailed("; ".join(errors))
    return {"reported": reported, "running": len(running), "late": late}


def _ended(runs: Sequence[Run]) -> list[Run]:
    """The ended runs that may not be reported yet, in the order of their ends."""
    since = _now() - LOOK_BACK
    ended = [run for run in runs if run["Status"] in _ENDED and _ended_at(run) >= since]
    return sorted((run for run in ended if run["WorkflowRunId"] not in _reported), key=_ended_at)


def _ended_at(run: Run) -> datetime:
    return run.get("CompletedOn") or run["StartedOn"]  # type: ignore[no-any-return]


def _is_ending(settings: Mapping[str, Any], runs: Sequence[Run]) -> bool:
    """Waits for the end of a run of which no node is left. Glue says COMPLETED a little after the event of
    the last node. True if one may have ended meanwhile; what is not seen now, the schedule finds."""
    running = [run["WorkflowRunId"] for run in runs if run["Status"] == "RUNNING"]
    last = [run_id for run_id in running if is_over(_get_run(settings, run_id))]
    for _ in range(WAITS if last else 0):
        if any(_get_run(settings, run_id)["Status"] in _ENDED for run_id in last):
            return True
        _wait(WAIT_SECONDS)
    return bool(last)


def _report(settings: Mapping[str, Any], run_id: str, runs: Sequence[Run], context: Any) -> bool:
    """Reports a run unless it is reported, or another call is about to."""
    claim = _claim(settings, run_id, context)
    if claim is None:
        return False
    run = _get_run(settings, run_id)
    earlier = list(_earlier(settings, run, runs))
    judged = _judge(settings, run, earlier)
    if not claim["isRecorded"]:
        _record(settings, judged)
        _mark(settings, claim, "recordedAt")
    report = write_report(settings, judged)
    _client("sns").publish(TopicArn=settings["topic"], Subject=report.subject, Message=report.message)
    _mark(settings, claim, "reportedAt")
    _reported.add(run_id)
    return True


def _judge(settings: Mapping[str, Any], run: Run, earlier: Sequence[Run]) -> Judged:
    verdict = judge(run, earlier, settings["mayFail"])
    first = earlier[-1] if earlier else run
    summary = None
    if settings["books"] is not None:
        # A resumed run that did not run the job again has the books of an earlier one.
        with_job = [one for one in (run, *earlier) if has_succeeded_job(one)]
        summary, mistake = _read_summary(settings, with_job[0]["WorkflowRunId"]) if with_job else (None, None)
        if mistake is not None and with_job[0] is run:
            verdict = without_books(verdict, run, mistake)
    return Judged(run, first, verdict, summary, _run_date(settings, first))


def _run_date(settings: Mapping[str, Any], first: Run) -> date | None:
    """The date of a run as its job derives it from the start of the first run of its chain."""
    rule = settings["runDate"]
    if rule is None:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        zone = ZoneInfo(rule["timeZone"])
    except ZoneInfoNotFoundError:  # a runtime without the database of zones
        return None
    return first["StartedOn"].astimezone(zone).date() - timedelta(days=rule["lagDays"])  # type: ignore[no-any-return]


def _read_summary(settings: Mapping[str, Any], run_id: str) -> tuple[dict[str, Any] | None, str | None]:
    """The summary of a run's books, or why it cannot be read."""
    bucket, prefix = settings["books"]["bucket"], settings["books"]["prefix"]
    key = f"{prefix}{run_id}/summary.json"
    place = f"s3://{bucket}/{key}"
    try:
        listed = _client("s3").list_objects_v2(Bucket=bucket, Prefix=key)
        if not any(found["Key"] == key for found in listed.get("Contents", [])):
            return None, f"it left no books at {place}"
        summary = json.loads(_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        wanted = ("outcome", "fromDate", "toDate", "read", "written", "duplicates", "quarantined")
        missing = [name for name in wanted if name not in summary]
        return (None, f"its books at {place} have no {', '.join(missing)}") if missing else (summary, None)
    except Exception as error:
        return None, f"its books at {place} cannot be read: {error}"


def _earlier(settings: Mapping[str, Any], run: Run, runs: Sequence[Run]) -> Iterator[Run]:
    """The runs that a resumed run continues, the latest first. Glue forgets old runs."""
    seen = {run["WorkflowRunId"]}
    previous = run.get("PreviousRunId")
    while previous and previous not in seen:
        seen.add(previous)
        try:
            before = _get_run(settings, previous)
        except Exception as error:
            if _code(error) != "EntityNotFoundException":
                raise
            return
        yield before
        previous = before.get("PreviousRunId")


def _record(settings: Mapping[str, Any], judged: Judged) -> None:
    run, rows, books = judged.run, settings["rows"], judged.summary
    names = {SUCCEEDED: "succeeded", FAILED: "failed", STOPPED: "stopped"}
    runs = settings["runs"]
    data = [_datum(runs, names[judged.verdict.outcome], 1, "Count")]
    if run.get("CompletedOn") is not None:
        milliseconds = (run["CompletedOn"] - run["StartedOn"]) / timedelta(milliseconds=1)
        data.append(_datum(runs, "duration", milliseconds, "Milliseconds"))
    if books is not None and has_succeeded_job(run):
        figures = {"rowsRead": "read", "rowsWritten": "written", "rowsQuarantined": "quarantined"}
        figures |= {"rowsDuplicate": "duplicates"}
        figures |= {"sourcesMissing": "missingCount"} if "missingCount" in books else {}
        data += [_datum(rows, metric, books[figure], "Count") for metric, figure in figures.items()]
    _put_metrics(settings, data)


def _count_late(settings: Mapping[str, Any], running: Sequence[Run]) -> int:
    since = _now() - timedelta(minutes=settings["lateAfterMinutes"])
    late = len([run for run in running if run["StartedOn"] < since])
    if late:
        _put_metrics(settings, [_datum(settings["runs"], "stillRunning", late, "Count")])
    return late


def _datum(names: Mapping[str, str], metric: str, value: float, unit: str) -> dict[str, Any]:
    dimension = {"Name": names["dimension"], "Value": _settings()["workflow"]}
    return {"MetricName": names[metric], "Dimensions": [dimension], "Value": value, "Unit": unit}


def _put_metrics(settings: Mapping[str, Any], data: Sequence[Mapping[str, Any]]) -> None:
    _client("cloudwatch").put_metric_data(Namespace=settings["namespace"], MetricData=data)


def _claim(settings: Mapping[str, Any], run_id: str, context: Any) -> dict[str, Any] | None:
    """Claims a run for this call until a minute after its end. None if it is reported, or claimed by a call
    that may still run. A claim left behind is taken over, with the note that its metrics are there."""
    now = _now().timestamp()
    until = now + context.get_remaining_time_in_millis() / 1000 + LEASE_SECONDS
    key = {"pipeline": {"S": f"runs/{settings['workflow']}/{run_id}"}}
    token = str(uuid.uuid4())
    try:
        before = _client("dynamodb").update_item(
            TableName=settings["claims"],
            Key=key,
            UpdateExpression="SET #token = :token, #until = :until",
            ConditionExpression=(
                "attribute_not_exists(#token) OR (attribute_not_exists(#done) AND #until < :now)"
            ),
            ExpressionAttributeNames={"#token": "token", "#until": "until", "#done": "reportedAt"},
            ExpressionAttributeValues={
                ":token": {"S": token},
                ":until": {"N": f"{until:.3f}"},
                ":now": {"N": f"{now:.3f}"},
            },
            ReturnValues="ALL_OLD",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except Exception as error:
        if _code(error) != "ConditionalCheckFailedException":
            raise
        if "reportedAt" in getattr(error, "response", {}).get("Item", {}):
            _reported.add(run_id)
        return None
    return {"key": key, "token": token, "isRecorded": "recordedAt" in before.get("Attributes", {})}


def _mark(settings: Mapping[str, Any], claim: Mapping[str, Any], step: str) -> None:
    """Notes what is done. Fails if another call has taken the claim over."""
    _client("dynamodb").update_item(
        TableName=settings["claims"],
        Key=claim["key"],
        UpdateExpression="SET #step = :now",
        ConditionExpression="#token = :token",
        ExpressionAttributeNames={"#step": step, "#token": "token"},
        ExpressionAttributeValues={
            ":now": {"S": _now().isoformat(timespec="milliseconds").replace("+00:00", "Z")},
            ":token": {"S": claim["token"]},
        },
    )


def _list_runs(settings: Mapping[str, Any]) -> list[Run]:
    runs: list[Run] = []
    more: dict[str, str] = {}
    while True:
        page = _client("glue").get_workflow_runs(Name=settings["workflow"], IncludeGraph=False, **more)
        runs += page.get("Runs", [])
        if not page.get("NextToken"):
            return runs
        more = {"NextToken": page["NextToken"]}


def _get_run(settings: Mapping[str, Any], run_id: str) -> Run:
    answer = _client("glue").get_workflow_run(Name=settings["workflow"], RunId=run_id, IncludeGraph=True)
    return answer["Run"]  # type: ignore[no-any-return]


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


@cache
def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(os.environ["SETTINGS"])
    return settings


def _now() -> datetime:
    return datetime.now(UTC)


def _wait(seconds: float) -> None:
    time.sleep(seconds)


@cache
def _client(service: str) -> Any:
    import boto3  # here, so that importing this module does nothing

    return boto3.client(service)
