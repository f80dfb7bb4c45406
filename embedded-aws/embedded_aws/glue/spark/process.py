"""Runs one Spark script as a local process: its input, start, stop and outcome.

The script sees nothing local: `s3://` goes through S3A to the endpoint, and credentials come from the
environment. Its Java is another process (java.py).
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from embedded_aws.core.settings import Settings
from embedded_aws.glue.spark.installed import Spark
from embedded_aws.glue.spark.java import DRIVER_MEMORY, RUNTIME, IdleJava, aws_environment, kept_environment
from embedded_aws.iam.roles import Credentials

_KILL_AFTER_SECONDS = 5.0


@dataclass(frozen=True)
class SparkProgram:
    """A script with everything it needs, fetched into ``folder``. It runs in the folder of the script."""

    folder: Path
    script: Path
    arguments: list[str]
    modules: list[Path]
    """Archives and folders of --extra-py-files, in order, and the folder of installed packages."""
    configuration: dict[str, str] = field(default_factory=dict)
    """Spark's settings of --conf."""
    jars: list[Path] = field(default_factory=list)
    """Archives of --extra-jars, in order."""


@dataclass(frozen=True)
class Outcome:
    """The end of a process: its exit code and, unless that is 0, one line with the reason."""

    exit_code: int
    error: str


class SparkProcess:
    """A running script. Its process group ends with this server, even if the server is killed."""

    def __init__(
        self,
        program: SparkProgram,
        spark: Spark,
        credentials: Credentials,
        settings: Settings,
        logs: Path,
        idle: IdleJava,
    ) -> None:
        self._report = program.folder / "report.json"
        self._cleared = program.folder / "cleared"
        self._idle = idle
        self.output = logs / "output.log"
        self.error = logs / "error.log"
        logs.mkdir(parents=True, exist_ok=True)
        spark = replace(spark, jars=tuple(program.jars))
        self._java = idle.take(spark, settings)
        lifeline, self._lifeline = os.pipe()
        try:
            plan = self._plan(program, spark, credentials, settings, lifeline)
            # Opened for appending, because Java writes there too.
            with self.output.open("ab") as output, self.error.open("ab") as error:
                self._process = subprocess.Popen(
                    [spark.python, str(RUNTIME / "bootstrap.py"), str(plan)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=error,
                    cwd=program.script.parent,
                    env=_environment(program, spark, credentials, settings),
                    pass_fds=(lifeline,),
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._lifeline)
            self._java.kill()
            raise
        finally:
            os.close(lifeline)

    def _plan(
        self, program: SparkProgram, spark: Spark, credentials: Credentials, settings: Settings, lifeline: int
    ) -> Path:
        plan = program.folder / "plan.json"
        plan.write_text(
            json.dumps(
                {
                    "lifeline": lifeline,
                    "java": {
                        "group": self._java.group,
                        "connection": str(self._java.connection),
                        "ended": str(self._java.ended),
                        "properties": _java_properties(program, spark, credentials, settings),
                        "output": str(self.output),
                        "error": str(self.error),
                        "cleared": str(self._cleared),
                    },
                    "script": str(program.script),
                    "arguments": program.arguments,
                    "report": str(self._report),
                }
            ),
            encoding="utf-8",
        )
        return plan

    def wait(self, seconds: float) -> Outcome | None:
        """The outcome; None if it still runs after so many seconds."""
        try:
            code = self._process.wait(timeout=max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return None
        self._release()
        return Outcome(code, "" if code == 0 else self._why(code))

    def stop(self) -> None:
        """End it and its Java, with SIGTERM first. Returns when both are gone."""
        self._signal(signal.SIGTERM)
        self._java.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_KILL_AFTER_SECONDS)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._release()

    def kill(self) -> None:
        """Kill it and its Java at once, when the server ends."""
        self._signal(signal.SIGKILL)
        self._java.signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _release(self) -> None:
        self._signal(signal.SIGKILL)
        if self._cleared.is_file():
            self._idle.give_back(self._java)
        else:
            self._java.kill()
        with contextlib.suppress(OSError):
            os.close(self._lifeline)

    def _why(self, code: int) -> str:
        try:
            return str(json.loads(self._report.read_text(encoding="utf-8"))["error"])
        except (OSError, ValueError, KeyError):
            pass
        tail = (
            self.error.read_text(encoding="utf-8", errors="replace")[-20_000:] if self.error.is_file() else ""
        )
        return exception_line(tail) or f"Command failed with exit code {code}"


def exception_line(error_output: str) -> str:
    """The last line that names an exception or an error and is not a stack frame; empty without one."""
    named = re.compile(
        r"^(?:Caused by: |Exception in thread \S+ )?((?:[\w$]+\.)*\w*(?:Error|Exception)\b.*)$"
    )
    for line in reversed(error_output.splitlines()):
        found = named.match(line.strip())
        if found and not line.startswith(("\t", "    at ")):
            return found.group(1)[:4000]
    return ""


S3A_REGION = "spark.hadoop.fs.s3a.endpoint.region"


def spark_values(
    settings: Settings, credentials_provider: str, configuration: dict[str, str]
) -> dict[str, str]:
    """Spark's configuration: the job's own, and the settings that direct `s3://` to the embedded AWS.

    A job cannot change the latter. It may set the region of S3A. The default is us-east-2, as in Hadoop 3.4,
    and S3 refuses requests that are signed for another region than the bucket's.
    https://hadoop.apache.org/docs/r3.4.1/hadoop-aws/tools/hadoop-aws/connecting.html
    """
    return {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        S3A_REGION: "us-east-2",
        # An error of this endpoint is an answer, not a failure of the network.
        "spark.hadoop.fs.s3a.attempts.maximum": "2",
        "spark.hadoop.fs.s3a.retry.limit": "1",
        "spark.hadoop.fs.s3a.retry.interval": "100ms",
        **configuration,
        "spark.hadoop.fs.s3a.endpoint": settings.endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.aws.credentials.provider": credentials_provider,
        **iceberg_values(settings, configuration),
    }


def configuration_of(value: str) -> dict[str, str]:
    """The settings in one `--conf` argument of Glue: `a=b --conf c=d`.

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-iceberg.html
    """
    pairs = (part.strip().partition("=") for part in re.split(r"(?:^|\s)--conf\s", value) if part.strip())
    return {name.strip(): text.strip() for name, _, text in pairs}


def iceberg_values(settings: Settings, configuration: dict[str, str]) -> dict[str, str]:
    """Settings that direct the clients of Iceberg's catalogues to the embedded AWS."""
    catalogues = [name for name in configuration if re.fullmatch(r"spark\.sql\.catalog\.\w+", name)]
    own = {
        "s3.endpoint": settings.endpoint,
        "s3.path-style-access": "true",
        "glue.endpoint": settings.endpoint,
        "client.region": settings.region,
    }
    return {f"{catalogue}.{name}": value for catalogue in catalogues for name, value in own.items()}


def _java_properties(
    program: SparkProgram, spark: Spark, credentials: Credentials, settings: Settings
) -> dict[str, str]:
    """Spark's settings, and the keys for versions 1 and 2 of AWS's SDK for Java.

    Java knows nothing else of a run, and the next run replaces them.
    """
    folder = program.folder
    return {
        "aws.accessKeyId": credentials.access_key_id,
        "aws.secretKey": credentials.secret_access_key,
        "aws.secretAccessKey": credentials.secret_access_key,
        "aws.sessionToken": credentials.session_token,
        "spark.app.name": "glue",
        **spark_values(settings, spark.kind.credentials_in_properties, program.configuration),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.local.dir": str(folder / "scratch"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.fs.s3a.buffer.dir": str(folder / "scratch"),
        "spark.executorEnv.PYTHONPATH": _python_path(program),
    }


def role_environment(credentials: Credentials, settings: Settings) -> dict[str, str]:
    """The variables by which every AWS SDK acts as the role on the embedded AWS."""
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        **aws_environment(settings),
    }


def _python_path(program: SparkProgram) -> str:
    return ":".join(str(path) for path in (*program.modules, RUNTIME))


def _environment(
    program: SparkProgram, spark: Spark, credentials: Credentials, settings: Settings
) -> dict[str, str]:
    return {
        **kept_environment(),
        **role_environment(credentials, settings),
        "HOME": str(program.folder),
        "TMPDIR": str(program.folder),
        "TZ": "UTC",
        "SPARK_HOME": str(spark.home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": str(spark.python),
        "PYSPARK_DRIVER_PYTHON": str(spark.python),
        "PYTHONPATH": _python_path(program),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Stoppable(Protocol):
    """A running script, wherever it runs."""

    output: Path
    error: Path

    def wait(self, seconds: float) -> Outcome | None: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...


class RunningProcesses:
    """The processes of all runs; they end with the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Stoppable] = {}
        self._ended = False

    def add(self, run_id: str, process: Stoppable) -> None:
        with self._lock:
            self._running[run_id] = process
            if self._ended:
                process.kill()

    def remove(self, run_id: str) -> None:
        with self._lock:
            self._running.pop(run_id, None)

    def end(self) -> None:
        with self._lock:
            self._ended = True
            for process in self._running.values():
                process.kill()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and any(p.wait(0.05) is None for p in list(self._running.values())):
            pass
