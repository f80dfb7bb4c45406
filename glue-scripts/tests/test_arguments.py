"""Arguments: what is read, and every refusal by its full message."""

from datetime import date

import pytest
from etl.errors import InvalidArguments
from etl.run.arguments import Arguments, CatalogueTable, Lock, read_arguments

GIVEN = {
    "pipeline": "events",
    "source_bucket": "etl-dev-raw",
    "source_prefix": "events/",
    "output_bucket": "etl-dev-processed",
    "output_prefix": "events/",
    "quarantine_bucket": "etl-dev-quarantine",
    "quarantine_prefix": "events/",
    "books_bucket": "etl-dev-processed",
    "books_prefix": "books/events/",
    "plan_uri": "s3://etl-dev-artifacts/contracts/1/events.plan.json",
    "from_date": "2010-12-01",
    "to_date": "2010-12-03",
    "run_id": "run-1",
}
EXECUTION = "arn:aws:states:eu-west-1:000000000000:execution:etl-dev-events:2010-12-01_1"
WORKFLOW_RUN = "arn:aws:glue:eu-west-1:000000000000:workflow/etl-dev-mobile-users:wr_1f2e3d"


def argv(*without: str, **others: str) -> list[str]:
    values = GIVEN | others
    return [part for name, value in values.items() if name not in without for part in (f"--{name}", value)]


def refusal(arguments: list[str]) -> str:
    with pytest.raises(InvalidArguments) as caught:
        read_arguments(arguments)
    return str(caught.value)


def test_all_that_is_given_is_read() -> None:
    assert read_arguments(argv()) == Arguments(
        pipeline="events",
        source="s3://etl-dev-raw/events/",
        output="s3://etl-dev-processed/events/",
        quarantine="s3://etl-dev-quarantine/events/",
        books="s3://etl-dev-processed/books/events/",
        plan_uri="s3://etl-dev-artifacts/contracts/1/events.plan.json",
        from_date=date(2010, 12, 1),
        to_date=date(2010, 12, 3),
        run_id="run-1",
        lock=None,
        source_table=None,
    )


def test_lock_and_source_table_are_read_where_they_are_given() -> None:
    given = read_arguments(argv(lock_table="etl-dev-locks", lock_owner=EXECUTION))
    assert (given.lock, given.source_table) == (Lock("etl-dev-locks", EXECUTION), None)
    given = read_arguments(argv(source_database="etl_dev_raw", source_table="events"))
    assert (given.lock, given.source_table) == (None, CatalogueTable("etl_dev_raw", "events"))


def test_the_aggregate_has_a_place_and_tables_of_its_own() -> None:
    given = {"curated_bucket": "etl-dev-curated", "curated_prefix": "sales/"}
    given |= {"curated_database": "c", "curated_table": "by_day", "output_database": "p", "output_table": "t"}
    arguments = read_arguments(argv(**given))
    assert arguments.curated == "s3://etl-dev-curated/sales/"
    assert arguments.output_table == CatalogueTable("p", "t")
    assert arguments.curated_table == CatalogueTable("c", "by_day")
    tables = {"curated_database": "c", "curated_table": "by_day"}
    assert refusal(argv(**tables)) == "--curated_table needs --curated_bucket, where its rows lie"


def test_refused_rows_have_a_place_of_their_own() -> None:
    bare = read_arguments(argv())
    assert (bare.refused, bare.refused_table, bare.refused_days, bare.shows_values) == (None, None, 0, False)
    place = {"refused_bucket": "etl-dev-quarantine", "refused_prefix": "refused/events/"}
    table = {"refused_database": "q", "refused_table": "events_refused"}
    given = read_arguments(argv(**place, **table, refused_days="30", workgroup="etl-dev", show_values="true"))
    assert given.refused == "s3://etl-dev-quarantine/refused/events/"
    assert given.refused_table == CatalogueTable("q", "events_refused")
    assert (given.refused_days, given.workgroup, given.shows_values) == (30, "etl-dev", True)
    assert refusal(argv(**table)) == "--refused_table needs --refused_bucket, where its rows lie"
    inside = argv(**place | {"refused_prefix": "events/refused/"})
    assert refusal(inside) == (
        "quarantine and refused must not lie inside each other, "
        "got 's3://etl-dev-quarantine/events/' and 's3://etl-dev-quarantine/events/refused/'"
    )
    assert refusal(argv(refused_days="-1")) == "--refused_days must be a whole number of days, got '-1'"
    assert refusal(argv(show_values="yes")) == "--show_values must be true or false, got 'yes'"


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        ("lock_table", "lock_owner", "etl-dev-locks"),
        ("lock_owner", "lock_table", EXECUTION),
        ("source_database", "source_table", "etl_dev_raw"),
        ("source_table", "source_database", "events"),
        ("curated_bucket", "curated_prefix", "etl-dev-curated"),
        ("curated_prefix", "curated_bucket", "sales/"),
        ("output_database", "output_table", "etl_dev_processed"),
        ("output_table", "output_database", "sales"),
        ("refused_bucket", "refused_prefix", "etl-dev-quarantine"),
        ("refused_table", "refused_database", "sales_refused"),
    ],
)
def test_half_a_pair_is_refused(one: str, other: str, value: str) -> None:
    leading = (
        *("lock_table", "source_database", "curated_bucket", "output_database"),
        *("refused_bucket", "refused_database"),
    )
    first, second = (one, other) if one in leading else (other, one)
    assert refusal(argv(**{one: value})) == f"--{first} and --{second} go together: give both or neither"


@pytest.mark.parametrize(
    "owner",
    [
        "events",
        EXECUTION.replace(":execution:", ":stateMachine:"),
        EXECUTION.rpartition(":")[0],
        EXECUTION.replace("000000000000", "1"),
        EXECUTION + ":x",
        WORKFLOW_RUN.rpartition(":")[0],
    ],
)
def test_the_owner_of_a_lock_is_one_run(owner: str) -> None:
    text = refusal(argv(lock_table="etl-dev-locks", lock_owner=owner))
    assert text == (
        "--lock_owner must be the ARN of an execution, or that of a Glue workflow or job with ':' and the id "
        f"of its run, got '{owner}'"
    )
    assert read_arguments(argv(lock_table="etl-dev-locks", lock_owner=WORKFLOW_RUN)).lock
    china = EXECUTION.replace("arn:aws:", "arn:aws-cn:")
    assert read_arguments(argv(lock_table="etl-dev-locks", lock_owner=china)).lock


def test_the_source_may_lie_deeper_and_a_dot_means_it_does_not() -> None:
    assert read_arguments(argv(source_subprefix="shop-a/")).source == "s3://etl-dev-raw/events/shop-a/"
    assert read_arguments(argv(source_subprefix=".")).source == "s3://etl-dev-raw/events/"


def test_buckets_may_be_directories() -> None:
    assert read_arguments(argv(output_bucket="/tmp/lake")).output == "/tmp/lake/events/"  # noqa: S108
    assert read_arguments(argv(output_bucket="file:///tmp/lake")).output == "file:///tmp/lake/events/"


def test_names_of_glue_are_left_alone() -> None:
    of_glue = ["--JOB_NAME", "j", "--job-bookmark-option", "job-bookmark-disable", "--enable-metrics"]
    more = [
        "--TempDir",
        "s3://t/",
        "--extra-py-files=s3://a/etl.zip",
        "--mode",
        "daily",
        "--enable-auto-scaling",
        "",
    ]
    assert read_arguments([*of_glue, *argv(), *more]) == read_arguments(argv())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pipeline", " ", "--pipeline must not be empty, got ' '"),
        ("source_bucket", "Raw_Bucket", "--source_bucket must be the name of a bucket, got 'Raw_Bucket'"),
        ("output_bucket", "s3://b", "--output_bucket must be the name of a bucket, got 's3://b'"),
        (
            "output_prefix",
            "/events/",
            "--output_prefix must be a prefix: no leading slash, ending in '/', got '/events/'",
        ),
        (
            "output_prefix",
            "events",
            "--output_prefix must be a prefix: no leading slash, ending in '/', got 'events'",
        ),
        (
            "books_prefix",
            "a//b/",
            "--books_prefix must be a prefix: no leading slash, ending in '/', got 'a//b/'",
        ),
        (
            "source_subprefix",
            "",
            "--source_subprefix must be a prefix ending in '/', or '.' for none, got ''",
        ),
        (
            "source_subprefix",
            "../x/",
            "--source_subprefix must be a prefix ending in '/', or '.' for none, got '../x/'",
        ),
        ("from_date", "2010-02-30", "--from_date must be a date as YYYY-MM-DD, got '2010-02-30'"),
        ("to_date", "20101201", "--to_date must be a date as YYYY-MM-DD, got '20101201'"),
        (
            "run_id",
            "a/b",
            "--run_id must be letters, digits, '.', '_', ':' or '-', beginning with a letter or digit, "
            "got 'a/b'",
        ),
        ("run_mode", "hourly", "--run_mode must be 'daily' or 'backfill', got 'hourly'"),
        ("plan_uri", "", "--plan_uri must not be empty, got ''"),
        (
            "lock_table",
            "a/b",
            "--lock_table must be the name of a table: 3 to 255 letters, digits, '_', '.' or '-', got 'a/b'; "
            "--lock_table and --lock_owner go together: give both or neither",
        ),
        ("outptu", "x", "--outptu is not an argument of this job, got 'x'"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_got(name: str, value: str, message: str) -> None:
    assert refusal(argv(**{name: value})) == message


def test_all_mistakes_are_reported_at_once() -> None:
    given = [
        "stray",
        *argv("run_id", "pipeline", "plan_uri", from_date="yesterday"),
        "--to_date",
        "2010-12-04",
    ]
    assert refusal(given) == (
        "'stray' belongs to no argument; "
        "--to_date is given twice, '2010-12-03' and '2010-12-04'; "
        "--pipeline is missing; "
        "--plan_uri is missing; "
        "--from_date must be a date as YYYY-MM-DD, got 'yesterday'; "
        "--run_id is missing"
    )


def test_dates_in_the_wrong_order_and_more_than_a_day() -> None:
    assert refusal(argv(from_date="2010-12-04")) == (
        "--from_date must not be after --to_date, got --from_date '2010-12-04', --to_date '2010-12-03'"
    )
    assert refusal(argv(run_mode="daily")) == (
        "--run_mode 'daily' is one date, got --from_date '2010-12-01', --to_date '2010-12-03'"
    )


def test_places_must_not_lie_inside_each_other() -> None:
    assert refusal(argv(quarantine_bucket="etl-dev-processed")) == (
        "output and quarantine must not lie inside each other, "
        "got 's3://etl-dev-processed/events/' and 's3://etl-dev-processed/events/'"
    )
    assert refusal(argv(books_prefix="events/books/")) == (
        "output and books must not lie inside each other, "
        "got 's3://etl-dev-processed/events/' and 's3://etl-dev-processed/events/books/'"
    )


SCHEDULED = "2026-10-25T03:00:00Z"


@pytest.mark.parametrize(
    ("scheduled_time", "time_zone", "lag_days", "run_date"),
    [
        ("2026-01-15T04:00:00Z", "UTC", "1", date(2026, 1, 14)),
        ("2026-01-01T04:00:00Z", "UTC", "1", date(2025, 12, 31)),
        ("2026-03-01T04:00:00Z", "UTC", "0", date(2026, 3, 1)),
        ("2028-03-01T04:00:00Z", "UTC", "1", date(2028, 2, 29)),
        # 04:00 in Berlin the day before, on and after each change of the clock.
        ("2026-03-28T03:00:00Z", "Europe/Berlin", "1", date(2026, 3, 27)),
        ("2026-03-29T02:00:00Z", "Europe/Berlin", "1", date(2026, 3, 28)),
        ("2026-03-30T02:00:00Z", "Europe/Berlin", "1", date(2026, 3, 29)),
        ("2026-10-25T03:00:00Z", "Europe/Berlin", "1", date(2026, 10, 24)),
        ("2026-10-26T03:00:00Z", "Europe/Berlin", "1", date(2026, 10, 25)),
        # 00:30 in Berlin is the day before in UTC; the day of 25 hours is one day, that of 23 too.
        ("2026-03-28T23:30:00Z", "Europe/Berlin", "1", date(2026, 3, 28)),
        ("2026-03-29T22:30:00Z", "Europe/Berlin", "1", date(2026, 3, 29)),
        ("2026-10-24T22:30:00Z", "Europe/Berlin", "1", date(2026, 10, 24)),
        ("2026-10-25T23:30:00Z", "Europe/Berlin", "1", date(2026, 10, 25)),
        # 23:30 in Los Angeles is the day after in UTC.
        ("2026-03-09T06:30:00Z", "America/Los_Angeles", "1", date(2026, 3, 7)),
        ("2026-11-02T07:30:00Z", "America/Los_Angeles", "1", date(2026, 10, 31)),
        ("2026-11-02T07:30:00Z", "America/Los_Angeles", "366", date(2025, 10, 31)),
    ],
)
def test_the_date_of_a_scheduled_run_is_that_of_its_zone(
    scheduled_time: str, time_zone: str, lag_days: str, run_date: date
) -> None:
    given = read_arguments(
        argv(
            from_date=".",
            to_date=".",
            run_mode="daily",
            scheduled_time=scheduled_time,
            time_zone=time_zone,
            lag_days=lag_days,
        )
    )
    assert (given.from_date, given.to_date) == (run_date, run_date)


def test_a_run_that_was_not_scheduled_keeps_its_dates_whatever_the_zone_and_the_lag() -> None:
    given = read_arguments(argv(scheduled_time=".", time_zone="Europe/Berlin", lag_days="1"))
    assert given == read_arguments(argv())


def test_dates_are_given_or_follow_from_the_schedule() -> None:
    assert refusal(argv("from_date", "to_date")) == "--from_date is missing; --to_date is missing"
    assert refusal(argv(to_date=".")) == "--to_date is missing"
    assert refusal(argv(scheduled_time=SCHEDULED)) == (
        f"--scheduled_time '{SCHEDULED}' gives the date by itself, "
        "got --from_date '2010-12-01', --to_date '2010-12-03' too"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-10-25", "2026-10-25T03:00Z", "2026-10-25T03:00:00", "2026-10-25T03:00:00.5Z"),
        *("2026-10-25T03:00:00+01:00", "2026-02-30T03:00:00Z", "2026-10-25T24:00:00Z"),
        "2026-10-25T3:00:00Z",
    ],
)
def test_a_scheduled_time_is_an_instant(text: str) -> None:
    assert refusal(argv("from_date", "to_date", scheduled_time=text)).startswith(
        f"--scheduled_time must be an instant in UTC as YYYY-MM-DDThh:mm:ssZ, or '.' for none, got '{text}'"
    )


@pytest.mark.parametrize(
    "name", ["", "Europe/Berlyn", "Europe", "+01:00", "../UTC", "Europe/", "/etc/localtime"]
)
def test_a_time_zone_is_one_of_the_database(name: str) -> None:
    text = f"--time_zone must be a time zone of the IANA database such as Europe/Berlin, got '{name}'"
    assert refusal(argv(time_zone=name)) == text


@pytest.mark.parametrize("days", ["", "-1", "1.5", "367", "one"])
def test_a_lag_is_a_number_of_days(days: str) -> None:
    assert refusal(argv(lag_days=days)) == f"--lag_days must be a whole number from 0 to 366, got '{days}'"
