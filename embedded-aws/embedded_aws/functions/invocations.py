"""Invokes functions: environments are started with the function's role, reused, and counted.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-sync.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

import contextvars
import json
import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from embedded_aws.cloudwatch import metrics
from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.functions import logs
from embedded_aws.functions.code import CodeMissingError
from embedded_aws.functions.environments import Environment, Outcome, Request
from embedded_aws.iam import roles

PRINCIPAL = "lambda.amazonaws.com"
LARGEST_RESULT = 6_291_556
LARGEST_REQUEST = {"RequestResponse": 6_291_456, "Event": 1_048_576}
IDLE_SECONDS = 60.0
"""The time after which an unused environment ends."""
_SERVED = re.compile(r"python3\.(9|1[0-4])")
_CHANGES = (
    *("Runtime", "Handler", "Role", "MemorySize", "Timeout", "Environment", "Layers", "CodeSha256"),
    *("EphemeralStorage", "LoggingConfig", "Version"),
)
"""The settings whose change starts a new environment."""
_BEHAVIOUR = "functions in processes with their own role"
_logger = logging.getLogger("embedded-aws.functions")


class ServiceError(Exception):
    """Lambda refuses the invocation before the handler sees it."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


_refused: contextvars.ContextVar[list[ServiceError] | None] = contextvars.ContextVar("refused", default=None)


def install(settings: Settings) -> Callable[[], None]:
    """Replace MiniStack's execution of functions. Calling the result ends all environments."""
    environments = Environments(settings)

    def execute(_original: Any) -> Callable[..., Any]:
        return lambda func, event: run(environments, func, event, new_request_id())

    def silent(_original: Any) -> Callable[..., Any]:
        return lambda function_name, duration_ms, error, throttle: None

    module = "services.lambda_svc"
    emulator.replace(module, "_execute_function", ("func", "event"), execute, _BEHAVIOUR)
    emulator.replace(
        module,
        "_emit_lambda_metrics",
        ("function_name", "duration_ms", "error", "throttle"),
        silent,
        _BEHAVIOUR,
    )
    emulator.replace(
        module, "_invoke", ("name", "event", "headers", "path_qualifier", "query_params"), _invoke, _BEHAVIOUR
    )
    _all[:] = [environments]
    return environments.end


_all: "list[Environments]" = []


def run_once(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """One attempt of an asynchronous invocation, which keeps its id when it is repeated."""
    return run(_all[0], func, event, request_id)


def new_request_id() -> str:
    return str(emulator.module("core.responses").new_uuid())


# -- one invocation --


def run(environments: "Environments", func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """Invoke a version of a function. Returns MiniStack's result: body, error, log and throttle."""
    service = emulator.service("lambda_svc")
    config = func.get("config") or func
    if service._function_config_scope_mismatch(config):
        return dict(
            service._run_with_function_config_scope(config, run, environments, func, event, request_id)
        )
    name = str(config["FunctionName"])
    base = service._functions.get(name) or func  # a version shares its function's concurrency
    slot, limit = service._acquire_execution_slot(base, config)
    if slot is None:
        count(config, "Throttles", 1)
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        reason = reason if limit == "function" else "ConcurrentInvocationLimitExceeded"
        body = {"Reason": reason, "Type": "User", "message": "Rate Exceeded."}
        return {"throttle": True, "error": True, "body": {"__type": "TooManyRequestsException", **body}}
    try:
        count(config, "ConcurrentExecutions", service._inflight.get(slot, 1))
        return _served(environments, func, config, event, request_id)
    except ServiceError as error:
        refused = _refused.get()
        if refused is not None:
            refused.append(error)
        _logger.warning("function %s: %s", name, error.message)
        body = {"errorType": error.code, "errorMessage": error.message}
        return {"error": True, "body": body, "service_error": error, "log": ""}
    finally:
        service._release_execution_slot(slot)


def _served(
    environments: "Environments", func: dict[str, Any], config: dict[str, Any], event: Any, request_id: str
) -> dict[str, Any]:
    trace = emulator.service("lambda_svc")._xray_trace_id_for_invocation(config) or ""
    request = Request(request_id, str(config["FunctionArn"]), event, str(trace))
    environment, stream = environments.take(func, config)
    try:
        outcome = environment.invoke(request)
    except BaseException:
        environment.kill()
        raise
    _refuse_large_result(outcome)
    lines = logs.lines_of(environment, request, outcome)
    environments.give_back(environment, stream)
    stream.put(lines)
    count(config, "Invocations", 1)
    count(config, "Errors", int(outcome.error is not None))
    count(config, "Throttles", 0)
    count(config, "Duration", outcome.milliseconds, "Milliseconds")
    log = "\n".join(lines)
    if outcome.error is not None:
        return {"body": outcome.error, "error": True, "function_error": "Unhandled", "log": log}
    return {"body": json.loads(outcome.result), "log": log}


def _refuse_large_result(outcome: Outcome) -> None:
    size = len(outcome.result.encode())
    if outcome.error is None and size > LARGEST_RESULT:
        words = f"Response payload size ({size} bytes) exceeded maximum allowed payload size"
        outcome.error = {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": f"{words} ({LARGEST_RESULT} bytes).",
        }


def count(config: dict[str, Any], name: str, value: float, unit: str = "Count") -> None:
    """Record a metric of a function. It goes on without its metrics."""
    try:
        metrics.record("AWS/Lambda", name, {"FunctionName": str(config["FunctionName"])}, value, unit)
    except Exception:
        _logger.exception("no metric %s of %s", name, config["FunctionName"])


# -- environments --


class Environments:
    """The environments of all functions. Each serves one event at a time, and ends when unused."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, ...], list[tuple[str, Environment, logs.LogStream]]] = {}
        self._busy: dict[int, tuple[tuple[str, ...], str, Environment]] = {}
        self._is_ended = False
        threading.Thread(target=self._end_unused, name="function environments", daemon=True).start()

    def take(self, func: dict[str, Any], config: dict[str, Any]) -> tuple[Environment, logs.LogStream]:
        """A waiting environment of this version as it is configured now, or a new one."""
        key = (*roles.current_scope(), str(config["FunctionName"]), str(config["Version"]))
        form = json.dumps([config.get(name) for name in _CHANGES], sort_keys=True)
        with self._lock:
            waiting = self._idle.pop(key, [])
            outdated = [one for one in waiting if one[0] != form or not one[1].is_alive]
            usable = [one for one in waiting if one not in outdated]
            found = usable.pop() if usable else None
            self._idle[key] = usable
            if found:
                self._busy[id(found[1])] = key, form, found[1]
        for _, environment, _ in outdated:
            environment.kill()
        if found:
            return found[1], found[2]
        environment = self._started(func, config)
        with self._lock:
            self._busy[id(environment)] = key, form, environment
            if self._is_ended:
                environment.kill()
        return environment, logs.LogStream(self._settings, environment)

    def _started(self, func: dict[str, Any], config: dict[str, Any]) -> Environment:
        refuse_unserved(config)
        arn = ":".join(str(config["FunctionArn"]).split(":")[:7])
        try:
            credentials = roles.assume(str(config["Role"]), PRINCIPAL, str(config["FunctionName"]), arn)
        except roles.RoleNotAssumableError as error:
            message = f"The role defined for the function cannot be assumed by Lambda. {error}"
            raise ServiceError("AccessDeniedException", message, 403) from error
        try:
            return Environment(func, config, credentials, self._settings)
        except CodeMissingError as error:
            raise ServiceError("InvalidZipFileException", str(error), 502) from error

    def give_back(self, environment: Environment, stream: logs.LogStream) -> None:
        """Keep a living environment for the next event."""
        with self._lock:
            key, form, _ = self._busy.pop(id(environment))
            if environment.is_alive and not self._is_ended:
                environment.idle_since = time.monotonic()
                self._idle.setdefault(key, []).append((form, environment, stream))
                return
        environment.kill()

    def _end_unused(self) -> None:
        while not self._is_ended:
            time.sleep(1.0)
            oldest = time.monotonic() - IDLE_SECONDS
            unused = []
            with self._lock:
                for key, waiting in self._idle.items():
                    unused += [one for one in waiting if one[1].idle_since < oldest]
                    self._idle[key] = [one for one in waiting if one[1].idle_since >= oldest]
            for _, environment, _ in unused:
                environment.kill()

    def end(self) -> None:
        """Kill all environments, busy ones too."""
        with self._lock:
            self._is_ended = True
            known = [one for waiting in self._idle.values() for _, one, _ in waiting]
            known += [one for _, _, one in self._busy.values()]
        for environment in known:
            environment.kill()


def refuse_unserved(config: dict[str, Any]) -> None:
    """Refuse a function that is not in Python."""
    runtime, name = str(config.get("Runtime") or ""), config["FunctionName"]
    if config.get("PackageType") == "Image":
        message = f"Function {name} is a container image. The embedded AWS runs only functions from a zip."
        raise ServiceError("InvalidRuntimeException", message, 502)
    if not _SERVED.fullmatch(runtime):
        message = (
            f"Function {name} has the runtime {runtime}. The embedded AWS runs only Python functions; "
            "use python3.11."
        )
        raise ServiceError("InvalidRuntimeException", message, 502)


# -- the call --


def _invoke(original: Any) -> Callable[..., Any]:
    """Refuse requests as Lambda does, and answer its own errors with their names."""

    async def invoke(
        name: str,
        event: Any,
        headers: Any,
        path_qualifier: str | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Any:
        service = emulator.service("lambda_svc")
        kind = str(headers.get("x-amz-invocation-type") or "RequestResponse")
        size = int(headers.get("content-length") or 0)
        most = LARGEST_REQUEST.get(kind, size)
        if size > most:
            message = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
            return service.error_response_json("RequestTooLargeException", message, 413)
        refused: list[ServiceError] = []
        token = _refused.set(refused)
        try:
            func = service._functions.get(name)
            if func is not None:
                refuse_unserved(func["config"])
            answer = await original(name, event, headers, path_qualifier, query_params)
        except ServiceError as error:
            refused.append(error)
        finally:
            _refused.reset(token)
        if refused:
            first = refused[0]
            return service.error_response_json(first.code, first.message, first.status)
        return answer

    return invoke
