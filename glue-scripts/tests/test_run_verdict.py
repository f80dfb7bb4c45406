"""The verdict on runs of Glue workflows: every shape of a run in tables, and random workflows against a model
that plays them."""

import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator
from conftest import ROOT
from workflows import ANDROID, DAILY, IOS, MOBILE, WELL, Trigger, Workflow, mobile

sys.path.insert(0, str(ROOT / "functions" / "watch_workflow"))

from run_verdict import Verdict, is_over, judge

pytestmark = pytest.mark.once


def names(parts: Sequence[Any]) -> list[str]:
    return [part.name for part in parts]


def shown(verdict: Verdict) -> dict[str, Any]:
    """The parts of a verdict that are not empty."""
    told = {
        "failed": [f"{part.name} {part.state}" for part in verdict.failed],
        "never_started": names(verdict.never_started),
        "not_reached": names(verdict.not_reached),
        "warnings": [f"{part.name} {part.state}" for part in verdict.warnings],
        "resume": [node_id.removeprefix("wnode_") for node_id in verdict.resume],
        "reason": verdict.reason,
    }
    return {"outcome": verdict.outcome} | {name: value for name, value in told.items() if value}


RUNS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("all went well", {}, WELL, {"outcome": "SUCCEEDED"}),
    (
        "raw crawls failed and were cancelled, and nobody waits for them",
        {},
        WELL | {IOS: ("FAILED", "no bucket"), ANDROID: "CANCELLED"},
        {"outcome": "SUCCEEDED", "warnings": [f"{IOS} FAILED", f"{ANDROID} CANCELLED"]},
    ),
    (
        "a raw crawl ended in the state that no trigger sees",
        {},
        {IOS: "ERROR"},
        {
            "outcome": "FAILED",
            "failed": [f"{IOS} ERROR"],
            "not_reached": [ANDROID, DAILY, MOBILE],
            "resume": [IOS],
        },
    ),
    (
        "in the document's form a failed raw crawl ends the chain",
        {"on_crawl": "succeeded"},
        {IOS: "SUCCEEDED", ANDROID: ("FAILED", "no bucket")},
        {
            "outcome": "FAILED",
            "failed": [f"{ANDROID} FAILED"],
            "not_reached": [DAILY, MOBILE],
            "resume": [ANDROID],
        },
    ),
    (
        "in the document's form a raw crawl warns and another one blocks",
        {"on_crawl": "succeeded"},
        {IOS: "CANCELLED"},
        {
            "outcome": "FAILED",
            "failed": [f"{IOS} CANCELLED"],
            "not_reached": [ANDROID, DAILY, MOBILE],
            "resume": [IOS],
        },
    ),
    *(
        (
            f"the job ended {state}",
            {},
            {IOS: "FAILED", ANDROID: "SUCCEEDED", DAILY: (state, "why")},
            {
                "outcome": "FAILED",
                "failed": [f"{DAILY} {state}"],
                "not_reached": [MOBILE],
                "warnings": [f"{IOS} FAILED"],
                "resume": [DAILY],
            },
        )
        for state in ("FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED")
    ),
    (
        "the second attempt of the job succeeded",
        {},
        WELL | {DAILY: [("FAILED", "why"), "SUCCEEDED"]},
        {"outcome": "SUCCEEDED"},
    ),
    (
        "the second attempt failed too",
        {},
        {IOS: "SUCCEEDED", ANDROID: "SUCCEEDED", DAILY: ["FAILED", "TIMEOUT"]},
        {"outcome": "FAILED", "failed": [f"{DAILY} TIMEOUT"], "not_reached": [MOBILE], "resume": [DAILY]},
    ),
    (
        "the last crawl failed",
        {},
        WELL | {MOBILE: "FAILED"},
        {"outcome": "FAILED", "failed": [f"{MOBILE} FAILED"], "resume": [MOBILE]},
    ),
    (
        "a node was never started although its trigger was due",
        {"off": "etl-dev-mobile-crawler-trigger"},
        {IOS: "SUCCEEDED", ANDROID: "SUCCEEDED", DAILY: "SUCCEEDED"},
        {"outcome": "FAILED", "never_started": [MOBILE]},
    ),
    (
        "nothing was started at all",
        {},
        {},
        {"outcome": "FAILED", "never_started": [IOS], "not_reached": [ANDROID, DAILY, MOBILE]},
    ),
]


@pytest.mark.parametrize(("how", "ends", "expected"), [row[1:] for row in RUNS], ids=[row[0] for row in RUNS])
def test_a_run(how: dict[str, Any], ends: dict[str, Any], expected: dict[str, Any]) -> None:
    workflow = mobile(**how)
    run = workflow.run(ends)
    assert shown(judge(run, [], workflow.may_fail)) == expected
    assert is_over(run) is ("never_started" not in expected)


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "STOPPING", "WAITING"])
def test_a_run_with_a_node_under_way_is_not_over(state: str) -> None:
    assert not is_over(mobile().run({IOS: "SUCCEEDED", ANDROID: "SUCCEEDED", DAILY: state}, status="RUNNING"))


def test_a_resumed_run_is_over_although_the_start_trigger_started_nothing() -> None:
    assert is_over(mobile().run({MOBILE: "SUCCEEDED"}, status="RUNNING", PreviousRunId="wr_0"))


def test_a_stopped_run_blames_no_trigger_and_cannot_be_resumed() -> None:
    run = mobile().run({IOS: "SUCCEEDED", ANDROID: "CANCELLED"}, status="STOPPED")
    assert shown(judge(run, [], mobile().may_fail)) == {
        "outcome": "STOPPED",
        "not_reached": [DAILY, MOBILE],
        "warnings": [f"{ANDROID} CANCELLED"],
    }


def test_a_run_that_glue_refused_says_why() -> None:
    why = "Concurrent runs exceeded for workflow: etl-dev-mobile-users."
    run = mobile().run({}, status="ERROR", ErrorMessage=why)
    assert shown(judge(run, [], ())) == {
        "outcome": "FAILED",
        "not_reached": [IOS, ANDROID, DAILY, MOBILE],
        "reason": why,
    }


def test_a_run_without_a_graph_is_no_success() -> None:
    run = {"WorkflowRunId": "wr_1", "Status": "COMPLETED"}
    assert judge(run, [], ()) == Verdict("FAILED", reason="the run has neither jobs nor crawlers")


FAILED_JOB = mobile().run({IOS: "FAILED", ANDROID: "SUCCEEDED", DAILY: "FAILED"}, run_id="wr_0")


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({DAILY: "SUCCEEDED", MOBILE: "SUCCEEDED"}, {"outcome": "SUCCEEDED", "warnings": [f"{IOS} FAILED"]}),
        (
            {DAILY: "TIMEOUT"},
            {
                "outcome": "FAILED",
                "failed": [f"{DAILY} TIMEOUT"],
                "not_reached": [MOBILE],
                "warnings": [f"{IOS} FAILED"],
                "resume": [DAILY],
            },
        ),
        # Only a crawl was resumed: what failed before is still failed, and resuming this run cannot help.
        (
            {IOS: "SUCCEEDED", ANDROID: "FAILED"},
            {
                "outcome": "FAILED",
                "never_started": [DAILY],
                "not_reached": [MOBILE],
                "warnings": [f"{ANDROID} FAILED"],
            },
        ),
    ],
)
def test_a_resumed_run_is_judged_with_what_ran_before(ends: dict[str, Any], expected: dict[str, Any]) -> None:
    run = mobile().run(ends, run_id="wr_1", PreviousRunId="wr_0")
    assert shown(judge(run, [FAILED_JOB], mobile().may_fail)) == expected


CLEANED = Workflow(
    {"load": "job", "clean": "job", "crawl": "crawl"},
    [
        Trigger("start", ["load"]),
        Trigger("well", ["crawl"], [("load", "SUCCEEDED")]),
        Trigger(
            "badly",
            ["clean"],
            [("load", "FAILED"), ("load", "TIMEOUT"), ("load", "STOPPED")],
            "ANY",
        ),
    ],
)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({"load": "SUCCEEDED", "crawl": "SUCCEEDED"}, {"outcome": "SUCCEEDED"}),
        (
            {"load": "TIMEOUT", "clean": "SUCCEEDED"},
            {"outcome": "FAILED", "failed": ["load TIMEOUT"], "not_reached": ["crawl"], "resume": ["load"]},
        ),
        # Only the first of them: the other comes after it, where it is needed.
        (
            {"load": "FAILED", "clean": "FAILED"},
            {
                "outcome": "FAILED",
                "failed": ["load FAILED", "clean FAILED"],
                "not_reached": ["crawl"],
                "resume": ["load"],
            },
        ),
        (
            {"load": "FAILED"},
            {
                "outcome": "FAILED",
                "failed": ["load FAILED"],
                "never_started": ["clean"],
                "not_reached": ["crawl"],
                "resume": ["load"],
            },
        ),
    ],
)
def test_a_branch_for_failures_is_expected_only_after_one(
    ends: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert shown(judge(CLEANED.run(ends), [], ())) == expected


def test_what_ran_after_an_earlier_failure_does_not_count_once_that_was_resumed() -> None:
    before = CLEANED.run({"load": "FAILED", "clean": "FAILED"}, run_id="wr_0")
    run = CLEANED.run({"load": "SUCCEEDED", "crawl": "SUCCEEDED"}, PreviousRunId="wr_0")
    assert shown(judge(run, [before], ())) == {"outcome": "SUCCEEDED"}


def test_the_runs_of_these_tests_have_the_shape_of_glue() -> None:
    model = boto3.client("glue", region_name="eu-west-1").meta.service_model
    shape = model.operation_model("GetWorkflowRun").output_shape
    for how, ends in ((row[1], row[2]) for row in RUNS):
        report = ParamValidator().validate({"Run": mobile(**how).run(ends)}, shape)
        assert not report.has_errors(), report.generate_report()


# A model that plays workflows: it knows which triggers are broken, and asks no graph.

JOB_ENDS = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR")
CRAWL_ENDS = ("SUCCEEDED", "FAILED", "CANCELLED", "ERROR")


def any_workflow(dice: random.Random) -> Workflow:
    """Each node is started by one trigger, which waits for earlier nodes."""
    count = dice.randint(1, 7)
    nodes = {f"n{number}": dice.choice(("job", "crawl")) for number in range(count)}
    may_fail = {name for name, kind in nodes.items() if kind == "crawl" and dice.random() < 0.5}
    triggers = [Trigger("t0", ["n0"])]
    for number in range(1, count):
        if dice.random() < 0.2:  # another action of the last trigger
            last = triggers[-1]
            triggers[-1] = Trigger(last.name, [*last.starts, f"n{number}"], last.after, last.logical)
            continue
        before = [name for name in list(nodes)[:number] if name not in triggers[-1].starts] or ["n0"]
        watched = dice.sample(before, k=min(len(before), dice.choice((1, 1, 2))))
        if len(watched) > 1:
            after = [(name, "SUCCEEDED") for name in watched]
            logical = dice.choice(("AND", "ANY"))
        else:
            states = (JOB_ENDS if nodes[watched[0]] == "job" else CRAWL_ENDS)[:-1]
            few = dice.choice((("SUCCEEDED",), states, states[1:]))
            after, logical = [(watched[0], state) for state in few], "ANY"
        triggers.append(Trigger(f"t{number}", [f"n{number}"], after, logical))
    return Workflow(nodes, triggers, frozenset(may_fail))


def play(
    workflow: Workflow,
    ends: Mapping[str, str],
    broken: frozenset[str] = frozenset(),
    begin: Sequence[str] | None = None,
    before: Mapping[str, str] | None = None,
) -> tuple[dict[str, str], set[str]]:
    """Lets nodes end one after the other and fires triggers as they do. Returns the ends of the nodes that
    ran, and the triggers that were due and broken. A resumed run begins at nodes, and knows earlier ends."""
    ran: dict[str, str] = {}
    silent: set[str] = set()
    fired: set[str] = set()
    queue = list(workflow.triggers[0].starts if begin is None else begin)
    if begin is None and "t0" in broken:
        return {}, {"t0"}
    while queue:
        name = queue.pop(0)
        ran[name] = ends[name]
        known = {**(before or {}), **ran}
        for trigger in workflow.triggers[1:]:
            if trigger.name in fired or not any(watched == name for watched, _ in trigger.after):
                continue
            met = [known.get(watched) == state for watched, state in trigger.after]
            if any(met) if trigger.logical == "ANY" else all(met):
                fired.add(trigger.name)
                if trigger.name in broken:
                    silent.add(trigger.name)
                else:
                    queue += [started for started in trigger.starts if started not in queue]
    return ran, silent


def any_ends(dice: random.Random, workflow: Workflow) -> dict[str, str]:
    return {
        name: "SUCCEEDED" if dice.random() < 0.6 else dice.choice(JOB_ENDS if kind == "job" else CRAWL_ENDS)
        for name, kind in workflow.nodes.items()
    }


def is_well(workflow: Workflow, ran: Mapping[str, str], silent: set[str]) -> bool:
    all_well, _ = play(workflow, dict.fromkeys(workflow.nodes, "SUCCEEDED"))
    bad = [name for name, state in ran.items() if state != "SUCCEEDED" and name not in workflow.may_fail]
    return not bad and not silent and set(all_well) <= set(ran)


CASES = range(3000)


def test_the_verdict_on_random_workflows_is_that_of_the_model() -> None:
    seen = {True: 0, False: 0}
    for case in CASES:
        dice = random.Random(case)  # noqa: S311 (for cases, not for secrets)
        workflow = any_workflow(dice)
        ends = any_ends(dice, workflow)
        broken = frozenset(trigger.name for trigger in workflow.triggers if dice.random() < 0.1)
        ran, silent = play(workflow, ends, broken)
        verdict = judge(workflow.run(ran), [], workflow.may_fail)
        well = is_well(workflow, ran, silent)
        assert (verdict.outcome == "SUCCEEDED") is well, (case, workflow, ran, silent)
        unstarted = {
            name for trigger in workflow.triggers if trigger.name in silent for name in trigger.starts
        }
        assert set(names(verdict.never_started)) == unstarted - set(ran), case
        assert set(names(verdict.warnings)) <= workflow.may_fail, case
        seen[well] += 1
    assert min(seen.values()) > 300, seen


def test_resuming_random_workflows_helps_where_the_verdict_says_so_and_only_there() -> None:
    """Everything is repaired, the run is resumed as the command says, and judged with the run before."""
    seen = {"resumed": 0, "cannot": 0}
    for case in CASES:
        dice = random.Random(case)  # noqa: S311 (for cases, not for secrets)
        workflow = any_workflow(dice)
        broken = frozenset(trigger.name for trigger in workflow.triggers if dice.random() < 0.1)
        ran, _ = play(workflow, any_ends(dice, workflow), broken)
        first = workflow.run(ran, run_id="wr_0")
        verdict = judge(first, [], workflow.may_fail)
        all_well = dict.fromkeys(workflow.nodes, "SUCCEEDED")
        if verdict.outcome == "SUCCEEDED":
            assert verdict.resume == (), case
            continue
        if verdict.resume:
            again, _ = play(
                workflow, all_well, begin=[node.removeprefix("wnode_") for node in verdict.resume], before=ran
            )
            resumed = judge(workflow.run(again, PreviousRunId="wr_0"), [first], workflow.may_fail)
            assert resumed.outcome == "SUCCEEDED", (case, workflow, ran, again, shown(resumed))
            seen["resumed"] += 1
        else:
            failed = [name for name in names(verdict.failed) if name in ran]
            again, _ = play(workflow, all_well, begin=failed, before=ran)
            resumed = judge(workflow.run(again, PreviousRunId="wr_0"), [first], workflow.may_fail)
            assert not failed or resumed.outcome != "SUCCEEDED", (case, workflow, ran, again)
            seen["cannot"] += 1
    assert min(seen.values()) > 100, seen
