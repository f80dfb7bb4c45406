"""A file is read to its end, or refused by name before anything is written: nothing that was delivered
vanishes."""

import bz2
import gzip
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import Lake
from etl.errors import InvalidDelivery
from etl.ingest import reading
from etl.ingest.contract import Format
from etl.ingest.packings import find_mistake
from etl.ingest.starts import MAX_NAMED, read_starts
from etl.io import StoredObject
from kinds import KINDS, ROWS, TEXTS, Kind, contract_of, csv_of, json_of, limit, put, quality_of
from pyspark.sql import DataFrame, SparkSession
from support import D1, D2, D3, figures

FORMATS = list(TEXTS)


def stored(path: Path) -> StoredObject:
    return StoredObject(str(path), path.name, path.stat().st_size)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_each_kind_is_told_by_its_first_bytes_and_its_name(tmp_path: Path, kind: Kind, format_: str) -> None:
    path = tmp_path / kind.name
    path.write_bytes(kind.pack(TEXTS[format_](ROWS)))
    (start,) = read_starts([stored(path)], Format(format_))
    assert start.mistake.startswith(kind.says)


@pytest.mark.parametrize("format_", FORMATS)
def test_kinds_that_are_not_read_are_refused_and_nothing_is_written_or_removed(
    lake: Lake, format_: str
) -> None:
    given = {"contract": contract_of(lake, format_), "quality": quality_of(lake)}
    text = TEXTS[format_](ROWS)
    put(lake, D1, "good", text)
    lake.run(D1, **given)
    before = contents(lake)
    for first in range(0, len(KINDS), MAX_NAMED):
        kinds = KINDS[first : first + MAX_NAMED]
        paths = [put(lake, D1, kind.name, kind.pack(text)) for kind in kinds]
        with pytest.raises(InvalidDelivery) as refused:
            lake.run(D1, **given)
        for path, kind in zip(paths, kinds, strict=True):
            assert f"{path}: {kind.says}" in str(refused.value)
            path.unlink()
    assert contents(lake) == before


def contents(lake: Lake) -> dict[str, bytes]:
    zones = (lake.root / zone for zone in ("processed", "quarantine"))
    return {str(path): path.read_bytes() for zone in zones for path in zone.rglob("*") if path.is_file()}


def test_more_files_than_a_message_names_are_counted(lake: Lake) -> None:
    for number in range(MAX_NAMED + 2):
        put(lake, D1, f"{number:02}.json.gzip", gzip.compress(json_of()))
    with pytest.raises(InvalidDelivery, match=r"19\.json\.gz; and 2 more files$"):
        lake.run(D1, contract=contract_of(lake, "jsonLines"), quality=quality_of(lake))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("latin.csv", "id,name\n1,Åsa\n2,Bøb\n".encode("latin-1")),
        ("nul.csv", b"id,name\n1,a\x00b\n" + b"2,plain text\n" * 9),
        ("controls.csv", b"id\x01name\n1\x01a\n"),
        ("far-east.csv", "编号,名\n1,日本語\n".encode() * 300),
        ("a-name-of-a-format.csv", b"PAR1,name\nORC,x\n"),
        ("a-header-alone.csv", b"PAR1\n"),
        ("sequence.tsv", b"SEQ\tID\n1\t2\n"),
        ("sequence.csv", b"SEQ\r\n1\r\n"),
        ("at-its-end.csv", b"FEA1"),
        ("a.b.c", b"id\n"),
        ("x.gz.json", b"{}\n"),
        ("emoji.json", '{"id": 1, "name": "🦊"}\n'.encode() * 200),
        ("nothing-but-space.json", b" \r\n\t\n"),
    ],
)
def test_text_is_text_whatever_it_says(name: str, content: bytes) -> None:
    assert find_mistake(name, content[:4097], content[:4097]) == ""


@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_that_ends_in_nuls_was_not_written_to_its_end(tmp_path: Path, format_: str, size: int) -> None:
    path = tmp_path / "cut"
    path.write_bytes(TEXTS[format_](ROWS) * 300 + bytes(size))
    (start,) = read_starts([stored(path)], Format(format_))
    assert start.mistake.endswith("deliver it whole")


def test_a_name_with_a_line_break_is_a_file_too_and_one_that_ends_in_a_slash_is_refused(
    lake: Lake, spark: SparkSession
) -> None:
    given = {"contract": contract_of(lake, "jsonLines"), "quality": quality_of(lake)}
    put(lake, D1, "a\nb.json", json_of(ROWS))
    assert figures(lake.run(D1, **given))[0] == len(ROWS)
    folder = StoredObject("s3://lake/events/dt=2010-12-01/a/", "dt=2010-12-01/a/", 7)
    assert [start.mistake for start in read_starts([folder], Format("csv"))] == [
        "its name ends in '/', which readers take for a folder: rename it"
    ]


def big_rows() -> list[tuple[int, str]]:
    """Above the 900 kB that a block of bzip2 holds, packed above what is asked for at first."""
    source = Random(3)  # noqa: S311 (no secret)
    return [(1000 + number, f"{source.getrandbits(256):064x}") for number in range(16_000)]


@pytest.mark.parametrize("format_", FORMATS)
def test_what_is_read_is_read_exactly(lake: Lake, spark: SparkSession, format_: str) -> None:
    text, big = TEXTS[format_], big_rows()
    one, two = [(1, "é")], [(2, "two")]
    files = {
        "plain.json": text(one),
        "marked.csv": b"\xef\xbb\xbf" + text(two),
        "no-end.txt": text([(3, "three")])[:-1],
        "crlf.dat": text([(4, "four")]).replace(b"\n", b"\r\n"),
        "a.gz": gzip.compress(text([(5, "five")])),
        "members.gz": gzip.compress(text([(6, "six")])[:9]) + gzip.compress(text([(6, "six")])[9:]),
        "a.bz2": bz2.compress(text([(7, "seven")])),
        "streams.bz2": bz2.compress(text([(8, "eight")])[:9]) + bz2.compress(text([(8, "eight")])[9:]),
        "big.bz2": bz2.compress(text(big)),
        "nothing.gz": gzip.compress(b""),
        "nothing.bz2": bz2.compress(b""),
        "blank.gz": gzip.compress(b"\r\n \n"),
    }
    for name, content in files.items():
        put(lake, D1, name, content)
    books = lake.run(D1, contract=contract_of(lake, format_), quality=quality_of(lake))
    names = ["é", "two", "three", "four", "five", "six", "seven", "eight"]
    expected = [*enumerate(names, 1), *big]
    assert sorted((row["id"], row["name"]) for row in lake.rows(spark, "processed")) == expected
    assert figures(books) == (len(expected), len(expected), 0, 0)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_packed_file_that_is_not_whole_ends_the_run_by_name(lake: Lake, format_: str) -> None:
    text = TEXTS[format_](big_rows()[:3000])
    whole = gzip.compress(text)
    put(lake, D1, "good.gz", whole)
    hole = whole[:70_000] + bytes([whole[70_000] ^ 255]) + whole[70_001:]
    broken = {
        "cut.gz": whole[:-9],
        "cut-in-its-end.gz": whole[:-2],
        "followed.gz": whole + b"something",
        "padded.gz": whole + bytes(100),
        "hole.gz": hole,
    }
    paths = [put(lake, D1, name, content) for name, content in broken.items()]
    with pytest.raises(InvalidDelivery) as refused:
        lake.run(D1, contract=contract_of(lake, format_), quality=quality_of(lake))
    told = str(refused.value).split("; ")
    assert [one.partition(": ")[0] for one in told] == sorted(map(str, paths))
    assert all("cannot be unpacked to its end (" in one for one in told)
    assert contents(lake) == {}


def test_bzip2_that_was_cut_between_two_blocks_is_refused(lake: Lake) -> None:
    packed = bz2.compress(json_of(big_rows()))
    bits = "".join(f"{byte:08b}" for byte in packed)
    second = bits.index(f"{0x314159265359:048b}", 40) // 8
    path = put(lake, D1, "cut.bz2", packed[: second + 1])
    with pytest.raises(InvalidDelivery, match=f"^{path}: its bzip2 is cut, or something follows it"):
        lake.run(D1, contract=contract_of(lake, "jsonLines"), quality=quality_of(lake))


@pytest.mark.parametrize("format_", FORMATS)
def test_empty_is_proved(lake: Lake, spark: SparkSession, format_: str) -> None:
    given = {"contract": contract_of(lake, format_), "quality": quality_of(lake)}
    put(lake, D1, "a", TEXTS[format_](ROWS))
    put(lake, D2, "a", TEXTS[format_]([(99, "other")]))
    lake.run(D1, D2, **given)
    put(lake, D1, "a", TEXTS[format_]([]) + b" \r\n\n\t")
    put(lake, D1, "b.gz", gzip.compress(b"\n" * 100_000))
    put(lake, D1, "c", b"")
    put(lake, D1, "_SUCCESS", b'{"committer": "x"}')
    books = lake.run(D1, run_id="run-2", **given)
    assert (books["outcome"], figures(books)) == ("EMPTY", (0, 0, 0, 0))
    assert lake.dates("processed") == [D2]


def unread(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Makes Spark silently read nothing from the files of that name."""
    read = reading.read_lines

    def read_others(*given: Any, **others: Any) -> DataFrame:
        lines = read(*given, **others)
        return lines.filter(~lines["file_path"].endswith(f"/{name}"))

    monkeypatch.setattr(reading, "read_lines", read_others)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_of_which_nothing_was_read_ends_the_run(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    given = {"contract": contract_of(lake, format_), "quality": quality_of(lake)}
    for day, rows in ((D1, ROWS[:1]), (D2, ROWS[1:2]), (D3, ROWS[2:3])):
        put(lake, day, "seen", TEXTS[format_](rows))
    lake.run(D1, D3, **given)
    before = contents(lake)
    path = put(lake, D2, "lost", TEXTS[format_](ROWS[:9]))
    unread(monkeypatch, "lost")
    size = path.stat().st_size
    message = f"^{path}: no row was read from its {size} bytes, and they are not blank lines: check the file"
    with pytest.raises(InvalidDelivery, match=message):
        lake.run(D1, D3, "run-2", **given)
    put(lake, D2, "seen", b"")
    with pytest.raises(InvalidDelivery, match=message):
        lake.run(D2, run_id="run-2", **given)
    assert contents(lake) == before


def test_a_file_of_which_nothing_was_read_ends_a_run_that_appends_or_merges(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"contract": contract_of(lake, "jsonLines"), "quality": quality_of(lake)}
    put(lake, D1, "lost", json_of())
    unread(monkeypatch, "lost")
    table = {"table_format": "iceberg", "output_database": "kinds", "output_table": "lost"}
    for mode in ({"write_mode": "append"}, {"write_mode": "merge", "order_column": "run_date"}):
        with pytest.raises(InvalidDelivery, match="no row was read from its"):
            lake.run(D1, **given, **table, **mode)


def test_a_file_that_nobody_reads_is_no_proof_that_nothing_was_delivered(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"contract": contract_of(lake, "jsonLines"), "quality": quality_of(lake)}
    put(lake, D1, "a.json", json_of())
    lake.run(D1, **given)
    before = contents(lake)
    put(lake, D1, "a.json", b"")
    path = put(lake, D1, "_temporary/part.json", json_of())
    with pytest.raises(InvalidDelivery, match=f"^{path}: nothing else was delivered, and a name that begins"):
        lake.run(D1, **given)
    assert contents(lake) == before
    put(lake, D1, "a.json", json_of())
    assert lake.run(D1, run_id="run-2", **given)["outcome"] == "SUCCEEDED"
    assert (
        f"1 files are left out, because their names begin with '_' or '.': {path}\n"
        in capsys.readouterr().out
    )


BY_DEFAULT = "(at most 10 % by default; a quarantineLimit rule sets another share)"


@pytest.mark.parametrize(
    ("rules", "rubbish", "failed"),
    [
        ([], 1, ""),
        ([], 2, f"lines_are_readable: 2 of 11 {BY_DEFAULT}"),
        ([limit(1)], 2, f"lines_are_readable: 2 of 11 {BY_DEFAULT}"),
        ([limit(0, "warn")], 2, f"few: 2 of 11; lines_are_readable: 2 of 11 {BY_DEFAULT}"),
        ([limit(0.1, reason="wrong_type")], 2, f"lines_are_readable: 2 of 11 {BY_DEFAULT}"),
        ([limit(0.2)], 2, ""),
        ([limit(0.05)], 1, "few: 1 of 10"),
    ],
)
def test_rubbish_is_refused_unless_a_rule_allows_its_share(
    lake: Lake, rules: list[dict[str, Any]], rubbish: int, failed: str
) -> None:
    put(lake, D1, "a", json_of(ROWS[:9]) + b"rubbish\n" * rubbish)
    books = lake.run(D1, contract=contract_of(lake, "jsonLines"), quality=quality_of(lake, *rules))
    told = books["quality"]["failed"] if books["outcome"] == "REFUSED" else ""
    assert told == failed
    assert books["outcome"] == ("REFUSED" if failed else "SUCCEEDED")


@pytest.mark.parametrize(
    ("share", "rows", "is_refused"), [(0.05, 8, True), (0.2, 8, False), (0.05, 9, False)]
)
def test_one_date_of_rubbish_does_not_hide_among_others(
    lake: Lake, share: float, rows: int, is_refused: bool
) -> None:
    given = {
        "contract": contract_of(lake, "csv"),
        "quality": quality_of(lake, limit(share)),
    }
    put(lake, D1, "a", csv_of(ROWS))
    put(lake, D2, "a", csv_of(ROWS[:rows]) + b"rubbish\n")
    put(lake, D3, "a", csv_of(ROWS))
    books = lake.run(D1, D3, **given)
    assert books["outcome"] == ("REFUSED" if is_refused else "SUCCEEDED")
    told = f"lines_are_readable on {D2}: 1 of {rows + 1}" if is_refused else ""
    assert books["quality"]["failed"].partition(" (")[0] == told
    if is_refused:
        assert f"{told} rows are malformed (11.11 %, at most 10 % of a date)." in books["refused"]["cause"]
