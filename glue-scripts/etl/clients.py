"""Clients of AWS. Only this module imports boto3."""

from typing import Any

_clients: dict[str, Any] = {}


def client(service: str) -> Any:
    """One client per process and service."""
    if service not in _clients:
        import boto3  # here, because runs on local files do not need it

        _clients[service] = boto3.client(service)
    return _clients[service]


def error_code(error: Exception) -> str:
    """The code of an AWS error; "" for any other error."""
    code: str = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    return code
