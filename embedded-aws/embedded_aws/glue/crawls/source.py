"""Reads the objects below a crawl's S3 target, without the excluded ones, with the crawler role's client.

https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embedded_aws.glue.crawls import classify as crawl_classify
from embedded_aws.glue.crawls.tables import FoundFile


@dataclass(frozen=True)
class Target:
    """An S3 target: bucket, prefix ("" or ending in ``/``), relative exclusions, sample size per folder."""

    bucket: str
    prefix: str
    exclusions: tuple[str, ...] = ()
    sample: int | None = None


class TargetError(ValueError):
    """The crawler's target cannot be crawled here."""


def targets_of(crawler: dict[str, Any]) -> list[Target]:
    """The crawler's S3 targets. Raises TargetError for other kinds of target."""
    targets = crawler.get("Targets") or {}
    others = [kind for kind, entries in targets.items() if entries and kind != "S3Targets"]
    if others:
        raise TargetError(f"{', '.join(sorted(others))} are not supported here; use S3 targets only")
    found = []
    for entry in targets.get("S3Targets") or []:
        match = re.fullmatch(r"(?:s3://)?([^/]+)/?(.*)", str(entry.get("Path", "")))
        if not match:
            raise TargetError(f"'{entry.get('Path')}' is not an S3 path")
        prefix = match.group(2)
        prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        exclusions = tuple(entry.get("Exclusions") or ())
        found.append(Target(match.group(1), prefix, exclusions, entry.get("SampleSize")))
    return found


def excluded(relative_key: str, pattern: str) -> bool:
    """True if a glob of Glue matches a key relative to the include path.

    ``*`` stays within a folder, ``**`` crosses folders, ``?`` is one character, ``[a-z]`` and ``{a,b}`` are
    choices, ``\\`` quotes the next character.
    """
    return re.fullmatch(_regular_expression(pattern), relative_key) is not None


def _regular_expression(pattern: str) -> str:
    out, index, depth = [], 0, 0
    while index < len(pattern):
        character = pattern[index]
        index += 1
        if character == "*":
            crosses = pattern.startswith("*", index)
            index += crosses
            out.append(".*" if crosses else "[^/]*")
        elif character == "?":
            out.append("[^/]")
        elif character == "\\" and index < len(pattern):
            out.append(re.escape(pattern[index]))
            index += 1
        elif character == "[" and "]" in pattern[index:]:
            end = pattern.index("]", index)
            inside = pattern[index:end].replace("\\", "\\\\")
            out.append(f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]")
            index = end + 1
        elif character == "{":
            depth += 1
            out.append("(?:")
        elif character == "}" and depth:
            depth -= 1
            out.append(")")
        elif character == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(character))
    return "".join(out)


class Source:
    """Lists and reads one target with the crawler role's rights."""

    def __init__(self, s3: Any, target: Target) -> None:
        self._s3 = s3
        self._target = target

    def objects(self) -> Iterator[tuple[str, int]]:
        """Key and size of every file, without empty objects, folder markers and excluded files."""
        request: dict[str, Any] = {"Bucket": self._target.bucket, "Prefix": self._target.prefix}
        while True:
            page = self._s3.list_objects_v2(**request)
            for entry in page.get("Contents", []):
                key = entry["Key"]
                relative = key[len(self._target.prefix) :]
                if not entry["Size"] or key.endswith(("/", "_$folder$")):
                    continue
                if not any(excluded(relative, pattern) for pattern in self._target.exclusions):
                    yield key, int(entry["Size"])
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def sampled(self, objects: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """The first files of every folder, as many as the target's sample size."""
        if not self._target.sample:
            return objects
        taken: dict[str, int] = {}
        kept = []
        for key, size in objects:
            folder = key.rpartition("/")[0]
            taken[folder] = taken.get(folder, 0) + 1
            if taken[folder] <= self._target.sample:
                kept.append((key, size))
        return kept

    def classify(self, key: str, size: int) -> FoundFile | None:
        """The classified file; None when no classifier recognises it."""
        for most in (crawl_classify.FIRST_BYTES, crawl_classify.MOST_BYTES):
            wanted = f"bytes=0-{min(size, most) - 1}"
            head = self._s3.get_object(Bucket=self._target.bucket, Key=key, Range=wanted)["Body"].read()
            kind = crawl_classify.classify(
                head, len(head) >= size, _RangeFile(self._s3, self._target.bucket, key, size)
            )
            if kind is not None:
                return FoundFile(key, size, kind)
            if size <= most:
                break
        return None


class _RangeFile(io.RawIOBase):
    """An object as a file that is read in ranges, to read Parquet's footer."""

    def __init__(self, s3: Any, bucket: str, key: str, size: int) -> None:
        super().__init__()
        self._s3, self._bucket, self._key, self._size, self._position = s3, bucket, key, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        end = self._size if size is None or size < 0 else min(self._size, self._position + size)
        if end <= self._position:
            return b""
        wanted = f"bytes={self._position}-{end - 1}"
        data = bytes(self._s3.get_object(Bucket=self._bucket, Key=self._key, Range=wanted)["Body"].read())
        self._position += len(data)
        return data
