"""CSV files of every declared format: read as they were written, refused by name, or quarantined."""

import csv
import gzip
import io as streams
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from etl.errors import InvalidDelivery
from etl.ingest.contract import Column, Contract, Format, Rule, Shape, Source
from etl.ingest.deliveries import Delivery, Part, RawRows
from etl.ingest.escapes import ends_escaped, ends_text_escaped, hide, hide_text, show, show_text
from etl.ingest.file_lines import decode, has_text, read_file_lines
from etl.ingest.find_rejected import find_rejected
from etl.ingest.headers import find_layouts
from etl.ingest.packings import find_mistake
from etl.ingest.plan_run import parse_files
from etl.ingest.quotes import Place, end_of, ends_open, find_open_text
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.io import StoredObject
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from support import D1, only_source

DAY = date.fromisoformat(D1)
NAMES = ("id", "text", "more")
TABLE = ("more", "id", "text", "end")
PYTHON = {"UTF-8": "utf-8", "ISO-8859-1": "latin-1", "windows-1252": "cp1252"}


def contract_of(format_: Format, names: Sequence[str] = NAMES) -> Contract:
    """Columns of texts behind an integer `id`, all under their own names."""
    return Contract(
        columns=tuple(Column(name, "integer" if name == "id" else "string") for name in names),
        business_key=("id",),
        rules=(
            Rule("malformed", "notAnObject", None),
            Rule("missing_id", "missing", "id"),
            Rule("wrong_type", "wrongType", None),
        ),
        timestamp=None,
        category=None,
        output=(*names, *(["unknown_columns"] if format_.unknown_columns == "keep" else [])),
        lookback_days=0,
        on_drift="report",
        format=format_,
        shapes=(Shape("", {name: Source(name) for name in names}),),
    )


def put(folder: Path, content: str | bytes, name: str = "a.csv") -> StoredObject:
    path = folder / f"dt={D1}" / name
    path.parent.mkdir(exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return StoredObject(str(path), name, path.stat().st_size)


def read(spark: SparkSession, contract: Contract, *files: StoredObject) -> list[Row]:
    """The judged rows of the files, in order, as a run reads them."""
    frame = raw_of(spark, contract, *files).of([DAY])
    return [] if frame is None else frame.orderBy("file_path", "row_id").collect()


def raw_of(spark: SparkSession, contract: Contract, *files: StoredObject) -> RawRows:
    def judge(lines: DataFrame, stored: Sequence[StoredObject], of: Contract) -> DataFrame | None:
        parsed = parse_files(lines, stored, of)
        return None if parsed is None else classify_rows(parsed, of)

    source = str(Path(files[0].uri).parent.parent) + "/"
    raw = RawRows(spark, judge, "malformed")
    (only,) = only_source(contract).all
    raw.add([Delivery(DAY, source, (Part(only, source, files),))])
    return raw


def good(rows: Sequence[Row], names: Sequence[str] = NAMES) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows if row["reason"] is None]


def bad(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [(row["raw_line"], row["reason"]) for row in rows if row["reason"] is not None]


def refusal(spark: SparkSession, contract: Contract, *files: StoredObject) -> list[str]:
    """The messages that refuse the files, each by its name."""
    with pytest.raises(InvalidDelivery) as caught:
        read(spark, contract, *files)
    return shown(caught.value)


def shown(error: InvalidDelivery) -> list[str]:
    """The mistakes, each with the name of its file alone."""
    return re.split(rf"(?:^|; )/\S*/dt={D1}/", str(error))[1:]


# -- Any format: what another writer writes is read back --


@dataclass(frozen=True)
class Table:
    """A file of a format, and its rows."""

    data: bytes
    rows: list[tuple[int, str | None, str | None]]


def any_format(source: Random) -> Format:
    encoding = source.choice(["UTF-8", "UTF-8", "ISO-8859-1", "windows-1252"])
    signs = [",", ";", "\t", "|", "\x01", "\x1d", "§", ".", "\\", "^", "$", " ", "-", "["]
    signs += ["🦊", "€"] if encoding == "UTF-8" else []
    delimiter = source.choice(signs)
    others = [sign for sign in (*signs, "#", "~", "'") if sign not in (delimiter, " ", "\t")]
    escape, comment = source.sample(others, k=2)
    has_quotes = source.random() < 0.7
    has_escape = source.random() < 0.6
    is_multi_line = (has_quotes or has_escape) and source.random() < 0.5
    return Format(
        "csv",
        delimiter,
        is_multi_line=is_multi_line,
        has_quotes=has_quotes,
        escape=escape if has_escape else None,
        encoding=encoding,
        skip_top=source.choice([0, 0, 1, 3]),
        skip_bottom=source.choice([0, 0, 1, 2]),
        comment=None if is_multi_line or source.random() < 0.5 else comment,
        columns=source.choice([(), TABLE]),
    )


def any_text(source: Random, format_: Format) -> str:
    parts = ["a", "1", " ", ",", "é", "Ü", "'", "\x02", "\x0b", "\x85", "N", "=", '""', '"', "\\n", "#", "\\"]
    parts += [part for part in (format_.delimiter, format_.escape, format_.comment) if part]
    if format_.encoding == "UTF-8":
        parts += ["日本", "\ufdd0", "\ufdd1\ufdd2", "🦊"]
    if format_.encoding != "UTF-8":
        parts += ["ÿ", "¿", "\xa0"]
    if format_.encoding == "windows-1252":
        parts = [part for part in parts if part != "\x85"] + ["€", "™", "œ"]
    if format_.is_multi_line:
        parts += ["\n", "\r\n", "\n\n", "2,forged\n"]
    if format_.has_quotes or format_.escape:
        parts += ["\r"]
    text = "".join(source.choices(parts, k=source.choice([0, 1, 2, 3, 7])))
    if not format_.has_quotes and format_.escape is None:
        text = text.replace(format_.delimiter, "")
    return text


def any_table(source: Random, format_: Format, first: int) -> Table:
    """Written by Python's csv, with what the format leaves out around it."""
    end = source.choice(["\n", "\r\n"])
    lines = streams.StringIO(newline="")
    is_doubled = format_.escape is None or source.random() < 0.5
    writer = csv.writer(
        lines,
        delimiter=format_.delimiter,
        quoting=source.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]) if format_.has_quotes else csv.QUOTE_NONE,
        quotechar='"' if format_.has_quotes or format_.escape else None,
        escapechar=format_.escape,
        doublequote=is_doubled,
        lineterminator=end,
        strict=True,
    )
    lines.write("".join(any_line(source) + end for _ in range(format_.skip_top)))
    # A carriage return at the end of a line is part of the line end, so the last field never has one.
    names = format_.columns or (*source.sample(NAMES, k=3), "end")
    if not format_.columns:
        lines.write(any_gap(source, format_, end))
        writer.writerow(names)
    rows = []
    for number in range(first, first + source.randint(1, 25)):
        lines.write(any_gap(source, format_, end))
        text, more = any_text(source, format_), any_text(source, format_)
        row = {"id": str(number), "text": text, "more": more, "end": "z"}
        # A line that begins with the comment character is no row.
        if format_.comment and row[names[0]].startswith(format_.comment):
            row[names[0]] = f"x{row[names[0]]}"
        writer.writerow([row[name] for name in names])
        rows.append((number, row["text"] or None, row["more"] or None))
    lines.write(end.join(["", *(f"{any_line(source)}x" for _ in range(format_.skip_bottom)), "", " "]))
    data = lines.getvalue().encode(PYTHON[format_.encoding])
    is_marked = format_.encoding == "UTF-8" and source.random() < 0.3
    return Table(b"\xef\xbb\xbf" + data if is_marked else data, rows)


def any_line(source: Random) -> str:
    return "".join(source.choices(["a", '"', " ", ";", "é", "# "], k=source.randint(0, 5)))


def any_gap(source: Random, format_: Format, end: str) -> str:
    """Lines between two rows, which are not rows."""
    gaps = ["", "", "", end, f" \t{end}"]
    if format_.comment:
        gaps += [f"{format_.comment}{any_line(source)}{end}"] * 3
    return "".join(source.choices(gaps, k=2))


FORMATS = [
    Format("csv", "\\", comment="#"),
    Format("csv", "§", comment="¶"),
    Format("csv", "🦊", escape="\\", is_multi_line=True, skip_top=2, skip_bottom=1),
    Format("csv", "\x01", has_quotes=False, escape="^", encoding="windows-1252", columns=TABLE),
    Format("csv", "|", has_quotes=False, encoding="ISO-8859-1", comment="§", skip_bottom=2),
    Format("csv", ".", encoding="windows-1252", comment="€", escape="'"),
    Format("csv", "\t", comment="#", columns=TABLE),
    Format("csv", "$", is_multi_line=True, columns=TABLE, skip_top=1),
    any_format(Random(0)),  # noqa: S311 (no secret)
]


@pytest.mark.parametrize("at", range(len(FORMATS)))
def test_a_file_of_any_format_is_read_as_it_was_written(spark: SparkSession, tmp_path: Path, at: int) -> None:
    format_, source = FORMATS[at], Random(at)  # noqa: S311
    tables = [any_table(source, format_, number * 100) for number in range(6)]
    files = [
        put(tmp_path, table.data, f"{at}.csv{source.choice(['', '', '.gz'])}")
        for at, table in enumerate(tables)
    ]
    spark.conf.set("spark.sql.files.maxPartitionBytes", "700")
    try:
        rows = read(spark, contract_of(format_), *files)
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert bad(rows) == []
    assert good(rows) == [row for table in tables for row in table.rows]


def test_python_sees_the_records_of_any_format() -> None:
    """The code that proves a file empty, or finds a text that does not end, sees the rows that Spark sees."""
    source = Random(31)  # noqa: S311
    for _ in range(300):
        format_ = any_format(source)
        table = any_table(source, format_, 0)
        lines = list(read_file_lines(streams.BytesIO(table.data), format_))
        assert find_open_text(lines, format_) == ""
        records, is_blank, place = 0, True, Place.BETWEEN
        for _, line in lines:
            is_blank &= not has_text(line)
            place = end_of(decode(line, format_), format_, place)
            if place is Place.BETWEEN:
                records, is_blank = records + (not is_blank), True
        assert records == len(table.rows) + (not format_.columns), format_


# -- Escapes --

DATA = 'if the escape character is data, say no "escape"'
BACKSLASH = Format("csv", escape="\\")
ESCAPED = [
    (r"1,north rocks\,au,NSW", (1, "north rocks,au", "NSW")),
    (r'2,"say \"hi\" now",NSW', (2, 'say "hi" now', "NSW")),
    (r'3,"a ""b"" \"c\"",NSW', (3, 'a "b" "c"', "NSW")),
    (r"4,C:\tmp,NSW", (4, "C:tmp", "NSW")),
    (r'5,"C:\tmp","\\"', (5, "C:tmp", "\\")),
    (r"6,\"a,\"\"", (6, '"a', '""')),
    (r"7,a\\,\\\,b", (7, "a\\", "\\,b")),
    (r'8,"\\","""\""', (8, "\\", '""')),
    (r"\9,\,,", (9, ",", None)),
    ("10,\ufdd0\\\ufdd1,\ufdd0\ufdd2", (10, "\ufdd0\ufdd1", "\ufdd0\ufdd2")),
    ("11,a\\\r\r", None),
    (r'12,a"\"b",c', None),
    (r'13,"a"\"b,c', None),
    (r'14,"a\",b",c,d', None),
    (r"15,a\,b", None),
]


def test_an_escape_takes_the_meaning_from_the_next_character(
    each_spark: SparkSession, tmp_path: Path
) -> None:
    content = "\n".join(["id,te\\xt,more", *(line for line, _ in ESCAPED)])
    rows = read(each_spark, contract_of(BACKSLASH), put(tmp_path, content))
    assert good(rows) == [row for _, row in ESCAPED if row]
    malformed = [(line.rstrip("\r"), "malformed") for line, row in ESCAPED if not row]
    assert bad(rows) == malformed


def test_texts_and_lines_that_do_not_end_are_refused_by_file_and_line(
    spark: SparkSession, tmp_path: Path
) -> None:
    escaped = "ends with the escape character, so that the line end is part of its last field"
    files = {
        "a.csv": (
            "id,text,more\n1,a,b\\\n2,forged,c\n",
            f'line 2 {escaped}: if that is so, say "multiLine": ',
        ),
        "b.csv": ("id,text,more\r\n\r\n1,a,b\\\r\n2,a,b", f"line 3 {escaped}: if that is so"),
        "c.csv": (
            'id,text,more\n3,"ends with backslash\\",NSW\n',
            "line 2 has a quoted text that does not end ",
        ),
        "d.csv": ("id,text,more\\\n", f"line 1 {escaped}"),
    }
    contract = contract_of(BACKSLASH)
    stored = [put(tmp_path, content, name) for name, (content, _) in files.items()]
    assert [one.partition(": ")[0] for one in refusal(spark, contract, *stored)] == ["d.csv"]
    found = refusal(spark, contract, *stored[:3])
    for one, (name, (_, says)) in zip(found, files.items(), strict=False):
        assert one.startswith(f"{name}: {says}")
    multi = contract_of(replace(BACKSLASH, is_multi_line=True))
    never = put(tmp_path, "id,text,more\n1,a,b\\\n2,c\n3,d,e\\", "e.csv")
    assert refusal(spark, multi, never) == [
        f"e.csv: line 4 {escaped}, and no line follows: deliver the file whole; or, {DATA}"
    ]


def test_escaped_line_ends_are_part_of_a_field(spark: SparkSession, tmp_path: Path) -> None:
    """As MySQL and Redshift write them; in files with carriage returns MySQL escapes these alone."""
    lines = ["id|text|more", "1|a\\", '"b|c', "2|\\", "\\", "|\\|x", '3|"\\|', "", "5|x|y\\\\"]
    contract = contract_of(Format("csv", "|", is_multi_line=True, has_quotes=False, escape="\\"))
    for name, end in (("a.csv", "\n"), ("b.csv", "\r\n")):
        rows = read(spark, contract, put(tmp_path, end.join(lines), name))
        assert good(rows) == [(1, f'a{end}"b', "c"), (2, end * 2, "|x"), (5, "x", "y\\")]
        assert bad(rows) == [('3|"\\|', "malformed")]
    # Below such a line end a quote opens no text.
    file = put(tmp_path, 'id,text,more\n1,a\\\n"b,c\n2,a\\\n\\"b,c\n', "c.csv")
    rows = read(spark, contract_of(replace(BACKSLASH, is_multi_line=True)), file)
    assert (good(rows), bad(rows)) == ([(2, 'a\n"b', "c")], [('1,a\\\n"b,c', "malformed")])


def test_a_word_for_null_may_be_written_with_the_escape(spark: SparkSession, tmp_path: Path) -> None:
    contract = contract_of(BACKSLASH)
    columns = tuple(replace(column, nulls=("\\N",)) for column in contract.columns)
    rows = read(
        spark, replace(contract, columns=columns), put(tmp_path, 'id,text,more\n1,\\N,N\n2,"\\N",\\\\n\n')
    )
    assert good(rows) == [(1, None, "N"), (2, None, "\\n")]


ANY_ESCAPES = [
    Format("csv", escape="\\"),
    Format("csv", "|", escape="^", has_quotes=False),
    Format("csv", "\ufdd0", escape="\ufdd1"),
    Format("csv", "$", escape="§", is_multi_line=True),
]


def any_escaped(source: Random, format_: Format, most: int = 9) -> str:
    signs = [
        '"',
        format_.delimiter,
        "a",
        '""',
        format_.escape or "",
        f"{format_.escape}\r",
        "\ufdd0",
        "\ufdd2",
    ]
    return "".join(source.choices(signs, k=source.randint(0, most)))


def test_spark_and_python_see_the_same_escapes(spark: SparkSession) -> None:
    source = Random(21)  # noqa: S311
    lines = [(at, any_escaped(source, format_)) for at, format_ in enumerate(ANY_ESCAPES) for _ in range(300)]
    # No length of a line may cost the worker its stack.
    lines += [(0, '\\"' * 300_000), (0, '"' + "\\\\" * 200_000 + '",a'), (3, "§$" * 200_000 + "§")]
    hidden = F.coalesce(
        *(F.when(F.col("at") == at, hide(F.col("line"), one)) for at, one in enumerate(ANY_ESCAPES))
    )
    seen = [
        F.when(F.col("at") == at, F.struct("bare", show(F.col("bare"), one), *ends_of(F.col("bare"), one)))
        for at, one in enumerate(ANY_ESCAPES)
    ]
    frame = spark.createDataFrame(lines, "at int, line string").withColumn("bare", hidden)
    for at, line, found in frame.select("at", "line", F.coalesce(*seen)).collect():
        format_ = ANY_ESCAPES[at]
        bare = hide_text(line, format_)
        is_open = end_of(line, format_) is Place.TEXT
        expected = (bare, show_text(bare, format_), ends_text_escaped(bare, format_), is_open)
        assert tuple(found) == expected, line[:99]


def ends_of(bare: SparkColumn, format_: Format) -> tuple[SparkColumn, SparkColumn]:
    return ends_escaped(bare, format_), ends_open(bare, format_)


def test_a_line_goes_on_where_a_parser_of_its_own_says_so() -> None:
    """Python's parser decides whether the next line belongs to the record."""
    source = Random(22)  # noqa: S311
    for format_ in ANY_ESCAPES:
        rules: dict[str, Any] = {"delimiter": format_.delimiter, "escapechar": format_.escape}
        rules |= {} if format_.has_quotes else {"quoting": csv.QUOTE_NONE}
        for _ in range(5000):
            line, below = (any_escaped(source, format_, most).replace("\r", "") for most in (9, 3))
            text = [f"{line}\n", f"{below}\n", "z"]
            try:
                list(csv.reader(text, strict=True, **rules))
            except csv.Error as error:
                if "expected after" in str(error):
                    continue  # text beside a quoted text, which is malformed anyway
            place = end_of(line, format_)
            ends = (place is Place.BETWEEN) + (end_of(below, format_, place) is Place.BETWEEN)
            assert len(list(csv.reader(text, **rules))) == ends + 1, (line, below)


# -- Headers --


def test_empty_names_at_the_end_of_a_header_are_no_columns(each_spark: SparkSession, tmp_path: Path) -> None:
    lines = ["1,a,b", "2,a,b,", "3,a,b,,", "4,a,b,,v", '5,"a,""x",b,"w"', "6,a", "7,a,b,,,", '8,"a",b,"",""']
    spare = put(tmp_path, "\n".join(["id,text,more,,", *lines, ""]), "a.csv")
    middle = put(tmp_path, "id,,text,more,note\n11,x,a,b,n\n12,,a,b,\n13,a,b,c\n", "b.csv")
    twice = put(tmp_path, "id,note,text,more,note\n21,x,a,b,y\n", "c.csv")
    ignored = read(each_spark, contract_of(Format("csv")), spare, middle, twice)
    assert [row["id"] for row in ignored if row["reason"] is None] == [1, 2, 3, 4, 5, 8, 11, 12, 21]
    kept = read(each_spark, contract_of(Format("csv", unknown_columns="keep")), spare, middle)
    assert {row["id"]: row["unknown_columns"] for row in kept if row["unknown_columns"] is not None} == {
        4: {"column 5": "v"},
        5: {"column 4": "w"},
        11: {"column 2": "x", "note": "n"},
        12: {"note": None},
    }
    refused = read(each_spark, contract_of(Format("csv", unknown_columns="refuse")), spare)
    assert [row["id"] for row in refused if row["reason"] is None] == [1, 2, 3, 8]
    assert len(bad(refused)) == 4
    bare = read(each_spark, contract_of(Format("csv", has_quotes=False, unknown_columns="keep")), spare)
    assert [row["id"] for row in bare if row["reason"] is None] == [1, 2, 3, 4, 5, 8]
    assert bare[4]["unknown_columns"] == {"column 4": "b", "column 5": '"w"'}


BINARY = Random(1).randbytes(3000)  # noqa: S311
HEADERS: list[tuple[Format, str | bytes, str]] = [
    (
        Format("csv"),
        "sep=,\nid,text,more\n",
        "its line 1 is 'sep=,', which is for Excel: say \"skipTop\": 1 in x-etl.format",
    ),
    (
        Format("csv"),
        '\ufeff\r\n"SEP=\t"\r\n',
        """its line 2 is '"SEP=\\t"\\r', which is for Excel: say "skipTop": 2 in x-etl.format, and """
        '"delimiter": "\\t"',
    ),
    (
        Format("csv", columns=NAMES),
        "sep=;\n1;a;b\n",
        "its line 1 is 'sep=;', which is for Excel: say \"skipTop\"",
    ),
    (
        Format("csv", columns=NAMES, comment="#"),
        '#\n"id",text,more\r\n1,a,b\n',
        'its line 2 names the columns: if each file has such a line, say no "columns" in x-etl.format, or '
        '"skipTop": 2',
    ),
    (
        Format("csv", columns=NAMES),
        "1,a,b\r2,c,d\r",
        "its lines end with a carriage return and no line feed: ",
    ),
    (
        Format("csv", has_quotes=False),
        "id,text,more\r1,a,b\r",
        "its lines end with a carriage return and no ",
    ),
    (
        Format("csv"),
        b"id,text,M\xe4hr\n",
        "its header 'id,text,M\ufffdhr' is not a line of CSV in UTF-8: 'utf-8' codec can't decode byte "
        "0xe4 in position 9: invalid continuation byte; if it is in another encoding, say "
        '"encoding": "windows-1252" or "ISO-8859-1" in x-etl.format',
    ),
    (
        Format("csv", encoding="windows-1252"),
        b"id,text,\x81\n",
        "its header 'id,text,\ufffd' is not a line of CSV in windows-1252: 'charmap' codec can't decode byte",
    ),
    (
        Format("csv"),
        "Report; January\nid;text;more\n",
        "its header 'Report; January' lacks of the contract's own names 'id', 'text', 'more' (if it is no "
        'header, say in x-etl.format which "delimiter" the file has, how many lines are above its header as '
        '"skipTop", or, if it has none, its "columns")',
    ),
    (Format("csv"), "id,text,more,text\n", "its header names 'text' more than once"),
    (Format("csv", unknown_columns="keep"), "id,text,more,x,x\n", "its header names 'x' more than once"),
    (
        Format("csv", unknown_columns="refuse"),
        "id,,text,more,x,\n",
        "its header has unknown columns 'column 2', 'x'",
    ),
    (
        Format("csv", comment="#"),
        "#\n #id,text,more\n",
        "its header ' #id,text,more' has space before the comment character",
    ),
    (
        Format("csv", columns=("id", "text")),
        "1,a\n",
        '"columns" in x-etl.format lack of the contract\'s own names',
    ),
    (
        Format("csv", comment="#", columns=NAMES),
        "#\n" * 600_000,
        "its first 1048576 bytes do not hold a line that is a row",
    ),
    (
        Format("csv", skip_top=1),
        "x\n" + "i" * 1_100_000,
        "its first 1048576 bytes do not hold a whole header",
    ),
    (
        Format("csv", encoding="ISO-8859-1"),
        "\ufeffid,text,more\n",
        "it is text in UTF-8, as its byte-order mark says",
    ),
    *(
        (
            Format("csv", encoding=encoding),
            "id,text,more\n1,a,b\n".encode(wide),
            f"it is text in {says}: convert it, e.g. iconv -f {says} -t {encoding} old > new",
        )
        for encoding in PYTHON
        for wide, says in (("utf-16", "UTF-16"), ("utf-16-le", "UTF-16LE"), ("utf-32-be", "UTF-32BE"))
    ),
    *(
        (Format("csv", encoding=encoding), BINARY, f"it is binary data, not text in {encoding}")
        for encoding in PYTHON
    ),
]


def test_a_file_that_cannot_be_read_right_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for number, (format_, content, says) in enumerate(HEADERS):
        file = put(tmp_path, content, f"{number}.csv")
        with pytest.raises(InvalidDelivery) as caught:
            find_layouts([file], contract_of(format_))
        assert shown(caught.value)[0].startswith(f"{number}.csv: {says}")


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        (Format("csv", "\x01"), b"x\x01y\n1\x012\n"),
        (Format("csv", "\x01"), b"Obj\x01y\n"),
        (Format("csv", "\x03"), b"ORC\x03\xff\n"),
        (Format("csv", "\x01"), b"1\x01\xe4\x012\x013\n" * 40),
        (Format("csv", "\x1d", escape="\x02", encoding="ISO-8859-1"), b"1\x1d\xe4\x02\x1d\n" * 40),
        (Format("csv", encoding="windows-1252"), "a,b\n1,€\x0b\n".encode("cp1252") * 40),
    ],
)
def test_declared_control_characters_are_text(format_: Format, content: bytes) -> None:
    assert find_mistake("a.csv", content, content, format_) == ""


# -- Encodings --


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252"])
def test_each_text_is_shown_in_its_own_characters(spark: SparkSession, tmp_path: Path, encoding: str) -> None:
    special = "€„œ\x81" if encoding == "windows-1252" else "\x80\x84\x9c\x81"
    format_ = Format("csv", "§", unknown_columns="keep", encoding=encoding, comment="¶", skip_top=1)
    lines = [
        "Bericht für März",
        "¶ Größe",
        "größe§id§text§more",
        f"ä§1§{special[:3]}ÿþ§ß",
        "¶ 9§x",
        f"x§zwölf§{special[:3]}§ß",
        "x§13§zu§viele§ß",
        f"x§14§{special[3]}§ß",
    ]
    upper = {special[3]: b"\x81"} if encoding == "windows-1252" else {}
    data = b"".join(upper.get(sign) or sign.encode(PYTHON[encoding]) for sign in "\r\n".join(lines))
    file, contract = put(tmp_path, data), contract_of(format_)
    frame = raw_of(spark, contract, file).of([DAY])
    assert frame is not None
    rows = frame.orderBy("row_id").collect()
    expected = [(1, f"{special[:3]}ÿþ", "ß"), *([(14, "\x81", "ß")] if not upper else [])]
    assert good(rows) == expected
    assert rows[0]["unknown_columns"] == {"größe": "ä"}
    shown_lines = [(lines[5], "wrong_type"), (lines[6], "malformed")]
    assert bad(rows) == shown_lines + ([("x§14§\ufffd§ß", "malformed")] if upper else [])
    explained = explain_rejected(frame, contract).orderBy("row_id").collect()
    assert explained[0]["reason_values"] == {"id": "zwölf"}
    counts = {"wrong_type": 1, "malformed": len(rows) - len(expected) - 1}
    found = find_rejected(frame, contract, (), counts, files=[file], with_places=True)
    assert [(one.reason, one.first and (one.first.line, one.first.value)) for one in found] == [
        ("malformed", (7, None)),
        ("wrong_type", (6, "zwölf")),
    ]


# -- Lines that are left out --


def test_a_file_must_have_the_lines_that_are_left_out(spark: SparkSession, tmp_path: Path) -> None:
    ends = Format("csv", skip_top=2, skip_bottom=1)
    header = "id,text,more\n"
    files = {
        "a.csv": f"top\ntop\n{header}1,a,b\nbottom\n",
        "b.csv": f"{header}1,a,b\n",
        "c.csv": f"top\n\n{header}",
        "d.csv": "\n \n",
        "e.csv": f"top\ntop\n{header}bottom",
        "f.csv": "top\n",
    }
    stored = {name: put(tmp_path, content, name) for name, content in files.items()}
    few = "of x-etl.format leave out more, or leave no header: check the file"
    assert refusal(spark, contract_of(ends), *stored.values()) == [
        f"{name}: it has {lines} lines, and skipTop (2) and skipBottom (1) {few}"
        for name, lines in (("b.csv", 2), ("c.csv", 3), ("f.csv", 1))
    ]
    right = raw_of(spark, contract_of(ends), *(stored[name] for name in ("a.csv", "d.csv", "e.csv")))
    assert right.read[DAY] == 1
    assert right.is_scattered
    alone = refusal(spark, contract_of(ends), stored["f.csv"])
    assert alone == [f"f.csv: it has 1 lines, and skipTop (2) and skipBottom (1) {few}"]
    bare = contract_of(replace(ends, columns=NAMES))
    two = put(tmp_path, "top\n2,b,c\n", "g.csv")
    none = put(tmp_path, "top\ntop\nbottom\n", "h.csv")
    assert [one.partition(":")[0] for one in refusal(spark, bare, stored["f.csv"], two, none)] == [
        "f.csv",
        "g.csv",
    ]
