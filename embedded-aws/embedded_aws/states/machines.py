"""Step Functions as AWS runs it: the parts, put in place together."""

from collections.abc import Callable

from embedded_aws.core.settings import Settings
from embedded_aws.states import definitions, details, paths, redrive, runs, status_events, tasks


def install(settings: Settings) -> Callable[[], None]:
    """Executions end with the server; there is nothing to end here."""
    details.install()
    runs.install(settings)
    tasks.install()
    paths.install(settings)
    status_events.install()
    redrive.install()
    definitions.install()
    return lambda: None
