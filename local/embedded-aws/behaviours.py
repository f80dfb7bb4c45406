"""All behaviours that are added to MiniStack, put in place in one order."""

from collections.abc import Callable
from dataclasses import dataclass

import alarms
import athena_queries
import catalogue_calls
import crawls
import dashboards
import enforcement_trace
import event_delivery
import job_deaths
import job_runs
import job_security
import policy_documents
import request_rights
import resource_details
import schedules
import snapshots
import state_machines
from settings import Settings

_BEHAVIOURS = (
    enforcement_trace,  # first: what the others ask is told too
    request_rights,
    policy_documents,
    resource_details,
    catalogue_calls,
    job_runs,
    job_security,
    job_deaths,
    crawls,
    state_machines,
    event_delivery,
    schedules,
    alarms,
    dashboards,
    athena_queries,
    snapshots,  # ends last: it saves what the others have ended
)


@dataclass(frozen=True)
class Extended:
    """What must be ended with the server."""

    ends: tuple[Callable[[], None], ...]

    def close(self) -> None:
        for end in self.ends:
            end()


def install(settings: Settings) -> Extended:
    """Put every behaviour in place. Call once, before the first request."""
    return Extended(tuple(behaviour.install(settings) for behaviour in _BEHAVIOURS))
