"""Good and rejected lines, the reasons, and the rows that good lines become."""

import json
from datetime import UTC, date, datetime

import pytest
from conftest import event
from etl import session
from etl.ingest.contract import Contract
from etl.ingest.transforms.classify_rows import EVIDENCE, classify_rows
from etl.ingest.transforms.parse_lines import parse_lines
from pyspark.sql import Row, SparkSession

DEEP = '{"event_id":"e","x":' + "[" * 1200 + "]" * 1200 + "}"
GOOD = json.dumps(event())


def without(*names: str) -> str:
    return json.dumps({name: value for name, value in event().items() if name not in names})


def having(**values: object) -> str:
    return json.dumps(event(**values))


def with_item(**values: object) -> str:
    return having(items=[{"product_id": "a", "quantity": 1, "unit_price": 1.5} | values])


NO_TEXTS: list[object] = [True, False, {}, {"a": "b"}, [], ["a"], [[1]]]
NO_LISTS: list[object] = ["text", "", "[]", 1, True, {}, [1], ["a"], ["{}"], [[]], [True]]
NO_INTEGERS: list[object] = ["6", "", 6.0, 6.5, True, {}, [], 2**63]
NO_NUMBERS: list[object] = ["2.55", "", "NaN", "Infinity", True, {}, []]
MALFORMED = [
    "not JSON",
    "{",
    "}",
    "[" + GOOD + "]",
    "null",
    "1",
    '"text"',
    "{}}",
    GOOD[:-1],
    GOOD + " rubbish",
    GOOD + "}",
    GOOD + GOOD,
    GOOD + "," + GOOD,
    GOOD[:-1] + '},"x":{}',
    GOOD[:-1] + ",}",
    GOOD.replace('"', "'"),
    '{"event_id":"e"}} {"event_id":"e"}',
    "{event_id:1}",
    '{"event_id":"e" /* comment */}',
    '{"event_id":"e"} // comment }',
    '{"x":NaN}',
    '{"x":Infinity}',
    '{"x":01}',
    '{"x":+1}',
    '{"x":.5}',
    '{"x":tru}',
    '{"x":"a\tb"}',
    '{"x":"\\q"}',
    '{"x":"open}',
    '{"items":[{"quantity":1},tru]}',
    '{"items":[{"quantity":}]}',
    '\ufeff{"event_id":"e"}',
    "\u00a0",
    DEEP,
]
MISSING_EVENT_ID = [
    "{}",
    "{ }",
    "{\t \t}",
    '{"x":{"event_id":"e"}}',
    '{"Event_ID":"e"}',
    without("event_id"),
    having(event_id=None),
    having(event_id=""),
    having(event_id=" \t"),
    having(event_id="\u00a0\u2003"),
    having(event_id=None, user_id=None),
    having(event_id="", items="wrong"),
    GOOD[:-1] + ',"event_id":null}',
]
MISSING_USER_ID = [
    without("user_id"),
    having(user_id=None),
    having(user_id="  "),
    having(user_id=None, event_type=None),
    having(user_id=None, timestamp="never"),
    having(user_id=None, items="wrong"),
    having(user_id=None, event_id=["e"]),
]
MISSING_EVENT_TYPE = [
    without("event_type"),
    having(event_type=None),
    having(event_type=""),
    having(event_type=None, timestamp=None),
    having(event_type=None, country=True),
]
WRONG_TYPE = [
    *(having(event_id=value) for value in NO_TEXTS),
    *(having(user_id=value) for value in NO_TEXTS),
    *(having(event_type=value) for value in NO_TEXTS),
    *(having(timestamp=value) for value in NO_TEXTS),
    *(having(country=value) for value in NO_TEXTS),
    *(having(items=value) for value in NO_LISTS),
    *(with_item(product_id=value) for value in NO_TEXTS),
    *(with_item(quantity=value) for value in NO_INTEGERS),
    *(with_item(unit_price=value) for value in NO_NUMBERS),
    GOOD.replace("2.55", "1e400"),
    having(items="text", timestamp="never"),
    having(items=[{"quantity": 1}, {"quantity": "x"}]),
    having(user_id="true", country=True),
]
INVALID_TIMESTAMP = [
    without("timestamp"),
    *(
        having(timestamp=value)
        for value in (
            *(None, "", " ", "never", "2010", "2010-12", "2010-12-01", "20101201T082600Z", "08:26:00"),
            *("2010-13-01T08:26:00Z", "2010-02-30T08:26:00Z", "2010-12-01T25:00:00Z", "2010-12-01T08:61:00Z"),
            *(
                "2010-12-01T08:26:00[.5]Z",
                "2010-12-01T24:00:00Z",
                "2010-12-01T08:26:00+25:00",
                "2010-12-01T08:26:00 Europe/London",
            ),
            *("1/12/2010 8:26", "2010-12-1T8:26:00Z", " 2010-12-01T08:26:00Z", "2010-12-01T08:26:00Zx"),
            *(1291191960000, 1291191960, 1291191960000.5, "1291191960000", 2010),
        )
    ),
]
GOOD_LINES = [
    GOOD,
    f" \t{GOOD} \r",
    GOOD + "\r",
    without("country"),
    without("items"),
    having(country=None, items=None),
    having(country=""),
    having(items=[]),
    having(items=[None]),
    having(items=[{}]),
    with_item(product_id=22633, quantity=None, unit_price=3),
    with_item(product_id="[1]", colour="red"),
    with_item(product_id="true"),
    having(event_id=536365, user_id=17850, event_type=1, country=44),
    having(user_id=17850.5),
    having(event_id="true", user_id="{}", event_type="[", country="false"),
    having(extra={"deep": [1, {"a": None}]}, more="x"),
    having(country="Réunion \ufffd 日本"),
    '{"event_id":"first",' + GOOD[1:],
    GOOD.replace(": ", " :\t"),
    having(user_id="O'Brien // {not a comment}"),
    GOOD[:-1] + ',"x-etl-seal":1}',
]
# Escapes of half a surrogate pair, which is not a character, and texts that look like them.
HALVES = [r"a\ud83d", r"\udd8a", r"\uD83D\u0041", r"\udd8a\ud83d", r"\\\ud83d"]
PAIRS = [r"\ud83e\udd8a", r"\uD83E\uDD8A!", r"\\ud83d", r"\\\ud83e\udd8a", "🦊"]
TABLE = [
    *((line, "malformed") for line in MALFORMED),
    *((having(country="@").replace("@", text), "malformed") for text in HALVES),
    *((having(country="@").replace("@", text), None) for text in PAIRS),
    *((line, "missing_event_id") for line in MISSING_EVENT_ID),
    *((line, "missing_user_id") for line in MISSING_USER_ID),
    *((line, "missing_event_type") for line in MISSING_EVENT_TYPE),
    *((line, "wrong_type") for line in WRONG_TYPE),
    *((line, "invalid_timestamp") for line in INVALID_TIMESTAMP),
    *((line, None) for line in GOOD_LINES),
]
TIMESTAMPS = {
    "2010-12-01T08:26:00Z": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
    "2010-12-01T08:26:00+01:00": datetime(2010, 12, 1, 7, 26, tzinfo=UTC),
    "2010-12-01T00:26:00+0100": datetime(2010, 11, 30, 23, 26, tzinfo=UTC),
    "2010-12-01T08:26:00-05:30": datetime(2010, 12, 1, 13, 56, tzinfo=UTC),
    "2010-12-01T08:26:00": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
    "2010-12-01T08:26:00.5": datetime(2010, 12, 1, 8, 26, 0, 500000, tzinfo=UTC),
    "2010-12-01T08:26:00.123456789Z": datetime(2010, 12, 1, 8, 26, 0, 123456, tzinfo=UTC),
    "2010-12-01T08:26:00.120+02:00": datetime(2010, 12, 1, 6, 26, 0, 120000, tzinfo=UTC),
    "2010-12-01T08:26": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
    "2010-12-01T08:26Z": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
    "2010-12-01 08:26:00": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
    "2010-12-01 08:26:00.25+01:00": datetime(2010, 12, 1, 7, 26, 0, 250000, tzinfo=UTC),
    "1969-12-31T23:59:59Z": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    "2012-02-29T00:00:00Z": datetime(2012, 2, 29, tzinfo=UTC),
}


def classify(spark: SparkSession, contract: Contract, lines: list[str] | list[bytes]) -> list[Row]:
    """The classified rows, in the order of the lines."""
    session.configure(spark, 0)
    frame = spark.createDataFrame(list(enumerate(lines)), "at int, value binary")
    texts = frame.selectExpr("at", "cast(value as string) as value")
    return classify_rows(parse_lines(texts, contract), contract).orderBy("at").collect()


def test_each_line_has_the_first_reason_that_fits(each_spark: SparkSession, contract: Contract) -> None:
    rows = classify(each_spark, contract, [line.encode() for line, _ in TABLE])
    wrong = [
        (line[:200], expected, row["reason"])
        for (line, expected), row in zip(TABLE, rows, strict=True)
        if row["reason"] != expected
    ]
    assert wrong == []


def test_the_table_has_every_reason_of_the_contract(contract: Contract) -> None:
    assert {reason for _, reason in TABLE if reason} == set(contract.reasons)


def test_a_good_row_has_the_output_and_a_bad_one_only_its_line(
    spark: SparkSession, contract: Contract
) -> None:
    good, bad = classify(spark, contract, [GOOD.encode(), b" {} \r"])
    assert good.asDict(recursive=True) == {
        "at": 0,
        "reason": None,
        EVIDENCE: None,
        "raw_line": None,
        "event_id": "e-1",
        "user_id": "17850",
        "event_type": "purchase",
        "event_timestamp": good["event_timestamp"],
        "event_date": date(2010, 12, 1),
        "event_category": "commerce",
        "country": "United Kingdom",
        "items": [{"product_id": "85123A", "quantity": 6, "unit_price": 2.55}],
    }
    assert (bad["reason"], bad["raw_line"]) == ("missing_event_id", "{}")
    assert [bad[name] for name in contract.output] == [None] * len(contract.output)


def test_scalars_are_cast_to_text_and_kept_as_they_are(spark: SparkSession, contract: Contract) -> None:
    numbers = having(event_id=12345678901234567890123, user_id=17850.0, country=-7)
    texts = having(event_id=" 007 ", user_id="true", country="{}", event_type="Purchase")
    first, second = classify(spark, contract, [numbers.encode(), texts.encode()])
    assert (first["event_id"], first["user_id"], first["country"]) == (
        "12345678901234567890123",
        "17850.0",
        "-7",
    )
    assert (second["event_id"], second["user_id"], second["country"]) == (" 007 ", "true", "{}")
    assert second["event_category"] == "other"


def test_of_a_repeated_member_the_last_wins(spark: SparkSession, contract: Contract) -> None:
    (row,) = classify(spark, contract, [(GOOD[:-1] + ',"event_id":"last"}').encode()])
    assert (row["reason"], row["event_id"]) == (None, "last")


@pytest.mark.parametrize(
    ("event_type", "category"),
    [
        *(
            (name, "commerce")
            for name in ("purchase", "add_to_cart", "checkout", "cancellation", "adjustment")
        ),
        *((name, "engagement") for name in ("page_view", "search", "click")),
        *((name, "other") for name in ("login", "Purchase", "purchase ")),
    ],
)
def test_the_contract_says_the_category(contract: Contract, event_type: str, category: str) -> None:
    assert contract.category is not None
    assert contract.category.values.get(event_type, contract.category.default) == category


def test_categories_come_from_the_table(spark: SparkSession, contract: Contract) -> None:
    assert contract.category is not None
    names = [*contract.category.values, "login"]
    rows = classify(spark, contract, [having(event_type=name).encode() for name in names])
    expected = [*contract.category.values.values(), contract.category.default]
    assert [row["event_category"] for row in rows] == expected


def test_timestamps_are_read_in_utc(each_spark: SparkSession, contract: Contract) -> None:
    lines = [having(timestamp=text).encode() for text in TIMESTAMPS]
    rows = classify(each_spark, contract, lines)
    assert [row["reason"] for row in rows] == [None] * len(rows)
    read = [row["event_timestamp"].astimezone(UTC) for row in rows]
    assert dict(zip(TIMESTAMPS, read, strict=True)) == TIMESTAMPS
    assert [row["event_date"] for row in rows] == [moment.date() for moment in TIMESTAMPS.values()]


def test_bytes_that_are_not_utf8_are_malformed_and_shown_readably(
    spark: SparkSession, contract: Contract
) -> None:
    broken = GOOD.encode().replace(b"United", b"\xff\xfeited")
    utf16 = GOOD.encode("utf-16")
    rows = classify(spark, contract, [broken, utf16, b"\x80", GOOD.encode()])
    assert [row["reason"] for row in rows] == ["malformed", "malformed", "malformed", None]
    assert "\ufffd\ufffdited Kingdom" in rows[0]["raw_line"]


def test_blank_lines_are_not_rows(spark: SparkSession, contract: Contract) -> None:
    assert classify(spark, contract, [b"", b" ", b"\t \r", b"\r"]) == []
