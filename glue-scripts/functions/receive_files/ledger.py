"""The ledger of arriving files in DynamoDB: one item a file, and what the function notes for itself.

Items of files have the delivery as `delivery` (`events/2026-01-31`) and the key as `item`. Others have a
`delivery` that no pipeline's name gives: `#open` has the deliveries that have something to do, `#run` the
run of each pipeline that was started, `#wake` when the function is woken, `#sweep` when the folders of a
pipeline were last listed."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deliveries import DONE, GONE, File

OPEN, RUN, WAKE, SWEEP, STRANGERS = "#open", "#run", "#wake", "#sweep", "#strangers"
_WRITERS = 16

Item = Mapping[str, Any]


class Ledger:
    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    # -- files --

    def files(self, delivery: str) -> dict[str, File]:
        """The files of a delivery by key, as they are now."""
        return {file.key: file for file in map(_file_of, self._query(delivery))}

    def record(self, delivery: str, files: list[File], reason: str = "") -> int:
        """Writes files that are new, or have new content. Returns how many; others may have written some."""
        return sum(self._each(lambda file: self._put(delivery, file, reason), files))

    def end(self, delivery: str, files: list[File], state: str, *, run: str = "", reason: str = "") -> None:
        """Moves waiting files to a state, unless they have other content by now."""
        self._each(lambda file: self._end(delivery, file, state, run, reason), files)

    def _put(self, delivery: str, file: File, reason: str) -> bool:
        item = {
            "delivery": _text(delivery),
            "item": _text(file.key),
            "state": _text(file.state),
            "version": _text(file.version),
            "bytes": _number(file.size),
            "arrived": _number(file.arrived),
            "recorded": _number(file.recorded),
            **({"run": _text(file.run)} if file.run else {}),
            **({"reason": _text(reason)} if reason else {}),
        }
        return self._unless_refused(
            "put_item",
            Item=item,
            ConditionExpression="attribute_not_exists(#item) OR #version <> :version OR #state = :gone",
            ExpressionAttributeNames={"#item": "item", "#version": "version", "#state": "state"},
            ExpressionAttributeValues={":version": _text(file.version), ":gone": _text(GONE)},
        )

    def _end(self, delivery: str, file: File, state: str, run: str, reason: str) -> bool:
        more = {"run": run, "reason": reason}
        changes = {name: _text(value) for name, value in {"state": state, **more}.items() if value}
        return self._unless_refused(
            "update_item",
            Key=_key(delivery, file.key),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            ConditionExpression="#version = :version AND #state <> :done",
            ExpressionAttributeNames={f"#{name}": name for name in {*changes, "state", "version"}},
            ExpressionAttributeValues={
                ":version": _text(file.version),
                ":done": _text(DONE),
                **{f":{name}": value for name, value in changes.items()},
            },
        )

    # -- what the function notes --

    def notes(self, kind: str, prefix: str = "") -> dict[str, dict[str, str]]:
        """All notes of a kind by name."""
        return {_plain(item)["item"]: _plain(item) for item in self._query(kind, prefix)}

    def note(self, kind: str, name: str) -> dict[str, str] | None:
        found = self._client.get_item(TableName=self._table, Key=_key(kind, name), ConsistentRead=True)
        return _plain(found["Item"]) if "Item" in found else None

    def put_note(
        self, kind: str, name: str, fields: Mapping[str, str], only_if: tuple[str, str] | None = None
    ) -> bool:
        """Writes a note. With `only_if` only where none exists, or its field has that value; False if not."""
        item = {**_key(kind, name), **{field: _text(value) for field, value in fields.items()}}
        asked: dict[str, Any] = {"Item": item}
        if only_if is not None:
            field, value = only_if
            asked |= {
                "ConditionExpression": "attribute_not_exists(#item) OR #field = :value",
                "ExpressionAttributeNames": {"#item": "item", "#field": field},
                "ExpressionAttributeValues": {":value": _text(value)},
            }
        return self._unless_refused("put_item", **asked)

    def remove_note(self, kind: str, name: str, field: str, value: str) -> bool:
        """Removes a note whose field still has that value."""
        return self._unless_refused(
            "delete_item",
            Key=_key(kind, name),
            ConditionExpression="#field = :value",
            ExpressionAttributeNames={"#field": field},
            ExpressionAttributeValues={":value": _text(value)},
        )

    # -- calls --

    def _query(self, delivery: str, prefix: str = "") -> Iterator[Item]:
        condition, values = "#delivery = :delivery", {":delivery": _text(delivery)}
        names = {"#delivery": "delivery"}
        if prefix:
            condition += " AND begins_with(#item, :prefix)"
            values[":prefix"], names["#item"] = _text(prefix), "item"
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
        for page in pages:
            yield from page["Items"]

    def _each(self, work: Callable[[File], bool], files: list[File]) -> list[bool]:
        if len(files) < 2:
            return [work(file) for file in files]
        with ThreadPoolExecutor(min(_WRITERS, len(files))) as pool:
            return list(pool.map(work, files))

    def _unless_refused(self, operation: str, **asked: Any) -> bool:
        try:
            getattr(self._client, operation)(TableName=self._table, **asked)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _file_of(item: Item) -> File:
    of = _plain(item)
    return File(
        key=of["item"],
        state=of["state"],
        version=of["version"],
        arrived=float(of["arrived"]),
        recorded=float(of["recorded"]),
        size=int(of["bytes"]),
        run=of.get("run", ""),
    )


def _key(delivery: str, name: str) -> dict[str, Any]:
    return {"delivery": _text(delivery), "item": _text(name)}


def _text(value: str) -> dict[str, str]:
    return {"S": value}


def _number(value: float) -> dict[str, str]:
    return {"N": str(value if isinstance(value, int) else round(value, 3))}


def _plain(item: Item) -> dict[str, str]:
    return {name: str(next(iter(value.values()))) for name, value in item.items()}
