"""Runs a function's handler in this process, event by event, as Lambda's Python runtime does.

The embedded AWS starts this file with two pipes: it writes one JSON line for the set-up and one for each
event, and reads one JSON line for each. It uses the standard library only, because everything else that the
handler can import is the function's own, its layers' or the runtime's. When the server is gone, its pipe
closes and this process group ends. On standard output `\\x01` and an id mark the end of an event's output.
`\\x02` stands for a line break within one record.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

import decimal
import importlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

END_OF_OUTPUT = "\x01"
LINE_BREAK = "\x02"
_LEVELS = {"TRACE": 5, "FATAL": logging.CRITICAL}
_current = SimpleNamespace(request="")


class Context:
    """The handler's second argument."""

    identity = None
    client_context = None

    def __init__(self, setup: dict[str, Any], request: dict[str, Any]) -> None:
        self.function_name = setup["name"]
        self.function_version = setup["version"]
        self.invoked_function_arn = request["arn"]
        self.memory_limit_in_mb = str(setup["memory"])
        self.aws_request_id = request["id"]
        self.log_group_name = setup["logGroup"]
        self.log_stream_name = setup["logStream"]
        self._deadline = time.monotonic() + float(request["seconds"])

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class _Log(logging.Handler):
    """Writes log records in Lambda's text or JSON format."""

    def __init__(self, is_json: bool) -> None:
        super().__init__()
        self._is_json = is_json

    def emit(self, record: logging.LogRecord) -> None:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        if self._is_json:
            given: dict[str, Any] = {
                "timestamp": moment,
                "level": record.levelname,
                "message": record.getMessage(),
            }
            given |= {"logger": record.name, "requestId": _current.request}
            if trace:
                given["stackTrace"] = trace.splitlines()
            write(json.dumps(given))
            return
        text = f"[{record.levelname}]\t{moment}\t{_current.request}\t{record.getMessage()}"
        write(f"{text}\n{trace}" if trace else text)


def write(text: str) -> None:
    """Write one record, whatever line breaks it has."""
    sys.stdout.write(text.rstrip("\n").replace("\n", LINE_BREAK) + "\n")
    sys.stdout.flush()


def main() -> None:
    events, answers = os.fdopen(int(sys.argv[1]), "rb"), os.fdopen(int(sys.argv[2]), "wb")
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    setup = json.loads(events.readline())
    threading.Thread(target=_read, args=(events, lines), daemon=True).start()
    _find_modules(setup)
    _log_as(setup)

    def answer(document: dict[str, Any]) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        mark = f"{END_OF_OUTPUT}{document['id']}\n"
        os.write(1, mark.encode())
        answers.write(json.dumps(document).encode() + b"\n")
        answers.flush()

    try:
        handler = _handler(setup)
    except BaseException as error:
        answer({"id": "", "error": _of_import(error, setup)})
        return
    answer({"id": "", "ready": True})
    while True:
        request = json.loads(lines.get())
        _current.request = request["id"]
        os.environ["_X_AMZN_TRACE_ID"] = request["trace"]
        try:
            result = handler(request["event"], Context(setup, request))
        except Exception as error:
            answer({"id": request["id"], "error": _of_handler(error, setup, request["id"])})
            continue
        try:
            text = json.dumps(result, default=_plain)
        except Exception as error:
            message = f"Unable to marshal response: {error}"
            failed: dict[str, Any] = {"errorMessage": message, "errorType": "Runtime.MarshalError"}
            failed |= {"requestId": request["id"], "stackTrace": []}
            write(f"[ERROR] Runtime.MarshalError: {message}")
            answer({"id": request["id"], "error": failed})
            continue
        answer({"id": request["id"], "result": text})


def _read(events: Any, lines: "queue.SimpleQueue[bytes]") -> None:
    """Hand over the events. At their end the server is gone."""
    while line := events.readline():
        lines.put(line)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _find_modules(setup: dict[str, Any]) -> None:
    """The function's own modules come first, then its layers', then Python's, then the runtime's."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    own = [setup["task"], *setup["layers"]]
    rest = [path for path in sys.path[1:] if path not in given]
    sys.path[:] = [*own, *(path for path in given if path), *rest, setup["libraries"]]


def _log_as(setup: dict[str, Any]) -> None:
    root, name = logging.getLogger(), str(setup["level"])
    root.addHandler(_Log(setup["format"] == "JSON"))
    if name:
        root.setLevel(_LEVELS.get(name, name))


def _handler(setup: dict[str, Any]) -> Any:
    name = str(setup["handler"])
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise _InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    module = importlib.import_module(module_name.replace("/", "."))
    if not hasattr(module, function_name):
        raise _InitError(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        )
    return getattr(module, function_name)


class _InitError(Exception):
    """The handler cannot be found."""


def _of_import(error: BaseException, setup: dict[str, Any]) -> dict[str, Any]:
    module = str(setup["handler"]).rpartition(".")[0]
    trace: list[str] = []
    if isinstance(error, _InitError):
        kind, message = error.args
    elif isinstance(error, SystemExit):
        kind, message = "Runtime.ExitError", _exit_words(error.code)
    elif isinstance(error, ImportError):
        kind, message = "Runtime.ImportModuleError", f"Unable to import module '{module}': {error}"
    elif isinstance(error, SyntaxError):
        kind, message = "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}"
    else:
        kind, message, trace = type(error).__name__, str(error), _frames(error, setup)
    write("\n".join([f"[ERROR] {kind}: {message}", "Traceback (most recent call last):", *trace]))
    return {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": trace}


def _exit_words(code: Any) -> str:
    status = code if isinstance(code, int) else int(code is not None)
    return f"Runtime exited with error: exit status {status}"


def _of_handler(error: Exception, setup: dict[str, Any], request: str) -> dict[str, Any]:
    trace = _frames(error, setup)
    kind = type(error).__name__
    lines = [f"[ERROR] {kind}: {error}", "Traceback (most recent call last):", *trace]
    write("\n".join(line.rstrip("\n") for line in lines))
    return {"errorMessage": str(error), "errorType": kind, "requestId": request, "stackTrace": trace}


def _frames(error: BaseException, setup: dict[str, Any]) -> list[str]:
    """The stack from the handler's module on, with the paths that Lambda has."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen importlib") and frame.filename != __file__
    ]
    shown = [line for line in traceback.format_list(frames) if "importlib/__init__.py" not in line]
    layers = str(setup["opt"])
    return [line.replace(str(setup["task"]), "/var/task").replace(layers, "/opt") for line in shown]


def _plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


if __name__ == "__main__":
    main()
