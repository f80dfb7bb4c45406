"""The owners that a lock may have: the execution of a state machine, a Glue workflow's run, or a job run."""

import re

from etl.clients import client, error_code
from etl.errors import StorageError

_EXECUTION = re.compile(r"arn:[^:]+:states:[^:]+:\d+:execution:[^:]+:[^:]+")
_WORKFLOW_RUN = re.compile(r"arn:[^:]+:glue:[^:]+:\d+:workflow/([^:]+):([^:]+)")
_JOB_RUN = re.compile(r"arn:[^:]+:glue:[^:]+:\d+:job/([^:]+):([^:]+)")

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html,
# https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRun.html, …/API_JobRun.html
_AT_WORK = {"RUNNING", "PENDING_REDRIVE", "STOPPING", "STARTING", "WAITING"}
_NOT_THERE = {"ExecutionDoesNotExist", "EntityNotFoundException"}


def is_at_work(owner: str) -> bool:
    """Tells whether the owner of a lock is at work: an ARN, for a workflow and a job with ':' and the id of
    the run. An owner of another kind counts as at work, because nobody knows. Raises StorageError when its
    service does not answer."""
    try:
        return _status(owner) in _AT_WORK
    except Exception as error:
        if error_code(error) in _NOT_THERE:
            return False
        raise StorageError(
            f"cannot tell whether {owner}, which owns the lock, is at work: {error}"
        ) from error


def _status(owner: str) -> str:
    if _EXECUTION.fullmatch(owner):
        execution: str = client("stepfunctions").describe_execution(executionArn=owner)["status"]
        return execution
    if match := _WORKFLOW_RUN.fullmatch(owner):
        run: str = client("glue").get_workflow_run(Name=match[1], RunId=match[2])["Run"]["Status"]
        return run
    if match := _JOB_RUN.fullmatch(owner):
        job: str = client("glue").get_job_run(JobName=match[1], RunId=match[2])["JobRun"]["JobRunState"]
        return job
    return "RUNNING"
