"""The lock of a pipeline. The job checks that it holds the lock before it writes. In a Glue workflow, which
has no step for it, the job also acquires the lock before it reads and releases it at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from etl.clients import client, error_code
from etl.errors import LockLost, StorageError
from etl.run.log import log
from etl.run.owners import is_at_work

_MINE = "attribute_not_exists(#owner) OR #owner = :me"


def take_lock(table: str, pipeline: str, owner: str) -> None:
    """Takes the pipeline's lock for `owner` (the ARN of a run), or finds that it already holds it. Raises
    LockLost when another run holds it, StorageError when the table cannot be queried.

    The state machine uses the same condition, so the call can be repeated.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
    """
    other = _put(table, pipeline, owner, _MINE)
    if other is not None:
        raise _lost(pipeline, owner, other)


@contextmanager
def hold_lock(table: str, pipeline: str, owner: str) -> Iterator[None]:
    """Holds the lock until the end, also of a failure: nothing is written after it. The lock of an owner that
    has ended is taken over, on the condition that it has not changed since. Raises as `take_lock`."""
    other = _put(table, pipeline, owner, _MINE)
    if other is not None:
        if is_at_work(other):
            raise _lost(pipeline, owner, other)
        newer = _put(table, pipeline, owner, "#owner = :stale OR #owner = :me", stale=other)
        if newer is not None:
            raise _lost(pipeline, owner, newer)
        log(f"took over the lock of {pipeline} from {other}, which has ended")
    try:
        yield
    finally:
        _release(table, pipeline, owner)


def _put(table: str, pipeline: str, owner: str, condition: str, stale: str | None = None) -> str | None:
    """Puts the lock's item. Where the condition does not hold, gives its owner ("" if that is not told)."""
    since = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    item = {"pipeline": {"S": pipeline}, "owner": {"S": owner}, "since": {"S": since}}
    values = {":me": {"S": owner}} | ({} if stale is None else {":stale": {"S": stale}})
    try:
        client("dynamodb").put_item(
            TableName=table,
            Item=item,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues=values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except Exception as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise StorageError(f"cannot take the lock of {pipeline} in table {table}: {error}") from error
        held: dict[str, Any] = getattr(error, "response", {}).get("Item", {})
        other: str = held.get("owner", {}).get("S", "")
        return other
    return None


def _lost(pipeline: str, owner: str, other: str) -> LockLost:
    # Only an execution is continued by a redrive.
    again = "redrive this one" if ":execution:" in owner else "run this one again"
    return LockLost(
        f"pipeline {pipeline} is owned by {other or 'another run'}, not by {owner}; "
        f"nothing was written: once that run has ended, {again}"
    )


def _release(table: str, pipeline: str, owner: str) -> None:
    """Removes the lock if it is still the owner's. A failure is only logged: the next run takes it over."""
    try:
        client("dynamodb").delete_item(
            TableName=table,
            Key={"pipeline": {"S": pipeline}},
            ConditionExpression="#owner = :me",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":me": {"S": owner}},
        )
    except Exception as error:
        if error_code(error) != "ConditionalCheckFailedException":
            log(f"the lock of {pipeline} in table {table} was not released: {error}")
