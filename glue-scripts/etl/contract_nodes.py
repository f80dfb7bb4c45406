"""Reading a contract's nodes without raising: a mistake is kept, and a harmless value goes on."""

import json
from collections.abc import Mapping
from typing import Any

NOTES = ("title", "description", "$comment", "examples")


class NodeReader:
    """Collects mistakes instead of raising, so that one look at the message mends them all. After a mistake
    it goes on with a harmless value; what is then made of it is thrown away."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def _refuse_others(self, node: Mapping[str, Any], what: str, known: tuple[str, ...]) -> None:
        others = [keyword for keyword in node if keyword not in known and keyword not in NOTES]
        if others:
            self.mistakes.append(f"{what} says {', '.join(others)}, which the job would not check")

    def _object(self, value: object, what: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.mistakes.append(f"{what} must be an object, got {shown(value)}")
        return {}

    def _list(self, value: object, where: str) -> list[Any]:
        if isinstance(value, list) and value:
            return value
        self.mistakes.append(f"'{where}' must be a list with at least one entry, got {shown(value)}")
        return []

    def _text(self, node: Mapping[str, Any], key: str, where: str) -> str:
        value = node.get(key)
        if isinstance(value, str) and value:
            return value
        self.mistakes.append(f"'{where}.{key}' must be a text, got {shown(value)}")
        return ""

    def _texts(self, value: object, where: str) -> tuple[str, ...]:
        texts = self._list(value, where)
        if all(isinstance(text, str) and text for text in texts):
            return tuple(texts)
        self.mistakes.append(f"'{where}' must hold texts, got {shown(value)}")
        return ()

    def _some_texts(self, node: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        """The texts of a key that may be left out."""
        return self._texts(node[key], f"{where}.{key}") if key in node else ()

    def _one_of(self, value: object, known: tuple[str, ...], where: str) -> str:
        if isinstance(value, str) and value in known:
            return value
        self.mistakes.append(f"'{where}' must be one of {', '.join(known)}, got {shown(value)}")
        return known[0]


def shown(value: object) -> str:
    """The value as JSON, cut where it is long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
