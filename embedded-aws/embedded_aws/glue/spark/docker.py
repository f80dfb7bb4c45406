"""Runs a script in AWS's own Glue image if Docker has it, with the same credentials and configuration.

MiniStack's own Docker path uses plain HTTP with fixed keys, which IAM and the buckets refuse here. The
container shares this machine's network, so that it reaches the endpoint under the certificate's address.
https://docs.aws.amazon.com/glue/latest/dg/develop-local-docker-image.html
"""

import functools
import os
import shutil
import subprocess
from pathlib import Path

from embedded_aws.core.settings import Settings
from embedded_aws.glue.spark.installed import SPARK_3
from embedded_aws.glue.spark.process import (
    Outcome,
    SparkProgram,
    exception_line,
    role_environment,
    spark_values,
)
from embedded_aws.iam.roles import Credentials

IMAGES = {
    "5.0": ("public.ecr.aws/glue/aws-glue-libs:5", "amazon/aws-glue-libs:5"),
    "5.1": ("public.ecr.aws/glue/aws-glue-libs:5", "amazon/aws-glue-libs:5"),
}
"""The image of a Glue version, under its two names."""

_SECONDS = 20
# Ends with its standard input, so that a container does not outlive a server that was killed.
_LEASHED = 'exec 3<&0; spark-submit "$@" </dev/null & run=$!; (cat <&3 >/dev/null; kill -9 $run) & wait $run'


@functools.cache
def image_for(glue_version: str) -> str | None:
    """The image of this Glue version; None unless Docker runs here and has it. Looked up once per server."""
    if shutil.which("docker") is None:
        return None
    for image in IMAGES.get(glue_version, ()):
        try:
            command = ["docker", "image", "inspect", image]
            asked = subprocess.run(command, capture_output=True, timeout=_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return None
        if asked.returncode == 0:
            return image
    return None


class DockerProcess:
    """A script in a container. It ends with this process, which holds its standard input."""

    def __init__(
        self, image: str, program: SparkProgram, credentials: Credentials, settings: Settings, logs: Path
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.output, self.error = logs / "output.log", logs / "error.log"
        self._name = f"glue-run-{program.folder.name}"
        command = docker_command(image, self._name, program, credentials, settings)
        with self.output.open("wb") as output, self.error.open("wb") as error:
            environment = {**os.environ, **role_environment(credentials, settings)}
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=error, env=environment
            )

    def wait(self, seconds: float) -> Outcome | None:
        """The outcome; None if it still runs after so many seconds."""
        try:
            code = self._process.wait(timeout=max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return None
        tail = self.error.read_text(encoding="utf-8", errors="replace")[-20_000:]
        why = exception_line(tail) or f"Command failed with exit code {code}"
        return Outcome(code, "" if code == 0 else why)

    def stop(self) -> None:
        """End the container. Returns when it is gone."""
        self.kill()
        self._process.wait()

    def kill(self) -> None:
        """End the container at once."""
        subprocess.run(["docker", "kill", self._name], capture_output=True, timeout=_SECONDS)


def docker_command(
    image: str, name: str, program: SparkProgram, credentials: Credentials, settings: Settings
) -> list[str]:
    """The command line. Keys are passed by the environment, not on the command line."""
    folder = program.folder
    trust = f"-Djavax.net.ssl.trustStore={settings.trust_store}"
    trust += f" -Djavax.net.ssl.trustStorePassword={settings.trust_store_password}"
    values = {
        **spark_values(settings, SPARK_3.credentials_in_environment, program.configuration),
        "spark.driver.extraJavaOptions": trust,
    }
    installed = (path for path in program.modules if not path.is_relative_to(folder))
    mounts = (folder, settings.ca_bundle, settings.trust_store, *installed)
    jars = ",".join(str(jar) for jar in program.jars)
    return [
        *("docker", "run", "--rm", "--interactive", "--network", "host", "--name", name),
        *(word for path in mounts for word in ("--volume", f"{path}:{path}:ro")),
        *(word for key in role_environment(credentials, settings) for word in ("--env", key)),
        *("--env", f"PYTHONPATH={':'.join(str(path) for path in program.modules)}"),
        *(("--workdir", str(program.script.parent)) if program.script.parent != folder else ()),
        *("--entrypoint", "bash", image, "-c", _LEASHED, "spark-submit"),
        *(word for key, value in values.items() for word in ("--conf", f"{key}={value}")),
        *(("--jars", jars) if jars else ()),
        *(str(program.script), *program.arguments),
    ]
