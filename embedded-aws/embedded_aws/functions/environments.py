"""One execution environment of a function: a process that serves one event at a time, and is then reused.

It ends when the function exceeds its time, its memory or its temporary storage, and with the server.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import contextlib
import json
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_aws.core.settings import Settings
from embedded_aws.functions import code
from embedded_aws.iam.roles import Credentials

INIT_SECONDS = 10.0
"""The time of the initialisation that does not count as the function's."""
_TICK_SECONDS = 0.02
_DISK_SECONDS = 0.25
_MEBIBYTE = 1024 * 1024
_RUNTIME = Path(__file__).resolve().with_name("function-runtime")
END_OF_OUTPUT = b"\x01"
LINE_BREAK = "\x02"


@dataclass(frozen=True)
class Request:
    """One event on its way to a function."""

    id: str
    arn: str
    event: Any
    trace: str


@dataclass
class Outcome:
    """The end of one invocation. ``error`` has Lambda's words if the function failed."""

    result: str = "null"
    error: dict[str, Any] | None = None
    milliseconds: float = 0.0
    init_milliseconds: float | None = None
    """Only for the first invocation of an environment."""
    memory: int = 0
    """The most memory used so far, in MB."""
    output: list[str] = field(default_factory=list)
    status: str = ""
    """`timeout` or `error` if the environment ended."""


class Environment:
    """A started process of one version of a function."""

    def __init__(
        self, record: dict[str, Any], config: dict[str, Any], credentials: Credentials, settings: Settings
    ) -> None:
        self.config = config
        self.stream = f"{datetime.now(UTC):%Y/%m/%d}/[{config['Version']}]{secrets.token_hex(16)}"
        self.credentials = credentials
        self.idle_since = 0.0
        self._task, self._opt = code.unpacked(record, config)
        self._folder = Path(tempfile.mkdtemp(prefix="lambda-tmp-")).resolve()
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._output: list[str] = []
        self._marks: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._peak = 0
        self._started = time.monotonic()
        self._is_ready = False
        self._killing = threading.Lock()
        self._start(settings)

    @property
    def group(self) -> str:
        return str(log_settings(self.config)["LogGroup"])

    def _start(self, settings: Settings) -> None:
        theirs, self._events = os.pipe()
        ours, answers = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-S", str(_RUNTIME / "serve_events.py"), str(theirs), str(answers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._task,
                env=self._environment(settings),
                pass_fds=(theirs, answers),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._events)
            os.close(ours)
            raise
        finally:
            os.close(theirs)
            os.close(answers)
        for target, argument in ((self._follow_output, None), (self._follow_answers, ours)):
            threading.Thread(
                target=target, args=(argument,) if argument is not None else (), daemon=True
            ).start()
        self._send(self._setup())

    def _setup(self) -> dict[str, Any]:
        logs = log_settings(self.config)
        own = f"lib/{self.config['Runtime']}/site-packages"
        return {
            "name": self.config["FunctionName"],
            "version": self.config["Version"],
            "memory": self.config["MemorySize"],
            "handler": self.config["Handler"],
            "task": str(self._task),
            "opt": str(self._opt),
            "layers": [str(self._opt / "python" / own), str(self._opt / "python")],
            "libraries": str(code.runtime_libraries()),
            "logGroup": logs["LogGroup"],
            "logStream": self.stream,
            "format": logs["LogFormat"],
            "level": logs.get("ApplicationLogLevel") or ("INFO" if logs["LogFormat"] == "JSON" else ""),
        }

    def _environment(self, settings: Settings) -> dict[str, str]:
        """The variables that a function has on AWS. HOME is not among them."""
        config, opt = self.config, self._opt
        region = str(config["FunctionArn"]).split(":")[3]
        return {
            "PATH": f"/usr/local/bin:/usr/bin:/bin:{opt}/bin",
            "LD_LIBRARY_PATH": f"{self._task}:{self._task}/lib:{opt}/lib",
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(self._folder),
            "AWS_ENDPOINT_URL": settings.endpoint,
            "AWS_CA_BUNDLE": str(settings.ca_bundle),
            "SSL_CERT_FILE": str(settings.ca_bundle),
            **{
                str(name): str(value)
                for name, value in ((config.get("Environment") or {}).get("Variables") or {}).items()
            },
            "PYTHONUNBUFFERED": "1",
            "_HANDLER": str(config["Handler"]),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": str(config["FunctionName"]),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_VERSION": str(config["Version"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
            "AWS_SESSION_TOKEN": self.credentials.session_token,
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": str(self._task),
            "LAMBDA_RUNTIME_DIR": str(_RUNTIME),
        }

    # -- invoking --

    def invoke(self, request: Request) -> Outcome:
        """Give the event to the handler and wait for its end. A failed environment is killed."""
        outcome = Outcome()
        begun = time.monotonic()
        seconds = float(self.config["Timeout"])
        if not self._is_ready:
            first = self._wait(begun + INIT_SECONDS + seconds)
            outcome.init_milliseconds = (time.monotonic() - self._started) * 1000
            begun = time.monotonic()
            if not isinstance(first, dict) or "error" in first:
                self._failed(outcome, first, request, seconds, is_init=True)
                return self._ended(outcome, begun, "")
            self._is_ready = True
        asked = {"id": request.id, "arn": request.arn, "event": request.event}
        self._send({**asked, "trace": request.trace, "seconds": seconds})
        answer = self._wait(begun + seconds)
        if isinstance(answer, dict) and "result" in answer:
            outcome.result = answer["result"]
        else:
            self._failed(outcome, answer, request, seconds)
        return self._ended(outcome, begun, request.id)

    def _wait(self, deadline: float) -> dict[str, Any] | str:
        """The process's answer, or the reason why none comes: `time`, `memory` or `exit`."""
        limit, storage = int(self.config["MemorySize"]) * _MEBIBYTE, _storage(self.config)
        measured = 0.0
        while True:
            with contextlib.suppress(queue.Empty):
                answer = self._answers.get(timeout=_TICK_SECONDS)
                return answer if answer is not None else "exit"
            now = time.monotonic()
            self._peak = max(self._peak, _resident_bytes(self._process.pid))
            if self._peak > limit:
                return "memory"
            if now - measured > _DISK_SECONDS:
                measured = now
                if _size(self._folder) > storage:
                    return "storage"
            if now > deadline:
                return "time"

    def _failed(
        self,
        outcome: Outcome,
        why: dict[str, Any] | str,
        request: Request,
        seconds: float,
        is_init: bool = False,
    ) -> None:
        if isinstance(why, dict):
            outcome.error = why["error"]
            if is_init:
                self.kill()
                outcome.status = "error"
            return
        self.kill()
        outcome.status = "timeout" if why == "time" else "error"
        kind, words = {
            "time": ("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds"),
            "memory": ("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
            "storage": (
                "Runtime.ExitError",
                f"No space left on device: {_storage(self.config) // _MEBIBYTE} MB of temporary storage",
            ),
        }.get(why) or ("Runtime.ExitError", _exit_words(self._process.wait()))
        outcome.error = {"errorType": kind, "errorMessage": f"RequestId: {request.id} Error: {words}"}

    def _ended(self, outcome: Outcome, begun: float, mark: str) -> Outcome:
        outcome.milliseconds = (time.monotonic() - begun) * 1000
        while self._process.poll() is None or not self._marks.empty():
            try:
                if self._marks.get(timeout=1.0) == mark:
                    break
            except queue.Empty:
                break
        if outcome.status:
            time.sleep(_TICK_SECONDS)  # the last lines of an ended process
        self._peak = max(self._peak, _resident_bytes(self._process.pid))
        outcome.memory = min(-(-self._peak // _MEBIBYTE), int(self.config["MemorySize"]))
        outcome.output, self._output = self._output, []
        return outcome

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process with everything that it started, and remove its temporary storage."""
        with self._killing:
            if self._events < 0:
                return
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            os.close(self._events)
            self._events = -1
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- pipes --

    def _send(self, document: dict[str, Any]) -> None:
        rest = memoryview(json.dumps(document).encode() + b"\n")
        with contextlib.suppress(OSError):  # it has ended, and its answers too
            while rest:
                rest = rest[os.write(self._events, rest) :]

    def _follow_answers(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as answers:
            for line in answers:
                self._answers.put(json.loads(line))
        self._answers.put(None)

    def _follow_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                text, mark, ended = line.rstrip(b"\n").partition(END_OF_OUTPUT)
                if text or not mark:
                    self._output.append(text.decode("utf-8", "replace").replace(LINE_BREAK, "\n"))
                if mark:
                    self._marks.put(ended.decode())


def log_settings(config: dict[str, Any]) -> dict[str, Any]:
    """A function's logging with Lambda's defaults."""
    given = {name: value for name, value in (config.get("LoggingConfig") or {}).items() if value}
    return {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{config['FunctionName']}", **given}


def _storage(config: dict[str, Any]) -> int:
    return int((config.get("EphemeralStorage") or {}).get("Size", 512)) * _MEBIBYTE


def _exit_words(code: int) -> str:
    if code < 0:
        return f"Runtime exited with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"
    if code == 0:
        return "Runtime exited without providing a reason"
    return f"Runtime exited with error: exit status {code}"


def _size(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += Path(place, name).lstat().st_blocks * 512
    return total


def _resident_bytes(process: int) -> int:
    """The memory of a process and of all that it started, as far as this system says; else 0."""
    if not Path("/proc/self/statm").is_file():
        listed = subprocess.run(["ps", "-o", "rss=", "-g", str(process)], capture_output=True, text=True)
        return sum(int(size) for size in listed.stdout.split()) * 1024
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except (OSError, ValueError, IndexError):
        return 0
    own = int(pages) * os.sysconf("SC_PAGE_SIZE")
    return own + sum(_resident_bytes(int(child)) for child in children)
