"""Starts job runs for tests and waits for their end, through boto3 only."""

from typing import Any

from callers import HasClients
from conftest import wait_for

_FINAL = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")


def ended(bench: HasClients, job: str, run_id: str) -> dict[str, Any] | None:
    """The run if it has ended; None while it runs."""
    state: dict[str, Any] = bench.client("glue").get_job_run(JobName=job, RunId=run_id)["JobRun"]
    return state if state["JobRunState"] in _FINAL else None


def run_job(bench: HasClients, job: str, seconds: float = 90, **request: Any) -> dict[str, Any]:
    """Start a run and wait for its end, at most so many seconds."""
    run_id = bench.client("glue").start_job_run(JobName=job, **request)["JobRunId"]
    return dict(wait_for(lambda: ended(bench, job, run_id), seconds))
