"""Makes files as AWS DMS lays them down in S3, out of the states of a table. Synthetic: no AWS DMS has
written them. They follow its guide, https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html

    make_dms_files.py STATES INTO --schema shop --table products --key product_id [--settings FILE]
        [--types FILE] [--sequence COLUMN] [--rows-per-file N] [--overlap N] [--whole-deletes]

STATES holds `YYYY-MM-DD.csv`, the table at the end of each day with a header and `\\N` for null, as
PostgreSQL writes it: copy (select * from shop.products) to stdout (format csv, header, null '\\N'). The
first state is the full load. Each later one is compared with the one before, and what differs are the
changes of its day, in one transaction. INTO is the `BucketFolder`. FILE holds the settings of the endpoint in
JSON, as DMS names them. `--overlap` writes the last N changes of each day again, in the next file, as after a
restart of the task."""

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = Mapping[str, str | None]

NULL = "\\N"
_PARTS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H"}
_DELIMITERS = {"SLASH": "/", "DASH": "-", "UNDERSCORE": "_", "NONE": ""}


@dataclass(frozen=True)
class Change:
    """An insert (I), update (U) or delete (D) of a row, committed at `commit` (UTC). `number` counts the
    changes of the source, so that it is the same when DMS writes a change again."""

    op: str
    commit: datetime
    number: int
    row: Row

    @property
    def sequence(self) -> str:
        """35 digits, as `$AR_H_CHANGE_SEQ` has: hundredths of a second, then the number."""
        hundredths = self.commit.microsecond // 10_000
        return f"{self.commit:%Y%m%d%H%M%S}{hundredths:02d}{self.number:019d}"


@dataclass
class Writer:
    """Writes the files of one table. `settings` are those of the endpoint, as DMS names them; `types` say,
    for Parquet, which columns are no texts: int or decimal(p,s)."""

    into: Path
    schema: str
    table: str
    columns: Sequence[str]
    key: Sequence[str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    sequence: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    has_whole_deletes: bool = False
    began: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    @property
    def folder(self) -> Path:
        return self.into / self.schema / self.table

    @property
    def ending(self) -> str:
        return "parquet" if self._is("DataFormat", "parquet") else "csv"

    def _is(self, key: str, value: object) -> bool:
        return bool(self.settings.get(key) == value)

    def load(self, rows: Sequence[Row], rows_per_file: int) -> list[Path]:
        """The full load, in parts whose numbers are hexadecimal. An empty table has no file."""
        has_op = self._is("IncludeOpForFullLoad", True)
        parts = [rows[at : at + rows_per_file] for at in range(0, len(rows), rows_per_file)]
        made = []
        for number, part in enumerate(parts, start=1):
            records = [
                self._record("I" if has_op else None, row, self._loaded_at(at), None)
                for at, row in enumerate(part)
            ]
            made.append(self._write(f"LOAD{number:08X}.{self.ending}", records, has_op=has_op))
        return made

    def _loaded_at(self, at: int) -> datetime:
        """The start of the task, or the time of the row's transfer."""
        is_start = self._is("UseTaskStartTimeForFullLoadTimestamp", True)
        return self.began if is_start else self.began + timedelta(seconds=at + 1)

    def changes(self, changes: Sequence[Change], written: datetime) -> list[Path]:
        """A file of changes, in the order in which they are given; one for each date folder that they lie
        in."""
        kept = [one for one in changes if one.op in self._ops()]
        by_folder: dict[str, list[Change]] = {}
        for one in kept:
            by_folder.setdefault(self._date_folder(one.commit), []).append(one)
        name = f"{written:%Y%m%d-%H%M%S}{written.microsecond // 100:04d}.{self.ending}"
        has_op = not self._is("CdcInsertsOnly", True)
        return [
            self._write(
                f"{folder}{name}",
                [
                    self._record(one.op if has_op else None, self._image(one), one.commit, one)
                    for one in of_folder
                ],
                has_op=has_op,
            )
            for folder, of_folder in by_folder.items()
        ]

    def _ops(self) -> str:
        if self._is("CdcInsertsOnly", True):
            return "I"
        return "IU" if self._is("CdcInsertsAndUpdates", True) else "IUD"

    def _date_folder(self, commit: datetime) -> str:
        if not self._is("DatePartitionEnabled", True):
            return ""
        sequence = str(self.settings.get("DatePartitionSequence", "YYYYMMDD"))
        delimiter = _DELIMITERS[str(self.settings.get("DatePartitionDelimiter", "SLASH"))]
        parts = [sequence[at : at + size] for at, size in _places(sequence)]
        return delimiter.join(commit.strftime(_PARTS[part]) for part in parts) + "/"

    def _image(self, change: Change) -> Row:
        """The row after an insert or update; before a delete, as far as it was logged: the key alone, as in
        PostgreSQL by default."""
        if change.op != "D" or self.has_whole_deletes:
            return change.row
        return {name: value if name in self.key else None for name, value in change.row.items()}

    def _record(self, op: str | None, row: Row, at: datetime, change: Change | None) -> dict[str, str | None]:
        record: dict[str, str | None] = {} if op is None else {"Op": op}
        timestamp = str(self.settings.get("TimestampColumnName", ""))
        if timestamp:
            record[timestamp] = f"{at:%Y-%m-%d %H:%M:%S.%f}"
        record |= {name: row[name] for name in self.columns}
        if self.sequence:
            record[self.sequence] = None if change is None else change.sequence
        return record

    def names(self, *, has_op: bool) -> list[str]:
        timestamp = str(self.settings.get("TimestampColumnName", ""))
        return [
            *(["Op"] if has_op else []),
            *([timestamp] if timestamp else []),
            *self.columns,
            *([self.sequence] if self.sequence else []),
        ]

    def _write(self, name: str, records: Sequence[Mapping[str, str | None]], *, has_op: bool) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        names = self.names(has_op=has_op)
        if self.ending == "parquet":
            write_parquet(path, names, records, self.types)
            return path
        lines = [self._line([record[one] for one in names]) for record in records]
        if self._is("AddColumnName", True):
            lines.insert(0, self._line(names))
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
        return path

    def _line(self, values: Sequence[str | None]) -> str:
        delimiter = str(self.settings.get("CsvDelimiter", ","))
        null = str(self.settings.get("CsvNullValue", "NULL"))
        is_quoted = self.settings.get("Rfc4180", True)
        return delimiter.join(
            null if one is None else _quoted(one, delimiter) if is_quoted else one for one in values
        )


def _places(sequence: str) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(sequence):
        size = 4 if sequence.startswith("YYYY", at) else 2
        yield at, size
        at += size


def _quoted(text: str, delimiter: str) -> str:
    """RFC 4180, only where a text needs it."""
    if not any(sign in text for sign in (delimiter, '"', "\n", "\r")):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def write_parquet(
    path: Path, names: Sequence[str], records: Sequence[Mapping[str, str | None]], types: Mapping[str, str]
) -> None:
    import pyarrow
    from pyarrow import parquet

    columns, fields = [], []
    for name in names:
        kind, values = types.get(name, ""), [record[name] for record in records]
        if kind == "int":
            arrow, typed = pyarrow.int32(), [None if one is None else int(one) for one in values]
        elif kind.startswith("decimal"):
            precision, scale = map(int, kind.removeprefix("decimal(").removesuffix(")").split(","))
            unit = Decimal(1).scaleb(-scale)
            arrow = pyarrow.decimal128(precision, scale)
            typed = [None if one is None else Decimal(one).quantize(unit) for one in values]
        else:
            arrow, typed = pyarrow.string(), values
        columns.append(pyarrow.array(typed, arrow))
        fields.append(pyarrow.field(name, arrow))
    parquet.write_table(pyarrow.table(columns, schema=pyarrow.schema(fields)), path)


def find_changes(
    before: Mapping[tuple[str | None, ...], Row],
    after: Mapping[tuple[str | None, ...], Row],
    commit: datetime,
    first_number: int,
) -> list[Change]:
    """The changes that make one state of a table into another, in one transaction: inserts and updates, then
    deletes."""
    found: list[tuple[str, Row]] = [
        ("I" if key not in before else "U", row)
        for key, row in after.items()
        if key not in before or before[key] != row
    ]
    found += [("D", row) for key, row in before.items() if key not in after]
    return [Change(op, commit, first_number + at, row) for at, (op, row) in enumerate(found)]


def read_state(path: Path, key: Sequence[str]) -> dict[tuple[str | None, ...], Row]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            {name: None if value == NULL else value for name, value in row.items()}
            for row in csv.DictReader(file)
        ]
    return {tuple(row[name] for name in key): row for row in rows}


def read_states(folder: Path, key: Sequence[str]) -> dict[date, dict[tuple[str | None, ...], Row]]:
    return {date.fromisoformat(path.stem): read_state(path, key) for path in sorted(folder.glob("*.csv"))}


def write_states(
    writer: Writer,
    states: Mapping[date, Mapping[tuple[str | None, ...], Row]],
    rows_per_file: int,
    overlap: int = 0,
) -> None:
    """The first state as full load, the others as changes at 23:00 of their days, in files of at most
    `rows_per_file` changes."""
    first, *later = sorted(states)
    writer.began = datetime.combine(first, time(12), UTC)
    writer.load(list(states[first].values()), rows_per_file)
    number, before = 1, first
    for day in later:
        commit = datetime.combine(day, time(23), UTC)
        changes = find_changes(states[before], states[day], commit, number)
        number, before = number + len(changes), day
        batches = [changes[at : at + rows_per_file] for at in range(0, len(changes), rows_per_file)]
        if overlap and changes:
            batches.append(changes[-overlap:])
        for at, batch in enumerate(batches):
            writer.changes(batch, commit + timedelta(seconds=1 + at))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("states", type=Path)
    parser.add_argument("into", type=Path)
    parser.add_argument("--schema", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--key", required=True, action="append")
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--types", type=Path)
    parser.add_argument("--sequence", default="")
    parser.add_argument("--rows-per-file", type=int, default=10_000)
    parser.add_argument("--overlap", type=int, default=0)
    parser.add_argument("--whole-deletes", action="store_true")
    given = parser.parse_args()
    states = read_states(given.states, given.key)
    if not states:
        parser.error(f"{given.states} has no file YYYY-MM-DD.csv")
    rows = [row for state in states.values() for row in state.values()]
    if not rows:
        parser.error(f"{given.states} has no row")
    writer = Writer(
        given.into,
        given.schema,
        given.table,
        list(rows[0]),
        given.key,
        {} if given.settings is None else json.loads(given.settings.read_text("utf-8")),
        given.sequence,
        {} if given.types is None else json.loads(given.types.read_text("utf-8")),
        given.whole_deletes,
    )
    write_states(writer, states, given.rows_per_file, given.overlap)
    files = sorted(path for path in writer.folder.rglob("*") if path.is_file())
    print(f"{len(files)} synthetic files of AWS DMS under {writer.folder}")


if __name__ == "__main__":
    main()
