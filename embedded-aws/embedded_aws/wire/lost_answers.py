"""Loses answers on purpose: a share of the calls is carried out, and the connection closed without an answer.

The same happens when a network fails: the caller cannot know whether its call was carried out. The client
reads the end of the connection and no byte of an answer.
"""

import logging
import random
from typing import Any

from hypercorn.protocol.events import StreamClosed

from embedded_aws.wire.repeated_calls import App, Message, Receive, Send

_OWN = "/_ministack/"
_logger = logging.getLogger("embedded-aws.lost-answers")


class LostAnswers:
    """The layer around an ASGI application that Hypercorn serves over HTTP/1.1."""

    def __init__(self, app: App, share: float, seed: int) -> None:
        """``share`` is from 0 to less than 1. The same ``seed`` loses the same calls, in order of arrival."""
        self._app, self._share = app, share
        self._random = random.Random(seed)  # noqa: S311 - a test's dice

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        is_call = scope["type"] == "http" and not scope["path"].startswith(_OWN)
        if not is_call or self._random.random() >= self._share:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _unheard)
        headers = dict(scope["headers"])
        action = headers.get(b"x-amz-target", f"{scope['method']} {scope['path']}".encode())
        call = headers.get(b"amz-sdk-invocation-id", b"")
        _logger.info("lost the answer of %s (%s)", action.decode("latin-1"), call.decode("latin-1"))
        # ASGI has no message for this. Hypercorn closes the connection if a stream ends before its answer.
        stream = send.__self__  # type: ignore[attr-defined]
        await stream.send(StreamClosed(stream_id=stream.stream_id))


async def _unheard(message: Message) -> None:
    del message
