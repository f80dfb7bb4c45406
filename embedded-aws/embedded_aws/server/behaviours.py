"""Installs all behaviours that are added to MiniStack, in a fixed order."""

from collections.abc import Callable
from dataclasses import dataclass

from embedded_aws.athena import queries
from embedded_aws.cloudwatch import dashboards
from embedded_aws.cloudwatch.alarms import timer
from embedded_aws.core import snapshots
from embedded_aws.core.settings import Settings
from embedded_aws.events import service as events
from embedded_aws.functions import service
from embedded_aws.glue import details
from embedded_aws.glue.catalogue import calls
from embedded_aws.glue.crawls import crawler
from embedded_aws.glue.jobs import deaths, runs, security
from embedded_aws.glue.workflows import calls as workflow_calls
from embedded_aws.iam import enforcement_trace, policy_documents, request_rights
from embedded_aws.scheduler import schedules
from embedded_aws.states import machines

_BEHAVIOURS = (
    enforcement_trace,  # first, so that the trace has the evaluations of the others too
    request_rights,
    policy_documents,
    details,
    calls,
    runs,
    security,
    deaths,
    crawler,
    machines,
    events,
    service,
    schedules,
    workflow_calls,  # after runs, crawler, events and schedules, which it extends
    timer,
    dashboards,
    queries,
    snapshots,  # ends last, so that it saves what the others end
)


@dataclass(frozen=True)
class Extended:
    """The functions that end the behaviours with the server."""

    ends: tuple[Callable[[], None], ...]

    def close(self) -> None:
        for end in self.ends:
            end()


def install(settings: Settings) -> Extended:
    """Install every behaviour. Call once, before the first request."""
    return Extended(tuple(behaviour.install(settings) for behaviour in _BEHAVIOURS))
