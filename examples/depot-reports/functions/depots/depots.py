"""The depots of a delivery of scans, and a report for each."""

import json
import os
from functools import cache
from typing import Any


class UnknownDepot(Exception):
    """Nobody reads the report of a depot that the variable DEPOTS does not name."""


def list_depots(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes `bucket` and `day`. Returns the number of that day's `files`, and the `depots` that they name."""
    prefix = f"scans/dt={event['day']}/"
    pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=event["bucket"], Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    depots = {scan.get("depot") for key in keys for scan in _scans(event["bucket"], key)}
    return {"files": len(keys), "depots": sorted(depot for depot in depots if isinstance(depot, str))}


def write_report(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Takes `bucket`, `day` and `depot`. Writes `reports/<day>/<depot>.json`, and returns its `key`."""
    day, depot = event["day"], event["depot"]
    if depot not in os.environ["DEPOTS"].split(","):
        raise UnknownDepot(f"nobody reads reports of {depot}; DEPOTS names {os.environ['DEPOTS']}")
    key = f"reports/{day}/{depot}.json"
    body = json.dumps({"day": day, "depot": depot, "rows": event.get("rows")})
    _s3().put_object(Bucket=event["bucket"], Key=key, Body=body.encode())
    return {"key": key}


def _scans(bucket: str, key: str) -> list[dict[str, Any]]:
    """The lines of a file that are objects; the job judges the others."""
    lines = _s3().get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace").splitlines()
    scans = []
    for line in lines:
        try:
            scan = json.loads(line)
        except ValueError:
            continue
        if isinstance(scan, dict):
            scans.append(scan)
    return scans


@cache
def _s3() -> Any:
    import boto3  # here, so that importing this module does nothing

    return boto3.client("s3")
