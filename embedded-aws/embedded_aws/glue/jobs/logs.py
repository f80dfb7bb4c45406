"""Writes a job run's output to CloudWatch Logs with the job role's own credentials, as Glue does.

The groups are `<prefix>/output` and `<prefix>/error`, the stream is the run's id. The prefix is
`/aws-glue/jobs`, or that of `--custom-logGroup-prefix`. security.py names the groups of a security
configuration.
https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging-enable.html
"""

import logging
import threading
import time
from pathlib import Path
from typing import Any

import botocore.exceptions

_SECONDS = 1.0
_BATCH_EVENTS = 1000
_LONGEST_LINE = 200_000
_logger = logging.getLogger("embedded-aws.job-logs")


class JobLog:
    """Follows one file of a run and sends its lines to one log stream until :meth:`close`."""

    def __init__(self, logs: Any, group: str, stream: str, file: Path, key: str = "") -> None:
        """``key`` is associated with the group before the first write."""
        self._logs = logs
        self._key = key
        self._group = group
        self._stream = stream
        self._file = file
        self._position = 0
        self._rest = b""
        self._created = False
        self._refused = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"log {group}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send the remaining lines. A role without the right loses them, as on AWS; the file keeps them."""
        self._ended.set()
        self._thread.join(timeout=20)

    def _follow(self) -> None:
        while not self._ended.wait(_SECONDS):
            self._send(last=False)
        self._send(last=True)

    def _send(self, last: bool) -> None:
        try:
            with self._file.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        except OSError:
            return
        self._position += len(data)
        lines = (self._rest + data).split(b"\n")
        self._rest = b"" if last else lines.pop()
        now = int(time.time() * 1000)
        events = [
            {"timestamp": now, "message": text[:_LONGEST_LINE]}
            for text in (line.decode("utf-8", "replace").rstrip() for line in lines)
            if text
        ]
        for start in range(0, len(events), _BATCH_EVENTS):
            self._put(events[start : start + _BATCH_EVENTS])

    def _put(self, events: list[dict[str, Any]]) -> None:
        if self._refused:
            return
        try:
            self._create()
            self._logs.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)
        except botocore.exceptions.ClientError as error:
            self._refused = True
            _logger.warning("no logs in %s: %s", self._group, error)

    def _create(self) -> None:
        if self._created:
            return
        target = {"logGroupName": self._group, "logStreamName": self._stream}
        try:
            self._logs.create_log_stream(**target)
        except self._logs.exceptions.ResourceNotFoundException:
            self._logs.create_log_group(logGroupName=self._group)
            self._logs.create_log_stream(**target)
        except self._logs.exceptions.ResourceAlreadyExistsException:
            pass
        if self._key:
            self._logs.associate_kms_key(logGroupName=self._group, kmsKeyId=self._key)
        self._created = True
