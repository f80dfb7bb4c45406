"""Saves the state while the server runs, not only when it shuts down in order.

MiniStack writes its services' state on an orderly shutdown. After a kill, resources that Terraform has in its
state would be missing, so the state is also written shortly after every change.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_QUIET_SECONDS = 1.0
_LONGEST_SECONDS = 5.0
_logger = logging.getLogger("embedded-aws.snapshots")


class _Saver:
    def __init__(self) -> None:
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._last_change = 0.0
        self._lock = threading.Lock()

    def changed(self) -> None:
        self._last_change = time.monotonic()
        self._changed.set()

    def run(self) -> None:
        while not self._ended.is_set():
            self._changed.wait()
            first = time.monotonic()
            while not self._ended.wait(0.2):
                now = time.monotonic()
                if now - self._last_change > _QUIET_SECONDS or now - first > _LONGEST_SECONDS:
                    break
            self._changed.clear()
            self.save()

    def save(self) -> None:
        app = emulator.module("app")
        persistence = emulator.module("core.persistence")
        with self._lock:
            for name, get_state in app._build_persistence_save_dict().items():
                state = _copied(name, get_state)
                if state is not None:
                    persistence.save_state(name, state)

    def end(self) -> None:
        self._ended.set()
        self._changed.set()
        self.save()


def _copied(name: str, get_state: Callable[[], Any]) -> Any:
    for _attempt in range(5):
        try:
            return get_state()
        except RuntimeError:  # a store changed size while it was copied
            time.sleep(0.05)
    _logger.warning("the state of %s kept changing while it was copied; it is saved at the next change", name)
    return None


_saver = _Saver()


def changed() -> None:
    """Report a change outside a request, such as the end of a job run, a crawl or an execution."""
    _saver.changed()


async def save_when_asked(scope: dict[str, Any], send: Any) -> bool:
    """Saves at once if the request asks for it, and answers 204 when everything is on the disk.

    Returns False for any other request.
    """
    if scope["type"] != "http" or scope["path"] != "/_embedded-aws/save":
        return False
    await asyncio.to_thread(_saver.save)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
    return True


def install(settings: Settings) -> Callable[[], None]:
    """Save after every request that may change something. Calling the result saves once more and stops."""
    del settings
    quiet = ("get", "head", "describe", "list", "batchget", "lookup", "search")

    def make(original: Any) -> Any:
        async def dispatch(*args: Any, **keywords: Any) -> Any:
            answer = await original(*args, **keywords)
            method, headers = str(args[0]), args[2]
            action = str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1].lower()
            reads = action.startswith(quiet) if action else method in ("GET", "HEAD")
            if not reads:
                _saver.changed()
            return answer

        return dispatch

    emulator.replace(
        "app",
        "_dispatch_service_request",
        ("method", "path", "headers", "body", "query_params", "request_id"),
        make,
        "saving the state after a change",
    )
    emulator.module("core.persistence").logger.setLevel(logging.WARNING)
    threading.Thread(target=_saver.run, name="snapshots", daemon=True).start()
    return _saver.end
