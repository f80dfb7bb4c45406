"""Gives the account's owner temporary credentials of a job's role, so that a session acts as the job does.

On AWS, StartJobRun and CreateSession hand a role to Glue and never to the caller. Here the session runs in
the caller's own terminal. So this is not a call of AWS: it has a path of its own, and asks for the owner's
secret key.
"""

import asyncio
import hmac
import json
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.iam import roles

PATH = "/_embedded-aws/job-credentials"
_LONGEST_BODY = 10_000


async def give_when_asked(settings: Settings, scope: dict[str, Any], receive: Any, send: Any) -> bool:
    """Answers a POST of `{"job": name}` with credentials of the job's role. False for any other request."""
    if scope["type"] != "http" or scope["path"] != PATH:
        return False
    status, answer = 403, {"message": "the owner's secret access key is needed as a bearer token"}
    if _is_of_owner(settings, scope):
        status, answer = await asyncio.to_thread(_credentials, settings, await _body(receive))
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
    return True


def _is_of_owner(settings: Settings, scope: dict[str, Any]) -> bool:
    given = dict(scope["headers"]).get(b"authorization", b"")
    return hmac.compare_digest(bytes(given), f"Bearer {settings.secret_access_key}".encode())


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more and len(body) <= _LONGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _credentials(settings: Settings, body: bytes) -> tuple[int, dict[str, str]]:
    try:
        name = str(json.loads(body)["job"])
    except (ValueError, KeyError, TypeError):
        return 400, {"message": 'the body must be {"job": name}'}
    job = emulator.service("glue")._jobs.get(name)
    if job is None:
        return 404, {"message": f"job {name} does not exist"}
    source = f"arn:aws:glue:{settings.region}:{settings.account}:job/{name}"
    try:
        given = roles.assume(job.get("Role", ""), "glue.amazonaws.com", f"session-{name}", source)
    except roles.RoleNotAssumableError as error:
        return 409, {"message": str(error)}
    return 200, {
        "accessKeyId": given.access_key_id,
        "secretAccessKey": given.secret_access_key,
        "sessionToken": given.session_token,
        "roleArn": given.role_arn,
    }
