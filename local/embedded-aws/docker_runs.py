"""AWS's own Glue image, where Docker has it: the same script, credentials and configuration in a container."""

from pathlib import Path

from roles import Credentials
from settings import Settings
from spark_process import Outcome, SparkProgram


def image_for(glue_version: str) -> str | None:
    return None


class DockerProcess:
    output: Path
    error: Path

    def __init__(
        self, image: str, program: SparkProgram, credentials: Credentials, settings: Settings, logs: Path
    ) -> None:
        raise NotImplementedError

    def wait(self, seconds: float) -> Outcome | None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        raise NotImplementedError
