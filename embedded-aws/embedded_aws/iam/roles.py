"""Temporary credentials of a role for the AWS service that acts with it, and clients that use them.

Jobs, crawlers and state machines call the endpoint with their own role's credentials, so that the role's
rights are really checked.
"""

import functools
import json
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

import botocore.config
import botocore.exceptions
import botocore.session

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_SESSION_SECONDS = 12 * 3600
_LONGEST_ANSWERS = {"lambda": 960}
"""Seconds that a client waits for an answer: a function takes up to 15 minutes. Otherwise two minutes."""
_clients_lock = threading.Lock()
_sessions: dict[tuple[str, str], botocore.session.Session] = {}


class RoleNotAssumableError(Exception):
    """The role does not exist, or its trust policy does not let the service assume it."""


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of an assumed role."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    role_arn: str


def assume(role: str, service_principal: str, session_name: str, source_arn: str = "") -> Credentials:
    """Credentials of ``role`` (an ARN, or a name with or without path) for a service such as
    glue.amazonaws.com.

    Raises RoleNotAssumableError when the role is missing or does not trust the service in this context.
    """
    iam = emulator.service("iam")
    sts = emulator.service("sts")
    account, _ = current_scope()
    name = role.rsplit("/", 1)[-1]
    record = iam._roles.get(name)
    if record is None:
        raise RoleNotAssumableError(f"Role {role} does not exist")
    if not _trusts(record, service_principal, source_arn):
        raise RoleNotAssumableError(f"Role {record['Arn']} does not trust {service_principal} to assume it")
    credentials = Credentials(
        iam._gen_session_access_key(), iam._gen_secret(), iam._gen_session_token(), str(record["Arn"])
    )
    session = re.sub(r"[^\w+=,.@-]", "-", session_name)[:64]
    sts.register_session(
        credentials.access_key_id,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            "UserId": f"{record.get('RoleId', name)}:{session}",
            "AccountId": account,
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": time.time() + _SESSION_SECONDS,
        },
    )
    return credentials


def _trusts(record: dict[str, Any], service_principal: str, source_arn: str) -> bool:
    evaluator = emulator.module("core.iam_evaluator")
    account, region = current_scope()
    document = record.get("AssumeRolePolicyDocument") or "{}"
    if isinstance(document, str):
        document = json.loads(document)
    context = evaluator.EvalContext(
        principal_arn=service_principal,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=str(record["Arn"]),
        region=region,
        secure_transport=True,
        service_context={"aws:sourcearn": source_arn or None, "aws:sourceaccount": account},
    )
    verdict = evaluator.evaluate_resource_policy(document, context, service=service_principal)
    return bool(verdict.decision == "Allow")


def current_scope() -> tuple[str, str]:
    """Account and region of the request being served, or of a thread that it started."""
    responses = emulator.module("core.responses")
    return str(responses.get_account_id()), str(responses.get_region())


@functools.cache
def _client_config(read_seconds: int) -> Any:
    return botocore.config.Config(
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
        connect_timeout=10,
        read_timeout=read_seconds,
        max_pool_connections=4,
        parameter_validation=True,
    )


def client(settings: Settings, service: str, credentials: Credentials) -> Any:
    """A client of the endpoint for one AWS service that acts with these credentials."""
    _, region = current_scope()
    with _clients_lock:  # creating clients is not thread-safe; models are cached in the session
        session = _sessions.setdefault(("", ""), botocore.session.Session())
        made = session.create_client(
            service,
            region_name=region,
            endpoint_url=settings.endpoint,
            verify=str(settings.ca_bundle),
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=_client_config(_LONGEST_ANSWERS.get(service, 120)),
        )
        made.meta.events.register(
            "before-send", functools.partial(_send_until_answered, made._endpoint.http_session)
        )
        return made


_MOST_SENDINGS = 5


def _send_until_answered(connections: Any, request: Any, **_: Any) -> Any:
    """Send again when no answer comes. Error answers are left to the caller's own retries."""
    for sending in range(1, _MOST_SENDINGS + 1):
        try:
            return connections.send(request)
        except botocore.exceptions.ConnectionClosedError:
            if sending == _MOST_SENDINGS:
                raise
            request.reset_stream()
    return None
