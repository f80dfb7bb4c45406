"""The arguments of the run of a mart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from etl.run.arguments import Lock, read_one_day, read_values, root_of

_NAMES = (
    "pipeline",
    "mart_uri",
    "source_database",
    "output_database",
    "output_bucket",
    "output_prefix",
    "books_bucket",
    "books_prefix",
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
class MartArguments:
    """The task of one run, for the run date `day`. Locations are URIs that end in `/`: each table of the
    mart has a folder in `output`. `databases` are those of the zones."""

    pipeline: str
    mart_uri: str
    databases: dict[str, str]
    output: str
    books: str
    day: date
    run_id: str
    lock: Lock


def read_mart_arguments(argv: Sequence[str]) -> MartArguments:
    """Raises InvalidArguments naming every mistake. A mart is made for one date, of tables and not of a
    folder."""
    values = read_values(argv, _NAMES)
    day = read_one_day(values, "a mart is made for", "a mart")
    return MartArguments(
        pipeline=values["pipeline"],
        mart_uri=values["mart_uri"],
        databases={"processed": values["source_database"], "curated": values["output_database"]},
        output=f"{root_of(values['output_bucket'])}{values['output_prefix']}",
        books=f"{root_of(values['books_bucket'])}{values['books_prefix']}",
        day=day,
        run_id=values["run_id"],
        lock=Lock(values["lock_table"], values["lock_owner"]),
    )
