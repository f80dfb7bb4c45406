"""Tasks that wait for what they start (`.sync`): Glue job runs, Athena queries, nested executions.

If the execution ends meanwhile or the state times out, the started work is stopped.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-sync
https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-athena.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
"""

import contextvars
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import botocore.exceptions

from embedded_aws.states import history, services
from embedded_aws.states.execution import Ended, Execution, current, failure, pause

_POLL_SECONDS = 0.2
_logger = logging.getLogger("embedded-aws.executions")
timed_out: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("timed_out", default=None)
"""Set when the state of the Task in this context times out."""


class TimedOutError(Exception):
    """The state's TimeoutSeconds are over, and the work that its Task started has been stopped."""


def execution() -> Execution:
    """The execution of the Task in this thread."""
    found = current.get()
    assert found is not None
    return found


def _poll(
    service: services.Service,
    client: Any,
    ask: Callable[[], dict[str, Any] | None],
    stop: Callable[[], object],
) -> dict[str, Any]:
    """Ask until there is an answer. A refused call fails the Task with the error's name."""
    over = timed_out.get()
    try:
        while True:
            answer = ask()
            if answer is not None:
                return answer
            if over is not None and over.is_set():
                raise TimedOutError
            pause(_POLL_SECONDS, over)
    except botocore.exceptions.ClientError as error:
        raise failure(services.error_name(client, service, error), str(error)) from error
    except (Ended, TimedOutError):
        try:
            stop()
        except botocore.exceptions.ClientError as error:  # a role without the right leaves it running
            _logger.warning(
                "the work that %s started was not stopped: %s", execution().record["executionArn"], error
            )
        raise


def start_job_run(service: services.Service, pattern: str, parameters: dict[str, Any]) -> Any:
    """`glue:startJobRun`. With `.sync`, the result is the successful run; a failed run becomes the cause."""
    glue = execution().client("glue")
    started = services.call(glue, service, "StartJobRun", parameters)
    name, run_id = parameters["JobName"], started["JobRunId"]
    history.submitted(execution().record, {"JobName": name, **started})
    if not pattern:
        return {"JobName": name, **started}
    shape = glue.meta.service_model.operation_model("GetJobRun").output_shape.members["JobRun"]

    def ask() -> dict[str, Any] | None:
        run = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
        if run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING", "WAITING"):
            return None
        return dict(services.result(run, shape, optimised=True))

    run = _poll(service, glue, ask, lambda: glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id]))
    if run["JobRunState"] != "SUCCEEDED":
        raise failure("States.TaskFailed", services.as_cause(run))
    return run


def start_query(service: services.Service, pattern: str, parameters: dict[str, Any]) -> Any:
    """`athena:startQueryExecution`. With `.sync`, the result is the query; a failed one becomes the cause."""
    athena = execution().client("athena")
    started = services.call(athena, service, "StartQueryExecution", parameters)
    history.submitted(execution().record, started)
    if not pattern:
        return started
    query_id = started["QueryExecutionId"]
    shape = athena.meta.service_model.operation_model("GetQueryExecution").output_shape

    def ask() -> dict[str, Any] | None:
        answer = athena.get_query_execution(QueryExecutionId=query_id)
        answer.pop("ResponseMetadata", None)
        if answer["QueryExecution"]["Status"]["State"] in ("QUEUED", "RUNNING"):
            return None
        return dict(services.result(answer, shape, optimised=True))

    query = _poll(service, athena, ask, lambda: athena.stop_query_execution(QueryExecutionId=query_id))
    if query["QueryExecution"]["Status"]["State"] != "SUCCEEDED":
        raise failure("States.TaskFailed", services.as_cause(query))
    return query


def start_execution(service: services.Service, pattern: str, parameters: dict[str, Any]) -> Any:
    """`states:startExecution`. With `.sync`, the result is the child; a failed one becomes the cause.

    With `.sync:2`, the child's output is JSON.
    """
    states = execution().client("stepfunctions")
    given = parameters.get("Input", {})
    asked = {**parameters, "Input": given if isinstance(given, str) else json.dumps(given)}
    started = services.call(states, service, "StartExecution", asked)
    arn = started["ExecutionArn"]
    history.submitted(execution().record, started)
    if not pattern:
        return started
    shape = states.meta.service_model.operation_model("DescribeExecution").output_shape

    def ask() -> dict[str, Any] | None:
        child = states.describe_execution(executionArn=arn)
        child.pop("ResponseMetadata", None)
        return None if child["status"] == "RUNNING" else dict(services.result(child, shape, optimised=True))

    def stop() -> None:
        cause = "The parent execution ended"
        states.stop_execution(executionArn=arn, error="States.ParentStopped", cause=cause)

    child = _poll(service, states, ask, stop)
    if child["Status"] != "SUCCEEDED":
        raise failure("States.TaskFailed", services.as_cause(child))
    if pattern == ".sync:2":
        read = {"Input": json.loads(child.get("Input") or "{}"), "Output": json.loads(child["Output"])}
        child = {**child, **read}
    return child
