"""A workgroup can be deleted if it is empty, or with everything in it."""

from typing import Any

import botocore.exceptions
import pytest
from conftest import Bench, wait_for

RESULTS = "reading-room-answers"
SETTINGS: dict[str, Any] = {"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"}}


@pytest.fixture(scope="module")
def athena(bench: Bench) -> Any:
    bench.client("s3").create_bucket(
        Bucket=RESULTS, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return bench.client("athena")


def run(athena: Any, group: str) -> str:
    query = str(athena.start_query_execution(QueryString="select 1", WorkGroup=group)["QueryExecutionId"])

    def has_ended() -> bool:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return status["State"] in ("SUCCEEDED", "FAILED")

    wait_for(has_ended)
    return query


def name(athena: Any, group: str) -> str:
    named = athena.create_named_query(Name="all", Database="d", QueryString="select 1", WorkGroup=group)
    return str(named["NamedQueryId"])


@pytest.mark.parametrize(("group", "fill"), [("has-run", run), ("has-named", name)])
def test_a_workgroup_with_queries_is_deleted_only_with_the_option(athena: Any, group: str, fill: Any) -> None:
    athena.create_work_group(Name=group, Configuration=SETTINGS)
    athena.create_work_group(Name=f"{group}-beside", Configuration=SETTINGS)
    fill(athena, group)
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        athena.delete_work_group(WorkGroup=group)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidRequestException", f"WorkGroup {group} is not empty")
    athena.delete_work_group(WorkGroup=f"{group}-beside")
    athena.delete_work_group(WorkGroup=group, RecursiveDeleteOption=True)
    groups = [one["Name"] for one in athena.list_work_groups()["WorkGroups"]]
    assert group not in groups
    assert f"{group}-beside" not in groups
    athena.create_work_group(Name=group, Configuration=SETTINGS)
    athena.delete_work_group(WorkGroup=group)  # its queries are deleted too
