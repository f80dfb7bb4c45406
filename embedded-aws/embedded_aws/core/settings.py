"""The settings of the command line, for the behaviours that need them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

TRUST_STORE_PASSWORD = "changeit"  # noqa: S105 - Java's default; the store holds a public certificate only


@dataclass(frozen=True)
class SparkFiles:
    """A Spark's files: the Python that has PySpark, and the folder of the jars it needs for S3."""

    python: Path
    jars: Path


@dataclass(frozen=True)
class Settings:
    """The files and the address of the embedded AWS. Paths are absolute."""

    endpoint: str
    account: str
    region: str
    state: Path
    jars: Path
    """For the Spark in the Python that runs this server."""
    logs: Path
    ca_bundle: Path
    trust_store: Path
    trust_store_password: str
    access_key_id: str
    secret_access_key: str
    seconds_per_minute: float
    """Length of a minute of a job's time-out: 60, less in tests."""
    spark4: SparkFiles | None = None
    """For Glue versions that have Spark 4; without it their job runs fail."""
    trace: Path | None = None
    """The file that iam/enforcement_trace.py appends to; without it there is no trace."""
    deaths: Path | None = None
    """The file that glue/jobs/deaths.py reads at the start of each job run; without it no run is killed."""
    metric_minute_seconds: float = 60.0
    """Length of a minute of an alarm's periods: 60, less in tests."""

    jdbc_drivers: Path | None = None
    """The folder of the JDBC drivers that Glue has; without it jobs with connections find none."""

    schedule_clock: datetime | None = None
    """The time that schedules see when the server starts; without it, the real time."""

    @property
    def port(self) -> int:
        return int(self.endpoint.rsplit(":", 1)[1])
