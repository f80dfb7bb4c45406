"""Fires triggers, and follows the jobs and crawlers that they start.

A chain is everything that descends from one start. Ends of job runs and crawls fire conditional triggers only
within their own chain, so what was started by hand or from outside fires nothing. In a workflow, the chain is
the workflow's run, and its triggers are those of the run's beginning. Triggers without a workflow have a
chain for each time that a schedule or a call fires one of them.
https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html
https://docs.aws.amazon.com/glue/latest/dg/blueprint_workflow_restrictions.html
https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html (snapshots)
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from embedded_aws.core import snapshots
from embedded_aws.core.settings import Settings
from embedded_aws.glue import outcomes
from embedded_aws.glue.answers import RefusedError
from embedded_aws.glue.crawls import crawler
from embedded_aws.glue.jobs import runs as job_runs
from embedded_aws.glue.workflows import conditions, graph
from embedded_aws.glue.workflows.graph import Node
from embedded_aws.iam import roles

Attempt = dict[str, Any]
"""One start of a job or a crawler: its node's Type and Name, the Trigger, and as Record its job run or crawl,
which changes until it ends. Then it has a State, too."""
Trigger = dict[str, Any]


class Chain(Protocol):
    """All that the triggers of one start have started so far."""

    attempts: list[Attempt]
    fired: list[str]
    """The names of the triggers that have fired."""
    arguments: dict[str, str]
    """Arguments that every job run of the chain gets."""
    names_predecessors: bool
    """True if a job run has the job runs that fired its trigger as predecessors."""

    def watching(self) -> Iterable[Trigger]:
        """The activated conditional triggers; none if nothing more may start."""
        ...

    def ends(self) -> dict[Node, str]:
        """The last states of the nodes that have ended and count for conditions."""
        ...

    def over(self) -> None:
        """Called when nothing of the chain is running and no trigger fired."""
        ...


def node_of(attempt: Attempt) -> Node:
    return Node(attempt["Type"], attempt["Name"])


def last_ends(attempts: Iterable[Attempt]) -> dict[Node, str]:
    """The state of each node's last attempt, without nodes that are running."""
    last = {node_of(attempt): attempt.get("State") for attempt in attempts}
    return {node: state for node, state in last.items() if state}


class Loose:
    """The chain of triggers that belong to no workflow. It is forgotten when the server ends."""

    names_predecessors = True

    def __init__(self, triggers: Callable[[], Iterable[Trigger]]) -> None:
        self.attempts: list[Attempt] = []
        self.fired: list[str] = []
        self.arguments: dict[str, str] = {}
        self.watching = triggers

    def ends(self) -> dict[Node, str]:
        return last_ends(self.attempts)

    def over(self) -> None:
        """Nothing remains of it."""


class Chains:
    """All chains of this server that have something running."""

    def __init__(self, settings: Settings) -> None:
        self.lock = threading.RLock()
        """Held while triggers fire, so that no end is missed. Callers hold it to change runs."""
        self._settings = settings
        self._jobs: dict[str, tuple[Chain, Attempt]] = {}
        self._closed = False
        self._crawls: dict[tuple[str, str, str], tuple[Chain, Attempt]] = {}
        outcomes.listen(self._job_run_ended, self._crawl_ended)

    def close(self) -> None:
        """Fire nothing more: the server ends. What is running now is ended at the next start."""
        with self.lock:
            self._closed = True

    def fire(self, chain: Chain, firings: Iterable[tuple[Trigger, set[Node] | None]]) -> None:
        """Fire triggers, each with all of its actions or only those on the given nodes."""
        with self.lock:
            ended = [one for trigger, only in firings for one in self._start_actions(chain, trigger, only)]
            self._follow(chain, ended)

    def stop(self, chain: Chain) -> None:
        """Stop what is running. The chain must not fire any more; it is over when everything has ended."""
        with self.lock:
            for attempt in chain.attempts:
                if "State" in attempt:
                    continue
                if attempt["Type"] == "CRAWLER":
                    self._stop_crawl(attempt)
                elif attempt["Record"]["JobRunState"] in job_runs.LIVE:
                    job_runs.stop(attempt["Record"])
            self._follow(chain, [])

    def _stop_crawl(self, attempt: Attempt) -> None:
        attempt["Record"]["State"] = "CANCELLING"
        with contextlib.suppress(RefusedError):  # it is ending by itself
            crawler.stop(attempt["Name"])

    # -- ends --

    def _job_run_ended(self, run: dict[str, Any]) -> None:
        with self.lock:
            found = self._jobs.pop(run["Id"], None)
            if found:
                chain, attempt = found
                attempt["State"] = run["JobRunState"]
                self._follow(chain, [attempt])

    def _crawl_ended(self, name: str, last: dict[str, Any]) -> None:
        with self.lock:
            found = self._crawls.pop((*roles.current_scope(), name), None)
            if found:
                chain, attempt = found
                attempt.update(State=last["Status"], Record=_crawl(last))
                self._follow(chain, [attempt])

    def _follow(self, chain: Chain, ended: Iterable[Attempt]) -> None:
        """Fire what the ends of these attempts fire, until nothing more fires at once."""
        if self._closed:
            return
        todo = deque(ended)
        while todo:
            node = node_of(todo.popleft())
            for trigger in list(chain.watching()):
                if trigger["Name"] in chain.fired or node not in graph.watched(trigger):
                    continue
                if conditions.holds(trigger["Predicate"], chain.ends()):
                    todo.extend(self._start_actions(chain, trigger))
        if all("State" in attempt for attempt in chain.attempts):
            chain.over()
        snapshots.changed()

    # -- starts --

    def _start_actions(self, chain: Chain, trigger: Trigger, only: set[Node] | None = None) -> list[Attempt]:
        """Start a trigger's actions. Returns those that could not start: they have ended."""
        before = _predecessors(chain, trigger) if chain.names_predecessors else ()
        chain.fired.append(trigger["Name"])
        made = []
        for action in trigger["Actions"]:
            (node,) = graph.started({"Actions": [action]})
            if only is not None and node not in only:
                continue
            attempt: Attempt = {"Type": node.type, "Name": node.name, "Trigger": trigger["Name"]}
            if node.type == "JOB":
                by = job_runs.StartedBy(trigger["Name"], before, chain.arguments)
                self._start_job(chain, attempt, action, by)
            else:
                self._start_crawl(chain, attempt)
            chain.attempts.append(attempt)
            made.append(attempt)
        return [attempt for attempt in made if "State" in attempt]

    def _start_job(
        self, chain: Chain, attempt: Attempt, action: dict[str, Any], by: job_runs.StartedBy
    ) -> None:
        """Start a job run. One that cannot start is FAILED, or ERROR if the job does not exist.

        https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
        """
        try:
            attempt["Record"] = job_runs.start(self._settings, action, by)
            self._jobs[attempt["Record"]["Id"]] = (chain, attempt)
        except RefusedError as error:
            state = "ERROR" if error.code == "EntityNotFoundException" else "FAILED"
            exceeded = error.code == "ConcurrentRunsExceededException"
            words = "Max concurrent runs exceeded" if exceeded else str(error)
            run = job_runs.refused_run(action, by, state, words)
            attempt.update(State=state, Record=run)
            outcomes.announce(run)

    def _start_crawl(self, chain: Chain, attempt: Attempt) -> None:
        now = time.time()
        try:
            crawler.start(self._settings, attempt["Name"])
            attempt["Record"] = {"State": "RUNNING", "StartedOn": now}
            self._crawls[(*roles.current_scope(), attempt["Name"])] = (chain, attempt)
        except RefusedError as error:
            record = {"State": "ERROR", "StartedOn": now, "CompletedOn": now, "ErrorMessage": str(error)}
            attempt.update(State="ERROR", Record=record)


def _predecessors(chain: Chain, trigger: Trigger) -> tuple[dict[str, str], ...]:
    last = {node_of(attempt): attempt for attempt in chain.attempts}
    watched = [last[node] for node in graph.watched(trigger) if node.type == "JOB" and node in last]
    return tuple({"JobName": attempt["Name"], "RunId": attempt["Record"]["Id"]} for attempt in watched)


def _crawl(last: dict[str, Any]) -> dict[str, Any]:
    """A crawler's last crawl as a node of a workflow shows it."""
    record = {"State": last["Status"], "StartedOn": last["StartTime"], "CompletedOn": time.time()}
    kept = {key: last[key] for key in ("ErrorMessage", "LogGroup", "LogStream") if last.get(key)}
    return {**record, **kept}
