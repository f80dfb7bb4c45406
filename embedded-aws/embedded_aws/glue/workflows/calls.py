"""Answers Glue's calls on workflows and triggers, which MiniStack only stores, before they reach it.

MiniStack activates triggers on demand, lets a run stand as RUNNING for ever and lacks the calls on runs.
"""

import threading
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.glue import answers
from embedded_aws.glue.workflows import runs, timer, triggers, workflows
from embedded_aws.glue.workflows.chains import Chains
from embedded_aws.glue.workflows.event_starts import EventStarts
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

    answers.install(calls, _BEHAVIOUR)
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
