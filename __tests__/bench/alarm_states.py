"""The history of alarms in CloudWatch: waits for transitions, then prints them as JSON.

Reads one request a line, {"prefix", "since", "until": [[alarm, state], ...], "seconds"}, and answers it
with {"states", "transitions", "met"}; `until` is met when each alarm has entered its states in their order.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

import boto3  # type: ignore[import-untyped,unused-ignore]

_POLL_SECONDS = 0.3


def transitions(client: Any, prefix: str, since: float) -> list[dict[str, Any]]:
    """The changes of state of all alarms of a prefix, in their order."""
    found = []
    kinds = ["MetricAlarm", "CompositeAlarm"]
    for page in client.get_paginator("describe_alarm_history").paginate(
        AlarmTypes=kinds, HistoryItemType="StateUpdate", StartDate=datetime.fromtimestamp(since, UTC)
    ):
        for item in page["AlarmHistoryItems"]:
            data = json.loads(item["HistoryData"])
            if not item["AlarmName"].startswith(prefix) or item["Timestamp"].timestamp() < since:
                continue
            old, new = data["oldState"]["stateValue"], data["newState"]["stateValue"]
            at = item["Timestamp"].timestamp()
            found.append({"alarm": item["AlarmName"], "old": old, "new": new, "at": at})
    return sorted(found, key=lambda one: one["at"])


def states(client: Any, prefix: str) -> dict[str, str]:
    """The state of every alarm of a prefix."""
    found = client.describe_alarms(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    alarms = found["MetricAlarms"] + found["CompositeAlarms"]
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}


def answer(client: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Wait until every pair has come, or the time is over."""
    end = time.monotonic() + request["seconds"]
    while True:
        seen = transitions(client, request["prefix"], request["since"])
        rest = list(request["until"])
        for one in seen:
            wanted = next((pair for pair in rest if pair[0] == one["alarm"]), None)
            if wanted is not None and wanted[1] == one["new"]:
                rest.remove(wanted)
        if not rest or time.monotonic() > end:
            return {"states": states(client, request["prefix"]), "transitions": seen, "met": not rest}
        time.sleep(_POLL_SECONDS)


def main() -> None:
    """Answer requests until the input ends."""
    client = boto3.client(
        "cloudwatch",
        endpoint_url=os.environ["BENCH_ENDPOINT"],
        verify=os.environ["BENCH_CA"],
        region_name=os.environ["BENCH_REGION"],
    )
    for line in sys.stdin:
        print(json.dumps(answer(client, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
