"""The arguments of the run of an extract."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from etl.run.arguments import Lock, read_one_day, read_values, root_of

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
    day = read_one_day(values, "an extract makes the deliveries of", "an extract")
    return ExtractArguments(
        pipeline=values["pipeline"],
        output=f"{root_of(values['output_bucket'])}{values['output_prefix']}",
        books=f"{root_of(values['books_bucket'])}{values['books_prefix']}",
        extract_uri=values["extract_uri"],
        connection=values["connection"],
        day=day,
        run_id=values["run_id"],
        lock=Lock(values["lock_table"], values["lock_owner"]),
    )
