"""The graph of a workflow: its triggers, the jobs and crawlers that they watch and start, and their order.

A job or a crawler is one node, however many triggers name it.
https://docs.aws.amazon.com/glue/latest/dg/workflows_api_concepts.html
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Trigger = Mapping[str, Any]


class Node(NamedTuple):
    """A trigger, a job or a crawler: `TRIGGER`, `JOB` or `CRAWLER`, and its name."""

    type: str
    name: str


def watched(trigger: Trigger) -> list[Node]:
    """The jobs and crawlers whose ends the trigger watches."""
    return _each_once(_named(one) for one in (trigger.get("Predicate") or {}).get("Conditions") or [])


def started(trigger: Trigger) -> list[Node]:
    """The jobs and crawlers that the trigger starts."""
    return _each_once(_named(one) for one in trigger.get("Actions") or [])


def _named(one: Mapping[str, Any]) -> Node:
    """The job or the crawler of a condition or an action."""
    return (
        Node("JOB", str(one["JobName"])) if one.get("JobName") else Node("CRAWLER", str(one["CrawlerName"]))
    )


def _each_once(nodes: Iterable[Node]) -> list[Node]:
    return list(dict.fromkeys(nodes))


def nodes(triggers: Iterable[Trigger]) -> list[Node]:
    """All nodes, each once: every trigger followed by what it watches and starts."""

    def every() -> Iterator[Node]:
        for trigger in triggers:
            yield Node("TRIGGER", str(trigger["Name"]))
            yield from watched(trigger)
            yield from started(trigger)

    return _each_once(every())


def actions(triggers: Iterable[Trigger]) -> list[Node]:
    """The jobs and crawlers that any of the triggers starts, each once."""
    return _each_once(node for trigger in triggers for node in started(trigger))


def edges(triggers: Iterable[Trigger]) -> list[tuple[Node, Node]]:
    """The arrows from a watched node to its trigger and from a trigger to what it starts, each once."""
    found: dict[tuple[Node, Node], None] = {}
    for trigger in triggers:
        own = Node("TRIGGER", str(trigger["Name"]))
        found.update(dict.fromkeys((node, own) for node in watched(trigger)))
        found.update(dict.fromkeys((own, node) for node in started(trigger)))
    return list(found)


def downstream(triggers: Iterable[Trigger], starts: Iterable[Node]) -> set[Node]:
    """The nodes that an arrow's way leads to from any of ``starts``. A start is one of them only on a way."""
    arrows = edges(triggers)
    reached: set[Node] = set()
    todo = list(starts)
    while todo:
        node = todo.pop()
        for source, target in arrows:
            if source == node and target not in reached:
                reached.add(target)
                todo.append(target)
    return reached


def unique_id(workflow: str, node: Node) -> str:
    """The node's id, the same in the workflow and in all of its runs."""
    text = "\0".join((workflow, *node))
    return f"wnode_{hashlib.sha256(text.encode()).hexdigest()}"


def drawn(workflow: str, triggers: list[dict[str, Any]], details: Mapping[Node, Any]) -> dict[str, Any]:
    """The graph as Glue answers it. ``details`` has the job runs or crawls of the attempted nodes."""
    by_name = {str(trigger["Name"]): trigger for trigger in triggers}
    made = []
    for node in nodes(triggers):
        one: dict[str, Any] = {"Type": node.type, "Name": node.name, "UniqueId": unique_id(workflow, node)}
        if node.type == "TRIGGER":
            one["TriggerDetails"] = {"Trigger": by_name[node.name]}
        elif node.type == "JOB":
            one["JobDetails"] = {"JobRuns": details[node]} if node in details else {}
        else:
            one["CrawlerDetails"] = {"Crawls": details[node]} if node in details else {}
        made.append(one)
    arrows = [
        {"SourceId": unique_id(workflow, source), "DestinationId": unique_id(workflow, target)}
        for source, target in edges(triggers)
    ]
    return {"Nodes": made, "Edges": arrows}
