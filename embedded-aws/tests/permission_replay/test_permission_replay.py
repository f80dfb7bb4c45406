"""The rights of a bakery's roles that its calls need, shown by removing each one."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import callers
import pytest
from conftest import ACCOUNT, PACKAGE, REGION, Bench, make_role, statement, wait_for

BUCKET = "bakery"
ARN = f"arn:aws:s3:::{BUCKET}"
REPLAY = PACKAGE / "permission_replay.py"
PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction.html"


class Bakery:
    """The state and the trace of one day's calls. The server has ended."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "aws"
        self.trace = folder / "trace.jsonl"
        bench = Bench(folder, "--trace", str(self.trace))
        s3 = bench.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=BUCKET, Key="recipes/bread", Body=b"flour")
        self.bake(bench)
        self.sell(bench)
        self.leave(bench)
        assert bench.stop() == 0

    def bake(self, bench: Bench) -> None:
        """Make a role with one unneeded right of each kind, and call inside and outside its condition."""
        topic = bench.client("sns").create_topic(Name="bell")["TopicArn"]
        callers.make(
            bench,
            "baker",
            statement(["s3:ListBucket"], [ARN], StringLike={"s3:prefix": ["recipes/*"]}),
            statement(["s3:GetObject", "s3:DeleteObject"], [f"{ARN}/recipes/*", f"{ARN}/secrets/*"]),
            statement(["sns:Publish"], [topic]),
            statement(["sns:Pub*"], ["*"]),
        )
        keys = callers.taken(bench, "baker")
        s3 = bench.client("s3", keys)
        for _ in range(3):
            s3.list_objects_v2(Bucket=BUCKET, Prefix="recipes/b")
            s3.get_object(Bucket=BUCKET, Key="recipes/bread")
        with pytest.raises(botocore.exceptions.ClientError):
            s3.list_objects_v2(Bucket=BUCKET, Prefix="secrets/")
        bench.client("sns", keys).publish(TopicArn=topic, Message="hot")

    def sell(self, bench: Bench) -> None:
        """Make a service's role, a role that is never assumed, and a key whose policy allows another role."""
        make_role(bench, "oven", "glue.amazonaws.com", [])
        make_role(bench, "idle", "glue.amazonaws.com", [statement(["s3:GetObject"], [f"{ARN}/*"])])
        bench.client("glue").create_database(DatabaseInput={"Name": "shop"})
        target = {"S3Targets": [{"Path": f"s3://{BUCKET}/recipes/"}]}
        bench.client("glue").create_crawler(
            Name="oven", Role=callers.role_arn("oven"), DatabaseName="shop", Targets=target
        )
        bench.client("glue").start_crawler(Name="oven")
        wait_for(lambda: bench.client("glue").get_crawler(Name="oven")["Crawler"].get("LastCrawl"))
        callers.make(bench, "seller")
        callers.make(bench, "guest")
        allow = {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Encrypt"], "Resource": "*"}
        shops = {"AWS": [callers.role_arn("seller"), callers.role_arn("guest")]}
        own = {**allow, "Action": "kms:*", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
        key = bench.client("kms").create_key(Policy=callers.document(own, {**allow, "Principal": shops}))
        kms = bench.client("kms", callers.taken(bench, "seller"))
        kms.generate_data_key(KeyId=key["KeyMetadata"]["Arn"], KeySpec="AES_256")

    def leave(self, bench: Bench) -> None:
        """Make a role that calls and is deleted: nobody can say any more why its calls were allowed."""
        callers.make(bench, "apprentice", statement(["s3:GetObject"], [f"{ARN}/*"]))
        bench.client("s3", callers.taken(bench, "apprentice")).get_object(Bucket=BUCKET, Key="recipes/bread")
        iam = bench.client("iam")
        for policy in iam.list_role_policies(RoleName="apprentice")["PolicyNames"]:
            iam.delete_role_policy(RoleName="apprentice", PolicyName=policy)
        iam.delete_role(RoleName="apprentice")


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bakery]:
    yield Bakery(tmp_path_factory.mktemp("bakery"))


def replay(state: Path, trace: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPLAY), "--state", str(state), "--trace", str(trace), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def found(bakery: Bakery, tmp_path: Path) -> dict[str, Any]:
    out = tmp_path / "out.json"
    done = replay(bakery.state, bakery.trace, "--json", str(out))
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(out.read_text(encoding="utf-8")))


def rights(result: dict[str, Any], holder: str) -> dict[tuple[str, str, str], str]:
    """The calls that need the rights of one holder, by action, resource and principal."""
    return {
        (one["action"], one["resource"].removeprefix(ARN), one["principal"]): (one["neededBy"] or {}).get(
            "action", ""
        )
        for one in result["rights"]
        if one["holder"].endswith(holder)
    }


def test_each_right_is_needed_by_a_call_or_not_shown(bakery: Bakery, tmp_path: Path) -> None:
    result = found(bakery, tmp_path)
    root = f"arn:aws:iam::{ACCOUNT}:root"
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:bell"
    assert rights(result, "role/baker") == {
        ("s3:ListBucket", "", ""): "s3:ListBucket",
        ("s3:GetObject", "/recipes/*", ""): "s3:GetObject",
        ("s3:GetObject", "/secrets/*", ""): "",
        ("s3:DeleteObject", "/recipes/*", ""): "",
        ("s3:DeleteObject", "/secrets/*", ""): "",
        # Two statements grant the same right, so neither is needed.
        ("sns:Publish", topic, ""): "",
        ("sns:Pub*", "*", ""): "",
        ("sts:AssumeRole", "", root): "",
    }
    assert rights(result, "role/oven") == {("sts:AssumeRole", "", "glue.amazonaws.com"): "sts:AssumeRole"}
    assert rights(result, "role/idle") == {
        ("s3:GetObject", "/*", ""): "",
        ("sts:AssumeRole", "", "glue.amazonaws.com"): "",
    }
    (key,) = {one["holder"] for one in result["rights"] if ":key/" in one["holder"]}
    seller, guest = callers.role_arn("seller"), callers.role_arn("guest")
    assert rights(result, key) == {
        ("kms:*", "*", root): "",
        ("kms:GenerateDataKey", "*", seller): "kms:GenerateDataKey",
        ("kms:GenerateDataKey", "*", guest): "",
        ("kms:Encrypt", "*", seller): "",
        ("kms:Encrypt", "*", guest): "",
    }


@pytest.mark.parametrize(("option", "is_baker"), [("--roles", True), ("--other-roles", False)])
def test_the_rights_of_some_roles_are_judged_by_themselves(
    bakery: Bakery, tmp_path: Path, option: str, is_baker: bool
) -> None:
    out = tmp_path / "out.json"
    assert replay(bakery.state, bakery.trace, "--json", str(out), option, "bak*").returncode == 0
    holders = {one["holder"] for one in json.loads(out.read_text(encoding="utf-8"))["rights"]}
    assert {holder.endswith(":role/baker") for holder in holders} == {is_baker}


def test_missing_roles_prove_nothing(bakery: Bakery) -> None:
    done = replay(bakery.state, bakery.trace, "--roles", "nobody*")
    assert (done.returncode, done.stderr) == (
        2,
        "permission replay: none of the selected roles has a right\n",
    )


def test_the_table_says_which_call(bakery: Bakery) -> None:
    done = replay(bakery.state, bakery.trace)
    (line,) = [text for text in done.stdout.splitlines() if text.startswith("  s3:ListBucket")]
    assert f"s3:ListBucket on {ARN} if s3:prefix=recipes/* → needed by s3:ListBucket {ARN} (test, 20" in line
    assert f"  s3:DeleteObject on {ARN}/recipes/* → not shown\n" in done.stdout
    # The crawl of a role without rights is refused too; the tests of crawls show how.
    assert f"  baker: s3:ListBucket on {ARN}: no statement allows it\n" in done.stdout
    assert "all decided as recorded" in done.stdout


def test_equal_calls_count_once(bakery: Bakery, tmp_path: Path) -> None:
    result = found(bakery, tmp_path)
    recorded = len(callers.lines(bakery.trace))
    repeated, of_the_deleted_role = 4, 1
    assert (result["evaluations"], result["calls"]) == (recorded, recorded - repeated - of_the_deleted_role)


def test_a_right_granted_after_the_trace_invalidates_it(bakery: Bakery, tmp_path: Path) -> None:
    state = tmp_path / "aws"
    shutil.copytree(bakery.state, state)
    iam = state / "services" / "iam.json"
    text = iam.read_text(encoding="utf-8")
    wider = text.replace("recipes/*", "*")
    assert wider != text
    iam.write_text(wider, encoding="utf-8")
    done = replay(state, bakery.trace)
    assert done.returncode == 2
    assert f"baker: s3:ListBucket {ARN} was denied at 20" in done.stderr
    assert "1 of " in done.stderr


def entry(role: str, action: str, **more: str) -> dict[str, str]:
    return {"role": role, "action": action, "why": "no test of it", "page": PAGE, **more}


NOT_SHOWN = [
    entry("baker", "s3:GetObject", resource="*/secrets/*"),
    entry("baker", "s3:Delete*"),
    entry("ba?er", "sns:Pub*"),
    entry("*", "sts:AssumeRole"),
    entry("idle", "s3:GetObject"),
    entry("arn:aws:kms:*:key/*", "kms:*"),
    entry("bell", "SNS:*", condition="AWS:SourceOwner=*"),
]


def explained(bakery: Bakery, tmp_path: Path, option: str, entries: Any) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "explained.json"
    file.write_text(entries if isinstance(entries, str) else json.dumps(entries), encoding="utf-8")
    return replay(bakery.state, bakery.trace, option, str(file))


def test_every_right_that_is_not_shown_must_be_explained(bakery: Bakery, tmp_path: Path) -> None:
    done = explained(bakery, tmp_path, "--not-shown", NOT_SHOWN)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"s3:DeleteObject on {ARN}/recipes/* → not shown: no test of it ({PAGE})" in done.stdout
    done = explained(bakery, tmp_path, "--not-shown", NOT_SHOWN[1:])
    assert done.returncode == 1
    assert f"baker: no call needs s3:GetObject on {ARN}/secrets/*, and nothing explains it" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_explanation_without_a_finding_is_out_of_date(bakery: Bakery, tmp_path: Path) -> None:
    needed = entry("baker", "s3:ListBucket", condition="*s3:prefix=*")
    other = entry("bell", "SNS:*", principal="nobody.amazonaws.com")
    done = explained(bakery, tmp_path, "--not-shown", [*NOT_SHOWN, needed, entry("nobody", "*"), other])
    assert done.returncode == 1
    assert "'baker: s3:ListBucket on *' is out of date: the right is needed, or not granted" in done.stderr
    assert "'nobody: * on *' is out of date" in done.stderr
    assert "'bell: SNS:* on *' is out of date" in done.stderr
    assert done.stderr.count("\n") == 3


def test_denials_must_be_explained_too(bakery: Bakery, tmp_path: Path) -> None:
    known = [entry("baker", "s3:ListBucket"), entry("oven", "*")]
    assert explained(bakery, tmp_path, "--denied", known).returncode == 0
    done = explained(bakery, tmp_path, "--denied", [known[1], entry("baker", "s3:GetObject")])
    assert done.returncode == 1
    assert f"baker: denied was s3:ListBucket on {ARN}, and nothing explains it" in done.stderr
    assert "'baker: s3:GetObject on *' is out of date: the right is not denied" in done.stderr


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ("{", "is not JSON"),
        ({}, "is not a list"),
        ([{"role": "baker", "action": "x", "why": "y"}], "entry 1 of .* must have role, action, why, page"),
        ([entry("a", "b", who="c")], "entry 1 of .* may have resource, condition"),
        ([NOT_SHOWN[0], entry("a", "b", page="see there")], "page of entry 2 of .* must be an https"),
        ([{**entry("a", "b"), "why": " "}], "must have a text"),
    ],
)
def test_invalid_explanations_are_refused_by_name(
    bakery: Bakery, tmp_path: Path, entries: Any, complaint: str
) -> None:
    done = explained(bakery, tmp_path, "--not-shown", entries)
    assert done.returncode == 2
    assert_matches(complaint, done.stderr)


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), text


def test_an_invalid_trace_or_state_is_refused(bakery: Bakery, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    odd = tmp_path / "odd.jsonl"
    odd.write_text('{"kind": "call"}\n')
    line = callers.lines(bakery.trace)[0]
    two = tmp_path / "two.jsonl"
    two.write_text("".join(json.dumps({**line, "account": account}) + "\n" for account in "ab"))
    for state, trace, complaint in (
        (tmp_path, bakery.trace, "is not the --state folder of an embedded AWS"),
        (bakery.state, empty, "holds no calls"),
        (bakery.state, two, r"the trace must have calls of one account, found \['a', 'b'\]"),
        (bakery.state, odd, "line 1 of .* is not a line of a trace"),
        (bakery.state, tmp_path / "none", "No such file"),
    ):
        done = replay(state, trace)
        assert done.returncode == 2
        assert_matches(complaint, done.stderr)


def test_thousands_of_calls_are_judged_in_seconds(bakery: Bakery, tmp_path: Path) -> None:
    (model,) = [line for line in callers.lines(bakery.trace) if line["action"] == "s3:GetObject"][:1]
    trace = tmp_path / "many.jsonl"
    with trace.open("w", encoding="utf-8") as file:
        for number in range(20_000):
            file.write(json.dumps({**model, "resource": f"{ARN}/recipes/{number}"}) + "\n")
    started = time.monotonic()
    done = replay(bakery.state, trace)
    assert "20000 evaluations, 20000 different" in done.stdout
    assert time.monotonic() - started < 30
