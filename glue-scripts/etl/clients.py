"""Clients of AWS: the only module of this package that knows boto3."""

from typing import Any

_clients: dict[str, Any] = {}


def client(service: str) -> Any:
    """One a process and service."""
    if service not in _clients:
        import boto3  # type: ignore[import-untyped]  # here: a run on local files needs none

        _clients[service] = boto3.client(service)
    return _clients[service]


def error_code(error: Exception) -> str:
    """The service's name for its error; "" for an error of no service."""
    code: str = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    return code
