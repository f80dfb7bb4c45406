"""Reports the ends of job runs and crawls: as events of EventBridge, and to who listens here.

AWS emits these events on a best effort basis. Cancelled crawls, triggers and workflows have no event.
https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html
https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from embedded_aws.core import emulator

_JOB_MESSAGES = {
    "SUCCEEDED": ("INFO", "Job run succeeded"),
    "FAILED": ("ERROR", "JobName:{name} and JobRunId:{run} failed to execute with exception {error}"),
    "TIMEOUT": ("WARN", "Job run timed out"),
    "STOPPED": ("INFO", "Job run stopped"),
}
"""The severity and the message of each state that has an event."""
_logger = logging.getLogger("embedded-aws.glue-events")
_job_listeners: list[Callable[[dict[str, Any]], None]] = []
_crawl_listeners: list[Callable[[str, dict[str, Any]], None]] = []


def listen(job_run: Callable[[dict[str, Any]], None], crawl: Callable[[str, dict[str, Any]], None]) -> None:
    """Call ``job_run`` with each run that ends, ``crawl`` with a crawler's name and its last crawl."""
    _job_listeners.append(job_run)
    _crawl_listeners.append(crawl)


def job_run_ended(run: dict[str, Any]) -> None:
    """Report a job run that has reached its last state."""
    announce(run)
    for listener in _job_listeners:
        listener(run)


def announce(run: dict[str, Any]) -> None:
    """Emit the event of a job run that has ended, if its state has one."""
    if run["JobRunState"] in _JOB_MESSAGES:
        _emit("Glue Job State Change", job_detail(run))


def announce_delay(run: dict[str, Any], minutes: int) -> None:
    """Emit the event of a job run that has been running longer than its job allows before a notice."""
    state = run["JobRunState"]
    detail = {
        "jobName": run["JobName"],
        "severity": "INFO",
        "notificationCondition": {"NotifyDelayAfter": minutes},
        "state": state,
        "jobRunId": run["Id"],
        "message": f"Job is in {state} state",
        "startedOn": _iso(run["StartedOn"]),
    }
    _emit("Glue Job Run Status", detail)


def job_detail(run: dict[str, Any]) -> dict[str, Any]:
    """The event's detail of a job run that has ended."""
    severity, message = _JOB_MESSAGES[str(run["JobRunState"])]
    words = message.format(name=run["JobName"], run=run["Id"], error=run.get("ErrorMessage", ""))
    return {
        "jobName": run["JobName"],
        "severity": severity,
        "state": run["JobRunState"],
        "jobRunId": run["Id"],
        "message": words,
    }


def crawl_started(name: str) -> None:
    """Report a crawl that begins."""
    now = _iso(time.time())
    _emit_crawl(name, {"startTime": now, "state": "Started", "message": "Crawler Started"})


def crawl_ended(name: str, last: dict[str, Any], changes: Mapping[str, int]) -> None:
    """Report a crawl that has ended, with the numbers of tables and partitions that it changed."""
    link = f"logEventViewer:group={last['LogGroup']};stream={last['LogStream']}"
    if last["Status"] == "SUCCEEDED":
        now = time.time()
        counted = {key: str(value) for key, value in changes.items()}
        ended = {"completionDate": _iso(now), "runningTime (sec)": str(int(now - last["StartTime"]))}
        said = {"state": "Succeeded", "message": "Crawler Succeeded", "warningMessage": "N/A"}
        _emit_crawl(name, {**counted, **ended, **said, "cloudWatchLogLink": link})
    elif last["Status"] == "FAILED":
        said = {"state": "Failed", "message": "Crawler Failed", "cloudWatchLogLink": link}
        _emit_crawl(name, {"errorMessage": last.get("ErrorMessage", ""), **said})
    for listener in _crawl_listeners:
        listener(name, last)


def _emit_crawl(name: str, detail: dict[str, Any]) -> None:
    account = str(emulator.module("core.responses").get_account_id())
    _emit("Glue Crawler State Change", {"crawlerName": name, "accountId": account, **detail})


def _emit(kind: str, detail: dict[str, Any]) -> None:
    entry = {"Source": "aws.glue", "DetailType": kind, "Detail": json.dumps(detail), "Resources": []}
    try:
        emulator.service("eventbridge")._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:  # the run has ended all the same
        _logger.exception("no event '%s' for %s", kind, detail)


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
