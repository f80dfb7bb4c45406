"""The graph of a workflow, its conditions and its counts, in tables."""

from typing import Any

import pytest
from brewery import after, condition, on_demand

from embedded_aws.glue.workflows import conditions, graph
from embedded_aws.glue.workflows.graph import Node

# The second example of Glue's page on dynamic views, with a crawler as its end.
# https://docs.aws.amazon.com/glue/latest/dg/workflows_api_concepts.html
T1 = on_demand("t1", {"JobName": "j1"})
T2 = after("t2", [("j1", "SUCCEEDED")], {"JobName": "j2"})
T3 = after("t3", [("j1", "SUCCEEDED"), ("j2", "SUCCEEDED")], {"CrawlerName": "c3"})
EXAMPLE = [T1, T2, T3]


def brief(node: Node) -> str:
    return node.name


def test_each_node_and_edge_is_there_once() -> None:
    assert [brief(node) for node in graph.nodes(EXAMPLE)] == ["t1", "j1", "t2", "j2", "t3", "c3"]
    arrows = [(brief(source), brief(target)) for source, target in graph.edges(EXAMPLE)]
    assert arrows == [("t1", "j1"), ("j1", "t2"), ("t2", "j2"), ("j1", "t3"), ("j2", "t3"), ("t3", "c3")]
    assert [brief(node) for node in graph.actions(EXAMPLE)] == ["j1", "j2", "c3"]


def test_a_job_and_a_crawler_of_one_name_are_two_nodes_with_their_own_ids() -> None:
    triggers = [on_demand("start", {"JobName": "ale"}, {"CrawlerName": "ale"})]
    ids = {graph.unique_id("w", node) for node in graph.nodes(triggers)}
    assert len(ids) == 3
    assert graph.unique_id("w", Node("JOB", "ale")) in ids
    assert graph.unique_id("v", Node("JOB", "ale")) not in ids


@pytest.mark.parametrize(
    ("starts", "reached"),
    [
        (["j1"], {"t2", "j2", "t3", "c3"}),
        (["j2"], {"t3", "c3"}),
        (["c3"], set()),
        (["j1", "j2"], {"t2", "j2", "t3", "c3"}),
        ([], set()),
    ],
)
def test_downstream(starts: list[str], reached: set[str]) -> None:
    nodes = [node for node in graph.nodes(EXAMPLE) if node.name in starts]
    assert {node.name for node in graph.downstream(EXAMPLE, nodes)} == reached


def test_a_circle_leads_back_to_its_start_and_ends() -> None:
    circle = [
        after("t1", [("a", "FAILED")], {"JobName": "b"}),
        after("t2", [("b", "FAILED")], {"JobName": "a"}),
    ]
    assert {node.name for node in graph.downstream(circle, [Node("JOB", "a")])} == {"t1", "b", "t2", "a"}


J1, J2, C3 = Node("JOB", "j1"), Node("JOB", "j2"), Node("CRAWLER", "c3")


@pytest.mark.parametrize(
    ("logical", "watched", "ends", "fires"),
    [
        ("AND", [("j1", "SUCCEEDED")], {J1: "SUCCEEDED"}, True),
        ("AND", [("j1", "SUCCEEDED")], {J1: "FAILED"}, False),
        ("AND", [("j1", "SUCCEEDED")], {}, False),
        ("AND", [("j1", "SUCCEEDED"), ("j2", "FAILED")], {J1: "SUCCEEDED"}, False),
        ("AND", [("j1", "SUCCEEDED"), ("j2", "FAILED")], {J1: "SUCCEEDED", J2: "FAILED"}, True),
        ("AND", [("j1", "SUCCEEDED"), ("j1", "FAILED")], {J1: "FAILED"}, False),
        ("ANY", [("j1", "SUCCEEDED"), ("j1", "FAILED")], {J1: "FAILED"}, True),
        ("ANY", [("j1", "SUCCEEDED"), ("crawler:c3", "CANCELLED")], {C3: "CANCELLED"}, True),
        ("ANY", [("j1", "SUCCEEDED"), ("crawler:c3", "CANCELLED")], {C3: "SUCCEEDED"}, False),
        ("ANY", [("j1", "SUCCEEDED")], {J1: "ERROR"}, False),
    ],
)
def test_when_a_predicate_holds(
    logical: str, watched: list[tuple[str, str]], ends: dict[Node, str], fires: bool
) -> None:
    predicate = {"Logical": logical, "Conditions": [condition(*one) for one in watched]}
    assert conditions.holds(predicate, ends) is fires


def test_one_condition_needs_no_logical_operator() -> None:
    assert conditions.holds({"Conditions": [condition("j1", "TIMEOUT")]}, {J1: "TIMEOUT"})
    assert not conditions.holds({"Conditions": []}, {J1: "TIMEOUT"})


def test_statistics_count_every_state() -> None:
    states = ["SUCCEEDED", "SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "CANCELLED", "ERROR"]
    counted = conditions.statistics(20, [*states, "STARTING", "RUNNING", "STOPPING", "CANCELLING", "WAITING"])
    assert counted == {
        "TotalActions": 20,
        "SucceededActions": 2,
        "FailedActions": 1,
        "TimeoutActions": 1,
        "StoppedActions": 2,
        "ErroredActions": 1,
        "RunningActions": 4,
        "WaitingActions": 1,
    }


def test_a_drawn_graph_has_the_details_of_attempted_nodes_only() -> None:
    triggers: list[dict[str, Any]] = EXAMPLE
    drawn = graph.drawn("w", triggers, {J1: [{"Id": "jr_1"}], C3: [{"State": "RUNNING"}]})
    details = {one["Name"]: {k: v for k, v in one.items() if k.endswith("Details")} for one in drawn["Nodes"]}
    assert details == {
        "t1": {"TriggerDetails": {"Trigger": T1}},
        "t2": {"TriggerDetails": {"Trigger": T2}},
        "t3": {"TriggerDetails": {"Trigger": T3}},
        "j1": {"JobDetails": {"JobRuns": [{"Id": "jr_1"}]}},
        "j2": {"JobDetails": {}},
        "c3": {"CrawlerDetails": {"Crawls": [{"State": "RUNNING"}]}},
    }
