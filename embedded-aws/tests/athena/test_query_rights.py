"""A query has only the rights of its caller: each right is removed once."""

from typing import Any

import athena_bench as library
import pytest
from athena_bench import run
from conftest import ACCOUNT, REGION, Bench, statement

BUCKET, RESULTS = "archive-loans", "archive-answers"
LOCATION: dict[str, Any] = {"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/of/reader/"}}
SQL = "select count(*), max(who) from archived where day = '2020-01-01'"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}:"
CATALOGUE = [f"{GLUE}catalog", f"{GLUE}database/lending", f"{GLUE}table/lending/archived"]
KEYS: dict[str, str] = {}


@pytest.fixture(scope="module")
def archive(bench: Bench) -> Bench:
    for name in (BUCKET, RESULTS):
        KEYS[name] = bench.client("kms").create_key()["KeyMetadata"]["Arn"]
        library.make_bucket(bench, name, KEYS[name])
    library.stock(bench)
    library.make_table(bench, "archived", {"who": "string"}, "parquet", {"day": "string"}, BUCKET)
    projected = {
        "projection.enabled": "true",
        "projection.day.type": "date",
        "projection.day.format": "yyyy-MM-dd",
        "projection.day.range": "2020-01-01,2020-01-31",
    }
    library.make_table(
        bench, "projected", {"who": "string"}, "parquet", {"day": "string"}, BUCKET, parameters=projected
    )
    for table, day in (
        ("archived", "2020-01-01"),
        ("projected", "2020-01-01"),
        ("projected", "2020-02-01"),
        ("projected", "January"),
    ):
        rows = library.parquet([{"who": day}])
        library.put(bench, f"{table}/day={day}/a.parquet", rows, BUCKET)
    library.put(bench, "projected/elsewhere/a.parquet", library.parquet([{"who": "nobody"}]), BUCKET)
    library.register(bench, "archived", "day=2020-01-01/", "2020-01-01", bucket=BUCKET)
    return bench


def rights() -> dict[str, dict[str, Any]]:
    """All rights that a reader needs, one statement for each."""

    def key(name: str, action: str) -> dict[str, Any]:
        through = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
        return statement([action], [KEYS[name]], **through)

    listed = {"StringLike": {"s3:prefix": ["archived/*"]}}
    return {
        "athena": statement(["athena:*"], ["*"]),
        "glue:GetDatabase": statement(["glue:GetDatabase"], CATALOGUE[:2]),
        "glue:GetTable": statement(["glue:GetTable"], CATALOGUE),
        "glue:GetPartitions": statement(["glue:GetPartitions"], CATALOGUE),
        "s3:ListBucket": statement(["s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}"], **listed),
        "s3:GetObject": statement(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/archived/*"]),
        "kms:Decrypt": key(BUCKET, "kms:Decrypt"),
        "s3:GetBucketLocation": statement(["s3:GetBucketLocation"], [f"arn:aws:s3:::{RESULTS}"]),
        "s3:PutObject": statement(["s3:PutObject"], [f"arn:aws:s3:::{RESULTS}/of/reader/*"]),
        "kms:GenerateDataKey": key(RESULTS, "kms:GenerateDataKey"),
        "s3:GetObject of answers": statement(["s3:GetObject"], [f"arn:aws:s3:::{RESULTS}/of/reader/*"]),
        "kms:Decrypt of answers": key(RESULTS, "kms:Decrypt"),
    }


def reader(bench: Bench, name: str, *without: str, **instead: dict[str, Any]) -> Any:
    held = {**{right: given for right, given in rights().items() if right not in without}, **instead}
    return bench.client("athena", library.as_role(bench, name, list(held.values())))


def test_a_reader_with_every_right_gets_the_result(archive: Bench) -> None:
    athena = reader(archive, "athena-reader")
    execution = run(athena, SQL, **LOCATION)
    assert library.rows_of(athena, execution)[1:] == [["1", "2020-01-01"]]
    result = execution["ResultConfiguration"]["OutputLocation"]
    held = archive.client("s3").head_object(Bucket=RESULTS, Key=result.split("/", 3)[3])
    assert (held["ServerSideEncryption"], held["SSEKMSKeyId"]) == ("aws:kms", KEYS[RESULTS])


NEEDED = {
    "glue:GetDatabase": "Insufficient permissions to execute the query. User: {user} is not "
    "authorized to perform: "
    "glue:GetDatabase on resource: {glue}database/lending because no identity-based policy allows the "
    "glue:GetDatabase action (Service: AmazonDataCatalog; Status Code: 400; Error Code: "
    "AccessDeniedException; ",
    "glue:GetTable": "Insufficient permissions to execute the query. User: {user} is not "
    "authorized to perform: "
    "glue:GetTable on resource: {glue}table/lending/archived because ",
    "glue:GetPartitions": "Insufficient permissions to execute the query. User: {user} is not "
    "authorized to "
    "perform: glue:GetPartitions on resource: {glue}table/lending/archived because ",
    "s3:ListBucket": "Permission denied on S3 path: s3://archive-loans/archived/day=2020-01-01/ "
    "(User: {user} is "
    "not authorized to perform: s3:ListBucket on ",
    "s3:GetObject": "Permission denied on S3 path: "
    "s3://archive-loans/archived/day=2020-01-01/a.parquet (User: "
    "{user} is not authorized to perform: s3:GetObject on ",
    "kms:Decrypt": "Permission denied on S3 path: "
    "s3://archive-loans/archived/day=2020-01-01/a.parquet (User: "
    "{user} is not authorized to perform: kms:Decrypt on ",
    "s3:PutObject": "Access denied when writing output to url: "
    "s3://archive-answers/of/reader/{query}.csv . Please "
    "ensure you are allowed to access the S3 bucket. If you are encrypting query results with KMS "
    "key, please "
    "ensure you are allowed to access your KMS key",
    "kms:GenerateDataKey": "Access denied when writing output to url: "
    "s3://archive-answers/of/reader/{query}.csv . ",
}


@pytest.mark.parametrize("right", NEEDED)
def test_without_one_right_the_query_fails_with_its_name(archive: Bench, right: str) -> None:
    name = f"athena-{right.partition(':')[2].lower()}"
    execution = run(reader(archive, name, right), SQL, **LOCATION)
    status = execution["Status"]
    user = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/reader"
    said = NEEDED[right].format(user=user, glue=GLUE, query=execution["QueryExecutionId"])
    assert status["State"] == "FAILED"
    assert str(status["StateChangeReason"]).startswith(said)


@pytest.mark.parametrize("place", range(3))
def test_a_right_on_the_table_needs_those_on_its_ancestors(archive: Bench, place: int) -> None:
    most = statement(["glue:GetTable"], [arn for number, arn in enumerate(CATALOGUE) if number != place])
    athena = reader(archive, f"athena-ancestor-{place}", "glue:GetTable", table=most)
    status = run(athena, SQL, **LOCATION)["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith("Insufficient permissions to execute the query. User: ")


def test_a_query_needs_the_right_to_locate_the_result_bucket(archive: Bench) -> None:
    athena = reader(archive, "athena-no-location", "s3:GetBucketLocation")
    with pytest.raises(
        athena.exceptions.InvalidRequestException, match="Unable to verify/create output bucket"
    ):
        run(athena, SQL, **LOCATION)


@pytest.mark.parametrize("right", ["s3:GetObject of answers", "kms:Decrypt of answers"])
def test_a_result_needs_the_right_to_read_its_object(archive: Bench, right: str) -> None:
    athena = reader(archive, f"athena-{right[:6].replace(':', '-')}-answers", right)
    execution = run(athena, SQL, **LOCATION)
    assert execution["Status"]["State"] == "SUCCEEDED"
    with pytest.raises(athena.exceptions.ClientError) as refused:
        library.rows_of(athena, execution)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert library.rows_of(archive.client("athena"), execution)[1:] == [["1", "2020-01-01"]]


def test_a_projected_table_needs_no_partitions_and_shows_those_in_its_range(archive: Bench) -> None:
    tables = statement(["glue:GetTable"], [*CATALOGUE[:2], f"{GLUE}table/lending/projected"])
    files = statement(
        ["s3:GetObject", "s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}/*", f"arn:aws:s3:::{BUCKET}"]
    )
    athena = reader(
        archive, "athena-projected", "glue:GetPartitions", "glue:GetTable", table=tables, file=files
    )
    execution = run(athena, "select who from projected", **LOCATION)
    assert library.rows_of(athena, execution)[1:] == [["2020-01-01"]]


def test_a_user_has_the_rights_of_a_user(archive: Bench) -> None:
    iam = archive.client("iam")
    iam.create_user(UserName="archivist")
    held = iam.create_access_key(UserName="archivist")["AccessKey"]
    keys = {"aws_access_key_id": held["AccessKeyId"], "aws_secret_access_key": held["SecretAccessKey"]}
    athena = archive.client("athena", keys)
    with pytest.raises(athena.exceptions.ClientError, match="not authorized to perform: athena:StartQuery"):
        run(athena, SQL, **LOCATION)
