"""A brewery's crawlers and jobs for workflows: small files, and scripts that need no Spark session."""

import json
from typing import Any

from conftest import REGION, Bench, make_role, statement, wait_for

BUCKET = "brewery-cellar"
GLUE = "glue.amazonaws.com"
SCRIPTS = {
    # Ends as the argument says: `fine`, or an error of this text.
    "brew": """
import sys
from awsglue.utils import getResolvedOptions
options = getResolvedOptions(sys.argv, ["JOB_NAME", "outcome"])
print("arguments", sorted(sys.argv[1:]), flush=True)
if options["outcome"] != "fine":
    raise ValueError(options["outcome"])
""",
    # Reads and changes the properties of its workflow's run.
    "label": """
import sys
import boto3
from awsglue.utils import getResolvedOptions
options = getResolvedOptions(sys.argv, ["WORKFLOW_NAME", "WORKFLOW_RUN_ID", "hop"])
run = {"Name": options["WORKFLOW_NAME"], "RunId": options["WORKFLOW_RUN_ID"]}
glue = boto3.client("glue")
properties = glue.get_workflow_run_properties(**run)["RunProperties"]
label = {"label": properties["beer"] + " with " + options["hop"]}
glue.put_workflow_run_properties(**run, RunProperties=label)
""",
    # Runs until it is stopped.
    "ferment": "import time\nprint('fermenting', flush=True)\ntime.sleep(600)\n",
}


class Brewery:
    """A bench with a bucket of brews, a crawler's role and a job's role."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        s3 = bench.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=BUCKET, Key="brews/batch=1/a.json", Body=json.dumps({"hop": "saaz"}).encode())
        for name, script in SCRIPTS.items():
            s3.put_object(Bucket=BUCKET, Key=f"code/{name}.py", Body=script.encode())
        self.glue = bench.client("glue")
        self.glue.create_database(DatabaseInput={"Name": "brewery"})
        reads = statement(
            ["s3:GetObject", "s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
        )
        rest = statement(["logs:*", "glue:*"], ["*"])
        self.role = make_role(bench, "brewer", GLUE, [reads, rest])
        self.stranger = make_role(bench, "brewery-stranger", "lambda.amazonaws.com", [reads])
        self.blind = make_role(bench, "brewery-blind", GLUE, [rest])

    def crawler(self, name: str, role: str = "") -> str:
        target = {"S3Targets": [{"Path": f"s3://{BUCKET}/brews/"}]}
        self.glue.create_crawler(Name=name, Role=role or self.role, DatabaseName="brewery", Targets=target)
        return name

    def job(self, name: str, script: str = "brew", **more: Any) -> str:
        command = {
            "Name": "glueetl",
            "ScriptLocation": f"s3://{BUCKET}/code/{script}.py",
            "PythonVersion": "3",
        }
        given = {"Role": self.role, "GlueVersion": "5.1", "WorkerType": "G.1X", "NumberOfWorkers": 2}
        defaults = {"DefaultArguments": {"--outcome": "fine"}}
        self.glue.create_job(Name=name, Command=command, **{**given, **defaults, **more})
        return name

    def workflow(self, name: str, *triggers: dict[str, Any], **more: Any) -> str:
        self.glue.create_workflow(Name=name, **more)
        for trigger in triggers:
            self.glue.create_trigger(**{"WorkflowName": name, **trigger})
        return name

    def run(self, workflow: str, run_id: str) -> dict[str, Any]:
        answer = self.glue.get_workflow_run(Name=workflow, RunId=run_id, IncludeGraph=True)
        return dict(answer["Run"])

    def ended(self, workflow: str, run_id: str, seconds: float = 90) -> dict[str, Any]:
        """The run once it has ended."""

        def look() -> Any:
            run = self.run(workflow, run_id)
            return run if run["Status"] not in ("RUNNING", "STOPPING") else None

        return dict(wait_for(look, seconds))

    def finish(self, workflow: str, **request: Any) -> dict[str, Any]:
        """Start a run and wait for its end."""
        return self.ended(workflow, self.glue.start_workflow_run(Name=workflow, **request)["RunId"])


def on_demand(name: str, *actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "ON_DEMAND", "Actions": list(actions), **more}


def after(
    name: str, conditions: list[tuple[str, str]], *actions: dict[str, Any], logical: str = "AND", **more: Any
) -> dict[str, Any]:
    """An activated conditional trigger. A condition is the job or `crawler:<name>`, and the state."""
    predicate = {"Logical": logical, "Conditions": [condition(*one) for one in conditions]}
    given = {"Name": name, "Type": "CONDITIONAL", "StartOnCreation": True, "Predicate": predicate}
    return {**given, "Actions": list(actions), **more}


def condition(watched: str, state: str) -> dict[str, Any]:
    name = watched.removeprefix("crawler:")
    if name != watched:
        return {"LogicalOperator": "EQUALS", "CrawlerName": name, "CrawlState": state}
    return {"LogicalOperator": "EQUALS", "JobName": name, "State": state}


def nodes(run: dict[str, Any]) -> dict[str, list[str]]:
    """The states of each job's and crawler's attempts, in the run's graph."""
    found = {}
    for node in run["Graph"]["Nodes"]:
        if node["Type"] == "JOB":
            runs = node["JobDetails"].get("JobRuns", [])
            found[node["Name"]] = [one["JobRunState"] for one in runs]
        elif node["Type"] == "CRAWLER":
            crawls = node["CrawlerDetails"].get("Crawls", [])
            found[node["Name"]] = [one["State"] for one in crawls]
    return found


def node(run: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in run["Graph"]["Nodes"] if one["Name"] == name]
    return dict(found)
