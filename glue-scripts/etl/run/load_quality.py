"""Loads the quality rules of a plan, which synth has judged and compiled."""

from collections.abc import Mapping
from typing import Any

from etl.run.quality import MILLION, Quality, Rule

Node = Mapping[str, Any]


def quality_of(node: Node) -> Quality:
    return Quality(node["threshold"], tuple(map(_rule, node["rules"])), tuple(node["reasons"]))


def _rule(node: Node) -> Rule:
    counts_rows = node["type"] == "rowCount"
    return Rule(
        name=node["name"],
        type=node["type"],
        action=node["action"],
        weight=node["weight"],
        columns=tuple(node.get("columns", ())),
        values=tuple(node.get("values", ())),
        reason=node.get("reason", ""),
        expression=node.get("expression", ""),
        at_least=_bound(node.get("atLeast", 0), counts_rows),
        at_most=None if node.get("atMost") is None else _bound(node["atMost"], counts_rows),
        at_most_hours=node.get("atMostHours", 0),
    )


def _bound(value: Any, counts_rows: bool) -> int:
    """Rows, or a share in millionths."""
    return int(value if counts_rows else value * MILLION)
