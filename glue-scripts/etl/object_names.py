"""The names of the objects directly below a location: what `etl.io` lists by date, listed by name."""

from etl import io
from etl.clients import client


def list_names(location: str, first: str) -> list[str]:
    """Names below `location` that come at or after `first`, in order; of a directory, those of its files."""
    if not io.is_s3(location):
        root = io.local_path(location)
        names = [path.name for path in root.iterdir() if path.is_file()] if root.is_dir() else []
        return sorted(name for name in names if name >= first)
    bucket, prefix = io.split(location)
    pages = client("s3").get_paginator("list_objects_v2")
    # StartAfter is exclusive, so that it must be less than `first`, and no name is the empty one.
    found = pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=prefix + first)
    keys = [entry["Key"] for page in found for entry in page.get("Contents", [])]
    return [key[len(prefix) :] for key in keys]
