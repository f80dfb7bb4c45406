"""The run of a Glue workflow, as arguments of the job.

Glue gives a job of a workflow `--WORKFLOW_NAME` and `--WORKFLOW_RUN_ID`, and nothing else of its run
(https://docs.aws.amazon.com/glue/latest/dg/workflow-run-properties-code.html). The job derives the rest: its
run id, the owner of its lock, and its dates."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from etl.clients import client, error_code
from etl.errors import InvalidArguments, StorageError
from etl.run.arguments import named_values

# The properties of a run that say what it is about.
PROPERTIES = {
    "run_date": "one date, YYYY-MM-DD",
    "from_date": "the first date of a back-fill, YYYY-MM-DD",
    "to_date": "its last date",
    "source_subprefix": "a folder below the source's own, ending in '/'",
}
MOST_RESUMES = 100


def with_workflow_run(argv: Sequence[str]) -> list[str]:
    """The arguments with those that follow from the run, if the job has a `--workflow_arn`. What is given
    stays.

    A run of the workflow has the dates of its properties `run_date`, or `from_date` and `to_date`. Without
    them its date follows from the start of the first run that it resumes. A job run that no workflow started
    has the dates that it is given, its own id as run id, and owns its lock by itself.

    Raises InvalidArguments for properties that contradict each other or look misspelt, StorageError when Glue
    does not answer.
    """
    given = {name: value for name, value in named_values(argv) if name is not None}
    workflow = given.get("workflow_arn")
    if workflow is None:
        return list(argv)
    if "WORKFLOW_RUN_ID" in given:
        name, run_id = given["WORKFLOW_NAME"], given["WORKFLOW_RUN_ID"]
        derived = {"run_id": run_id, "lock_owner": f"{_beside(workflow)}:workflow/{name}:{run_id}"}
        if not given.keys() & {"from_date", "to_date", "scheduled_time"}:
            derived |= _dates(name, run_id)
    else:
        derived = _alone(workflow, given)
    return [*argv, *(f"--{name}={value}" for name, value in derived.items() if name not in given)]


def _alone(workflow: str, given: Mapping[str, str]) -> dict[str, str]:
    """The job was started by hand: `arn:…:job/<name>:<job run>` owns its lock."""
    if "JOB_RUN_ID" not in given:
        return {}
    owner = f"{_beside(workflow)}:job/{given['JOB_NAME']}:{given['JOB_RUN_ID']}"
    return {"run_id": given["JOB_RUN_ID"], "lock_owner": owner}


def _beside(workflow: str) -> str:
    """The beginning of the ARNs of what lies in the account and region of the workflow."""
    return workflow.rpartition(":")[0]


def _dates(workflow: str, run_id: str) -> dict[str, str]:
    started = datetime.max.replace(tzinfo=UTC)
    for run in _runs_back(workflow, run_id):
        properties = run.get("WorkflowRunProperties") or {}
        _refuse_misspelt(properties)
        about = {name: properties[name] for name in PROPERTIES if name in properties}
        if about:
            return _arguments_of(about, run["WorkflowRunId"])
        started = run["StartedOn"]
    return {
        "run_mode": "daily",
        "scheduled_time": started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _arguments_of(about: Mapping[str, str], run_id: str) -> dict[str, str]:
    dates = about.keys() & {"run_date", "from_date", "to_date"}
    if dates not in ({"run_date"}, {"from_date", "to_date"}):
        got = ", ".join(f"{name}={value}" for name, value in sorted(about.items()))
        raise InvalidArguments(
            f"the properties of workflow run {run_id} must have run_date, or from_date and to_date, got {got}"
        )
    day = about.get("run_date")
    first, last = (day, day) if day is not None else (about["from_date"], about["to_date"])
    prefix = {name: about[name] for name in ("source_subprefix",) if name in about}
    return {
        "run_mode": "backfill" if day is None else "daily",
        "from_date": str(first),
        "to_date": str(last),
        **prefix,
    }


def _refuse_misspelt(properties: Mapping[str, str]) -> None:
    """A misspelt date would run another date unnoticed. Other properties belong to other jobs."""
    plain = {name.replace("_", ""): name for name in PROPERTIES}
    for name in properties:
        right = plain.get(name.lower().replace("-", "").replace("_", "").replace(" ", ""))
        if right is not None and name != right:
            raise InvalidArguments(
                f"the workflow run has a property '{name}'; it must be spelt '{right}': {PROPERTIES[right]}"
            )


def _runs_back(workflow: str, run_id: str) -> Iterator[dict[str, Any]]:
    """The run, then those that it resumes, back to the first."""
    following: str | None = run_id
    for _ in range(MOST_RESUMES):
        if following is None:
            return
        run = _run(workflow, following)
        yield run
        following = run.get("PreviousRunId")
    raise InvalidArguments(
        f"workflow run {run_id} resumes more than {MOST_RESUMES} runs: start a new one with a run_date"
    )


def _run(workflow: str, run_id: str) -> dict[str, Any]:
    try:
        run: dict[str, Any] = client("glue").get_workflow_run(Name=workflow, RunId=run_id)["Run"]
    except Exception as error:
        code = error_code(error) or type(error).__name__
        raise StorageError(f"cannot read run {run_id} of workflow {workflow}: {code}: {error}") from error
    return run
