"""StartCrawler lists and reads the targets and writes the catalogue with the crawler's own role.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-crawling.html
"""

import contextvars
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import botocore.exceptions

from embedded_aws.core import emulator, snapshots
from embedded_aws.core.settings import Settings
from embedded_aws.glue import outcomes
from embedded_aws.glue.answers import RefusedError
from embedded_aws.glue.crawls import tables as crawl_tables
from embedded_aws.glue.crawls.catalogue import Catalogue, Changes, Policy
from embedded_aws.glue.crawls.source import Source, Target, TargetError, targets_of
from embedded_aws.iam import roles

LOG_GROUP = "/aws-glue/crawlers"
_BEHAVIOUR = "crawls that infer tables"
_logger = logging.getLogger("embedded-aws.crawls")
_lock = threading.Lock()
_stops: dict[tuple[str, str, str], threading.Event] = {}


class _CancelledError(Exception):
    """The crawl was stopped."""


def install(settings: Settings) -> Callable[[], None]:
    """Replace MiniStack's crawls, which only wait. Crawls end with the server."""

    def guarded(original: Any) -> Callable[..., Any]:
        def change(data: dict[str, Any]) -> Any:
            glue = emulator.service("glue")
            crawler = glue._crawlers.get(data.get("Name"))
            if crawler is not None and crawler["State"] != "READY":
                message = f"Cannot update or delete crawler {data['Name']} while it is running"
                return glue.error_response_json("CrawlerRunningException", message, 400)
            return original(data)

        return change

    def load(original: Any) -> Callable[..., Any]:
        def load_persisted_state(data: Any) -> Any:
            answer = original(data)
            _end_interrupted_crawls()
            return answer

        return load_persisted_state

    one = ("data",)
    starts = _answered(lambda name: start(settings, name))
    emulator.replace("services.glue", "_start_crawler", one, lambda _: starts, _BEHAVIOUR)
    emulator.replace("services.glue", "_stop_crawler", one, lambda _: _answered(stop), _BEHAVIOUR)
    emulator.replace("services.glue", "_update_crawler", one, guarded, _BEHAVIOUR)
    emulator.replace("services.glue", "_delete_crawler", one, guarded, _BEHAVIOUR)
    emulator.replace("services.glue", "load_persisted_state", one, load, _BEHAVIOUR)
    return lambda: None


def _end_interrupted_crawls() -> None:
    for crawler in emulator.service("glue")._crawlers._data.values():
        if crawler.get("State") != "READY":
            crawler["State"] = "READY"
            message = "The embedded AWS ended while this crawl ran"
            crawler["LastCrawl"] = {
                **(crawler.get("LastCrawl") or {}),
                "Status": "FAILED",
                "ErrorMessage": message,
            }


def _answered(act: Callable[[str], None]) -> Callable[..., Any]:
    def answer(data: dict[str, Any]) -> Any:
        glue = emulator.service("glue")
        try:
            act(str(data.get("Name")))
        except RefusedError as error:
            return glue.error_response_json(error.code, str(error), 400)
        return glue.json_response({})

    return answer


def start(settings: Settings, name: str) -> None:
    """Start a crawl. Raises RefusedError."""
    with _lock:
        crawler = _crawler(name)
        if crawler["State"] != "READY":
            message = f"Crawler with name {name} has already started"
            raise RefusedError("CrawlerRunningException", message)
        crawler["State"] = "RUNNING"
    crawl = _Crawl(settings, crawler)
    _stops[(*roles.current_scope(), name)] = crawl.stopped
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(crawl.execute,), name=f"crawl {name}", daemon=True).start()


def stop(name: str) -> None:
    """Stop the crawler's crawl. Raises RefusedError."""
    crawler = _crawler(name)
    if crawler["State"] == "READY":
        raise RefusedError("CrawlerNotRunningException", f"Crawler with name {name} isn't running")
    if crawler["State"] == "STOPPING":
        raise RefusedError("CrawlerStoppingException", f"Crawler with name {name} is already stopping")
    crawler["State"] = "STOPPING"
    event = _stops.get((*roles.current_scope(), name))
    if event:
        event.set()


def _crawler(name: str) -> dict[str, Any]:
    crawler: dict[str, Any] | None = emulator.service("glue")._crawlers.get(name)
    if crawler is None:
        raise RefusedError("EntityNotFoundException", f"Crawler {name} not found")
    return crawler


class _Crawl:
    """One run of a crawler."""

    def __init__(self, settings: Settings, crawler: dict[str, Any]) -> None:
        self._settings = settings
        self._crawler = crawler
        self._name = str(crawler["Name"])
        self._started = time.time()
        self._prefix = str(uuid.uuid4())
        self._messages: list[dict[str, Any]] = []
        self._logs: Any = None
        self._changes = Changes()
        self.stopped = threading.Event()

    def execute(self) -> None:
        status, message = "SUCCEEDED", ""
        outcomes.crawl_started(self._name)
        try:
            self._crawl()
        except _CancelledError:
            status = "CANCELLED"
        except (botocore.exceptions.ClientError, roles.RoleNotAssumableError, TargetError) as error:
            status, message = "FAILED", str(error)
        except Exception as error:
            _logger.exception("crawler %s could not crawl", self._name)
            status, message = "FAILED", f"Internal Service Exception: {error}"
        self._crawler["State"] = "STOPPING"
        if message:
            self._say(f"ERROR : {message}")
        self._say("BENCHMARK : Crawler has finished running and is in state READY")
        self._write_log()
        last = {
            "Status": status,
            "LogGroup": LOG_GROUP,
            "LogStream": self._name,
            "MessagePrefix": self._prefix,
            "StartTime": self._started,
        }
        self._crawler["LastCrawl"] = {**last, "ErrorMessage": message} if message else last
        self._crawler["CrawlElapsedTime"] = int((time.time() - self._started) * 1000)
        self._crawler["State"] = "READY"
        _logger.info("crawler %s: %s %s", self._name, status, message)
        outcomes.crawl_ended(self._name, self._crawler["LastCrawl"], self._counts())
        snapshots.changed()

    def _counts(self) -> dict[str, int]:
        changes = self._changes
        return {
            "tablesCreated": len(changes.created),
            "tablesUpdated": len(changes.updated),
            "tablesDeleted": len(changes.deleted),
            "partitionsCreated": changes.partitions,
        }

    def _crawl(self) -> None:
        account, region = roles.current_scope()
        arn = f"arn:aws:glue:{region}:{account}:crawler/{self._name}"
        role = str(self._crawler["Role"])
        credentials = roles.assume(role, "glue.amazonaws.com", "AWS-Crawler", arn)
        self._logs = roles.client(self._settings, "logs", credentials)
        self._say(f"BENCHMARK : Running Start Crawl for Crawler {self._name}")
        configuration = json.loads(self._crawler.get("Configuration") or "{}")
        glue = roles.client(self._settings, "glue", credentials)
        catalogue = Catalogue(
            glue,
            self._name,
            str(self._crawler["DatabaseName"]),
            str(self._crawler.get("TablePrefix") or ""),
            _policy(self._crawler, configuration),
        )
        self._changes = catalogue.changes
        catalogue.open()
        s3 = roles.client(self._settings, "s3", credentials)
        for target in targets_of(self._crawler):
            self._crawl_target(catalogue, Source(s3, target), target, configuration.get("Grouping") or {})
        changes = self._changes
        self._say(
            f"INFO : Run Summary For TABLE: ADD: {len(changes.created)}, UPDATE: {len(changes.updated)}, "
            f"DELETE: {len(changes.deleted)}; PARTITION: ADD: {changes.partitions}"
        )

    def _crawl_target(
        self, catalogue: Catalogue, source: Source, target: Target, grouping: dict[str, Any]
    ) -> None:
        objects = list(source.objects())
        recrawl = (self._crawler.get("RecrawlPolicy") or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
        if recrawl == "CRAWL_EVENT_MODE":
            raise TargetError("crawls of S3 events are not supported here; use CRAWL_EVERYTHING")
        only_new = recrawl == "CRAWL_NEW_FOLDERS_ONLY"
        if only_new:
            known = catalogue.partition_locations(target.bucket)
            objects = [entry for entry in objects if f"{entry[0].rpartition('/')[0]}/" not in known]
        files = []
        for key, size in source.sampled(objects):
            if self.stopped.is_set():
                raise _CancelledError
            found = source.classify(key, size)
            if found is None:
                self._say(f"WARN : Classification of s3://{target.bucket}/{key} is UNKNOWN")
            else:
                files.append(found)
        combine = grouping.get("TableGroupingPolicy") == "CombineCompatibleSchemas"
        level = grouping.get("TableLevelConfiguration")
        tables = crawl_tables.find_tables(target.bucket, target.prefix, files, combine, level)
        self._say("BENCHMARK : Classification complete, writing results to database")
        written = {catalogue.write(target.bucket, table) for table in tables}
        if not only_new:
            catalogue.settle(target.bucket, target.prefix, written)

    def _say(self, message: str) -> None:
        text = f"[{self._prefix}] {message}"
        self._messages.append({"timestamp": int(time.time() * 1000), "message": text})

    def _write_log(self) -> None:
        """Write the crawler's log. A role without the right to do so still crawls."""
        if self._logs is None:
            return
        stream = {"logGroupName": LOG_GROUP, "logStreamName": self._name}
        try:
            try:
                self._logs.create_log_stream(**stream)
            except self._logs.exceptions.ResourceNotFoundException:
                self._logs.create_log_group(logGroupName=LOG_GROUP)
                self._logs.create_log_stream(**stream)
            except self._logs.exceptions.ResourceAlreadyExistsException:
                pass
            self._logs.put_log_events(**stream, logEvents=self._messages)
        except botocore.exceptions.ClientError as error:
            _logger.warning("no log of crawler %s: %s", self._name, error)


def _policy(crawler: dict[str, Any], configuration: dict[str, Any]) -> Policy:
    change = crawler.get("SchemaChangePolicy") or {}
    output = configuration.get("CrawlerOutput") or {}
    tables, partitions = output.get("Tables") or {}, output.get("Partitions") or {}
    return Policy(
        update=change.get("UpdateBehavior") or "UPDATE_IN_DATABASE",
        delete=change.get("DeleteBehavior") or "DEPRECATE_IN_DATABASE",
        merge_new_columns=tables.get("AddOrUpdateBehavior") == "MergeNewColumns",
        inherit_partitions=partitions.get("AddOrUpdateBehavior") == "InheritFromTable",
    )
