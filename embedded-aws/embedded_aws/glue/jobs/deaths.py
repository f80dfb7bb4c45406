"""Kills a job run right after one of its calls took effect, and records its mutating calls.

It is off without ``--deaths FILE``. With it, every successful mutating call of S3 and DynamoDB by a job run's
role is numbered from 1 and appended to ``<logs>/job-runs/<run id>/calls.jsonl`` (`call`, `time`, `seconds`
since the start of the script, `action`, `key`; a death is a line with `killed`). Parts of an upload are not
visible to anybody, so only its completion counts. FILE is read when a job run starts, and may be missing. It
has JSON lines; the first one that names the run counts:

    {"jobRun": "*", "afterMutatingCall": 7}       every run
    {"jobRun": "next", "afterSeconds": 12.5}      the first run that starts since FILE was written
    {"jobRun": "jr_…", "afterMutatingCall": 1}    this one

After its n-th call the run's process group gets SIGKILL before the call is answered. No later call of the run
changes anything, not even one that was already sent. The run ends as FAILED, as when Glue loses the driver: https://repost.aws/knowledge-center/glue-error-command-failed-exit-code
"""

import asyncio
import html
import json
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.iam import request_resources

_BEHAVIOUR = "deaths of job runs"
_DYNAMODB = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_CAUSE = "Command failed with exit code 137"  # 128 + SIGKILL
_fates: dict[str, "Fate"] = {}
_used: set[tuple[int, int]] = set()
_lock = threading.Lock()


def install(settings: Settings) -> Callable[[], None]:
    """Watch the calls of job runs if there is a file of deaths."""
    if settings.deaths is None:
        return lambda: None
    parameters = ("method", "path", "headers", "body", "query_params", "request_id")
    emulator.replace("app", "_dispatch_service_request", parameters, _listen, _BEHAVIOUR)
    return lambda: None


def watch(settings: Settings, run_id: str, access_key_id: str) -> "Fate":
    """The fate of a job run that is about to start with these credentials.

    Raises ValueError when the file of deaths is invalid.
    """
    if settings.deaths is None:
        return Fate(None, None, None)
    calls = settings.logs / "job-runs" / run_id / "calls.jsonl"
    fate = Fate(calls, *_death_of(settings.deaths, run_id))
    fate.key = access_key_id
    _fates[access_key_id] = fate
    return fate


class Fate:
    """One job run's calls, and its death if it is to die."""

    def __init__(self, calls: Path | None, after_call: int | None, after_seconds: float | None) -> None:
        self.key = ""
        self.order = asyncio.Lock()
        self._calls = calls
        self._after_call = after_call
        self._after_seconds = after_seconds
        self._kill: Callable[[], None] | None = None
        self._timer: threading.Timer | None = None
        self._started = time.monotonic()
        self._number = 0
        self.dead = False

    def begins(self, kill: Callable[[], None]) -> None:
        """Called when the script was started; ``kill`` ends it."""
        self._kill, self._started = kill, time.monotonic()
        if self._after_seconds is not None:
            self._timer = threading.Timer(self._after_seconds, self._die, [f"{self._after_seconds:g} s"])
            self._timer.daemon = True
            self._timer.start()

    def ends(self) -> str:
        """Called when the script is over. Returns the job run's error message if it was killed here."""
        if self._timer:
            self._timer.cancel()
        if self.dead:
            return _CAUSE  # calls that were already sent stay refused
        _fates.pop(self.key, None)
        return ""

    def count(self, action: str, key: str) -> None:
        """Count a call that changed something."""
        self._number += 1
        self._write({"call": self._number, "action": action, "key": key})
        if self._number == self._after_call:
            self._die(f"call {self._number}")

    def _die(self, moment: str) -> None:
        if self._kill and not self.dead:
            self.dead = True
            self._kill()
            self._write({"killed": f"after {moment}", "calls": self._number})

    def _write(self, line: dict[str, Any]) -> None:
        if self._calls is None:
            return
        seconds = round(time.monotonic() - self._started, 3)
        told = {**line, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "seconds": seconds}
        self._calls.parent.mkdir(parents=True, exist_ok=True)
        with _lock, self._calls.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")


# -- the file --


def _death_of(file: Path, run_id: str) -> tuple[int | None, float | None]:
    """The number of the call, and the seconds, after which a run dies."""
    if not file.is_file():
        return None, None
    written = file.stat().st_mtime_ns
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        named, after_call, after_seconds = _entry(text, f"line {number} of {file.name}")
        if named == "next":
            with _lock:
                if (written, number) in _used:
                    continue
                _used.add((written, number))
        elif named not in ("*", run_id):
            continue
        return after_call, after_seconds
    return None, None


def _entry(text: str, place: str) -> tuple[str, int | None, float | None]:
    try:
        entry = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{place} is not JSON: {error}") from error
    if isinstance(entry, dict) and isinstance(entry.get("jobRun"), str) and len(entry) == 2:
        call, seconds = entry.get("afterMutatingCall"), entry.get("afterSeconds")
        if isinstance(call, int) and not isinstance(call, bool) and call >= 1:
            return entry["jobRun"], call, None
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
            return entry["jobRun"], None, float(seconds)
    raise ValueError(
        f"{place} must have jobRun and either afterMutatingCall (1 and more) or afterSeconds (0 and more)"
    )


# -- the calls --


def _listen(original: Any) -> Any:
    async def dispatch(
        method: str, path: str, headers: Any, body: bytes, query_params: Any, request_id: str
    ) -> Any:
        fate = _fates.get(_key_of(headers)) if _fates else None
        call = mutation(method, path, headers, body, query_params) if fate else None
        if fate is None or call is None:
            return await original(method, path, headers, body, query_params, request_id)
        async with fate.order:  # so that exactly this many calls take effect
            if fate.dead:
                return 503, {}, b""  # the caller is dead
            answer = await original(method, path, headers, body, query_params, request_id)
            if answer[0] < 300:
                await asyncio.to_thread(fate.count, *call)
            return answer

    return dispatch


def _key_of(headers: Any) -> str:
    found = re.search(r"Credential=([^/]+)/", headers.get("authorization", ""))
    return found.group(1) if found else ""


def mutation(method: str, path: str, headers: Any, body: bytes, query: Any) -> tuple[str, str] | None:
    """A request's action and target, `<bucket>/<key>` or `<table>/<partition key>`.

    None if it changes nothing in S3 or DynamoDB.
    """
    target = str(headers.get("x-amz-target", ""))
    if target.startswith("DynamoDB_"):
        action = target.rsplit(".", 1)[-1]
        return (f"dynamodb:{action}", _row(body)) if action in _DYNAMODB else None
    if "/s3/aws4_request" not in headers.get("authorization", "") or method not in ("PUT", "POST", "DELETE"):
        return None
    place = path.removeprefix("/")
    if method == "POST" and "delete" in query:
        keys = re.findall(r"<Key>(.*?)</Key>", body.decode("utf-8", "replace"), re.DOTALL)
        return "s3:DeleteObjects", f"{place.rstrip('/')}/{' '.join(html.unescape(key) for key in keys)}"
    if method == "POST":
        return ("s3:CompleteMultipartUpload", place) if "uploadId" in query else None
    if "uploadId" in query:
        return None
    action = "DeleteObject" if method == "DELETE" else "PutObject"
    action = "CopyObject" if headers.get("x-amz-copy-source") else action
    more = [name for name in query if name not in ("x-id", "versionId")]
    return f"s3:{action}{''.join(f'?{name}' for name in more)}", place


def _row(body: bytes) -> str:
    data = json.loads(body or b"{}")
    tables = data.get("TableName") or " ".join(data.get("RequestItems") or {})
    return f"{tables}/{' '.join(request_resources.leading_keys(data))}"
