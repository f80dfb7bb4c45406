"""Reading a contract's nodes without raising: a mistake is kept, and a harmless value goes on.

At synth `contracts/node-reader.ts` reads the same way, and says the same words."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

NOTES = ("title", "description", "$comment", "examples")  # may be said anywhere: they are for readers

Mistake = tuple[str, str]  # a field and what is wrong with it, in words that follow its name

_NOTHING = object()


class Node:
    """An object of the file and where it stands, e.g. `x-etl.reasons[1]`; "" is the file itself."""

    def __init__(self, node: Mapping[str, Any], place: str, mistakes: list[Mistake]) -> None:
        self.node = node
        self.place = place
        self.mistakes = mistakes

    def __contains__(self, key: str) -> bool:
        return key in self.node

    def value(self, key: str) -> Any:
        return self.node.get(key, _NOTHING)

    def child(self, key: str) -> "Node | None":
        """The object below; none after the mistake that there is no object."""
        return self.child_of(key, self.value(key))

    def child_of(self, key: str, found: object) -> "Node | None":
        if isinstance(found, dict):
            return Node(found, self.at(key), self.mistakes)
        self.wrong(key, f"must be an object, {got(found)}")
        return None

    def children(self, key: str, what: str) -> list["Node | None"]:
        """The same of each entry of a list."""
        return [self.child_of(f"{key}[{at}]", one) for at, one in enumerate(self.list(key, what))]

    def objects(self) -> list[tuple[str, "Node"]]:
        """The same of each key that holds an object, by its name."""
        found = ((name, self.child(name)) for name in self.node)
        return [(name, node) for name, node in found if node is not None]

    def list(self, key: str, what: str) -> Sequence[Any]:
        value = self.value(key)
        if isinstance(value, list) and value:
            return value
        self.wrong(key, f"must be a list of at least one {what}, {got(value)}")
        return []

    def whole(self, key: str, low: int, high: int) -> int:
        value = self.value(key)
        if is_whole(value, low, high):
            return int(value)
        self.wrong(key, f"must be a whole number from {low} to {high}, {got(value)}")
        return low

    def text(self, key: str) -> str:
        value = self.value(key)
        if is_text(value) and value:
            return str(value)
        self.wrong(key, f"must be a text, {got(value)}")
        return ""

    def names(self, key: str) -> tuple[str, ...]:
        """A list of texts of which none is empty."""
        values = self.list(key, "text")
        others = [value for value in values if not (is_text(value) and value)]
        if others:
            self.wrong(key, f"must hold texts only, {got(others[0])}")
        texts = [value for value in values if is_text(value) and value]
        twice = next((text for at, text in enumerate(texts) if text in texts[:at]), None)
        if twice is not None:
            self.wrong(key, f"must not repeat {as_json(twice)}")
        return tuple(texts)

    def one_of(self, key: str, known: Sequence[str]) -> str | None:
        value = self.value(key)
        if isinstance(value, str) and value in known:
            return value
        self.wrong(key, f"must be one of {', '.join(known)}, {got(value)}")
        return None

    def refuse_others(self, what: str, known: Collection[str]) -> None:
        for key in self.node:
            if key not in known and key not in NOTES:
                self.wrong(key, f"is unknown: {what} may hold {', '.join(known)}")

    def wrong(self, key: str, message: str) -> None:
        self.mistakes.append((self.at(key), message))

    def at(self, key: str) -> str:
        return ".".join(part for part in (self.place, key) if part)


def is_text(value: object) -> bool:
    """Half of a surrogate pair is no character, and no service would take it."""
    return isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value)


def is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def got(value: object) -> str:
    """The wrong value for a message, cut if it is long."""
    text = "nothing" if value is _NOTHING else as_json(value)
    return f"got {text if len(text) <= 60 else text[:57] + '...'}"


def as_json(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
