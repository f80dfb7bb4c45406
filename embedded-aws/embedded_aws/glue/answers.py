"""Answers to Glue's calls that replace those of MiniStack, and how Glue refuses a call."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from embedded_aws.core import emulator


class RefusedError(Exception):
    """Glue's error code and message."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


def invalid(words: str) -> RefusedError:
    return RefusedError("InvalidInputException", words)


def missing(words: str) -> RefusedError:
    return RefusedError("EntityNotFoundException", words)


def install(calls: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]], behaviour: str) -> None:
    """Answer these calls, by their names in Glue's API, before they reach MiniStack."""

    def make(original: Any) -> Callable[..., Any]:
        def handle(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:
            action = str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1]
            if action not in calls:
                return original(method, path, headers, body, query_params)
            glue = emulator.service("glue")
            try:
                return glue.json_response(calls[action](json.loads(body or b"{}")))
            except RefusedError as error:
                return glue.error_response_json(error.code, str(error), 400)

        return handle

    parameters = ("method", "path", "headers", "body", "query_params")
    emulator.replace("services.glue", "_handle_request_sync", parameters, make, behaviour)
