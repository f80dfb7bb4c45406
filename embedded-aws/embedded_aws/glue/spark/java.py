"""The Java processes that run Spark. One process serves several runs, one after the other.

In a new process, a short run spends most of its time loading classes and compiling code. Each run has its own
Spark context, settings, credentials and output streams, and Java's copies are cleared between runs. If a run
is killed, its Java process is killed too. A run with jars of its own has a Java process of its own.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from embedded_aws.core.settings import Settings
from embedded_aws.glue.spark.installed import Spark, java

RUNTIME = Path(__file__).resolve().parent / "job-runtime"
DRIVER_MEMORY = "1g"

_ARCHIVE_SECONDS = 90.0
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


class SparkJava:
    """A Java process that listens for a Python driver. It ends with its standard input, that is with this
    server."""

    def __init__(self, spark: Spark, settings: Settings) -> None:
        self.spark = spark
        self.runs = 0
        self.folder = Path(tempfile.mkdtemp(prefix="glue-java-")).resolve()
        self.connection = self.folder / "gateway"
        """The file with its port and secret; it exists once Java listens."""
        self.ended = self.folder / "ended"
        """The file with its exit code; it exists once Java has ended."""
        self._archive = class_archive(spark)
        self._makes_archive = not self._archive.is_file() and not spark.jars
        with (self.folder / "java.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command(settings),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment(settings),
                start_new_session=True,
            )
        threading.Thread(target=self._note_end, name="spark-java", daemon=True).start()

    @property
    def group(self) -> int:
        """Its process group, which has no other process."""
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        return self._process.poll() is None and not self._makes_archive

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def retire(self) -> None:
        """Ends it after a run that ended by itself. The first process leaves the archive of its classes."""
        if self._makes_archive:
            self._leave_archive()
        self.kill()

    def _leave_archive(self) -> None:
        """Lets it end by itself, which writes the archive, and replaces older archives."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(timeout=_ARCHIVE_SECONDS)
        except subprocess.TimeoutExpired:
            return
        made = self.folder / "classes.jsa"
        if code == 0 and made.is_file():
            beside = self._archive.with_suffix(f".{os.getpid()}")
            shutil.copyfile(made, beside)
            for old in self._archive.parent.glob("classes-*.jsa"):
                old.unlink(missing_ok=True)
            beside.replace(self._archive)

    def _note_end(self) -> None:
        code = self._process.wait()
        with contextlib.suppress(OSError):  # its folder may be gone
            self.ended.write_text(str(code), encoding="utf-8")

    def _command(self, settings: Settings) -> list[str]:
        return [
            java(),
            *("-cp", ":".join(str(jar) for jar in self.spark.classpath)),
            f"-XX:ArchiveClassesAtExit={self.folder / 'classes.jsa'}"
            if self._makes_archive
            else f"-XX:SharedArchiveFile={self._archive}",
            *("-Xlog:disable", "-Xlog:all=error:stderr"),  # else Java logs each class that it cannot archive
            f"-Xmx{DRIVER_MEMORY}",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # runs are too short for the better compiler
            "-XX:+IgnoreUnrecognizedVMOptions",
            *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _MODULE_ACCESS),
            "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
            "-Djdk.reflect.useDirectMethodHandle=false",
            "-Duser.timezone=UTC",
            f"-Djava.io.tmpdir={self.folder}",
            f"-Djavax.net.ssl.trustStore={settings.trust_store}",
            f"-Djavax.net.ssl.trustStorePassword={settings.trust_store_password}",
            f"-Dlog4j2.configurationFile={RUNTIME / 'log4j2.properties'}",
            *("org.apache.spark.deploy.SparkSubmit", "pyspark-shell"),
        ]

    def _environment(self, settings: Settings) -> dict[str, str]:
        return {
            **kept_environment(),
            **aws_environment(settings),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "TZ": "UTC",
            "SPARK_HOME": str(self.spark.home),
            "SPARK_CONF_DIR": str(self.folder),  # an empty folder: each run has its own settings
            "SPARK_LOCAL_IP": "127.0.0.1",
            "_PYSPARK_DRIVER_CONN_INFO_PATH": str(self.connection),
        }


class IdleJava:
    """The Java processes that wait for the next run, at most one for each Spark."""

    def __init__(self, runs: int = 12) -> None:
        """A process serves at most `runs` runs, so that leaks do not add up."""
        self._runs = runs
        self._lock = threading.Lock()
        self._idle: dict[Spark, SparkJava] = {}
        self._ended = False

    def take(self, spark: Spark, settings: Settings) -> SparkJava:
        with self._lock:
            found = self._idle.pop(spark, None)  # none has jars of a run
        if found and not found.is_usable:
            found.kill()
            found = None
        taken = found or SparkJava(spark, settings)
        taken.runs += 1
        return taken

    def give_back(self, spare: SparkJava) -> None:
        """Keep the process of a run that has cleared its traces, or end it."""
        with self._lock:
            is_wanted = not self._ended and not spare.spark.jars and spare.spark not in self._idle
            is_kept = is_wanted and spare.is_usable and spare.runs < self._runs
            if is_kept:
                self._idle[spare.spark] = spare
        if not is_kept:
            spare.retire()

    def end(self) -> None:
        with self._lock:
            self._ended = True
            idle = list(self._idle.values())
            self._idle.clear()
        for one in idle:
            one.kill()


def class_archive(spark: Spark) -> Path:
    """The archive of Spark's classes for this Java. It saves a third of a first run's processor time.

    The first run writes it (10 s, 150 MB, beside the jars). Another Java or other jars need another archive;
    jars of a run do not, because they stand behind all others.
    """
    described = [Path(java()).resolve(), *replace(spark, jars=()).classpath]
    text = "\n".join(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in described)
    return spark.s3_jars / f"classes-{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsa"


def kept_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LANG", "LC_ALL") if name in os.environ}


def aws_environment(settings: Settings) -> dict[str, str]:
    """The variables by which every AWS SDK finds the embedded AWS, without credentials."""
    return {
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_CA_BUNDLE": str(settings.ca_bundle),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
        "AWS_JAVA_V1_DISABLE_DEPRECATION_ANNOUNCEMENT": "true",
    }
