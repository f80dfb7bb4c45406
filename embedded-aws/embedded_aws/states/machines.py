"""Installs all parts of Step Functions."""

from collections.abc import Callable

from embedded_aws.core.settings import Settings
from embedded_aws.states import definitions, details, paths, redrive, runs, status_events, tasks


def install(settings: Settings) -> Callable[[], None]:
    """Install the parts. Calling the result does nothing: executions end with the server."""
    details.install()
    runs.install(settings)
    tasks.install()
    paths.install(settings)
    status_events.install()
    redrive.install()
    definitions.install()
    return lambda: None
