"""Carries out a call once when an SDK repeats it because no answer came, and gives it the first answer.

Every SDK of AWS sends the header ``amz-sdk-invocation-id``. It is the same in all attempts of one call, and
differs from call to call. An attempt is a repeat when id, access key, method, path, query and body are those
of an earlier one. A repeat that comes while the first attempt is being carried out waits for its answer. The
call is carried out to its end even if its client disconnects.

Only successful answers are kept. SDKs also repeat a call on purpose: after throttling, after an error of the
service and (Terraform's provider) after some errors of the caller. Such a call changed nothing, so it is
carried out again, as on AWS. GET and HEAD change nothing and their answers may be large: they are carried out
each time. So are calls without the header, and calls that answer with a stream.

Kept answers are limited in number, bytes and age. They are in memory only, so a restart forgets them.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

import asyncio
import hashlib
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

MOST_ANSWERS = 4096
MOST_BYTES = 64 * 1024 * 1024
LONGEST_SECONDS = 900.0
"""The client that waits longest, Terraform's provider, waits at most 5 minutes between two attempts."""

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]
Key = tuple[Any, ...]

_logger = logging.getLogger("embedded-aws.repeated-calls")
# The signatures of chunks contain the time of the attempt:
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
_CHUNK_SIGNATURE = re.compile(rb"(;chunk-signature=|x-amz-trailer-signature:)[0-9a-f]{64}")
_XML_ERROR = re.compile(rb"\s*(<\?xml[^>]*\?>)?\s*<Error[\s>]")


@dataclass
class Answer:
    """The application's answer to one attempt."""

    started: float = field(default_factory=time.monotonic)
    messages: list[Message] = field(default_factory=list)
    streamed: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def succeeded(self) -> bool:
        """True if it may be given again. S3 may answer 200 and then report an error:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
        """
        if self.streamed or not self.messages:
            return False
        return 200 <= int(self.messages[0]["status"]) < 300 and not _XML_ERROR.match(self.body)


class RepeatedCalls:
    """The layer around an ASGI application."""

    def __init__(
        self,
        app: App,
        most_answers: int = MOST_ANSWERS,
        most_bytes: int = MOST_BYTES,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._app = app
        self._most_answers, self._most_bytes = most_answers, most_bytes
        self._longest_seconds = longest_seconds
        self._running: dict[Key, asyncio.Task[Answer]] = {}
        self._kept: OrderedDict[Key, Answer] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        if "amz-sdk-invocation-id" not in headers or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        body = await _whole_body(receive)
        if body is None:
            return  # the client disconnected before the end of its request
        answer = await self._answer(_key(scope, headers, body), (scope, body, receive, send))
        if not answer.streamed:
            for message in answer.messages:
                await send(message)

    async def _answer(self, key: Key, attempt: tuple[dict[str, Any], bytes, Receive, Send]) -> Answer:
        """The answer of an earlier attempt if that succeeded, else this attempt's."""
        while True:
            kept = self._look_up(key)
            if kept is not None:
                _logger.info(
                    "answered again, and not carried out again: %s, %.0f ms after the first attempt",
                    _name(attempt[0]),
                    (time.monotonic() - kept.started) * 1000,
                )
                return kept
            running = self._running.get(key)
            if running is None:
                running = self._running[key] = asyncio.create_task(self._carry_out(key, *attempt))
                # The connection's end may cancel this wait, and must not cancel the call.
                return await asyncio.shield(running)
            await asyncio.wait({running})

    async def _carry_out(
        self, key: Key, scope: dict[str, Any], body: bytes, receive: Receive, send: Send
    ) -> Answer:
        answer = Answer()

        async def hear(message: Message) -> None:
            if message["type"] == "http.response.body" and message.get("more_body") and not answer.streamed:
                answer.streamed = True
                for held_back in answer.messages:
                    await send(held_back)
            if answer.streamed:
                await send(message)
            else:
                answer.messages.append(message)

        try:
            await self._app(scope, _replayed(body, receive), hear)
        finally:
            del self._running[key]
        if answer.succeeded:
            self._keep(key, answer)
        return answer

    def _look_up(self, key: Key) -> Answer | None:
        self._forget(lambda oldest: time.monotonic() - oldest.started > self._longest_seconds)
        return self._kept.get(key)

    def _keep(self, key: Key, answer: Answer) -> None:
        self._kept[key] = answer
        self._bytes += len(answer.body)
        self._forget(lambda _: len(self._kept) > self._most_answers or self._bytes > self._most_bytes)

    def _forget(self, too_much: Callable[[Answer], bool]) -> None:
        """Drops answers, the oldest first."""
        while self._kept and too_much(next(iter(self._kept.values()))):
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)


def _headers(scope: dict[str, Any]) -> dict[str, str]:
    given = scope.get("headers", []) if scope["type"] == "http" else []
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in given}


def _key(scope: dict[str, Any], headers: dict[str, str], body: bytes) -> Key:
    caller = re.search(r"Credential=([^/]+)/", headers.get("authorization", ""))
    if headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        body = _CHUNK_SIGNATURE.sub(b"", body)
    return (
        headers["amz-sdk-invocation-id"],
        caller.group(1) if caller else "",
        scope["method"],
        scope["raw_path"],
        scope["query_string"],
        headers.get("x-amz-target", ""),
        hashlib.sha256(body).digest(),
    )


def _name(scope: dict[str, Any]) -> str:
    """A call's name in the log."""
    headers = _headers(scope)
    action = headers.get("x-amz-target") or f"{scope['method']} {scope['path']}"
    return f"{action} ({headers['amz-sdk-invocation-id']})"


async def _whole_body(receive: Receive) -> bytes | None:
    """The request's body; None when the client disconnected before its end."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read already, then the client's next messages."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
