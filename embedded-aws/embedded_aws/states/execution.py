"""The context that the states of one attempt of an execution share: its record, machine, role and end."""

import contextvars
import json
import threading
import time
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.iam import roles


class Ended(Exception):  # noqa: N818 - not an error: somebody or a time-out ended the execution
    """The execution is over. Its thread ends without recording anything more."""


class End(threading.Event):
    """Set when an attempt is over; sets the ends of what runs inside of it too."""

    def __init__(self) -> None:
        super().__init__()
        self._inside: list[End] = []

    def set(self) -> None:
        super().set()
        for end in list(self._inside):
            end.set()

    def within(self) -> "End":
        """The end of a branch, which comes at the latest with this one."""
        end = End()
        self._inside.append(end)
        if self.is_set():
            end.set()
        return end


class Execution:
    """The shared context of one attempt of an execution. A redrive is the next attempt."""

    def __init__(self, record: dict[str, Any], machine: dict[str, Any], settings: Settings) -> None:
        self.record = record
        self.machine = machine
        self.definition: dict[str, Any] = json.loads(machine["definition"])
        self.ended = End()
        """Set when a caller or a time-out ends the execution, to wake waiting states."""
        self.last_event: int | None = None
        """The event before the next one of this thread."""
        self.resource = ""
        """The resource of the Task that was scheduled last."""
        self._attempt = int(record.get("redriveCount", 0))
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def branch(self) -> "Branch":
        """The context of a branch or an item, which can be stopped alone."""
        return Branch(self)

    @property
    def live(self) -> bool:
        """True while this attempt runs: it has not ended, and no redrive has replaced it."""
        return bool(
            self.record["status"] == "RUNNING" and self.record.get("redriveCount", 0) == self._attempt
        )

    def client(self, service: str) -> Any:
        """A client that acts with the state machine's role."""
        with self._lock:
            if service not in self._clients:
                credentials = self._credentials()
                self._clients[service] = roles.client(self._settings, service, credentials)
            return self._clients[service]

    def _credentials(self) -> roles.Credentials:
        name = str(self.record["name"])
        arn = str(self.record["stateMachineArn"])
        try:
            return roles.assume(str(self.machine["roleArn"]), "states.amazonaws.com", name, arn)
        except roles.RoleNotAssumableError as error:
            raise failure("States.Runtime", str(error)) from error


class Branch(Execution):
    """A branch of a Parallel state or an item of a Map state. It is over at the latest with what it is in."""

    def __init__(self, outer: Execution) -> None:
        super().__init__(outer.record, outer.machine, outer._settings)
        self._outer = outer
        self.ended = outer.ended.within()
        self.last_event = outer.last_event

    @property
    def live(self) -> bool:
        return self._outer.live and not self.ended.is_set()

    def client(self, service: str) -> Any:
        return self._outer.client(service)


current: contextvars.ContextVar[Execution | None] = contextvars.ContextVar("execution", default=None)


def failure(error: str, cause: str) -> Exception:
    """The exception that fails a state with this error and cause."""
    made: Exception = emulator.service("stepfunctions")._ExecutionError(error, cause)
    return made


def pause(seconds: float, other: threading.Event | None = None) -> None:
    """Wait, unless the execution ends meanwhile (then Ended is raised) or the other event is set."""
    execution = current.get()
    if execution is None:
        time.sleep(seconds)
        return
    deadline = time.monotonic() + seconds
    while not (other is not None and other.is_set()):
        left = deadline - time.monotonic()
        if execution.ended.wait(max(0.0, min(left, 0.1) if other is not None else left)):
            raise Ended
        if left <= 0.1:
            return
