"""Receives the events of files that arrive in the raw zone, keeps a ledger of them, and starts the runs of
pipelines whose deliveries are complete. Messages of a queue start it: events of S3, ends of executions, and
a look at the clock. Events are hints: the ledger is compared with what lies in the bucket."""

import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from deliveries import (
    COPIED,
    DONE,
    GONE,
    LEFT_ALONE,
    QUARANTINED,
    WAITING,
    Delivery,
    Due,
    File,
    Judgement,
    Place,
    is_folder_marker,
    is_hidden,
    judge_part,
    locate,
    next_days,
    places_of,
)
from ledger import OPEN, RUN, STRANGERS, SWEEP, WAKE, Ledger

MOST_DELAY_SECONDS = (
    900  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
)
MOST_COPIED_BYTES = 5 * 1024**3  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
UNDATED = "undated"
SWEEP_SECONDS = 3600  # between two sweeps of a pipeline
SWEPT_DAYS = 7
_RUNNING = ("RUNNING", "PENDING_REDRIVE")


class UnknownMessage(Exception):
    """A message that is no event of S3, no end of an execution and no look."""


@dataclass
class Work:
    """The wishes of a batch of messages, each with the ids of the messages that have it."""

    arrived: dict[Delivery, set[str]] = field(default_factory=dict)
    beside: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # pipeline ("" for strangers), key
    ended: dict[str, set[str]] = field(default_factory=dict)  # ARNs of executions
    judged: dict[str, set[str]] = field(default_factory=dict)  # pipelines
    looks: set[str] = field(default_factory=set)  # those of them that the clock asks for
    failed: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def fail(self, messages: Iterable[str], error: Exception, about: str) -> None:
        self.failed |= set(messages)
        self.errors.append(f"{about}: {type(error).__name__}: {error}")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Takes messages of the queue. Returns the ids of those that could not be worked on, as Lambda wants it:
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"""
    work = Work()
    for record in event["Records"]:
        message = record["messageId"]
        try:
            _sort(work, message, json.loads(record["body"]))
        except Exception as error:
            work.fail([message], error, f"message {message}")
    for (pipeline, key), messages in work.beside.items():
        with _Guard(work, messages, key):
            _note_beside(pipeline, key)
    for delivery, messages in work.arrived.items():
        with _Guard(work, messages, delivery.id):
            _compare(delivery)
            work.judged.setdefault(delivery.pipeline, set()).update(messages)
    for execution, messages in work.ended.items():
        with _Guard(work, messages, execution):
            pipeline = _settle(execution)
            work.judged.setdefault(pipeline, set()).update(messages)
    for pipeline, messages in work.judged.items():
        with _Guard(work, messages, pipeline):
            _judge(pipeline, is_look=pipeline in work.looks)
    for line in work.errors:
        print(line)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in sorted(work.failed)]}


class _Guard:
    """An error about one delivery fails the messages about it, and no others."""

    def __init__(self, work: Work, messages: set[str], about: str) -> None:
        self._work, self._messages, self._about = work, messages, about

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if not isinstance(error, Exception):
            return False
        self._work.fail(self._messages, error, self._about)
        return True


def _sort(work: Work, message: str, body: Any) -> None:
    source = body.get("source") if isinstance(body, dict) else None
    if source == "aws.s3" and body.get("detail-type") == "Object Created":
        detail = body["detail"]
        if detail["bucket"]["name"] != _settings()["bucket"]:
            raise UnknownMessage(f"a file of another bucket: {detail['bucket']['name']}")
        key = detail["object"]["key"]
        located = locate(key, _places())
        if located.place is not None and located.day is not None:
            delivery = Delivery(located.place.pipeline, located.day)
            work.arrived.setdefault(delivery, set()).add(message)
        else:
            pipeline = "" if located.place is None else located.place.pipeline
            work.beside.setdefault((pipeline, key), set()).add(message)
    elif source == "aws.states":
        work.ended.setdefault(body["detail"]["executionArn"], set()).add(message)
    elif source == "look":
        for one in _settings()["pipelines"]:
            if body.get("pipeline") in (None, one["name"]):
                work.judged.setdefault(one["name"], set()).add(message)
                work.looks.add(one["name"])
    else:
        raise UnknownMessage(f"the message is no event of a file: {json.dumps(body)[:200]}")


# -- the ledger --


def _compare(delivery: Delivery) -> dict[str, File]:
    """Brings the ledger of a delivery to what lies in the bucket: new files and new content wait, files that
    are gone do not. Returns its files."""
    ledger = _ledger()
    known = ledger.files(delivery.id)
    listed = {file.key: file for file in _list(delivery)}
    new = [
        file
        for key, file in listed.items()
        if key not in known or known[key].version != file.version or known[key].state == GONE
    ]
    gone = [file for key, file in known.items() if file.state == WAITING and key not in listed]
    ledger.record(delivery.id, new)
    ledger.end(delivery.id, gone, GONE)
    # The same content may have been put again: a marker closes a delivery each time.
    again = {key: replace(file, arrived=listed[key].arrived) for key, file in known.items() if key in listed}
    files = {**known, **again, **{file.key: file for file in new}}
    files |= {file.key: replace(file, state=GONE) for file in gone}
    if any(file.state == WAITING for file in files.values()):
        _open(delivery)
    return files


def _open(delivery: Delivery) -> None:
    """After its files, so that whoever closes the delivery has seen them, or this note is newer."""
    before = _ledger().note(OPEN, delivery.id) or {}
    kept = {name: before[name] for name in ("failedAt", "isAlone", "since") if name in before}
    note = {"since": f"{_now():.3f}", **kept, "token": str(uuid.uuid4())}
    _ledger().put_note(OPEN, delivery.id, note)


def _sweep(pipeline: str) -> None:
    """Finds files of which every event was lost: at most once an hour it lists the folders of the last days.
    The first look only notes the time, because what lay there before is no arrival."""
    now = _now()
    note = _ledger().note(SWEEP, pipeline)
    if note is None:
        _ledger().put_note(SWEEP, pipeline, {"since": f"{now:.3f}", "at": f"{now:.3f}"})
        return
    if now < float(note["at"]) + SWEEP_SECONDS:
        return
    today = datetime.fromtimestamp(now, UTC).date()
    # A day begins in the east before it does in UTC.
    for ago in range(-1, SWEPT_DAYS + 1):
        delivery = Delivery(pipeline, today - timedelta(days=ago))
        fresh = [file for file in _list(delivery) if file.arrived >= float(note["since"])]
        if not fresh:
            continue
        known = _ledger().files(delivery.id)
        lost = [file for file in fresh if file.key not in known or known[file.key].version != file.version]
        if lost:
            print(f"found without an event: {len(lost)} files of {delivery.id}, such as {lost[0].key}")
            _compare(delivery)
    # Last, so that a sweep that failed is made again.
    _ledger().put_note(SWEEP, pipeline, {"since": note["since"], "at": f"{now:.3f}"})


def _list(delivery: Delivery) -> Iterator[File]:
    endings = _pipeline(delivery.pipeline)["endings"]
    for place in _places_of(delivery.pipeline):
        folder = place.folder_of(delivery.day)
        for file in _list_keys(folder):
            if is_folder_marker(file.key, file.size):
                continue
            counts = not endings or is_hidden(file.key, folder) or file.key.endswith(tuple(endings))
            yield file if counts else replace(file, state=LEFT_ALONE)


def _list_keys(prefix: str) -> Iterator[File]:
    pages = _client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=_settings()["bucket"], Prefix=prefix):
        for entry in page.get("Contents", []):
            size, etag = entry["Size"], entry["ETag"].strip('"')
            arrived = entry["LastModified"].timestamp()
            yield File(entry["Key"], WAITING, f"{size}-{etag}", arrived, _now(), size)


def _note_beside(pipeline: str, key: str) -> None:
    """A file of no declared folder is counted and left alone. One beside the folders of days is copied to the
    day that it arrived, where the pipeline has a zone for that; otherwise no run can read it."""
    located = locate(key, _places())
    if located.place is None:
        stranger = File(key, LEFT_ALONE, version="", arrived=_now(), recorded=_now())
        if _ledger().record(STRANGERS, [stranger]):
            _count("leftAlone", "none", 1)
        return
    file = next((found for found in _list_keys(key) if found.key == key), None)
    if file is None or is_folder_marker(key, file.size):
        return
    zone = _pipeline(pipeline)["undatedZone"]
    reason = located.reason
    if zone is not None and located.is_undated:
        if file.size <= MOST_COPIED_BYTES:
            _copy(pipeline, located.place, file, zone)
            return
        reason += f", and with {file.size} bytes it is too large to be copied to the day that it arrived"
    if _ledger().record(f"{pipeline}/{UNDATED}", [replace(file, state=QUARANTINED)], reason):
        _count("quarantined", pipeline, 1)


def _copy(pipeline: str, place: Place, file: File, zone: str) -> None:
    """Copies a file to the folder of the day that it arrived, once for its content. The copy has an event of
    its own; the original stays."""
    delivery = f"{pipeline}/{UNDATED}"
    known = _ledger().files(delivery).get(file.key)
    if known is not None and known.version == file.version:
        return
    day = datetime.fromtimestamp(file.arrived, ZoneInfo(zone)).date()
    target = place.folder_of(day) + file.key[len(place.prefix) :]
    source = {"Bucket": _settings()["bucket"], "Key": file.key}
    _client("s3").copy_object(Bucket=_settings()["bucket"], Key=target, CopySource=source)
    _ledger().record(delivery, [replace(file, state=COPIED)], f"copied to {target}")


# -- the ends of runs --


def _settle(execution: str) -> str:
    """Books what a run read, whoever started it. Returns its pipeline."""
    machine, name = execution.split(":")[6:8]
    pipeline = str(next(one["name"] for one in _settings()["pipelines"] if one["machine"] == machine))
    found = _client("stepfunctions").describe_execution(executionArn=execution)
    if found["status"] in _RUNNING:
        return pipeline
    run = _ledger().note(RUN, pipeline)
    is_ours = run is not None and run.get("execution") == execution
    is_booked = found["status"] == "SUCCEEDED" and _book(pipeline, name)
    if run is not None and is_ours:
        if is_booked:
            _leave_nothing_behind(pipeline, run)
        else:
            _note_failure(pipeline, run)
        _ledger().remove_note(RUN, pipeline, "execution", execution)
    return pipeline


def _leave_nothing_behind(pipeline: str, run: Mapping[str, str]) -> None:
    """A file that waited before a run of its date and is in none of its lists would start runs for ever."""
    first, last = date.fromisoformat(run["first"]), date.fromisoformat(run["last"])
    for name in _ledger().notes(OPEN, f"{pipeline}/"):
        day = date.fromisoformat(name.rsplit("/", 1)[-1])
        if not first <= day <= last:
            continue
        files = _compare(Delivery(pipeline, day)).values()
        before = float(run["decided"])
        left = [file for file in files if file.state == WAITING and file.recorded < before]
        _ledger().end(name, left, QUARANTINED, run=run["name"], reason="the run of its date did not read it")
        if left:
            _count("quarantined", pipeline, len(left))


def _book(pipeline: str, run: str) -> bool:
    """The files that a run read are done. Those that it leaves out because of their names are done if the
    rule names them, otherwise quarantined. False if the run has not said what it read."""
    s3, key = _client("s3"), f"books/{pipeline}/{run}/files.json"
    listed = s3.list_objects_v2(Bucket=_settings()["booksBucket"], Prefix=key).get("Contents", [])
    if not any(one["Key"] == key for one in listed):
        print(f"run {run} of {pipeline} left no {key}: its files go on waiting")
        return False
    answer = s3.get_object(Bucket=_settings()["booksBucket"], Key=key)
    lists = json.loads(answer["Body"].read())
    control = _pipeline(pipeline)["complete"].get("name")
    read: dict[Delivery, dict[str, str]] = {}
    left_out: dict[Delivery, dict[str, str]] = {}
    for found, name in ((read, "files"), (left_out, "leftOut")):
        for uri, version in lists[name].items():
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            located = locate(key, _places())
            if bucket == _settings()["bucket"] and located.day is not None:
                found.setdefault(Delivery(pipeline, located.day), {})[key] = version
    for delivery in {**read, **left_out}:
        files = _compare(delivery)
        of_run = [file for file in files.values() if read.get(delivery, {}).get(file.key) == file.version]
        _ledger().end(delivery.id, [file for file in of_run if file.state != DONE], DONE, run=run)
        hidden = [
            file
            for file in files.values()
            if file.state == WAITING and left_out.get(delivery, {}).get(file.key) == file.version
        ]
        ours = [file for file in hidden if file.name == control]
        others = [file for file in hidden if file.name != control]
        _ledger().end(delivery.id, ours, DONE, run=run)
        reason = "its name, or a folder's, begins with '_' or '.', so no run reads it"
        _ledger().end(delivery.id, others, QUARANTINED, run=run, reason=reason)
        if others:
            _count("quarantined", pipeline, len(others))
    return True


def _note_failure(pipeline: str, run: Mapping[str, str]) -> None:
    """Its files go on waiting. A run of one day starts again when something new arrives; the days of a run of
    several are tried one by one, so that a bad one does not hold up the others."""
    first, last = date.fromisoformat(run["first"]), date.fromisoformat(run["last"])
    for name, note in _ledger().notes(OPEN, f"{pipeline}/").items():
        if first <= date.fromisoformat(name.rsplit("/", 1)[-1]) <= last:
            fields = {key: value for key, value in note.items() if key not in ("delivery", "item", "isAlone")}
            if first != last:
                fields["isAlone"] = "yes"
            fields["failedAt"] = run["decided"]
            _ledger().put_note(OPEN, name, {**fields, "token": str(uuid.uuid4())})


# -- what is due --


def _judge(pipeline: str, *, is_look: bool) -> None:
    """Starts the next run if none is under way and a delivery is complete that has something new. A look
    sweeps, and counts deliveries that are past their deadline."""
    if is_look:
        _sweep(pipeline)
    run = _ledger().note(RUN, pipeline)
    if run is not None:
        execution = run.get("execution") or _start(pipeline, run)
        _settle(execution)
        run = _ledger().note(RUN, pipeline)
        if run is not None and not is_look:
            return
    now = _now()
    due, halves, wake = [], 0, None
    for name, note in _ledger().notes(OPEN, f"{pipeline}/").items():
        delivery = Delivery(pipeline, date.fromisoformat(name.rsplit("/", 1)[-1]))
        files = _compare(delivery)
        waiting = [file for file in files.values() if file.state == WAITING]
        if not waiting:
            _ledger().remove_note(OPEN, name, "token", note["token"])
            continue
        judgement = _judge_delivery(delivery, files, now)
        if not judgement.is_complete:
            since = min(file.recorded for file in waiting)
            if judgement.ready_at is None and now >= since + 60 * _pipeline(pipeline)["deadlineMinutes"]:
                halves += 1
                print(f"half delivery {name}: {judgement.missing}")
            if judgement.ready_at is not None:
                wake = judgement.ready_at if wake is None else min(wake, judgement.ready_at)
            continue
        failed_at = float(note.get("failedAt", "0"))
        is_alone = "isAlone" in note
        if is_alone or any(file.recorded > failed_at for file in waiting):
            due.append(Due(delivery.day, is_alone))
    if halves and is_look:
        _count("half", pipeline, halves)
    if wake is not None:
        _wake_at(pipeline, wake)
    days = None if run is not None else next_days(due, _settings()["mostDays"])
    if days is not None:
        _begin(pipeline, *days)


def _judge_delivery(delivery: Delivery, files: Mapping[str, File], now: float) -> Judgement:
    """All sources must have delivered, and each part must be complete."""
    rule = _pipeline(delivery.pipeline)["complete"]
    judged: list[Judgement] = []
    for place in _places_of(delivery.pipeline):
        folder = place.folder_of(delivery.day)
        part = [file for file in files.values() if file.key.startswith(folder) and file.state != GONE]
        if not part:
            judged.append(Judgement(f"nothing has arrived below {folder}"))
            continue
        manifest = None
        if rule["rule"] == "manifest" and f"{folder}{rule['name']}" in files:
            manifest = _read(f"{folder}{rule['name']}")
        judged.append(judge_part(rule, folder, part, manifest, now))
    missing = "; ".join(one.missing for one in judged if one.missing)
    times = [one.ready_at for one in judged if one.missing]
    # With a part that no time completes, there is nothing to wait for.
    ready = [at for at in times if at is not None]
    return Judgement(missing, max(ready) if times and len(ready) == len(times) else None)


def _begin(pipeline: str, first: date, last: date) -> None:
    """Notes the run before it is started, so that one call starts it, and a later one can finish that."""
    name, decided = f"arrival-{uuid.uuid4()}", f"{_now():.3f}"
    run = {"first": str(first), "last": str(last), "decided": decided, "name": name}
    if _ledger().put_note(RUN, pipeline, run, only_if=("name", run["name"])):
        _start(pipeline, run)


def _start(pipeline: str, run: Mapping[str, str]) -> str:
    """Starts the noted run. The same name and input start one execution:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""
    if run["first"] == run["last"]:
        asked = {"runDate": run["first"]}
    else:
        asked = {"mode": "backfill", "fromDate": run["first"], "toDate": run["last"]}
    states = _client("stepfunctions")
    alias = f"{_settings()['machines']}{_pipeline(pipeline)['machine']}:{_settings()['alias']}"
    try:
        execution = states.start_execution(stateMachineArn=alias, name=run["name"], input=json.dumps(asked))[
            "executionArn"
        ]
    except states.exceptions.ExecutionAlreadyExists:
        # It has ended meanwhile.
        execution = f"{alias.rsplit(':', 1)[0].replace(':stateMachine:', ':execution:')}:{run['name']}"
    fields = {name: run[name] for name in ("first", "last", "decided", "name")}
    started = {**fields, "execution": execution}
    _ledger().put_note(RUN, pipeline, started, only_if=("name", run["name"]))
    print(f"started {execution} for {run['first']} to {run['last']}")
    return str(execution)


def _wake_at(pipeline: str, moment: float) -> None:
    """Sends one message that arrives when a quiet period will have passed, unless one is on its way."""
    now = _now()
    pending = float((_ledger().note(WAKE, pipeline) or {}).get("at", "0"))
    at = min(moment, now + MOST_DELAY_SECONDS)
    if now < pending <= at + 1:
        return
    delay = max(1, int(at - now) + 1)
    _ledger().put_note(WAKE, pipeline, {"at": f"{now + delay:.3f}"})
    body = json.dumps({"source": "look", "pipeline": pipeline})
    _client("sqs").send_message(QueueUrl=_settings()["queue"], MessageBody=body, DelaySeconds=delay)


# -- calls --


def _count(metric: str, pipeline: str, value: int) -> None:
    metrics = _settings()["metrics"]
    datum = {
        "MetricName": metrics[metric],
        "Dimensions": [{"Name": metrics["dimension"], "Value": f"{_settings()['name']}/{pipeline}"}],
        "Value": value,
        "Unit": "Count",
    }
    _client("cloudwatch").put_metric_data(Namespace=metrics["namespace"], MetricData=[datum])


def _read(key: str) -> str | None:
    s3 = _client("s3")
    try:
        return str(s3.get_object(Bucket=_settings()["bucket"], Key=key)["Body"].read().decode())
    except s3.exceptions.NoSuchKey:
        return None
    except UnicodeDecodeError:
        return ""


@cache
def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(os.environ["SETTINGS"])
    return settings


@cache
def _places() -> Sequence[Place]:
    return places_of(_settings())


def _places_of(pipeline: str) -> list[Place]:
    return [place for place in _places() if place.pipeline == pipeline]


def _pipeline(name: str) -> dict[str, Any]:
    return next(one for one in _settings()["pipelines"] if one["name"] == name)


@cache
def _ledger() -> Ledger:
    return Ledger(_client("dynamodb"), _settings()["ledger"])


def _now() -> float:
    return time.time()


@cache
def _client(service: str) -> Any:
    import boto3  # here, so that importing this module does nothing

    return boto3.client(service)
