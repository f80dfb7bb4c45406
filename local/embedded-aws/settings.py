"""What the command line said, for the behaviours that need it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Where the embedded AWS keeps things and how it is reached. Paths are absolute."""

    endpoint: str
    account: str
    region: str
    state: Path
    jars: Path
    logs: Path
    ca_bundle: Path
    trust_store: Path
    trust_store_password: str
    access_key_id: str
    secret_access_key: str
    seconds_per_minute: float
    """How long a minute of a job's time-out lasts: 60, less in tests."""

    @property
    def port(self) -> int:
        return int(self.endpoint.rsplit(":", 1)[1])
