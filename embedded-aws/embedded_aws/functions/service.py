"""Installs all parts of Lambda."""

from collections.abc import Callable

from embedded_aws.core.settings import Settings
from embedded_aws.functions import asynchronous, configuration, invocations, queue_polls, sources


def install(settings: Settings) -> Callable[[], None]:
    """Install the parts. Calling the result ends all functions."""
    end_waits = asynchronous.install(settings)
    end_environments = invocations.install(settings)
    configuration.install()
    sources.install()
    end_polls = queue_polls.install(settings)

    def end() -> None:
        end_polls()
        end_waits()
        end_environments()

    return end
