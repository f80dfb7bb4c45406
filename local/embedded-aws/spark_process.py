"""One Spark script as a process of this machine: what it is given, how it is started, stopped and understood.

The script sees nothing local: `s3://` goes to S3A and the endpoint, and credentials come from the
environment.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from roles import Credentials
from settings import Settings

RUNTIME = Path(__file__).resolve().parent / "glue-runtime"
SPARK_OF_GLUE = {"5.1": "3.5.6"}
"""Spark by Glue version, https://docs.aws.amazon.com/glue/latest/dg/release-notes.html; only what is
installed here.
"""

_DRIVER_MEMORY = "1g"
_CREDENTIALS_PROVIDER = "com.amazonaws.auth.EnvironmentVariableCredentialsProvider"
_KILL_AFTER_SECONDS = 5.0
_MODULE_ACCESS = [
    "java.lang",
    "java.lang.invoke",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "jdk.internal.ref",
    "sun.nio.ch",
    "sun.nio.cs",
    "sun.security.action",
    "sun.util.calendar",
]


class SparkMissingError(RuntimeError):
    """Spark, Java or the S3 jars are not there; the message says which."""


@dataclass(frozen=True)
class SparkProgram:
    """A script with everything it needs, all of it fetched into ``folder``."""

    folder: Path
    script: Path
    arguments: list[str]
    modules: list[Path]
    """Archives and folders of --extra-py-files, in order."""


@dataclass(frozen=True)
class Outcome:
    """How a process ended: its exit code and, unless that is 0, one line that says why."""

    exit_code: int
    error: str


class SparkProcess:
    """A running script. Its process group ends with this server, however the server ends."""

    def __init__(
        self, program: SparkProgram, credentials: Credentials, settings: Settings, logs: Path
    ) -> None:
        self._folder = program.folder
        self._report = program.folder / "report.json"
        self.output = logs / "output.log"
        self.error = logs / "error.log"
        logs.mkdir(parents=True, exist_ok=True)
        lifeline, self._lifeline = os.pipe()
        try:
            plan = self._plan(program, settings, lifeline)
            with self.output.open("wb") as output, self.error.open("wb") as error:
                self._process = subprocess.Popen(
                    [sys.executable, str(RUNTIME / "bootstrap.py"), str(plan)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=error,
                    cwd=program.folder,
                    env=_environment(program, credentials, settings),
                    pass_fds=(lifeline,),
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)

    def _plan(self, program: SparkProgram, settings: Settings, lifeline: int) -> Path:
        _write_spark_configuration(program.folder, settings)
        plan = program.folder / "plan.json"
        archive = class_archive(settings)
        made = None if archive.is_file() else program.folder / "classes.jsa"
        plan.write_text(
            json.dumps(
                {
                    "lifeline": lifeline,
                    "java": _java_command(program.folder, settings, made or archive, reads=made is None),
                    "archive": [str(made), str(archive)] if made else None,
                    "connection": str(program.folder / "gateway"),
                    "script": str(program.script),
                    "arguments": program.arguments,
                    "report": str(self._report),
                }
            ),
            encoding="utf-8",
        )
        return plan

    def wait(self, seconds: float) -> Outcome | None:
        """The outcome, or None when it still runs after so many seconds."""
        try:
            code = self._process.wait(timeout=max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return None
        self._release()
        return Outcome(code, "" if code == 0 else self._why(code))

    def stop(self) -> None:
        """End the whole process group, asking first. Returns when it is gone."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_KILL_AFTER_SECONDS)
        self._signal(signal.SIGKILL)  # the JVM is in the group and may still be there
        self._process.wait()
        self._release()

    def kill(self) -> None:
        """End it at once; for a server that is ending."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _release(self) -> None:
        self._signal(signal.SIGKILL)
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
    """The last line that names an exception or an error, not a stack frame; empty when there is none."""
    named = re.compile(
        r"^(?:Caused by: |Exception in thread \S+ )?((?:[\w$]+\.)*\w*(?:Error|Exception)\b.*)$"
    )
    for line in reversed(error_output.splitlines()):
        found = named.match(line.strip())
        if found and not line.startswith(("\t", "    at ")):
            return found.group(1)[:4000]
    return ""


def _spark_home() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise SparkMissingError("PySpark is not installed in the Python that runs the embedded AWS")
    return Path(spec.origin).parent


def java() -> str:
    """The Java of JAVA_HOME, else the one on the PATH. Raises SparkMissingError without either."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(str(Path(home) / "bin" / "java")) if home else None
    found = found or shutil.which("java")
    if not found:
        raise SparkMissingError("Java is not on the PATH; install Java 17 or set JAVA_HOME")
    return found


def _jars(settings: Settings) -> list[Path]:
    jars = sorted(settings.jars.glob("*.jar"))
    if not any("hadoop-aws" in jar.name for jar in jars):
        raise SparkMissingError(f"{settings.jars} does not hold the jars that jars.json names")
    return jars


def _classpath(settings: Settings) -> list[Path]:
    return [*sorted((_spark_home() / "jars").glob("*.jar")), *_jars(settings)]


def class_archive(settings: Settings) -> Path:
    """The file of Spark's classes as this Java loads them, which saves a third of a run's processor time.

    The first run writes it (10 s, 150 MB, beside the jars); another Java or other jars have another one.
    """
    described = [Path(java()).resolve(), *_classpath(settings)]
    text = "\n".join(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in described)
    return settings.jars / f"classes-{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsa"


def _java_command(folder: Path, settings: Settings, archive: Path, reads: bool) -> list[str]:
    return [
        java(),
        *("-cp", ":".join(str(jar) for jar in _classpath(settings))),
        f"-XX:{'SharedArchiveFile' if reads else 'ArchiveClassesAtExit'}={archive}",
        *("-Xlog:disable", "-Xlog:all=error:stderr"),  # or what cannot be archived is told line by line
        f"-Xmx{_DRIVER_MEMORY}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",  # runs are too short for the better compiler
        "-XX:+IgnoreUnrecognizedVMOptions",
        *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _MODULE_ACCESS),
        "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
        "-Djdk.reflect.useDirectMethodHandle=false",
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={folder}",
        f"-Djavax.net.ssl.trustStore={settings.trust_store}",
        f"-Djavax.net.ssl.trustStorePassword={settings.trust_store_password}",
        f"-Dlog4j2.configurationFile={RUNTIME / 'log4j2.properties'}",
        *("org.apache.spark.deploy.SparkSubmit", "pyspark-shell"),
    ]


def spark_values(settings: Settings) -> dict[str, str]:
    """Spark's configuration that makes `s3://` the embedded AWS."""
    return {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": settings.endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": settings.region,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.aws.credentials.provider": _CREDENTIALS_PROVIDER,
        # A refusal here is an answer, not a hiccup of a network.
        "spark.hadoop.fs.s3a.attempts.maximum": "2",
        "spark.hadoop.fs.s3a.retry.limit": "1",
        "spark.hadoop.fs.s3a.retry.interval": "100ms",
    }


def _write_spark_configuration(folder: Path, settings: Settings) -> None:
    configuration = folder / "conf"
    configuration.mkdir(exist_ok=True)
    values = {
        **spark_values(settings),
        "spark.app.name": "glue",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": _DRIVER_MEMORY,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.fs.s3a.buffer.dir": str(folder / "scratch"),
    }
    lines = "".join(f"{name} {value}\n" for name, value in values.items())
    (configuration / "spark-defaults.conf").write_text(lines, encoding="utf-8")


def aws_environment(credentials: Credentials, settings: Settings) -> dict[str, str]:
    """What every AWS SDK reads to act as the role on the embedded AWS."""
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_CA_BUNDLE": str(settings.ca_bundle),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
        "AWS_JAVA_V1_DISABLE_DEPRECATION_ANNOUNCEMENT": "true",
    }


def _environment(program: SparkProgram, credentials: Credentials, settings: Settings) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LANG", "LC_ALL") if name in os.environ}
    return {
        **kept,
        **aws_environment(credentials, settings),
        "HOME": str(program.folder),
        "TMPDIR": str(program.folder),
        "TZ": "UTC",
        "SPARK_HOME": str(_spark_home()),
        "SPARK_CONF_DIR": str(program.folder / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(program.folder / "scratch"),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": ":".join(str(path) for path in (*program.modules, RUNTIME)),
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
    """The processes of all runs, so that they end with the server."""

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
