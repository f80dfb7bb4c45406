"""A path without a value fails the execution, and Choice compares, as on AWS.

MiniStack gives null for such a path, so a lost input would go unnoticed.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import json
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_BEHAVIOUR = "paths and choices as AWS reads them"
_NEVER_CAUGHT = frozenset({"States.Runtime", "States.DataLimitExceeded"})


def install(settings: Settings) -> Callable[[], None]:
    """Replace MiniStack's paths, and wrap its Choice rules and its matching of errors."""
    del settings
    module = "services.stepfunctions"
    emulator.replace(module, "_resolve_path", ("path", "data"), lambda _: resolve_path, _BEHAVIOUR)
    emulator.replace(module, "_evaluate_rule", ("rule", "data", "ctx"), _rules, _BEHAVIOUR)
    emulator.replace(module, "_error_matches", ("error_equals", "error"), _errors, _BEHAVIOUR)
    emulator.replace(module, "_is_num", ("v",), lambda _: _is_number, _BEHAVIOUR)
    return lambda: None


class _Missing:
    pass


_MISSING = _Missing()


def resolve_path(path: str, data: Any) -> Any:
    """The value at a path. Raises States.Runtime when a definite path has no value."""
    found = _follow(path, data)
    if isinstance(found, _Missing):
        shown = json.dumps(data)
        raise emulator.service("stepfunctions")._ExecutionError(
            "States.Runtime", f"The JSONPath '{path}' could not be found in the input '{shown[:2000]}'"
        )
    return found


def _follow(path: str, data: Any) -> Any:
    states = emulator.service("stepfunctions")
    if not path or path == "$" or not path.startswith("$"):
        return data
    steps = states._parse_jsonpath_tokens(path)
    if steps is None:
        raise states._ExecutionError("States.Runtime", f"The JSONPath '{path}' is not understood here")
    if any(kind == "wildcard" for kind, _ in steps):
        return _follow_all(steps, data)
    for kind, name in steps:
        if (kind == "field" and isinstance(data, dict) and name in data) or (
            kind == "index" and isinstance(data, list) and name < len(data)
        ):
            data = data[name]
        else:
            return _MISSING
    return data


def _follow_all(steps: list[tuple[str, Any]], data: Any) -> list[Any]:
    """The list of values at an indefinite path; it may be empty."""
    found = [data]
    for kind, name in steps:
        after: list[Any] = []
        for value in found:
            if kind == "wildcard":
                after += (
                    list(value.values())
                    if isinstance(value, dict)
                    else value
                    if isinstance(value, list)
                    else []
                )
            elif (kind == "field" and isinstance(value, dict) and name in value) or (
                kind == "index" and isinstance(value, list) and name < len(value)
            ):
                after.append(value[name])
        found = after
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rules(original: Any) -> Callable[..., Any]:
    """Evaluate IsPresent on the path, not on its value, and every operator also with ``Path``."""

    def evaluate_rule(rule: dict[str, Any], data: Any, ctx: dict[str, Any] | None = None) -> bool:
        variable = rule.get("Variable")
        if variable and "IsPresent" in rule:
            return bool(_present(variable, data, ctx) == rule["IsPresent"])
        if variable and "IsNumeric" in rule:
            return bool(_is_number(_value(variable, data, ctx)) == rule["IsNumeric"])
        if variable:
            for operator in rule:
                if operator.endswith("Path") and operator != "Variable":
                    plain = {
                        "Variable": variable,
                        operator.removesuffix("Path"): _value(rule[operator], data, ctx),
                    }
                    return bool(original(plain, data, ctx))
        return bool(original(rule, data, ctx))

    return evaluate_rule


def _place(path: str, data: Any, ctx: dict[str, Any] | None) -> tuple[str, Any]:
    return (path[1:], ctx or {}) if path.startswith("$$") else (path, data)


def _present(path: str, data: Any, ctx: dict[str, Any] | None) -> bool:
    return not isinstance(_follow(*_place(path, data, ctx)), _Missing)


def _value(path: str, data: Any, ctx: dict[str, Any] | None) -> Any:
    return resolve_path(*_place(path, data, ctx))


def _errors(original: Any) -> Callable[..., Any]:
    """Match States.ALL and States.TaskFailed as wildcards, except for errors of the definition itself."""

    def error_matches(error_equals: list[str], error: str) -> bool:
        if error in _NEVER_CAUGHT:
            return error in error_equals
        return bool(original(error_equals, error))

    return error_matches
