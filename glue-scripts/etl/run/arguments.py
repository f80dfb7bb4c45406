"""The arguments of a job run: read strictly, all mistakes at once.

The names that belong to Glue itself
(https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html) are left alone:
those with a hyphen or a capital letter, and the few in `GLUE_ARGUMENTS`."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from etl.errors import InvalidArguments
from etl.run.schedule import is_instant, is_time_zone, run_date_of

GLUE_ARGUMENTS = frozenset({"class", "conf", "debug", "endpoint", "mode"})
NONE = "."  # Glue refuses an empty value
NO_SUBPREFIX = NONE
MAX_LAG_DAYS = 366
TABLE_FORMATS = ("parquet", "iceberg")
WRITE_MODES = ("rebuild", "merge", "append", "changes")

_PREFIX = re.compile(r"([^/]+/)*")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
# The owner of a lock is one run, whoever orchestrates it. A state machine or a workflow has many runs.
_RUN_ARN = re.compile(
    r"arn:aws[a-z-]*:"
    r"(states:[a-z0-9-]+:\d{12}:execution:[^:\s]+|glue:[a-z0-9-]+:\d{12}:(workflow|job)/[^:\s]+):[^:\s]+"
)
_WORKFLOW_ARN = re.compile(r"arn:aws[a-z-]*:glue:[a-z0-9-]+:\d{12}:workflow/[^:/\s]+")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|file:///.*[^/]|/.*[^/]")


@dataclass(frozen=True)
class Lock:
    """The DynamoDB table of locks, and the run (its ARN) that must hold the pipeline's."""

    table: str
    owner: str


@dataclass(frozen=True)
class CatalogueTable:
    """A table of Glue's catalogue."""

    database: str
    name: str


@dataclass(frozen=True)
class ModelsPlace:
    """The URI of the compiled models, the location that has a folder for each of them, and the database of
    their tables, if the job registers partitions."""

    uri: str
    root: str
    database: str | None


@dataclass(frozen=True)
class Arguments:
    """The task of one run. Locations are URIs that end in `/`. Dates are inclusive; if a schedule started the
    run, they follow from the scheduled time. These are None if the caller did not give them: `lock`;
    `source_table`, which a crawl of the source made; `curated`, where an aggregate goes; `output_table` and
    `curated_table`, whose partitions the job registers (for Iceberg `output_table` is the output itself).
    `models` are recomputed after the run has published.
    `order_column` orders the rows of a key in a merge; None if the contract says it.

    `refused` is where the rejected rows of a refused run are kept; None if they are not kept. They are kept
    for `refused_days` (0: for ever), and read through `refused_table` in Athena's `workgroup`.
    `shows_values` allows delivered values in messages and logs. `is_in_workflow` says that a Glue workflow
    orchestrates, which has no steps for the lock and the books."""

    pipeline: str
    source: str
    output: str
    quarantine: str
    books: str
    plan_uri: str
    from_date: date
    to_date: date
    run_id: str
    lock: Lock | None = None
    source_table: CatalogueTable | None = None
    curated: str | None = None
    output_table: CatalogueTable | None = None
    curated_table: CatalogueTable | None = None
    table_format: str = "parquet"
    write_mode: str = "rebuild"
    order_column: str | None = None
    refused: str | None = None
    refused_table: CatalogueTable | None = None
    refused_days: int = 0
    workgroup: str = ""
    shows_values: bool = False
    models: ModelsPlace | None = None
    is_in_workflow: bool = False

    @property
    def is_iceberg(self) -> bool:
        return self.table_format == "iceberg"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_prefix(text: str) -> bool:
    return _PREFIX.fullmatch(text) is not None and ".." not in text.split("/")


_Check = tuple[Callable[[str], bool], str]
_TEXT: _Check = (lambda text: text.strip() != "", "must not be empty")
_DATE: _Check = (
    lambda text: text == NONE or _is_date(text),
    "must be a date as YYYY-MM-DD",
)
_BUCKET_NAME: _Check = (lambda text: _BUCKET.fullmatch(text) is not None, "must be the name of a bucket")
_KEY_PREFIX: _Check = (_is_prefix, "must be a prefix: no leading slash, ending in '/'")

_CHECKS: dict[str, _Check] = {
    "pipeline": _TEXT,
    "source_bucket": _BUCKET_NAME,
    "source_prefix": _KEY_PREFIX,
    "source_subprefix": (
        lambda text: text == NO_SUBPREFIX or (text != "" and _is_prefix(text)),
        "must be a prefix ending in '/', or '.' for none",
    ),
    "output_bucket": _BUCKET_NAME,
    "output_prefix": _KEY_PREFIX,
    "quarantine_bucket": _BUCKET_NAME,
    "quarantine_prefix": _KEY_PREFIX,
    "books_bucket": _BUCKET_NAME,
    "books_prefix": _KEY_PREFIX,
    "plan_uri": _TEXT,
    "from_date": _DATE,
    "to_date": _DATE,
    "scheduled_time": (
        lambda text: text == NONE or is_instant(text),
        "must be an instant in UTC as YYYY-MM-DDThh:mm:ssZ, or '.' for none",
    ),
    "time_zone": (is_time_zone, "must be a time zone of the IANA database such as Europe/Berlin"),
    "lag_days": (
        lambda text: re.fullmatch(r"\d{1,3}", text, re.ASCII) is not None and int(text) <= MAX_LAG_DAYS,
        f"must be a whole number from 0 to {MAX_LAG_DAYS}",
    ),
    "run_id": (
        lambda text: _RUN_ID.fullmatch(text) is not None,
        "must be letters, digits, '.', '_', ':' or '-', beginning with a letter or digit",
    ),
    "run_mode": (lambda text: text in ("daily", "backfill"), "must be 'daily' or 'backfill'"),
    "lock_table": (
        lambda text: _TABLE.fullmatch(text) is not None,
        "must be the name of a table: 3 to 255 letters, digits, '_', '.' or '-'",
    ),
    "lock_owner": (
        lambda text: _RUN_ARN.fullmatch(text) is not None,
        "must be the ARN of an execution, or that of a Glue workflow or job with ':' and the id of its run",
    ),
    "workflow_arn": (
        lambda text: _WORKFLOW_ARN.fullmatch(text) is not None,
        "must be the ARN of a Glue workflow",
    ),
    "source_database": _TEXT,
    "source_table": _TEXT,
    "curated_bucket": _BUCKET_NAME,
    "curated_prefix": _KEY_PREFIX,
    "output_database": _TEXT,
    "output_table": _TEXT,
    "curated_database": _TEXT,
    "curated_table": _TEXT,
    "table_format": (lambda text: text in TABLE_FORMATS, f"must be one of {', '.join(TABLE_FORMATS)}"),
    "write_mode": (lambda text: text in WRITE_MODES, f"must be one of {', '.join(WRITE_MODES)}"),
    "order_column": _TEXT,
    "refused_bucket": _BUCKET_NAME,
    "refused_prefix": _KEY_PREFIX,
    "refused_database": _TEXT,
    "refused_table": _TEXT,
    "refused_days": (
        lambda text: re.fullmatch(r"\d{1,5}", text, re.ASCII) is not None,
        "must be a whole number of days",
    ),
    "workgroup": _TEXT,
    "models_uri": _TEXT,
    "models_bucket": _BUCKET_NAME,
    "models_database": _TEXT,
    "show_values": (lambda text: text in ("true", "false"), "must be true or false"),
    "extract_uri": _TEXT,
    "connection": _TEXT,
    "mart_uri": _TEXT,
}
_OF_OTHER_JOBS = frozenset({"extract_uri", "connection", "mart_uri"})
_PAIRS = (
    ("lock_table", "lock_owner"),
    ("source_database", "source_table"),
    ("curated_bucket", "curated_prefix"),
    ("output_database", "output_table"),
    ("curated_database", "curated_table"),
    ("refused_bucket", "refused_prefix"),
    ("refused_database", "refused_table"),
    ("models_uri", "models_bucket"),
)
_OPTIONAL = frozenset(name for pair in _PAIRS for name in pair) | {
    "order_column",
    "workgroup",
    "workflow_arn",
    "models_database",
}
_DEFAULTS = {
    "source_subprefix": NO_SUBPREFIX,
    "run_mode": "backfill",
    "from_date": NONE,
    "to_date": NONE,
    "scheduled_time": NONE,
    "time_zone": "UTC",
    "lag_days": "0",
    "table_format": "parquet",
    "write_mode": "rebuild",
    "refused_days": "0",
    "show_values": "false",
}


def read_arguments(argv: Sequence[str]) -> Arguments:
    """Reads `--name value` and `--name=value` pairs (without the program's name).

    Raises InvalidArguments naming every missing, unknown, repeated or wrong argument and what it got.
    """
    names = [name for name in _CHECKS if name not in _OF_OTHER_JOBS]
    values, mistakes = _read(argv, names, _OPTIONAL)
    for one, other in _PAIRS:
        if (one in values) != (other in values):
            mistakes.append(f"--{one} and --{other} go together: give both or neither")
    mistakes += _date_mistakes(values)
    if not mistakes:
        values |= _dates(values)
        mistakes = _contradictions(values)
    if mistakes:
        raise InvalidArguments("; ".join(mistakes))
    return Arguments(
        pipeline=values["pipeline"],
        source=_source(values),
        output=_uri(values, "output"),
        quarantine=_uri(values, "quarantine"),
        books=_uri(values, "books"),
        plan_uri=values["plan_uri"],
        from_date=date.fromisoformat(values["from_date"]),
        to_date=date.fromisoformat(values["to_date"]),
        run_id=values["run_id"],
        lock=Lock(values["lock_table"], values["lock_owner"]) if "lock_table" in values else None,
        source_table=_table(values, "source"),
        curated=_uri(values, "curated") if "curated_bucket" in values else None,
        output_table=_table(values, "output"),
        curated_table=_table(values, "curated"),
        table_format=values["table_format"],
        write_mode=values["write_mode"],
        order_column=values.get("order_column"),
        refused=_uri(values, "refused") if "refused_bucket" in values else None,
        refused_table=_table(values, "refused"),
        refused_days=int(values["refused_days"]),
        workgroup=values.get("workgroup", ""),
        shows_values=values["show_values"] == "true",
        models=_models(values),
        is_in_workflow="workflow_arn" in values,
    )


def read_values(argv: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The values of another job, whose arguments are these and all of them required but those with a default.
    The dates of a scheduled run are known. Raises InvalidArguments naming every mistake."""
    values, mistakes = _read(argv, names)
    mistakes += _date_mistakes(values)
    if mistakes:
        raise InvalidArguments("; ".join(mistakes))
    return values | _dates(values)


def _read(
    argv: Sequence[str], names: Sequence[str], optional: Collection[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """The values of the named arguments, with defaults, and the mistakes in each of them."""
    given, mistakes = _pair(argv, names)
    values = {name: value for name, value in _DEFAULTS.items() if name in names} | given
    for name in names:
        is_right, demand = _CHECKS[name]
        if name not in values:
            if name not in optional:
                mistakes.append(f"--{name} is missing")
        elif not is_right(values[name]):
            mistakes.append(f"--{name} {demand}, got '{values[name]}'")
    return values, mistakes


def _models(values: dict[str, str]) -> ModelsPlace | None:
    if "models_uri" not in values:
        return None
    return ModelsPlace(values["models_uri"], root_of(values["models_bucket"]), values.get("models_database"))


def _table(values: dict[str, str], name: str) -> CatalogueTable | None:
    if f"{name}_table" not in values:
        return None
    return CatalogueTable(values[f"{name}_database"], values[f"{name}_table"])


def named_values(argv: Sequence[str]) -> Iterator[tuple[str | None, str]]:
    """The arguments, `--name value` or `--name=value`, with "" where the value is missing. A value that
    belongs to no name has the name None."""
    rest = list(argv)
    while rest:
        token = rest.pop(0)
        if not token.startswith("--"):
            yield None, token
            continue
        name, has_value, value = token[2:].partition("=")
        if not has_value and rest and not rest[0].startswith("--"):
            value = rest.pop(0)
        yield name, value


def _pair(argv: Sequence[str], names: Collection[str]) -> tuple[dict[str, str], list[str]]:
    values: dict[str, str] = {}
    mistakes: list[str] = []
    for name, value in named_values(argv):
        if name is None:
            mistakes.append(f"'{value}' belongs to no argument")
        elif name in names:
            if name in values:
                mistakes.append(f"--{name} is given twice, '{values[name]}' and '{value}'")
            values[name] = value
        elif name not in GLUE_ARGUMENTS and re.fullmatch(r"[a-z0-9_]*", name):
            mistakes.append(f"--{name} is not an argument of this job, got '{value}'")
    return values, mistakes


def _date_mistakes(values: dict[str, str]) -> list[str]:
    scheduled = values["scheduled_time"]
    given = [f"--{name} '{values[name]}'" for name in ("from_date", "to_date") if values[name] != NONE]
    if scheduled == NONE:
        return [f"--{name} is missing" for name in ("from_date", "to_date") if values[name] == NONE]
    if given:
        return [f"--scheduled_time '{scheduled}' gives the date by itself, got {', '.join(given)} too"]
    return []


def _dates(values: dict[str, str]) -> dict[str, str]:
    if values["scheduled_time"] == NONE:
        return {}
    day = run_date_of(values["scheduled_time"], values["time_zone"], int(values["lag_days"]))
    return {"from_date": day.isoformat(), "to_date": day.isoformat()}


def _contradictions(values: dict[str, str]) -> list[str]:
    mistakes = []
    dates = f"--from_date '{values['from_date']}', --to_date '{values['to_date']}'"
    if values["from_date"] > values["to_date"]:
        mistakes.append(f"--from_date must not be after --to_date, got {dates}")
    if values["run_mode"] == "daily" and values["from_date"] != values["to_date"]:
        mistakes.append(f"--run_mode 'daily' is one date, got {dates}")
    places = {"source": _source(values)}
    zones = ("output", "quarantine", "books", "curated", "refused")
    places |= {name: _uri(values, name) for name in zones if f"{name}_bucket" in values}
    if "curated_table" in values and "curated_bucket" not in values:
        mistakes.append("--curated_table needs --curated_bucket, where its rows lie")
    if "refused_table" in values and "refused_bucket" not in values:
        mistakes.append("--refused_table needs --refused_bucket, where its rows lie")
    if "models_database" in values and "models_uri" not in values:
        mistakes.append("--models_database needs --models_uri, the models whose tables it has")
    mistakes += _format_mistakes(values)
    for (one, here), (other, there) in combinations(places.items(), 2):
        if here.startswith(there) or there.startswith(here):
            mistakes.append(f"{one} and {other} must not lie inside each other, got '{here}' and '{there}'")
    return mistakes


def _format_mistakes(values: dict[str, str]) -> list[str]:
    mistakes = []
    mode, is_iceberg = values["write_mode"], values["table_format"] == "iceberg"
    if mode != "rebuild" and not is_iceberg:
        mistakes.append(
            f"--write_mode '{mode}' needs --table_format 'iceberg': Parquet files can only be replaced"
        )
    if is_iceberg and "output_table" not in values:
        mistakes.append("--table_format 'iceberg' needs --output_database and --output_table")
    if is_iceberg and "models_uri" in values:
        mistakes.append("--models_uri needs --table_format 'parquet': models read the folders of dates")
    if mode != "merge" and "order_column" in values:
        mistakes.append(
            f"--order_column is only for --write_mode 'merge', got '{values['order_column']}' with '{mode}'"
        )
    return mistakes


def _uri(values: dict[str, str], name: str) -> str:
    return f"{root_of(values[f'{name}_bucket'])}{values[f'{name}_prefix']}"


def read_one_day(values: Mapping[str, str], makes: str, who: str) -> date:
    """The date of a run that is for one date and reads no folder. `makes` and `who` begin the sentences.
    Raises InvalidArguments naming both mistakes."""
    mistakes = []
    if values["from_date"] != values["to_date"]:
        mistakes.append(
            f"{makes} one date, got --from_date '{values['from_date']}', "
            f"--to_date '{values['to_date']}': start a run with one runDate"
        )
    if values["source_subprefix"] != NO_SUBPREFIX:
        mistakes.append(
            f"{who} reads no folder, got --source_subprefix '{values['source_subprefix']}': leave "
            "sourcePrefix out"
        )
    if mistakes:
        raise InvalidArguments("; ".join(mistakes))
    return date.fromisoformat(values["from_date"])


def root_of(bucket: str) -> str:
    return f"{bucket}/" if bucket.startswith(("/", "file:")) else f"s3://{bucket}/"


def _source(values: dict[str, str]) -> str:
    subprefix = values["source_subprefix"]
    return _uri(values, "source") + ("" if subprefix == NO_SUBPREFIX else subprefix)
