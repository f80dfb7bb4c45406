"""The arguments of the run of an extract."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from etl.errors import InvalidArguments
from etl.run.arguments import Lock, read_values, root_of

_NAMES = (
    "pipeline",
    "output_bucket",
    "output_prefix",
    "books_bucket",
    "books_prefix",
    "extract_uri",
    "connection",
    "from_date",
    "to_date",
    "scheduled_time",
    "time_zone",
    "lag_days",
    "run_id",
    "run_mode",
    "source_subprefix",
    "lock_table",
    "lock_owner",
)


@dataclass(frozen=True)
class ExtractArguments:
    """The task of one run: the deliveries of `day`. Locations are URIs that end in `/`."""

    pipeline: str
    output: str
    books: str
    extract_uri: str
    connection: str
    day: date
    run_id: str
    lock: Lock


def read_extract_arguments(argv: Sequence[str]) -> ExtractArguments:
    """Raises InvalidArguments naming every mistake. A database is read as it is now, so that a run makes the
    deliveries of one date, and has no folder to read from."""
    values = read_values(argv, _NAMES)
    mistakes = []
    if values["from_date"] != values["to_date"]:
        mistakes.append(
            f"an extract makes the deliveries of one date, got --from_date '{values['from_date']}', "
            f"--to_date '{values['to_date']}': start a run with one runDate"
        )
    if values["source_subprefix"] != ".":
        mistakes.append(
            f"an extract reads no folder, got --source_subprefix '{values['source_subprefix']}': leave "
            "sourcePrefix out"
        )
    if mistakes:
        raise InvalidArguments("; ".join(mistakes))
    return ExtractArguments(
        pipeline=values["pipeline"],
        output=f"{root_of(values['output_bucket'])}{values['output_prefix']}",
        books=f"{root_of(values['books_bucket'])}{values['books_prefix']}",
        extract_uri=values["extract_uri"],
        connection=values["connection"],
        day=date.fromisoformat(values["from_date"]),
        run_id=values["run_id"],
        lock=Lock(values["lock_table"], values["lock_owner"]),
    )
