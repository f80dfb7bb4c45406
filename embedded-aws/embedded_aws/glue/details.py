"""Keeps what MiniStack forgets of a job and a crawler, so that a second plan shows only what changed."""

from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_BEHAVIOUR = "details of jobs and crawlers"
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
    """Wrap the creation and update of both."""
    del settings
    one, glue = ("data",), "services.glue"
    emulator.replace(glue, "_create_job", one, _glue("_jobs", "job", _JOB), _BEHAVIOUR)
    emulator.replace(glue, "_update_job", one, _update_job, _BEHAVIOUR)
    emulator.replace(glue, "_create_crawler", one, _glue("_crawlers", "crawler", _CRAWLER), _BEHAVIOUR)
    emulator.replace(glue, "_update_crawler", one, _update_crawler, _BEHAVIOUR)
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
