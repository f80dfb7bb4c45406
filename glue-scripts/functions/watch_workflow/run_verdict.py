"""Judges a run of a Glue workflow by its graph. Glue ends a run COMPLETED though nodes failed, or were never
started: https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRun.html

Pure: it takes the answers of GetWorkflowRun with IncludeGraph as they are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

SUCCEEDED, FAILED, STOPPED = "SUCCEEDED", "FAILED", "STOPPED"
ACTIVE = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING", "CANCELLING"})

Run = Mapping[str, Any]
_Key = tuple[str, str]
_START_TYPES = ("SCHEDULED", "ON_DEMAND", "EVENT")


@dataclass(frozen=True)
class Part:
    """A job or a crawler of the workflow, and how it ended. `state` is None if it did not run. `is_here` is
    False if it ran in an earlier run of the chain, which this run continues. `trigger` starts it."""

    kind: str
    name: str
    node_id: str
    state: str | None = None
    message: str | None = None
    is_here: bool = True
    trigger: str | None = None
    trigger_state: str | None = None

    @property
    def key(self) -> _Key:
        return (self.kind, self.name)


@dataclass(frozen=True)
class Verdict:
    """`failed` ended without success. `never_started` should have been started, because their trigger's
    conditions were met. `not_reached` lie behind those. `warnings` are crawls that may fail, and did.
    `resume` are the nodes to resume at; empty if resuming cannot help."""

    outcome: str
    failed: tuple[Part, ...] = ()
    never_started: tuple[Part, ...] = ()
    not_reached: tuple[Part, ...] = ()
    warnings: tuple[Part, ...] = ()
    resume: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class _Trigger:
    name: str
    state: str | None
    is_start: bool
    is_any: bool
    conditions: tuple[tuple[_Key, str], ...]
    actions: tuple[_Key, ...]


def judge(run: Run, earlier: Sequence[Run], may_fail: Collection[str]) -> Verdict:
    """The verdict on a run that has ended. `earlier` are the runs that it continues, the latest first.
    `may_fail` are the names of crawlers whose failure is only worth a warning."""
    triggers = _triggers(run)
    parts = _parts(run, earlier, triggers)
    verdict = _judge_parts(parts, triggers, may_fail)
    # No trigger is blamed for a run that did not come to its end.
    cut = replace(
        verdict, never_started=(), not_reached=verdict.never_started + verdict.not_reached, resume=()
    )
    if run["Status"] == "STOPPED":
        return replace(cut, outcome=STOPPED)
    if run["Status"] == "ERROR":
        return replace(cut, outcome=FAILED, reason=run.get("ErrorMessage") or "Glue gives no reason")
    if not parts:
        return Verdict(FAILED, reason="the run has neither jobs nor crawlers")
    return verdict


def without_books(verdict: Verdict, run: Run, message: str) -> Verdict:
    """The verdict if the jobs of a run left no books: each that succeeded in this run has failed."""
    jobs = [part for part in _own_parts(run).values() if part.kind == "job" and part.state == SUCCEEDED]
    blamed = tuple(replace(part, message=message) for part in jobs)
    outcome = FAILED if verdict.outcome == SUCCEEDED else verdict.outcome
    resume = tuple(part.node_id for part in blamed) if verdict.outcome == SUCCEEDED else verdict.resume
    return replace(verdict, outcome=outcome, failed=verdict.failed + blamed, resume=resume)


def has_succeeded_job(run: Run) -> bool:
    """Tells whether a job ended well in this very run."""
    return any(part.kind == "job" and part.state == SUCCEEDED for part in _own_parts(run).values())


def is_over(run: Run) -> bool:
    """Tells whether nothing of a run is under way, and nothing is left to start: Glue is about to end it."""
    parts = _own_parts(run)
    if any(part.state in ACTIVE for part in parts.values()):
        return False
    # A resumed run does not begin with the start trigger.
    is_resumed = bool(run.get("PreviousRunId"))
    triggers = [trigger for trigger in _triggers(run) if not (trigger.is_start and is_resumed)]
    waiting = {action for trigger in triggers if _fires(trigger, parts) for action in trigger.actions}
    return bool(parts) and all(parts[key].state is not None for key in waiting if key in parts)


def _judge_parts(
    parts: Mapping[_Key, Part], triggers: Sequence[_Trigger], may_fail: Collection[str]
) -> Verdict:
    due = {key for trigger in triggers if _fires(trigger, parts) for key in trigger.actions}
    promised = _promised(triggers)
    idle = [part for part in parts.values() if part.state is None]
    never_started = tuple(part for part in idle if part.key in due)
    not_reached = tuple(part for part in idle if part.key in promised and part.key not in due)
    unsuccessful = [part for part in parts.values() if part.state not in (None, SUCCEEDED)]
    blockers = _blockers(triggers, parts, {part.key for part in not_reached}, promised)
    harmless = [part for part in unsuccessful if _may_fail(part, may_fail) and part.key not in blockers]
    failed = tuple(part for part in unsuccessful if part not in harmless)
    is_success = not (failed or never_started or not_reached)
    return Verdict(
        outcome=SUCCEEDED if is_success else FAILED,
        failed=failed,
        never_started=never_started,
        not_reached=not_reached,
        warnings=tuple(harmless),
        resume=_resume_at(failed, never_started + not_reached, triggers),
    )


def _may_fail(part: Part, may_fail: Collection[str]) -> bool:
    return part.kind == "crawl" and part.name in may_fail


def _fires(trigger: _Trigger, parts: Mapping[_Key, Part]) -> bool:
    if trigger.is_start:
        return True
    met = [key in parts and parts[key].state == state for key, state in trigger.conditions]
    return bool(met) and (any(met) if trigger.is_any else all(met))


def _promised(triggers: Sequence[_Trigger]) -> set[_Key]:
    """The nodes of a run in which everything goes well."""
    promised: set[_Key] = set()

    def fires(trigger: _Trigger) -> bool:
        met = [key in promised and state == SUCCEEDED for key, state in trigger.conditions]
        return trigger.is_start or (bool(met) and (any(met) if trigger.is_any else all(met)))

    size = -1
    while len(promised) > size:
        size = len(promised)
        promised |= {key for trigger in triggers if fires(trigger) for key in trigger.actions}
    return promised


def _blockers(
    triggers: Sequence[_Trigger], parts: Mapping[_Key, Part], not_reached: set[_Key], promised: set[_Key]
) -> set[_Key]:
    """The nodes whose end kept a trigger of an unreached node from firing."""
    return {
        key
        for trigger in triggers
        if not_reached.intersection(trigger.actions) and not _fires(trigger, parts)
        for key, state in trigger.conditions
        if key in promised and key in parts and parts[key].state not in (None, state)
    }


def _resume_at(failed: Sequence[Part], idle: Sequence[Part], triggers: Sequence[_Trigger]) -> tuple[str, ...]:
    """Resuming restarts nodes with an attempt in this run, and all behind them. It helps if what did not run
    lies behind them: https://docs.aws.amazon.com/glue/latest/webapi/API_ResumeWorkflowRun.html"""
    if not failed or not all(part.is_here for part in failed):
        return ()
    behind = {part.key: _behind(part.key, triggers) for part in failed}
    first = [
        part for part in failed if not any(part.key in behind[one.key] for one in failed if one is not part)
    ]
    covered = set().union(*(behind[part.key] for part in first)) if first else set()
    return tuple(part.node_id for part in first) if all(part.key in covered for part in idle) else ()


def _behind(key: _Key, triggers: Sequence[_Trigger]) -> set[_Key]:
    found: set[_Key] = set()
    todo = [key]
    while todo:
        current = todo.pop()
        for trigger in triggers:
            if any(watched == current for watched, _ in trigger.conditions):
                fresh = [action for action in trigger.actions if action not in found]
                found.update(fresh)
                todo += fresh
    return found


def _nodes(run: Run) -> list[Mapping[str, Any]]:
    return list((run.get("Graph") or {}).get("Nodes") or [])


def _triggers(run: Run) -> list[_Trigger]:
    return [_trigger(node) for node in _nodes(run) if node["Type"] == "TRIGGER"]


def _trigger(node: Mapping[str, Any]) -> _Trigger:
    details = (node.get("TriggerDetails") or {}).get("Trigger") or {}
    predicate = details.get("Predicate") or {}
    return _Trigger(
        name=node["Name"],
        state=details.get("State"),
        is_start=details.get("Type") in _START_TYPES,
        is_any=predicate.get("Logical") == "ANY",
        conditions=tuple(_conditions(predicate.get("Conditions") or [])),
        actions=tuple(_key(action) for action in details.get("Actions") or []),
    )


def _conditions(conditions: Sequence[Mapping[str, str]]) -> Iterator[tuple[_Key, str]]:
    for condition in conditions:
        yield _key(condition), condition["State"] if "JobName" in condition else condition["CrawlState"]


def _key(named: Mapping[str, Any]) -> _Key:
    return ("job", named["JobName"]) if "JobName" in named else ("crawl", named["CrawlerName"])


def _parts(run: Run, earlier: Sequence[Run], triggers: Sequence[_Trigger]) -> dict[_Key, Part]:
    """The jobs and crawlers in the graph's order. One that did not run here is as an earlier run left it, but
    not if it lies behind one that did: resuming runs that again."""
    own = _own_parts(run)
    ran = [key for key, part in own.items() if part.state is not None]
    again = set().union(*(_behind(key, triggers) for key in ran)) if ran else set()
    before: dict[_Key, Part] = {}
    for one in earlier:
        for key, part in _own_parts(one).items():
            if part.state is not None and key not in again:
                before.setdefault(key, part)
    starters = {key: trigger for trigger in reversed(triggers) for key in trigger.actions}
    return {
        key: _with_trigger(_or_before(part, before.get(key)), starters.get(key)) for key, part in own.items()
    }


def _or_before(part: Part, before: Part | None) -> Part:
    if part.state is not None or before is None:
        return part
    return replace(part, state=before.state, message=before.message, is_here=False)


def _with_trigger(part: Part, trigger: _Trigger | None) -> Part:
    return part if trigger is None else replace(part, trigger=trigger.name, trigger_state=trigger.state)


def _own_parts(run: Run) -> dict[_Key, Part]:
    parts = [_part(node) for node in _nodes(run) if node["Type"] in ("JOB", "CRAWLER")]
    return {part.key: part for part in parts}


def _part(node: Mapping[str, Any]) -> Part:
    is_job = node["Type"] == "JOB"
    details = node.get("JobDetails" if is_job else "CrawlerDetails") or {}
    last = _last(details.get("JobRuns" if is_job else "Crawls") or [])
    return Part(
        kind="job" if is_job else "crawl",
        name=node["Name"],
        node_id=node["UniqueId"],
        state=last.get("JobRunState" if is_job else "State"),
        message=last.get("ErrorMessage") or None,
    )


def _last(attempts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The last attempt: a job with retries has several in one run."""
    never = datetime.min.replace(tzinfo=UTC)
    return max(attempts, key=lambda one: (one.get("Attempt", 0), one.get("StartedOn", never)), default={})
