"""Step Functions as AWS runs it: the parts, put in place together."""

from collections.abc import Callable

import state_machine_definitions
import state_machine_events
import state_machine_paths
import state_machine_redrive
import state_machine_runs
import state_machine_tasks
from settings import Settings


def install(settings: Settings) -> Callable[[], None]:
    """Executions end with the server; there is nothing to end here."""
    state_machine_runs.install(settings)
    state_machine_tasks.install()
    state_machine_paths.install(settings)
    state_machine_events.install()
    state_machine_redrive.install()
    state_machine_definitions.install()
    return lambda: None
