"""Branches and items of a laundry's state machines: at once, in order, stopped together, redriven alone."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Bench, wait_for
from executions import chain, execute, history, kinds, machine, start, wait_until_ended
from test_redrive import counted, furnish, put, redrive, ticket, times

States = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def laundry(bench: Bench) -> Iterator[Bench]:
    furnish(bench)
    yield bench


def flow(**states: dict[str, Any]) -> dict[str, Any]:
    """A branch, or an item's processor, of states in this order."""
    return {"StartAt": next(iter(states)), "States": chain(**states)}


def parallel(*branches: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": list(branches), **more}


def each(processor: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": processor, **more}


def fail(error: str) -> dict[str, Any]:
    return {"Type": "Fail", "Error": error, "Cause": f"{error} happened"}


def washed(bench: Bench, name: str) -> int:
    """How often this name was counted, which may be never."""
    try:
        return times(bench, name)
    except KeyError:
        return 0


def test_branches_see_the_same_input_and_answer_in_order(laundry: Bench) -> None:
    slow = flow(
        Wait={"Type": "Wait", "Seconds": 1}, Say={"Type": "Pass", "Result": "slow", "ResultPath": "$.said"}
    )
    quick = flow(Say2={"Type": "Pass", "Parameters": {"who.$": "$.who", "state.$": "$$.State.Name"}})
    states = chain(
        Both=parallel(slow, quick, ResultSelector={"a.$": "$[0]", "b.$": "$[1]"}, ResultPath="$.both")
    )
    done = execute(laundry, machine(laundry, "wash-both", states, "washer"), {"who": "me"})
    both = {"a": {"who": "me", "said": "slow"}, "b": {"who": "me", "state": "Say2"}}
    assert json.loads(done["output"]) == {"who": "me", "both": both}
    events = history(laundry, done["executionArn"])
    by_id = {event["id"]: event for event in events}
    # Each event follows one of its own branch.
    for event in events:
        details = event.get("stateExitedEventDetails")
        if details and event["type"] in ("PassStateExited", "WaitStateExited"):
            before = by_id[event["previousEventId"]]
            assert before["stateEnteredEventDetails"]["name"] == details["name"]
    seen = kinds(laundry, done["executionArn"])
    assert seen[1:3] == ["ParallelStateEntered", "ParallelStateStarted"]
    assert seen[-3:] == ["ParallelStateSucceeded", "ParallelStateExited", "ExecutionSucceeded"]
    assert seen.count("PassStateEntered") == 2


def test_a_redrive_runs_only_the_branch_that_failed(laundry: Bench) -> None:
    states = chain(
        Before=counted("two-before"),
        Both=parallel(
            flow(Left=counted("two-left")),
            flow(Right=counted("two-right"), Read=ticket("two"), Tell={"Type": "Pass"}),
            ResultPath="$.both",
        ),
        After=counted("two-after"),
    )
    run = execute(laundry, machine(laundry, "wash-two", states, "washer"))
    assert (run["status"], run["error"]) == ("FAILED", "S3.NoSuchKeyException")
    again = redrive(laundry, run["executionArn"])
    assert (again["status"], again["redriveCount"]) == ("FAILED", 1)
    put(laundry, "two")
    done = redrive(laundry, run["executionArn"])
    assert done["status"] == "SUCCEEDED"
    assert json.loads(done["output"])["both"][1]["ticket"] == {"text": "two shirts"}
    names = ("two-before", "two-left", "two-right", "two-after")
    assert [times(laundry, name) for name in names] == [1, 1, 1, 1]


def test_a_redrive_runs_only_the_items_that_did_not_succeed(laundry: Bench) -> None:
    item = flow(
        Choose={
            "Type": "Choice",
            "Choices": [{"Variable": "$.shirt", "StringEquals": "torn", "Next": "Read"}],
            "Default": "Count",
        },
        Count=counted("items") | {"Next": "Done"},
        Read=ticket("items"),
        Done={"Type": "Pass"},
    )
    states = chain(
        All=each(
            item,
            ItemsPath="$.shirts",
            MaxConcurrency=1,
            ItemSelector={"shirt.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index"},
            ResultPath="$.done",
        )
    )
    shirts = ["red", "blue", "torn", "green"]
    run = execute(laundry, machine(laundry, "wash-items", states, "washer"), {"shirts": shirts})
    arn = run["executionArn"]
    assert (run["status"], run["error"]) == ("FAILED", "S3.NoSuchKeyException")
    assert times(laundry, "items") == 2, "items behind the failed one are not started"
    seen = kinds(laundry, arn)
    assert seen.count("MapIterationStarted") == 3
    assert seen.count("MapIterationSucceeded") == 2
    assert seen[-3:] == ["MapIterationFailed", "MapStateFailed", "ExecutionFailed"]
    put(laundry, "items")
    done = redrive(laundry, arn)
    assert [one["index"] for one in json.loads(done["output"])["done"]] == [0, 1, 2, 3]
    assert times(laundry, "items") == 3
    started = [event for event in history(laundry, arn) if event["type"] == "MapIterationStarted"]
    assert [event["mapIterationStartedEventDetails"]["index"] for event in started] == [0, 1, 2, 3]


def test_a_failing_branch_stops_the_others_and_what_they_started(laundry: Bench) -> None:
    long = machine(laundry, "wash-child-long", chain(Wait={"Type": "Wait", "Seconds": 600}), "washer")
    nested = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": long, "Name": "of-a-branch"},
    }
    pause = {"Type": "Wait", "Seconds": 2}
    states = chain(Both=parallel(flow(Nested=nested), flow(Pause=pause, Stop=fail("Torn"))))
    run = execute(laundry, machine(laundry, "wash-stops", states, "washer"))
    assert (run["status"], run["error"], run["cause"]) == ("FAILED", "Torn", "Torn happened")
    child = long.replace(":stateMachine:", ":execution:") + ":of-a-branch"
    described = laundry.client("stepfunctions").describe_execution(executionArn=child)
    assert described["status"] == "ABORTED"


def test_a_stopped_execution_stops_its_branches_and_can_be_redriven(laundry: Bench) -> None:
    wait = flow(Wait={"Type": "Wait", "Seconds": 600})
    states = chain(
        Both=parallel(
            flow(Left=counted("stopped")), wait, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
        ),
        Caught=counted("stopped-caught"),
    )
    arn = machine(laundry, "wash-stopped", states, "washer")
    run = start(laundry, arn)
    wait_for(lambda: washed(laundry, "stopped") == 1 and "WaitStateEntered" in kinds(laundry, run))
    client = laundry.client("stepfunctions")
    client.stop_execution(executionArn=run)
    assert wait_until_ended(laundry, run)["status"] == "ABORTED"
    client.redrive_execution(executionArn=run)
    wait_for(lambda: "ExecutionRedriven" in kinds(laundry, run))
    client.stop_execution(executionArn=run)
    assert wait_until_ended(laundry, run)["status"] == "ABORTED"
    assert (washed(laundry, "stopped"), washed(laundry, "stopped-caught")) == (1, 0)


def test_a_catch_and_a_retry_of_the_whole_state(laundry: Bench) -> None:
    broken = parallel(
        flow(Left=counted("retried")),
        flow(Pause={"Type": "Wait", "Seconds": 2}, Stop=fail("Torn")),
        Retry=[{"ErrorEquals": ["Torn"], "MaxAttempts": 1, "IntervalSeconds": 1}],
        Catch=[{"ErrorEquals": ["Torn"], "ResultPath": "$.error", "Next": "Caught"}],
    )
    states = chain(Both=broken, Caught={"Type": "Pass"})
    done = execute(laundry, machine(laundry, "wash-retried", states, "washer"), {"who": "me"})
    assert json.loads(done["output"]) == {
        "who": "me",
        "error": {"Error": "Torn", "Cause": "Torn happened"},
    }
    assert times(laundry, "retried") == 2, "a retry runs every branch again"


@pytest.mark.parametrize(
    ("state", "data", "error", "cause"),
    [
        (each(flow(A={"Type": "Pass"}), ItemsPath="$.x"), {"x": 5}, "States.Runtime", "must point to array"),
        (each(flow(A={"Type": "Pass"}), ItemsPath="$.x"), {}, "States.Runtime", "could not be found"),
        (
            each(flow(A={"Type": "Pass"}), ItemSelector={"a.$": "$.no"}, ItemsPath="$.x"),
            {"x": [1]},
            "States.Runtime",
            "could not be found",
        ),
        (
            parallel(flow(A={"Type": "Pass"}), ResultSelector={"a.$": "$[7]"}),
            {},
            "States.Runtime",
            "could not be found",
        ),
        (
            parallel(*[flow(**{f"A{n}": {"Type": "Pass"}}) for n in range(6)]),
            {"x": "x" * 50_000},
            "States.DataLimitExceeded",
            "size exceeding",
        ),
    ],
    ids=["no-list", "no-items", "no-item-input", "no-result", "too-much"],
)
def test_what_cannot_be_read_or_held_fails_the_execution(
    laundry: Bench, state: dict[str, Any], data: Any, error: str, cause: str, request: pytest.FixtureRequest
) -> None:
    name = re.sub(r"\W", "-", f"wash-{request.node.callspec.id}")
    done = execute(laundry, machine(laundry, name, chain(S=state), "washer"), data)
    assert (done["status"], done["error"]) == ("FAILED", error)
    assert cause in done["cause"]


def test_no_items_and_what_is_only_in_some_items(laundry: Bench) -> None:
    item = flow(
        Choose={
            "Type": "Choice",
            "Choices": [{"Variable": "$", "NumericGreaterThan": 1, "Next": "Bad"}],
            "Default": "Good",
        },
        Good={"Type": "Pass", "Result": {"ok": True}, "Next": "Done"},
        Bad={"Type": "Pass", "Parameters": {"failure.$": "$"}},
        Done={"Type": "Pass"},
    )
    selector = {"items.$": "$", "failed.$": "States.ArrayLength($[*].failure)", "which.$": "$[*].failure"}
    states = chain(All=each(item, ItemsPath="$.x", ResultSelector=selector))
    arn = machine(laundry, "wash-some", states, "washer")
    output = json.loads(execute(laundry, arn, {"x": [1, 2, 3]})["output"])
    assert (output["failed"], output["which"]) == (2, [2, 3])
    assert json.loads(execute(laundry, arn, {"x": []})["output"]) == {"items": [], "failed": 0, "which": []}


class Model:
    """A random machine of counters, tickets that may be missing, and Parallel states in each other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test's own choice
        self.seed = seed
        self.names = ["Last"]
        self.counters: list[str] = []
        self.tickets: list[str] = []

    def states(self, depth: int = 0) -> States:
        made: States = {}
        for _ in range(self._random.randint(1, 3)):
            name = f"S{len(self.names)}"
            self.names.append(name)
            kind = self._random.choice(["count", "ticket", "parallel"] if depth < 2 else ["count", "ticket"])
            if kind == "parallel":
                branches = [flow(**self.states(depth + 1)) for _ in range(self._random.randint(1, 3))]
                made[name] = parallel(*branches, ResultPath=None)
            elif kind == "count":
                self.counters.append(f"model-{self.seed}-{name}")
                made[name] = counted(self.counters[-1]) | {"ResultPath": None}
            else:
                self.tickets.append(f"model-{self.seed}-{name}")
                made[name] = ticket(self.tickets[-1]) | {"ResultPath": None}
        return made


@pytest.mark.parametrize("seed", range(4))
def test_however_often_it_is_redriven_nothing_that_succeeded_runs_again(laundry: Bench, seed: int) -> None:
    model = Model(seed)
    states = chain(**model.states(), Last={"Type": "Pass"})
    run = execute(laundry, machine(laundry, f"wash-model-{seed}", states, "washer"))
    missing = list(model.tickets)
    random.Random(seed).shuffle(missing)  # noqa: S311 - a test's own choice
    while missing:
        assert (run["status"], run["error"]) == ("FAILED", "S3.NoSuchKeyException"), missing
        put(laundry, missing.pop())
        run = redrive(laundry, run["executionArn"])
    assert run["status"] == "SUCCEEDED"
    # A Task that was stopped with its branch may have been at work, so it runs again.
    exits = [event.get("stateExitedEventDetails") for event in history(laundry, run["executionArn"])]
    left = sorted(details["name"] for details in exits if details)
    assert left == sorted(model.names), "every state is left once"
    assert all(washed(laundry, name) >= 1 for name in model.counters)
