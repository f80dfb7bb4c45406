"""The function `receive_files`: what it records, starts and counts, with stand-ins for S3, DynamoDB, Step
Functions, SQS and CloudWatch whose requests are held against the services' descriptions."""

import hashlib
import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from conftest import ROOT

sys.path.insert(0, str(ROOT / "functions" / "receive_files"))

import receive_files
from deliveries import Due, File, Place, judge_part, locate, next_days, read_manifest

pytestmark = pytest.mark.once

RAW, BOOKS = "etl-dev-raw", "etl-dev-processed"
MACHINES = "arn:aws:states:eu-west-1:000000000000:stateMachine:"
MACHINE = f"{MACHINES}etl-dev-orders"
START = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC).timestamp()
ORDERS: dict[str, Any] = {
    "name": "orders",
    "machine": "etl-dev-orders",
    "places": [{"prefix": "orders/", "layout": "dt"}],
    "complete": {"rule": "quiet", "seconds": 20},
    "deadlineMinutes": 60,
    "endings": [],
    "undatedZone": None,
}
SETTINGS: dict[str, Any] = {
    "name": "etl-dev-arrival",
    "bucket": RAW,
    "booksBucket": BOOKS,
    "ledger": "etl-dev-arrival",
    "queue": "https://sqs.eu-west-1.amazonaws.com/000000000000/etl-dev-arrival",
    "machines": MACHINES,
    "alias": "live",
    "mostDays": 31,
    "metrics": {
        "namespace": "EtlPipelines",
        "dimension": "FileArrival",
        "leftAlone": "FilesLeftAlone",
        "quarantined": "FilesQuarantined",
        "half": "HalfDeliveries",
    },
    "pipelines": [ORDERS],
}
ODD = ["a b.csv", "a+b.csv", "100%.csv", "%20.csv", "x=y.csv", "Größe & Maß.csv"]


class World:
    """The services, and the time. Every request must be one that its service takes."""

    def __init__(self) -> None:
        self.now = START
        self.objects: dict[tuple[str, str], tuple[bytes, float]] = {}
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.executions: dict[str, dict[str, Any]] = {}
        self.sent: list[dict[str, Any]] = []
        self.metrics: list[tuple[str, str, float]] = []
        self.broken: set[str] = set()
        self.settings = json.loads(json.dumps(SETTINGS))

    # -- what happens in the world --

    def put(self, key: str, body: str = "1", bucket: str = RAW) -> str:
        self.objects[bucket, key] = (body.encode(), self.now)
        return key

    def read(self, execution: str) -> None:
        """The run lists and reads what lies in the folders of its days now."""
        asked = json.loads(self.executions[execution]["input"])
        first, last = asked.get("runDate") or asked["fromDate"], asked.get("runDate") or asked["toDate"]
        found: dict[str, dict[str, str]] = {"files": {}, "leftOut": {}}
        for (bucket, key), (body, _) in self.objects.items():
            match = re.match(r"orders/dt=([\d-]+)/", key)
            if bucket == RAW and match and first <= match[1] <= last:
                name = "leftOut" if "/_" in key or "/." in key else "files"
                found[name][f"s3://{RAW}/{key}"] = version(body)
        books = f"books/orders/{execution.rsplit(':', 1)[-1]}/files.json"
        self.put(books, json.dumps(found), BOOKS)

    def end(self, execution: str, status: str) -> dict[str, Any]:
        """Ends a run; a success has read its files, now unless it has before. Returns its event."""
        self.executions[execution]["status"] = status
        books = f"books/orders/{execution.rsplit(':', 1)[-1]}/files.json"
        if status == "SUCCEEDED" and (BOOKS, books) not in self.objects:
            self.read(execution)
        return {"source": "aws.states", "detail": {"executionArn": execution, "status": status}}

    # -- each operation that the function may use --

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        keys = sorted(
            key
            for bucket, key in self.objects
            if bucket == asked["Bucket"] and key.startswith(asked["Prefix"])
        )
        start = int(asked.get("ContinuationToken", "0"))
        page = keys[start : start + 3]
        contents = []
        for key in page:
            body, at = self.objects[asked["Bucket"], key]
            etag = f'"{digest(body)}"'
            modified = datetime.fromtimestamp(int(at), UTC)
            contents.append({"Key": key, "Size": len(body), "ETag": etag, "LastModified": modified})
        more = start + 3 < len(keys)
        return {
            "Contents": contents,
            "IsTruncated": more,
            **({"NextContinuationToken": str(start + 3)} if more else {}),
        }

    def get_object(self, **asked: Any) -> dict[str, Any]:
        if (asked["Bucket"], asked["Key"]) not in self.objects:
            raise error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.objects[asked["Bucket"], asked["Key"]][0])}

    def copy_object(self, **asked: Any) -> dict[str, Any]:
        source = asked["CopySource"]
        self.objects[asked["Bucket"], asked["Key"]] = (
            self.objects[source["Bucket"], source["Key"]][0],
            self.now,
        )
        return {}

    def put_item(self, **asked: Any) -> dict[str, Any]:
        key = self._key(asked["Item"])
        self._check(key, asked)
        self.items[key] = asked["Item"]
        return {}

    def get_item(self, **asked: Any) -> dict[str, Any]:
        assert asked["ConsistentRead"] is True
        item = self.items.get(self._key(asked["Key"]))
        return {} if item is None else {"Item": item}

    def update_item(self, **asked: Any) -> dict[str, Any]:
        key = self._key(asked["Key"])
        self._check(key, asked)
        names, values = asked["ExpressionAttributeNames"], asked["ExpressionAttributeValues"]
        changes = dict(
            part.split(" = ") for part in asked["UpdateExpression"].removeprefix("SET ").split(", ")
        )
        self.items[key] = {
            **self.items[key],
            **{names[name]: values[value] for name, value in changes.items()},
        }
        return {}

    def delete_item(self, **asked: Any) -> dict[str, Any]:
        key = self._key(asked["Key"])
        self._check(key, asked)
        self.items.pop(key, None)
        return {}

    def query(self, **asked: Any) -> dict[str, Any]:
        assert asked["ConsistentRead"] is True
        values = asked["ExpressionAttributeValues"]
        prefix = values.get(":prefix", {"S": ""})["S"]
        found = [
            item
            for (delivery, name), item in sorted(self.items.items())
            if delivery == values[":delivery"]["S"] and name.startswith(prefix)
        ]
        return {"Items": found}

    def start_execution(self, **asked: Any) -> dict[str, Any]:
        assert asked["stateMachineArn"] == f"{MACHINE}:live"
        arn = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{asked['name']}"
        known = self.executions.get(arn)
        if known is not None and known["status"] != "RUNNING":
            raise error("ExecutionAlreadyExists", "StartExecution")
        if known is not None:
            assert known["input"] == asked["input"]
        self.executions[arn] = {"status": "RUNNING", "input": asked["input"]}
        return {"executionArn": arn}

    def describe_execution(self, **asked: Any) -> dict[str, Any]:
        return self.executions[asked["executionArn"]]

    def send_message(self, **asked: Any) -> dict[str, Any]:
        self.sent.append({"at": self.now + asked["DelaySeconds"], "body": json.loads(asked["MessageBody"])})
        return {}

    def put_metric_data(self, **asked: Any) -> dict[str, Any]:
        for datum in asked["MetricData"]:
            (dimension,) = datum["Dimensions"]
            self.metrics.append((datum["MetricName"], dimension["Value"], datum["Value"]))
        return {}

    def _key(self, item: dict[str, Any]) -> tuple[str, str]:
        return item["delivery"]["S"], item["item"]["S"]

    def _check(self, key: tuple[str, str], asked: dict[str, Any]) -> None:
        condition = asked.get("ConditionExpression")
        if condition is None:
            return
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        item = self.items.get(key, {})

        def holds(term: str) -> bool:
            match = re.fullmatch(r"attribute_not_exists\((#\w+)\)", term)
            if match:
                return names[match[1]] not in item
            name, sign, value = term.split(" ")
            equal = item.get(names[name]) == values[value]
            return equal if sign == "=" else not equal

        joined = (any, " OR ") if " OR " in condition else (all, " AND ")
        if not joined[0](holds(term) for term in condition.split(joined[1])):
            raise error("ConditionalCheckFailedException", "PutItem")


def digest(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def version(body: bytes) -> str:
    return f"{len(body)}-{digest(body)}"


def error(code: str, operation: str) -> ClientError:
    made = _MODELS["dynamodb" if code.startswith("Cond") else _OF[operation]].exceptions.from_code(code)
    return made({"Error": {"Code": code, "Message": code}}, operation)


_OF = {"GetObject": "s3", "StartExecution": "stepfunctions"}
_MODELS = {
    name: boto3.client(name, region_name="eu-west-1")
    for name in ("s3", "dynamodb", "stepfunctions", "sqs", "cloudwatch")
}


class Service:
    def __init__(self, world: World, name: str) -> None:
        self._world, self._model = world, _MODELS[name]
        self.exceptions = self._model.exceptions

    def __getattr__(self, operation: str) -> Any:
        called = self._model.meta.method_to_api_mapping[operation]
        shape = self._model.meta.service_model.operation_model(called).input_shape

        def call(**asked: Any) -> Any:
            if called in self._world.broken:
                raise RuntimeError(f"{called} is broken")
            checked = {**asked, "CopySource": "a/b"} if "CopySource" in asked else asked
            report = ParamValidator().validate(checked, shape)
            assert not report.has_errors(), report.generate_report()
            return getattr(self._world, operation)(**asked)

        return call

    def get_paginator(self, operation: str) -> Any:
        call = getattr(self, operation)

        class Pages:
            def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
                more: dict[str, Any] = {}
                while True:
                    page = call(**asked, **more)
                    yield page
                    if not page.get("IsTruncated"):
                        return
                    more = {"ContinuationToken": page["NextContinuationToken"]}

        return Pages()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    for cached in (receive_files._settings, receive_files._places, receive_files._ledger):
        cached.cache_clear()
    monkeypatch.setattr(receive_files, "_settings", lambda: made.settings)
    monkeypatch.setattr(receive_files, "_client", lambda name: Service(made, name))
    monkeypatch.setattr(receive_files, "_now", lambda: made.now)
    return made


def event_of(key: str) -> dict[str, Any]:
    detail = {"bucket": {"name": RAW}, "object": {"key": key}}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


LOOK = {"source": "look"}


def call(*bodies: Any) -> list[int]:
    """Hands messages to the function. Returns the numbers of those that failed."""
    records = [
        {"messageId": str(at), "body": body if isinstance(body, str) else json.dumps(body)}
        for at, body in enumerate(bodies)
    ]
    answer = receive_files.handler({"Records": records}, None)
    return [int(one["itemIdentifier"]) for one in answer["batchItemFailures"]]


def states(world: World) -> dict[str, str]:
    return {key: item["state"]["S"] for (_, key), item in world.items.items() if "state" in item}


def running(world: World) -> list[str]:
    return [arn for arn, of in world.executions.items() if of["status"] == "RUNNING"]


def asked(world: World) -> list[dict[str, Any]]:
    return [json.loads(of["input"]) for of in world.executions.values()]


def bring(world: World, *keys: str, wait: float = 21) -> None:
    """Files arrive with their events, and the quiet period passes."""
    call(*(event_of(world.put(key)) for key in keys))
    world.now += wait
    call(LOOK)


# -- one delivery --


def test_a_file_starts_a_run_of_its_date_after_the_quiet_period_and_is_done_once_it_was_read(
    world: World,
) -> None:
    key = world.put("orders/dt=2026-01-30/1.csv")
    assert call(event_of(key)) == []
    assert (states(world), world.executions) == ({key: "waiting"}, {})
    assert world.sent == [{"at": START + 21, "body": {"source": "look", "pipeline": "orders"}}]
    world.now += 21
    call(world.sent[0]["body"])
    assert asked(world) == [{"runDate": "2026-01-30"}]
    (execution,) = running(world)
    assert states(world) == {key: "waiting"}
    call(world.end(execution, "SUCCEEDED"))
    assert states(world) == {key: "done"}
    assert world.items["orders/2026-01-30", key]["run"]["S"] == execution.rsplit(":", 1)[-1]
    call(LOOK)
    assert len(world.executions) == 1
    notes = sorted(key for key in world.items if key[0].startswith("#"))
    assert notes == [("#sweep", "orders"), ("#wake", "orders")]


@pytest.mark.parametrize("name", ODD)
def test_keys_are_taken_as_they_are(world: World, name: str) -> None:
    key = f"orders/dt=2026-01-30/{name}"
    bring(world, key)
    call(world.end(running(world)[0], "SUCCEEDED"))
    assert states(world) == {key: "done"}


def test_the_same_event_again_and_late_changes_nothing(world: World) -> None:
    key = "orders/dt=2026-01-30/1.csv"
    bring(world, key)
    call(event_of(key), event_of(key))
    call(world.end(running(world)[0], "SUCCEEDED"))
    before = dict(world.items)
    world.now += 100
    call(event_of(key))
    assert (world.items, len(world.executions)) == (before, 1)


def test_an_event_of_a_file_that_is_gone_changes_nothing(world: World) -> None:
    call(event_of("orders/dt=2026-01-30/1.csv"))
    call(event_of("orders/notes.txt"))
    world.now += 100
    call(LOOK)
    assert (states(world), world.executions, world.metrics) == ({}, {}, [])


def test_a_file_that_goes_while_it_waits_is_not_counted_and_starts_nothing(world: World) -> None:
    key = world.put("orders/dt=2026-01-30/1.csv")
    call(event_of(key))
    del world.objects[RAW, key]
    world.now += 21
    call(LOOK)
    assert (states(world), world.executions) == ({key: "gone"}, {})
    bring(world, key)
    assert (states(world), len(world.executions)) == ({key: "waiting"}, 1)


def test_the_same_key_with_new_content_is_a_new_delivery(world: World) -> None:
    key = "orders/dt=2026-01-30/1.csv"
    bring(world, key)
    call(world.end(running(world)[0], "SUCCEEDED"))
    world.put(key, "other content")
    call(event_of(key))
    assert states(world) == {key: "waiting"}
    world.now += 21
    call(LOOK)
    assert len(world.executions) == 2


def test_content_that_changes_while_it_is_read_waits_for_the_next_run(world: World) -> None:
    key = "orders/dt=2026-01-30/1.csv"
    bring(world, key)
    (execution,) = running(world)
    world.read(execution)
    world.put(key, "other content")
    world.now += 5
    call(event_of(key), world.end(execution, "SUCCEEDED"))
    assert states(world) == {key: "waiting"}
    world.now += 21
    call(LOOK)
    assert len(running(world)) == 1


def test_what_a_run_by_hand_has_read_is_done_even_before_its_event(world: World) -> None:
    key = world.put("orders/dt=2026-01-30/1.csv")
    by_hand = f"{MACHINE.replace(':stateMachine:', ':execution:')}:by-hand"
    world.executions[by_hand] = {"status": "RUNNING", "input": json.dumps({"runDate": "2026-01-30"})}
    call(world.end(by_hand, "SUCCEEDED"))
    assert states(world) == {key: "done"}
    call(event_of(key))
    world.now += 100
    call(LOOK)
    assert len(world.executions) == 1


# -- as few runs as possible --


def test_many_files_of_neighbouring_days_are_one_run_and_other_days_the_next(world: World) -> None:
    keys = [f"orders/dt=2026-01-{day}/{n}.csv" for day in (27, 28, 30) for n in range(4)]
    bring(world, *keys)
    assert asked(world) == [{"mode": "backfill", "fromDate": "2026-01-27", "toDate": "2026-01-28"}]
    call(world.end(running(world)[0], "SUCCEEDED"))
    assert asked(world)[1:] == [{"runDate": "2026-01-30"}]
    call(world.end(running(world)[0], "SUCCEEDED"))
    assert set(states(world).values()) == {"done"}
    assert len(world.executions) == 2


def test_a_file_that_arrives_while_a_run_works_is_in_the_next(world: World) -> None:
    bring(world, "orders/dt=2026-01-30/1.csv")
    (execution,) = running(world)
    world.read(execution)
    bring(world, "orders/dt=2026-01-30/2.csv")
    assert running(world) == [execution]
    call(world.end(execution, "SUCCEEDED"))
    assert states(world) == {"orders/dt=2026-01-30/1.csv": "done", "orders/dt=2026-01-30/2.csv": "waiting"}
    assert len(world.executions) == 2


def test_an_end_whose_event_was_lost_is_found(world: World) -> None:
    bring(world, "orders/dt=2026-01-30/1.csv")
    world.end(running(world)[0], "SUCCEEDED")
    call(LOOK)
    assert set(states(world).values()) == {"done"}


@pytest.mark.parametrize("ago", [-1, 0, 7])
def test_a_file_of_recent_days_whose_events_were_all_lost_is_found_within_an_hour(
    world: World, ago: int
) -> None:
    day = datetime.fromtimestamp(START, UTC).date() - timedelta(days=ago)
    call(LOOK)
    world.now += 60
    key = world.put(f"orders/dt={day}/1.csv")
    world.now += receive_files.SWEEP_SECONDS - 120
    call(LOOK)
    assert states(world) == {}
    world.now += 61
    call(LOOK)
    assert states(world) == {key: "waiting"}
    world.now += 21
    call(LOOK)
    call(world.end(running(world)[0], "SUCCEEDED"))
    assert (states(world), asked(world)) == ({key: "done"}, [{"runDate": str(day)}])
    world.put(key, "other content")
    world.now += receive_files.SWEEP_SECONDS
    call(LOOK)
    assert states(world) == {key: "waiting"}


def test_what_lay_there_before_the_first_look_or_in_an_old_folder_is_not_swept_up(world: World) -> None:
    world.put("orders/dt=2026-01-31/old.csv")
    world.now += 60
    call(LOOK)
    world.put("orders/dt=2026-01-01/1.csv")
    world.now += receive_files.SWEEP_SECONDS
    call(LOOK)
    assert (states(world), world.executions) == ({}, {})


def test_a_sweep_that_failed_is_made_again_at_the_next_look(world: World) -> None:
    call(LOOK)
    world.now += 60
    key = world.put("orders/dt=2026-01-31/1.csv")
    world.now += receive_files.SWEEP_SECONDS
    world.broken = {"ListObjectsV2"}
    assert call(LOOK) == [0]
    world.broken = set()
    call(LOOK)
    assert states(world) == {key: "waiting"}


def test_a_call_that_died_before_it_started_its_run_is_finished_by_the_next(world: World) -> None:
    world.broken = {"StartExecution"}
    key = world.put("orders/dt=2026-01-30/1.csv")
    call(event_of(key))
    world.now += 21
    assert call(LOOK) == [0]
    assert ("#run", "orders") in world.items
    world.broken = set()
    assert call(LOOK) == []
    assert asked(world) == [{"runDate": "2026-01-30"}]
    call(LOOK)
    assert len(world.executions) == 1


# -- failures --


def test_after_a_failure_files_wait_until_something_new_arrives_or_the_run_is_redriven(world: World) -> None:
    bring(world, "orders/dt=2026-01-30/1.csv")
    (execution,) = running(world)
    call(world.end(execution, "FAILED"))
    world.now += 1000
    call(LOOK)
    assert (set(states(world).values()), len(world.executions)) == ({"waiting"}, 1)
    bring(world, "orders/dt=2026-01-30/2.csv")
    assert len(world.executions) == 2
    call(world.end(running(world)[0], "ABORTED"))
    call(world.end(execution, "SUCCEEDED"))  # redriven
    assert set(states(world).values()) == {"done"}


def test_the_days_of_a_failed_run_are_tried_one_by_one_and_a_bad_one_holds_up_nothing(world: World) -> None:
    bring(world, *(f"orders/dt=2026-01-{day}/1.csv" for day in (27, 28, 29)))
    call(world.end(running(world)[0], "FAILED"))
    bring(world, "orders/dt=2026-01-31/1.csv")
    for _ in range(4):
        (execution,) = running(world)
        bad = "2026-01-28" in world.executions[execution]["input"]
        call(world.end(execution, "FAILED" if bad else "SUCCEEDED"))
    assert running(world) == []
    alone = sorted(str(one.get("runDate")) for one in asked(world)[1:])
    assert alone == [f"2026-01-{day}" for day in (27, 28, 29, 31)]
    waiting = [key for key, state in states(world).items() if state == "waiting"]
    assert waiting == ["orders/dt=2026-01-28/1.csv"]


def test_a_bad_message_fails_alone(world: World) -> None:
    key = world.put("orders/dt=2026-01-30/1.csv")
    other = event_of(key)
    other["detail"]["bucket"]["name"] = "another"
    assert call("no json", event_of(key), {"source": "nobody"}, [1], other) == [0, 2, 3, 4]
    assert states(world) == {key: "waiting"}


def test_an_error_about_one_delivery_fails_its_messages_only(world: World) -> None:
    world.broken = {"ListObjectsV2"}
    assert call(event_of("orders/dt=2026-01-30/1.csv"), event_of("elsewhere/1.csv")) == [0]
    assert states(world) == {"elsewhere/1.csv": "leftAlone"}


def test_a_success_that_does_not_say_what_it_read_is_not_repeated(world: World) -> None:
    key = "orders/dt=2026-01-30/1.csv"
    bring(world, key)
    ended = world.end(running(world)[0], "SUCCEEDED")
    del world.objects[next(place for place in world.objects if place[0] == BOOKS)]
    assert call(ended) == []
    world.now += 1000
    call(LOOK)
    assert (states(world), len(world.executions)) == ({key: "waiting"}, 1)


def test_a_file_that_its_run_did_not_read_starts_no_further_runs(world: World) -> None:
    bring(world, "orders/dt=2026-01-30/1.csv")
    (execution,) = running(world)
    books = f"books/orders/{execution.rsplit(':', 1)[-1]}/files.json"
    world.put(books, json.dumps({"files": {}, "leftOut": {}}), BOOKS)
    call(world.end(execution, "SUCCEEDED"))
    world.now += 1000
    call(LOOK)
    assert (states(world), len(world.executions)) == ({"orders/dt=2026-01-30/1.csv": "quarantined"}, 1)
    assert world.metrics == [("FilesQuarantined", "etl-dev-arrival/orders", 1)]


# -- what no run reads --


def test_a_file_of_no_declared_folder_is_counted_once_and_left_alone(world: World) -> None:
    key = world.put("ordres/dt=2026-01-30/1.csv")
    call(event_of(key), event_of(key))
    call(event_of(key))
    assert states(world) == {key: "leftAlone"}
    assert world.metrics == [("FilesLeftAlone", "etl-dev-arrival/none", 1)]
    assert world.executions == {}


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("orders/1.csv", "it lies in no folder named dt=YYYY-MM-DD"),
        ("orders/new/1.csv", "it lies in no folder named dt=YYYY-MM-DD"),
        ("orders/dt=2026-02-30/1.csv", "its folder must be named dt=YYYY-MM-DD, got 'dt=2026-02-30'"),
        ("orders/dt=2026-1-3/1.csv", "its folder must be named dt=YYYY-MM-DD, got 'dt=2026-1-3'"),
    ],
)
def test_a_file_beside_the_folders_of_days_is_quarantined(world: World, key: str, reason: str) -> None:
    call(event_of(world.put(key)))
    call(event_of(key))
    assert states(world) == {key: "quarantined"}
    assert world.items["orders/undated", key]["reason"]["S"] == reason
    assert world.metrics == [("FilesQuarantined", "etl-dev-arrival/orders", 1)]


def test_an_undated_file_is_copied_once_to_the_day_on_which_it_arrived_in_its_zone(world: World) -> None:
    world.settings["pipelines"][0]["undatedZone"] = "Pacific/Auckland"
    receive_files._places.cache_clear()
    key = world.put("orders/new/a b.csv")
    world.now += 24 * 3600  # the event is late, the day is that of the file
    call(event_of(key), event_of(key))
    copy = "orders/dt=2026-02-01/new/a b.csv"
    assert (RAW, copy) in world.objects
    assert states(world) == {key: "copied"}
    copied = world.objects[RAW, copy]
    world.now += 5
    call(event_of(key))
    assert world.objects[RAW, copy] == copied
    bring(world, copy)
    call(world.end(running(world)[0], "SUCCEEDED"))
    assert states(world) == {key: "copied", copy: "done"}
    world.put(key, "corrected")
    call(event_of(key))
    assert world.objects[RAW, "orders/dt=2026-02-01/new/a b.csv"][0] == b"1"
    assert world.objects[RAW, "orders/dt=2026-02-02/new/a b.csv"][0] == b"corrected"


def test_a_hidden_file_is_quarantined_once_a_run_has_left_it_out(world: World) -> None:
    bring(world, "orders/dt=2026-01-30/1.csv", "orders/dt=2026-01-30/_notes.txt")
    call(world.end(running(world)[0], "SUCCEEDED"))
    assert states(world) == {
        "orders/dt=2026-01-30/1.csv": "done",
        "orders/dt=2026-01-30/_notes.txt": "quarantined",
    }
    assert world.metrics == [("FilesQuarantined", "etl-dev-arrival/orders", 1)]


def test_a_file_with_another_ending_starts_nothing_and_is_done_if_a_run_reads_it(world: World) -> None:
    world.settings["pipelines"][0]["endings"] = [".csv"]
    bring(world, "orders/dt=2026-01-30/1.txt")
    assert (states(world), world.executions) == ({"orders/dt=2026-01-30/1.txt": "leftAlone"}, {})
    bring(world, "orders/dt=2026-01-30/1.csv")
    call(world.end(running(world)[0], "SUCCEEDED"))
    assert set(states(world).values()) == {"done"}


# -- complete deliveries --


def test_a_marker_completes_a_delivery_and_is_done_with_it(world: World) -> None:
    world.settings["pipelines"][0]["complete"] = {"rule": "marker", "name": "_SUCCESS"}
    bring(world, "orders/dt=2026-01-30/1.csv", "orders/dt=2026-01-30/2.csv")
    assert world.executions == {}
    call(event_of(world.put("orders/dt=2026-01-30/_SUCCESS", "")))
    call(world.end(running(world)[0], "SUCCEEDED"))
    assert set(states(world).values()) == {"done"}
    world.now += 1
    bring(world, "orders/dt=2026-01-30/3.csv")
    assert running(world) == []
    call(event_of(world.put("orders/dt=2026-01-30/_SUCCESS", "")))
    assert len(running(world)) == 1


def test_a_half_delivery_is_counted_from_its_deadline_on(world: World) -> None:
    world.settings["pipelines"][0]["complete"] = {"rule": "count", "files": 2}
    bring(world, "orders/dt=2026-01-30/1.csv", wait=59 * 60)
    assert world.metrics == []
    world.now += 60
    call(LOOK)
    assert world.metrics == [("HalfDeliveries", "etl-dev-arrival/orders", 1)]
    bring(world, "orders/dt=2026-01-30/2.csv")
    assert (len(running(world)), len(world.metrics)) == (1, 1)


def test_every_source_must_have_delivered(world: World) -> None:
    world.settings["pipelines"][0]["places"] = [
        {"prefix": "orders/shop/", "layout": "dt"},
        {"prefix": "orders/app/", "layout": "epochMillis"},
    ]
    receive_files._places.cache_clear()
    bring(world, "orders/shop/dt=2026-01-30/1.csv")
    assert world.executions == {}
    bring(world, "orders/app/1769731200000/1.csv")
    assert asked(world) == [{"runDate": "2026-01-30"}]


def test_files_in_are_always_done_quarantined_or_waiting(world: World) -> None:
    """Whatever is asked between the calls: each file has one state."""
    keys = [f"orders/dt=2026-01-{27 + n % 3}/{name}" for n, name in enumerate(ODD)]
    events = [event_of(world.put(key)) for key in (*keys, "orders/undated.csv")]
    for event in [*reversed(events), *events]:
        call(event)
        assert set(states(world).values()) <= {"waiting", "done", "quarantined"}
    world.now += 21
    call(LOOK)
    while running(world):
        call(world.end(running(world)[0], "SUCCEEDED"))
    assert sorted(states(world).values()) == ["done"] * len(keys) + ["quarantined"]


# -- pure --

FOLDER = "orders/dt=2026-01-30/"
QUIET = {"rule": "quiet", "seconds": 20}
MARKER = {"rule": "marker", "name": "_OK"}
MANIFEST = {"rule": "manifest", "name": "_M"}
RECENT = "files arrived during the last 20 seconds"
LACKING = "1 of 1 files of _M have not arrived: 1"
NEWER = "1 files are newer than _OK: 1"


def a_file(name: str, *, at: float = 0, recorded: float = 0, state: str = "waiting", size: int = 1) -> File:
    return File(f"{FOLDER}{name}", state, "1", at, recorded, size)


@pytest.mark.parametrize(
    ("rule", "files", "manifest", "missing"),
    [
        (QUIET, [a_file("1", recorded=80)], None, ""),
        (
            {"rule": "quiet", "seconds": 20},
            [a_file("1", recorded=81)],
            None,
            "files arrived during the last 20 seconds",
        ),
        (QUIET, [a_file("1", recorded=99, state="done")], None, ""),
        ({"rule": "count", "files": 2}, [a_file("1"), a_file("2", state="done")], None, ""),
        ({"rule": "count", "files": 2}, [a_file("1"), a_file("_2")], None, "1 of 2 files have arrived"),
        ({"rule": "count", "files": 1}, [a_file("1", state="gone")], None, "0 of 1 files have arrived"),
        (MARKER, [a_file("1")], None, "_OK has not arrived"),
        (MARKER, [a_file("1", at=5), a_file("_OK", at=5)], None, ""),
        (
            {"rule": "marker", "name": "_OK"},
            [a_file("1", at=6), a_file("_OK", at=5)],
            None,
            "1 files are newer than _OK: 1",
        ),
        (MARKER, [a_file("a/_OK")], None, "_OK has not arrived"),
        (MANIFEST, [a_file("_M"), a_file("1")], '{"files": ["1"]}', ""),
        (
            MANIFEST,
            [a_file("_M")],
            '{"files": ["1"]}',
            "1 of 1 files of _M have not arrived: 1",
        ),
        (
            MANIFEST,
            [a_file("_M"), a_file("1", size=3)],
            '{"files": [{"name": "1", "bytes": 4}]}',
            "1 files have another size: 1 has 3 bytes, _M says 4",
        ),
        (
            MANIFEST,
            [a_file("_M")],
            "1,2",
            '_M cannot be read: it must be JSON as {"files": ["a.csv"]}',
        ),
    ],
)
def test_rules_of_completeness(rule: Any, files: list[File], manifest: str | None, missing: str) -> None:
    assert judge_part(rule, FOLDER, files, manifest, 100).missing == missing


@pytest.mark.parametrize("text", ['{"files": []}', '{"files": [1]}', '{"files": [{"bytes": 1}]}', "[]", "{}"])
def test_manifests_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        read_manifest(text)


PLACES = [Place("b", "a/b/", "dt"), Place("m", "m/", "epochMillis"), Place("a", "a/", "dt")]


@pytest.mark.parametrize(
    ("key", "pipeline", "day"),
    [
        ("a/dt=2026-01-30/1", "a", date(2026, 1, 30)),
        ("a/b/dt=2026-01-30/x/1", "b", date(2026, 1, 30)),
        ("a/dt=2026-01-30", "a", None),
        ("a/dt=2026-01-30/", "a", None),
        ("m/1763683200000/1", "m", date(2025, 11, 21)),
        ("m/1763683200001/1", "m", None),
        ("m/99999999999999999/1", "m", None),
        ("c/dt=2026-01-30/1", None, None),
        ("A/dt=2026-01-30/1", None, None),
    ],
)
def test_places_of_keys(key: str, pipeline: str | None, day: date | None) -> None:
    located = locate(key, PLACES)
    assert (located.place and located.place.pipeline, located.day) == (pipeline, day)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], None),
        ([(5, False)], (5, 5)),
        ([(6, False), (5, False), (8, False)], (5, 6)),
        ([(5, False), (6, False), (7, False)], (5, 6)),
        ([(4, True), (6, False)], (6, 6)),
        ([(5, True), (4, True)], (4, 4)),
    ],
)
def test_the_days_of_the_next_run(days: list[tuple[int, bool]], expected: tuple[int, int] | None) -> None:
    due = [Due(date(2026, 1, day), is_alone) for day, is_alone in days]
    found = next_days(due, 2)
    assert (found and tuple(day.day for day in found)) == expected
