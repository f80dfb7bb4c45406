"""Texts as instants: local times against Python's `zoneinfo`, and what a contract makes of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from zoneinfo import ZoneInfo

import pytest
from etl import session
from etl.ingest.contract import Contract, Moments, Pattern
from etl.ingest.reasons import describe_rejected
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.count_rejected import count_rejected
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.transforms.parse_lines import parse_lines
from etl.ingest.transforms.read_moments import local_date, with_moments
from plans import contract_of_document
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kathmandu",
    "America/Sao_Paulo",  # midnight does not exist on the first day of summer
    "Pacific/Apia",  # 2011-12-30 does not exist
    "Africa/Casablanca",  # twice a year around Ramadan, and back
)
FIRST, LAST = datetime(2000, 1, 1), datetime(2031, 1, 1)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL, GERMAN, ZONED = "yyyy-MM-dd HH:mm:ss.SSSSSS", "dd.MM.yyyy HH:mm", "yyyy-MM-dd'T'HH:mm:ssXXX"


def local_times(name: str, random: Random) -> Iterator[datetime]:
    """Local times around every change of the clocks, and as many anywhere."""
    zone, day = ZoneInfo(name), timedelta(days=1)
    for number in range((LAST - FIRST).days):
        begin = (FIRST + number * day).replace(tzinfo=UTC)
        before, after = (moment.astimezone(zone).utcoffset() for moment in (begin, begin + day))
        if before == after or before is None or after is None:
            continue
        low, high = begin, begin + day
        while high - low > MICROSECOND:
            middle = low + (high - low) // 2
            low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
        edges = [high.replace(tzinfo=None) + offset for offset in (before, after)]
        yield from (edge + near for edge, near in product(edges, (-MICROSECOND, timedelta(0), MICROSECOND)))
        span = abs(after - before)
        yield from (edges[0] + random.uniform(-1.5, 1.5) * span for _ in range(4))
    yield from (FIRST + random.random() * (LAST - FIRST) for _ in range(200))


def written(local: datetime) -> str:
    has_seconds = local.second or local.microsecond
    return f"{local:%Y-%m-%d %H:%M:%S.%f}" if has_seconds else f"{local:%d.%m.%Y %H:%M}"


def model(local: datetime, moments: Moments) -> datetime | None:
    zone = ZoneInfo(moments.time_zone)
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != local:
        return None if moments.nonexistent == "quarantine" else first
    if first != second and moments.ambiguous == "quarantine":
        return None
    return second if moments.ambiguous == "second" else first


def test_local_times_are_the_instants_that_zoneinfo_gives(each_spark: SparkSession) -> None:
    session.configure(each_spark, 0)
    random = Random(15)  # noqa: S311 (the same times in every run)
    decided = (("first", "quarantine"), ("second", "later"), ("quarantine", "quarantine"))
    rules = [
        Moments((Pattern(LOCAL), Pattern(GERMAN)), zone, *rule) for zone, rule in product(ZONES, decided)
    ]
    times = {zone: list(local_times(zone, random)) for zone in ZONES}
    most = max(map(len, times.values()))
    rows = [tuple(written(of_zone[at % len(of_zone)]) for of_zone in times.values()) for at in range(most)]
    frame = each_spark.createDataFrame(rows, ", ".join(f"`{zone}` string" for zone in ZONES))
    texts = {f"{at}": (F.col(f"`{rule.time_zone}`"), rule) for at, rule in enumerate(rules)}
    read = with_moments(frame, texts).select(*(F.unix_micros(f"`{at}`") for at in texts)).collect()
    for at, rule in enumerate(rules):
        of_zone = times[rule.time_zone]
        wanted = [model(local, rule) for local in of_zone]
        found = [None if row[at] is None else EPOCH + row[at] * MICROSECOND for row in read[: len(of_zone)]]
        wrong = [one for one in zip(of_zone, wanted, found, strict=True) if one[1] != one[2]]
        assert (rule, len(wrong), wrong[:3]) == (rule, 0, [])
    assert sum(model(local, rules[2]) is None for local in times["Europe/Berlin"]) > 50


def contract_of(moments: Moments, of_the_contract: Moments) -> Contract:
    """A nullable column `at`, and the contract's timestamp in `seen`."""
    text = {"type": ["string", "null"]}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"id": {"type": "string"}, "seen": text, "at": text},
        "required": ["id"],
        "x-etl": {
            "businessKey": ["id"],
            "lookbackDays": 0,
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "no_id", "rule": "missing", "column": "id"},
                {"reason": "wrong_type", "rule": "wrongType"},
                {"reason": "no_moment", "rule": "notATimestamp", "column": "seen"},
            ],
            "timestamp": {"source": "seen", "column": "time", "dateColumn": "date_of_it", "formats": [LOCAL]},
            "computed": {"later": {"expression": "at > time", "type": "string"}},
            "output": ["id", "at", "time", "date_of_it", "later"],
        },
    }
    made = contract_of_document(document)
    assert made.timestamp is not None
    columns = [replace(one, moments=moments) if one.name == "at" else one for one in made.columns]
    return replace(
        made,
        columns=tuple(columns),
        timestamp=replace(made.timestamp, moments=of_the_contract),
        computed=(replace(made.computed[0], type="boolean"),),
    )


BERLIN = Moments((Pattern(LOCAL), Pattern(ZONED, True), Pattern(GERMAN)), "Europe/Berlin")
# The text of the contract's timestamp, its instant and its date in Berlin.
SEEN = [
    ("2024-04-01 00:30:00.123456", "2024-03-31T22:30:00.123456", date(2024, 4, 1)),
    ("01.01.2024 00:00", "2023-12-31T23:00:00", date(2024, 1, 1)),
    ("27.10.2024 02:30", "2024-10-27T00:30:00", date(2024, 10, 27)),
    ("2024-03-31T23:30:00Z", "2024-03-31T23:30:00", date(2024, 4, 1)),
    ("2024-03-31T02:30:00+05:00", "2024-03-30T21:30:00", date(2024, 3, 30)),
]
NEVER = (
    *("31.03.2024 02:30", "2024-03-31 02:00:00.000000", "2024-03-31 02:59:59.999999", "", "31.02.2024 01:00"),
    *("2024-06-30 23:59:60.000000", "2024-06-30 24:00:00.000000", "2024-06-30 12:00:00.0000000"),
    *("+294247-01-10 04:00:54.775808", "+999999-01-01 00:00:00.000000", "-999999-01-01T00:00:00Z"),
)


def classified(spark: SparkSession, contract: Contract, lines: list[dict[str, str | None]]) -> DataFrame:
    session.configure(spark, 0)
    texts = [
        (at, json.dumps({"id": "a", "seen": SEEN[0][0], **line}), "d", "f") for at, line in enumerate(lines)
    ]
    frame = spark.createDataFrame(texts, "row_id int, value string, run_date string, file_path string")
    return classify_rows(parse_lines(frame, contract), contract).persist()


def test_moments_and_dates_are_those_of_the_zone(each_spark: SparkSession) -> None:
    contract = contract_of(BERLIN, BERLIN)
    lines: list[dict[str, str | None]] = [{"seen": text, "at": SEEN[0][0]} for text, _, _ in SEEN]
    rows = classified(each_spark, contract, [*lines, {"at": None}]).orderBy("row_id").collect()
    assert [row["reason"] for row in rows] == [None] * len(rows)
    assert [(row["time"].astimezone(UTC), row["date_of_it"]) for row in rows[:-1]] == [
        (datetime.fromisoformat(instant).replace(tzinfo=UTC), day) for _, instant, day in SEEN
    ]
    assert [row["at"] and row["at"].astimezone(UTC).isoformat() for row in rows[-2:]] == [
        "2024-03-31T22:30:00.123456+00:00",
        None,
    ]
    assert [row["later"] for row in rows] == [False, True, False, False, True, None]


def test_a_moment_that_does_not_exist_is_quarantined_with_its_pattern_and_zone(
    each_spark: SparkSession,
) -> None:
    contract = contract_of(BERLIN, BERLIN)
    lines: list[dict[str, str | None]] = [{"seen": text, "at": text} for text in NEVER]
    rows = classified(each_spark, contract, [{**line, "at": None} for line in lines]).collect()
    assert {row["reason"] for row in rows} == {"no_moment"}
    explained = explain_rejected(classified(each_spark, contract, lines), contract).persist()
    assert [(row["reason"], row["reason_values"]) for row in explained.orderBy("row_id").collect()] == [
        ("wrong_type", {"at": text}) for text in NEVER
    ]
    counted = count_rejected(explained, ["wrong_type"], with_first=False)
    by_column = {of: one.rows for of, one in counted.items()}
    found = describe_rejected(contract, (), {"wrong_type": len(NEVER), "no_moment": 1}, by_column)
    assert [one.clause for one in found] == [
        f"at is not a timestamp in {LOCAL} or {ZONED} or {GERMAN} of Europe/Berlin that exists",
        "seen is not a timestamp in a format of the contract of Europe/Berlin that exists",
    ]


@pytest.mark.parametrize(
    ("moments", "words"),
    [
        (replace(BERLIN, ambiguous="quarantine"), " of Europe/Berlin that occurs once"),
        (replace(BERLIN, nonexistent="later"), " of Europe/Berlin"),
        (
            replace(BERLIN, ambiguous="quarantine", nonexistent="later"),
            " of Europe/Berlin that does not occur twice",
        ),
        (replace(BERLIN, time_zone="UTC"), ""),
        (replace(BERLIN, patterns=(Pattern(ZONED, True),)), ""),
    ],
)
def test_a_message_says_which_local_times_are_refused(moments: Moments, words: str) -> None:
    contract = contract_of(moments, moments)
    found = describe_rejected(contract, (), {"no_moment": 1}, {})
    assert found[0].clause == f"seen is not a timestamp in a format of the contract{words}"


def test_utc_and_texts_that_say_their_zone_are_not_shifted(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("2024-03-31T02:30:00+02:00",)], "text string")
    unshifted = (replace(BERLIN, time_zone="UTC"), replace(BERLIN, patterns=(Pattern(ZONED, True),)))
    for moments in unshifted:
        read = with_moments(frame, {"moment": (F.col("text"), moments)})
        assert "utc_timestamp" not in str(read._jdf.queryExecution().optimizedPlan())
        assert read.select(F.unix_seconds("moment")).collect()[0][0] == 1711845000


def test_the_last_instant_that_a_timestamp_holds_is_not_shifted_beyond_it(each_spark: SparkSession) -> None:
    session.configure(each_spark, 0)
    zones = ("America/New_York", "Asia/Tokyo")
    later = replace(BERLIN, nonexistent="later")
    texts = {zone: (F.col("text"), replace(later, time_zone=zone)) for zone in zones}
    frame = each_spark.createDataFrame([("+294247-01-10 04:00:54.775807",)], "text string")
    read = with_moments(frame, texts)
    columns = [F.unix_micros(f"`{zone}`") for zone in zones]
    days = [local_date(F.timestamp_micros(F.lit(2**63 - 1)), zone).cast("string") for zone in zones]
    assert tuple(read.select(*columns, *days).collect()[0]) == (
        None,
        2**63 - 1 - 9 * 3600 * 10**6,
        "+294247-01-09",
        None,
    )
