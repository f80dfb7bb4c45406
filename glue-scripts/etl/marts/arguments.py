"""The arguments of the run of a mart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from etl.errors import InvalidArguments
from etl.run.arguments import NO_SUBPREFIX, Lock, read_values, root_of

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
    mistakes = []
    if values["from_date"] != values["to_date"]:
        mistakes.append(
            f"a mart is made for one date, got --from_date '{values['from_date']}', "
            f"--to_date '{values['to_date']}': start a run with one runDate"
        )
    if values["source_subprefix"] != NO_SUBPREFIX:
        mistakes.append(
            f"a mart reads no folder, got --source_subprefix '{values['source_subprefix']}': leave "
            "sourcePrefix out"
        )
    if mistakes:
        raise InvalidArguments("; ".join(mistakes))
    return MartArguments(
        pipeline=values["pipeline"],
        mart_uri=values["mart_uri"],
        databases={"processed": values["source_database"], "curated": values["output_database"]},
        output=f"{root_of(values['output_bucket'])}{values['output_prefix']}",
        books=f"{root_of(values['books_bucket'])}{values['books_prefix']}",
        day=date.fromisoformat(values["from_date"]),
        run_id=values["run_id"],
        lock=Lock(values["lock_table"], values["lock_owner"]),
    )
