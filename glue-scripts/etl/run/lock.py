"""The lock of a pipeline. The job checks that it holds the lock before it writes."""

from datetime import UTC, datetime

from etl.clients import client, error_code
from etl.errors import LockLost, StorageError


def take_lock(table: str, pipeline: str, owner: str) -> None:
    """Takes the pipeline's lock for `owner` (an execution's ARN), or finds that it already holds it. Raises
    LockLost when another execution holds it, StorageError when the table cannot be queried.

    The state machine uses the same condition, so the call can be repeated.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
    """
    since = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    item = {"pipeline": {"S": pipeline}, "owner": {"S": owner}, "since": {"S": since}}
    try:
        client("dynamodb").put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(#owner) OR #owner = :me",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":me": {"S": owner}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except Exception as error:
        if error_code(error) == "ConditionalCheckFailedException":
            held = getattr(error, "response", {}).get("Item", {})
            other = held.get("owner", {}).get("S", "another execution")
            raise LockLost(
                f"pipeline {pipeline} is owned by {other}, not by {owner}; "
                "nothing was written: once that execution has ended, redrive this one"
            ) from error
        raise StorageError(f"cannot take the lock of {pipeline} in table {table}: {error}") from error
