"""What MiniStack forgets of a job, a crawler and a state machine, so that a second plan shows only what
changed.
"""

from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_BEHAVIOUR = "details of jobs, crawlers and state machines"
_JOB: dict[str, Any] = {
    "ExecutionProperty": {"MaxConcurrentRuns": 1},
    "ExecutionClass": "STANDARD",
    "JobRunQueuingEnabled": None,
    "MaintenanceWindow": None,
    "NotificationProperty": None,
    "SourceControlDetails": None,
    "LogUri": None,
}
_CRAWLER: dict[str, Any] = {
    "LineageConfiguration": {"CrawlerLineageSettings": "DISABLE"},
    "LakeFormationConfiguration": {"UseLakeFormationCredentials": False, "AccountId": ""},
    "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
    "SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DEPRECATE_IN_DATABASE"},
}


def install(settings: Settings) -> Callable[[], None]:
    """Wrap creation and update of the three."""
    del settings
    one = ("data",)
    glue, states = "services.glue", "services.stepfunctions"
    emulator.replace(glue, "_create_job", one, _glue("_jobs", "job", _JOB), _BEHAVIOUR)
    emulator.replace(glue, "_update_job", one, _update_job, _BEHAVIOUR)
    emulator.replace(glue, "_create_crawler", one, _glue("_crawlers", "crawler", _CRAWLER), _BEHAVIOUR)
    emulator.replace(glue, "_update_crawler", one, _update_crawler, _BEHAVIOUR)
    emulator.replace(states, "_create_state_machine", one, _tracing, _BEHAVIOUR)
    emulator.replace(states, "_update_state_machine", one, _tracing, _BEHAVIOUR)
    emulator.replace(states, "_describe_state_machine", one, _describe, _BEHAVIOUR)
    return lambda: None


def _glue(store: str, kind: str, details: dict[str, Any]) -> Callable[[Any], Callable[..., Any]]:
    def make(original: Any) -> Callable[..., Any]:
        def create(data: dict[str, Any]) -> Any:
            answer = original(data)
            if answer[0] < 400:
                glue = emulator.service("glue")
                name = data["Name"]
                held = getattr(glue, store)[name]
                for key, default in details.items():
                    value = data.get(key) or default
                    if value is not None:
                        held[key] = value
                if data.get("Tags"):
                    glue._tags[glue._arn(kind, name)] = dict(data["Tags"])
            return answer

        return create

    return make


def _update_job(original: Any) -> Callable[..., Any]:
    def update(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] < 400:
            job = emulator.service("glue")._jobs[data["JobName"]]
            job.update({key: data["JobUpdate"][key] for key in _JOB if key in data.get("JobUpdate", {})})
        return answer

    return update


def _update_crawler(original: Any) -> Callable[..., Any]:
    def update(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] < 400:
            crawler = emulator.service("glue")._crawlers[data["Name"]]
            crawler.update({key: data[key] for key in _CRAWLER if data.get(key)})
        return answer

    return update


def _tracing(original: Any) -> Callable[..., Any]:
    def change(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] < 400:
            states = emulator.service("stepfunctions")
            arn = data.get("stateMachineArn") or states.json.loads(answer[2])["stateMachineArn"]
            tracing = data.get("tracingConfiguration")
            if tracing is not None and arn in states._state_machines:
                states._state_machines[arn]["tracingConfiguration"] = tracing
        return answer

    return change


def _describe(original: Any) -> Callable[..., Any]:
    def describe(data: dict[str, Any]) -> Any:
        status, headers, body = original(data)
        states = emulator.service("stepfunctions")
        base = states._resolve_state_machine_arn(data.get("stateMachineArn"))
        tracing = (states._state_machines.get(base) or {}).get("tracingConfiguration") if base else None
        if status >= 400 or tracing is None:
            return status, headers, body
        return states.json_response({**states.json.loads(body), "tracingConfiguration": tracing})

    return describe
