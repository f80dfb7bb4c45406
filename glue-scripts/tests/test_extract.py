"""An extract from a real PostgreSQL: what arrives is what is there, at one point in time, or nothing."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import extract_tables
import pytest
from databases import PASSWORD, Server, running
from etl import clients
from etl.errors import JobError, SourceDrifted, SourceUnavailable, ValueRefused
from etl.extract import run_extract as of_run
from pyspark.sql import DataFrame, Row, SparkSession

DAY = "2010-12-02"
OWNER_ARN = "arn:aws:states:eu-west-1:111122223333:execution:etl-dev-shop:run-1"


@pytest.fixture(scope="module")
def server(spark: SparkSession) -> Iterator[Server]:
    folder = Path(mkdtemp(prefix="etl-extract-"))
    folder.chmod(0o755)
    with running(folder, spark) as started:
        yield started


class Marks:
    """The table of locks: as much of DynamoDB as a run asks of it."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def get_item(self, Key: Mapping[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        item = self.items.get(Key["pipeline"]["S"])
        return {} if item is None else {"Item": item}

    def put_item(self, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803
        self.items[Item["pipeline"]["S"]] = Item

    def mark(self, table: str) -> tuple[str | None, str | None]:
        one = self.items["marks/shop"]["tables"]["M"][table]["M"]
        return one["start"].get("S"), one["end"].get("S")


class Run:
    """Runs of an extract on a folder, as Glue would run them."""

    def __init__(self, root: Path, server: Server, spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
        self.root, self.server, self.spark = root, server, spark
        self.marks = Marks()
        self.database = server.database()
        monkeypatch.setitem(clients._clients, "dynamodb", self.marks)
        monkeypatch.setattr(of_run, "find_database", lambda _: self.database)

    def __call__(
        self, *tables: Mapping[str, Any], day: str = DAY, run_id: str = "run-1", **others: Any
    ) -> Any:
        document = {
            "extractVersion": 1,
            "schema": "public",
            "timeZone": "Europe/London",
            "maxConnections": 4,
            "fetchSize": 100,
            "consistent": True,
            "tables": list(tables),
        } | others
        uri = self.root / "extract.json"
        uri.write_text(json.dumps(document))
        given = {
            "pipeline": "shop",
            "output_bucket": str(self.root / "raw"),
            "output_prefix": "shop/",
            "books_bucket": str(self.root / "processed"),
            "books_prefix": "books/shop/",
            "extract_uri": str(uri),
            "connection": "test-shop",
            "from_date": day,
            "to_date": day,
            "run_id": run_id,
            "lock_table": "locks",
            "lock_owner": OWNER_ARN,
        }
        extract_tables.main([part for name, value in given.items() for part in (f"--{name}", value)])
        books = self.root / "processed" / "books" / "shop" / run_id / "books.json"
        return json.loads(books.read_text())

    def frame(self, table: str, day: str = DAY) -> DataFrame:
        return self.spark.read.parquet(str(self.root / "raw" / "shop" / table / f"dt={day}"))

    def rows(self, table: str, day: str = DAY, without: str = "") -> list[Row]:
        return self.frame(table, day).drop(without).collect()

    def texts(self, table: str, column: str) -> list[str | None]:
        """Python has no time before the year 1 in a zone east of UTC."""
        return [
            row[0]
            for row in self.frame(table).orderBy("id").selectExpr(f"cast({column} as string)").collect()
        ]

    @property
    def files(self) -> list[str]:
        root = self.root / "raw"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*.parquet"))


@pytest.fixture
def run(tmp_path: Path, server: Server, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(tmp_path, server, spark, monkeypatch)


def table(name: str, columns: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "name": name,
        "key": [next(iter(columns))],
        "columns": [
            {"name": column, **({"type": kind} if isinstance(kind, str) else kind)}
            for column, kind in columns.items()
        ],
        **others,
    }


def make(server: Server, name: str, columns: str, *values: str) -> None:
    server.run(f"drop table if exists {name} cascade", f"create table {name} ({columns})")
    for one in values:
        server.run(f"insert into {name} values {one}")  # noqa: S608 (a test's own)


def test_every_type_arrives_as_declared(run: Run, server: Server) -> None:
    make(
        server,
        "kinds",
        "id int8, t text, c char(5), i int4, d numeric, b bool, f float8, day date, at timestamp,"
        " moment timestamptz, u uuid, j jsonb, a int[], e numeric(10,4)",
        "(1, 'ä''\"\\', 'ab', -5, 12345678901234567890.1234, true, 1.5, '1582-10-10',"
        " '0001-01-01 00:00:00.000001', '2010-03-28 01:30:00+01', '6fa459ea-ee8a-3ca4-894e-db77e160355e',"
        ' \'{"b": [1], "a": null}\', array[1, null], 0.0001)',
        "(2, null, null, null, null, null, null, null, null, null, null, null, null, null)",
    )
    books = run(
        table(
            "kinds",
            {
                "id": "bigint",
                "t": "text",
                "c": "text",
                "i": "integer",
                "d": "decimal(24,4)",
                "b": "boolean",
                "f": "double",
                "day": "date",
                "at": "timestamp",
                "moment": "instant",
                "u": "uuid",
                "j": "json",
                "a": "array",
                "e": "decimal(12,4)",
            },
        )
    )
    assert run.texts("kinds", "at") == ["0001-01-01 00:00:00.000001", None]
    one, other = sorted(run.rows("kinds", without="at"), key=lambda row: row["id"])
    assert one.asDict() == {
        "id": 1,
        "t": "ä'\"\\",
        "c": "ab",
        "i": -5,
        "d": Decimal("12345678901234567890.1234"),
        "b": True,
        "f": 1.5,
        "day": date(1582, 10, 10),
        "moment": datetime(2010, 3, 28, 0, 30),
        "u": "6fa459ea-ee8a-3ca4-894e-db77e160355e",
        "j": '{"a": null, "b": [1]}',
        "a": "[1,null]",
        "e": Decimal("0.0001"),
    }
    assert set(other.asDict().values()) == {2, None}
    assert (books["read"], books["written"], books["outcome"]) == (2, 2, "SUCCEEDED")
    assert books["extract"]["consistent"] is True
    assert not [name for name in run.files if "_unpublished" in name]


def test_declared_infinity_is_null(run: Run, server: Server) -> None:
    make(server, "ends", "id int, day date, at timestamp", "(1, 'infinity', '-infinity'), (2, now(), now())")
    declared = {"type": "date", "infinity": "null"}
    run(table("ends", {"id": "integer", "day": declared, "at": {"type": "timestamp", "infinity": "null"}}))
    one, other = sorted(run.rows("ends"), key=lambda row: row["id"])
    assert (one["day"], one["at"]) == (None, None)
    assert other["day"] is not None and other["at"] is not None


@pytest.mark.parametrize(
    ("type_", "declared", "value"),
    [
        ("numeric", "decimal(10,4)", "1.00001"),
        ("numeric", "decimal(10,4)", "1000000"),
        ("numeric", "decimal(10,4)", "'NaN'"),
        ("numeric", "decimal(10,4)", "'infinity'"),
        ("numeric(12,4)", "decimal(10,4)", "1000000"),
        ("bigint", "decimal(10,4)", "1000000"),
        ("date", "date", "'infinity'"),
        ("date", "date", "'0044-03-15 BC'"),
        ("timestamp", "timestamp", "'-infinity'"),
        ("timestamp", "timestamp", "'10000-01-01'"),
        ("timestamp with time zone", "instant", "'infinity'"),
    ],
)
def test_a_value_that_cannot_be_carried(
    run: Run, server: Server, type_: str, declared: str, value: str
) -> None:
    make(server, "good", "id int", "(1)")
    make(server, "bad", f"id int, v {type_}", f"(1, {value}), (2, null)")
    with pytest.raises(
        ValueRefused, match=rf"table public\.bad: 1 values of v \({type_.split('(')[0]}.*do not fit"
    ):
        run(table("good", {"id": "integer"}), table("bad", {"id": "integer", "v": declared}))
    assert (run.files, run.marks.items.get("marks/shop")) == ([], None)


def test_everything_that_has_changed_is_named_at_once(run: Run, server: Server) -> None:
    make(server, "changed", "id int, price money, note int4[]", "(1, 2.5, null)")
    server.run("drop table if exists gone")
    with pytest.raises(SourceDrifted) as raised:
        run(
            table("gone", {"id": "integer"}),
            table("changed", {"id": "text", "name": "text", "price": "decimal(10,2)", "note": "json"}),
        )
    assert str(raised.value) == (
        "connection test-shop: table public.gone is not there, or may not be seen; "
        "table public.changed has no column name; "
        "table public.changed: id is declared as text and has the type integer; "
        "table public.changed: price is declared as decimal(10,2) and has the type money; "
        "table public.changed: note is declared as json and has the type integer[]; "
        "change the declaration, or ask the owner of the database; nothing was written"
    )
    assert run.files == []


@pytest.mark.parametrize(
    ("column", "value", "most"),
    [
        # Most of them in a corner where an even stride would leave one connection with everything.
        ("int", "case when i = 1 then 2000000000 else i end", 13_000),
        # Nulls have a connection of their own, and the rest is shared by the others.
        ("int", "case when i % 2 = 0 then null else i end", 19_500),
        ("int", "1", 39_000),
        ("int", "null::int", 39_000),
        ("text", "'O''Brien ' || i", 13_000),
        ("float8", "case when i % 3 = 0 then 'NaN' else i::float8 end", 26_000),
        ("numeric", "round(i / 3.0, 10)", 13_000),
    ],
)
def test_shares_of_a_table(run: Run, server: Server, column: str, value: str, most: int) -> None:
    rows = 39_000
    make(server, "many", f"id int, v {column}")
    server.run(f"insert into many select i, {value} from generate_series(1, {rows}) i")  # noqa: S608 (own)
    declared = {"int": "integer", "text": "text", "float8": "double", "numeric": "decimal(38,10)"}[column]
    books = run(table("many", {"id": "integer", "v": declared}, partitionColumn="v"))
    folder = run.root / "raw" / "shop" / "many" / f"dt={DAY}"
    sizes = [run.spark.read.parquet(str(path)).count() for path in folder.glob("*.parquet")]
    assert sorted(row["id"] for row in run.rows("many")) == list(range(1, rows + 1))
    assert books["extract"]["tables"]["many"]["connections"] <= 3  # the fourth is the session's own
    assert max(sizes) <= most + 1


def test_all_tables_are_read_at_one_point_in_time(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that moves from one table to the other while they are read is in one of them."""
    make(server, "left_ones", "id int", "(1), (2)")
    make(server, "right_ones", "id int", "(3)")
    write = of_run.write
    moved: list[int] = []

    def move_and_write(*arguments: Any) -> None:
        write(*arguments)
        if not moved:
            moved.append(1)
            server.run("delete from left_ones where id = 2", "insert into right_ones values (2)")

    monkeypatch.setattr(of_run, "write", move_and_write)
    tables = [table(name, {"id": "integer"}) for name in ("left_ones", "right_ones")]
    run(*tables)
    assert [sorted(row["id"] for row in run.rows(one["name"])) for one in tables] == [[1, 2], [3]]
    assert moved == [1]

    # Without the point in time the figures do not agree, and the run says so.
    moved.clear()
    server.run("delete from right_ones where id = 2", "insert into left_ones values (2)")
    with pytest.raises(
        JobError, match=r"table public\.right_ones: the database and the files .* rows 1 and 2"
    ):
        run(*tables, consistent=False)


def test_without_one_point_in_time_the_books_say_so(run: Run, server: Server) -> None:
    make(server, "left_ones", "id int", "(1)")
    books = run(table("left_ones", {"id": "integer"}), consistent=False)
    assert books["extract"]["consistent"] is False


CUSTOMERS = table(
    "customers",
    {"id": "integer", "updated_at": "timestamp"},
    mark={"column": "updated_at", "overlapMinutes": 60},
)


def test_a_mark(run: Run, server: Server) -> None:
    make(server, "customers", "id int, updated_at timestamp", "(1, '2010-12-01 23:00'), (2, null)")

    def ids(day: str) -> list[int]:
        return sorted(row["id"] for row in run.rows("customers", day))

    run(CUSTOMERS, day="2010-12-01", run_id="a")
    assert ids("2010-12-01") == [1, 2]
    assert run.marks.mark("customers") == (None, "2010-12-01T23:00:00.000000")

    # Later rows, one that was committed late, and one without a mark.
    server.run("insert into customers values (3, '2010-12-02 23:00'), (4, '2010-12-01 22:30')")
    server.run("update customers set updated_at = '2010-12-01 21:00' where id = 1")
    for run_id in ("b", "b-again"):
        run(CUSTOMERS, day="2010-12-02", run_id=run_id)
        assert ids("2010-12-02") == [2, 3, 4]
        assert run.marks.mark("customers") == (
            "2010-12-01T23:00:00.000000",
            "2010-12-02T23:00:00.000000",
        )

    # A correction reads its day, and leaves the mark where it is.
    books = run(CUSTOMERS, day="2010-12-01", run_id="c")
    assert ids("2010-12-01") == [1, 2, 4]
    assert books["extract"]["correction"] is True
    assert run.marks.mark("customers")[1] == "2010-12-02T23:00:00.000000"

    # Nothing new: an empty delivery.
    server.run("delete from customers")
    run(CUSTOMERS, day="2010-12-03", run_id="d")
    assert ids("2010-12-03") == []
    assert run.marks.mark("customers")[1] == "2010-12-02T23:00:00.000000"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"password": "wrong"}, r"password authentication failed for user \"reader\""),
        ({"options": "sslmode=require"}, r"The server does not support SSL"),
    ],
)
def test_a_login_that_is_refused(run: Run, server: Server, change: dict[str, str], message: str) -> None:
    make(server, "customers", "id int, updated_at timestamp")
    run.database = server.database(**change)
    with pytest.raises(SourceUnavailable, match=rf"connection test-shop: .* cannot be read: .*{message}"):
        run(CUSTOMERS)
    assert PASSWORD not in repr(run.database)


def test_a_database_that_is_not_there(run: Run, server: Server) -> None:
    run.database = Server(server.folder, 1, server.spark).database()
    with pytest.raises(SourceUnavailable, match=r"connection test-shop: .*localhost:1.*refused"):
        run(CUSTOMERS)


def test_rows_that_may_not_be_read(run: Run, server: Server) -> None:
    make(server, "customers", "id int, updated_at timestamp")
    make(server, "hidden", "id int")
    server.run("create or replace view broken as select id, 1/(id-1) as updated_at from hidden")
    server.run("insert into hidden values (1)")
    declared = table("broken", {"id": "integer", "updated_at": "integer"})
    with pytest.raises(
        SourceUnavailable, match=r"connection test-shop, table public\.broken: .*division by zero"
    ):
        run(declared)


def test_certificates(run: Run, server: Server) -> None:
    make(server, "customers", "id int, updated_at timestamp", "(1, '2010-12-01 23:00')")
    now = datetime.now(UTC)
    day = timedelta(days=1)
    options = "sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"
    authority = server.certify(now - day, now + day)
    run.database = server.database(options=options, certificate=authority)
    assert run(CUSTOMERS)["read"] == 1
    run.database = server.database(options=options)
    with pytest.raises(SourceUnavailable, match="PKIX path building failed"):
        run(CUSTOMERS)
    run.database = server.database(options=options, certificate=server.certify(now - 3 * day, now - day))
    with pytest.raises(SourceUnavailable, match=r"connection test-shop: .*NotAfter"):
        run(CUSTOMERS)
