"""The high-water marks of a pipeline: one item beside its lock, written after the delivery is published.

A mark says up to where the run of a date has read, and from where it began, so that a second run of the date
reads the same rows again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from etl.clients import client, error_code
from etl.errors import LockLost, StorageError
from etl.extract.document import Table
from etl.extract.reading import Span, span_of, span_of_day


@dataclass(frozen=True)
class Mark:
    """The values of one table: the run read from `start` (None: from the beginning) up to `end`."""

    start: str | None
    end: str | None


@dataclass(frozen=True)
class Marks:
    """The marks as the run of `run_date`, which was `run_id`, has left them. Without a run, all are empty."""

    run_date: date | None = None
    run_id: str = ""
    tables: Mapping[str, Mark] = field(default_factory=dict)


def key_of(pipeline: str) -> str:
    return f"marks/{pipeline}"


def read_marks(table: str, pipeline: str) -> Marks:
    """The marks in the DynamoDB table of locks. Raises StorageError."""
    try:
        answer = client("dynamodb").get_item(
            TableName=table, Key={"pipeline": {"S": key_of(pipeline)}}, ConsistentRead=True
        )
    except Exception as error:
        raise StorageError(f"cannot read the marks of {pipeline} in table {table}: {error}") from error
    item = answer.get("Item")
    if item is None:
        return Marks()
    tables = {
        name: Mark(one["M"]["start"].get("S"), one["M"]["end"].get("S"))
        for name, one in item["tables"]["M"].items()
    }
    return Marks(date.fromisoformat(item["runDate"]["S"]), item["runId"]["S"], tables)


def write_marks(table: str, pipeline: str, before: Marks, marks: Marks) -> None:
    """Replaces the marks that were read, and no others: a run that came in between has its own. Raises
    LockLost, StorageError.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html"""
    condition = "runId = :before" if before.run_id else "attribute_not_exists(pipeline)"
    values = {":before": {"S": before.run_id}} if before.run_id else None
    try:
        client("dynamodb").put_item(
            TableName=table,
            Item={
                "pipeline": {"S": key_of(pipeline)},
                "runDate": {"S": str(marks.run_date)},
                "runId": {"S": marks.run_id},
                "tables": {
                    "M": {
                        name: {"M": {"start": _text(one.start), "end": _text(one.end)}}
                        for name, one in marks.tables.items()
                    }
                },
            },
            ConditionExpression=condition,
            **({} if values is None else {"ExpressionAttributeValues": values}),
        )
    except Exception as error:
        if error_code(error) == "ConditionalCheckFailedException":
            raise LockLost(
                f"the marks of {pipeline} have changed since this run read them: another run is at work; "
                "once it has ended, run this one again"
            ) from error
        raise StorageError(f"cannot write the marks of {pipeline} in table {table}: {error}") from error


def _text(value: str | None) -> dict[str, object]:
    return {"NULL": True} if value is None else {"S": value}


def span_for(table: Table, marks: Marks, day: date) -> Span:
    """The rows that the run of a day reads of a table with a mark: those from the mark on; again those from
    where it began, if it was the last run; those of the day alone, if the mark is past it."""
    if table.mark is None:
        return Span()
    mark = marks.tables.get(table.name)
    if mark is None or marks.run_date is None:
        return Span()
    if day < marks.run_date:
        return span_of_day(day)
    start = mark.start if day == marks.run_date else mark.end
    moment = None if start is None else datetime.fromisoformat(start)
    return span_of(moment, table.mark.overlap_minutes)


def marks_after(marks: Marks, day: date, run_id: str, greatest: Mapping[str, str | None]) -> Marks:
    """The marks that a run leaves: a correction of an earlier day leaves them as they are."""
    if marks.run_date is not None and day < marks.run_date:
        return marks
    is_again = day == marks.run_date
    tables = {}
    for name, value in greatest.items():
        before = marks.tables.get(name, Mark(None, None))
        start = before.start if is_again else before.end
        # Rows may be gone: a mark never goes back.
        ends = [end for end in (value, start) if end is not None]
        tables[name] = Mark(start, max(ends, key=datetime.fromisoformat) if ends else None)
    return Marks(day, run_id, tables)
