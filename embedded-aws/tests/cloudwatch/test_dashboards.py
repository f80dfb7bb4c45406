"""Dashboards are kept as they were put, refused as CloudWatch refuses them, and checked by their names."""

import json
from typing import Any

import botocore.exceptions
import callers
import pytest
from conftest import ACCOUNT, Bench, statement
from watch import PROTOCOLS, client

from embedded_aws.cloudwatch import dashboards

REFUSED = botocore.exceptions.ClientError
TEXT = {
    "type": "text",
    "x": 0,
    "y": 0,
    "width": 24,
    "height": 2,
    "properties": {"markdown": "# <Tides> & 'wind'"},
}
METRIC = {
    "type": "metric",
    "properties": {"metrics": [["Tides", "Water", "Pier", "east"]], "region": "eu-west-1"},
}


def body(*widgets: Any) -> str:
    return json.dumps({"widgets": list(widgets)}, ensure_ascii=False)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dashboard_comes_back_as_it_was_put(bench: Bench, protocol: str) -> None:
    cloudwatch, name = client(bench, protocol), f"tides-{protocol}"
    assert (
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body(TEXT))["DashboardValidationMessages"]
        == []
    )
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body(TEXT, METRIC))
    kept = cloudwatch.get_dashboard(DashboardName=name)
    assert kept["DashboardBody"] == body(TEXT, METRIC)
    assert kept["DashboardArn"] == f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"
    listed = cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    assert [entry["DashboardName"] for entry in listed] == [name]
    cloudwatch.delete_dashboards(DashboardNames=[name])
    with pytest.raises(REFUSED) as gone:
        cloudwatch.get_dashboard(DashboardName=name)
    assert gone.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a b", body(TEXT), "DashboardName"),
        ("a", "{", "must be a JSON object with widgets"),
        ("a", "[]", "must be a JSON object with widgets"),
        ("a", '{"widgets": {}}', "/widgets: must be a list"),
        ("a", body(*[TEXT] * 501), "at most 500"),
        ("a", body(TEXT, {**METRIC, "type": "table"}), "/widgets/1/type: 'table'"),
        ("a", body({"type": "text"}), "/widgets/0/properties"),
        ("a", body({**TEXT, "width": 25}), "/widgets/0/width: 25 must be from 1 to 24"),
        ("a", body({**TEXT, "x": 24}), "/widgets/0/x"),
        ("a", body({**TEXT, "height": 0}), "/widgets/0/height"),
    ],
)  # fmt: skip
def test_an_invalid_dashboard_is_refused_with_the_place(
    bench: Bench, name: str, text: str, told: str
) -> None:
    assert [told in words for words in dashboards.mistakes(name, text)] == [True]
    with pytest.raises(REFUSED, match="validation errors") as refused:
        bench.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=text)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterInput"


def test_five_hundred_widgets_are_accepted(bench: Bench) -> None:
    assert dashboards.mistakes("many", body(*[METRIC] * 500)) == []


def test_dashboards_are_checked_by_their_names_without_a_region(bench: Bench) -> None:
    rights = ["cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"]
    callers.make(bench, "harbourer", statement(rights, [f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/own-*"]))
    cloudwatch = bench.client("cloudwatch", callers.taken(bench, "harbourer"))
    cloudwatch.put_dashboard(DashboardName="own-tides", DashboardBody=body(TEXT))
    assert cloudwatch.get_dashboard(DashboardName="own-tides")["DashboardName"] == "own-tides"
    with pytest.raises(REFUSED, match="cloudwatch:PutDashboard"):
        cloudwatch.put_dashboard(DashboardName="their-tides", DashboardBody=body(TEXT))
    with pytest.raises(REFUSED, match="cloudwatch:DeleteDashboards"):
        cloudwatch.delete_dashboards(DashboardNames=["own-tides", "their-tides"])
    cloudwatch.delete_dashboards(DashboardNames=["own-tides"])
