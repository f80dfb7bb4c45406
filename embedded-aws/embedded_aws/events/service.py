"""Installs all parts of EventBridge, and what queues and buckets do with events."""

from collections.abc import Callable

from embedded_aws.core.settings import Settings
from embedded_aws.events import delivery, message_moves, object_events, queues


def install(settings: Settings) -> Callable[[], None]:
    """Install the parts. Calling the result ends nothing: none of them has a thread of its own."""
    end = delivery.install(settings)
    queues.install()
    object_events.install()
    message_moves.install()
    return end
