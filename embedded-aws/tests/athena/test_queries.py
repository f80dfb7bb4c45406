"""Athena through its API: scanned files, results and their pages, workgroups, limits."""

import time
from typing import Any

import athena_bench as library
import pytest
from athena_bench import BUCKET, RESULTS, ask, reason, run
from conftest import Bench, wait_for


@pytest.fixture(scope="module")
def shelf(bench: Bench) -> Bench:
    library.stock(bench)
    return bench


PRUNED = [
    ("1 = 1", ["2020-01-01/1", "2020-01-02/1", "2020-01-02/2"], "200"),
    ("day = '2020-01-01'", ["2020-01-01/1"], "50"),
    ("day between '2020-01-02' and '2020-01-09'", ["2020-01-02/1", "2020-01-02/2"], "150"),
    ("day in ('2020-01-01', '2020-01-03') and n >= 0", ["2020-01-01/1"], "50"),
    ("hall = 1 and (day = '2020-01-02' or day like '%05')", ["2020-01-02/1"], "50"),
    ("day = '2020-01-02' or n = 0", ["2020-01-01/1", "2020-01-02/1", "2020-01-02/2"], "151"),
    ("day = '1999-01-01'", [], "0"),
]


@pytest.mark.parametrize(("where", "read", "count"), PRUNED, ids=[where for where, _, _ in PRUNED])
def test_only_the_partitions_that_meet_the_literals_are_read(
    shelf: Bench, where: str, read: list[str], count: str
) -> None:
    athena = shelf.client("athena")
    execution = run(athena, "select count(*) from visits where WHERE".replace("WHERE", where))
    assert library.rows_of(athena, execution)[1:] == [[count]]
    assert execution["Statistics"]["DataScannedInBytes"] == sum(library.SIZES[name] for name in read)


def test_each_read_of_a_table_is_scanned(shelf: Bench) -> None:
    def scanned(sql: str) -> int:
        return int(run(shelf.client("athena"), sql)["Statistics"]["DataScannedInBytes"])

    one = "select count(*) as c from visits where day = '2020-01-01'"
    once = library.SIZES["2020-01-01/1"]
    assert scanned("select * from (ONE) a cross join (ONE) b".replace("ONE", one)) == 2 * once
    named = "with a as (ONE) select * from a cross join a as b cross join a as c"
    assert scanned(named.replace("ONE", one)) == 3 * once
    outer = "select count(*) from visits a left join visits b on a.day = b.day where a.day = '2020-01-01'"
    assert scanned(outer) == 2 * sum(library.SIZES[name] for name in PRUNED[0][1])
    assert scanned("select 1") == 0


def test_files_whose_types_differ_from_the_tables_are_bad_data(shelf: Bench) -> None:
    library.make_table(shelf, "wrong", {"id": "string", "n": "string"})
    library.put(shelf, "wrong/a.parquet", library.parquet([{"id": "a", "n": 1}]))
    assert reason(shelf, "select id from wrong") == (
        f"HIVE_BAD_DATA: Field n's type BIGINT in parquet file s3://{BUCKET}/wrong/a.parquet is incompatible "
        "with type string defined in table schema"
    )


def test_a_table_without_files_is_empty_and_one_of_other_files_is_refused(shelf: Bench) -> None:
    library.make_table(shelf, "empty", {"id": "string", "n": "int"}, "parquet", {"day": "string"})
    assert ask(shelf, "select count(*), max(n) from empty where day > '1'") == [["0", None]]
    library.make_table(shelf, "rows", {"id": "string"}, "json")
    library.put(shelf, "rows/a.json", '{"id": "1"}\n{oops\n')
    assert reason(shelf, "select * from rows").startswith(
        "HIVE_CURSOR_ERROR: Row is not a valid JSON Object - "
    )


def test_results_have_a_header_texts_nulls_types_and_pages(shelf: Bench) -> None:
    athena = shelf.client("athena")
    sql = "select id, pages as Pages, count(*), taken from loans group by 1, 2, 4 order by pages"
    execution = run(athena, sql)
    query = execution["QueryExecutionId"]
    first = athena.get_query_results(QueryExecutionId=query, MaxResults=2)
    data = [row["Data"] for row in first["ResultSet"]["Rows"]]
    assert data == [
        [{"VarCharValue": name} for name in ("id", "Pages", "_col2", "taken")],
        [{"VarCharValue": text} for text in ("a", "7", "1", "2020-01-03 11:00:00.000")],
    ]
    info = first["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(entry["Name"], entry["Type"], entry["Precision"]) for entry in info] == [
        ("id", "varchar", 2147483647),
        ("Pages", "integer", 10),
        ("_col2", "bigint", 19),
        ("taken", "timestamp", 3),
    ]
    second = athena.get_query_results(QueryExecutionId=query, NextToken=first["NextToken"], MaxResults=2)
    assert [row["Data"] for row in second["ResultSet"]["Rows"]] == [
        [{"VarCharValue": "a"}, {"VarCharValue": "10"}, {"VarCharValue": "1"}, {}],
        [{"VarCharValue": "b"}, {}, {"VarCharValue": "1"}, {"VarCharValue": "2020-01-04 23:30:00.000"}],
    ]
    assert "NextToken" not in second
    for wrong in ({"NextToken": "x"}, {"MaxResults": 1001}):
        with pytest.raises(athena.exceptions.InvalidRequestException):
            athena.get_query_results(QueryExecutionId=query, **wrong)
    failed = run(athena, "select nope from loans")["QueryExecutionId"]
    with pytest.raises(athena.exceptions.InvalidRequestException, match="Final query state: FAILED"):
        athena.get_query_results(QueryExecutionId=failed)


def test_the_result_is_in_s3(shelf: Bench) -> None:
    execution = run(shelf.client("athena"), "select id, pages, '\"' as q, '' as e from loans where id = 'b'")
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{RESULTS}/plain/{execution['QueryExecutionId']}.csv"
    held = shelf.client("s3").get_object(Bucket=RESULTS, Key=location.split("/", 3)[3])
    assert held["Body"].read() == b'"id","pages","q","e"\n"b",,"""",""\n'
    metadata = shelf.client("s3").get_object(Bucket=RESULTS, Key=location.split("/", 3)[3] + ".metadata")
    assert metadata["Body"].read() == b"id,pages,q,e\nvarchar,integer,varchar,varchar"


def test_a_workgroup_that_enforces_its_settings_wins(shelf: Bench) -> None:
    athena, s3 = shelf.client("athena"), shelf.client("s3")
    key = shelf.client("kms").create_key()["KeyMetadata"]
    encrypted = {"EncryptionOption": "SSE_KMS", "KmsKey": key["Arn"]}
    own = {"OutputLocation": f"s3://{RESULTS}/enforced", "EncryptionConfiguration": encrypted}
    configuration: dict[str, Any] = {"ResultConfiguration": own, "EnforceWorkGroupConfiguration": True}
    athena.create_work_group(Name="strict", Configuration=configuration)
    asked = {
        "OutputLocation": f"s3://{RESULTS}/mine/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
    }

    def written(**request: Any) -> tuple[str, str, str]:
        result = run(athena, "select 1", WorkGroup="strict", **request)["ResultConfiguration"]
        held = s3.head_object(Bucket=RESULTS, Key=result["OutputLocation"].split("/", 3)[3])
        folder = result["OutputLocation"].rpartition("/")[0]
        return folder, result["EncryptionConfiguration"]["EncryptionOption"], held["ServerSideEncryption"]

    enforced = (f"s3://{RESULTS}/enforced", "SSE_KMS", "aws:kms")
    assert written(ResultConfiguration=asked) == enforced
    assert written() == enforced
    athena.update_work_group(
        WorkGroup="strict", ConfigurationUpdates={"EnforceWorkGroupConfiguration": False}
    )
    assert written(ResultConfiguration=asked) == (f"s3://{RESULTS}/mine", "SSE_S3", "AES256")
    assert written() == enforced
    result = run(athena, "select 1", WorkGroup="strict")["ResultConfiguration"]["OutputLocation"]
    assert s3.head_object(Bucket=RESULTS, Key=result.split("/", 3)[3])["SSEKMSKeyId"] == key["Arn"]


def test_a_query_that_would_scan_more_than_its_workgroup_allows_is_cancelled(shelf: Bench) -> None:
    athena = shelf.client("athena")
    limit = 10_000_000  # the least that AWS accepts
    library.make_table(shelf, "pages", {"words": "string"}, "csv", {"book": "int"})
    for book, size in ((1, 4_000_000), (2, 6_000_000), (3, 100)):
        library.put(shelf, f"pages/book={book}/a.csv", ("x" * 99 + "\n") * (size // 100))
        library.register(shelf, "pages", f"book={book}/", str(book))
    configuration = {
        "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/limited/"},
        "BytesScannedCutoffPerQuery": limit,
    }
    athena.create_work_group(Name="limited", Configuration=configuration)
    exactly = run(athena, "select count(*) from pages where book <= 2", WorkGroup="limited")
    assert library.rows_of(athena, exactly)[1:] == [["100000"]]
    assert exactly["Statistics"]["DataScannedInBytes"] == limit
    more = run(athena, "select count(*) from pages", WorkGroup="limited")
    assert (more["Status"]["State"], more["Status"]["StateChangeReason"]) == (
        "CANCELLED",
        "Bytes scanned limit was exceeded",
    )
    assert more["Statistics"]["DataScannedInBytes"] == limit
    with pytest.raises(athena.exceptions.InvalidRequestException, match="Final query state: CANCELLED"):
        athena.get_query_results(QueryExecutionId=more["QueryExecutionId"])


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"WorkGroup": "nobodys"}, "WorkGroup nobodys is not found."),
        ({"WorkGroup": "primary"}, "No output location provided"),
        (
            {"ResultConfiguration": {"OutputLocation": "s3://nobodys-bucket/x/"}},
            "verify/create output bucket nobodys-b",
        ),
        ({"ResultConfiguration": {"OutputLocation": "file:///x/"}}, "outputLocation is not a valid S3 path"),
    ],
)
def test_a_query_is_refused_at_its_start(shelf: Bench, request_: dict[str, Any], message: str) -> None:
    athena = shelf.client("athena")
    with pytest.raises(athena.exceptions.InvalidRequestException, match=message):
        run(athena, "select 1", **request_)


def test_statements_create_and_drop_tables(shelf: Bench) -> None:
    athena, glue = shelf.client("athena"), shelf.client("glue")
    made = f"create external table fines (id string, cents int) stored as parquet location 's3://{BUCKET}/fines/'"
    assert run(athena, made)["Status"]["State"] == "SUCCEEDED"
    assert ask(shelf, "select count(*) from fines") == [["0"]]
    assert run(athena, "drop table fines")["Status"]["State"] == "SUCCEEDED"
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_table(DatabaseName=library.DATABASE, Name="fines")


def test_a_stopped_query_stops_computing(shelf: Bench) -> None:
    athena = shelf.client("athena")
    sql = "select count(*) from N as a(x) cross join N as b(y) where (x * y) % 7 = x % 5"
    sql = sql.replace("N", "unnest(sequence(1, 1000000))")
    where = {"OutputLocation": f"s3://{RESULTS}/plain/"}
    query = athena.start_query_execution(QueryString=sql, ResultConfiguration=where)["QueryExecutionId"]

    def state() -> str:
        execution = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        return str(execution["Status"]["State"])

    wait_for(lambda: state() == "RUNNING")
    time.sleep(0.5)  # by then the engine runs it
    athena.stop_query_execution(QueryExecutionId=query)
    wait_for(lambda: f"query {query}: INTERRUPT Error" in shelf.log())
    assert state() == "CANCELLED"


def test_hives_null_partition_is_a_null(shelf: Bench) -> None:
    library.make_table(shelf, "shifts", {"who": "string"}, "parquet", {"hall": "int"})
    for hall in ("1", "__HIVE_DEFAULT_PARTITION__"):
        library.put(shelf, f"shifts/hall={hall}/a.parquet", library.parquet([{"who": hall[:2]}]))
        library.register(shelf, "shifts", f"hall={hall}/", hall)
    assert ask(shelf, "select who, hall from shifts where hall is null") == [["__", None]]
