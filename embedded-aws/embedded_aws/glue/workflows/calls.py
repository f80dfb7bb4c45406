"""Answers Glue's calls on workflows and triggers, which MiniStack only stores, before they reach it.

MiniStack activates triggers on demand, lets a run stand as RUNNING for ever and lacks the calls on runs.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.glue.workflows import runs, timer, triggers, workflows
from embedded_aws.glue.workflows.chains import Chains
from embedded_aws.glue.workflows.event_starts import EventStarts
from embedded_aws.glue.workflows.refusals import RefusedError
from embedded_aws.scheduler.times import Clock

_BEHAVIOUR = "workflows and triggers that run"


def install(settings: Settings) -> Callable[[], None]:
    """Answer these calls, and end the runs of an earlier server. Install it after job runs, crawls,
    the delivery of events and schedules.
    """
    chains, ended = Chains(settings), threading.Event()
    clock = Clock(settings.schedule_clock)
    calls = {
        **workflows.answers(),
        **runs.answers(chains),
        **triggers.answers(chains, lambda name: runs.start(chains, name)),
    }

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

    def load(original: Any) -> Callable[..., Any]:
        def load_persisted_state(data: Any) -> Any:
            answer = original(data)
            runs.end_interrupted()
            return answer

        return load_persisted_state

    def start(original: Any) -> Callable[[], None]:
        def start_scheduler() -> None:
            original()
            given = (chains, clock, ended)
            threading.Thread(target=timer.follow, args=given, name="triggers", daemon=True).start()

        return start_scheduler

    parameters = ("method", "path", "headers", "body", "query_params")
    emulator.replace("services.glue", "_handle_request_sync", parameters, make, _BEHAVIOUR)
    emulator.replace("services.glue", "load_persisted_state", ("data",), load, _BEHAVIOUR)
    emulator.replace("services.scheduler", "start_scheduler", (), start, _BEHAVIOUR)
    target = ("target", "event", "rule", "view")
    emulator.replace(
        "services.eventbridge", "_invoke_target", target, EventStarts(chains).targets, _BEHAVIOUR
    )

    def end() -> None:
        ended.set()
        chains.close()

    return end
