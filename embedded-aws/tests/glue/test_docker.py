"""The container of a run: its command line and its end. A stand-in replaces the docker command."""

import json
import os
import sys
from pathlib import Path

import pytest
from conftest import settings_in

from embedded_aws.glue.spark import docker as docker_runs
from embedded_aws.glue.spark.process import SparkProgram
from embedded_aws.iam.roles import Credentials

DOCKER = f"""#!{sys.executable}
import json, os, subprocess, sys
from pathlib import Path
here = Path(sys.argv[0]).parent
if sys.argv[1:3] == ["image", "inspect"]:
    sys.exit(0 if sys.argv[3].startswith("public.ecr.aws") else 1)
if sys.argv[1] == "kill":
    sys.exit(0)
keys = {{name: value for name, value in os.environ.items() if name.startswith("AWS_")}}
here.joinpath("asked.json").write_text(json.dumps({{"words": sys.argv[1:], "keys": keys}}))
shell = sys.argv.index("-c")
os.environ["PATH"] = f"{{here}}:{{os.environ['PATH']}}"
sys.exit(subprocess.run(["bash", *sys.argv[shell:]]).returncode)
"""
SPARK = """#!/bin/bash
case "$*" in
  *--wait*) sleep 60 ;;
  *--fail*) echo "ValueError: no" >&2; exit 3 ;;
  *) echo "ran" ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("docker", DOCKER), ("spark-submit", SPARK)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    docker_runs.image_for.cache_clear()
    return tmp_path


def start(folder: Path, *arguments: str) -> docker_runs.DockerProcess:
    settings = settings_in(folder, jars=folder, trust_store_password="public")  # noqa: S106
    program = SparkProgram(
        folder / "run", folder / "run" / "job.py", list(arguments), [folder / "etl.zip"], {"spark.x": "y"}
    )
    image = docker_runs.image_for("5.1")
    assert image == "public.ecr.aws/glue/aws-glue-libs:5"
    return docker_runs.DockerProcess(
        image, program, Credentials("ASIA", "hidden", "token", "arn"), settings, folder / "logs"
    )


def test_without_docker_or_the_image_no_image_is_found(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert docker_runs.image_for("9.9") is None
    docker_runs.image_for.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    assert docker_runs.image_for("5.1") is None
    docker_runs.image_for.cache_clear()


def test_the_container_acts_as_the_role_on_the_endpoint(docker: Path) -> None:
    process = start(docker, "--JOB_NAME", "j")
    outcome = process.wait(20)
    assert outcome is not None
    assert (outcome.exit_code, process.output.read_text()) == (0, "ran\n")
    asked = json.loads((docker / "asked.json").read_text())
    words = " ".join(asked["words"])
    assert "hidden" not in words
    assert (asked["keys"]["AWS_SECRET_ACCESS_KEY"], asked["keys"]["AWS_SESSION_TOKEN"]) == ("hidden", "token")
    assert "--env AWS_SECRET_ACCESS_KEY" in words
    assert "spark.hadoop.fs.s3a.endpoint=https://127.0.0.1:1" in words
    assert "--conf spark.x=y" in words
    assert words.endswith("run/job.py --JOB_NAME j")


def test_a_failure_has_its_last_error_line(docker: Path) -> None:
    outcome = start(docker, "--fail").wait(20)
    assert outcome is not None
    assert (outcome.exit_code, outcome.error) == (3, "ValueError: no")


def test_it_ends_with_its_standard_input(docker: Path) -> None:
    process = start(docker, "--wait")
    assert process.wait(0.5) is None
    assert process._process.stdin is not None
    process._process.stdin.close()
    outcome = process.wait(10)
    assert outcome is not None
    assert outcome.exit_code != 0
