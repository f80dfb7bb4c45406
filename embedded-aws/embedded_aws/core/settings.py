"""What the command line said, for the behaviours that need it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class SparkFiles:
    """Where a Spark lies: the Python that has PySpark, and the folder of the jars it needs for S3."""

    python: Path
    jars: Path


@dataclass(frozen=True)
class Settings:
    """Where the embedded AWS keeps things and how it is reached. Paths are absolute."""

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
    """How long a minute of a job's time-out lasts: 60, less in tests."""
    spark4: SparkFiles | None = None
    """For Glue versions that have Spark 4; without it their job runs fail."""
    trace: Path | None = None
    """Where enforcement_trace.py appends; without it nothing is told."""
    deaths: Path | None = None
    """What glue/jobs/deaths.py reads at the start of each job run; without it no run is killed."""
    metric_minute_seconds: float = 60.0
    """How long a minute of an alarm's periods lasts: 60, less in tests."""

    schedule_clock: datetime | None = None
    """What the clock that schedules go by says when the server starts; without it, the real time."""

    @property
    def port(self) -> int:
        return int(self.endpoint.rsplit(":", 1)[1])
