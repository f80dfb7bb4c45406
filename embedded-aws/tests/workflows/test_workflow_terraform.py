"""Terraform creates, reads, updates in place and destroys a vineyard's workflow and its triggers."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import terraform_provider
from brewery import after
from conftest import REGION, Bench, wait_for

VERSION = "5.100.0"
CRUSH, PRESS = {"job_name": "crush"}, {"job_name": "press", "arguments": {"--bar": "2"}}


class Vineyard:
    """A folder with a Terraform configuration for the bench."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        terraform = shutil.which("terraform")
        assert terraform, "these tests need terraform on the PATH"
        self._terraform, self._folder = terraform, folder
        own = {"AWS_CA_BUNDLE": bench.ready["caBundle"], "TF_IN_AUTOMATION": "1"}
        self._environment = {**terraform_provider.environment(folder), **own}
        endpoints = dict.fromkeys(("glue", "iam", "sts"), bench.ready["endpoint"])
        self._provider = {
            "region": REGION,
            "access_key": bench.ready["accessKeyId"],
            "secret_key": bench.ready["secretAccessKey"],
            "skip_credentials_validation": True,
            "skip_metadata_api_check": "true",
            "max_retries": 5,
            "endpoints": [endpoints],
        }
        self._needs_init = True

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._terraform, *words, "-no-color"],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def _ok(self, *words: str) -> str:
        done = self._run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def apply(self, resources: dict[str, Any]) -> str:
        """Apply these resources. Returns the line that counts the changes. A second plan must be empty."""
        document = {
            "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": VERSION}}},
            "provider": {"aws": self._provider},
            "resource": resources,
        }
        (self._folder / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
        if self._needs_init:
            self._ok("init", "-input=false")
            self._needs_init = False
        said = self._ok("apply", "-auto-approve", "-input=false")
        again = self._run("plan", "-detailed-exitcode", "-input=false")
        assert again.returncode == 0, again.stdout + again.stderr
        return next(line for line in said.splitlines() if line.startswith("Apply complete!"))

    def destroy(self) -> None:
        self._ok("destroy", "-auto-approve", "-input=false")


@pytest.fixture
def vineyard(bench: Bench, tmp_path: Path) -> Iterator[Vineyard]:
    yield Vineyard(bench, tmp_path)


def resources(workflow: dict[str, Any], **changes: dict[str, Any]) -> dict[str, Any]:
    """Workflows with triggers of each type, and a trigger without a workflow."""
    own = "${aws_glue_workflow.harvest.name}"
    picked = {"crawler_name": "grapes", "crawl_state": "SUCCEEDED"}
    triggers: dict[str, dict[str, Any]] = {
        "start": {"type": "ON_DEMAND", "workflow_name": own, "enabled": False, "actions": [CRUSH]},
        "crushed": {
            "type": "CONDITIONAL",
            "workflow_name": own,
            "predicate": {"conditions": [{"job_name": "crush", "state": "SUCCEEDED"}]},
            "actions": [{**PRESS, "timeout": 30, "notification_property": {"notify_delay_after": 5}}],
        },
        "pressed": {
            "type": "CONDITIONAL",
            "workflow_name": own,
            "predicate": {"logical": "ANY", "conditions": [{"job_name": "press", "state": "FAILED"}, picked]},
            "actions": [{"crawler_name": "must"}],
        },
        "clock": {"type": "SCHEDULED", "schedule": "cron(0 4 * * ? *)", "enabled": False, "actions": [CRUSH]},
        "came": {
            "type": "EVENT",
            "workflow_name": "${aws_glue_workflow.arrivals.name}",
            "enabled": False,
            "event_batching_condition": {"batch_size": 3},
            "actions": [CRUSH],
        },
        "at-once": {
            "type": "ON_DEMAND",
            "workflow_name": "${aws_glue_workflow.tasting.name}",
            "actions": [{"crawler_name": "vanished"}],
        },
    }
    made = {
        name: {"name": f"harvest-{name}", "tags": {"wine": "red"}, **trigger, **changes.get(name, {})}
        for name, trigger in triggers.items()
    }
    harvest = {"name": "harvest", "tags": {"wine": "red"}, **workflow}
    others = {name: {"name": f"harvest-{name}"} for name in ("arrivals", "tasting")}
    workflows = {"harvest": harvest, **others}
    return {"aws_glue_workflow": workflows, "aws_glue_trigger": made}


def states(glue: Any) -> dict[str, str]:
    found = [one for one in glue.get_triggers()["Triggers"] if one["Name"].startswith("harvest-")]
    return {one["Name"].removeprefix("harvest-"): one["State"] for one in found}


def test_a_whole_life(bench: Bench, vineyard: Vineyard) -> None:
    glue = bench.client("glue")
    first = {"description": "grapes", "default_run_properties": {"row": "1"}, "max_concurrent_runs": 1}
    assert vineyard.apply(resources(first)).endswith("9 added, 0 changed, 0 destroyed.")
    assert states(glue) == {
        "start": "CREATED",
        "crushed": "ACTIVATED",
        "pressed": "ACTIVATED",
        "clock": "CREATED",
        "came": "CREATED",
        "at-once": "CREATED",
    }
    assert glue.get_workflow_runs(Name="harvest")["Runs"] == []
    # The provider starts an enabled trigger on demand when it has created it:
    # https://github.com/hashicorp/terraform-provider-aws/issues/38222
    (run,) = glue.get_workflow_runs(Name="harvest-tasting")["Runs"]
    assert (run["Status"], run["Statistics"]["ErroredActions"]) == ("COMPLETED", 1)

    second = {"description": "more grapes", "default_run_properties": {"row": "2"}, "max_concurrent_runs": 2}
    changes: dict[str, dict[str, Any]] = {
        "start": {"description": "by hand", "tags": {"wine": "white"}},
        "crushed": {"actions": [{**PRESS, "arguments": {"--bar": "3"}}]},
        "pressed": {"enabled": False},
        "clock": {"enabled": True, "schedule": "cron(0 5 * * ? *)"},
        "came": {"event_batching_condition": {"batch_size": 4, "batch_window": 60}},
    }
    assert vineyard.apply(resources(second, **changes)).endswith("0 added, 6 changed, 0 destroyed.")
    wait_for(lambda: states(glue)["pressed"] == "DEACTIVATED" and states(glue)["clock"] == "ACTIVATED")
    workflow = glue.get_workflow(Name="harvest")["Workflow"]
    assert (workflow["MaxConcurrentRuns"], workflow["DefaultRunProperties"]) == (2, {"row": "2"})
    crushed = glue.get_trigger(Name="harvest-crushed")["Trigger"]
    assert crushed["Actions"] == [{"JobName": "press", "Arguments": {"--bar": "3"}}]
    assert crushed["Predicate"] == after("x", [("crush", "SUCCEEDED")])["Predicate"]

    vineyard.destroy()
    assert states(glue) == {}
    assert not [name for name in glue.list_workflows()["Workflows"] if name.startswith("harvest")]
