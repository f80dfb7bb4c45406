"""Finds the installed Spark of a Glue version and checks that all of its parts are there."""

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from embedded_aws.core.settings import Settings, SparkFiles

_ASK_SECONDS = 30
_ICEBERG = "org.apache.iceberg_"
_QUESTION = (
    "import importlib.metadata, importlib.util, json; "
    "print(json.dumps([importlib.metadata.version('pyspark'), importlib.util.find_spec('pyspark').origin]))"
)


class SparkMissingError(RuntimeError):
    """Spark, Java or the S3 jars are missing; the message says which."""


@dataclass(frozen=True)
class SparkKind:
    """The differences between the Sparks."""

    version: str
    jar_list: str
    """The file in the project folder that lists the jars it needs for S3."""
    credentials_in_properties: str
    """The class that reads keys from Java's properties. S3A of Hadoop 3.3 uses version 1 of AWS's SDK for
    Java, that of Hadoop 3.4 version 2."""
    credentials_in_environment: str
    """The class that reads them from the environment."""


SPARK_3 = SparkKind(
    "3.5.6",
    "jars.json",
    "com.amazonaws.auth.SystemPropertiesCredentialsProvider",
    "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
)
SPARK_4 = SparkKind(
    "4.1.1",
    "jars-spark4.json",
    "software.amazon.awssdk.auth.credentials.SystemPropertyCredentialsProvider",
    "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
)
SPARK_OF_GLUE = {"5.1": SPARK_3, "6.0": SPARK_4}
"""Spark by supported Glue version: https://docs.aws.amazon.com/glue/latest/dg/release-notes.html"""


@dataclass(frozen=True)
class Spark:
    """A Spark that can be started. Paths are absolute."""

    kind: SparkKind
    python: Path
    """Runs the scripts; has PySpark."""
    home: Path
    """The folder of PySpark."""
    s3_jars: Path
    formats: frozenset[str] = frozenset()
    """The table formats that a run asked for."""
    jars: tuple[Path, ...] = ()
    """The jars of a run."""

    @property
    def classpath(self) -> list[Path]:
        """Spark's own jars, the jars for S3, those of the formats, and last those of the run."""
        others = sorted(self.s3_jars.glob("*.jar"))
        wanted = [jar for jar in others if "iceberg" in self.formats or not jar.name.startswith(_ICEBERG)]
        return [*sorted((self.home / "jars").glob("*.jar")), *wanted, *self.jars]


def spark_for(glue_version: str, settings: Settings, formats: str = "") -> Spark:
    """The Spark of this Glue version, with the formats of `--datalake-formats`.

    Raises SparkMissingError if a part of it is missing.
    """
    asked = frozenset(name.strip() for name in formats.split(",") if name.strip())
    if asked - {"iceberg"}:
        raise SparkMissingError(f"--datalake-formats '{formats}' is not supported here; use iceberg")
    kind = SPARK_OF_GLUE[glue_version]
    own = SparkFiles(Path(sys.executable), settings.jars)
    files = own if kind is SPARK_3 else settings.spark4
    installed = _installed(files.python) if files else None
    if files is None or installed is None:
        raise SparkMissingError(f"Glue {glue_version} needs PySpark {kind.version}, which is not installed")
    version, home = installed
    if version != kind.version:
        raise SparkMissingError(f"Glue {glue_version} needs PySpark {kind.version}, not {version}")
    if not any(files.jars.glob("*hadoop-aws*.jar")):
        raise SparkMissingError(f"{files.jars} does not hold the jars that {kind.jar_list} names")
    if asked and not any(files.jars.glob(f"{_ICEBERG}*")):
        raise SparkMissingError(f"{files.jars} does not hold Iceberg's jars, which {kind.jar_list} names")
    return Spark(kind, files.python, home, files.jars, asked)


def _installed(python: Path) -> tuple[str, Path] | None:
    """Version and folder of this Python's PySpark; None if it has none."""
    try:
        return _ask(python)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None  # not remembered: it may be installed while the server runs


@functools.cache
def _ask(python: Path) -> tuple[str, Path]:
    asked = subprocess.run(
        [python, "-c", _QUESTION], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
    )
    version, origin = json.loads(asked.stdout)
    # Resolved, so that clones that share an environment have one class path and one archive of its classes.
    return str(version), Path(origin).resolve().parent


def java() -> str:
    """The Java of JAVA_HOME, else the one on the PATH. Raises SparkMissingError without either."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(str(Path(home) / "bin" / "java")) if home else None
    found = found or shutil.which("java")
    if not found:
        raise SparkMissingError("Java is not on the PATH; install Java 17 or set JAVA_HOME")
    return found
