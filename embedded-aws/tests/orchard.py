"""An orchard's functions: small Python programs, zipped, with their roles."""

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for

LOGS = statement(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], ["*"])
PRINCIPAL = "lambda.amazonaws.com"
CODE = """
import json, logging, os, sys, time

def weigh(event, context):
    print("weighing", event["tree"])
    logging.getLogger().warning("ripe\\nfruit")
    return {"kilos": event["kilos"] * 2, "tree": event["tree"]}

def spoil(event, context):
    raise ValueError(f"worms in {event['tree']}")

def sleep(event, context):
    if "loud" in event:
        print("sleeping", flush=True)
    time.sleep(event["seconds"])
    return event["seconds"]

def eat(event, context):
    held = []
    for _ in range(event["megabytes"]):
        held.append(bytearray(b"x" * 1024 * 1024))
    return len(held)

def fill(event, context):
    with open(os.path.join(os.environ["TMPDIR"], "basket"), "wb") as file:
        os.posix_fallocate(file.fileno(), 0, event["megabytes"] * 1024 * 1024)
    time.sleep(2)
    return "full"

def leave(event, context):
    os._exit(event["status"])

def large(event, context):
    return "x" * event["bytes"]

def strange(event, context):
    return {1, 2}

def fetch(event, context):
    import boto3
    body = boto3.client("s3").get_object(Bucket=event["bucket"], Key=event["key"])["Body"].read()
    return body.decode()

seen = []

def look(event, context):
    seen.append(1)
    modules = {}
    for name in event.get("modules", []):
        try:
            modules[name] = __import__(name).__file__
        except ImportError:
            modules[name] = None
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "modules": modules,
        "seen": len(seen),
        "process": os.getpid(),
        "python": sys.version_info[:2],
        "context": {
            "name": context.function_name,
            "version": context.function_version,
            "arn": context.invoked_function_arn,
            "memory": context.memory_limit_in_mb,
            "request": context.aws_request_id,
            "group": context.log_group_name,
            "stream": context.log_stream_name,
            "left": context.get_remaining_time_in_millis(),
        },
    }
"""


def archive(**files: str) -> bytes:
    """A zip; `__` in a name stands for a slash, and `.py` is added."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as written:
        for name, text in files.items():
            written.writestr(f"{name.replace('__', '/')}.py", text)
    return packed.getvalue()


class Orchard:
    def __init__(self, folder: Path, *options: str) -> None:
        self.trace = folder / "trace.jsonl"
        self.bench = Bench(
            folder,
            "--wait-scale",
            "0.005",
            "--trace",
            str(self.trace),
            "--metric-minute-seconds",
            "1",
            *options,
        )
        self.role = make_role(self.bench, "gardener", PRINCIPAL, [LOGS])

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        return self.bench.client(service, credentials)

    def make(self, name: str, handler: str, **more: Any) -> str:
        """Make a function of :data:`CODE`. Returns its ARN."""
        settings: dict[str, Any] = {
            "Runtime": "python3.11",
            "Role": self.role,
            "Code": {"ZipFile": archive(orchard=CODE)},
            "Timeout": 10,
        }
        made = self.client("lambda").create_function(
            FunctionName=name, Handler=f"orchard.{handler}", **(settings | more)
        )
        return str(made["FunctionArn"])

    def invoke(self, name: str, event: Any, **more: Any) -> dict[str, Any]:
        """Invoke a function. The answer's Payload is read."""
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
        return {**answer, "Payload": json.loads(answer["Payload"].read() or b"null")}

    def send(self, name: str, event: Any) -> None:
        """Invoke a function asynchronously."""
        answer = self.client("lambda").invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
        )
        assert answer["StatusCode"] == 202

    def logs(self, group: str, ends_with: str) -> list[str]:
        """The group's lines, once one of them begins with this."""

        def read() -> list[str] | None:
            client = self.client("logs")
            try:
                events = client.filter_log_events(logGroupName=group)["events"]
            except client.exceptions.ResourceNotFoundException:
                return None
            lines = [str(event["message"]) for event in events]
            return lines if any(line.startswith(ends_with) or ends_with in line for line in lines) else None

        return list(wait_for(read))

    def count(self, metric: str, name: str) -> float | None:
        """The sum of a function's metric; None without a point."""
        now = time.time()
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=now - 900,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points) if points else None

    def queue(self, name: str) -> str:
        """Make a queue. Returns its ARN."""
        self.client("sqs").create_queue(QueueName=name)
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def message(self, name: str, seconds: float = 15) -> dict[str, Any]:
        """The next message of a queue."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

        def receive() -> dict[str, Any] | None:
            found = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")
            return found[0] if found else None

        message = dict(wait_for(receive, seconds))
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message
