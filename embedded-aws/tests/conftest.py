"""One embedded AWS for all tests of this folder, used through boto3 only, and roles for them."""

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

PACKAGE = Path(__file__).resolve().parents[1]
SERVER = PACKAGE / "server.py"
SETUP = PACKAGE.parent / ".setup"
JARS = SETUP / "jars"
SPARK_4 = {"python": SETUP / "venv-spark4" / "bin" / "python", "jars": SETUP / "jars-spark4"}
REGION = "eu-west-1"
ACCOUNT = "123456789012"
S3A_REGION = f"spark.hadoop.fs.s3a.endpoint.region={REGION}"
"""A job's `--conf` setting, needed for its Spark to read S3."""

sys.path.insert(0, str(PACKAGE))
sys.path.insert(0, str(PACKAGE / "embedded_aws" / "glue" / "spark" / "job-runtime"))

from embedded_aws.core.settings import Settings  # noqa: E402 (the path is set above)


def settings_in(folder: Path, **changes: Any) -> Settings:
    """The settings of a server that keeps everything in one folder. No server is started."""
    place: dict[str, Any] = dict.fromkeys(("state", "logs", "ca_bundle", "trust_store"), folder)
    texts: dict[str, Any] = dict.fromkeys(("trust_store_password", "access_key_id", "secret_access_key"), "")
    own: dict[str, Any] = {
        "endpoint": "https://127.0.0.1:1",
        "account": ACCOUNT,
        "region": REGION,
        "jars": JARS,
    }
    return Settings(**{**own, **place, **texts, "seconds_per_minute": 60.0, **changes})


class Bench:
    """A running server and its ready line."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        command = [sys.executable, str(SERVER), "--state", str(folder / "aws"), "--tls", str(folder / "tls")]
        command += [
            "--jars",
            str(JARS),
            "--logs",
            str(folder / "logs"),
            "--account",
            ACCOUNT,
            "--region",
            REGION,
        ]
        self.process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"no ready line: {self.process.stderr.read() if self.process.stderr else ''}"
        self.ready: dict[str, Any] = json.loads(line)

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        keys = credentials or {
            "aws_access_key_id": self.ready["accessKeyId"],
            "aws_secret_access_key": self.ready["secretAccessKey"],
        }
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.ready["endpoint"],
            verify=self.ready["caBundle"],
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            **keys,
        )

    def stop(self) -> int:
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
        return self.process.wait(timeout=60)

    def log(self) -> str:
        return (self.folder / "logs" / "aws.log").read_text(encoding="utf-8")


def made_drivers(folder: Path) -> Path:
    """A folder for `--jdbc-drivers`: a jar that a class path shows, and a file that is no jar."""
    folder.mkdir()
    (folder / "notes.txt").write_text("Drivers of two ferry companies.\n")
    with zipfile.ZipFile(folder / "ferries.jar", "w") as jar:
        jar.writestr("ferries/driver.properties", "version=4.2\n")
    return folder


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    spark_4 = (word for name, path in SPARK_4.items() for word in (f"--spark4-{name}", str(path)))
    drivers = ("--jdbc-drivers", str(made_drivers(folder / "drivers")))
    started = Bench(folder, "--job-minute-seconds", "6", *drivers, *spark_4)
    yield started
    assert started.stop() == 0


def statement(actions: list[str], resources: list[str], **conditions: Any) -> dict[str, Any]:
    allow: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**allow, "Condition": conditions} if conditions else allow


def queue_policy(queue: str, rule: str) -> str:
    """The policy of a queue that lets a rule of the default bus send to it."""
    places = f"{REGION}:{ACCOUNT}"
    source = {"aws:SourceArn": f"arn:aws:events:{places}:rule/{rule}"}
    send = statement(["sqs:SendMessage"], [f"arn:aws:sqs:{places}:{queue}"], ArnEquals=source)
    allowed = {**send, "Principal": {"Service": "events.amazonaws.com"}}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def make_role(bench: Bench, name: str, service: str, statements: list[dict[str, Any]]) -> str:
    """Make a role that ``service`` may assume, with one inline policy. Returns its ARN."""
    iam = bench.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    if statements:
        policy = {"Version": "2012-10-17", "Statement": statements}
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
    return str(arn)


def wait_for(what: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Wait for the first answer that is true, and return it. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = what()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"nothing after {seconds:g} s")


@pytest.fixture(scope="session")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A bench with functions; its module needs this one."""
    from orchard import Orchard

    started = Orchard(tmp_path_factory.mktemp("orchard"))
    yield started
    assert started.bench.stop() == 0
