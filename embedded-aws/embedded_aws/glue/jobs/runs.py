"""StartJobRun runs the script under real Spark, with temporary credentials of the job's own role.

The script, its modules, jars and files are fetched with these credentials too, and connections are looked up,
so that every right of the role is checked.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html
"""

import contextvars
import logging
import re
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.exceptions

from embedded_aws.cloudwatch import metric_emission
from embedded_aws.core import emulator, snapshots
from embedded_aws.core.settings import Settings
from embedded_aws.glue import outcomes
from embedded_aws.glue.answers import RefusedError
from embedded_aws.glue.jobs import deaths
from embedded_aws.glue.jobs.logs import JobLog
from embedded_aws.glue.jobs.security import JobSecurity, SecurityMissingError, security_of
from embedded_aws.glue.spark import docker, python_modules
from embedded_aws.glue.spark.installed import SPARK_OF_GLUE, SparkMissingError, spark_for
from embedded_aws.glue.spark.java import IdleJava
from embedded_aws.glue.spark.process import (
    Outcome,
    RunningProcesses,
    SparkProcess,
    SparkProgram,
    Stoppable,
    configuration_of,
)
from embedded_aws.iam import roles

LIVE = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})
DEFAULT_LOG_PREFIX = "/aws-glue/jobs"
_BEHAVIOUR = "job runs under Spark"
_logger = logging.getLogger("embedded-aws.job-runs")
_lock = threading.Lock()
_stops: dict[str, threading.Event] = {}
_ending = threading.Event()
"""Set when the server ends its runs: nothing may follow from their ends."""
_processes = RunningProcesses()
_idle_java = IdleJava()


def install(settings: Settings) -> Callable[[], None]:
    """Replace MiniStack's starting and stopping of job runs. Calling the result ends all runs."""

    def start(original: Any) -> Callable[..., Any]:
        del original
        return lambda data: _start_job_run(settings, data)

    def stop(original: Any) -> Callable[..., Any]:
        del original
        return _batch_stop_job_run

    def load(original: Any) -> Callable[..., Any]:
        def load_persisted_state(data: Any) -> Any:
            answer = original(data)
            _end_interrupted_runs()
            return answer

        return load_persisted_state

    emulator.replace("services.glue", "_start_job_run", ("data",), start, _BEHAVIOUR)
    emulator.replace("services.glue", "_batch_stop_job_run", ("data",), stop, _BEHAVIOUR)
    emulator.replace("services.glue", "load_persisted_state", ("data",), load, _BEHAVIOUR)
    return _end_all


def _end_all() -> None:
    _ending.set()
    for event in list(_stops.values()):
        event.set()
    _processes.end()
    _idle_java.end()


def _end_interrupted_runs() -> None:
    """End the runs of an earlier server. Their processes ended with it."""
    for runs in emulator.service("glue")._job_runs._data.values():
        for run in runs:
            if run.get("JobRunState") in LIVE:
                _finish(run, "FAILED", "The embedded AWS ended while this job ran")


# -- starting --


@dataclass(frozen=True)
class StartedBy:
    """The trigger that starts a run, what preceded it, and the arguments that the trigger's workflow adds."""

    trigger: str
    predecessors: tuple[dict[str, str], ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)


def _start_job_run(settings: Settings, data: dict[str, Any]) -> Any:
    glue = emulator.service("glue")
    try:
        return glue.json_response({"JobRunId": start(settings, data)["Id"]})
    except RefusedError as error:
        return glue.error_response_json(error.code, str(error), 400)


def start(settings: Settings, data: dict[str, Any], by: StartedBy | None = None) -> dict[str, Any]:
    """Start a run of a job with the parameters of StartJobRun. Returns the run, which changes until it ends.

    Raises RefusedError.
    """
    glue = emulator.service("glue")
    name = str(data.get("JobName"))
    job = glue._jobs.get(name)
    if job is None:
        raise RefusedError("EntityNotFoundException", f"Failed to start job run: job {name} not found")
    given = data.get("Arguments") or {}
    if not all(isinstance(value, str) for value in given.values()):
        raise RefusedError("InvalidInputException", "Arguments must be a map of string to string")
    run_id = f"jr_{secrets.token_hex(32)}"
    account, region = roles.current_scope()
    try:
        source = f"arn:aws:glue:{region}:{account}:job/{name}"
        credentials = roles.assume(
            job.get("Role", ""), "glue.amazonaws.com", f"GlueJobRunnerSession-{name}", source
        )
    except roles.RoleNotAssumableError as error:
        raise RefusedError("InvalidInputException", str(error)) from error
    with _lock:
        runs = glue._job_runs.get(name) or []
        most = int((job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1))
        if sum(1 for run in runs if run["JobRunState"] in LIVE) >= most:
            raise RefusedError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {name}")
        run = _new_run(job, name, run_id, data, by)
        glue._job_runs[name] = [run, *runs]  # the latest first, as AWS lists them
    stopped = _stops[run_id] = threading.Event()
    worker = _Run(settings, job, run, credentials, stopped, by.arguments if by else {})
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(worker.execute,), name=run_id[:16], daemon=True).start()
    return run


def refused_run(data: dict[str, Any], by: StartedBy, state: str, message: str) -> dict[str, Any]:
    """The run that a trigger could not start, among the job's runs if the job exists.

    https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
    """
    glue = emulator.service("glue")
    name = str(data["JobName"])
    job = glue._jobs.get(name)
    run = _new_run(job or {}, name, f"jr_{secrets.token_hex(32)}", data, by)
    now = time.time()
    run.update(JobRunState=state, ErrorMessage=message, LastModifiedOn=now, CompletedOn=now)
    if job is not None:
        with _lock:
            glue._job_runs[name] = [run, *(glue._job_runs.get(name) or [])]
    return run


def _new_run(
    job: dict[str, Any], name: str, run_id: str, data: dict[str, Any], by: StartedBy | None
) -> dict[str, Any]:
    now = time.time()
    worker = {key: data.get(key) or job.get(key) for key in ("WorkerType", "NumberOfWorkers", "MaxCapacity")}
    run = {
        "Id": run_id,
        "Attempt": 0,
        "JobName": name,
        "JobMode": "SCRIPT",
        "JobRunQueuingEnabled": False,
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": dict(data.get("Arguments") or {}),
        "PredecessorRuns": list(by.predecessors) if by else [],
        "ExecutionTime": 0,
        "Timeout": data.get("Timeout") or job.get("Timeout") or 2880,
        **{key: value for key, value in worker.items() if value is not None},
        "ExecutionClass": data.get("ExecutionClass") or job.get("ExecutionClass") or "STANDARD",
        "LogGroupName": DEFAULT_LOG_PREFIX,
        "GlueVersion": job.get("GlueVersion", "5.1"),
    }
    for key in ("SecurityConfiguration", "NotificationProperty"):
        if data.get(key) or job.get(key):
            run[key] = data.get(key) or job[key]
    if by:
        run["TriggerName"] = by.trigger
    return run


def arguments_of(
    job: dict[str, Any], run: dict[str, Any], added: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The script's arguments: non-overridable ones win over the run's, and these over the job's defaults.

    ``added`` are Glue's own besides the run's.
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
    """
    return {
        **(job.get("DefaultArguments") or {}),
        "--JOB_NAME": run["JobName"],
        "--JOB_RUN_ID": run["Id"],
        **(added or {}),
        **run["Arguments"],
        **(job.get("NonOverridableArguments") or {}),
    }


# -- running --


class _Run:
    def __init__(
        self,
        settings: Settings,
        job: dict[str, Any],
        run: dict[str, Any],
        credentials: roles.Credentials,
        stopped: threading.Event,
        added: Mapping[str, str],
    ) -> None:
        self._settings = settings
        self._job = job
        self._run = run
        self._credentials = credentials
        self._stopped = stopped
        self._arguments = arguments_of(job, run, added)

    def execute(self) -> None:
        run_id = self._run["Id"]
        try:
            with tempfile.TemporaryDirectory(prefix="glue-run-", ignore_cleanup_errors=True) as folder:
                self._execute_in(Path(folder).resolve())
        except _EXPECTED as error:
            _finish(self._run, "FAILED", f"{type(error).__name__.removesuffix('Error')}: {error}")
        except Exception as error:
            _logger.exception("run %s could not be executed", run_id)
            _finish(self._run, "FAILED", f"Internal service error: {error}")
        finally:
            _stops.pop(run_id, None)
            _logger.info("run %s of %s: %s", run_id, self._run["JobName"], self._run["JobRunState"])
            if not _ending.is_set():
                outcomes.job_run_ended(self._run)
            snapshots.changed()

    def _execute_in(self, folder: Path) -> None:
        _check(self._job, str(self._run["GlueVersion"]))
        security = security_of({**self._job, "SecurityConfiguration": self._run.get("SecurityConfiguration")})
        self._look_up_connections()
        version = str(self._run["GlueVersion"])
        image = docker.image_for(version)
        formats = self._arguments.get("--datalake-formats", "")
        spark = None if image else spark_for(version, self._settings, formats)
        program = self._fetch(folder, security, spark.python if spark else Path(sys.executable))
        logs = self._settings.logs / "job-runs" / self._run["Id"]
        fate = deaths.watch(self._settings, self._run["Id"], self._credentials.access_key_id)
        process: Stoppable
        if image:
            process = docker.DockerProcess(image, program, self._credentials, self._settings, logs)
        else:
            assert spark is not None
            process = SparkProcess(program, spark, self._credentials, self._settings, logs, _idle_java)
        _processes.add(self._run["Id"], process)
        fate.begins(process.kill)
        asked = self._arguments.get("--custom-logGroup-prefix") or DEFAULT_LOG_PREFIX
        prefix = security.log_prefix(asked, self._credentials.role_arn)
        client = roles.client(self._settings, "logs", self._credentials)
        streams = [
            JobLog(client, f"{prefix}/output", self._run["Id"], process.output, security.logs_key),
            JobLog(client, f"{prefix}/error", self._run["Id"], process.error, security.logs_key),
        ]
        self._run.update(JobRunState="RUNNING", LastModifiedOn=time.time(), LogGroupName=prefix)
        try:
            state, message = self._wait(process)
        finally:
            killed = fate.ends()
            _processes.remove(self._run["Id"])
            for stream in streams:
                stream.close()
        _finish(self._run, state, killed if killed and state == "FAILED" else message)

    def _wait(self, process: Stoppable) -> tuple[str, str]:
        minutes = float(self._run["Timeout"])
        deadline = time.monotonic() + minutes * self._settings.seconds_per_minute
        outcome: Outcome | None = None
        late = (self._run.get("NotificationProperty") or {}).get("NotifyDelayAfter")
        delay = time.monotonic() + float(late or 0) * self._settings.seconds_per_minute
        while outcome is None:
            if self._stopped.is_set():
                process.stop()
                return "STOPPED", ""
            if time.monotonic() > deadline:
                process.stop()
                return "TIMEOUT", f"Job run exceeded its time-out of {minutes:g} minutes"
            if late and time.monotonic() > delay:
                outcomes.announce_delay(self._run, late)
                late = None
            outcome = process.wait(0.1)
        if self._stopped.is_set():
            return "STOPPED", ""
        return ("SUCCEEDED", "") if outcome.exit_code == 0 else ("FAILED", outcome.error)

    def _drivers(self) -> list[Path]:
        """Glue's JDBC drivers, for a job that has connections: a class path of its own costs a Java process.

        https://docs.aws.amazon.com/glue/latest/dg/migrating-version-50.html (appendix of drivers)"""
        folder = self._settings.jdbc_drivers
        if folder is None or not self._connections():
            return []
        return sorted(folder.glob("*.jar"))

    def _connections(self) -> list[str]:
        return (self._job.get("Connections") or {}).get("Connections") or []

    def _look_up_connections(self) -> None:
        """Raises ClientError for the first connection that is missing, or that the role may not see."""
        names = self._connections()
        if names:
            glue = roles.client(self._settings, "glue", self._credentials)
            for name in names:
                glue.get_connection(Name=name)

    def _fetch(self, folder: Path, security: JobSecurity, python: Path) -> SparkProgram:
        s3 = roles.client(self._settings, "s3", self._credentials)
        work = folder / "work"
        script = _download(s3, str(self._job["Command"]["ScriptLocation"]), work)
        modules = [
            _download(s3, uri, folder / "modules") for uri in _listed(self._arguments, "--extra-py-files")
        ]
        for uri in _listed(self._arguments, "--extra-files"):
            _download(s3, uri, work)
        # Each in a folder of its own, because two keys may end alike.
        jars = self._drivers() + [
            _download(s3, uri, folder / "jars" / str(index))
            for index, uri in enumerate(_listed(self._arguments, "--extra-jars"))
        ]
        pairs = [word for name, value in self._arguments.items() for word in (name, str(value))]
        # A single module is imported from its folder, an archive directly.
        paths = list(dict.fromkeys(path.parent if path.suffix == ".py" else path for path in modules))
        paths += self._python_modules(s3, folder / "wheels", python)
        configuration = configuration_of(self._arguments.get("--conf", "")) | security.spark_values()
        return SparkProgram(folder, script, pairs, paths, configuration, jars)

    def _python_modules(self, s3: Any, folder: Path, python: Path) -> list[Path]:
        asked = _listed(self._arguments, "--additional-python-modules")
        if not asked:
            return []
        modules = [_download(s3, one, folder) if re.match(r"s3[an]?://", one) else one for one in asked]
        options = self._arguments.get("--python-modules-installer-option", "")
        return [python_modules.install(python, modules, options, self._settings.state / "python-modules")]


class _UnfitError(Exception):
    """The job asks for something that is not supported here."""


_EXPECTED = (
    botocore.exceptions.ClientError,
    python_modules.PythonModulesError,
    SparkMissingError,
    SecurityMissingError,
    _UnfitError,
)


def _check(job: dict[str, Any], version: str) -> None:
    command = job.get("Command") or {}
    if command.get("Name") != "glueetl":
        raise _UnfitError(f"jobs of type '{command.get('Name')}' are not supported here; use 'glueetl'")
    if version not in SPARK_OF_GLUE and not docker.image_for(version):
        known = ", ".join(SPARK_OF_GLUE)
        raise _UnfitError(
            f"Glue {version} is not supported here; set the job's Glue version to one of {known}"
        )


def _listed(arguments: dict[str, str], name: str) -> list[str]:
    return [one.strip() for one in arguments.get(name, "").split(",") if one.strip()]


def _download(s3: Any, uri: str, folder: Path) -> Path:
    found = re.fullmatch(r"s3[an]?://([^/]+)/(.+)", uri)
    if not found:
        raise _UnfitError(f"'{uri}' is not an s3:// URI of an object")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / found.group(2).rsplit("/", 1)[-1]
    with target.open("wb") as file:
        shutil.copyfileobj(s3.get_object(Bucket=found.group(1), Key=found.group(2))["Body"], file)
    return target


def _finish(run: dict[str, Any], state: str, message: str) -> None:
    now = time.time()
    run.update(LastModifiedOn=now, CompletedOn=now, ExecutionTime=int(now - run["StartedOn"]))
    if message:
        run["ErrorMessage"] = message
    run["JobRunState"] = state
    metric_emission.job_run_ended(run)


# -- stopping --


def _batch_stop_job_run(data: dict[str, Any]) -> Any:
    glue = emulator.service("glue")
    name = data.get("JobName")
    runs = {run["Id"]: run for run in glue._job_runs.get(name) or []}
    stopping, errors = [], []
    for run_id in data.get("JobRunIds") or []:
        run = runs.get(run_id)
        if run is None:
            errors.append(_stop_error(name, run_id, "EntityNotFoundException", f"Job run {run_id} not found"))
        elif run["JobRunState"] not in LIVE:
            message = f"Job run {run_id} is {run['JobRunState']} and cannot be stopped"
            errors.append(_stop_error(name, run_id, "JobRunNotInTerminalStateException", message))
        else:
            stop(run)
            stopping.append({"JobName": name, "JobRunId": run_id})
    return glue.json_response({"SuccessfulSubmissions": stopping, "Errors": errors})


def stop(run: dict[str, Any]) -> None:
    """Stop a run that has not ended. It ends as STOPPED soon after."""
    run.update(JobRunState="STOPPING", LastModifiedOn=time.time())
    event = _stops.get(run["Id"])
    if event:
        event.set()


def _stop_error(name: Any, run_id: str, code: str, message: str) -> dict[str, Any]:
    return {"JobName": name, "JobRunId": run_id, "ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}}
