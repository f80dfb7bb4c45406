"""The listings of a bucket with several sources: the folders of the wanted dates, and names of folders."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from etl import clients, io
from etl.errors import InvalidDelivery, MissingDelivery
from etl.ingest.deliveries import find_deliveries
from etl.ingest.load_plan import load_plan
from etl.ingest.sources import Sources, find_unknown
from plans import plan_of
from shops import CALLS, D1, D2, D3, TILLS, WEB, contract_with, millis

FIRST, SECOND, THIRD = (date.fromisoformat(day) for day in (D1, D2, D3))


class Bucket:
    """The listing of S3, with pages of three keys; records what was listed."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.prefixes: list[str] = []  # of each listing; those of names of folders end in "*"
        self.listed: list[str] = []

    def get_paginator(self, name: str) -> "Bucket":
        assert name == "list_objects_v2"
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, Any]]:
        prefix, delimiter = asked["Prefix"], asked.get("Delimiter")
        self.prefixes.append(prefix + ("*" if delimiter else ""))
        keys = [
            key for key in sorted(self.keys) if key.startswith(prefix) and key > asked.get("StartAfter", "")
        ]
        if delimiter is not None:
            below = {key[len(prefix) :].partition("/") for key in keys}
            names = sorted({f"{prefix}{name}{slash}" for name, slash, _ in below})
            folders = [name for name in names if name.endswith("/") and name != prefix]
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in folders]}
            keys = [name for name in names if name not in folders]
        for index in range(0, len(keys), 3):
            page = keys[index : index + 3]
            self.listed += page
            yield {"Contents": [{"Key": key, "Size": 0 if key.endswith("/") else 5} for key in page]}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    found = Bucket()
    monkeypatch.setitem(clients._clients, "s3", found)
    return found


def sources_of(**changes: Any) -> Sources:
    """The sources of the chain; their keys may be changed, and those of `x-etl`."""
    extension = {
        name: changes.pop(name) for name in list(changes) if name[0].islower() and name == "unknownSources"
    }
    return load_plan(plan_of(json.dumps(contract_with(changes, **extension))), "the plan")[0]


def put(bucket: Bucket, *days: str, sources: tuple[str, ...] = (TILLS, WEB)) -> None:
    for day in days:
        if TILLS in sources:
            bucket.keys.append(f"shops/in/tills/dt={day}/a.csv")
        if WEB in sources:
            bucket.keys.append(f"shops/in/web-shop/{millis(day)}/a.json.gz")


ROOT = "s3://b/shops/"


def test_only_the_folders_of_the_wanted_dates_are_listed(bucket: Bucket) -> None:
    put(bucket, *(f"2025-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)))
    sources = sources_of()
    assert find_unknown(ROOT, sources) == []
    found = find_deliveries(ROOT, sources, SECOND, THIRD)
    assert list(found) == [SECOND, THIRD]
    assert sorted(bucket.prefixes) == [
        "shops/in/*",
        "shops/in/tills/*",
        "shops/in/tills/dt=2025-11-2",
        "shops/in/web-shop/*",
        f"shops/in/web-shop/{millis(D2)}/",
        f"shops/in/web-shop/{millis(D3)}/",
    ]
    wanted = [key for day in (D2, D3) for key in (f"dt={day}/", f"/{millis(day)}/")]
    # The listing of a range reads to the end of its page.
    read = [key for key in bucket.listed if not any(part in key for part in wanted)]
    assert len(read) <= 2


def test_folders_of_milliseconds_have_their_utc_day() -> None:
    layout = io.LAYOUTS["epochMillis"]
    assert layout.folder_of(date(2025, 11, 21)) == "1763683200000"
    assert layout.day_of("1763683200000") == date(2025, 11, 21)
    assert layout.day_of("0") == date(1970, 1, 1)
    for day in (date(1970, 1, 2), date(2001, 9, 9), date(2024, 2, 29), date(9999, 12, 31)):
        assert layout.day_of(layout.folder_of(day)) == day
    strange = [
        "1763683200001",
        "1763683200",
        "01763683200000",
        "-86400000",
        "1763683200000x",
        "",
        " 0",
        "\u0660",
    ]
    assert [layout.day_of(name) for name in (*strange, "9" * 13, str(86400000 * 10**9))] == [None] * 10


def test_folders_of_dates_have_their_day() -> None:
    layout = io.LAYOUTS["dt"]
    assert layout.day_of(layout.folder_of(FIRST)) == FIRST
    strange = [
        "dt=2025-02-30",
        "2025-11-20",
        "dt=20251120",
        "dt=2025-11-20x",
        "DT=2025-11-20",
        "dt=2025-W01-1",
    ]
    assert [layout.day_of(name) for name in strange] == [None] * 6


@pytest.fixture(params=["s3", "directory"])
def place(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> str:
    """A location with strange things beside the folders of sources, and beside those of days."""
    put(bucket, D1)
    bucket.keys += [
        "shops/in/web-shop/1763596800001/a.json",
        "shops/in/web-shop/notes.txt",
        "shops/in/web-shop/_SUCCESS",
        "shops/in/tills/dt=2025-02-30/a.csv",
        "shops/in/phone/1763596800000/a.json",
        "shops/in/readme.md",
        "shops/elsewhere/a.json",
        "shops/in/web-shop/",
    ]
    if request.param == "s3":
        return ROOT
    for key in bucket.keys:
        path = tmp_path / key
        if key.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("abc")
    (tmp_path / "shops/in/empty").mkdir()
    return f"{tmp_path}/shops/"


MILLIS = "as the milliseconds of a UTC midnight, 1763683200000 for 2025-11-21"
NO_SOURCE = "it belongs to no source of the contract (tills, web)"
NO_TILLS = "it is no day of source tills, whose folders are named dt=YYYY-MM-DD"
NO_WEB = f"it is no day of source web, whose folders are named {MILLIS}"


def test_what_belongs_to_no_source_and_to_no_day_is_refused_by_name(place: str) -> None:
    with pytest.raises(InvalidDelivery) as caught:
        find_unknown(place, sources_of())
    declare = 'declare it in x-etl.sources, move it away, or say "unknownSources": "skip" in x-etl'
    rename = 'rename it, move it away, or say "unknownFolders": "skip" in x-etl.sources.'
    assert str(caught.value).split("; ") == [
        f"{place}in/phone/: {NO_SOURCE}: {declare}",
        f"{place}in/readme.md: {NO_SOURCE}: {declare}",
        f"{place}in/tills/dt=2025-02-30/: {NO_TILLS}: {rename}tills",
        f"{place}in/web-shop/1763596800001/: {NO_WEB}: {rename}web",
        f"{place}in/web-shop/notes.txt: {NO_WEB}: {rename}web",
    ]


def test_what_may_be_skipped_is_skipped_by_name(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    skip = {"unknownFolders": "skip"}
    skipped = find_unknown(place, sources_of(tills=skip, web=skip, unknownSources="skip"))
    assert [(one.uri.removeprefix(place), one.why) for one in skipped] == [
        ("in/phone/", NO_SOURCE),
        ("in/readme.md", NO_SOURCE),
        ("in/tills/dt=2025-02-30/", NO_TILLS),
        ("in/web-shop/1763596800001/", NO_WEB),
        ("in/web-shop/notes.txt", NO_WEB),
    ]
    shown = capsys.readouterr()
    for one in skipped:
        assert f"skipped {one.uri}: {one.why}" in shown.out + shown.err
    with pytest.raises(InvalidDelivery, match=r"^[^;]*/in/web-shop/1763596800001/: [^;]*; [^;]*notes\.txt: "):
        find_unknown(place, sources_of(tills=skip, unknownSources="skip"))


def test_many_strange_folders_are_counted(bucket: Bucket) -> None:
    put(bucket, D1)
    bucket.keys += [f"shops/in/s{number:02}/x" for number in range(25)]
    with pytest.raises(InvalidDelivery, match=r"in/s19/: [^;]*; and 5 more$"):
        find_unknown(ROOT, sources_of())


def test_a_folder_that_leads_to_a_source_is_not_strange(bucket: Bucket) -> None:
    bucket.keys = ["shops/a/x", "shops/calls/0/x", "shops/in/tills/dt=2025-11-20/x"]
    calls = {**CALLS, "folder": "calls/"}
    with pytest.raises(InvalidDelivery) as caught:
        find_unknown(ROOT, sources_of(phone=calls))
    assert str(caught.value).startswith(
        "s3://b/shops/a/: it belongs to no source of the contract (tills, web, phone)"
    )
    assert "; " not in str(caught.value)


def test_each_source_that_is_missing_is_named_with_its_date(bucket: Bucket) -> None:
    put(bucket, D1)
    put(bucket, D2, sources=(TILLS,))
    put(bucket, D3, sources=(WEB,))
    with pytest.raises(MissingDelivery) as caught:
        find_deliveries(ROOT, sources_of(), FIRST, THIRD)
    assert str(caught.value) == (
        f"no delivery of source web for {D2} under {ROOT}in/web-shop/{millis(D2)}/; "
        f"no delivery of source tills for {D3} under {ROOT}in/tills/dt={D3}/"
    )


def test_a_source_may_be_missing(bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    put(bucket, D1)
    put(bucket, D2, sources=(TILLS,))
    sources = sources_of(web={"whenMissing": "report"})
    found = find_deliveries(ROOT, sources, FIRST, THIRD)
    assert {day: delivery.missing for day, delivery in found.items()} == {FIRST: (), SECOND: (WEB,)}
    shown = capsys.readouterr()
    told = f"missing: source web has not delivered {D2}, and the run goes on without it"
    assert told in shown.out + shown.err
    # Once it has delivered, it is another delivery, even if that is empty.
    before = found[SECOND].fingerprint
    bucket.keys.append(f"shops/in/web-shop/{millis(D2)}/_SUCCESS")
    now = find_deliveries(ROOT, sources, SECOND, SECOND)[SECOND]
    assert (now.missing, now.files) == ((), found[SECOND].files)
    assert now.fingerprint != before


def test_all_sources_missing_is_a_missing_delivery(bucket: Bucket) -> None:
    put(bucket, D1)
    sources = sources_of(tills={"whenMissing": "report"}, web={"whenMissing": "report"})
    with pytest.raises(MissingDelivery) as caught:
        find_deliveries(ROOT, sources, SECOND, SECOND)
    assert str(caught.value) == f"no delivery of any source (tills, web) under {ROOT} for {D2}"


def test_the_marker_of_an_empty_folder_is_no_delivery(bucket: Bucket) -> None:
    put(bucket, D1)
    bucket.keys += [f"shops/in/web-shop/{millis(D2)}/", f"shops/in/tills/dt={D2}/"]
    with pytest.raises(MissingDelivery, match="no delivery of any source"):
        find_deliveries(ROOT, sources_of(), SECOND, SECOND)
