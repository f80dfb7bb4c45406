"""Repeated calls: the rules with an application of the test, then each protocol of the SDKs."""

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import botocore.httpsession
import pytest
import watch
from conftest import REGION, Bench, wait_for

from embedded_aws.wire.repeated_calls import App, Message, RepeatedCalls

KEPT = {"most_answers": 4, "most_bytes": 1000, "longest_seconds": 60.0}


class Desk:
    """An application that counts its calls. It answers with the statuses in turn, then with the last one."""

    def __init__(self, *statuses: int, body: bytes = b"done", bounds: dict[str, Any] = KEPT) -> None:
        self.statuses, self.body = list(statuses) or [200], body
        self.done = 0
        self.open = asyncio.Event()
        self.open.set()
        self.app: App = RepeatedCalls(self._carry_out, **bounds)

    async def _carry_out(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Message]], send: Any
    ) -> None:
        assert (await receive())["body"] == scope["expected"]
        await self.open.wait()
        self.done += 1
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        await send({"type": "http.response.start", "status": status, "headers": [(b"n", b"%d" % self.done)]})
        await send({"type": "http.response.body", "body": self.body})

    async def call(self, call_id: str = "a", body: bytes = b"order", **changes: Any) -> tuple[int, str]:
        """Make one attempt. Returns the status, and how many times calls had been carried out."""
        heard: list[Message] = []
        headers = {
            "amz-sdk-invocation-id": call_id,
            "authorization": "AWS4-HMAC-SHA256 Credential=AKIA1/2010/x",
            **changes.pop("headers", {}),
        }
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
            "expected": body,
            **changes,
        }
        halves = [{"type": "http.request", "body": body[:2], "more_body": True}]
        halves += [{"type": "http.request", "body": body[2:], "more_body": False}]

        async def receive() -> Message:
            return halves.pop(0)

        async def send(message: Message) -> None:
            heard.append(message)

        if scope["method"] == "GET":  # its body is never joined
            halves = [{"type": "http.request", "body": body, "more_body": False}]
        await self.app(scope, receive, send)
        assert heard[1]["body"] == self.body
        return heard[0]["status"], dict(heard[0]["headers"])[b"n"].decode()


def test_a_repeat_gets_the_first_answer() -> None:
    async def body() -> None:
        desk = Desk()
        assert [await desk.call(), await desk.call(), await desk.call()] == [(200, "1")] * 3

    asyncio.run(body())


OTHERS: dict[str, dict[str, Any]] = {
    "id": {"call_id": "b"},
    "body": {"body": b"other"},
    "path": {"raw_path": b"/other"},
    "query": {"query_string": b"x=1"},
    "method": {"method": "PUT"},
    "caller": {"headers": {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA2/2010/x"}},
    "operation": {"headers": {"x-amz-target": "Kms.CreateAlias"}},
}


@pytest.mark.parametrize("differs", OTHERS)
def test_a_call_that_differs_in_one_part_is_another_call(differs: str) -> None:
    async def body() -> None:
        desk = Desk()
        assert [await desk.call(), await desk.call(**OTHERS[differs])] == [(200, "1"), (200, "2")]

    asyncio.run(body())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_is_carried_out_each_time(method: str) -> None:
    async def body() -> None:
        desk = Desk()
        repeats = [await desk.call(method="GET"), await desk.call(method="GET")]
        assert repeats == [(200, "1"), (200, "2")]

    asyncio.run(body())


@pytest.mark.parametrize("status", [301, 400, 404, 409, 429, 500, 503])
def test_after_an_error_the_call_is_carried_out_again(status: int) -> None:
    async def body() -> None:
        desk = Desk(status, status, 200)
        told = [await desk.call() for _ in range(4)]
        assert told == [(status, "1"), (status, "2"), (200, "3"), (200, "3")]

    asyncio.run(body())


def test_an_error_of_s3_with_status_200_is_an_error() -> None:
    async def body() -> None:
        desk = Desk(200, body=b'<?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>')
        assert [await desk.call(), await desk.call()] == [(200, "1"), (200, "2")]

    asyncio.run(body())


@pytest.mark.parametrize(
    ("statuses", "told"), [([200], ["1", "1", "1"]), ([503, 200], ["1", "2", "2"]), ([503], ["1", "2", "3"])]
)
def test_repeats_wait_for_the_first(statuses: list[int], told: list[str]) -> None:
    async def body() -> None:
        desk = Desk(*statuses)
        desk.open.clear()
        attempts = [asyncio.create_task(desk.call()) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert desk.done == 0
        desk.open.set()
        assert sorted(number for _, number in await asyncio.gather(*attempts)) == told

    asyncio.run(body())


def test_a_call_continues_when_its_client_disconnects() -> None:
    async def body() -> None:
        desk = Desk()
        desk.open.clear()
        first = asyncio.create_task(desk.call())
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.sleep(0)
        desk.open.set()
        assert (await desk.call(), desk.done) == ((200, "1"), 1)

    asyncio.run(body())


def test_signatures_of_chunks_are_ignored() -> None:
    async def body() -> None:
        desk = Desk()
        headers = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
        chunks = [b"2;chunk-signature=%s\r\nab\r\n" % (digit * 64) for digit in (b"1", b"2")]
        assert [await desk.call(body=chunk, headers=headers) for chunk in chunks] == [(200, "1")] * 2

    asyncio.run(body())


BOUNDS = {"most_answers": 2, "most_bytes": 9, "longest_seconds": 0.2}


@pytest.mark.parametrize("bound", BOUNDS)
def test_kept_answers_are_limited(bound: str) -> None:
    async def body() -> None:
        desk = Desk(bounds={**KEPT, bound: BOUNDS[bound]})
        await desk.call("a")
        await asyncio.sleep(0.3)
        await desk.call("b")
        await desk.call("c")
        told = [(await desk.call(call_id))[1] for call_id in ("b", "c", "a")]
        assert told == ["2", "3", "4"]

    asyncio.run(body())


def test_a_stream_reaches_the_client_as_it_comes() -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        assert (await receive())["type"] == "http.disconnect"

    async def body() -> None:
        heard: list[Message] = []
        coming: list[Message] = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]

        async def receive() -> Message:
            return coming.pop(0)

        async def send(message: Message) -> None:
            heard.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b""}
        await RepeatedCalls(app)({**scope, "headers": [(b"amz-sdk-invocation-id", b"a")]}, receive, send)
        assert [message.get("body") for message in heard] == [None, b"1"]

    asyncio.run(body())


# -- on the server --


def send_twice(client: Any, between: Callable[[], object] = lambda: None) -> list[int]:
    """Make a client send each call twice, as an SDK without an answer does. Returns the first statuses."""
    first: list[int] = []

    def attempt(request: Any, **_: Any) -> None:
        session = botocore.httpsession.URLLib3Session(verify=client._endpoint.http_session._verify)
        first.append(session.send(request).status_code)
        request.reset_stream()
        between()

    client.meta.events.register("before-send", attempt)
    return first


def test_query_creates_a_role_once(bench: Bench) -> None:
    iam = bench.client("iam")
    first = send_twice(iam)
    trust = {"Version": "2012-10-17", "Statement": []}
    made = iam.create_role(RoleName="keeper-once", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    assert first == [200]
    assert bench.client("iam").get_role(RoleName="keeper-once")["Role"]["RoleId"] == made["RoleId"]


def test_json_creates_an_alias_once(bench: Bench) -> None:
    kms = bench.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    first = send_twice(kms)
    kms.create_alias(AliasName="alias/lantern", TargetKeyId=key)
    assert first == [200]


def test_rest_json_creates_a_group_once(bench: Bench) -> None:
    scheduler = bench.client("scheduler")
    first = send_twice(scheduler)
    scheduler.create_schedule_group(Name="lanterns")
    scheduler.delete_schedule_group(Name="lanterns")
    assert first == [200, 200]


def test_rest_xml_puts_one_version(bench: Bench) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="lighthouse-log", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="lighthouse-log", VersioningConfiguration={"Status": "Enabled"})
    repeating = bench.client("s3")
    first = send_twice(repeating)
    repeating.put_object(Bucket="lighthouse-log", Key="night", Body=b"a ship")
    assert first == [200]
    assert len(s3.list_object_versions(Bucket="lighthouse-log")["Versions"]) == 1


@pytest.mark.parametrize("protocol", watch.PROTOCOLS)
def test_each_protocol_of_cloudwatch_counts_one_point(bench: Bench, protocol: str) -> None:
    repeating = watch.client(bench, protocol)
    first = send_twice(repeating)
    ships = {"Namespace": "Lighthouse", "MetricName": f"Ships by {protocol}"}
    repeating.put_metric_data(
        Namespace=ships["Namespace"], MetricData=[{"MetricName": ships["MetricName"], "Value": 1}]
    )
    seen = bench.client("cloudwatch").get_metric_statistics(
        **ships,
        StartTime="2020-01-01T00:00:00Z",
        EndTime="2100-01-01T00:00:00Z",
        Period=3600 * 24 * 365,
        Statistics=["SampleCount"],
    )
    assert first == [200]
    assert sum(point["SampleCount"] for point in seen["Datapoints"]) == 1


def test_a_refused_call_is_carried_out_again_when_it_is_repeated(bench: Bench) -> None:
    """Terraform's provider repeats a call until the thing that it needs exists."""
    kms = bench.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/foghorn", TargetKeyId=key)
    repeating = bench.client("kms")
    first = send_twice(repeating, lambda: kms.delete_alias(AliasName="alias/foghorn"))
    repeating.create_alias(AliasName="alias/foghorn", TargetKeyId=key)
    assert first == [400]


def test_a_call_of_a_disconnected_client_is_carried_out_once(bench: Bench) -> None:
    repeating, iam = bench.client("iam"), bench.client("iam")
    port = int(bench.ready["endpoint"].rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=bench.ready["caBundle"])
    # TLS 1.3 sends tickets after the handshake. Closing before they are read resets the connection, and the
    # request may be lost.
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def leave(request: Any, **_: Any) -> None:
        lines = ["POST / HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        for name, value in request.headers.items():
            lines.append(f"{name}: {value.decode() if isinstance(value, bytes) else value}")
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall("\r\n".join([*lines, "", request.body]).encode())
        wait_for(lambda: "keeper-left" in [role["RoleName"] for role in iam.list_roles()["Roles"]])

    repeating.meta.events.register("before-send", leave)
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    made = repeating.create_role(RoleName="keeper-left", AssumeRolePolicyDocument=trust)["Role"]
    assert iam.get_role(RoleName="keeper-left")["Role"]["RoleId"] == made["RoleId"]
