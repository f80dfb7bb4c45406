"""Job runs that die between two calls: a post office's scripts, and one under real Spark."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import settings_in
from post_office import Post

from embedded_aws.core import emulator
from embedded_aws.glue.jobs import deaths

LOST = "Command failed with exit code 137"


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    made = Post(tmp_path_factory.mktemp("post"))
    yield made
    assert made.bench.stop() == 0


@pytest.fixture(autouse=True)
def nobody_dies(post: Post) -> None:
    post.deaths.unlink(missing_ok=True)


CHANGES = [
    ("s3:PutObject", "post-office/{box}/a b+c"),
    ("s3:CopyObject", "post-office/{box}/copy"),
    ("s3:CompleteMultipartUpload", "post-office/{box}/large"),
    ("dynamodb:PutItem", "letters/{box}"),
    ("dynamodb:UpdateItem", "letters/{box}"),
    ("s3:DeleteObject", "post-office/{box}/large"),
    ("s3:DeleteObjects", "post-office/{box}/a b+c {box}/copy"),
    ("dynamodb:DeleteItem", "letters/{box}"),
]


def changes(box: str) -> list[tuple[str, str]]:
    return [(action, key.replace("{box}", box)) for action, key in CHANGES]


def test_the_mutating_calls_of_a_run_are_recorded(post: Post) -> None:
    done = post.run("varied", "box-0")
    assert (done["JobRunState"], done.get("ErrorMessage")) == ("SUCCEEDED", None)
    told = post.calls(done)
    assert [(line["action"], line["key"]) for line in told] == changes("box-0")
    assert [line["call"] for line in told] == list(range(1, len(CHANGES) + 1))
    assert all(line["time"].endswith("+00:00") for line in told)
    seconds = [line["seconds"] for line in told]
    assert seconds == sorted(seconds)
    assert 0 < seconds[0] < seconds[-1] < 60


@pytest.mark.parametrize("number", [1, 3, 4, 6, 7, 8])
def test_a_run_dies_right_after_the_named_call(post: Post, number: int) -> None:
    post.tell({"jobRun": "*", "afterMutatingCall": number})
    box = f"box-after-{number}"
    done = post.run("varied", box)
    assert (done["JobRunState"], done["ErrorMessage"]) == ("FAILED", LOST)
    *told, death = post.calls(done)
    assert [(line["action"], line["key"]) for line in told] == changes(box)[:number]
    assert (death["killed"], death["calls"]) == (f"after call {number}", number)
    left = {1: ["a b+c"], 2: ["a b+c", "copy"], 6: ["a b+c", "copy"], 7: [], 8: []}
    assert post.keys(box) == left.get(number, ["a b+c", "copy", "large"])
    item = post.bench.client("dynamodb").get_item(TableName="letters", Key={"id": {"S": box}})
    assert ("Item" in item) == (4 <= number <= 7)


def test_exactly_the_named_number_of_concurrent_calls_takes_effect(post: Post) -> None:
    post.tell({"jobRun": "*", "afterMutatingCall": 13})
    done = post.run("crowd", "box-crowd")
    assert (done["JobRunState"], done["ErrorMessage"]) == ("FAILED", LOST)
    time.sleep(1)  # no call takes effect later
    told = [line for line in post.calls(done) if "call" in line]
    assert sorted(post.keys("box-crowd")) == sorted(line["key"].rsplit("/", 1)[-1] for line in told)
    assert len(told) == 13


@pytest.mark.parametrize(
    ("method", "path", "query", "service", "expected"),
    [
        ("PUT", "/b/folder/", {}, "s3", ("s3:PutObject", "b/folder/")),
        ("PUT", "/b/k", {"tagging": ""}, "s3", ("s3:PutObject?tagging", "b/k")),
        ("DELETE", "/b/k", {"versionId": "1"}, "s3", ("s3:DeleteObject", "b/k")),
        ("POST", "/b/", {"delete": ""}, "s3", ("s3:DeleteObjects", "b/x&y z")),
        ("POST", "/b/k", {"uploads": ""}, "s3", None),
        ("GET", "/b/k", {}, "s3", None),
        ("PUT", "/b/k", {}, "lambda", None),
    ],
)
def test_mutating_requests_have_an_action_and_a_target(
    method: str, path: str, query: Any, service: str, expected: Any
) -> None:
    headers = {"authorization": f"AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/{service}/aws4_request"}
    body = b"<Delete><Object><Key>x&amp;y</Key></Object><Object><Key>z</Key></Object></Delete>"
    assert deaths.mutation(method, path, headers, body, query) == expected


def test_requests_that_wait_for_the_fatal_one_change_nothing(tmp_path: Path) -> None:
    made: list[str] = []

    async def server(method: str, path: str, *more: Any) -> tuple[int, dict[str, str], bytes]:
        await asyncio.sleep(0.01)
        made.append(path)
        return 200, {}, b""

    fate = deaths.Fate(tmp_path / "calls.jsonl", 3, None)
    fate.key = "ASIACROWD"
    fate.begins(lambda: None)
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=ASIACROWD/20260101/eu-west-1/s3/aws4_request"}

    async def send() -> list[int]:
        dispatch = deaths._listen(server)
        calls = (dispatch("PUT", f"/post-office/{n}", headers, b"", {}, "id") for n in range(9))
        return [answer[0] for answer in await asyncio.gather(*calls)]

    deaths._fates[fate.key] = fate
    try:
        assert asyncio.run(send()) == [200] * 3 + [503] * 6
        assert made == [f"/post-office/{n}" for n in range(3)]
        assert fate.ends() == LOST
        assert asyncio.run(send()) == [503] * 9  # the process is gone, but its requests still arrive
    finally:
        deaths._fates.clear()


def test_a_run_dies_after_so_many_seconds(post: Post) -> None:
    post.tell({"jobRun": "*", "afterSeconds": 4})
    started = time.monotonic()
    done = post.run("sleepy", "box-late")
    assert (done["JobRunState"], done["ErrorMessage"]) == ("FAILED", LOST)
    assert time.monotonic() - started < 30
    assert post.keys("box-late") == ["early"]
    death = post.calls(done)[-1]
    assert (death["killed"], death["calls"]) == ("after 4 s", 1)
    assert 4 <= death["seconds"] < 6


def test_next_means_one_run_until_the_file_is_written_again(post: Post) -> None:
    post.tell({"jobRun": "jr_another", "afterMutatingCall": 1}, {"jobRun": "next", "afterMutatingCall": 2})
    states = [post.run("varied", f"box-next-{number}")["JobRunState"] for number in range(2)]
    assert states == ["FAILED", "SUCCEEDED"]
    post.tell({"jobRun": "next", "afterMutatingCall": 2})
    assert post.run("varied", "box-again")["JobRunState"] == "FAILED"


def test_a_script_that_ends_before_its_death_succeeds(post: Post) -> None:
    post.tell({"jobRun": "*", "afterMutatingCall": len(CHANGES) + 1})
    assert post.run("varied", "box-lucky")["JobRunState"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2 of deaths.jsonl is not JSON"),
        ('{"jobRun": "*"}', "line 2 of deaths.jsonl must have jobRun and either"),
        ('{"jobRun": "*", "afterMutatingCall": 0}', "must have jobRun"),
        ('{"jobRun": "*", "afterMutatingCall": true}', "must have jobRun"),
        ('{"jobRun": "*", "afterSeconds": -1}', "must have jobRun"),
        ('{"jobRun": "*", "afterSeconds": 1, "afterMutatingCall": 1}', "must have jobRun"),
    ],
)
def test_an_invalid_line_fails_the_run_and_is_named(post: Post, line: str, complaint: str) -> None:
    post.deaths.write_text(f"\n{line}\n", encoding="utf-8")
    done = post.run("sleepy", "box-never")
    assert done["JobRunState"] == "FAILED"
    assert complaint in done["ErrorMessage"]
    assert post.keys("box-never") == []


def test_a_spark_driver_dies_with_its_java(post: Post) -> None:
    post.tell({"jobRun": "*", "afterMutatingCall": 2})
    done = post.run("spark", "spark-box")
    assert (done["JobRunState"], done["ErrorMessage"]) == ("FAILED", LOST)
    assert [line.get("call") for line in post.calls(done)] == [1, 2, None]
    scratch = str(post.bench.folder / "aws" / "tmp" / "glue-")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert [line for line in listed.splitlines() if scratch in line] == []


def test_without_a_file_no_call_is_recorded(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    before = list(emulator.REPLACEMENTS)
    deaths.install(settings)
    fate = deaths.watch(settings, "jr_1", "ASIA")
    fate.begins(lambda: os._exit(1))
    fate.count("s3:PutObject", "b/k")
    assert (fate.ends(), emulator.REPLACEMENTS) == ("", before)
    assert list(tmp_path.iterdir()) == []
